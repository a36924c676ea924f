// SPDX-License-Identifier: MIT
/*
 * test_thread.c - the threads of a pool: how many, how they start.
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
#include <cmocka.h>

#include "tests/support/latch.h"
#include "tests/support/pool.h"

static _Atomic uint64_t sum;
static struct latch latch;

static int thread_test_setup(void **state)
{
	(void)state;
	sum = 0;
	latch_init(&latch);
	return 0;
}

static int thread_test_teardown(void **state)
{
	(void)state;
	latch_fini(&latch);
	return 0;
}

static void add(void *arg)
{
	sum += (uintptr_t)arg;
}

static void threads_are_fewer_when_one_fails(void **state)
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

static void threads_say_why_when_none_starts(void **state)
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

static void threads_call_hook_when_they_start(void **state)
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

static void threads_have_names_when_they_are_workers(void **state)
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

#define TEST(name)                       \
	cmocka_unit_test_setup_teardown( \
		name, thread_test_setup, thread_test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(threads_are_fewer_when_one_fails),
		TEST(threads_say_why_when_none_starts),
		TEST(threads_call_hook_when_they_start),
		TEST(threads_have_names_when_they_are_workers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
