// SPDX-License-Identifier: MIT
/*
 * test_forkjoin.c - forks that are run by who forked them, and by thieves.
 */
#include <wyn/forkjoin.h>

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <wyn/future.h>

#include "base/compiler.h"
#include "tests/support/latch.h"
#include "tests/support/pool.h"

#define FIB    22u
#define FIB_IS 17711u
#define MANY   1500u /* more than a deque holds */
#define ROUNDS 200u
#define DEEP   5000u

static struct wyn_pool *pool;
static struct latch latch, taken;

static int forkjoin_setup(void **state)
{
	(void)state;
	latch_init(&latch);
	latch_init(&taken);
	pool = pool_started(2);
	return 0;
}

static int forkjoin_teardown(void **state)
{
	(void)state;
	pool_ended(pool);
	latch_fini(&taken);
	latch_fini(&latch);
	return 0;
}

struct fib {
	struct wyn_fork fork;
	unsigned n;
	uint64_t result;
};

static void fib(struct wyn_forker *forker, struct wyn_fork *fork)
{
	struct fib *self = (struct fib *)fork;
	struct fib left = {.n = self->n - 1};
	struct fib right = {.n = self->n - 2};

	if (self->n < 2) {
		self->result = self->n;
		return;
	}
	wyn_fork(forker, &left.fork, fib);
	fib(forker, &right.fork);
	wyn_join(forker, &left.fork);
	self->result = left.result + right.result;
}

static int fib_task(void *arg, struct wyn_value *ret_value)
{
	struct fib root = {.n = (unsigned)(uintptr_t)arg};

	fib(wyn_forker_self(), &root.fork);
	ret_value->u64[0] = root.result;
	return 0;
}

static uint64_t run(wyn_task_fn *fn, uintptr_t arg)
{
	struct wyn_future *future = NULL;
	struct wyn_value value = {.u64 = {0, 0}};

	assert_int_equal(
		wyn_pool_spawn(pool, fn, (void *)arg, NULL, &future), 0);
	assert_int_equal(wyn_future_await(future, &value), 0);
	wyn_future_drop(future);
	return value.u64[0];
}

static void forkjoin_sums_up_when_recursive(void **state)
{
	static const unsigned workers[] = {1, 2, 3, 8};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(workers); i++) {
		pool_ended(pool);
		pool = pool_started(workers[i]);
		for (unsigned round = 0; round < 10; round++) {
			assert_int_equal(run(fib_task, FIB), FIB_IS);
		}
	}
}

static void forkjoin_runs_at_once_when_outside(void **state)
{
	struct fib root = {.n = 10};

	(void)state;
	fib(wyn_forker_self(), &root.fork);
	assert_int_equal(root.result, 55);
}

struct one {
	struct wyn_fork fork;
	pthread_t ran_on;
	bool holds;
};

static void one_run(struct wyn_forker *forker, struct wyn_fork *fork)
{
	struct one *self = (struct one *)fork;

	(void)forker;
	self->ran_on = pthread_self();
	if (self->holds) {
		latch_open(&taken);
		latch_wait(&latch);
	}
}

/* More than fit: what does not runs at once, and all are joined in order. */
static int many_task(void *arg, struct wyn_value *ret_value)
{
	struct one *ones = calloc(MANY, sizeof(*ones));
	struct wyn_forker *forker = wyn_forker_self();

	(void)arg;
	if (ones == NULL) {
		return -1;
	}
	for (unsigned i = 0; i < MANY; i++) {
		wyn_fork(forker, &ones[i].fork, one_run);
	}
	for (unsigned i = MANY; i > 0; i--) {
		wyn_join(forker, &ones[i - 1].fork);
		ret_value->u64[0] += ones[i - 1].ran_on != 0;
	}
	free(ones);
	return 0;
}

static void forkjoin_runs_all_when_the_deque_is_full(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		assert_int_equal(run(many_task, 0), MANY);
	}
}

/* The other worker takes the fork and holds it: the join has to wait. */
static int stolen_task(void *arg, struct wyn_value *ret_value)
{
	struct one one = {.holds = true};
	struct wyn_forker *forker = wyn_forker_self();

	(void)arg;
	wyn_fork(forker, &one.fork, one_run);
	latch_wait(&taken);
	wyn_join(forker, &one.fork);
	ret_value->u64[0] = one.ran_on != pthread_self();
	return 0;
}

static void *open_latch(void *arg)
{
	(void)arg;
	latch_wait(&taken);
	latch_open(&latch);
	return NULL;
}

static void forkjoin_waits_when_the_fork_was_stolen(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, open_latch, NULL), 0);
	assert_int_equal(run(stolen_task, 0), 1);
	pthread_join(thread, NULL);
}

struct level {
	struct wyn_fork fork;
	unsigned depth;
	unsigned sum;
};

static void level_run(struct wyn_forker *forker, struct wyn_fork *fork)
{
	struct level *self = (struct level *)fork;
	struct level below = {.depth = self->depth - 1};

	self->sum = 1;
	if (self->depth > 0) {
		wyn_fork(forker, &below.fork, level_run);
		wyn_join(forker, &below.fork);
		self->sum += below.sum;
	}
}

static int level_task(void *arg, struct wyn_value *ret_value)
{
	struct level top = {.depth = (unsigned)(uintptr_t)arg};

	level_run(wyn_forker_self(), &top.fork);
	ret_value->u64[0] = top.sum;
	return 0;
}

static void forkjoin_comes_back_when_recursion_is_deep(void **state)
{
	(void)state;
	assert_int_equal(run(level_task, DEEP), DEEP + 1);
}

static int nothing(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	(void)ret_value;
	return 0;
}

struct mixed {
	struct wyn_fork fork;
	unsigned depth;
	unsigned sum;
};

/* Forks beside futures and blocking sections, which put other things into the
 * deque and take the seat away. */
static void mixed_run(struct wyn_forker *forker, struct wyn_fork *fork)
{
	struct mixed *self = (struct mixed *)fork;
	struct mixed a = {.depth = self->depth - 1};
	struct mixed b = {.depth = self->depth - 1};
	struct wyn_future *future = NULL;

	self->sum = 1;
	if (self->depth == 0) {
		return;
	}
	wyn_fork(forker, &a.fork, mixed_run);
	if (wyn_pool_spawn(pool, nothing, NULL, NULL, &future) < 0) {
		abort();
	}
	wyn_fork(forker, &b.fork, mixed_run);
	if (self->depth % 4 == 3 && wyn_block_begin() == 0) {
		wyn_block_end();
	}
	wyn_join(forker, &b.fork);
	if (wyn_future_await(future, NULL) < 0) {
		abort();
	}
	wyn_future_drop(future);
	wyn_join(forker, &a.fork);
	self->sum += a.sum + b.sum;
}

static int mixed_task(void *arg, struct wyn_value *ret_value)
{
	struct mixed root = {.depth = (unsigned)(uintptr_t)arg};

	mixed_run(wyn_forker_self(), &root.fork);
	ret_value->u64[0] = root.sum;
	return 0;
}

static void forkjoin_sums_up_when_mixed_with_futures(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(run(mixed_task, 9), (1u << 10) - 1);
	}
}

static void forkjoin_counts_only_what_was_scheduled(void **state)
{
	struct wyn_pool_counters counters;

	(void)state;
	pool_ended(pool);
	pool = pool_started(1);
	assert_int_equal(run(fib_task, FIB), FIB_IS);
	assert_int_equal(wyn_pool_wait_until(pool, WYN_DEADLINE_NONE), 0);
	wyn_pool_counters(pool, &counters);
	assert_int_equal(counters.run, 1);
	assert_int_equal(counters.unfinished, 0);
}

struct beside {
	struct wyn_fork fork;
	pthread_t joiner;
	_Atomic unsigned ran;
	_Atomic unsigned ran_on_joiner;
};

static void until_joined(void *arg)
{
	(void)arg;
	latch_wait_for(&latch, 2);
}

/* Leaves its worker something to do when it has ended. */
static void beside_run(struct wyn_forker *forker, struct wyn_fork *fork)
{
	(void)forker;
	(void)fork;
	if (wyn_pool_spawn_detached(pool, until_joined, NULL) < 0) {
		abort();
	}
	latch_open(&taken);
	latch_wait(&latch);
}

static void beside_older(void *arg)
{
	struct beside *beside = arg;

	beside->ran_on_joiner += pthread_self() == beside->joiner;
	beside->ran++;
}

/* Lets the fork go, and sees its end. */
static void beside_newer(void *arg)
{
	struct beside *beside = arg;

	latch_open(&latch);
	while (__atomic_load_n(&beside->fork.state, __ATOMIC_ACQUIRE) == 0) {
		sched_yield();
	}
}

static int beside_task(void *arg, struct wyn_value *ret_value)
{
	struct beside *beside = arg;
	struct wyn_forker *forker = wyn_forker_self();

	beside->joiner = pthread_self();
	wyn_fork(forker, &beside->fork, beside_run);
	latch_wait(&taken);
	if (wyn_pool_spawn_detached(pool, beside_older, beside) < 0 ||
		wyn_pool_spawn_detached(pool, beside_newer, beside) < 0) {
		abort();
	}
	wyn_join(forker, &beside->fork);
	ret_value->u64[0] = beside->ran_on_joiner;
	latch_open(&latch);
	return 0;
}

static void forkjoin_helps_no_longer_when_the_fork_has_ended(void **state)
{
	struct beside beside = {.ran = 0};

	(void)state;
	assert_int_equal(run(beside_task, (uintptr_t)&beside), 0);
	assert_int_equal(wyn_pool_wait_until(pool, WYN_DEADLINE_NONE), 0);
	assert_int_equal(beside.ran, 1);
}

static void nobody(void *arg)
{
	(void)arg;
}

/* Spawns so much that the deque overflows, while the only worker is here. */
static int overflowing_task(void *arg, struct wyn_value *ret_value)
{
	struct one one = {.holds = false};
	struct wyn_forker *forker = wyn_forker_self();

	(void)arg;
	wyn_fork(forker, &one.fork, one_run);
	for (unsigned i = 0; i < MANY; i++) {
		if (wyn_pool_spawn_detached(pool, nobody, NULL) < 0) {
			return -1;
		}
	}
	wyn_join(forker, &one.fork);
	ret_value->u64[0] = one.ran_on == pthread_self();
	latch_open(&taken);
	return 0;
}

static void forkjoin_joins_when_the_deque_overflows_without_spares(void **state)
{
	struct wyn_pool_config config;
	struct wyn_future *future = NULL;
	struct wyn_value value = {.u64 = {0, 0}};

	(void)state;
	pool_ended(pool);
	wyn_pool_config_init(&config);
	config.workers = 1;
	config.spare_max = 0;
	pool = pool_started_as(&config);
	assert_int_equal(
		wyn_pool_spawn(pool, overflowing_task, NULL, NULL, &future), 0);
	latch_wait(&taken);
	assert_int_equal(wyn_future_await(future, &value), 0);
	assert_int_equal(value.u64[0], 1);
	wyn_future_drop(future);
}

/* Forked by a task: the child has the deque, and no worker to run what else
 * lies in it. */
static int forking_task(void *arg, struct wyn_value *ret_value)
{
	struct one one = {.holds = false};
	struct wyn_forker *forker = wyn_forker_self();
	struct wyn_future *future = NULL;
	int status = -1;
	pid_t pid;

	(void)arg;
	wyn_fork(forker, &one.fork, one_run);
	if (wyn_pool_spawn(pool, nothing, NULL, NULL, &future) < 0) {
		return -1;
	}
	pid = fork();
	if (pid == 0) {
		wyn_join(forker, &one.fork);
		_exit(one.ran_on == pthread_self() ? 0 : 1);
	}
	ret_value->u64[0] = waitpid(pid, &status, 0) == pid &&
			    WIFEXITED(status) && WEXITSTATUS(status) == 0;
	wyn_join(forker, &one.fork);
	wyn_future_drop(future);
	return 0;
}

static void forkjoin_joins_when_in_a_forked_child(void **state)
{
	(void)state;
	pool_ended(pool);
	pool = pool_started(1);
	assert_int_equal(run(forking_task, 0), 1);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, forkjoin_setup, forkjoin_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(forkjoin_sums_up_when_recursive),
		TEST(forkjoin_runs_at_once_when_outside),
		TEST(forkjoin_runs_all_when_the_deque_is_full),
		TEST(forkjoin_waits_when_the_fork_was_stolen),
		TEST(forkjoin_comes_back_when_recursion_is_deep),
		TEST(forkjoin_sums_up_when_mixed_with_futures),
		TEST(forkjoin_counts_only_what_was_scheduled),
		TEST(forkjoin_joins_when_the_deque_overflows_without_spares),
		TEST(forkjoin_joins_when_in_a_forked_child),
		TEST(forkjoin_helps_no_longer_when_the_fork_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
