// SPDX-License-Identifier: MIT
/*
 * walk.h - the fast way of decoding Submit, Results and Chunk.
 *
 * Private to proto/. Reads the one form that our encoders and, for these
 * messages, most protobuf libraries write: fields in ascending order, shortest
 * varints, packed columns, nothing unknown. Anything else, right or wrong, is
 * left to unpack.h; the two are fuzzed against each other.
 */
#pragma once

#include "base/compiler.h"
#include "proto/arena.h"
#include "proto/message.h"

/*
 * wyn_walk_message - decodes a Frame's bytes if they are canonical and hot.
 *
 * Thread: any, one per arena. Owns: nothing; the message views body, and the
 * arena for arg_sizes and details. Returns: 0; -EINVAL when this is not for the
 * walker (nothing is said about the bytes); -EBADMSG when it breaks a rule of
 * rules.h; -ENOBUFS when it does not fit the arena. On error *ret_message may
 * have been written, and means nothing.
 */
WYN_NODISCARD
int wyn_walk_message(struct wyn_slice body, struct wyn_arena *arena,
	struct wyn_message *ret_message);

/* The part for Results, from a file of its own. Same contract. */
WYN_NODISCARD
int wyn_walk_results(struct wyn_slice bytes, struct wyn_arena *arena,
	struct wyn_results *ret_results);
