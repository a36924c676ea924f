// SPDX-License-Identifier: MIT
/*
 * test_fork.c - a pool in a forked child, and in its parent.
 */
#include <wyn/future.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/support/pool.h"

static struct wyn_pool *pool;
static _Atomic unsigned count;

static int fork_test_setup(void **state)
{
	(void)state;
	count = 0;
	pool = pool_started(2);
	return 0;
}

static int fork_test_teardown(void **state)
{
	(void)state;
	wyn_pool_destroy(pool);
	return 0;
}

static void tick(void *arg)
{
	(void)arg;
	count++;
}

static int child_value(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	(void)ret_value;
	return 0;
}

static int in_child(void)
{
	struct wyn_future *future;

	if (wyn_pool_spawn_detached(pool, tick, NULL) != -ESHUTDOWN) {
		return 1;
	}
	if (wyn_pool_spawn(pool, child_value, NULL, NULL, &future) !=
		-ESHUTDOWN) {
		return 2;
	}
	if (wyn_pool_drain(pool, WYN_DEADLINE_NONE) != -ESHUTDOWN) {
		return 3;
	}
	if (wyn_pool_start(pool) != -ESHUTDOWN) {
		return 4;
	}
	wyn_pool_destroy(pool);
	return 0;
}

static void pool_is_dead_when_in_forked_child(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		_exit(in_child());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(wyn_pool_spawn_detached(pool, tick, NULL), 0);
	assert_int_equal(wyn_pool_drain(pool, WYN_DEADLINE_NONE), 0);
	assert_int_equal(count, 1);
}

static int fork_inside(void *arg, struct wyn_value *ret_value)
{
	int status = -1;
	pid_t pid = fork();

	(void)arg;
	(void)ret_value;
	if (pid == 0) {
		/* No thread of a pool here, so no section to begin. */
		_exit(wyn_block_begin() == 0 ? in_child() : 5);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status)
		       ? -WEXITSTATUS(status)
		       : -ECHILD;
}

static void pool_is_dead_when_forked_by_a_task(void **state)
{
	struct wyn_future *future;

	(void)state;
	assert_int_equal(
		wyn_pool_spawn(pool, fork_inside, NULL, NULL, &future), 0);

	assert_int_equal(wyn_future_await(future, NULL), 0);
	wyn_future_drop(future);
}

#define TEST(name)                       \
	cmocka_unit_test_setup_teardown( \
		name, fork_test_setup, fork_test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pool_is_dead_when_in_forked_child),
		TEST(pool_is_dead_when_forked_by_a_task),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
