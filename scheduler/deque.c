// SPDX-License-Identifier: MIT
/*
 * deque.c - the mechanism of the work-stealing deque.
 *
 * Indices are 64 bits wide and never wrap; index & (size - 1) is the slot.
 * The owner overwrites the slot of index i only once top is beyond
 * i - size, so a thief that read such a slot halfway has lost its CAS.
 */
#include "scheduler/deque.h"

#include <stddef.h>

#include "base/assert.h"

static_assert(
	(WYN_DEQUE_SIZE & (WYN_DEQUE_SIZE - 1)) == 0, "indices are masked");
static_assert(offsetof(struct wyn_deque, bottom) == WYN_CACHE_LINE,
	"thieves and owner write different lines");

static struct wyn_deque_slot *slot_at(struct wyn_deque *deque, int64_t index)
{
	return &deque->slots[(uint64_t)index & (WYN_DEQUE_SIZE - 1)];
}

static struct wyn_item slot_load(struct wyn_deque_slot *slot)
{
	return (struct wyn_item){
		.fn = atomic_load_explicit(&slot->fn, memory_order_relaxed),
		.arg = atomic_load_explicit(&slot->arg, memory_order_relaxed),
	};
}

void wyn_deque_init(struct wyn_deque *deque)
{
	atomic_init(&deque->top, 0);
	atomic_init(&deque->bottom, 0);
	for (size_t i = 0; i < WYN_DEQUE_SIZE; i++) {
		atomic_init(&deque->slots[i].fn, NULL);
		atomic_init(&deque->slots[i].arg, NULL);
	}
}

bool wyn_deque_push(struct wyn_deque *deque, struct wyn_item item)
{
	int64_t bottom =
		atomic_load_explicit(&deque->bottom, memory_order_relaxed);
	int64_t top = atomic_load_explicit(&deque->top, memory_order_acquire);
	struct wyn_deque_slot *slot = slot_at(deque, bottom);

	if (bottom - top >= WYN_DEQUE_SIZE) {
		return false;
	}
	atomic_store_explicit(&slot->fn, item.fn, memory_order_relaxed);
	atomic_store_explicit(&slot->arg, item.arg, memory_order_relaxed);
	/* [steal] publishes the slot. seq_cst rather than release for [park]:
	 * the caller looks for sleepers next, and this store must not be
	 * passed by that load. */
	atomic_store_explicit(&deque->bottom, bottom + 1, memory_order_seq_cst);
	return true;
}

bool wyn_deque_pop(struct wyn_deque *deque, struct wyn_item *ret_item)
{
	int64_t bottom =
		atomic_load_explicit(&deque->bottom, memory_order_relaxed);
	int64_t top = atomic_load_explicit(&deque->top, memory_order_relaxed);
	bool won = true;

	/* top only grows, so an old value that says empty is right. */
	if (top >= bottom) {
		return false;
	}
	bottom--;
	/* [steal] seq_cst on both: the claim of the slot must be visible
	 * before top is read, or a thief and we both take the last one. */
	atomic_store_explicit(&deque->bottom, bottom, memory_order_seq_cst);
	top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
	if (top > bottom) {
		atomic_store_explicit(
			&deque->bottom, bottom + 1, memory_order_release);
		return false;
	}
	*ret_item = slot_load(slot_at(deque, bottom));
	if (top == bottom) {
		/* [steal] The last one goes to whoever moves top. */
		won = atomic_compare_exchange_strong_explicit(&deque->top, &top,
			top + 1, memory_order_seq_cst, memory_order_relaxed);
		atomic_store_explicit(
			&deque->bottom, bottom + 1, memory_order_release);
	}
	return won;
}

bool wyn_deque_steal(struct wyn_deque *deque, struct wyn_item *ret_item)
{
	struct wyn_item item;
	int64_t bottom, top;

	do {
		/* [steal] reads top, then bottom: the mirror of pop. The load
		 * of bottom acquires the slots below it. */
		top = atomic_load_explicit(&deque->top, memory_order_seq_cst);
		bottom = atomic_load_explicit(
			&deque->bottom, memory_order_seq_cst);
		if (top >= bottom) {
			return false;
		}
		item = slot_load(slot_at(deque, top));
	} while (!atomic_compare_exchange_strong_explicit(&deque->top, &top,
		top + 1, memory_order_seq_cst, memory_order_relaxed));
	*ret_item = item;
	return true;
}
