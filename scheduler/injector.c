// SPDX-License-Identifier: MIT
/*
 * injector.c - blocks of items by value, published by one count.
 *
 * `pushed` and `taken` only grow, and every position derives from them: an
 * index less the first index of its block is the slot, and a slot beyond the
 * last one means the next block.
 *
 * A block belongs to the producers' side until a later block was published,
 * and then to the consumers' side; the consumer that steps over its end gives
 * it back. Nobody else can be reading it: readers hold the head lock.
 */
#include "scheduler/injector.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/assert.h"
#include "scheduler/fence.h"
#include "scheduler/perturb.h"

#define BLOCK_ITEMS WYN_INJECTOR_BLOCK_ITEMS

static_assert(sizeof(struct wyn_injector_block) <= WYN_CHUNK_BYTES,
	"a block is a chunk");

static bool lock_try(_Atomic uint32_t *lock)
{
	WYN_STEP();
	return atomic_load_explicit(lock, memory_order_relaxed) == 0 &&
	       /* [inject] [lane] acquires what the last holder left. */
	       atomic_exchange_explicit(lock, 1, memory_order_acquire) == 0;
}

static void lock_release(_Atomic uint32_t *lock)
{
	WYN_STEP();
	/* [inject] [lane] hands the side over; nobody sleeps for it. */
	atomic_store_explicit(lock, 0, memory_order_release);
}

static struct wyn_injector_block *block_make(
	struct wyn_injector *injector, uint64_t begin)
{
	struct wyn_injector_block *block =
		(void *)wyn_chunk_acquire(injector->chunks);

	if (block != NULL) {
		block->next = NULL;
		block->begin = begin;
	}
	return block;
}

static void chain_release(
	struct wyn_injector *injector, struct wyn_injector_block *block)
{
	while (block != NULL) {
		struct wyn_injector_block *next = block->next;

		wyn_chunk_release(injector->chunks, &block->chunk);
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

/* Appends a block that nobody sees yet. Returns: NULL if memory is out. */
static struct wyn_injector_block *lane_extend(struct wyn_injector *injector,
	struct wyn_lane *lane, struct wyn_injector_block *tail, uint64_t begin)
{
	struct wyn_injector_block *block = block_make(injector, begin);

	if (block != NULL) {
		*(tail != NULL ? &tail->next : &lane->first) = block;
	}
	return block;
}

/* Takes back what was appended behind the lane's tail. */
static void lane_cut(struct wyn_injector *injector, struct wyn_lane *lane)
{
	struct wyn_injector_block **end =
		lane->tail != NULL ? &lane->tail->next : &lane->first;

	chain_release(injector, *end);
	*end = NULL;
}

/* Appends without publishing; on failure the lane is as it was. */
static int lane_fill(struct wyn_injector *injector, struct wyn_lane *lane,
	uint64_t pushed, const struct wyn_injector_batch *batch)
{
	struct wyn_injector_block *tail = lane->tail;
	uint64_t at = pushed - lane->tail_begin;

	for (size_t i = 0; i < batch->n; i++, at++) {
		if (at == BLOCK_ITEMS) {
			tail = lane_extend(injector, lane, tail, pushed + i);
			if (tail == NULL) {
				lane_cut(injector, lane);
				return -ENOMEM;
			}
			at = 0;
		}
		tail->items[at] = batch_item(batch, i);
	}
	if (tail != lane->tail) {
		lane->tail = tail;
		lane->tail_begin = tail->begin;
	}
	return 0;
}

static int lane_push(struct wyn_injector *injector, struct wyn_lane *lane,
	const struct wyn_injector_batch *batch, enum wyn_injector_kind kind)
{
	uint64_t pushed =
		atomic_load_explicit(&lane->pushed, memory_order_relaxed);
	int r = lane_fill(injector, lane, pushed, batch);

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
		r = lane_push(injector, lane, batch, WYN_INJECTOR_OUTSIDE);
	}
	/* [close] with the counts of what was accepted. */
	atomic_store_explicit(&lane->pushing, 0, memory_order_release);
	return r;
}

/* Steps over the end of a block, or to the first one of all. */
static void lane_advance(struct wyn_injector *injector, struct wyn_lane *lane)
{
	struct wyn_injector_block *old = lane->head;

	lane->head = old != NULL ? old->next : lane->first;
	if (old != NULL) {
		wyn_chunk_release(injector->chunks, &old->chunk);
	}
}

/* Reads n items from index `taken` on. */
static void lane_read(struct wyn_injector *injector, struct wyn_lane *lane,
	uint64_t taken, struct wyn_item *ret_items, size_t n)
{
	size_t done = 0;

	while (done < n) {
		size_t run = n - done;
		uint64_t at;

		if (lane->head == NULL ||
			taken - lane->head->begin == BLOCK_ITEMS) {
			lane_advance(injector, lane);
		}
		at = taken - lane->head->begin;
		run = run < BLOCK_ITEMS - at ? run : BLOCK_ITEMS - at;
		memcpy(ret_items + done, lane->head->items + at,
			run * sizeof(*ret_items));
		done += run;
		taken += run;
	}
}

/* How many were pushed. With the head lock; `pushed` is looked at only if too
 * few are known of, since each look takes the line from the producer. */
static uint64_t lane_seen(
	struct wyn_lane *lane, uint64_t taken, uint64_t enough)
{
	uint64_t seen = atomic_load_explicit(&lane->seen, memory_order_relaxed);

	if (seen - taken < enough) {
		/* [inject] acquires the items below the count. */
		seen = atomic_load_explicit(
			&lane->pushed, memory_order_acquire);
		/* [inject] for the next consumer, by the head lock; relaxed
		 * for those who only ask whether there is any. */
		atomic_store_explicit(&lane->seen, seen, memory_order_relaxed);
	}
	return seen;
}

static size_t lane_take(struct wyn_injector *injector, struct wyn_lane *lane,
	unsigned sharers, struct wyn_item *ret_items, size_t max)
{
	uint64_t taken =
		atomic_load_explicit(&lane->taken, memory_order_relaxed);
	uint64_t length = lane_seen(lane, taken, max * sharers) - taken;
	uint64_t n = length / sharers + 1;

	if (n > length) {
		n = length;
	}
	if (n > max) {
		n = max;
	}
	lane_read(injector, lane, taken, ret_items, n);
	WYN_STEP();
	/* [inject] for those who look for work without the lock. */
	atomic_store_explicit(&lane->taken, taken + n, memory_order_release);
	return n;
}

static uint64_t lane_length(struct wyn_lane *lane)
{
	/* [inject] In this order: it cannot seem emptier than it is. */
	uint64_t taken =
		atomic_load_explicit(&lane->taken, memory_order_acquire);
	uint64_t pushed =
		atomic_load_explicit(&lane->pushed, memory_order_relaxed);

	return pushed > taken ? pushed - taken : 0;
}

/* The same question without a look at the producer's line, if that suffices. */
static bool lane_is_empty(struct wyn_lane *lane)
{
	return atomic_load_explicit(&lane->seen, memory_order_relaxed) ==
		       atomic_load_explicit(
			       &lane->taken, memory_order_relaxed) &&
	       lane_length(lane) == 0;
}

static unsigned lanes_opened(struct wyn_injector *injector)
{
	/* [lane] who looks after its parking sees the lane of every item that
	 * was pushed before: it was opened before. */
	return atomic_load_explicit(&injector->opened, memory_order_acquire);
}

void wyn_injector_init(struct wyn_injector *injector, struct wyn_chunks *chunks)
{
	memset(injector, 0, sizeof(*injector));
	injector->chunks = chunks;
	atomic_init(&injector->opened, 1);
	for (unsigned i = 0; i <= WYN_INJECTOR_LANES; i++) {
		/* As if a block before the first were full. */
		injector->lanes[i].tail_begin = 0 - (uint64_t)BLOCK_ITEMS;
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
		    : lane_push(injector, lane != NULL ? lane : shared, batch,
			      kind);
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

		if (lane_is_empty(lane) || !lock_try(&lane->head_lock)) {
			continue;
		}
		n = lane_take(injector, lane, sharers, ret_items, max);
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
