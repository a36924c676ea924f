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

#include <sched.h>

#include "base/assert.h"
#include "base/prng.h"
#include "scheduler/drain.h"
#include "scheduler/future.h"
#include "scheduler/futex.h"
#include "scheduler/job.h"
#include "scheduler/search.h"
#include "scheduler/thread.h"

/* After so many local tasks one is taken from the injector, and the next
 * from the old end of the own deque; a prime, as in Go's scheduler. */
#define FAIR_TICKS 61

/* A batch from the injector that is worth its cache lines. */
#define GATHER_ENOUGH 128u

/* What a smaller one lets pass before the next: about a microsecond. */
#define GATHER_PAUSES 32u

/* Most items that one steal moves. */
#define STEAL_MAX 64u

/* Of n items in the scratch, oldest first, takes the first and puts the rest
 * into the own deque in reverse, so that it pops the oldest first. */
static void scratch_take(
	struct wyn_thread *thread, size_t n, struct wyn_item *ret_item)
{
	struct wyn_seat *seat = thread->seat;
	struct wyn_pool *pool = thread->pool;

	*ret_item = seat->scratch[0];
	if (n > 1) {
		bool room = wyn_deque_has_room(&seat->deque, n - 1);

		/* It was empty, or one is taken from elsewhere. */
		wyn_assert(room);
		for (size_t i = 1; i < n; i++) {
			wyn_deque_put(
				&seat->deque, n - 1 - i, seat->scratch[i]);
		}
		wyn_deque_publish(&seat->deque, n - 1);
		/* [park] They were in no queue for a moment: whoever was
		 * woken for them may have parked again meanwhile. */
		wyn_park_pass_on(&pool->park);
		/* The queues of a pool that stops may have been emptied. */
		if (WYN_UNLIKELY(wyn_park_stopped(&pool->park))) {
			wyn_pool_discard(pool);
		}
	}
}

/*
 * A worker that is faster than the producer would take each item as it comes,
 * and the two would spend their time on moving the lane's lines to and fro: 70
 * ns for a task of 4. So after a small batch it lets some gather.
 */
static void let_gather(const struct wyn_seat *seat)
{
	if (seat->grabbed > 0 && seat->grabbed < GATHER_ENOUGH) {
		wyn_cpu_relax_for(GATHER_PAUSES);
	}
}

static bool find_injected(
	struct wyn_thread *thread, struct wyn_item *ret_item, size_t max)
{
	struct wyn_pool *pool = thread->pool;
	struct wyn_seat *seat = thread->seat;
	size_t n;

	if (max > 1) {
		let_gather(seat);
	}
	n = wyn_injector_take(&pool->injector, &seat->cursor,
		atomic_load_explicit(&pool->workers, memory_order_relaxed),
		seat->scratch, max);
	if (max > 1) {
		seat->grabbed = (unsigned)n;
	}
	if (n == 0) {
		return false;
	}
	wyn_counter_add(&thread->counters.injected_approx, n);
	scratch_take(thread, n, ret_item);
	if (max > 1) {
		/* These are no local tasks, for fairness. */
		seat->tick = -(int)n;
	}
	return true;
}

static bool find_fair(struct wyn_thread *thread, struct wyn_item *ret_item)
{
	struct wyn_seat *seat = thread->seat;
	size_t n;

	if (WYN_LIKELY(seat->tick < FAIR_TICKS)) {
		return false;
	}
	if (seat->tick == FAIR_TICKS) {
		seat->tick++;
		return find_injected(thread, ret_item, 1);
	}
	seat->tick = 0;
	n = wyn_deque_shed_begin(&seat->deque, NULL, ret_item, 1);
	wyn_deque_shed_end(&seat->deque, n);
	return n > 0;
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
		size_t n;

		if (victim == thread->seat) {
			continue;
		}
		n = wyn_deque_steal(&victim->deque, wyn_fork_run_,
			thread->seat->scratch, STEAL_MAX);
		if (n > 0) {
			wyn_counter_add(&thread->counters.stolen_approx, n);
			scratch_take(thread, n, ret_item);
			return true;
		}
	}
	return false;
}

/* One look at every queue: own, injector, others. */
static bool find(struct wyn_thread *thread, struct wyn_item *ret_item)
{
	return find_fair(thread, ret_item) ||
	       wyn_deque_pop(&thread->seat->deque, ret_item) ||
	       find_injected(thread, ret_item, WYN_INJECTOR_GRAB_MAX) ||
	       find_stolen(thread, ret_item);
}

static bool deques_have_work(struct wyn_pool *pool)
{
	unsigned workers =
		atomic_load_explicit(&pool->workers, memory_order_relaxed);

	for (unsigned i = 0; i < workers; i++) {
		if (wyn_deque_length(&pool->seats[i].deque) > 0) {
			return true;
		}
	}
	return false;
}

bool wyn_pool_has_work(struct wyn_pool *pool)
{
	return wyn_injector_length(&pool->injector) > 0 ||
	       deques_have_work(pool);
}

/* A searcher stops searching with something to do: the chain of wakes. */
static void search_end(struct wyn_pool *pool)
{
	if (wyn_park_search_end(&pool->park) && wyn_pool_has_work(pool)) {
		wyn_park_pass_on(&pool->park);
	}
}

/* Searches for a while. True: found, and no searcher any more. */
static bool search(struct wyn_thread *thread, struct wyn_item *ret_item)
{
	struct wyn_pool *pool = thread->pool;
	struct wyn_search patience;

	wyn_search_begin(&patience, thread);
	while (!wyn_park_stopped(&pool->park)) {
		bool work = wyn_pool_has_work(pool);
		bool left = work && wyn_search_leaves(&patience, thread);

		if (work && !left && find(thread, ret_item)) {
			search_end(pool);
			return true;
		}
		if (!wyn_search_pause(&patience, left)) {
			break;
		}
	}
	return false;
}

/* Parks and sleeps; the caller wakes as a searcher, or the pool stops. */
static void park(struct wyn_thread *thread, bool searching)
{
	struct wyn_pool *pool = thread->pool;
	unsigned seat = thread->seat->index;
	uint64_t flags = wyn_park_enter(&pool->park, seat, searching);

	if ((flags & WYN_PARK_DRAIN) != 0) {
		wyn_pool_quiet(pool);
	}
	/* [park] the look after the parking. It may wake ourselves. */
	if (wyn_pool_has_work(pool)) {
		wyn_park_notify(&pool->park);
	}
	wyn_search_rest(thread);
	if (wyn_park_sleep(&pool->park, seat) && deques_have_work(pool)) {
		/* Others are at work, and perhaps we run in their stead, or in
		 * that of the spawner. */
		sched_yield();
	}
}

/* Who waits for the end need not wait for the search too. What this misses is
 * told when the seat parks. */
static void tell_early(struct wyn_pool *pool)
{
	if (WYN_UNLIKELY(wyn_park_awaited(&pool->park)) &&
		wyn_pool_unfinished(pool) == 0) {
		wyn_pool_quiet(pool);
	}
}

/* Finds a task, sleeping if need be. False: the pool stops. */
static bool acquire(struct wyn_thread *thread, struct wyn_item *ret_item)
{
	struct wyn_pool *pool = thread->pool;
	bool searching = false;

	while (!wyn_park_stopped(&pool->park)) {
		if (!searching && find(thread, ret_item)) {
			return true;
		}
		if (!searching) {
			tell_early(pool);
			searching = wyn_park_search_begin(&pool->park);
		}
		if (searching && search(thread, ret_item)) {
			return true;
		}
		park(thread, searching);
		searching = true;
	}
	return false;
}

/* Runs one task and counts it. */
static inline void execute(struct wyn_thread *thread, struct wyn_item item)
{
	thread->floor = wyn_deque_mark(&thread->seat->deque);
	item.fn(item.arg);
	/* The trampolines leave before they let their completion be seen. */
	if (WYN_UNLIKELY(thread->seat == NULL || thread->bounded) &&
		item.fn != wyn_future_run && item.fn != wyn_job_run &&
		item.fn != wyn_fork_run_) {
		wyn_thread_leave(thread);
	}
	wyn_counter_add(&thread->counters.finished, 1);
}

bool wyn_worker_descendant(struct wyn_thread *thread, struct wyn_item *ret_item)
{
	struct wyn_deque *deque = &thread->seat->deque;

	return wyn_deque_mark(deque) > thread->floor &&
	       wyn_deque_pop(deque, ret_item);
}

void wyn_worker_nest(struct wyn_thread *thread, struct wyn_item item)
{
	struct wyn_future *outer = thread->task;
	int64_t outer_floor = thread->floor;

	/* What an await helps with is no part of the awaiting task. */
	thread->task = NULL;
	thread->help_depth++;
	execute(thread, item);
	thread->help_depth--;
	thread->task = outer;
	thread->floor = outer_floor;
}

/* Runs what is in the own deque, as long as fairness lets it. */
static void run_own(struct wyn_thread *thread)
{
	struct wyn_pool *pool = thread->pool;
	struct wyn_seat *seat = thread->seat;
	struct wyn_item item;

	while (thread->seat != NULL && seat->tick < FAIR_TICKS &&
		!wyn_park_stopped(&pool->park) &&
		wyn_deque_pop(&seat->deque, &item)) {
		seat->tick++;
		execute(thread, item);
	}
}

void wyn_worker_run(struct wyn_thread *thread)
{
	struct wyn_item item;

	while (thread->seat != NULL && acquire(thread, &item)) {
		execute(thread, item);
		run_own(thread);
	}
}
