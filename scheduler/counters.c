// SPDX-License-Identifier: MIT
/*
 * counters.c - the sums over threads and seats, for whoever asks.
 *
 * What a thread counts (tasks) and what belongs to its place (sleeps, the
 * deque) lies in two arrays. A worker and its place have the same number.
 */
#include "scheduler/counters.h"

#include "scheduler/drain.h"
#include "scheduler/thread.h"

static uint64_t statistic(_Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_thread(struct wyn_pool_counters *sum, struct wyn_counters *one)
{
	uint64_t finished = statistic(&one->finished);
	uint64_t cancelled = statistic(&one->cancelled_approx);

	sum->run += finished > cancelled ? finished - cancelled : 0;
	sum->cancelled += cancelled;
	sum->stolen += statistic(&one->stolen_approx);
	sum->injected += statistic(&one->injected_approx);
	sum->helped += statistic(&one->helped_approx);
	sum->lent += statistic(&one->lent_approx);
}

static void add_seat(
	struct wyn_pool_counters *sum, struct wyn_pool *pool, unsigned seat)
{
	sum->parked += statistic(&pool->park_seats[seat].parked_approx);
	sum->woken += statistic(&pool->park_seats[seat].woken_approx);
	sum->queued += wyn_deque_length(&pool->seats[seat].deque);
}

void wyn_pool_counters(
	struct wyn_pool *pool, struct wyn_pool_counters *ret_counters)
{
	struct wyn_pool_counters sum = {0};

	for (unsigned i = 0; i < wyn_threads_made(pool); i++) {
		add_thread(&sum, &pool->threads[i].counters);
	}
	for (unsigned i = 0; i < pool->config.workers; i++) {
		add_seat(&sum, pool, i);
	}
	sum.queued += wyn_injector_length(&pool->injector);
	/* Also what nobody has taken yet. */
	sum.injected = wyn_injector_pushed(&pool->injector);
	sum.unfinished = wyn_pool_unfinished(pool);
	/* What was queued at that look may have run since. */
	if (sum.queued > sum.unfinished) {
		sum.queued = sum.unfinished;
	}
	sum.workers = wyn_pool_workers(pool);
	*ret_counters = sum;
}

bool wyn_pool_worker_counters(struct wyn_pool *pool, unsigned worker,
	struct wyn_pool_counters *ret_counters)
{
	struct wyn_pool_counters one = {0};
	unsigned workers = wyn_pool_workers(pool);
	unsigned made = wyn_threads_made(pool);

	if (worker < workers) {
		one.workers = 1;
		add_seat(&one, pool, worker);
	} else if (worker - workers < made - pool->config.workers) {
		/* Spares come after all workers that were asked for. */
		worker += pool->config.workers - workers;
	} else {
		return false;
	}
	add_thread(&one, &pool->threads[worker].counters);
	*ret_counters = one;
	return true;
}
