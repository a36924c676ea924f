// SPDX-License-Identifier: MIT
/*
 * spawn_packets.h - what is to be sent to the spawner, as packets.
 *
 * There is no queue of messages: what is to be said about a process is noted in
 * it, and processes of which something is to be said are on a list. So what
 * waits for a socket that is full needs no memory, and is bounded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "proto/spawn.h"

#define WYN_SPAWN_SENDS_MAX    16u /* packets of one sendmmsg */
#define WYN_SPAWN_RECEIVES_MAX 8u  /* of one recvmmsg */
#define WYN_SPAWN_NOTE_BYTES   32u /* a Signal, Stop or Reap in a packet */
#define WYN_SPAWN_SIGNALS_MAX  64u /* the highest number */

struct wyn_process;
struct wyn_spawn;

/* What is to be sent about a process, in this order. */
struct wyn_request {
	uint8_t head[WYN_SPAWN_START_HEAD_BYTES];
	size_t head_bytes;
	size_t start_at;  /* so much of head and command was sent */
	uint64_t signals; /* bit n - 1 = signal n */
	uint64_t grace_ms;
	bool start;
	bool stop;
	bool reap;
};

enum wyn_packet_what {
	WYN_PACKET_CONFIGURE,
	WYN_PACKET_START,
	WYN_PACKET_SIGNAL,
	WYN_PACKET_STOP,
	WYN_PACKET_REAP,
};

/* One that is being sent. */
struct wyn_packet {
	enum wyn_packet_what what;
	struct wyn_process *process;
	unsigned number; /* of a signal */
	size_t bytes;	 /* of a message in pieces, this piece */
	uint8_t note[WYN_SPAWN_NOTE_BYTES];
	_Alignas(struct cmsghdr)
		uint8_t control[CMSG_SPACE(sizeof(int) * WYN_SPAWN_FDS_MAX)];
	struct iovec parts[3];
};

struct wyn_spawn_packets {
	struct wyn_packet out[WYN_SPAWN_SENDS_MAX];
	struct mmsghdr out_heads[WYN_SPAWN_SENDS_MAX];
	unsigned out_count;
	struct mmsghdr in_heads[WYN_SPAWN_RECEIVES_MAX];
	struct iovec in_parts[WYN_SPAWN_RECEIVES_MAX];
	uint8_t in[WYN_SPAWN_RECEIVES_MAX][WYN_SPAWN_PACKET_BYTES_MAX];
};

/* wyn_spawn_packets_init - the heads of what is received. */
void wyn_spawn_packets_init(struct wyn_spawn_packets *packets);

/*
 * wyn_spawn_flush - sends what there is to be sent, as far as it goes.
 *
 * May find that the link is broken. Thread: loop.
 */
void wyn_spawn_flush(struct wyn_spawn *self);

/* wyn_request_pending - is there something to be sent? */
static inline bool wyn_request_pending(const struct wyn_request *request)
{
	return request->start || request->signals != 0 || request->stop ||
	       request->reap;
}
