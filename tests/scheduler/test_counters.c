// SPDX-License-Identifier: MIT
/*
 * test_counters.c - what a pool and each of its threads have done.
 */
#include <wyn/counters.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <wyn/future.h>

#include "tests/support/latch.h"
#include "tests/support/pool.h"

#define TASKS	3000u
#define WORKERS 3u

static struct wyn_pool *pool;
static struct latch latch;

static int counters_setup(void **state)
{
	(void)state;
	latch_init(&latch);
	return 0;
}

static int counters_teardown(void **state)
{
	(void)state;
	wyn_pool_destroy(pool);
	latch_fini(&latch);
	return 0;
}

static void wait_latch(void *arg)
{
	latch_wait(arg);
}

static int nothing(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	(void)ret_value;
	return 0;
}

static void spawn(void *arg)
{
	struct wyn_future *future;

	if (wyn_block_begin() == 0) {
		wyn_block_end();
	}
	for (uintptr_t i = 0; i < (uintptr_t)arg; i++) {
		if (wyn_pool_spawn(pool, nothing, NULL, NULL, &future) < 0) {
			abort();
		}
		(void)wyn_future_cancel(future);
		wyn_future_drop(future);
	}
}

static void pool_counts_everything_when_read(void **state)
{
	struct wyn_pool_counters counters;

	(void)state;
	pool = pool_started(1);
	assert_int_equal(wyn_pool_spawn_detached(pool, wait_latch, &latch), 0);
	assert_int_equal(wyn_pool_spawn_detached(pool, wait_latch, &latch), 0);
	wyn_pool_counters(pool, &counters);
	assert_int_equal(counters.unfinished, 2);
	assert_int_equal(counters.workers, 1);
	latch_open(&latch);
	assert_int_equal(wyn_pool_drain(pool, WYN_DEADLINE_NONE), 0);

	wyn_pool_counters(pool, &counters);
	assert_int_equal(counters.run, 2);
	assert_int_equal(counters.injected, 2);
	assert_int_equal(counters.queued, 0);
	assert_int_equal(counters.unfinished, 0);
}

/* Sums over the threads; returns how many there are. */
static unsigned sum_up(struct wyn_pool_counters *ret_sum)
{
	struct wyn_pool_counters one;
	unsigned n = 0;

	*ret_sum = (struct wyn_pool_counters){0};
	while (wyn_pool_worker_counters(pool, n, &one)) {
		ret_sum->run += one.run;
		ret_sum->cancelled += one.cancelled;
		ret_sum->stolen += one.stolen;
		ret_sum->injected += one.injected;
		ret_sum->parked += one.parked;
		ret_sum->woken += one.woken;
		ret_sum->helped += one.helped;
		ret_sum->lent += one.lent;
		ret_sum->queued += one.queued;
		ret_sum->workers += one.workers;
		n++;
	}
	return n;
}

static void workers_sum_up_to_their_pool_when_drained(void **state)
{
	struct wyn_pool_counters sum, counters;

	(void)state;
	pool = pool_started(WORKERS);
	for (unsigned i = 0; i < WORKERS; i++) {
		assert_int_equal(wyn_pool_spawn_detached(
					 pool, spawn, (void *)(uintptr_t)TASKS),
			0);
	}
	assert_int_equal(wyn_pool_drain(pool, WYN_DEADLINE_NONE), 0);

	wyn_pool_counters(pool, &counters);
	assert_true(sum_up(&sum) > WORKERS); /* spares */
	assert_int_equal(sum.run, counters.run);
	assert_int_equal(sum.cancelled, counters.cancelled);
	assert_int_equal(sum.run + sum.cancelled, WORKERS * (TASKS + 1));
	assert_int_equal(sum.stolen, counters.stolen);
	assert_int_equal(sum.injected, counters.injected);
	assert_int_equal(sum.helped, counters.helped);
	assert_int_equal(sum.lent, WORKERS);
	assert_int_equal(sum.queued, 0);
	assert_int_equal(sum.workers, WORKERS);
}

static void worker_counts_its_own_when_asked(void **state)
{
	struct wyn_pool_counters counters;

	(void)state;
	pool = pool_started(1);
	assert_false(wyn_pool_worker_counters(pool, 1, &counters));
	assert_int_equal(wyn_pool_spawn_detached(pool, wait_latch, &latch), 0);
	latch_open(&latch);
	assert_int_equal(wyn_pool_wait_until(pool, WYN_DEADLINE_NONE), 0);

	assert_true(wyn_pool_worker_counters(pool, 0, &counters));
	assert_int_equal(counters.run, 1);
	assert_int_equal(counters.injected, 1);
	assert_int_equal(counters.unfinished, 0);
	assert_int_equal(counters.workers, 1);
}

static void nobody_has_counted_when_not_started(void **state)
{
	struct wyn_pool_counters counters;

	(void)state;
	assert_int_equal(wyn_pool_create(NULL, &pool), 0);
	assert_false(wyn_pool_worker_counters(pool, 0, &counters));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, counters_setup, counters_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pool_counts_everything_when_read),
		TEST(workers_sum_up_to_their_pool_when_drained),
		TEST(worker_counts_its_own_when_asked),
		TEST(nobody_has_counted_when_not_started),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
