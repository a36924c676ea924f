// SPDX-License-Identifier: MIT
/*
 * test_worker.c - what a worker runs next, and whom it wakes.
 */
#include <wyn/pool.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "scheduler/thread.h"
#include "tests/support/latch.h"
#include "tests/support/pool.h"

#define WORKERS	     4u
#define MEETINGS     200u
#define RENEWALS_MAX 1000000u
#define QUICK	     100u
#define CHILDREN     500u

static _Atomic uint64_t sum;
static bool stopped; /* by the only worker */
static struct latch latch;

static int worker_test_setup(void **state)
{
	(void)state;
	sum = 0;
	stopped = false;
	latch_init(&latch);
	return 0;
}

static int worker_test_teardown(void **state)
{
	(void)state;
	latch_fini(&latch);
	return 0;
}

static void meet_all(void *arg)
{
	latch_open(&latch);
	latch_wait_for(&latch, (unsigned)(uintptr_t)arg);
}

static void workers_wake_each_other_when_a_batch_needs_them(void **state)
{
	struct wyn_pool *pool = pool_started(WORKERS);
	void *args[WORKERS];

	(void)state;
	for (unsigned i = 1; i <= MEETINGS; i++) {
		for (unsigned j = 0; j < WORKERS; j++) {
			args[j] = (void *)(uintptr_t)(i * WORKERS);
		}
		assert_int_equal(wyn_pool_spawn_detached_batch(
					 pool, meet_all, args, WORKERS),
			0);
		latch_wait_for(&latch, i * WORKERS);
	}
	pool_ended(pool);
}

static void in_turn(void *arg)
{
	/* One worker, so nothing runs between the two. */
	if (sum == (uintptr_t)arg) {
		sum++;
	}
}

static void worker_runs_oldest_first_when_injected(void **state)
{
	struct wyn_pool *pool;
	struct wyn_pool_config config;
	void *args[50];

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 1;
	assert_int_equal(wyn_pool_create(&config, &pool), 0);
	for (uintptr_t i = 0; i < WYN_COUNT_OF(args); i++) {
		args[i] = (void *)i;
	}
	assert_int_equal(wyn_pool_spawn_detached_batch(
				 pool, in_turn, args, WYN_COUNT_OF(args)),
		0);
	assert_int_equal(wyn_pool_start(pool), 0);
	pool_ended(pool);

	assert_int_equal(sum, WYN_COUNT_OF(args));
}

/* Renews itself in its worker's deque, where it is always the newest, until it
 * has been stopped. */
static void renew(void *arg)
{
	if (!stopped && sum < RENEWALS_MAX) {
		sum++;
		if (wyn_pool_spawn_detached(arg, renew, arg) < 0) {
			abort();
		}
	}
}

static void stop(void *unused)
{
	(void)unused;
	stopped = true;
}

static void stop_from_the_injector(void *arg)
{
	/* A batch goes there, from inside too. */
	if (wyn_pool_spawn_detached_batch(arg, stop, &arg, 1) < 0) {
		abort();
	}
	renew(arg);
}

static void stop_from_the_old_end(void *arg)
{
	if (wyn_pool_spawn_detached(arg, stop, NULL) < 0) {
		abort();
	}
	renew(arg);
}

static void stops_soon(void (*fn)(void *arg))
{
	struct wyn_pool *pool = pool_started(1);

	assert_int_equal(wyn_pool_spawn_detached(pool, fn, pool), 0);
	pool_ended(pool);
	assert_true(stopped);
	assert_in_range(sum, 1, 200);
}

static void worker_comes_to_the_injector_when_busy_by_itself(void **state)
{
	(void)state;
	stops_soon(stop_from_the_injector);
}

static void worker_comes_to_its_oldest_when_busy_with_newer(void **state)
{
	(void)state;
	stops_soon(stop_from_the_old_end);
}

static void run_one(void *unused)
{
	(void)unused;
	sum++;
}

/* The running task seems to have helped with many tiny ones of its own: that is
 * when a worker does not come to the queues. */
static void be_quick(void)
{
	struct wyn_counters *counters = &wyn_thread_self()->counters;

	wyn_counter_add(&counters->spawned, QUICK);
	wyn_counter_add(&counters->finished, QUICK);
}

/* Each child comes to the other worker at another moment of its search. */
static void be_quick_beside_a_child(void *arg)
{
	void *unused = NULL;

	for (unsigned i = 0; i < CHILDREN; i++) {
		for (unsigned j = 0; j < i; j++) {
			be_quick();
		}
		assert_int_equal(
			i % 2 == 0 ? wyn_pool_spawn_detached(arg, run_one, NULL)
				   : wyn_pool_spawn_detached_batch(
					     arg, run_one, &unused, 1),
			0);
		while (sum <= i) {
			be_quick();
		}
	}
}

static void worker_comes_to_work_when_quick_ones_pass_it_by(void **state)
{
	struct wyn_pool *pool = pool_started(2);

	(void)state;
	assert_int_equal(
		wyn_pool_spawn_detached(pool, be_quick_beside_a_child, pool),
		0);
	pool_ended(pool);
	assert_int_equal(sum, CHILDREN);
}

#define TEST(name)                       \
	cmocka_unit_test_setup_teardown( \
		name, worker_test_setup, worker_test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(workers_wake_each_other_when_a_batch_needs_them),
		TEST(worker_runs_oldest_first_when_injected),
		TEST(worker_comes_to_the_injector_when_busy_by_itself),
		TEST(worker_comes_to_its_oldest_when_busy_with_newer),
		TEST(worker_comes_to_work_when_quick_ones_pass_it_by),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
