// SPDX-License-Identifier: MIT
/*
 * test_block.c - blocking sections and the spares that stand in.
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

#define SPARES 2u
#define ROUNDS 300u

static struct wyn_pool *pool;
static struct latch latch, started;

static int block_setup(void **state)
{
	struct wyn_pool_config config;

	(void)state;
	latch_init(&latch);
	latch_init(&started);
	wyn_pool_config_init(&config);
	config.workers = 1;
	config.spare_max = SPARES;
	pool = pool_started_as(&config);
	return 0;
}

static int block_teardown(void **state)
{
	(void)state;
	pool_ended(pool);
	latch_fini(&started);
	latch_fini(&latch);
	return 0;
}

static int wait_in_section(void *arg, struct wyn_value *ret_value)
{
	int r = wyn_block_begin();

	(void)arg;
	(void)ret_value;
	latch_open(&started);
	if (r == 0) {
		latch_wait(&latch);
		wyn_block_end();
	}
	return r;
}

static int open_latch(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	(void)ret_value;
	latch_open(&latch);
	return 0;
}

static struct wyn_future *spawned(wyn_task_fn *fn)
{
	struct wyn_future *future = NULL;

	assert_int_equal(wyn_pool_spawn(pool, fn, NULL, NULL, &future), 0);
	return future;
}

static int outcome(struct wyn_future *future)
{
	int r = wyn_future_await(future, NULL);

	wyn_future_drop(future);
	return r;
}

static void block_lets_another_run_when_one_worker(void **state)
{
	struct wyn_future *waiting = spawned(wait_in_section);
	struct wyn_future *opening = spawned(open_latch);

	(void)state;
	assert_int_equal(outcome(waiting), 0);
	assert_int_equal(outcome(opening), 0);
}

static void block_does_nothing_when_outside(void **state)
{
	(void)state;
	assert_int_equal(wyn_block_begin(), 0);
	wyn_block_end();
}

static void block_is_refused_when_no_spare_is_left(void **state)
{
	struct wyn_future *waiting[SPARES];
	struct wyn_future *refused;

	(void)state;
	for (unsigned i = 0; i < SPARES; i++) {
		waiting[i] = spawned(wait_in_section);
	}
	latch_wait_for(&started, SPARES);
	refused = spawned(wait_in_section);

	assert_int_equal(outcome(refused), -EDEADLK);
	latch_open(&latch);
	for (unsigned i = 0; i < SPARES; i++) {
		assert_int_equal(outcome(waiting[i]), 0);
	}
}

static int nested_sections(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	(void)ret_value;
	for (unsigned i = 0; i < 3; i++) {
		if (wyn_block_begin() < 0) {
			return -EIO;
		}
	}
	for (unsigned i = 0; i < 3; i++) {
		wyn_block_end();
	}
	return 0;
}

static void block_lends_once_when_nested(void **state)
{
	struct wyn_pool_counters counters;

	(void)state;
	assert_int_equal(outcome(spawned(nested_sections)), 0);

	wyn_pool_counters(pool, &counters);
	assert_int_equal(counters.lent, 1);
}

static int section_then_await(void *arg, struct wyn_value *ret_value)
{
	struct wyn_future *child;
	int r;

	(void)arg;
	(void)ret_value;
	if (wyn_block_begin() < 0) {
		return -EIO;
	}
	wyn_block_end();
	if (wyn_pool_spawn(pool, open_latch, NULL, NULL, &child) < 0) {
		return -EIO;
	}
	r = wyn_future_await(child, NULL);
	wyn_future_drop(child);
	return r;
}

static void block_leaves_await_working_when_ended(void **state)
{
	(void)state;
	assert_int_equal(outcome(spawned(section_then_await)), 0);
}

static void block_reuses_spares_when_repeated(void **state)
{
	struct wyn_pool_counters counters;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		assert_int_equal(outcome(spawned(section_then_await)), 0);
	}

	wyn_pool_counters(pool, &counters);
	assert_int_equal(counters.lent, ROUNDS);
}

static int timed_await(void *arg, struct wyn_value *ret_value)
{
	struct wyn_future *child;
	int r;

	(void)arg;
	(void)ret_value;
	if (wyn_pool_spawn(pool, wait_in_section, NULL, NULL, &child) < 0) {
		return -EIO;
	}
	r = wyn_future_await_until(child, deadline_in_ms(2), NULL);
	latch_open(&latch);
	if (r == -ETIMEDOUT) {
		r = wyn_future_await(child, NULL) == 0 ? -ETIMEDOUT : -EIO;
	}
	wyn_future_drop(child);
	return r;
}

static void await_times_out_when_inside_a_task(void **state)
{
	(void)state;
	assert_int_equal(outcome(spawned(timed_await)), -ETIMEDOUT);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, block_setup, block_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(block_lets_another_run_when_one_worker),
		TEST(block_does_nothing_when_outside),
		TEST(block_is_refused_when_no_spare_is_left),
		TEST(block_lends_once_when_nested),
		TEST(block_leaves_await_working_when_ended),
		TEST(block_reuses_spares_when_repeated),
		TEST(await_times_out_when_inside_a_task),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
