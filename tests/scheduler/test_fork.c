// SPDX-License-Identifier: MIT
/*
 * test_fork.c - a pool in a forked child, and in its parent.
 */
#include <wyn/pool.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <wyn/combine.h>

#include "base/compiler.h"
#include "scheduler/pool.h"
#include "tests/support/latch.h"
#include "tests/support/pool.h"

static struct wyn_pool *pool;
static _Atomic unsigned count;
static struct latch latch;
/* Runs until the latch is opened. */
static struct wyn_future *pending;
static struct wyn_group group;

static int wait_latch(void *arg, struct wyn_value *ret_value)
{
	(void)ret_value;
	latch_wait(arg);
	return 0;
}

static int fork_test_setup(void **state)
{
	struct wyn_spawn_options options = {.group = &group};

	(void)state;
	count = 0;
	latch_init(&latch);
	pool = pool_started(2);
	wyn_group_init(&group, pool);
	assert_int_equal(
		wyn_pool_spawn(pool, wait_latch, &latch, &options, &pending),
		0);
	return 0;
}

static int fork_test_teardown(void **state)
{
	(void)state;
	wyn_future_drop(pending);
	wyn_pool_destroy(pool);
	latch_fini(&latch);
	return 0;
}

static void tick(void *arg)
{
	(void)arg;
	count++;
}

static int give(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	(void)ret_value;
	return 0;
}

static int go_on(void *arg, struct wyn_value value, struct wyn_value *ret_value)
{
	(void)value;
	return give(arg, ret_value);
}

/* Returns: 0, or which of the calls was not refused. */
static int in_child(void)
{
	struct wyn_job job;
	struct wyn_job *jobs[] = {&job};
	struct wyn_future *none;
	void *args[] = {NULL};
	const int results[] = {
		wyn_pool_start(pool),
		wyn_pool_spawn_detached(pool, tick, NULL),
		wyn_pool_spawn_detached_batch(pool, tick, args, 1),
		wyn_pool_submit_batch(pool, jobs, 1),
		wyn_pool_spawn(pool, give, NULL, NULL, &none),
		wyn_group_spawn(&group, give, NULL),
		wyn_future_all(pool, &pending, 1, &none),
		wyn_future_any(pool, &pending, 1, &none),
		wyn_future_race(pool, &pending, 1, &none),
		wyn_future_then(pending, go_on, NULL, NULL, &none),
		wyn_future_await(pending, NULL),
		wyn_future_await_until(pending, WYN_DEADLINE_NONE, NULL),
		wyn_group_wait(&group),
		wyn_group_wait_until(&group, WYN_DEADLINE_NONE),
		wyn_pool_wait_until(pool, WYN_DEADLINE_NONE),
		wyn_pool_drain(pool, WYN_DEADLINE_NONE),
	};

	for (size_t i = 0; i < WYN_COUNT_OF(results); i++) {
		if (results[i] != -ESHUTDOWN) {
			return (int)i + 1;
		}
	}
	wyn_future_drop(pending);
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
	latch_open(&latch);
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
		_exit(wyn_block_begin() == 0 ? in_child() : 100);
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
	latch_open(&latch);
}

/* Forked while another thread is in the midst of what the lock guards. */
static bool child_destroys_when_held(pthread_mutex_t *lock)
{
	int status = -1;
	pid_t pid;

	pthread_mutex_lock(lock);
	pid = fork();
	if (pid == 0) {
		alarm(LATCH_TIMEOUT_S);
		wyn_pool_destroy(pool);
		_exit(0);
	}
	pthread_mutex_unlock(lock);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status);
}

static void pool_is_destroyed_when_forked_with_a_lock_held(void **state)
{
	(void)state;
	latch_open(&latch);
	assert_int_equal(wyn_future_await(pending, NULL), 0);
	assert_true(child_destroys_when_held(&pool->chunks.lock));
	assert_true(child_destroys_when_held(&pool->larges.lock));
	for (unsigned i = 0; i < WYN_SLAB_SHARDS; i++) {
		assert_true(
			child_destroys_when_held(&pool->slabs.shards[i].lock));
	}
}

#define TEST(name)                       \
	cmocka_unit_test_setup_teardown( \
		name, fork_test_setup, fork_test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(pool_is_dead_when_in_forked_child),
		TEST(pool_is_dead_when_forked_by_a_task),
		TEST(pool_is_destroyed_when_forked_with_a_lock_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
