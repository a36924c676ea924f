// SPDX-License-Identifier: MIT
/*
 * large.c - pieces of the libc's memory, in a list.
 */
#include "scheduler/large.h"

#include <stdlib.h>

#include "base/assert.h"

struct wyn_large {
	_Alignas(16) struct wyn_list link; /* [M lock] */
};

static_assert(sizeof(struct wyn_large) == 16, "what follows is aligned to 16");

void wyn_larges_init(struct wyn_larges *larges)
{
	pthread_mutex_init(&larges->lock, NULL);
	wyn_list_init(&larges->pieces);
}

void wyn_larges_fini(struct wyn_larges *larges)
{
	struct wyn_list *link, *after;

	/* As in wyn_chunks_fini. */
	if (pthread_mutex_trylock(&larges->lock) != 0) {
		return;
	}
	wyn_list_for_each_safe (link, after, &larges->pieces) {
		free(wyn_list_entry(link, struct wyn_large, link));
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
	pthread_mutex_lock(&larges->lock);
	wyn_list_push_front(&larges->pieces, &large->link);
	pthread_mutex_unlock(&larges->lock);
	return large + 1;
}

void wyn_large_release(struct wyn_larges *larges, void *memory)
{
	struct wyn_large *large = (struct wyn_large *)memory - 1;

	pthread_mutex_lock(&larges->lock);
	wyn_list_remove(&large->link);
	pthread_mutex_unlock(&larges->lock);
	free(large);
}
