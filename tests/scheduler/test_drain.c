// SPDX-License-Identifier: MIT
/*
 * test_drain.c - the end of a pool: in order, and too late.
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

#define EACH 1000u

static _Atomic uint64_t count;
static struct latch started, released;
static struct wyn_pool *pool;

static int drain_setup(void **state)
{
	(void)state;
	count = 0;
	latch_init(&started);
	latch_init(&released);
	pool = pool_started(2);
	return 0;
}

static int drain_teardown(void **state)
{
	(void)state;
	wyn_pool_destroy(pool);
	latch_fini(&started);
	latch_fini(&released);
	return 0;
}

static void tick(void *arg)
{
	(void)arg;
	count++;
}

static void hold(void *arg)
{
	(void)arg;
	latch_open(&started);
	latch_wait(&released);
}

static void drain_returns_at_once_when_idle(void **state)
{
	(void)state;
	assert_int_equal(wyn_pool_drain(pool, 0), 0);
	assert_int_equal(wyn_pool_drain(pool, 0), 0);
}

static void drain_runs_everything_when_spawned_before(void **state)
{
	(void)state;
	for (unsigned i = 0; i < EACH; i++) {
		assert_int_equal(wyn_pool_spawn_detached(pool, tick, NULL), 0);
	}

	assert_int_equal(wyn_pool_drain(pool, WYN_DEADLINE_NONE), 0);

	assert_int_equal(count, EACH);
}

static void drain_refuses_outsiders_when_begun(void **state)
{
	struct wyn_future *future;
	struct wyn_group group;
	struct wyn_job job;
	struct wyn_job *jobs[] = {&job};
	void *args[] = {NULL};

	(void)state;
	assert_int_equal(wyn_pool_drain(pool, WYN_DEADLINE_NONE), 0);

	assert_int_equal(wyn_pool_spawn_detached(pool, tick, NULL), -ESHUTDOWN);
	assert_int_equal(
		wyn_pool_spawn_detached_batch(pool, tick, args, 1), -ESHUTDOWN);
	assert_int_equal(
		wyn_pool_spawn(pool, NULL, NULL, NULL, &future), -ESHUTDOWN);
	assert_int_equal(wyn_pool_submit_batch(pool, jobs, 1), -ESHUTDOWN);
	wyn_group_init(&group, pool);
	assert_int_equal(wyn_group_spawn(&group, NULL, NULL), -ESHUTDOWN);
	assert_int_equal(wyn_group_wait(&group), 0);
}

static void spawn_late(void *arg)
{
	(void)arg;
	latch_open(&started);
	latch_wait(&released);
	for (unsigned i = 0; i < EACH; i++) {
		if (wyn_pool_spawn_detached(pool, tick, NULL) < 0) {
			abort();
		}
	}
}

static void drain_runs_children_when_task_spawns_late(void **state)
{
	(void)state;
	assert_int_equal(wyn_pool_spawn_detached(pool, spawn_late, NULL), 0);
	latch_wait(&started);
	assert_int_equal(wyn_pool_drain(pool, 0), -ETIMEDOUT);
	latch_open(&released);

	assert_int_equal(wyn_pool_drain(pool, WYN_DEADLINE_NONE), 0);

	assert_int_equal(count, EACH);
}

static void drain_tells_what_is_left_when_time_is_over(void **state)
{
	struct wyn_pool_counters counters;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(wyn_pool_spawn_detached(pool, hold, NULL), 0);
	}
	latch_wait_for(&started, 2);
	for (unsigned i = 0; i < EACH; i++) {
		assert_int_equal(wyn_pool_spawn_detached(pool, tick, NULL), 0);
	}

	assert_int_equal(wyn_pool_drain(pool, deadline_in_ms(1)), -ETIMEDOUT);

	wyn_pool_counters(pool, &counters);
	assert_int_equal(counters.queued, EACH);
	assert_int_equal(counters.unfinished, EACH + 2);
	latch_open(&released);
	assert_int_equal(wyn_pool_drain(pool, WYN_DEADLINE_NONE), 0);
	assert_int_equal(count, EACH);
}

static void drain_gives_up_when_never_started(void **state)
{
	struct wyn_pool *idle;

	(void)state;
	assert_int_equal(wyn_pool_create(NULL, &idle), 0);
	assert_int_equal(wyn_pool_spawn_detached(idle, tick, NULL), 0);

	assert_int_equal(
		wyn_pool_wait_until(idle, WYN_DEADLINE_NONE), -ETIMEDOUT);
	assert_int_equal(wyn_pool_drain(idle, WYN_DEADLINE_NONE), -ETIMEDOUT);
	wyn_pool_destroy(idle);
	assert_int_equal(count, 0);
}

static int drain_inside(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	(void)ret_value;
	return wyn_pool_drain(pool, WYN_DEADLINE_NONE);
}

static void drain_refuses_when_inside_a_task(void **state)
{
	struct wyn_future *future;

	(void)state;
	assert_int_equal(
		wyn_pool_spawn(pool, drain_inside, NULL, NULL, &future), 0);

	assert_int_equal(wyn_future_await(future, NULL), -EDEADLK);
	wyn_future_drop(future);
}

static void destroy_forgets_queued_when_not_drained(void **state)
{
	struct wyn_pool *one = pool_started(1);

	(void)state;
	assert_int_equal(wyn_pool_spawn_detached(one, hold, NULL), 0);
	latch_wait(&started);
	assert_int_equal(wyn_pool_spawn_detached(one, tick, NULL), 0);
	latch_open(&released);

	/* It may still run it, but it returns, and leaks nothing. */
	wyn_pool_destroy(one);
	assert_true(count <= 1);
}

static void count_job(struct wyn_job *job)
{
	(void)job;
	count++;
}

/* The pool says nothing of them: they are the owner's again. */
static void destroy_leaves_jobs_to_their_owner_when_queued(void **state)
{
	struct wyn_sink sink;
	struct wyn_job jobs[EACH];
	struct wyn_job *array[EACH];
	struct wyn_pool *idle;

	(void)state;
	wyn_sink_init(&sink, NULL);
	for (unsigned i = 0; i < EACH; i++) {
		jobs[i] = (struct wyn_job){.run = count_job, .sink = &sink};
		array[i] = &jobs[i];
	}
	assert_int_equal(wyn_pool_create(NULL, &idle), 0);
	assert_int_equal(wyn_pool_submit_batch(idle, array, EACH), 0);
	wyn_pool_destroy(idle);

	assert_null(wyn_sink_drain(&sink));
	assert_int_equal(wyn_pool_submit_batch(pool, array, EACH), 0);
	assert_int_equal(wyn_pool_drain(pool, WYN_DEADLINE_NONE), 0);
	assert_int_equal(count, EACH);
	assert_non_null(wyn_sink_drain(&sink));
}

static int child_value(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	(void)ret_value;
	return 0;
}

/* Awaits a child of its own although the pool is being destroyed. */
static int await_in_ruins(void *arg, struct wyn_value *ret_value)
{
	struct wyn_future *future;
	int r;

	(void)ret_value;
	latch_open(&started);
	latch_wait(&released);
	r = wyn_pool_spawn(arg, child_value, NULL, NULL, &future);
	if (r == 0) {
		r = wyn_future_await(future, NULL);
		wyn_future_drop(future);
	}
	count += r == 0 || r == -ECANCELED;
	return r;
}

static void *destroy_main(void *arg)
{
	latch_open(&released);
	wyn_pool_destroy(arg);
	return NULL;
}

static void destroy_returns_when_tasks_await_meanwhile(void **state)
{
	enum {
		ROUNDS = 100
	};

	(void)state;
	for (unsigned i = 1; i <= ROUNDS; i++) {
		struct wyn_pool *doomed = pool_started(1 + i % 3);
		struct wyn_future *future;
		pthread_t thread;

		latch_fini(&released);
		latch_init(&released);
		assert_int_equal(wyn_pool_spawn(doomed, await_in_ruins, doomed,
					 NULL, &future),
			0);
		latch_wait_for(&started, i);
		pthread_create(&thread, NULL, destroy_main, doomed);
		pthread_join(thread, NULL);
		assert_int_equal(count, i);
	}
}

static void wait_returns_when_all_has_ended(void **state)
{
	(void)state;
	for (unsigned round = 1; round <= 100; round++) {
		for (unsigned i = 0; i < EACH; i++) {
			assert_int_equal(
				wyn_pool_spawn_detached(pool, tick, NULL), 0);
		}
		assert_int_equal(
			wyn_pool_wait_until(pool, WYN_DEADLINE_NONE), 0);
		assert_int_equal(count, round * EACH);
	}
}

static void wait_times_out_when_a_task_runs_on(void **state)
{
	(void)state;
	assert_int_equal(wyn_pool_spawn_detached(pool, hold, NULL), 0);
	latch_wait(&started);
	assert_int_equal(
		wyn_pool_wait_until(pool, deadline_in_ms(1)), -ETIMEDOUT);

	latch_open(&released);

	assert_int_equal(wyn_pool_wait_until(pool, WYN_DEADLINE_NONE), 0);
	/* And the pool goes on. */
	assert_int_equal(wyn_pool_spawn_detached(pool, tick, NULL), 0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, drain_setup, drain_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(drain_returns_at_once_when_idle),
		TEST(drain_runs_everything_when_spawned_before),
		TEST(drain_refuses_outsiders_when_begun),
		TEST(drain_runs_children_when_task_spawns_late),
		TEST(drain_tells_what_is_left_when_time_is_over),
		TEST(drain_gives_up_when_never_started),
		TEST(drain_refuses_when_inside_a_task),
		TEST(wait_returns_when_all_has_ended),
		TEST(wait_times_out_when_a_task_runs_on),
		TEST(destroy_forgets_queued_when_not_drained),
		TEST(destroy_leaves_jobs_to_their_owner_when_queued),
		TEST(destroy_returns_when_tasks_await_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
