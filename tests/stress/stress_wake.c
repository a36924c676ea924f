// SPDX-License-Identifier: MIT
/*
 * stress_wake.c - lost wake-ups: meetings on empty queues.
 *
 *	stress_wake [SECONDS [SEED]]
 *
 * One task at a time into a pool that is just falling asleep, from outside,
 * from inside, and back through an armed sink. Nothing else would wake the
 * sleeper, so a lost wake-up shows as a meeting that never takes place, which
 * the back-stop sees. No wait here has a deadline, since a wait that ends by
 * its deadline looks once more, and would find what it was not woken for.
 * With STRESS_LONG_S or more it goes on until MEETINGS_LONG, if need be.
 */
#include <wyn/future.h>

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "base/prng.h"
#include "tests/support/latch.h"
#include "tests/support/stress.h"

#define SPIN_MAX      3000u
#define PER_ROUND     500u
#define KINDS	      5u /* of meetings in a round */
#define MEETINGS_LONG UINT64_C(1000000)
#define WORKERS_MAX   8u

static struct wyn_pool *pool;
static struct stress stress;
static struct latch woken, together;
static unsigned wakes;
static struct wyn_sink sink;

/* Moves the next meeting to another moment of the worker's way to sleep. */
static void dawdle(uint64_t random)
{
	for (volatile unsigned i = 0; i < random % SPIN_MAX; i++) {
	}
}

static int nothing(void *arg, struct wyn_value *ret_value)
{
	dawdle((uintptr_t)arg);
	(void)ret_value;
	return 0;
}

/* A task that awaits another inside: its seat sleeps for the future. */
static int meet_inside(void *arg, struct wyn_value *ret_value)
{
	uint64_t random = (uintptr_t)arg;
	struct wyn_future *child;

	(void)ret_value;
	require(wyn_pool_spawn(pool, nothing, (void *)(random >> 16), NULL,
			&child) == 0);
	dawdle(random);
	require(wyn_future_await(child, NULL) == 0);
	wyn_future_drop(child);
	return 0;
}

static void meet(wyn_task_fn *fn)
{
	uint64_t random = wyn_prng_next(&stress.prng) >> 1;
	struct wyn_future *future;

	require(wyn_pool_spawn(pool, fn, (void *)random, NULL, &future) == 0);
	dawdle(random >> 32);
	require(wyn_future_await(future, NULL) == 0);
	wyn_future_drop(future);
	dawdle(random >> 48);
}

static bool is_quiet(void)
{
	struct wyn_pool_counters counters;

	wyn_pool_counters(pool, &counters);
	return counters.unfinished == 0;
}

/* Waits until as many tasks run as there are workers. */
static void meet_all(void *arg)
{
	latch_open(&together);
	latch_wait_for(&together, *(unsigned *)arg);
}

/* The same out of one deque, item by item. */
static void meet_family(void *arg)
{
	for (unsigned i = 1; i < *(unsigned *)arg; i++) {
		require(wyn_pool_spawn_detached(pool, meet_all, arg) == 0);
	}
	meet_all(arg);
}

/* One batch and one wake for it: the chain of wakes has to do the rest. */
static void meet_everyone(unsigned *workers, bool family)
{
	void *args[WORKERS_MAX];

	for (unsigned i = 0; i < *workers; i++) {
		args[i] = workers;
	}
	latch_init(&together);
	if (family) {
		require(wyn_pool_spawn_detached(pool, meet_family, workers) ==
			0);
	} else {
		require(wyn_pool_spawn_detached_batch(
				pool, meet_all, args, *workers) == 0);
	}
	latch_wait_for(&together, *workers);
	/* Gone to sleep or nearly so, and nobody holds the latch. */
	while (!is_quiet()) {
		sched_yield();
	}
	latch_fini(&together);
}

static void wake(struct wyn_sink *which)
{
	(void)which;
	latch_open(&woken);
}

static void run_job(struct wyn_job *job)
{
	(void)job;
}

static void meet_sink(void)
{
	struct wyn_job job = {.run = run_job, .sink = &sink};
	struct wyn_job *jobs[] = {&job};

	require(wyn_pool_submit_batch(pool, jobs, 1) == 0);
	dawdle(wyn_prng_next(&stress.prng));
	while (wyn_sink_drain(&sink) != &job) {
		if (wyn_sink_arm(&sink)) {
			latch_wait_for(&woken, ++wakes);
		}
	}
}

static void round_run(unsigned workers, unsigned spin_max)
{
	struct wyn_pool_config config;

	wyn_pool_config_init(&config);
	config.workers = workers;
	config.spin_max = spin_max;
	require(wyn_pool_create(&config, &pool) == 0);
	require(wyn_pool_start(pool) == 0);
	stress_watch(pool);
	latch_init(&woken);
	wyn_sink_init(&sink, wake);
	wakes = 0;
	for (unsigned i = 0; i < PER_ROUND; i++) {
		meet(nothing);
		meet(meet_inside);
		meet_sink();
		meet_everyone(&workers, false);
		meet_everyone(&workers, true);
	}
	require(wyn_pool_drain(pool, WYN_DEADLINE_NONE) == 0);
	stress_watch(NULL);
	wyn_pool_destroy(pool);
	latch_fini(&woken);
}

/* Meetings that one run must have had. */
static uint64_t meetings_min(void)
{
	return stress.seconds >= STRESS_LONG_S ? MEETINGS_LONG : 0;
}

int main(int argc, char **argv)
{
	static const unsigned workers[] = {1, 2, 3, WORKERS_MAX};
	uint64_t rounds = 0, meetings = 0;

	stress_begin(&stress, argc, argv);
	do {
		stress_on_one_cpu(wyn_prng_below(&stress.prng, 4) == 0);
		round_run(workers[rounds % WYN_COUNT_OF(workers)],
			(rounds / WYN_COUNT_OF(workers)) % 2 * 50);
		rounds++;
		meetings = rounds * PER_ROUND * KINDS;
	} while (meetings < meetings_min() || stress_goes_on(&stress));
	printf("stress_wake: %llu meetings, no wake-up lost\n",
		(unsigned long long)meetings);
	return 0;
}
