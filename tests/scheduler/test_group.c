// SPDX-License-Identifier: MIT
/*
 * test_group.c - waiting for many, the first error, cancelling all.
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

#define MANY   5000u
#define ROUNDS 2000u

static struct wyn_pool *pool;
static struct latch latch, started;
static _Atomic unsigned runs;

static int group_setup(void **state)
{
	(void)state;
	runs = 0;
	latch_init(&latch);
	latch_init(&started);
	pool = pool_started(1);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	pool_ended(pool);
	latch_fini(&started);
	latch_fini(&latch);
	return 0;
}

static int count(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	(void)ret_value;
	runs++;
	return 0;
}

static int refuse(void *arg, struct wyn_value *ret_value)
{
	(void)ret_value;
	return -(int)(uintptr_t)arg;
}

static int hold(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	(void)ret_value;
	latch_open(&started);
	latch_wait(&latch);
	return wyn_task_cancelled() ? -EINTR : 0;
}

static void group_returns_at_once_when_empty(void **state)
{
	struct wyn_group group;

	(void)state;
	wyn_group_init(&group, pool);

	assert_int_equal(wyn_group_wait(&group), 0);
}

static void group_waits_for_all_when_many(void **state)
{
	struct wyn_group group;

	(void)state;
	wyn_group_init(&group, pool);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(wyn_group_spawn(&group, count, NULL), 0);
	}

	assert_int_equal(wyn_group_wait(&group), 0);

	assert_int_equal(runs, MANY);
}

static void group_gives_first_error_when_several(void **state)
{
	struct wyn_group group;

	(void)state;
	wyn_group_init(&group, pool);
	assert_int_equal(wyn_group_spawn(&group, count, NULL), 0);
	assert_int_equal(wyn_group_spawn(&group, refuse, (void *)EIO), 0);
	assert_int_equal(wyn_group_spawn(&group, refuse, (void *)EPERM), 0);

	assert_int_equal(wyn_group_wait(&group), -EIO);
	assert_int_equal(wyn_group_wait(&group), -EIO);
}

static void group_times_out_when_one_runs_on(void **state)
{
	struct wyn_group group;

	(void)state;
	wyn_group_init(&group, pool);
	assert_int_equal(wyn_group_spawn(&group, hold, NULL), 0);

	assert_int_equal(wyn_group_wait_until(&group, 0), -ETIMEDOUT);
	assert_int_equal(
		wyn_group_wait_until(&group, deadline_in_ms(1)), -ETIMEDOUT);
	latch_open(&latch);
	assert_int_equal(wyn_group_wait(&group), 0);
}

static void group_runs_nothing_more_when_cancelled(void **state)
{
	struct wyn_group group;

	(void)state;
	wyn_group_init(&group, pool);
	assert_int_equal(wyn_group_spawn(&group, hold, NULL), 0);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(wyn_group_spawn(&group, count, NULL), 0);
	}
	latch_wait(&started);
	wyn_group_cancel(&group);
	latch_open(&latch);

	/* The one that runs sees the request, and its error is the first. */
	assert_int_equal(wyn_group_wait(&group), -EINTR);
	assert_int_equal(runs, 0);
	assert_int_equal(wyn_group_spawn(&group, count, NULL), -ECANCELED);
}

static void group_counts_once_when_future_is_cancelled(void **state)
{
	struct wyn_spawn_options options;
	struct wyn_future *futures[2];
	struct wyn_group group;

	(void)state;
	wyn_group_init(&group, pool);
	options = (struct wyn_spawn_options){.group = &group};
	assert_int_equal(
		wyn_pool_spawn(pool, hold, NULL, &options, &futures[0]), 0);
	assert_int_equal(
		wyn_pool_spawn(pool, count, NULL, &options, &futures[1]), 0);
	latch_wait(&started);

	assert_true(wyn_future_cancel(futures[1]));
	latch_open(&latch);
	assert_int_equal(wyn_group_wait(&group), -ECANCELED);
	assert_int_equal(runs, 0);
	wyn_future_drop(futures[0]);
	wyn_future_drop(futures[1]);
}

static int wait_inside(void *arg, struct wyn_value *ret_value)
{
	struct wyn_group group;
	int r;

	wyn_group_init(&group, pool);
	for (uintptr_t i = 0; i < (uintptr_t)arg; i++) {
		if (wyn_group_spawn(&group, count, NULL) < 0) {
			abort();
		}
	}
	r = wyn_group_wait(&group);
	ret_value->u64[0] = runs;
	return r;
}

static void group_waits_when_inside_a_task(void **state)
{
	struct wyn_future *future;
	struct wyn_value value;

	(void)state;
	assert_int_equal(
		wyn_pool_spawn(pool, wait_inside, (void *)100, NULL, &future),
		0);

	assert_int_equal(wyn_future_await(future, &value), 0);
	assert_int_equal(value.u64[0], 100);
	wyn_future_drop(future);
}

static void group_may_go_when_wait_returned(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct wyn_group *group = malloc(sizeof(*group));

		assert_non_null(group);
		wyn_group_init(group, pool);
		assert_int_equal(wyn_group_spawn(group, count, NULL), 0);
		assert_int_equal(wyn_group_spawn(group, count, NULL), 0);
		assert_int_equal(wyn_group_wait(group), 0);
		free(group);
	}
	assert_int_equal(runs, 2 * ROUNDS);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, group_setup, group_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(group_returns_at_once_when_empty),
		TEST(group_waits_for_all_when_many),
		TEST(group_gives_first_error_when_several),
		TEST(group_times_out_when_one_runs_on),
		TEST(group_runs_nothing_more_when_cancelled),
		TEST(group_counts_once_when_future_is_cancelled),
		TEST(group_waits_when_inside_a_task),
		TEST(group_may_go_when_wait_returned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
