// SPDX-License-Identifier: MIT
/*
 * test_faults.c - memory, threads and sleeps that fail at the n-th call.
 *
 * One scenario, from create to destroy, runs for n = 1, 2, ... until it makes
 * fewer than n calls: each function either succeeds or gives the error that its
 * header names, what was accepted runs once, nothing hangs, nothing is left.
 */
#include <wyn/future.h>

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <wyn/combine.h>
#include <wyn/forkjoin.h>

#include "scheduler/fence.h"
#include "tests/support/faults.h"
#include "tests/support/stress.h"

#define WORKERS	   3u
#define SPARES	   4u
#define LEAVES	   300u
#define BATCH	   20000u /* more than two blocks of the injector hold */
#define BURST	   1300u  /* more than a deque holds */
#define FUTURES	   320u	  /* more than a slab holds */
#define GROUP	   300u
#define INPUTS	   40u /* more than fit into a slot of a slab */
#define JOBS	   10u
#define SLEEPS_MAX 100u /* how many there are is for the machine to say */

static struct wyn_pool *pool;
static struct wyn_group group;
static _Atomic unsigned begun; /* tasks that were accepted */
static _Atomic unsigned ended;

/* Whether a spawn of n tasks was accepted. */
static bool accepted(int r, unsigned n)
{
	require(r == 0 || (r == -ENOMEM && fault_armed() == FAULT_MEMORY));
	begun += r == 0 ? n : 0;
	return r == 0;
}

static void leaf(void *unused)
{
	(void)unused;
	ended++;
}

static int leaf_with_value(void *arg, struct wyn_value *ret_value)
{
	ret_value->ptr[0] = arg;
	ended++;
	return 0;
}

static void leaf_job(struct wyn_job *job)
{
	(void)job;
	ended++;
}

/* Overflows its deque. */
static void burst(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < BURST; i++) {
		accepted(wyn_pool_spawn_detached(pool, leaf, NULL), 1);
	}
	ended++;
}

static int leaf_of_all(
	void *arg, struct wyn_value value, struct wyn_value *ret_value)
{
	(void)arg;
	ret_value->u64[0] = value.u64[1];
	ended++;
	return 0;
}

static void leaf_fork(struct wyn_forker *forker, struct wyn_fork *fork)
{
	(void)forker;
	(void)fork;
	ended++;
}

static void fork_and_join(void)
{
	struct wyn_forker *forker = wyn_forker_self();
	struct wyn_fork fork;

	begun++;
	wyn_fork(forker, &fork, leaf_fork);
	wyn_join(forker, &fork);
}

/* Blocks, and awaits a child without helping it: spares for both. */
static int parent(void *arg, struct wyn_value *ret_value)
{
	struct wyn_future *child;
	int r = wyn_block_begin();

	require(r == 0 || r == -EDEADLK ||
		(r == -EAGAIN && fault_armed() == FAULT_THREAD));
	if (r == 0) {
		wyn_block_end();
	}
	r = wyn_pool_spawn(pool, leaf_with_value, arg, NULL, &child);
	if (accepted(r, 1)) {
		r = wyn_future_await_until(child, WYN_DEADLINE_NONE, ret_value);
		require(r == -EDEADLK || (r == 0 && ret_value->ptr[0] == arg));
		wyn_future_drop(child);
	}
	fork_and_join();
	ended++;
	return 0;
}

static wyn_task_fn *kind_of(unsigned i)
{
	return i % 64 == 0 ? parent : leaf_with_value;
}

static void work_with_values(void)
{
	struct wyn_future *futures[FUTURES] = {NULL};
	struct wyn_value value;

	for (unsigned i = 0; i < FUTURES; i++) {
		accepted(wyn_pool_spawn(pool, kind_of(i), &futures[i], NULL,
				 &futures[i]),
			1);
	}
	for (unsigned i = 0; i < FUTURES; i++) {
		if (futures[i] == NULL) {
			continue;
		}
		require(wyn_future_await(futures[i], &value) == 0);
		require(kind_of(i) == parent || value.ptr[0] == &futures[i]);
		wyn_future_drop(futures[i]);
	}
}

/* Whether a combination was made, or nothing of its inputs was taken. */
static bool combined(int r)
{
	require(r == 0 || (r == -ENOMEM && fault_armed() == FAULT_MEMORY));
	return r == 0;
}

/* What was taken of n inputs ends with one value of all of them. */
static void await_combined(struct wyn_future *all, size_t n)
{
	struct wyn_future *sum;
	struct wyn_value value;

	if (!combined(wyn_future_then(all, leaf_of_all, NULL, NULL, &sum))) {
		require(wyn_future_await(all, &value) == 0);
		require(value.u64[1] == n);
		wyn_future_drop(all);
		return;
	}
	/* Its task may not have found room in a queue. */
	if (accepted(wyn_future_await(sum, &value), 1)) {
		require(value.u64[0] == n);
	}
	wyn_future_drop(sum);
}

static void work_combined(void)
{
	struct wyn_future *inputs[INPUTS], *all;
	size_t n = 0;

	for (unsigned i = 0; i < INPUTS; i++) {
		n += accepted(wyn_pool_spawn(pool, leaf_with_value, NULL, NULL,
				      &inputs[n]),
			1);
	}
	if (combined(wyn_future_all(pool, inputs, n, &all))) {
		await_combined(all, n);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		require(wyn_future_await(inputs[i], NULL) == 0);
		wyn_future_drop(inputs[i]);
	}
}

/* Before the start, so that no block comes back to be used again. */
static void spawn_into_group(void)
{
	wyn_group_init(&group, pool);
	for (unsigned i = 0; i < GROUP; i++) {
		accepted(wyn_group_spawn(&group, kind_of(i), NULL), 1);
	}
}

static void work_detached(void)
{
	static void *args[BATCH];

	for (unsigned i = 0; i < LEAVES; i++) {
		accepted(wyn_pool_spawn_detached(pool, leaf, NULL), 1);
	}
	accepted(wyn_pool_spawn_detached_batch(pool, leaf, args, BATCH), BATCH);
	accepted(wyn_pool_spawn_detached(pool, burst, NULL), 1);
}

static void wake_nobody(struct wyn_sink *sink)
{
	(void)sink;
}

static void drain_with_jobs(void)
{
	struct wyn_job jobs[JOBS], *array[JOBS];
	struct wyn_sink sink;
	unsigned back = 0;
	bool out;

	wyn_sink_init(&sink, wake_nobody);
	for (unsigned i = 0; i < JOBS; i++) {
		jobs[i] = (struct wyn_job){.run = leaf_job, .sink = &sink};
		array[i] = &jobs[i];
	}
	out = accepted(wyn_pool_submit_batch(pool, array, JOBS), JOBS);
	require(wyn_pool_drain(pool, WYN_DEADLINE_NONE) == 0);
	for (struct wyn_job *job = wyn_sink_drain(&sink); job != NULL;
		job = job->next) {
		back++;
	}
	require(back == (out ? JOBS : 0));
}

/* Returns: false if there are no threads, only work that waits for some. */
static bool start(void)
{
	int r = wyn_pool_start(pool);

	if (r == 0) {
		return true;
	}
	require(r == -EAGAIN && fault_armed() == FAULT_THREAD);
	require(wyn_pool_workers(pool) == 0);
	/* Nothing is left of the attempt: the next one may succeed. */
	r = wyn_pool_start(pool);
	require(r == 0 || r == -EAGAIN);
	return r == 0;
}

static void scenario(unsigned workers)
{
	struct wyn_pool_config config;
	int r;

	begun = 0;
	ended = 0;
	pool = NULL;
	wyn_pool_config_init(&config);
	config.workers = workers;
	config.spare_max = SPARES;
	r = wyn_pool_create(&config, &pool);
	if (r < 0) {
		require(r == -ENOMEM && fault_armed() == FAULT_MEMORY);
		require(pool == NULL);
		return;
	}
	stress_watch(pool);
	spawn_into_group();
	if (start()) {
		work_detached();
		work_with_values();
		work_combined();
		require(wyn_group_wait(&group) == 0);
		drain_with_jobs();
		require(begun == ended);
	} else {
		require(wyn_pool_drain(pool, 0) == -ETIMEDOUT && ended == 0);
	}
	stress_watch(NULL);
	wyn_pool_destroy(pool);
}

/* Runs the scenario with each call failing in turn, alone or for good. */
static unsigned calls_failed(
	enum fault kind, unsigned workers, bool for_good, unsigned calls_max)
{
	unsigned at = 0;

	do {
		size_t before = fault_allocated();

		fault_arm(kind, ++at, for_good);
		scenario(workers);
		require(fault_allocated() == before);
	} while (fault_disarm() && at < calls_max);
	printf("# kind %d, %s: %u calls\n", (int)kind,
		for_good ? "for good" : "once", at - 1);
	return at - 1;
}

static void faults_give_errors_when_memory_fails(void **state)
{
	(void)state;
	/* 0 workers: it also asks how many CPUs there are. */
	for (unsigned workers = 0; workers <= WORKERS; workers += WORKERS) {
		/* At least the pool and its arrays, a block, a slab. */
		assert_true(calls_failed(FAULT_MEMORY, workers, false,
				    UINT_MAX) >= 6);
		assert_true(calls_failed(FAULT_MEMORY, workers, true,
				    UINT_MAX) >= 6);
	}
}

static void faults_make_smaller_pool_when_threads_fail(void **state)
{
	(void)state;
	for (unsigned k = 2; k <= WORKERS; k++) {
		struct wyn_pool_config config;

		wyn_pool_config_init(&config);
		config.workers = WORKERS;
		assert_int_equal(wyn_pool_create(&config, &pool), 0);
		fault_arm(FAULT_THREAD, k, false);
		assert_int_equal(wyn_pool_start(pool), 0);
		assert_true(fault_disarm());
		assert_int_equal(wyn_pool_workers(pool), k - 1);
		wyn_pool_destroy(pool);
	}
}

static void faults_lose_nothing_when_threads_fail(void **state)
{
	(void)state;
	assert_true(calls_failed(FAULT_THREAD, WORKERS, false, UINT_MAX) >=
		    WORKERS);
	assert_true(
		calls_failed(FAULT_THREAD, WORKERS, true, UINT_MAX) >= WORKERS);
}

static int block_twice(void *unused, struct wyn_value *ret_value)
{
	int first, second;

	(void)unused;
	fault_arm(FAULT_THREAD, 1, false);
	first = wyn_block_begin();
	second = wyn_block_begin();
	fault_disarm();
	wyn_block_end();
	ret_value->u64[0] = (uint64_t)-first;
	return second;
}

static void faults_refuse_block_when_spare_fails(void **state)
{
	struct wyn_pool_counters counters;
	struct wyn_pool_config config;
	struct wyn_future *future;
	struct wyn_value value;

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 1;
	config.spare_max = 1; /* the one that failed does not count */
	assert_int_equal(wyn_pool_create(&config, &pool), 0);
	assert_int_equal(wyn_pool_start(pool), 0);
	assert_int_equal(
		wyn_pool_spawn(pool, block_twice, NULL, NULL, &future), 0);
	assert_int_equal(wyn_future_await(future, &value), 0);
	wyn_future_drop(future);
	wyn_pool_counters(pool, &counters);
	assert_int_equal(value.u64[0], EAGAIN);
	assert_int_equal(counters.lent, 1);
	wyn_pool_destroy(pool);
}

static void faults_lose_nothing_when_sleeps_end_early(void **state)
{
	(void)state;
	assert_true(calls_failed(FAULT_SLEEP, WORKERS, false, SLEEPS_MAX) > 0);
	assert_true(calls_failed(FAULT_SLEEP, WORKERS, true, SLEEPS_MAX) > 0);
}

static void faults_lose_nothing_when_membarrier_is_refused(void **state)
{
	bool before = wyn_fence_is_asymmetric;

	(void)state;
	wyn_fence_is_asymmetric = true;
	fault_arm(FAULT_MEMBARRIER, 1, true);
	wyn_fence_forked();
	assert_false(wyn_fence_is_asymmetric);
	scenario(WORKERS);
	fault_disarm();
	wyn_fence_is_asymmetric = before;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_give_errors_when_memory_fails),
		cmocka_unit_test(faults_make_smaller_pool_when_threads_fail),
		cmocka_unit_test(faults_lose_nothing_when_threads_fail),
		cmocka_unit_test(faults_refuse_block_when_spare_fails),
		cmocka_unit_test(faults_lose_nothing_when_sleeps_end_early),
		cmocka_unit_test(
			faults_lose_nothing_when_membarrier_is_refused),
	};
	struct stress stress;

	stress_begin(&stress, argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
