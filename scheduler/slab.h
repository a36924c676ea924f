// SPDX-License-Identifier: MIT
/*
 * slab.h - where futures live.
 *
 * Slots of one size in slabs, which are aligned chunks, so that a slot finds
 * its slab by its address and carries no pointer to it. Sharded by thread, each
 * shard under its mutex. Empty slabs go back to the chunks, all but one. A
 * magazine (Bonwick and Adams, USENIX 2001) keeps slots for one thread, so that
 * it meets a mutex once in WYN_MAGAZINE_SLOTS / 2 times.
 */
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "scheduler/chunk.h"

#define WYN_SLAB_SHARDS	    8
#define WYN_SLAB_SLOT_BYTES 48
#define WYN_SLAB_EMPTY_MAX  1	/* slabs that a shard keeps empty */
#define WYN_MAGAZINE_SLOTS  128 /* even */

struct wyn_slab_slot;

struct wyn_slab_shard {
	_Alignas(64) pthread_mutex_t lock;
	struct wyn_list slabs; /* [M lock] those with room come first */
	size_t slab_count;     /* [M lock] */
	size_t empty_count;    /* [M lock] */
};

struct wyn_slabs {
	struct wyn_slab_shard shards[WYN_SLAB_SHARDS];
	struct wyn_chunks *chunks; /* [I] */
	void *owner;		   /* [I] found again from any slot */
};

/* The head of a slab. */
struct wyn_slab {
	struct wyn_chunk chunk;
	struct wyn_slabs *slabs;      /* [I] */
	struct wyn_slab_shard *shard; /* [I] */
	struct wyn_list link;	      /* [M lock] among the shard's */
	struct wyn_slab_slot *free;   /* [M lock] released slots */
	uint32_t used;		      /* [M lock] slots given out */
	uint32_t fresh;		      /* [M lock] slots never given out begin */
};

/* Zero bytes are an empty one. Used by one thread at a time. */
struct wyn_magazine {
	unsigned n;
	void *slots[WYN_MAGAZINE_SLOTS];
};

/*
 * wyn_slab_of - the slab that a slot lies in.
 *
 * Thread: any. Blocks: never.
 */
static inline struct wyn_slab *wyn_slab_of(const void *slot)
{
	return (struct wyn_slab *)((uintptr_t)slot &
				   ~(uintptr_t)(WYN_CHUNK_BYTES - 1));
}

/*
 * wyn_slabs_init - makes an empty store, whose slabs are chunks of these.
 *
 * Thread: boot. Blocks: never.
 */
void wyn_slabs_init(
	struct wyn_slabs *slabs, struct wyn_chunks *chunks, void *owner);

/*
 * wyn_slabs_fini - forgets every slab; their memory ends with the chunks.
 *
 * Thread: boot, when nobody else uses it. Blocks: never.
 */
void wyn_slabs_fini(struct wyn_slabs *slabs);

/*
 * wyn_slab_acquire_some, wyn_slab_release_some - slots by the dozen.
 *
 * Thread: any. Returns: how many were given, 0 if memory is out.
 * Blocks: on the mutex of the thread's shard, or on those of the slots'.
 */
size_t wyn_slab_acquire_some(
	struct wyn_slabs *slabs, void **ret_slots, size_t n);
void wyn_slab_release_some(void *const *slots, size_t n);

/*
 * wyn_slab_acquire - gives a slot of WYN_SLAB_SLOT_BYTES, aligned to 8.
 *
 * Thread: any; magazine is the caller's, or NULL. Returns: NULL if memory is
 * out. Blocks: on a mutex, now and then.
 */
static inline void *wyn_slab_acquire(
	struct wyn_slabs *slabs, struct wyn_magazine *magazine)
{
	void *slot;

	if (magazine == NULL) {
		return wyn_slab_acquire_some(slabs, &slot, 1) == 1 ? slot
								   : NULL;
	}
	if (magazine->n == 0) {
		magazine->n = (unsigned)wyn_slab_acquire_some(
			slabs, magazine->slots, WYN_MAGAZINE_SLOTS / 2);
		if (magazine->n == 0) {
			return NULL;
		}
	}
	return magazine->slots[--magazine->n];
}

/*
 * wyn_slab_release - takes a slot back.
 *
 * Thread: any; magazine is the caller's, of the slot's store, or NULL.
 * Blocks: on a mutex, now and then.
 */
static inline void wyn_slab_release(void *slot, struct wyn_magazine *magazine)
{
	if (magazine == NULL) {
		wyn_slab_release_some(&slot, 1);
		return;
	}
	if (magazine->n == WYN_MAGAZINE_SLOTS) {
		magazine->n = WYN_MAGAZINE_SLOTS / 2;
		wyn_slab_release_some(magazine->slots + magazine->n,
			WYN_MAGAZINE_SLOTS - magazine->n);
	}
	magazine->slots[magazine->n++] = slot;
}

/*
 * wyn_slab_owner - the owner of the store that the slot came from.
 *
 * Thread: any. Blocks: never.
 */
static inline void *wyn_slab_owner(const void *slot)
{
	return wyn_slab_of(slot)->slabs->owner;
}

/*
 * wyn_slabs_bytes - memory held now, used or not.
 *
 * Thread: any. Blocks: on each shard's mutex in turn.
 */
size_t wyn_slabs_bytes(struct wyn_slabs *slabs);
