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

#define BLOCK_MASK   (WYN_INJECTOR_BLOCK_ITEMS - 1)
#define RESERVE_MASK (WYN_INJECTOR_RESERVE_MAX - 1)

static_assert((WYN_INJECTOR_BLOCK_ITEMS & BLOCK_MASK) == 0, "masked");
static_assert((WYN_INJECTOR_RESERVE_MAX & RESERVE_MASK) == 0, "masked");
static_assert(sizeof(struct wyn_injector_block) <=
		      WYN_INJECTOR_BLOCK_ITEMS * sizeof(struct wyn_item) + 16,
	"a pending task costs its item and little more");

/* The shard that this thread pushes to, plus one; 0 = not chosen yet. */
static _Thread_local unsigned sticky_shard;
/* Spreads new threads over the shards; relaxed, only a hint. */
static _Atomic unsigned next_sticky_approx;

static bool lock_try(_Atomic uint32_t *lock)
{
	return atomic_load_explicit(lock, memory_order_relaxed) == 0 &&
	       /* [inject] acquires what the last holder left. */
	       atomic_exchange_explicit(lock, 1, memory_order_acquire) == 0;
}

static void lock_release(_Atomic uint32_t *lock)
{
	/* [inject] hands the side over; no waiters, since nobody waits. */
	atomic_store_explicit(lock, 0, memory_order_release);
}

static struct wyn_injector_block *block_get(struct wyn_injector_shard *shard)
{
	uint64_t out = atomic_load_explicit(
		&shard->reserve_taken, memory_order_relaxed);
	struct wyn_injector_block *block;

	/* [reserve] acquires the consumer's last look at the block. */
	if (atomic_load_explicit(&shard->reserve_given, memory_order_acquire) ==
		out) {
		block = malloc(sizeof(*block));
	} else {
		block = shard->reserve[out & RESERVE_MASK];
		/* [reserve] gives the place back to the consumers. */
		atomic_store_explicit(
			&shard->reserve_taken, out + 1, memory_order_release);
	}
	if (block != NULL) {
		block->next = NULL;
	}
	return block;
}

static void block_give(
	struct wyn_injector_shard *shard, struct wyn_injector_block *b)
{
	uint64_t in = atomic_load_explicit(
		&shard->reserve_given, memory_order_relaxed);

	/* [reserve] acquires that the producer has read the place. */
	if (in - atomic_load_explicit(
			 &shard->reserve_taken, memory_order_acquire) >=
		WYN_INJECTOR_RESERVE_MAX) {
		free(b);
		return;
	}
	shard->reserve[in & RESERVE_MASK] = b;
	/* [reserve] publishes the block to the producers. */
	atomic_store_explicit(
		&shard->reserve_given, in + 1, memory_order_release);
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

/* Appends without publishing; on failure the shard is as it was. */
static int shard_fill(struct wyn_injector_shard *shard, uint64_t at,
	const struct wyn_injector_batch *batch)
{
	struct wyn_injector_block *tail = shard->tail;

	for (size_t i = 0; i < batch->n; i++, at++) {
		struct wyn_injector_block *block;

		if ((at & BLOCK_MASK) == 0) {
			block = block_get(shard);
			if (block == NULL) {
				goto unwind;
			}
			*(tail != NULL ? &tail->next : &shard->first) = block;
			tail = block;
		}
		tail->items[at & BLOCK_MASK] = batch_item(batch, i);
	}
	shard->tail = tail;
	return 0;

unwind:
	if (shard->tail != NULL) {
		chain_free(shard->tail->next);
		shard->tail->next = NULL;
	} else {
		chain_free(shard->first);
		shard->first = NULL;
	}
	return -ENOMEM;
}

static int shard_push(struct wyn_injector_shard *shard,
	const struct wyn_injector_batch *batch, enum wyn_injector_kind kind)
{
	uint64_t pushed =
		atomic_load_explicit(&shard->pushed, memory_order_relaxed);
	int r;

	if (kind == WYN_INJECTOR_OUTSIDE && shard->closed) {
		return -ESHUTDOWN;
	}
	r = shard_fill(shard, pushed, batch);
	if (r < 0) {
		return r;
	}
	if (kind != WYN_INJECTOR_MOVE) {
		/* [drain] counted before a worker can count its end. */
		atomic_fetch_add_explicit(
			&shard->accepted, batch->n, memory_order_relaxed);
	}
	/* [inject] publishes the items and the blocks that hold them. seq_cst
	 * rather than release for [park]: the caller looks for sleepers next,
	 * and this store must not be passed by that load. */
	atomic_store_explicit(
		&shard->pushed, pushed + batch->n, memory_order_seq_cst);
	return 0;
}

/* Steps over the end of a block, to the one that holds index `at`. */
static void shard_advance(struct wyn_injector_shard *shard, uint64_t at)
{
	struct wyn_injector_block *old = shard->head;

	if (at == 0) {
		shard->head = shard->first;
		return;
	}
	shard->head = old->next;
	block_give(shard, old);
}

static size_t shard_take(struct wyn_injector_shard *shard, unsigned sharers,
	struct wyn_item *ret_items, size_t max)
{
	uint64_t taken =
		atomic_load_explicit(&shard->taken, memory_order_relaxed);
	/* [inject] acquires the items below the count. */
	uint64_t length =
		atomic_load_explicit(&shard->pushed, memory_order_acquire) -
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
			shard_advance(shard, taken);
		}
		ret_items[i] = shard->head->items[taken & BLOCK_MASK];
	}
	atomic_store_explicit(&shard->taken, taken, memory_order_release);
	return n;
}

static uint64_t shard_length(struct wyn_injector_shard *shard)
{
	/* [park] seq_cst: not older than the reader's parking. */
	uint64_t pushed =
		atomic_load_explicit(&shard->pushed, memory_order_seq_cst);
	uint64_t taken =
		atomic_load_explicit(&shard->taken, memory_order_acquire);

	return pushed > taken ? pushed - taken : 0;
}

void wyn_injector_init(struct wyn_injector *injector)
{
	memset(injector, 0, sizeof(*injector));
}

void wyn_injector_fini(struct wyn_injector *injector)
{
	for (unsigned i = 0; i < WYN_INJECTOR_SHARDS; i++) {
		struct wyn_injector_shard *shard = &injector->shards[i];
		uint64_t out = atomic_load_explicit(
			&shard->reserve_taken, memory_order_relaxed);
		uint64_t in = atomic_load_explicit(
			&shard->reserve_given, memory_order_relaxed);

		chain_free(shard->head != NULL ? shard->head : shard->first);
		for (; out != in; out++) {
			free(shard->reserve[out & RESERVE_MASK]);
		}
	}
	memset(injector, 0, sizeof(*injector));
}

int wyn_injector_push(struct wyn_injector *injector,
	const struct wyn_injector_batch *batch, enum wyn_injector_kind kind)
{
	unsigned tries = 0;

	if (sticky_shard == 0) {
		sticky_shard =
			1 + atomic_fetch_add_explicit(&next_sticky_approx, 1,
				    memory_order_relaxed) %
				    WYN_INJECTOR_SHARDS;
	}
	for (;;) {
		struct wyn_injector_shard *shard =
			&injector->shards[sticky_shard - 1];

		if (lock_try(&shard->tail_lock)) {
			int r = shard_push(shard, batch, kind);

			lock_release(&shard->tail_lock);
			return r;
		}
		sticky_shard = 1 + sticky_shard % WYN_INJECTOR_SHARDS;
		if (++tries % WYN_INJECTOR_SHARDS == 0) {
			/* Eight producers were preempted inside: let them. */
			sched_yield();
		}
	}
}

size_t wyn_injector_take(struct wyn_injector *injector, unsigned *cursor,
	unsigned sharers, struct wyn_item *ret_items, size_t max)
{
	for (unsigned i = 0; i < WYN_INJECTOR_SHARDS; i++) {
		unsigned at = (*cursor)++ % WYN_INJECTOR_SHARDS;
		struct wyn_injector_shard *shard = &injector->shards[at];
		size_t n;

		if (shard_length(shard) == 0 || !lock_try(&shard->head_lock)) {
			continue;
		}
		n = shard_take(shard, sharers, ret_items, max);
		lock_release(&shard->head_lock);
		if (n > 0) {
			return n;
		}
	}
	return 0;
}

void wyn_injector_close(struct wyn_injector *injector)
{
	for (unsigned i = 0; i < WYN_INJECTOR_SHARDS; i++) {
		struct wyn_injector_shard *shard = &injector->shards[i];

		while (!lock_try(&shard->tail_lock)) {
			sched_yield();
		}
		shard->closed = true;
		lock_release(&shard->tail_lock);
	}
}

uint64_t wyn_injector_accepted(struct wyn_injector *injector)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < WYN_INJECTOR_SHARDS; i++) {
		sum += atomic_load_explicit(
			&injector->shards[i].accepted, memory_order_relaxed);
	}
	return sum;
}

uint64_t wyn_injector_pushed(struct wyn_injector *injector)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < WYN_INJECTOR_SHARDS; i++) {
		sum += atomic_load_explicit(
			&injector->shards[i].pushed, memory_order_relaxed);
	}
	return sum;
}

uint64_t wyn_injector_length(struct wyn_injector *injector)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < WYN_INJECTOR_SHARDS; i++) {
		sum += shard_length(&injector->shards[i]);
	}
	return sum;
}
