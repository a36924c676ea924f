// SPDX-License-Identifier: MIT
/*
 * arena.h - a bump allocator with a cap, for decoding one frame.
 *
 * The caller lends the memory; nothing is freed one by one; a request past the
 * cap gets NULL and is remembered, so that a hostile message costs what it may
 * cost and no more. One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wyn_arena {
	uint8_t *base;
	size_t size_bytes;
	size_t used_bytes;
	bool exhausted; /* a request was refused since the last reset */
};

/*
 * wyn_arena_init - takes `memory` (borrowed until the arena is abandoned).
 *
 * Thread: any, one at a time. memory is aligned for any type (16 bytes).
 */
void wyn_arena_init(struct wyn_arena *arena, void *memory, size_t size_bytes);

/* wyn_arena_reset - forgets all allocations. Thread: the arena's. */
void wyn_arena_reset(struct wyn_arena *arena);

/*
 * wyn_arena_alloc - `bytes` aligned to 16, not zeroed.
 *
 * Thread: the arena's. Returns: the memory, valid until reset; NULL past the
 * cap.
 */
void *wyn_arena_alloc(struct wyn_arena *arena, size_t bytes);
