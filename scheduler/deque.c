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
#include "scheduler/perturb.h"

#define MASK ((size_t)WYN_DEQUE_SIZE - 1)

static_assert(
	(WYN_DEQUE_SIZE & (WYN_DEQUE_SIZE - 1)) == 0, "indices are masked");
static_assert(offsetof(struct wyn_deque, claim) == WYN_CACHE_LINE,
	"thieves and owner write different lines");

bool wyn_deque_trylock(struct wyn_deque *deque)
{
	WYN_STEP();
	return atomic_load_explicit(&deque->lock, memory_order_relaxed) == 0 &&
	       /* [steal] acquires what the last holder left. */
	       atomic_exchange_explicit(
		       &deque->lock, 1, memory_order_acquire) == 0;
}

void wyn_deque_lock(struct wyn_deque *deque)
{
	while (!wyn_deque_trylock(deque)) {
		/* It copies a few items; if it is not on a CPU, let it be. */
		sched_yield();
	}
}

void wyn_deque_unlock(struct wyn_deque *deque)
{
	WYN_STEP();
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
	WYN_STEP();
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

	WYN_STEP();
	/* Empty, with nobody in the way. */
	if (taken_of(deque) == index + 1) {
		atomic_store_explicit(
			&deque->bottom, index + 1, memory_order_release);
		return false;
	}
	wyn_deque_lock(deque);
	/* With the lock the claim is what was really taken. */
	mine = taken_of(deque) <= index;
	if (mine) {
		*ret_item = deque->slots[(size_t)index & MASK];
	} else {
		atomic_store_explicit(
			&deque->bottom, index + 1, memory_order_release);
	}
	wyn_deque_unlock(deque);
	return mine;
}

/* With the lock: claims up to n items. Returns: how many are the thief's. */
static int64_t claim(struct wyn_deque *deque, int64_t n)
{
	int64_t first = taken_of(deque);
	int64_t length;

	WYN_STEP();
	atomic_store_explicit(&deque->claim, first + n, memory_order_relaxed);
	/* [steal] the owner's pop stores `bottom`, then looks at the claim. */
	wyn_fence_heavy();
	/* [steal] acquires the slots. */
	length = atomic_load_explicit(&deque->bottom, memory_order_acquire) -
		 first;
	if (n > length) {
		n = length > 0 ? length : 0;
		WYN_STEP();
		atomic_store_explicit(
			&deque->claim, first + n, memory_order_relaxed);
	}
	return n;
}

static int64_t length_locked(struct wyn_deque *deque)
{
	return atomic_load_explicit(&deque->bottom, memory_order_relaxed) -
	       taken_of(deque);
}

size_t wyn_deque_steal(struct wyn_deque *deque, void (*alone)(void *arg),
	struct wyn_item *ret_items, size_t max)
{
	int64_t n;

	if (wyn_deque_length(deque) == 0 || !wyn_deque_trylock(deque)) {
		return 0;
	}
	n = (length_locked(deque) + 1) / 2;
	n = n < (int64_t)max ? n : (int64_t)max;
	n = n > 0 ? claim(deque, n) : 0;
	if (n > 1 && deque->slots[(size_t)taken_of(deque) & MASK].fn == alone) {
		n = 1;
		WYN_STEP();
		/* [steal] The rest is anybody's again, and nobody has looked:
		 * an owner that saw the claim waits for the lock. */
		atomic_store_explicit(&deque->claim, taken_of(deque) + 1,
			memory_order_relaxed);
	}
	if (n > 0) {
		items_take(deque, ret_items, (size_t)n);
	}
	wyn_deque_unlock(deque);
	return (size_t)n;
}

bool wyn_deque_steal_above(struct wyn_deque *deque, int64_t mark,
	_Atomic uint32_t *word, uint32_t value, struct wyn_item *ret_item)
{
	if (taken_of(deque) < mark || length_locked(deque) <= 0 ||
		claim(deque, 1) == 0) {
		return false;
	}
	WYN_STEP();
	/* [leap] After the claim: who pushed the item, if it was pushed after
	 * the change, published the change with it. */
	if (atomic_load_explicit(word, memory_order_relaxed) != value) {
		atomic_store_explicit(
			&deque->claim, taken_of(deque), memory_order_relaxed);
		return false;
	}
	items_take(deque, ret_item, 1);
	return true;
}

size_t wyn_deque_shed_begin(struct wyn_deque *deque, void (*stays)(void *arg),
	struct wyn_item *ret_items, size_t max)
{
	size_t first, length, n;

	wyn_deque_lock(deque);
	first = (size_t)taken_of(deque);
	length = (size_t)length_locked(deque);
	for (n = 0; n < length && n < max; n++) {
		ret_items[n] = deque->slots[(first + n) & MASK];
		if (stays != NULL && ret_items[n].fn == stays) {
			break;
		}
	}
	return n;
}

void wyn_deque_shed_end(struct wyn_deque *deque, size_t n)
{
	int64_t taken = taken_of(deque) + (int64_t)n;

	/* The owner is here and not popping: nothing to be seen. */
	atomic_store_explicit(&deque->claim, taken, memory_order_relaxed);
	WYN_STEP();
	/* [steal] gives the slots back, to itself. */
	atomic_store_explicit(&deque->taken, taken, memory_order_release);
	wyn_deque_unlock(deque);
}
