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
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <wyn/future.h>

#include "tests/support/latch.h"
#include "tests/support/pool.h"

#define WORKERS 3u

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
	pool = pool_started_as(&config);

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
	pool = pool_started_as(&config);

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

/* Where a task ran. */
struct place {
	char name[16];
	cpu_set_t cpus;
	size_t stack_bytes;
};

static void look_around(void *arg)
{
	struct place *place = arg;
	pthread_attr_t attributes;

	pthread_getname_np(pthread_self(), place->name, sizeof(place->name));
	if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
		(void)pthread_attr_getaffinity_np(
			&attributes, sizeof(place->cpus), &place->cpus);
		(void)pthread_attr_getstacksize(
			&attributes, &place->stack_bytes);
		pthread_attr_destroy(&attributes);
	}
	/* So that no worker runs two. */
	latch_open(&latch);
	latch_wait_for(&latch, WORKERS);
}

/* The first CPUs that there are, at most two. */
static size_t cpus_given(int *ret_cpus)
{
	cpu_set_t set;
	size_t n = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	for (int cpu = 0; cpu < CPU_SETSIZE && n < 2; cpu++) {
		if (CPU_ISSET((size_t)cpu, &set)) {
			ret_cpus[n++] = cpu;
		}
	}
	return n;
}

static void workers_run_where_they_should_when_pinned(void **state)
{
	int cpus[2];
	struct wyn_pool_config config;
	struct wyn_pool *pool;
	struct place places[WORKERS] = {{.name = ""}};
	void *args[WORKERS];

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = WORKERS;
	config.cpus = cpus;
	config.cpu_count = cpus_given(cpus);
	for (size_t i = 0; i < WORKERS; i++) {
		args[i] = &places[i];
	}
	pool = pool_started_as(&config);
	assert_int_equal(
		wyn_pool_spawn_detached_batch(pool, look_around, args, WORKERS),
		0);
	pool_ended(pool);

	for (size_t i = 0; i < WORKERS; i++) {
		size_t worker =
			strtoul(strrchr(places[i].name, '-') + 1, NULL, 10);

		assert_int_equal(CPU_COUNT(&places[i].cpus), 1);
		assert_true(CPU_ISSET((size_t)cpus[worker % config.cpu_count],
			&places[i].cpus));
	}
}

static struct wyn_pool *blocking_pool;

/* Its place in the pool goes to a spare, which runs the other task. */
static void block_until_seen(void *arg)
{
	if (wyn_block_begin() < 0 ||
		wyn_pool_spawn_detached(blocking_pool, look_around, arg) < 0) {
		abort();
	}
	latch_open(&latch);
	latch_wait_for(&latch, WORKERS);
	wyn_block_end();
}

static void spare_runs_on_every_cpu_when_workers_are_pinned(void **state)
{
	int cpus[2];
	struct wyn_pool_config config;
	struct place place = {.name = ""};

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 1;
	config.cpus = cpus;
	config.cpu_count = cpus_given(cpus);
	blocking_pool = pool_started_as(&config);
	for (unsigned i = 2; i < WORKERS; i++) {
		latch_open(&latch);
	}
	assert_int_equal(wyn_pool_spawn_detached(
				 blocking_pool, block_until_seen, &place),
		0);
	pool_ended(blocking_pool);

	assert_string_equal(place.name, "wyn-spare-1");
	assert_int_equal(CPU_COUNT(&place.cpus), config.cpu_count);
	for (size_t i = 0; i < config.cpu_count; i++) {
		assert_true(CPU_ISSET((size_t)cpus[i], &place.cpus));
	}
}

static void threads_have_large_stacks_when_config_says_so(void **state)
{
	enum {
		STACK = 48 << 20 /* no thread before had one like it */
	};
	struct wyn_pool_config config;
	struct wyn_pool *pool;
	struct place place = {.name = ""};

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 1;
	config.stack_bytes = STACK;
	pool = pool_started_as(&config);
	for (unsigned i = 1; i < WORKERS; i++) {
		latch_open(&latch);
	}
	assert_int_equal(wyn_pool_spawn_detached(pool, look_around, &place), 0);
	pool_ended(pool);

	/* The libc adds a guard page, or takes it from there. */
	assert_in_range(place.stack_bytes, STACK - 65536, STACK + 65536);
}

static void spawn_as_hook(void *arg)
{
	struct wyn_pool *const *pool = arg;

	if (wyn_pool_spawn_detached(*pool, add, (void *)1) < 0) {
		abort();
	}
}

static int give_nothing(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	(void)ret_value;
	return 0;
}

/* Without spares it must find its child in the own deque. */
static int wait_for_child(void *arg, struct wyn_value *ret_value)
{
	struct wyn_group group;
	int r;

	(void)ret_value;
	wyn_group_init(&group, arg);
	r = wyn_group_spawn(&group, give_nothing, NULL);
	return r < 0 ? r : wyn_group_wait(&group);
}

static void worker_spawns_for_itself_when_its_hook_has_spawned(void **state)
{
	struct wyn_pool_config config;
	struct wyn_pool *pool;
	struct wyn_future *future;

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 1;
	config.spare_max = 0;
	config.thread_start = spawn_as_hook;
	config.thread_start_arg = &pool;
	/* The hook needs it before the start has returned. */
	assert_int_equal(wyn_pool_create(&config, &pool), 0);
	assert_int_equal(wyn_pool_start(pool), 0);

	assert_int_equal(
		wyn_pool_spawn(pool, wait_for_child, pool, NULL, &future), 0);
	assert_int_equal(wyn_future_await(future, NULL), 0);
	wyn_future_drop(future);
	pool_ended(pool);
	assert_int_equal(sum, 1);
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
		TEST(workers_run_where_they_should_when_pinned),
		TEST(spare_runs_on_every_cpu_when_workers_are_pinned),
		TEST(threads_have_large_stacks_when_config_says_so),
		TEST(worker_spawns_for_itself_when_its_hook_has_spawned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
