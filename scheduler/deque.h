// SPDX-License-Identifier: MIT
/*
 * deque.h - a worker's own queue, from which others may steal.
 *
 * The deque of Chase and Lev (SPAA 2005) with the orders of Le et al. (PPoPP
 * 2013), except that its fences are seq_cst operations here, because TSan
 * does not model fences. Fixed size: what does not fit goes to the injector,
 * so no array is ever replaced and nothing needs to be reclaimed.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "scheduler/item.h"

#define WYN_DEQUE_SIZE 1024 /* a power of two */

/* Two words, because a thief may read one that is being overwritten; its CAS
 * on `top` fails then. */
struct wyn_deque_slot {
	_Atomic(void (*)(void *)) fn;
	_Atomic(void *) arg;
};

struct wyn_deque {
	/* [A steal] next to be stolen; only grows. */
	_Alignas(WYN_CACHE_LINE) _Atomic int64_t top;
	/* [A steal] next to be pushed; written by the owner alone. */
	_Alignas(WYN_CACHE_LINE) _Atomic int64_t bottom;
	struct wyn_deque_slot slots[WYN_DEQUE_SIZE]; /* [A steal] */
};

/*
 * wyn_deque_init - makes an empty deque.
 *
 * Thread: boot. Blocks: never.
 */
void wyn_deque_init(struct wyn_deque *deque);

/*
 * wyn_deque_push - puts an item at the owner's end.
 *
 * Thread: worker (the owner). Returns: false if it is full. Blocks: never.
 */
bool wyn_deque_push(struct wyn_deque *deque, struct wyn_item item);

/*
 * wyn_deque_pop - takes the item pushed last.
 *
 * Thread: worker (the owner). Returns: false if it is empty. Blocks: never.
 */
bool wyn_deque_pop(struct wyn_deque *deque, struct wyn_item *ret_item);

/*
 * wyn_deque_steal - takes the oldest item.
 *
 * Retries while others win the race for the oldest, each of which is
 * progress of theirs.
 *
 * Thread: any. Returns: false if it was empty. Blocks: never.
 */
bool wyn_deque_steal(struct wyn_deque *deque, struct wyn_item *ret_item);

/*
 * wyn_deque_mark - where the next item will be pushed.
 *
 * What is pushed from here on lies above the mark, and what it finds below is
 * older, whoever takes how much of it.
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
 * Exact for the owner if nobody steals; a sleeper may rely on it not to miss
 * what was pushed before its parking (label [park]).
 *
 * Thread: any. Blocks: never.
 */
static inline uint64_t wyn_deque_length(struct wyn_deque *deque)
{
	int64_t top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
	int64_t bottom =
		atomic_load_explicit(&deque->bottom, memory_order_seq_cst);

	return bottom > top ? (uint64_t)(bottom - top) : 0;
}
