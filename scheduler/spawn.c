// SPDX-License-Identifier: MIT
/*
 * spawn.c - the ways in: admission, the own deque, the injector, the wake.
 *
 * Every accepted task is counted before a worker can see it, so that a drain
 * never finds more ends than beginnings.
 */
#include "scheduler/spawn.h"

#include <errno.h>
#include <sched.h>

#include "base/assert.h"
#include "scheduler/fence.h"
#include "scheduler/forkjoin.h"
#include "scheduler/future.h"
#include "scheduler/thread.h"
#include "scheduler/worker.h"

const struct wyn_producer *wyn_pool_producer_enter(struct wyn_pool *pool)
{
	return wyn_producer_enter(
		&pool->producers, wyn_thread_self_of(pool) == NULL);
}

static bool in_flight_enter(struct wyn_pool *pool, uint64_t n)
{
	uint64_t max = pool->config.in_flight_max;
	uint64_t now;

	if (max == 0) {
		return true;
	}
	now = atomic_load_explicit(&pool->in_flight, memory_order_relaxed);
	do {
		if (n > max || now > max - n) {
			return false;
		}
		/* [in-flight] the RMW keeps the number within the bound. */
	} while (!atomic_compare_exchange_weak_explicit(&pool->in_flight, &now,
		now + n, memory_order_relaxed, memory_order_relaxed));
	return true;
}

/* Makes room in a full deque: moves the older half of it to the injector, as
 * far as there is no fork; a worker that joins one may be the last that could
 * take it from there. With a fork at the old end the new item goes instead.
 * Returns: 1 if so; 0; -ENOMEM. */
static int deque_overflow(
	struct wyn_pool *pool, struct wyn_seat *seat, struct wyn_item item)
{
	struct wyn_lane *lane = wyn_pool_producer(pool)->lane;
	struct wyn_injector_batch batch = {.items = seat->scratch};
	int r = 0;

	batch.n = wyn_deque_shed_begin(&seat->deque, wyn_fork_run_,
		seat->scratch, WYN_COUNT_OF(seat->scratch));
	if (batch.n > 0) {
		/* Seen in both for a moment, but only taken from there. */
		r = wyn_injector_push(
			&pool->injector, lane, &batch, WYN_INJECTOR_MOVE);
	}
	wyn_deque_shed_end(&seat->deque, r == 0 ? batch.n : 0);
	if (batch.n > 0) {
		return r;
	}
	batch = (struct wyn_injector_batch){.items = &item, .n = 1};
	r = wyn_injector_push(&pool->injector, lane, &batch, WYN_INJECTOR_MOVE);
	return r < 0 ? r : 1;
}

static int spawn_local(struct wyn_thread *thread, struct wyn_item item)
{
	struct wyn_seat *seat = thread->seat;
	int r = 0;

	/* [drain] before a thief can see it and count its end. */
	wyn_counter_add(&thread->counters.spawned, 1);
	while (r == 0 && !wyn_deque_push(&seat->deque, item)) {
		r = deque_overflow(thread->pool, seat, item);
	}
	if (r < 0) {
		wyn_counter_add(&thread->counters.spawned, UINT64_MAX);
		return r;
	}
	return 0;
}

/* There is new work, and the parking word was not calm. */
static __attribute__((noinline)) void spawned_notify(struct wyn_pool *pool)
{
	if (wyn_thread_self_of(pool) != NULL) {
		wyn_park_notify(&pool->park);
	} else {
		wyn_park_pass_on(&pool->park);
	}
	/* The pool is being destroyed round a task that spawns: the workers
	 * may have looked at the queues for the last time. */
	if (WYN_UNLIKELY(wyn_park_stopped(&pool->park))) {
		wyn_pool_discard(pool);
	}
}

int wyn_pool_enter(struct wyn_pool *pool, uint64_t n)
{
	if (wyn_pool_is_dead(pool)) {
		return -ESHUTDOWN;
	}
	return in_flight_enter(pool, n) ? 0 : -EAGAIN;
}

int wyn_pool_enqueue(
	struct wyn_pool *pool, const struct wyn_injector_batch *batch)
{
	struct wyn_thread *thread = wyn_thread_self_of(pool);
	int r;

	if (thread != NULL && thread->seat != NULL && batch->items != NULL &&
		batch->n == 1) {
		r = spawn_local(thread, batch->items[0]);
	} else {
		r = wyn_injector_push(&pool->injector,
			wyn_pool_producer(pool)->lane, batch,
			thread != NULL ? WYN_INJECTOR_INSIDE
				       : WYN_INJECTOR_OUTSIDE);
	}
	if (r < 0) {
		wyn_pool_leave(pool, batch->n);
		return r;
	}
	wyn_fence_light();
	if (WYN_UNLIKELY(!wyn_park_is_calm(&pool->park))) {
		spawned_notify(pool);
	}
	return 0;
}

int wyn_pool_inject(
	struct wyn_pool *pool, const struct wyn_injector_batch *batch)
{
	int r = wyn_pool_enter(pool, batch->n);

	return r < 0 ? r : wyn_pool_enqueue(pool, batch);
}

static __attribute__((noinline)) int inject_one(
	struct wyn_pool *pool, struct wyn_item item)
{
	struct wyn_injector_batch batch = {.items = &item, .n = 1};

	return wyn_pool_inject(pool, &batch);
}

int wyn_pool_inject_one(struct wyn_pool *pool, struct wyn_item item)
{
	const struct wyn_producer *self = &wyn_producer_self_;

	/* A thread that has spawned into this pool before, and nearly every
	 * time: nothing to ask, a few stores, one look. */
	if (WYN_UNLIKELY(self->express_id != pool->producers.id) ||
		WYN_UNLIKELY(
			!wyn_lane_push(&pool->injector, self->lane, item))) {
		return inject_one(pool, item);
	}
	wyn_fence_lightest();
	if (WYN_UNLIKELY(!wyn_park_is_calm(&pool->park))) {
		spawned_notify(pool);
	}
	return 0;
}

int wyn_pool_spawn_detached(
	struct wyn_pool *pool, void (*fn)(void *arg), void *arg)
{
	return wyn_pool_inject_one(
		pool, (struct wyn_item){.fn = fn, .arg = arg});
}

int wyn_pool_spawn_detached_batch(struct wyn_pool *pool, void (*fn)(void *arg),
	void *const *args, size_t n)
{
	struct wyn_injector_batch batch = {.fn = fn, .args = args, .n = n};

	return n == 0 ? 0 : wyn_pool_inject(pool, &batch);
}

static void item_discard(struct wyn_item item)
{
	if (item.fn == wyn_future_run) {
		wyn_future_discard(item.arg);
	} else if (item.fn == wyn_fork_run_) {
		wyn_fork_discard(item.arg);
	}
}

void wyn_pool_discard(struct wyn_pool *pool)
{
	struct wyn_item item;
	unsigned cursor = 0;

	/* [park] a spawn that we do not see below sees the stop itself. */
	wyn_fence_heavy();
	while (wyn_pool_has_work(pool)) {
		if (wyn_injector_take(&pool->injector, &cursor, 1, &item, 1) >
			0) {
			item_discard(item);
		} else {
			/* Nothing there, or another thread is inside. */
			sched_yield();
		}
		for (unsigned i = 0; i < pool->config.workers; i++) {
			if (wyn_deque_steal(&pool->seats[i].deque, NULL, &item,
				    1) > 0) {
				item_discard(item);
			}
		}
	}
}
