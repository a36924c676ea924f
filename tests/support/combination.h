// SPDX-License-Identifier: MIT
/*
 * combination.h - a pool of one worker behind a gate, and futures that count
 * who ran and whose value was destroyed, for the tests of combinators.
 */
#pragma once

#include <wyn/combine.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/latch.h"
#include "tests/support/pool.h"

static struct wyn_pool *pool;
static struct latch gate, running;
static _Atomic unsigned ran, destroyed;

static int combination_setup(void **state)
{
	(void)state;
	ran = 0;
	destroyed = 0;
	latch_init(&gate);
	latch_init(&running);
	pool = pool_started(1);
	return 0;
}

static int combination_teardown(void **state)
{
	(void)state;
	pool_ended(pool);
	latch_fini(&running);
	latch_fini(&gate);
	return 0;
}

static void count_destroyed(struct wyn_value value)
{
	(void)value;
	destroyed++;
}

static int give(void *arg, struct wyn_value *ret_value)
{
	ran++;
	ret_value->u64[0] = (uintptr_t)arg;
	return 0;
}

static int refuse(void *arg, struct wyn_value *ret_value)
{
	(void)ret_value;
	ran++;
	return -(int)(uintptr_t)arg;
}

static int add(void *arg, struct wyn_value value, struct wyn_value *ret_value)
{
	ran++;
	ret_value->u64[0] = value.u64[0] + (uintptr_t)arg;
	return 0;
}

static int sum(void *arg, struct wyn_value value, struct wyn_value *ret_value)
{
	const struct wyn_value *values = value.ptr[0];

	(void)arg;
	for (uint64_t i = 0; i < value.u64[1]; i++) {
		ret_value->u64[0] += values[i].u64[0];
	}
	return 0;
}

static void wait_at_gate(void *arg)
{
	(void)arg;
	latch_open(&running);
	latch_wait(&gate);
}

/* The worker runs nothing before the gate is opened. */
static void gate_close(void)
{
	assert_int_equal(wyn_pool_spawn_detached(pool, wait_at_gate, NULL), 0);
	latch_wait(&running);
}

static inline struct wyn_future *spawned(wyn_task_fn *fn, uintptr_t arg)
{
	struct wyn_spawn_options options = {.value_destroy = count_destroyed};
	struct wyn_future *future = NULL;

	assert_int_equal(
		wyn_pool_spawn(pool, fn, (void *)arg, &options, &future), 0);
	return future;
}

static inline struct wyn_future *all_of(
	struct wyn_future *const *inputs, size_t n)
{
	struct wyn_future *future = NULL;

	assert_int_equal(wyn_future_all(pool, inputs, n, &future), 0);
	return future;
}

static inline struct wyn_future *race_of(
	struct wyn_future *const *inputs, size_t n)
{
	struct wyn_future *future = NULL;

	assert_int_equal(wyn_future_race(pool, inputs, n, &future), 0);
	return future;
}

static inline struct wyn_future *then_of(
	struct wyn_future *input, wyn_map_fn *fn, uintptr_t arg)
{
	struct wyn_spawn_options options = {.value_destroy = count_destroyed};
	struct wyn_future *future = NULL;

	assert_int_equal(
		wyn_future_then(input, fn, (void *)arg, &options, &future), 0);
	return future;
}

static inline struct wyn_value awaited(struct wyn_future *future)
{
	struct wyn_value value = {.u64 = {0, 0}};

	assert_int_equal(wyn_future_await(future, &value), 0);
	return value;
}
