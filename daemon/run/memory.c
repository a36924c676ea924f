// SPDX-License-Identifier: MIT
/*
 * memory.c - see memory.h. A free piece holds its own link.
 */
#include "daemon/run/memory.h"

#include <stdlib.h>

/* Four to each power of two. */
#define STEPS_BITS 2u
#define STEPS	   (1u << STEPS_BITS)

/* Of at most WYN_MEMORY_BYTES_MAX bytes: which size, and how much that is. */
static unsigned size_of(size_t bytes, size_t *ret_bytes)
{
	size_t wanted = bytes > WYN_MEMORY_BYTES_MIN ? bytes - 1
						     : WYN_MEMORY_BYTES_MIN - 1;
	unsigned high = 63u - (unsigned)__builtin_clzl(wanted);
	size_t step = (size_t)1 << (high - STEPS_BITS);
	size_t steps = wanted / step + 1; /* from STEPS + 1 to 2 * STEPS */
	unsigned least = 63u - (unsigned)__builtin_clzl(WYN_MEMORY_BYTES_MIN);

	*ret_bytes = steps * step;
	return (high + 1 - least) * STEPS + (unsigned)steps - 2 * STEPS;
}

/* What those of that size have. */
static size_t bytes_of(unsigned size)
{
	size_t power = (size_t)WYN_MEMORY_BYTES_MIN << size / STEPS;

	return power + power / STEPS * (size % STEPS);
}

void wyn_memory_init(struct wyn_memory *memory)
{
	for (size_t i = 0; i < WYN_MEMORY_SIZES; i++) {
		wyn_list_init(&memory->free[i]);
	}
	memory->free_bytes = 0;
}

void wyn_memory_fini(struct wyn_memory *memory)
{
	struct wyn_list *link;

	for (size_t i = 0; i < WYN_MEMORY_SIZES; i++) {
		while ((link = wyn_list_pop_front(&memory->free[i])) != NULL) {
			free(link);
		}
	}
	memory->free_bytes = 0;
}

size_t wyn_memory_rounded(size_t bytes)
{
	size_t rounded = bytes;

	if (bytes <= WYN_MEMORY_BYTES_MAX) {
		(void)size_of(bytes, &rounded);
	}
	return rounded;
}

void *wyn_memory_acquire(struct wyn_memory *memory, size_t bytes)
{
	struct wyn_list *link;
	size_t rounded;
	unsigned size;

	if (bytes > WYN_MEMORY_BYTES_MAX) {
		return malloc(bytes);
	}
	size = size_of(bytes, &rounded);
	link = wyn_list_pop_front(&memory->free[size]);
	if (link == NULL) {
		return malloc(rounded);
	}
	memory->free_bytes -= rounded;
	return link;
}

/* Frees one of the largest that are kept. */
static void drop_one(struct wyn_memory *memory)
{
	unsigned size = WYN_MEMORY_SIZES - 1;

	while (wyn_list_empty(&memory->free[size])) {
		size--;
	}
	free(wyn_list_pop_front(&memory->free[size]));
	memory->free_bytes -= bytes_of(size);
}

void wyn_memory_release(struct wyn_memory *memory, void *piece, size_t bytes)
{
	struct wyn_list *link = piece;
	size_t rounded;

	if (bytes > WYN_MEMORY_BYTES_MAX) {
		free(piece);
		return;
	}
	/* What was needed once must not keep out what is needed now. */
	while (bytes > WYN_MEMORY_FREE_BYTES - memory->free_bytes) {
		drop_one(memory);
	}
	wyn_list_init(link);
	/* The latest first: it may still be in a cache. */
	wyn_list_push_front(&memory->free[size_of(bytes, &rounded)], link);
	memory->free_bytes += bytes;
}
