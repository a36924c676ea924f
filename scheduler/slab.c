// SPDX-License-Identifier: MIT
/*
 * slab.c - slabs of equal slots.
 *
 * A shard's slabs form one list: those with a free slot at the front, full
 * ones behind, so that the first slab answers at once whether there is room.
 */
#include "scheduler/slab.h"

#include <stdatomic.h>
#include <string.h>

#include "base/assert.h"

struct wyn_slab_slot {
	struct wyn_slab_slot *next;
};

#define SLOTS_PER_SLAB \
	((WYN_CHUNK_BYTES - sizeof(struct wyn_slab)) / WYN_SLAB_SLOT_BYTES)

static_assert(sizeof(struct wyn_slab) % 8 == 0, "slots are aligned to 8");
static_assert(WYN_SLAB_SLOT_BYTES % 8 == 0, "slots are aligned to 8");

static _Thread_local unsigned sticky_shard;
static _Atomic unsigned next_sticky_approx;

/* The first slab, with at least one free slot. */
static struct wyn_slab *shard_slab(
	struct wyn_slabs *slabs, struct wyn_slab_shard *shard)
{
	struct wyn_list *first = wyn_list_first(&shard->slabs);
	struct wyn_slab *slab =
		first != NULL ? wyn_list_entry(first, struct wyn_slab, link)
			      : NULL;

	if (slab != NULL && slab->used < SLOTS_PER_SLAB) {
		return slab;
	}
	slab = (void *)wyn_chunk_acquire(slabs->chunks);
	if (slab == NULL) {
		return NULL;
	}
	/* Not its chunk's head, which is the store's. */
	slab->slabs = slabs;
	slab->shard = shard;
	slab->free = NULL;
	slab->used = 0;
	slab->fresh = 0;
	wyn_list_push_front(&shard->slabs, &slab->link);
	shard->slab_count++;
	shard->empty_count++;
	return slab;
}

static void *slab_take(struct wyn_slab_shard *shard, struct wyn_slab *slab)
{
	struct wyn_slab_slot *slot = slab->free;

	if (slot != NULL) {
		slab->free = slot->next;
	} else {
		slot = (void *)((char *)(slab + 1) +
				slab->fresh * WYN_SLAB_SLOT_BYTES);
		slab->fresh++;
	}
	if (slab->used++ == 0) {
		shard->empty_count--;
	}
	if (slab->used == SLOTS_PER_SLAB) {
		wyn_list_remove(&slab->link);
		wyn_list_push_back(&shard->slabs, &slab->link);
	}
	return slot;
}

void wyn_slabs_init(
	struct wyn_slabs *slabs, struct wyn_chunks *chunks, void *owner)
{
	memset(slabs, 0, sizeof(*slabs));
	slabs->chunks = chunks;
	slabs->owner = owner;
	for (unsigned i = 0; i < WYN_SLAB_SHARDS; i++) {
		wyn_list_init(&slabs->shards[i].slabs);
		pthread_mutex_init(&slabs->shards[i].lock, NULL);
	}
}

void wyn_slabs_fini(struct wyn_slabs *slabs)
{
	for (unsigned i = 0; i < WYN_SLAB_SHARDS; i++) {
		pthread_mutex_destroy(&slabs->shards[i].lock);
	}
}

size_t wyn_slab_acquire_some(
	struct wyn_slabs *slabs, void **ret_slots, size_t n)
{
	struct wyn_slab_shard *shard;
	size_t got = 0;

	if (sticky_shard == 0) {
		sticky_shard =
			1 + atomic_fetch_add_explicit(&next_sticky_approx, 1,
				    memory_order_relaxed) %
				    WYN_SLAB_SHARDS;
	}
	shard = &slabs->shards[sticky_shard - 1];
	pthread_mutex_lock(&shard->lock);
	while (got < n) {
		struct wyn_slab *slab = shard_slab(slabs, shard);

		if (slab == NULL) {
			break;
		}
		got++;
		/* The lowest address last: it is the first to be used. */
		ret_slots[n - got] = slab_take(shard, slab);
	}
	pthread_mutex_unlock(&shard->lock);
	if (got < n) {
		memmove(ret_slots, ret_slots + (n - got),
			got * sizeof(*ret_slots));
	}
	return got;
}

/* Returns: a slab that is to be released, or NULL. */
static struct wyn_slab *slab_put(struct wyn_slab_shard *shard, void *slot)
{
	struct wyn_slab *slab = wyn_slab_of(slot);
	struct wyn_slab_slot *freed = slot;

	wyn_assert(slab->used > 0);
	freed->next = slab->free;
	slab->free = freed;
	if (slab->used-- == SLOTS_PER_SLAB) {
		wyn_list_remove(&slab->link);
		wyn_list_push_front(&shard->slabs, &slab->link);
	}
	if (slab->used > 0) {
		return NULL;
	}
	if (shard->empty_count < WYN_SLAB_EMPTY_MAX) {
		shard->empty_count++;
		return NULL;
	}
	wyn_list_remove(&slab->link);
	shard->slab_count--;
	return slab;
}

static void slab_release(struct wyn_slab *slab)
{
	if (slab != NULL) {
		wyn_chunk_release(slab->slabs->chunks, &slab->chunk);
	}
}

void wyn_slab_release_some(void *const *slots, size_t n)
{
	size_t i = 0;

	while (i < n) {
		struct wyn_slab_shard *shard = wyn_slab_of(slots[i])->shard;

		/* Most of them come from the same one. */
		pthread_mutex_lock(&shard->lock);
		do {
			slab_release(slab_put(shard, slots[i]));
			i++;
		} while (i < n && wyn_slab_of(slots[i])->shard == shard);
		pthread_mutex_unlock(&shard->lock);
	}
}

size_t wyn_slabs_bytes(struct wyn_slabs *slabs)
{
	size_t count = 0;

	for (unsigned i = 0; i < WYN_SLAB_SHARDS; i++) {
		pthread_mutex_lock(&slabs->shards[i].lock);
		count += slabs->shards[i].slab_count;
		pthread_mutex_unlock(&slabs->shards[i].lock);
	}
	return count * WYN_CHUNK_BYTES;
}
