// SPDX-License-Identifier: MIT
/*
 * deque.h - a worker's own queue, from which others may steal.
 *
 * The THE protocol of Cilk-5 (Frigo, Leiserson and Randall, PLDI 1998) with an
 * asymmetric fence: the owner's push and pop are plain loads and stores, a
 * thief pays a heavy fence and takes several at once. Thieves exclude each
 * other by a lock that is only tried; the owner takes it only when it and a
 * thief want the same item. Fixed size: the rest goes to the injector.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "scheduler/fence.h"
#include "scheduler/item.h"
#include "scheduler/perturb.h"

#define WYN_DEQUE_SIZE 1024 /* a power of two */

struct wyn_deque {
	/* The owner's line. */
	_Alignas(WYN_CACHE_LINE) _Atomic int64_t bottom; /* [A steal] */
	int64_t taken_seen; /* [W] `taken` is at least this */
	/* The thieves' line. Both only grow but for what a thief claimed too
	 * much; equal while nobody holds the lock. */
	_Alignas(WYN_CACHE_LINE) _Atomic int64_t claim; /* [A steal] theirs */
	_Atomic int64_t taken; /* [A steal] read, the slots are free */
	_Atomic uint32_t lock; /* [A steal] */
	_Alignas(WYN_CACHE_LINE) struct wyn_item slots[WYN_DEQUE_SIZE];
};

/*
 * wyn_deque_init - makes an empty deque.
 *
 * Thread: boot. Blocks: never.
 */
void wyn_deque_init(struct wyn_deque *deque);

/*
 * wyn_deque_has_room - whether n items can be pushed.
 *
 * Thread: worker (the owner). Blocks: never.
 */
static inline bool wyn_deque_has_room(struct wyn_deque *deque, size_t n)
{
	int64_t bottom =
		atomic_load_explicit(&deque->bottom, memory_order_relaxed);
	int64_t most = WYN_DEQUE_SIZE - (int64_t)n;

	if (WYN_UNLIKELY(bottom - deque->taken_seen > most)) {
		/* [steal] acquires the thieves' reads of the slots. */
		deque->taken_seen = atomic_load_explicit(
			&deque->taken, memory_order_acquire);
	}
	return bottom - deque->taken_seen <= most;
}

/*
 * wyn_deque_put, wyn_deque_publish - writes the n-th item to come, and makes
 * the first n known.
 *
 * Thread: worker (the owner), where there is room. Blocks: never.
 */
static inline void wyn_deque_put(
	struct wyn_deque *deque, size_t n, struct wyn_item item)
{
	int64_t bottom =
		atomic_load_explicit(&deque->bottom, memory_order_relaxed);

	deque->slots[((size_t)bottom + n) & (WYN_DEQUE_SIZE - 1)] = item;
}

static inline void wyn_deque_publish(struct wyn_deque *deque, size_t n)
{
	int64_t bottom =
		atomic_load_explicit(&deque->bottom, memory_order_relaxed);

	WYN_STEP();
	/* [steal] publishes the slots. */
	atomic_store_explicit(
		&deque->bottom, bottom + (int64_t)n, memory_order_release);
}

/*
 * wyn_deque_push - puts an item at the owner's end.
 *
 * Thread: worker (the owner). Returns: false if it is full. Blocks: never.
 */
static inline bool wyn_deque_push(struct wyn_deque *deque, struct wyn_item item)
{
	if (WYN_UNLIKELY(!wyn_deque_has_room(deque, 1))) {
		return false;
	}
	wyn_deque_put(deque, 0, item);
	wyn_deque_publish(deque, 1);
	return true;
}

bool wyn_deque_pop_contended(
	struct wyn_deque *deque, int64_t index, struct wyn_item *ret_item);

/*
 * wyn_deque_pop - takes the item pushed last.
 *
 * Thread: worker (the owner). Returns: false if it is empty.
 * Blocks: yields while a thief that wants the last item holds the lock.
 */
static inline bool wyn_deque_pop(
	struct wyn_deque *deque, struct wyn_item *ret_item)
{
	int64_t index =
		atomic_load_explicit(&deque->bottom, memory_order_relaxed) - 1;

	WYN_STEP();
	/* [steal] Release, since a thief may read the slots below by this
	 * store; the item itself is ours unless the claim says otherwise. */
	atomic_store_explicit(&deque->bottom, index, memory_order_release);
	wyn_fence_light();
	if (WYN_UNLIKELY(index < atomic_load_explicit(&deque->claim,
					 memory_order_relaxed))) {
		return wyn_deque_pop_contended(deque, index, ret_item);
	}
	*ret_item = deque->slots[(size_t)index & (WYN_DEQUE_SIZE - 1)];
	return true;
}

/*
 * wyn_deque_steal - takes up to `max` of the oldest items, half of them at most
 * unless there is only one. An oldest one with the function `alone` (or NULL)
 * is taken alone.
 *
 * Thread: any. Returns: how many; 0 if it was empty or another thief is there.
 * Blocks: never.
 */
size_t wyn_deque_steal(struct wyn_deque *deque, void (*alone)(void *arg),
	struct wyn_item *ret_items, size_t max);

/*
 * wyn_deque_lock, wyn_deque_trylock, wyn_deque_unlock - the thieves' lock.
 *
 * Thread: any. Blocks: the first yields while another holds it.
 */
void wyn_deque_lock(struct wyn_deque *deque);
bool wyn_deque_trylock(struct wyn_deque *deque);
void wyn_deque_unlock(struct wyn_deque *deque);

/*
 * wyn_deque_steal_above - takes the oldest item unless it lies below a mark, or
 * *word is not `value` now: what was pushed after that change is left.
 *
 * Thread: any, with the lock. Returns: false if it took nothing. Blocks: never.
 */
bool wyn_deque_steal_above(struct wyn_deque *deque, int64_t mark,
	_Atomic uint32_t *word, uint32_t value, struct wyn_item *ret_item);

/*
 * wyn_deque_shed_begin - copies up to `max` of the oldest items, none from the
 * first with the function `stays` (or NULL) on. They stay, with the lock held,
 * until wyn_deque_shed_end takes the n oldest out.
 *
 * Thread: worker (the owner). Returns: how many.
 * Blocks: yields while a thief is there.
 */
size_t wyn_deque_shed_begin(struct wyn_deque *deque, void (*stays)(void *arg),
	struct wyn_item *ret_items, size_t max);
void wyn_deque_shed_end(struct wyn_deque *deque, size_t n);

/*
 * wyn_deque_mark - where the next item will be pushed. What is pushed from here
 * on lies above, and what it finds below is older, whoever takes how much.
 *
 * Thread: worker (the owner). Blocks: never.
 */
static inline int64_t wyn_deque_mark(struct wyn_deque *deque)
{
	return atomic_load_explicit(&deque->bottom, memory_order_relaxed);
}

/*
 * wyn_deque_length - how many items wait.
 *
 * May say more than there is, never less than what was published before the
 * caller's parking (label [park]).
 *
 * Thread: any. Blocks: never.
 */
static inline uint64_t wyn_deque_length(struct wyn_deque *deque)
{
	int64_t taken =
		atomic_load_explicit(&deque->taken, memory_order_relaxed);
	int64_t bottom =
		atomic_load_explicit(&deque->bottom, memory_order_relaxed);

	return bottom > taken ? (uint64_t)(bottom - taken) : 0;
}
