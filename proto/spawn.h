// SPDX-License-Identifier: MIT
/*
 * spawn.h - the messages between wynd and wynd-spawner, as bytes and packets.
 *
 * proto/spawn.proto is how they are written, spawner/README.md what they mean.
 * Decoding is as strict as that of frames and stays within the arena. A message
 * is cut into packets by who sends it and put together by who reads it; neither
 * is done here, for this room knows no sockets.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"
#include "proto/arena.h"
#include "proto/spawn.pb-c.h"
#include "proto/wyn.pb-c.h"

#define WYN_SPAWN_VERSION 1u

/* The byte at the head of a packet. */
#define WYN_SPAWN_PACKET_MORE  0x01u /* the message goes on in the next one */
#define WYN_SPAWN_PACKET_KNOWN WYN_SPAWN_PACKET_MORE

/* A packet with its head: what a socket takes whole with the least that its
 * buffer may be set to by default. */
#define WYN_SPAWN_PACKET_BYTES_MAX (32u << 10)

/* One message: a Start with the longest argv and environment that the kernel
 * takes with the usual stack, and some. */
#define WYN_SPAWN_MESSAGE_BYTES_MAX (4u << 20)

#define WYN_SPAWN_FDS_MAX 3u /* that come with a message */

/*
 * wyn_spawn_request_decode, wyn_spawn_event_decode - a whole message.
 *
 * Thread: any, one per arena. Owns: what comes out is in the arena. Returns: 0;
 * -EBADMSG: malformed, or none that this version knows; -ENOBUFS.
 */
WYN_NODISCARD
int wyn_spawn_request_decode(struct wyn_slice bytes, struct wyn_arena *arena,
	const Wyn__Spawn__V1__Request **ret_request);
WYN_NODISCARD
int wyn_spawn_event_decode(struct wyn_slice bytes, struct wyn_arena *arena,
	const Wyn__Spawn__V1__Event **ret_event);

/* wyn_spawn_command_decode - the command of a Start, likewise. */
WYN_NODISCARD
int wyn_spawn_command_decode(struct wyn_slice bytes, struct wyn_arena *arena,
	const Wyn__V1__Command **ret_command);

#define WYN_SPAWN_START_HEAD_BYTES 64u

/*
 * wyn_spawn_start_head - a Start but for the bytes of its command, which are
 * to follow.
 *
 * They need not be copied then, nor looked at. start->command is not read.
 * Thread: any. Returns: how many bytes it wrote.
 */
size_t wyn_spawn_start_head(const Wyn__Spawn__V1__Start *start,
	size_t command_bytes, uint8_t out[WYN_SPAWN_START_HEAD_BYTES]);

/* wyn_spawn_command_bytes, wyn_spawn_command_encode - size, and write. Thread:
 * any. */
size_t wyn_spawn_command_bytes(const Wyn__V1__Command *command);
size_t wyn_spawn_command_encode(const Wyn__V1__Command *command, uint8_t *out);

/*
 * wyn_spawn_request_bytes, wyn_spawn_request_encode, wyn_spawn_event_bytes,
 * wyn_spawn_event_encode - size, and write.
 *
 * Thread: any. `out` has room for the size. The encoders return it.
 */
size_t wyn_spawn_request_bytes(const Wyn__Spawn__V1__Request *request);
size_t wyn_spawn_request_encode(
	const Wyn__Spawn__V1__Request *request, uint8_t *out);
size_t wyn_spawn_event_bytes(const Wyn__Spawn__V1__Event *event);
size_t wyn_spawn_event_encode(const Wyn__Spawn__V1__Event *event, uint8_t *out);
