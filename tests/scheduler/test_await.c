// SPDX-License-Identifier: MIT
/*
 * test_await.c - awaiting from inside a task: who runs on whose stack.
 */
#include <wyn/future.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include <wyn/combine.h>

#include "base/compiler.h"
#include "tests/support/latch.h"
#include "tests/support/pool.h"

#define TREE	   12u
#define SPARES	   16u /* few */
#define DEEP	   3000u
#define LEVELS	   1000u /* less than WYN_POOL_SPARES_MAX */
#define ROUNDS	   300u
#define STAGE	   4u
#define MANY	   5000u
#define MANY_TIMES 20u

static struct wyn_pool *pool;
static struct latch latch;

static struct wyn_pool *pool_with(unsigned workers, unsigned spares)
{
	struct wyn_pool_config config;
	struct wyn_pool *made = NULL;

	wyn_pool_config_init(&config);
	config.workers = workers;
	config.spare_max = spares;
	made = pool_started_as(&config);
	return made;
}

static int await_setup(void **state)
{
	(void)state;
	latch_init(&latch);
	pool = pool_with(2, WYN_POOL_SPARES_MAX);
	return 0;
}

static int await_teardown(void **state)
{
	(void)state;
	pool_ended(pool);
	latch_fini(&latch);
	return 0;
}

static struct wyn_future *spawned(wyn_task_fn *fn, void *arg)
{
	struct wyn_future *future = NULL;

	/* Also from inside tasks, where cmocka's assertions do not work. */
	if (wyn_pool_spawn(pool, fn, arg, NULL, &future) < 0) {
		abort();
	}
	return future;
}

static uint64_t awaited(struct wyn_future *future)
{
	struct wyn_value value = {.u64 = {0, 0}};

	assert_int_equal(wyn_future_await(future, &value), 0);
	wyn_future_drop(future);
	return value.u64[0];
}

/* Two children per level, each awaited inside. */
static int tree(void *arg, struct wyn_value *ret_value)
{
	uintptr_t depth = (uintptr_t)arg;
	struct wyn_future *children[2];
	uint64_t sum = 1;

	for (unsigned i = 0; depth > 0 && i < 2; i++) {
		children[i] = spawned(tree, (void *)(depth - 1));
	}
	for (unsigned i = 0; depth > 0 && i < 2; i++) {
		struct wyn_value value;
		int r = wyn_future_await(children[i], &value);

		wyn_future_drop(children[i]);
		if (r < 0) {
			return r;
		}
		sum += value.u64[0];
	}
	ret_value->u64[0] = sum;
	return 0;
}

static void await_sums_up_when_tasks_await_inside(void **state)
{
	(void)state;
	assert_int_equal(awaited(spawned(tree, (void *)(uintptr_t)TREE)),
		(1u << (TREE + 1)) - 1);
}

/* One child per level: the help depth and then the spares bound it. Whoever
 * finds its child stolen takes a spare: at worst everybody. */
static int chain(void *arg, struct wyn_value *ret_value)
{
	uintptr_t depth = (uintptr_t)arg;
	struct wyn_value value = {.u64 = {0, 0}};
	int r = 0;

	if (depth > 0) {
		struct wyn_future *child = spawned(chain, (void *)(depth - 1));

		r = wyn_future_await(child, &value);
		wyn_future_drop(child);
	}
	ret_value->u64[0] = value.u64[0] + 1;
	return r;
}

static void await_comes_back_when_recursion_is_deep(void **state)
{
	(void)state;
	assert_int_equal(
		awaited(spawned(chain, (void *)(uintptr_t)LEVELS)), LEVELS + 1);
}

static void await_is_refused_when_recursion_has_no_end(void **state)
{
	struct wyn_future *deep;

	(void)state;
	pool_ended(pool);
	pool = pool_with(2, SPARES);
	/* Beyond 16 spares of 128 levels each, and the two workers'. */
	deep = spawned(chain, (void *)(uintptr_t)DEEP);
	assert_int_equal(wyn_future_await(deep, NULL), -EDEADLK);
	wyn_future_drop(deep);
}

static int spin(void *arg, struct wyn_value *ret_value)
{
	volatile unsigned left = 20000;

	(void)ret_value;
	while (left > 0) {
		left--;
	}
	return (int)(uintptr_t)arg;
}

static int await_of(void *arg, struct wyn_value *ret_value)
{
	return wyn_future_await(*(struct wyn_future **)arg, ret_value);
}

/* b awaits a, which awaits x, and all three wait in the same queue: whoever
 * helps a with b while a awaits x never comes back. */
static void await_ends_when_the_graph_has_no_cycle(void **state)
{
	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct wyn_future *x = spawned(spin, NULL);
		struct wyn_future *a = spawned(await_of, &x);
		struct wyn_future *b = spawned(await_of, &a);

		assert_int_equal(wyn_future_await(b, NULL), 0);
		wyn_future_drop(x);
		wyn_future_drop(a);
		wyn_future_drop(b);
	}
}

static struct wyn_group stage_one;

static int leaves(void *arg, struct wyn_value *ret_value)
{
	struct wyn_group group;

	(void)arg;
	(void)ret_value;
	wyn_group_init(&group, pool);
	for (unsigned i = 0; i < STAGE; i++) {
		if (wyn_group_spawn(&group, spin, NULL) < 0) {
			abort();
		}
	}
	return wyn_group_wait(&group);
}

static int after_stage_one(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	(void)ret_value;
	return wyn_group_wait(&stage_one);
}

static void await_ends_when_groups_wait_for_groups(void **state)
{
	struct wyn_group stage_two;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		wyn_group_init(&stage_one, pool);
		wyn_group_init(&stage_two, pool);
		for (unsigned j = 0; j < STAGE; j++) {
			assert_int_equal(
				wyn_group_spawn(&stage_one, leaves, NULL), 0);
		}
		for (unsigned j = 0; j < STAGE; j++) {
			assert_int_equal(wyn_group_spawn(&stage_two,
						 after_stage_one, NULL),
				0);
		}
		assert_int_equal(wyn_group_wait(&stage_two), 0);
	}
}

static int where(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	ret_value->u64[0] = (uint64_t)pthread_self();
	return 0;
}

/* Only the end of the task could end these waits. */
static int await_itself(void *arg, struct wyn_value *ret_value)
{
	struct wyn_future *self;
	int r;

	(void)ret_value;
	latch_wait(&latch);
	self = *(struct wyn_future **)arg;
	r = wyn_future_await_until(self, 0, NULL);
	if (r != -ETIMEDOUT) {
		return r;
	}
	r = wyn_future_await_until(self, WYN_DEADLINE_NONE, NULL);
	return r == -EDEADLK ? wyn_future_await(self, NULL) : r;
}

/* Without a seat an await sleeps where it is. */
static int block_and_await_itself(void *arg, struct wyn_value *ret_value)
{
	if (wyn_block_begin() == 0) {
		wyn_block_end();
	}
	return await_itself(arg, ret_value);
}

static int go_on_and_await_itself(
	void *arg, struct wyn_value value, struct wyn_value *ret_value)
{
	(void)value;
	return await_itself(arg, ret_value);
}

static void refused_when_of_itself(struct wyn_future *self)
{
	latch_open(&latch);
	assert_int_equal(wyn_future_await(self, NULL), -EDEADLK);
	wyn_future_drop(self);
}

static void await_is_refused_when_of_itself(void **state)
{
	static struct wyn_future *self;

	(void)state;
	self = spawned(await_itself, &self);
	refused_when_of_itself(self);
}

static void await_is_refused_when_of_itself_without_a_seat(void **state)
{
	static struct wyn_future *self;

	(void)state;
	self = spawned(block_and_await_itself, &self);
	refused_when_of_itself(self);
}

static void await_is_refused_when_a_then_awaits_itself(void **state)
{
	static struct wyn_future *self;

	(void)state;
	assert_int_equal(wyn_future_then(spawned(where, NULL),
				 go_on_and_await_itself, &self, NULL, &self),
		0);
	refused_when_of_itself(self);
}

static int wait_for_own_group(void *arg, struct wyn_value *ret_value)
{
	(void)ret_value;
	return wyn_group_wait_until(arg, WYN_DEADLINE_NONE) == -EDEADLK
		       ? wyn_group_wait(arg)
		       : 0;
}

static void wait_is_refused_when_for_the_own_group(void **state)
{
	struct wyn_group group;

	(void)state;
	wyn_group_init(&group, pool);
	assert_int_equal(
		wyn_group_spawn(&group, wait_for_own_group, &group), 0);
	assert_int_equal(wyn_group_wait(&group), -EDEADLK);
}

/* Whether the child ran on its parent's thread. */
static int child_ran_here(void *arg, struct wyn_value *ret_value)
{
	struct wyn_future *child = spawned(where, NULL);
	struct wyn_value value = {.u64 = {0, 0}};
	int r = arg != NULL ? wyn_future_await_until(
				      child, WYN_DEADLINE_NONE, &value)
			    : wyn_future_await(child, &value);

	wyn_future_drop(child);
	ret_value->u64[0] = value.u64[0] == (uint64_t)pthread_self();
	return r;
}

static void await_helps_with_a_child_when_it_is_in_the_deque(void **state)
{
	(void)state;
	pool_ended(pool);
	pool = pool_with(1, SPARES);
	assert_int_equal(awaited(spawned(child_ran_here, NULL)), 1);
}

static void await_never_helps_when_it_has_a_deadline(void **state)
{
	(void)state;
	pool_ended(pool);
	pool = pool_with(1, SPARES);
	assert_int_equal(awaited(spawned(child_ran_here, pool)), 0);
}

/* The only worker is in the task that awaits; what it awaits was spawned
 * before that task, from outside. */
static int await_stranger(void *arg, struct wyn_value *ret_value)
{
	struct wyn_value value = {.u64 = {0, 0}};
	int r;

	latch_wait(&latch);
	r = wyn_future_await(*(struct wyn_future **)arg, &value);
	ret_value->u64[0] = value.u64[0] == (uint64_t)pthread_self();
	return r;
}

static void await_claims_when_nobody_has_begun(void **state)
{
	struct wyn_future *stranger = NULL;
	struct wyn_future *task;

	(void)state;
	pool_ended(pool);
	pool = pool_with(1, SPARES);
	task = spawned(await_stranger, &stranger);
	stranger = spawned(where, NULL);
	latch_open(&latch);
	assert_int_equal(awaited(task), 1);
	wyn_future_drop(stranger);
}

/* More than the deque holds, awaited in order: most are claimed out of the
 * injector, and nobody else is there to empty it. */
static int many(void *arg, struct wyn_value *ret_value)
{
	static struct wyn_future *futures[MANY];
	uint64_t sum = 0;

	(void)arg;
	for (unsigned time = 0; time < MANY_TIMES; time++) {
		for (unsigned i = 0; i < MANY; i++) {
			futures[i] = spawned(where, NULL);
		}
		for (unsigned i = 0; i < MANY; i++) {
			int r = wyn_future_await(futures[i], NULL);

			wyn_future_drop(futures[i]);
			if (r < 0) {
				return r;
			}
			sum++;
		}
	}
	ret_value->u64[0] = sum;
	return 0;
}

static void await_leaves_few_places_when_it_claims_many(void **state)
{
	struct wyn_pool_counters counters;

	(void)state;
	pool_ended(pool);
	pool = pool_with(1, SPARES);
	assert_int_equal(awaited(spawned(many, NULL)), MANY * MANY_TIMES);
	wyn_pool_counters(pool, &counters);
	assert_in_range(counters.unfinished, 0, 2 * MANY);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, await_setup, await_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(await_sums_up_when_tasks_await_inside),
		TEST(await_comes_back_when_recursion_is_deep),
		TEST(await_is_refused_when_recursion_has_no_end),
		TEST(await_ends_when_the_graph_has_no_cycle),
		TEST(await_ends_when_groups_wait_for_groups),
		TEST(await_helps_with_a_child_when_it_is_in_the_deque),
		TEST(await_never_helps_when_it_has_a_deadline),
		TEST(await_claims_when_nobody_has_begun),
		TEST(await_leaves_few_places_when_it_claims_many),
		TEST(await_is_refused_when_of_itself),
		TEST(await_is_refused_when_of_itself_without_a_seat),
		TEST(await_is_refused_when_a_then_awaits_itself),
		TEST(wait_is_refused_when_for_the_own_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
