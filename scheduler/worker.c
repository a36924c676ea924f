// SPDX-License-Identifier: MIT
/*
 * worker.c - the life of a seat.
 *
 * Own deque, then a batch from the injector, then other deques; a searcher
 * repeats that for a while before it parks, so that a producer of a burst
 * does not pay a wake per task. The order of steps around the parking is the
 * argument of label [park] in the README.
 */
#include "scheduler/worker.h"

#include "base/assert.h"
#include "base/prng.h"
#include "scheduler/await.h"
#include "scheduler/future.h"
#include "scheduler/futex.h"
#include "scheduler/job.h"
#include "scheduler/thread.h"

/* After so many local tasks one is taken from the injector, and the next
 * from the old end of the own deque; a prime, as in Go's scheduler. */
#define FAIR_TICKS 61

static struct wyn_item *batch_first(struct wyn_seat *seat, size_t n)
{
	/* Pushed in reverse, so that the owner pops the oldest first. */
	for (size_t i = n - 1; i > 0; i--) {
		bool pushed = wyn_deque_push(&seat->deque, seat->scratch[i]);

		wyn_assert(pushed);
	}
	return &seat->scratch[0];
}

static bool find_injected(
	struct wyn_thread *thread, struct wyn_item *ret_item, size_t max)
{
	struct wyn_pool *pool = thread->pool;
	struct wyn_seat *seat = thread->seat;
	size_t n = wyn_injector_take(&pool->injector, &seat->cursor,
		atomic_load_explicit(&pool->workers, memory_order_relaxed),
		seat->scratch, max);

	if (n == 0) {
		return false;
	}
	*ret_item = *batch_first(seat, n);
	if (n > 1) {
		/* [park] The rest was in no queue for a moment: whoever was
		 * woken for it may have parked again meanwhile. */
		wyn_park_notify(&pool->park);
	}
	return true;
}

static bool find_fair(struct wyn_thread *thread, struct wyn_item *ret_item)
{
	struct wyn_seat *seat = thread->seat;

	switch (seat->tick++ % FAIR_TICKS) {
	case 0:
		return find_injected(thread, ret_item, 1);
	case 1:
		return wyn_deque_steal(&seat->deque, ret_item);
	default:
		return false;
	}
}

static bool find_stolen(struct wyn_thread *thread, struct wyn_item *ret_item)
{
	struct wyn_pool *pool = thread->pool;
	unsigned workers =
		atomic_load_explicit(&pool->workers, memory_order_relaxed);
	unsigned at =
		(unsigned)(wyn_prng_splitmix(&thread->seat->random) % workers);

	for (unsigned i = 0; i < workers; i++, at = (at + 1) % workers) {
		struct wyn_seat *victim = &pool->seats[at];

		if (victim != thread->seat &&
			wyn_deque_steal(&victim->deque, ret_item)) {
			wyn_counter_add(&thread->counters.stolen_approx, 1);
			return true;
		}
	}
	return false;
}

bool wyn_worker_find(struct wyn_thread *thread, struct wyn_item *ret_item)
{
	return find_fair(thread, ret_item) ||
	       wyn_deque_pop(&thread->seat->deque, ret_item) ||
	       find_injected(thread, ret_item, WYN_INJECTOR_GRAB_MAX) ||
	       find_stolen(thread, ret_item);
}

bool wyn_pool_has_work(struct wyn_pool *pool)
{
	unsigned workers =
		atomic_load_explicit(&pool->workers, memory_order_relaxed);

	if (wyn_injector_length(&pool->injector) > 0) {
		return true;
	}
	for (unsigned i = 0; i < workers; i++) {
		if (wyn_deque_length(&pool->seats[i].deque) > 0) {
			return true;
		}
	}
	return false;
}

static bool is_over(struct wyn_pool *pool, const struct wyn_goal *goal)
{
	return wyn_park_stopped(&pool->park) ||
	       (goal != NULL && wyn_goal_reached(goal));
}

/* A searcher stops searching with something to do: the chain of wakes. */
static void search_end(struct wyn_pool *pool)
{
	if (wyn_park_search_end(&pool->park) && wyn_pool_has_work(pool)) {
		wyn_park_notify(&pool->park);
	}
}

/* Searches for a while. True: no searcher any more; *ret_found says why. */
static bool search(struct wyn_thread *thread, const struct wyn_goal *goal,
	struct wyn_item *ret_item, bool *ret_found)
{
	struct wyn_pool *pool = thread->pool;

	for (unsigned i = 0; i <= pool->config.spin_max; i++) {
		if (is_over(pool, goal)) {
			search_end(pool);
			*ret_found = false;
			return true;
		}
		if (wyn_pool_has_work(pool) &&
			wyn_worker_find(thread, ret_item)) {
			search_end(pool);
			*ret_found = true;
			return true;
		}
		wyn_cpu_relax();
	}
	return false;
}

/* Parks and sleeps. Returns whether the caller woke as a searcher. */
static bool park(
	struct wyn_thread *thread, const struct wyn_goal *goal, bool searching)
{
	struct wyn_pool *pool = thread->pool;
	unsigned seat = thread->seat->index;
	uint64_t flags;

	if (goal != NULL) {
		wyn_park_await(&pool->park, seat, (const void *)goal->word);
		wyn_goal_mark(goal, WYN_AWAIT_HELPER);
	}
	flags = wyn_park_enter(&pool->park, seat, searching);
	if ((flags & WYN_PARK_DRAIN) != 0) {
		wyn_pool_quiet(pool);
	}
	/* [park] the look after the parking. It may wake ourselves. */
	if (wyn_pool_has_work(pool)) {
		wyn_park_notify(&pool->park);
	}
	if (!is_over(pool, goal)) {
		wyn_park_sleep(&pool->park, seat);
	}
	if (goal != NULL) {
		wyn_park_await(&pool->park, seat, NULL);
	}
	return wyn_park_leave(&pool->park, seat);
}

bool wyn_worker_acquire(struct wyn_thread *thread, const struct wyn_goal *goal,
	struct wyn_item *ret_item)
{
	struct wyn_pool *pool = thread->pool;
	bool searching = false;
	bool found = false;

	while (!is_over(pool, goal)) {
		if (!searching && wyn_worker_find(thread, ret_item)) {
			return true;
		}
		if (!searching) {
			searching = wyn_park_search_begin(&pool->park);
		}
		if (searching && search(thread, goal, ret_item, &found)) {
			return found;
		}
		searching = park(thread, goal, searching);
	}
	if (searching) {
		search_end(pool);
	}
	return false;
}

void wyn_worker_execute(struct wyn_thread *thread, struct wyn_item item)
{
	struct wyn_future *outer = thread->task;

	/* What an await helps with is no part of the awaiting task. */
	thread->task = NULL;
	item.fn(item.arg);
	thread->task = outer;
	/* The trampolines leave before they let their completion be seen. */
	if (item.fn != wyn_future_run && item.fn != wyn_job_run) {
		wyn_thread_leave(thread);
	}
	wyn_counter_add(&thread->counters.finished, 1);
}

void wyn_worker_run(struct wyn_thread *thread)
{
	struct wyn_item item;

	while (thread->seat != NULL && !wyn_park_stopped(&thread->pool->park)) {
		if (wyn_worker_acquire(thread, NULL, &item)) {
			wyn_worker_execute(thread, item);
		}
	}
}
