// SPDX-License-Identifier: MIT
/*
 * unpack.h - the general way of decoding: validate, protobuf-c, views.
 *
 * Private to proto/. It takes every form that the schema allows, canonical or
 * not, and all the messages that walk.h leaves alone.
 */
#pragma once

#include "base/compiler.h"
#include "proto/arena.h"
#include "proto/message.h"

/*
 * wyn_unpack_message - decodes a Frame's bytes within the arena.
 *
 * The hot messages come out in the same structs that the walker fills, their
 * columns and arguments packed anew.
 *
 * Thread: any, one per arena. Owns: nothing; the message views the arena only.
 * Returns: 0; -EBADMSG when malformed; -ENOMSG when its body is none of ours;
 * -ENOBUFS when it does not fit the arena.
 */
WYN_NODISCARD
int wyn_unpack_message(struct wyn_slice body, struct wyn_arena *arena,
	struct wyn_message *ret_message);

/*
 * wyn_unpack_any - the same for a message of that type.
 *
 * Thread: any, one per arena. Returns: 0; -EBADMSG; -ENOBUFS.
 */
WYN_NODISCARD
int wyn_unpack_any(const ProtobufCMessageDescriptor *type,
	struct wyn_slice bytes, struct wyn_arena *arena,
	ProtobufCMessage **ret_message);
