// SPDX-License-Identifier: MIT
/*
 * drain.c - the end of a pool's work, and the sums that tell of it.
 *
 * Ends are summed before beginnings. Both only grow, and an end is counted
 * after its beginning, so equal sums mean that at the moment between the two
 * looks nothing was queued or running; and since nothing comes from outside
 * any more, nothing ever will be.
 */
#include "scheduler/drain.h"

#include <errno.h>
#include <string.h>

#include "scheduler/futex.h"
#include "scheduler/thread.h"

static unsigned thread_max(const struct wyn_pool *pool)
{
	return pool->config.workers + pool->config.spare_max;
}

static uint64_t statistic(_Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

uint64_t wyn_pool_unfinished(struct wyn_pool *pool)
{
	uint64_t begun, ended = 0;

	for (unsigned i = 0; i < thread_max(pool); i++) {
		/* [drain] acquires what the ended tasks did, and their
		 * children's beginnings. */
		ended += atomic_load_explicit(
			&pool->threads[i].counters.finished,
			memory_order_acquire);
	}
	begun = wyn_injector_accepted(&pool->injector);
	for (unsigned i = 0; i < thread_max(pool); i++) {
		begun +=
			atomic_load_explicit(&pool->threads[i].counters.spawned,
				memory_order_acquire);
	}
	return begun - ended;
}

void wyn_pool_quiet(struct wyn_pool *pool)
{
	/* [drain] makes the drain look again, or not fall asleep. */
	atomic_fetch_add_explicit(&pool->drain_turn, 1, memory_order_release);
	wyn_futex_wake_all(&pool->drain_turn);
}

int wyn_pool_drain(struct wyn_pool *pool, uint64_t deadline_ns)
{
	if (wyn_pool_is_dead(pool)) {
		return -ESHUTDOWN;
	}
	if (wyn_thread_self_of(pool) != NULL) {
		return -EDEADLK;
	}
	wyn_injector_close(&pool->injector);
	wyn_park_raise(&pool->park, WYN_PARK_DRAIN);
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

static void add_thread(struct wyn_pool_counters *sum, struct wyn_counters *one)
{
	uint64_t finished = statistic(&one->finished);
	uint64_t cancelled = statistic(&one->cancelled_approx);

	sum->run += finished > cancelled ? finished - cancelled : 0;
	sum->cancelled += cancelled;
	sum->stolen += statistic(&one->stolen_approx);
	sum->helped += statistic(&one->helped_approx);
	sum->lent += statistic(&one->lent_approx);
}

void wyn_pool_counters(
	struct wyn_pool *pool, struct wyn_pool_counters *ret_counters)
{
	struct wyn_pool_counters sum;

	memset(&sum, 0, sizeof(sum));
	for (unsigned i = 0; i < thread_max(pool); i++) {
		add_thread(&sum, &pool->threads[i].counters);
	}
	for (unsigned i = 0; i < pool->config.workers; i++) {
		sum.parked += statistic(&pool->park_seats[i].parked_approx);
		sum.woken += statistic(&pool->park_seats[i].woken_approx);
		sum.queued += wyn_deque_length(&pool->seats[i].deque);
	}
	sum.queued += wyn_injector_length(&pool->injector);
	sum.injected = wyn_injector_pushed(&pool->injector);
	sum.unfinished = wyn_pool_unfinished(pool);
	/* What was queued at that look may have run since. */
	if (sum.queued > sum.unfinished) {
		sum.queued = sum.unfinished;
	}
	sum.workers = wyn_pool_workers(pool);
	*ret_counters = sum;
}
