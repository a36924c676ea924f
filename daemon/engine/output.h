// SPDX-License-Identifier: MIT
/*
 * output.h - what is to be written on one connection: a queue of bytes.
 *
 * Pieces of memory that are only appended to, so that a write in progress may
 * go on reading the front while more comes in behind. Free pieces are shared by
 * the connections of one loop. An idle connection holds none.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/slice.h"

/* Free pieces of one loop. [L] */
struct wyn_segments {
	struct wyn_list free;
	size_t free_count;
	uint64_t used_bytes; /* of those that are some connection's */
};

struct wyn_output {
	struct wyn_segments *segments;
	struct wyn_list queue; /* of struct segment, oldest first */
	size_t bytes;	       /* in all of them */
};

/* wyn_segments_init, wyn_segments_fini - the loop's store. Thread: loop. */
void wyn_segments_init(struct wyn_segments *segments);
void wyn_segments_fini(struct wyn_segments *segments);

/* wyn_output_init, wyn_output_fini - one connection's queue. Thread: loop. */
void wyn_output_init(struct wyn_output *output, struct wyn_segments *segments);
void wyn_output_fini(struct wyn_output *output);

/*
 * wyn_output_reserve - room for the next `bytes` bytes, in one piece.
 *
 * Thread: loop. Owns: the output's; filled by the caller and then committed, in
 * part or not at all. Returns: NULL when there is no memory.
 */
uint8_t *wyn_output_reserve(struct wyn_output *output, size_t bytes);

/* wyn_output_commit - `bytes` of the last reserve were filled. */
void wyn_output_commit(struct wyn_output *output, size_t bytes);

/*
 * wyn_output_give - the next `bytes` bytes are those at data, without a copy.
 *
 * Thread: loop. Owns: takes memory, which data lies in and which free() takes,
 * unless it fails. Returns: false when there is no memory.
 */
WYN_NODISCARD
bool wyn_output_give(struct wyn_output *output, void *memory,
	const uint8_t *data, size_t bytes);

/*
 * wyn_output_pieces - views of the queue's front.
 *
 * Thread: loop. Valid until written or fini. Returns: how many were filled in.
 */
size_t wyn_output_pieces(const struct wyn_output *output,
	struct wyn_slice *pieces, size_t pieces_max);

/* wyn_output_written - forgets the first `bytes` bytes. */
void wyn_output_written(struct wyn_output *output, size_t bytes);
