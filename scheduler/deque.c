// SPDX-License-Identifier: MIT
/*
 * deque.c - the thieves' side, and the owner where it meets them.
 *
 * A thief announces what it wants by raising `claim`, and looks at `bottom`
 * after a heavy fence: either it sees that the owner has taken one of these,
 * and lowers the claim to there, or the owner sees the claim and comes here to
 * wait for the lock. Indices are 64 bits wide and never wrap.
 */
#include "scheduler/deque.h"

#include <sched.h>
#include <string.h>

#include "base/assert.h"

#define MASK ((size_t)WYN_DEQUE_SIZE - 1)

static_assert(
	(WYN_DEQUE_SIZE & (WYN_DEQUE_SIZE - 1)) == 0, "indices are masked");
static_assert(offsetof(struct wyn_deque, claim) == WYN_CACHE_LINE,
	"thieves and owner write different lines");

static bool lock_try(struct wyn_deque *deque)
{
	return atomic_load_explicit(&deque->lock, memory_order_relaxed) == 0 &&
	       /* [steal] acquires what the last holder left. */
	       atomic_exchange_explicit(
		       &deque->lock, 1, memory_order_acquire) == 0;
}

static void lock_wait(struct wyn_deque *deque)
{
	while (!lock_try(deque)) {
		/* It copies a few items; if it is not on a CPU, let it be. */
		sched_yield();
	}
}

static void lock_release(struct wyn_deque *deque)
{
	/* [steal] hands the thieves' side over. */
	atomic_store_explicit(&deque->lock, 0, memory_order_release);
}

static int64_t taken_of(struct wyn_deque *deque)
{
	return atomic_load_explicit(&deque->taken, memory_order_relaxed);
}

/* The holder of the lock reads n items, which nobody else will. */
static void items_take(
	struct wyn_deque *deque, struct wyn_item *ret_items, size_t n)
{
	int64_t first = taken_of(deque);

	for (size_t i = 0; i < n; i++) {
		ret_items[i] = deque->slots[((size_t)first + i) & MASK];
	}
	/* [steal] gives the slots back to the owner. */
	atomic_store_explicit(
		&deque->taken, first + (int64_t)n, memory_order_release);
}

void wyn_deque_init(struct wyn_deque *deque)
{
	memset(deque, 0, sizeof(*deque));
}

bool wyn_deque_pop_contended(
	struct wyn_deque *deque, int64_t index, struct wyn_item *ret_item)
{
	bool mine;

	/* Empty, with nobody in the way. */
	if (taken_of(deque) == index + 1) {
		atomic_store_explicit(
			&deque->bottom, index + 1, memory_order_release);
		return false;
	}
	lock_wait(deque);
	/* With the lock the claim is what was really taken. */
	mine = taken_of(deque) <= index;
	if (mine) {
		*ret_item = deque->slots[(size_t)index & MASK];
	} else {
		atomic_store_explicit(
			&deque->bottom, index + 1, memory_order_release);
	}
	lock_release(deque);
	return mine;
}

size_t wyn_deque_steal(
	struct wyn_deque *deque, struct wyn_item *ret_items, size_t max)
{
	int64_t first, length, n;

	if (wyn_deque_length(deque) == 0 || !lock_try(deque)) {
		return 0;
	}
	first = taken_of(deque);
	length = atomic_load_explicit(&deque->bottom, memory_order_relaxed) -
		 first;
	n = (length + 1) / 2 < (int64_t)max ? (length + 1) / 2 : (int64_t)max;
	if (n <= 0) {
		lock_release(deque);
		return 0;
	}
	atomic_store_explicit(&deque->claim, first + n, memory_order_relaxed);
	/* [steal] the owner's pop stores `bottom`, then looks at the claim. */
	wyn_fence_heavy();
	/* [steal] acquires the slots. */
	length = atomic_load_explicit(&deque->bottom, memory_order_acquire) -
		 first;
	if (n > length) {
		n = length > 0 ? length : 0;
		atomic_store_explicit(
			&deque->claim, first + n, memory_order_relaxed);
	}
	items_take(deque, ret_items, (size_t)n);
	lock_release(deque);
	return (size_t)n;
}

size_t wyn_deque_shed(
	struct wyn_deque *deque, struct wyn_item *ret_items, size_t max)
{
	int64_t first, n;

	lock_wait(deque);
	first = taken_of(deque);
	n = atomic_load_explicit(&deque->bottom, memory_order_relaxed) - first;
	if (n > (int64_t)max) {
		n = (int64_t)max;
	}
	/* The owner is here and not popping: nothing to be seen. */
	atomic_store_explicit(&deque->claim, first + n, memory_order_relaxed);
	items_take(deque, ret_items, (size_t)n);
	lock_release(deque);
	return (size_t)n;
}
