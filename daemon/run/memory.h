// SPDX-License-Identifier: MIT
/*
 * memory.h - memory of one loop's batches and input, in few sizes, kept for
 * reuse.
 *
 * Four sizes to each power of two, so at most a fifth of a piece is beyond what
 * was asked for. What is larger than the largest of them is malloc'd and freed.
 * The loop's thread only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

#define WYN_MEMORY_BYTES_MIN  512u
#define WYN_MEMORY_BYTES_MAX  (1u << 20)
#define WYN_MEMORY_SIZES      45u	 /* from the least to the largest */
#define WYN_MEMORY_FREE_BYTES (4u << 20) /* kept per loop, at most */

/* [L] all of it */
struct wyn_memory {
	struct wyn_list free[WYN_MEMORY_SIZES];
	size_t free_bytes;
};

/* wyn_memory_init, wyn_memory_fini - keeps nothing; keeps nothing any more. */
void wyn_memory_init(struct wyn_memory *memory);
void wyn_memory_fini(struct wyn_memory *memory);

/* wyn_memory_rounded - what a piece has that is asked for with `bytes`. */
size_t wyn_memory_rounded(size_t bytes);

/*
 * wyn_memory_acquire - a piece for so many bytes, aligned as malloc's.
 *
 * Owns: the caller's until the release. Returns: NULL when there is none.
 */
void *wyn_memory_acquire(struct wyn_memory *memory, size_t bytes);

/* wyn_memory_release - gives one back, with the `bytes` it has. */
void wyn_memory_release(struct wyn_memory *memory, void *piece, size_t bytes);
