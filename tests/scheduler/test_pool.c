// SPDX-License-Identifier: MIT
/*
 * test_pool.c - configuration, creation, start, and misuse.
 */
#include <wyn/pool.h>

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <wyn/combine.h>

#include "base/compiler.h"
#include "tests/support/pool.h"

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

static void destroy(void *arg)
{
	wyn_pool_destroy(arg);
}

static void end_no_section(void *arg)
{
	(void)arg;
	wyn_block_end();
}

static void leave_section_open(void *arg)
{
	(void)arg;
	if (wyn_block_begin() < 0) {
		_exit(EXIT_FAILURE);
	}
}

static void drop_twice(void *arg)
{
	struct wyn_future *future;

	/* The only worker is here, so it has not run. */
	if (wyn_pool_spawn(arg, NULL, NULL, NULL, &future) < 0) {
		_exit(EXIT_FAILURE);
	}
	wyn_future_drop(future);
	wyn_future_drop(future);
}

static void combine_twice(void *arg)
{
	struct wyn_future *inputs[2], *future;

	if (wyn_pool_spawn(arg, NULL, NULL, NULL, &inputs[0]) < 0) {
		_exit(EXIT_FAILURE);
	}
	inputs[1] = inputs[0];
	(void)!wyn_future_all(arg, inputs, 2, &future);
}

/* In a process of its own, a task does what its header forbids. */
static int signal_of(void (*misuse)(void *pool))
{
	struct wyn_pool_config config;
	struct wyn_pool *pool;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		/* What the assertion says is not this test's output. */
		(void)!freopen("/dev/null", "w", stderr);
		wyn_pool_config_init(&config);
		config.workers = 1;
		if (wyn_pool_create(&config, &pool) == 0 &&
			wyn_pool_start(pool) == 0 &&
			wyn_pool_spawn_detached(pool, misuse, pool) == 0) {
			(void)!wyn_pool_drain(pool, WYN_DEADLINE_NONE);
		}
		_exit(EXIT_SUCCESS);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void pool_aborts_when_misused(void **state)
{
	static void (*const misuses[])(void *pool) = {
		destroy,
		end_no_section,
		leave_section_open,
		drop_twice,
		combine_twice,
	};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(misuses); i++) {
		assert_int_equal(signal_of(misuses[i]), SIGABRT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pool_refuses_config_when_out_of_range),
		cmocka_unit_test(pool_accepts_config_when_at_its_bounds),
		cmocka_unit_test(pool_is_destroyed_when_never_started),
		cmocka_unit_test(pool_has_workers_when_config_says_none),
		cmocka_unit_test(pool_refuses_start_when_started),
		cmocka_unit_test(pool_aborts_when_misused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
