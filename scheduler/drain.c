// SPDX-License-Identifier: MIT
/*
 * drain.c - the end of a pool's work.
 *
 * Ends are summed before beginnings. Both only grow, and an end is counted
 * after its beginning, so equal sums mean that at the moment between the two
 * looks nothing was queued or running; and since nothing comes from outside
 * any more, nothing ever will be.
 */
#include "scheduler/drain.h"

#include <errno.h>

#include "scheduler/futex.h"
#include "scheduler/perturb.h"
#include "scheduler/thread.h"

/* Between two looks at the counts of all threads. */
#define FINISHED_PAUSES	    64u
#define FINISHED_STALLS_MAX 2u

uint64_t wyn_pool_unfinished(struct wyn_pool *pool)
{
	uint64_t begun, ended = 0;
	unsigned threads = wyn_threads_made(pool);

	for (unsigned i = 0; i < threads; i++) {
		WYN_STEP();
		/* [drain] acquires what the ended tasks did, and their
		 * children's beginnings. */
		ended += atomic_load_explicit(
			&pool->threads[i].counters.finished,
			memory_order_acquire);
	}
	begun = wyn_injector_accepted(&pool->injector);
	/* There may be more by now, and they may have begun what has ended. */
	threads = wyn_threads_made(pool);
	for (unsigned i = 0; i < threads; i++) {
		begun +=
			atomic_load_explicit(&pool->threads[i].counters.spawned,
				memory_order_acquire);
	}
	return begun - ended;
}

void wyn_pool_quiet(struct wyn_pool *pool)
{
	WYN_STEP();
	/* [drain] makes the drain look again, or not fall asleep. */
	atomic_fetch_add_explicit(&pool->drain_turn, 1, memory_order_release);
	wyn_futex_wake_all(&pool->drain_turn);
}

/* Looks now and then for a while: the last task is often about to end. Not
 * while nothing ends: perhaps a worker waits for this CPU. */
static bool finished_soon(struct wyn_pool *pool)
{
	uint64_t before = UINT64_MAX;
	unsigned stalls = 0;

	for (unsigned i = 0; i < pool->config.spin_max; i++) {
		uint64_t left = wyn_pool_unfinished(pool);

		stalls = left < before ? 0 : stalls + 1;
		if (left == 0 || stalls == FINISHED_STALLS_MAX) {
			return left == 0;
		}
		before = left;
		/* Each look takes the workers' lines from them. */
		wyn_cpu_relax_for(FINISHED_PAUSES);
	}
	return false;
}

/* From the first to the last of those who wait DRAIN is up: workers that run
 * out of work look for them. */
static void waiters_add(struct wyn_pool *pool)
{
	pthread_mutex_lock(&pool->waiters_lock);
	if (pool->waiters++ == 0) {
		wyn_park_raise(&pool->park, WYN_PARK_DRAIN);
	}
	pthread_mutex_unlock(&pool->waiters_lock);
}

static void waiters_remove(struct wyn_pool *pool)
{
	pthread_mutex_lock(&pool->waiters_lock);
	if (--pool->waiters == 0) {
		wyn_park_lower(&pool->park, WYN_PARK_DRAIN);
	}
	pthread_mutex_unlock(&pool->waiters_lock);
}

static int sleep_until_finished(struct wyn_pool *pool, uint64_t deadline_ns)
{
	for (;;) {
		/* [drain] the turn before the look. */
		uint32_t turn = atomic_load_explicit(
			&pool->drain_turn, memory_order_acquire);

		if (wyn_pool_unfinished(pool) == 0) {
			return 0;
		}
		if (wyn_pool_workers(pool) == 0) {
			return -ETIMEDOUT;
		}
		if (!wyn_futex_wait(&pool->drain_turn, turn, deadline_ns)) {
			return wyn_pool_unfinished(pool) == 0 ? 0 : -ETIMEDOUT;
		}
	}
}

static int wait_finished(struct wyn_pool *pool, uint64_t deadline_ns)
{
	int r;

	waiters_add(pool);
	r = sleep_until_finished(pool, deadline_ns);
	waiters_remove(pool);
	return r;
}

static int drain_refused(const struct wyn_pool *pool)
{
	if (wyn_pool_is_dead(pool)) {
		return -ESHUTDOWN;
	}
	return wyn_thread_self_of(pool) != NULL ? -EDEADLK : 0;
}

int wyn_pool_drain(struct wyn_pool *pool, uint64_t deadline_ns)
{
	int r = drain_refused(pool);

	if (r < 0) {
		return r;
	}
	wyn_injector_close(&pool->injector);
	return wait_finished(pool, deadline_ns);
}

int wyn_pool_wait_until(struct wyn_pool *pool, uint64_t deadline_ns)
{
	int r = drain_refused(pool);

	if (r < 0 || finished_soon(pool)) {
		return r;
	}
	return wait_finished(pool, deadline_ns);
}
