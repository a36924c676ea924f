// SPDX-License-Identifier: MIT
/*
 * test_spawn.c - the ways in, from outside and from inside.
 */
#include <wyn/future.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/support/latch.h"
#include "tests/support/pool.h"

#define NESTED_FAN   10u
#define NESTED_DEPTH 4u
#define OVERFLOW     5000u

static _Atomic uint64_t sum;
static struct latch latch;
static struct wyn_pool *nested_pool;

static int spawn_test_setup(void **state)
{
	(void)state;
	sum = 0;
	latch_init(&latch);
	return 0;
}

static int spawn_test_teardown(void **state)
{
	(void)state;
	latch_fini(&latch);
	return 0;
}

static void add(void *arg)
{
	sum += (uintptr_t)arg;
}

static void spawn_waits_when_before_the_start(void **state)
{
	struct wyn_pool *pool;

	(void)state;
	assert_int_equal(wyn_pool_create(NULL, &pool), 0);
	assert_int_equal(wyn_pool_spawn_detached(pool, add, (void *)5), 0);
	assert_int_equal(wyn_pool_start(pool), 0);
	pool_ended(pool);

	assert_int_equal(sum, 5);
}

static void open_latch(void *arg)
{
	latch_open(arg);
}

static void spawn_is_enough_when_spawner_never_calls_again(void **state)
{
	struct wyn_pool *pool = pool_started(2);

	(void)state;
	assert_int_equal(wyn_pool_spawn_detached(pool, open_latch, &latch), 0);

	latch_wait(&latch);
	pool_ended(pool);
}

static void spawn_accepts_nothing_when_batch_is_empty(void **state)
{
	struct wyn_pool *pool = pool_started(1);
	struct wyn_pool_counters counters;

	(void)state;
	assert_int_equal(wyn_pool_spawn_detached_batch(pool, add, NULL, 0), 0);
	wyn_pool_counters(pool, &counters);
	assert_int_equal(counters.injected, 0);
	pool_ended(pool);
}

static void nest(void *arg)
{
	uintptr_t depth = (uintptr_t)arg;

	sum++;
	for (unsigned i = 0; depth > 0 && i < NESTED_FAN; i++) {
		if (wyn_pool_spawn_detached(
			    nested_pool, nest, (void *)(depth - 1)) < 0) {
			abort();
		}
	}
}

static void spawn_runs_all_when_tasks_spawn(void **state)
{
	(void)state;
	nested_pool = pool_started(3);
	assert_int_equal(wyn_pool_spawn_detached(nested_pool, nest,
				 (void *)(uintptr_t)NESTED_DEPTH),
		0);
	pool_ended(nested_pool);

	assert_int_equal(sum, 1 + 10 + 100 + 1000 + 10000);
}

static void spawn_many(void *arg)
{
	(void)arg;
	for (uintptr_t i = 1; i <= OVERFLOW; i++) {
		if (wyn_pool_spawn_detached(nested_pool, add, (void *)i) < 0) {
			abort();
		}
	}
}

static void spawn_runs_all_when_deque_overflows(void **state)
{
	struct wyn_pool_counters counters;

	(void)state;
	nested_pool = pool_started(1);
	assert_int_equal(
		wyn_pool_spawn_detached(nested_pool, spawn_many, NULL), 0);
	assert_int_equal(wyn_pool_drain(nested_pool, WYN_DEADLINE_NONE), 0);
	wyn_pool_counters(nested_pool, &counters);
	wyn_pool_destroy(nested_pool);

	assert_int_equal(sum, OVERFLOW * (OVERFLOW + 1) / 2);
	assert_int_equal(counters.run, OVERFLOW + 1);
	assert_true(counters.injected > 1);
}

static void wait_latch(void *arg)
{
	latch_wait(arg);
}

static void spawn_is_refused_when_in_flight_max(void **state)
{
	void *args[2] = {&latch, &latch};
	struct wyn_pool_config config;
	struct wyn_pool *pool;

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 1;
	config.in_flight_max = 2;
	pool = pool_started_as(&config);
	assert_int_equal(wyn_pool_spawn_detached(pool, wait_latch, &latch), 0);

	assert_int_equal(
		wyn_pool_spawn_detached_batch(pool, wait_latch, args, 2),
		-EAGAIN);
	assert_int_equal(wyn_pool_spawn_detached(pool, wait_latch, &latch), 0);
	assert_int_equal(
		wyn_pool_spawn_detached(pool, wait_latch, &latch), -EAGAIN);
	latch_open(&latch);
	pool_ended(pool);
}

static int wait_with_value(void *arg, struct wyn_value *ret_value)
{
	(void)ret_value;
	latch_wait(arg);
	return 0;
}

static void spawn_of_a_value_is_refused_when_in_flight_max(void **state)
{
	struct wyn_future *future, *none = NULL;
	struct wyn_pool_config config;
	struct wyn_group group;
	struct wyn_pool *pool;

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 1;
	config.in_flight_max = 1;
	pool = pool_started_as(&config);
	wyn_group_init(&group, pool);
	assert_int_equal(
		wyn_pool_spawn(pool, wait_with_value, &latch, NULL, &future),
		0);

	assert_int_equal(
		wyn_pool_spawn(pool, wait_with_value, &latch, NULL, &none),
		-EAGAIN);
	assert_null(none);
	assert_int_equal(
		wyn_group_spawn(&group, wait_with_value, &latch), -EAGAIN);
	assert_int_equal(wyn_group_wait(&group), 0);
	latch_open(&latch);
	/* Whoever saw the end has its place in flight back. */
	assert_int_equal(wyn_future_await(future, NULL), 0);
	wyn_future_drop(future);
	assert_int_equal(wyn_group_spawn(&group, wait_with_value, &latch), 0);
	assert_int_equal(wyn_group_wait(&group), 0);
	pool_ended(pool);
}

#define TEST(name)                       \
	cmocka_unit_test_setup_teardown( \
		name, spawn_test_setup, spawn_test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(spawn_waits_when_before_the_start),
		TEST(spawn_is_enough_when_spawner_never_calls_again),
		TEST(spawn_accepts_nothing_when_batch_is_empty),
		TEST(spawn_runs_all_when_tasks_spawn),
		TEST(spawn_runs_all_when_deque_overflows),
		TEST(spawn_is_refused_when_in_flight_max),
		TEST(spawn_of_a_value_is_refused_when_in_flight_max),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
