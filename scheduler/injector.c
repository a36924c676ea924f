// SPDX-License-Identifier: MIT
/*
 * injector.c - blocks of items by value, published by one count.
 *
 * `pushed` and `taken` only grow, and every position derives from them:
 * index & (block - 1) is the slot, and an index at a block's start means the
 * next block. There is no other position that could disagree with them.
 *
 * A block belongs to the producers' side until a later block was published,
 * and then to the consumers' side; the consumer that steps over its end gives
 * it back. Nobody else can be reading it: readers hold the head lock.
 */
#include "scheduler/injector.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "scheduler/fence.h"
#include "scheduler/perturb.h"

#define BLOCK_MASK   (WYN_INJECTOR_BLOCK_ITEMS - 1)
#define RESERVE_MASK (WYN_INJECTOR_RESERVE_MAX - 1)

static_assert((WYN_INJECTOR_BLOCK_ITEMS & BLOCK_MASK) == 0, "masked");
static_assert((WYN_INJECTOR_RESERVE_MAX & RESERVE_MASK) == 0, "masked");
static_assert(sizeof(struct wyn_injector_block) <=
		      WYN_INJECTOR_BLOCK_ITEMS * sizeof(struct wyn_item) + 16,
	"a pending task costs its item and little more");

static bool lock_try(_Atomic uint32_t *lock)
{
	WYN_STEP();
	return atomic_load_explicit(lock, memory_order_relaxed) == 0 &&
	       /* [inject] acquires what the last holder left. */
	       atomic_exchange_explicit(lock, 1, memory_order_acquire) == 0;
}

static void lock_release(_Atomic uint32_t *lock)
{
	WYN_STEP();
	/* [inject] hands the side over; nobody sleeps for it. */
	atomic_store_explicit(lock, 0, memory_order_release);
}

static struct wyn_injector_block *block_get(struct wyn_lane *lane)
{
	uint64_t out = atomic_load_explicit(
		&lane->reserve_taken, memory_order_relaxed);
	struct wyn_injector_block *block;

	WYN_STEP();
	/* [reserve] acquires the consumer's last look at the block. */
	if (atomic_load_explicit(&lane->reserve_given, memory_order_acquire) ==
		out) {
		block = malloc(sizeof(*block));
	} else {
		block = lane->reserve[out & RESERVE_MASK];
		WYN_STEP();
		/* [reserve] gives the place back to the consumers. */
		atomic_store_explicit(
			&lane->reserve_taken, out + 1, memory_order_release);
	}
	if (block != NULL) {
		block->next = NULL;
	}
	return block;
}

static void block_give(struct wyn_lane *lane, struct wyn_injector_block *b)
{
	uint64_t in = atomic_load_explicit(
		&lane->reserve_given, memory_order_relaxed);

	/* [reserve] acquires that the producer has read the place. */
	if (in - atomic_load_explicit(
			 &lane->reserve_taken, memory_order_acquire) >=
		WYN_INJECTOR_RESERVE_MAX) {
		free(b);
		return;
	}
	lane->reserve[in & RESERVE_MASK] = b;
	WYN_STEP();
	/* [reserve] publishes the block to the producers. */
	atomic_store_explicit(
		&lane->reserve_given, in + 1, memory_order_release);
}

static void chain_free(struct wyn_injector_block *block)
{
	while (block != NULL) {
		struct wyn_injector_block *next = block->next;

		free(block);
		block = next;
	}
}

static struct wyn_item batch_item(
	const struct wyn_injector_batch *batch, size_t i)
{
	struct wyn_item item = {.fn = batch->fn};

	if (batch->items != NULL) {
		return batch->items[i];
	}
	/* memcpy, because the array's pointers have a type of their own. */
	memcpy(&item.arg, (const char *)batch->args + i * sizeof(void *),
		sizeof(void *));
	return item;
}

/* Appends without publishing; on failure the lane is as it was. */
static int lane_fill(struct wyn_lane *lane, uint64_t at,
	const struct wyn_injector_batch *batch)
{
	struct wyn_injector_block *tail = lane->tail;

	/* One into the middle of a block: nearly every push. */
	if (WYN_LIKELY(batch->n == 1 && (at & BLOCK_MASK) != 0)) {
		tail->items[at & BLOCK_MASK] = batch_item(batch, 0);
		return 0;
	}
	for (size_t i = 0; i < batch->n; i++, at++) {
		struct wyn_injector_block *block;

		if ((at & BLOCK_MASK) == 0) {
			block = block_get(lane);
			if (block == NULL) {
				goto unwind;
			}
			*(tail != NULL ? &tail->next : &lane->first) = block;
			tail = block;
		}
		tail->items[at & BLOCK_MASK] = batch_item(batch, i);
	}
	lane->tail = tail;
	return 0;

unwind:
	if (lane->tail != NULL) {
		chain_free(lane->tail->next);
		lane->tail->next = NULL;
	} else {
		chain_free(lane->first);
		lane->first = NULL;
	}
	return -ENOMEM;
}

static int lane_push(struct wyn_lane *lane,
	const struct wyn_injector_batch *batch, enum wyn_injector_kind kind)
{
	uint64_t pushed =
		atomic_load_explicit(&lane->pushed, memory_order_relaxed);
	int r = lane_fill(lane, pushed, batch);

	if (r < 0) {
		return r;
	}
	WYN_STEP();
	/* [inject] publishes the items and the blocks that hold them.
	 * [drain] new tasks are counted by it before a worker can count their
	 * end. */
	atomic_store_explicit(
		&lane->pushed, pushed + batch->n, memory_order_release);
	if (kind == WYN_INJECTOR_MOVE) {
		uint64_t moved = atomic_load_explicit(
			&lane->moved, memory_order_relaxed);

		WYN_STEP();
		/* [drain] after the other count: for a moment there seem to be
		 * more tasks than there are, never fewer. */
		atomic_store_explicit(
			&lane->moved, moved + batch->n, memory_order_release);
	}
	return 0;
}

/* The same from outside, where the injector may be closed. */
static int lane_push_outside(struct wyn_injector *injector,
	struct wyn_lane *lane, const struct wyn_injector_batch *batch)
{
	int r = -ESHUTDOWN;

	WYN_STEP();
	/* [close] whoever closes sees that we are inside, or we see it. */
	atomic_store_explicit(&lane->pushing, 1, memory_order_relaxed);
	wyn_fence_light();
	if (!atomic_load_explicit(&injector->closed, memory_order_relaxed)) {
		r = lane_push(lane, batch, WYN_INJECTOR_OUTSIDE);
	}
	/* [close] with the counts of what was accepted. */
	atomic_store_explicit(&lane->pushing, 0, memory_order_release);
	return r;
}

/* Steps over the end of a block, to the one that holds index `at`. */
static void lane_advance(struct wyn_lane *lane, uint64_t at)
{
	struct wyn_injector_block *old = lane->head;

	if (at == 0) {
		lane->head = lane->first;
		return;
	}
	lane->head = old->next;
	block_give(lane, old);
}

static size_t lane_take(struct wyn_lane *lane, unsigned sharers,
	struct wyn_item *ret_items, size_t max)
{
	uint64_t taken =
		atomic_load_explicit(&lane->taken, memory_order_relaxed);
	/* [inject] acquires the items below the count. */
	uint64_t length =
		atomic_load_explicit(&lane->pushed, memory_order_acquire) -
		taken;
	uint64_t n = length / sharers + 1;

	if (n > length) {
		n = length;
	}
	if (n > max) {
		n = max;
	}
	for (size_t i = 0; i < n; i++, taken++) {
		if ((taken & BLOCK_MASK) == 0) {
			lane_advance(lane, taken);
		}
		ret_items[i] = lane->head->items[taken & BLOCK_MASK];
	}
	WYN_STEP();
	atomic_store_explicit(&lane->taken, taken, memory_order_release);
	return n;
}

static uint64_t lane_length(struct wyn_lane *lane)
{
	/* In this order, so that it cannot seem emptier than it is. */
	uint64_t taken =
		atomic_load_explicit(&lane->taken, memory_order_acquire);
	uint64_t pushed =
		atomic_load_explicit(&lane->pushed, memory_order_relaxed);

	return pushed > taken ? pushed - taken : 0;
}

static unsigned lanes_opened(struct wyn_injector *injector)
{
	/* [lane] who looks after its parking sees the lane of every item that
	 * was pushed before: it was opened before. */
	return atomic_load_explicit(&injector->opened, memory_order_acquire);
}

void wyn_injector_init(struct wyn_injector *injector)
{
	memset(injector, 0, sizeof(*injector));
	atomic_init(&injector->opened, 1);
}

void wyn_injector_fini(struct wyn_injector *injector)
{
	for (unsigned i = 0; i < lanes_opened(injector); i++) {
		struct wyn_lane *lane = &injector->lanes[i];
		uint64_t out = atomic_load_explicit(
			&lane->reserve_taken, memory_order_relaxed);
		uint64_t in = atomic_load_explicit(
			&lane->reserve_given, memory_order_relaxed);

		chain_free(lane->head != NULL ? lane->head : lane->first);
		for (; out != in; out++) {
			free(lane->reserve[out & RESERVE_MASK]);
		}
	}
}

/* Consumers look at no lane beyond those that were ever held. */
static void lane_open(struct wyn_injector *injector, unsigned count)
{
	unsigned opened =
		atomic_load_explicit(&injector->opened, memory_order_relaxed);

	WYN_STEP();
	/* [lane] before the first push to the lane. */
	while (opened < count &&
		!atomic_compare_exchange_weak_explicit(&injector->opened,
			&opened, count, memory_order_release,
			memory_order_relaxed)) {
	}
}

struct wyn_lane *wyn_lane_hold(struct wyn_injector *injector)
{
	for (unsigned i = 1; i <= WYN_INJECTOR_LANES; i++) {
		if (lock_try(&injector->lanes[i].held)) {
			lane_open(injector, i + 1);
			return &injector->lanes[i];
		}
	}
	return NULL;
}

void wyn_lane_release(struct wyn_lane *lane)
{
	lock_release(&lane->held);
}

int wyn_injector_push(struct wyn_injector *injector, struct wyn_lane *lane,
	const struct wyn_injector_batch *batch, enum wyn_injector_kind kind)
{
	struct wyn_lane *shared = &injector->lanes[0];
	int r;

	while (lane == NULL && !lock_try(&shared->held)) {
		/* Its producer is inside, and perhaps on no CPU: let it. */
		sched_yield();
	}
	r = kind == WYN_INJECTOR_OUTSIDE
		    ? lane_push_outside(
			      injector, lane != NULL ? lane : shared, batch)
		    : lane_push(lane != NULL ? lane : shared, batch, kind);
	if (lane == NULL) {
		lock_release(&shared->held);
	}
	return r;
}

size_t wyn_injector_take(struct wyn_injector *injector, unsigned *cursor,
	unsigned sharers, struct wyn_item *ret_items, size_t max)
{
	unsigned lanes = lanes_opened(injector);

	for (unsigned i = 0; i < lanes; i++) {
		struct wyn_lane *lane = &injector->lanes[(*cursor)++ % lanes];
		size_t n;

		if (lane_length(lane) == 0 || !lock_try(&lane->head_lock)) {
			continue;
		}
		n = lane_take(lane, sharers, ret_items, max);
		lock_release(&lane->head_lock);
		if (n > 0) {
			return n;
		}
	}
	return 0;
}

void wyn_injector_close(struct wyn_injector *injector)
{
	WYN_STEP();
	atomic_store_explicit(&injector->closed, true, memory_order_relaxed);
	wyn_fence_heavy();
	/* All lanes: one may be opened at this moment. */
	for (unsigned i = 0; i <= WYN_INJECTOR_LANES; i++) {
		/* [close] acquires the counts of a push that was inside. */
		while (atomic_load_explicit(&injector->lanes[i].pushing,
			       memory_order_acquire) != 0) {
			sched_yield();
		}
	}
}

uint64_t wyn_injector_accepted(struct wyn_injector *injector)
{
	unsigned lanes = lanes_opened(injector);
	uint64_t sum = 0;

	for (unsigned i = 0; i < lanes; i++) {
		struct wyn_lane *lane = &injector->lanes[i];
		/* [drain] before the other count. */
		uint64_t moved = atomic_load_explicit(
			&lane->moved, memory_order_acquire);

		sum += atomic_load_explicit(
			       &lane->pushed, memory_order_relaxed) -
		       moved;
	}
	return sum;
}

uint64_t wyn_injector_pushed(struct wyn_injector *injector)
{
	unsigned lanes = lanes_opened(injector);
	uint64_t sum = 0;

	for (unsigned i = 0; i < lanes; i++) {
		sum += atomic_load_explicit(
			&injector->lanes[i].pushed, memory_order_relaxed);
	}
	return sum;
}

uint64_t wyn_injector_length(struct wyn_injector *injector)
{
	unsigned lanes = lanes_opened(injector);
	uint64_t sum = 0;

	for (unsigned i = 0; i < lanes; i++) {
		sum += lane_length(&injector->lanes[i]);
	}
	return sum;
}
