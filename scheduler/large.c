// SPDX-License-Identifier: MIT
/*
 * large.c - pieces of the libc's memory, in a list.
 */
#include "scheduler/large.h"

#include <stdlib.h>

#include "base/assert.h"

struct wyn_large {
	_Alignas(16) struct wyn_large *next; /* [M lock] */
	struct wyn_large *prev;		     /* [M lock] */
};

static_assert(sizeof(struct wyn_large) == 16, "what follows is aligned to 16");

void wyn_larges_init(struct wyn_larges *larges)
{
	pthread_mutex_init(&larges->lock, NULL);
	larges->first = NULL;
}

void wyn_larges_fini(struct wyn_larges *larges)
{
	struct wyn_large *large = larges->first;

	/* As in wyn_chunks_fini. */
	if (pthread_mutex_trylock(&larges->lock) != 0) {
		return;
	}
	while (large != NULL) {
		struct wyn_large *next = large->next;

		free(large);
		large = next;
	}
	pthread_mutex_unlock(&larges->lock);
	pthread_mutex_destroy(&larges->lock);
}

void *wyn_large_acquire(struct wyn_larges *larges, size_t bytes)
{
	struct wyn_large *large = malloc(sizeof(*large) + bytes);

	if (large == NULL) {
		return NULL;
	}
	large->prev = NULL;
	pthread_mutex_lock(&larges->lock);
	large->next = larges->first;
	if (large->next != NULL) {
		large->next->prev = large;
	}
	larges->first = large;
	pthread_mutex_unlock(&larges->lock);
	return large + 1;
}

void wyn_large_release(struct wyn_larges *larges, void *memory)
{
	struct wyn_large *large = (struct wyn_large *)memory - 1;

	pthread_mutex_lock(&larges->lock);
	*(large->prev != NULL ? &large->prev->next : &larges->first) =
		large->next;
	if (large->next != NULL) {
		large->next->prev = large->prev;
	}
	pthread_mutex_unlock(&larges->lock);
	free(large);
}
