// SPDX-License-Identifier: MIT
/*
 * arena.c - the bump allocator behind decoding.
 *
 * It never grows and never frees. A refusal does not move the mark, so a
 * smaller request after it may still be served; the flag keeps the memory of
 * it for the caller that gets its NULL through protobuf-c, which does not say
 * why it failed.
 */
#include "proto/arena.h"

#define ALIGN_BYTES 16u

void wyn_arena_init(struct wyn_arena *arena, void *memory, size_t size_bytes)
{
	*arena = (struct wyn_arena){.base = memory, .size_bytes = size_bytes};
}

void wyn_arena_reset(struct wyn_arena *arena)
{
	arena->used_bytes = 0;
	arena->exhausted = false;
}

void *wyn_arena_alloc(struct wyn_arena *arena, size_t bytes)
{
	size_t left = arena->size_bytes - arena->used_bytes;
	size_t taken = (bytes + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);
	void *memory;

	/* taken < bytes when the rounding went past SIZE_MAX. */
	if (taken < bytes || taken > left) {
		arena->exhausted = true;
		return NULL;
	}
	memory = arena->base + arena->used_bytes;
	arena->used_bytes += taken;
	return memory;
}
