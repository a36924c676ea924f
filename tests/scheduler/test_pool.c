// SPDX-License-Identifier: MIT
/*
 * test_pool.c - creation, start, threads, detached tasks.
 */
#include <wyn/pool.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "tests/support/latch.h"
#include "tests/support/pool.h"

#define NESTED_FAN   10u
#define NESTED_DEPTH 4u
#define OVERFLOW     5000u
#define WORKERS	     4u
#define MEETINGS     200u

static _Atomic uint64_t sum;
static struct latch latch;
static struct wyn_pool *nested_pool;

static int pool_test_setup(void **state)
{
	(void)state;
	sum = 0;
	latch_init(&latch);
	return 0;
}

static int pool_test_teardown(void **state)
{
	(void)state;
	latch_fini(&latch);
	return 0;
}

static void add(void *arg)
{
	sum += (uintptr_t)arg;
}

static int create_with(const struct wyn_pool_config *config)
{
	struct wyn_pool *pool;
	int r = wyn_pool_create(config, &pool);

	if (r == 0) {
		wyn_pool_destroy(pool);
	}
	return r;
}

static void pool_refuses_config_when_out_of_range(void **state)
{
	static const int before[] = {-1}, behind[] = {CPU_SETSIZE};
	struct wyn_pool_config bad[9];

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(bad); i++) {
		wyn_pool_config_init(&bad[i]);
		bad[i].cpu_count = i / 6; /* of the last three */
	}
	bad[0].workers = 10000;
	bad[1].workers = WYN_POOL_WORKERS_MAX + 1;
	bad[2].spare_max = WYN_POOL_SPARES_MAX + 1;
	bad[3].spin_max = WYN_POOL_SPIN_MAX + 1;
	bad[4].help_depth_max = WYN_POOL_HELP_MAX + 1;
	bad[5].stack_bytes = WYN_POOL_STACK_MIN - 1;
	bad[6].cpus = before;
	bad[7].cpus = behind;
	bad[8].cpus = NULL;

	for (size_t i = 0; i < WYN_COUNT_OF(bad); i++) {
		assert_int_equal(create_with(&bad[i]), -EINVAL);
	}
}

static void pool_accepts_config_when_at_its_bounds(void **state)
{
	struct wyn_pool_config config = {
		.workers = WYN_POOL_WORKERS_MAX,
		.spare_max = WYN_POOL_SPARES_MAX,
		.spin_max = WYN_POOL_SPIN_MAX,
		.help_depth_max = WYN_POOL_HELP_MAX,
		.in_flight_max = UINT64_MAX,
		.stack_bytes = WYN_POOL_STACK_MIN,
	};

	(void)state;
	assert_int_equal(create_with(&config), 0);
	config = (struct wyn_pool_config){.workers = 1};
	assert_int_equal(create_with(&config), 0);
}

static void pool_is_destroyed_when_never_started(void **state)
{
	(void)state;
	assert_int_equal(create_with(NULL), 0);
	wyn_pool_destroy(NULL);
}

static void pool_has_workers_when_config_says_none(void **state)
{
	struct wyn_pool *pool;

	(void)state;
	assert_int_equal(wyn_pool_create(NULL, &pool), 0);
	assert_int_equal(wyn_pool_start(pool), 0);

	assert_true(wyn_pool_workers(pool) >= 1);
	pool_ended(pool);
}

static void pool_refuses_start_when_started(void **state)
{
	struct wyn_pool *pool = pool_started(1);

	(void)state;
	assert_int_equal(wyn_pool_start(pool), -EALREADY);
	pool_ended(pool);
}

static void pool_starts_smaller_when_a_thread_fails(void **state)
{
	/* The kernel refuses a thread whose only CPU is not there. */
	const int cpus[] = {sched_getcpu(), CPU_SETSIZE - 1};
	struct wyn_pool_config config;
	struct wyn_pool *pool;

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 2;
	config.cpus = cpus;
	config.cpu_count = 2;
	assert_int_equal(wyn_pool_create(&config, &pool), 0);
	assert_int_equal(wyn_pool_start(pool), 0);

	assert_int_equal(wyn_pool_workers(pool), 1);
	assert_int_equal(wyn_pool_spawn_detached(pool, add, (void *)3), 0);
	pool_ended(pool);
	assert_int_equal(sum, 3);
}

static void pool_says_why_when_no_thread_starts(void **state)
{
	const int cpus[] = {CPU_SETSIZE - 1};
	struct wyn_pool_config config;
	struct wyn_pool *pool;

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 2;
	config.cpus = cpus;
	config.cpu_count = 1;
	assert_int_equal(wyn_pool_create(&config, &pool), 0);

	assert_int_equal(wyn_pool_start(pool), -EINVAL);
	wyn_pool_destroy(pool);
}

static void start_hook(void *arg)
{
	latch_open(arg);
}

static void pool_calls_hook_when_threads_start(void **state)
{
	struct wyn_pool_config config;
	struct wyn_pool *pool;

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 3;
	config.thread_start = start_hook;
	config.thread_start_arg = &latch;
	assert_int_equal(wyn_pool_create(&config, &pool), 0);
	assert_int_equal(wyn_pool_start(pool), 0);

	latch_wait_for(&latch, 3);
	pool_ended(pool);
}

struct portrait {
	char name[16];
	bool blocks_signals;
};

static void take_portrait(void *arg)
{
	struct portrait *portrait = arg;
	sigset_t set;

	pthread_getname_np(
		pthread_self(), portrait->name, sizeof(portrait->name));
	pthread_sigmask(SIG_BLOCK, NULL, &set);
	portrait->blocks_signals = sigismember(&set, SIGTERM) == 1 &&
				   sigismember(&set, SIGINT) == 1 &&
				   sigismember(&set, SIGCHLD) == 1;
}

static void pool_names_workers_when_started(void **state)
{
	struct wyn_pool *pool = pool_started(1);
	struct portrait portrait = {.name = ""};

	(void)state;
	assert_int_equal(
		wyn_pool_spawn_detached(pool, take_portrait, &portrait), 0);
	pool_ended(pool);

	assert_string_equal(portrait.name, "wyn-worker-0");
	assert_true(portrait.blocks_signals);
}

static void pool_runs_task_when_spawned_before_start(void **state)
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

static void pool_starts_task_when_spawner_never_calls_again(void **state)
{
	struct wyn_pool *pool = pool_started(2);

	(void)state;
	assert_int_equal(wyn_pool_spawn_detached(pool, open_latch, &latch), 0);

	latch_wait(&latch);
	pool_ended(pool);
}

static void meet_all(void *arg)
{
	latch_open(&latch);
	latch_wait_for(&latch, (unsigned)(uintptr_t)arg);
}

static void pool_wakes_all_when_batch_needs_them(void **state)
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

static void pool_runs_oldest_first_when_one_worker(void **state)
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

static void pool_accepts_nothing_when_batch_is_empty(void **state)
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

static void pool_runs_all_when_tasks_spawn(void **state)
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

static void pool_runs_all_when_deque_overflows(void **state)
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

static void pool_refuses_spawn_when_in_flight_max(void **state)
{
	void *args[2] = {&latch, &latch};
	struct wyn_pool_config config;
	struct wyn_pool *pool;

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 1;
	config.in_flight_max = 2;
	assert_int_equal(wyn_pool_create(&config, &pool), 0);
	assert_int_equal(wyn_pool_start(pool), 0);
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

#define TEST(name)                       \
	cmocka_unit_test_setup_teardown( \
		name, pool_test_setup, pool_test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pool_refuses_config_when_out_of_range),
		TEST(pool_accepts_config_when_at_its_bounds),
		TEST(pool_is_destroyed_when_never_started),
		TEST(pool_has_workers_when_config_says_none),
		TEST(pool_refuses_start_when_started),
		TEST(pool_starts_smaller_when_a_thread_fails),
		TEST(pool_says_why_when_no_thread_starts),
		TEST(pool_calls_hook_when_threads_start),
		TEST(pool_names_workers_when_started),
		TEST(pool_runs_task_when_spawned_before_start),
		TEST(pool_starts_task_when_spawner_never_calls_again),
		TEST(pool_wakes_all_when_batch_needs_them),
		TEST(pool_runs_oldest_first_when_one_worker),
		TEST(pool_accepts_nothing_when_batch_is_empty),
		TEST(pool_runs_all_when_tasks_spawn),
		TEST(pool_runs_all_when_deque_overflows),
		TEST(pool_refuses_spawn_when_in_flight_max),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
