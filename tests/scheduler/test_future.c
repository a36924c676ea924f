// SPDX-License-Identifier: MIT
/*
 * test_future.c - values: awaited once, twice, by many, too early, too late.
 *
 * future_complete, future_two and future_5 and the scales, spawn_1000 to
 * spawn_10_m, are the behaviours that this pool was asked for first.
 */
#include <wyn/future.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "tests/support/latch.h"
#include "tests/support/pool.h"

#define AWAITERS 4u
#define WINDOW	 65536u

#define SCALE_MAX (WYN_SANITIZED ? 100000u : 10000000u)

static struct wyn_pool *pool;
static struct latch latch;

static int future_setup(void **state)
{
	(void)state;
	latch_init(&latch);
	pool = pool_started(2);
	return 0;
}

static int future_teardown(void **state)
{
	(void)state;
	pool_ended(pool);
	latch_fini(&latch);
	return 0;
}

static int give(void *arg, struct wyn_value *ret_value)
{
	ret_value->u64[0] = (uintptr_t)arg;
	return 0;
}

static int give_after_latch(void *arg, struct wyn_value *ret_value)
{
	latch_wait(&latch);
	return give(arg, ret_value);
}

static int refuse(void *arg, struct wyn_value *ret_value)
{
	(void)ret_value;
	return -(int)(uintptr_t)arg;
}

static struct wyn_future *spawned(wyn_task_fn *fn, uintptr_t arg)
{
	struct wyn_future *future = NULL;

	assert_int_equal(
		wyn_pool_spawn(pool, fn, (void *)arg, NULL, &future), 0);
	return future;
}

static uint64_t awaited(struct wyn_future *future)
{
	struct wyn_value value = {.u64 = {0, 0}};

	assert_int_equal(wyn_future_await(future, &value), 0);
	return value.u64[0];
}

static void future_complete(void **state)
{
	struct wyn_future *future = spawned(give, 1);

	(void)state;
	assert_int_equal(awaited(future), 1);
	assert_true(wyn_future_ready(future));
	wyn_future_drop(future);
}

static void future_two(void **state)
{
	struct wyn_future *first = spawned(give, 100);
	struct wyn_future *second = spawned(give, 400);
	char text[16];

	(void)state;
	snprintf(text, sizeof(text), "%d%d", (int)awaited(first),
		(int)awaited(second));

	assert_string_equal(text, "100400");
	wyn_future_drop(first);
	wyn_future_drop(second);
}

static void future_5(void **state)
{
	struct wyn_future *futures[5];

	(void)state;
	for (uintptr_t i = 0; i < 5; i++) {
		futures[i] = spawned(give, i * 11);
	}

	for (uintptr_t i = 0; i < 5; i++) {
		assert_int_equal(awaited(futures[i]), i * 11);
		wyn_future_drop(futures[i]);
	}
}

static void future_gives_error_when_body_fails(void **state)
{
	struct wyn_future *future = spawned(refuse, ENOENT);
	struct wyn_value value = {.u64 = {7, 0}};

	(void)state;
	assert_int_equal(wyn_future_await(future, &value), -ENOENT);
	assert_int_equal(value.u64[0], 7);
	wyn_future_drop(future);
}

static void future_gives_value_when_awaited_twice(void **state)
{
	struct wyn_future *future = spawned(give, 9);

	(void)state;
	assert_int_equal(awaited(future), 9);
	assert_int_equal(awaited(future), 9);
	wyn_future_drop(future);
}

static void *await_main(void *arg)
{
	struct wyn_value value;
	int r = wyn_future_await(arg, &value);

	return (void *)(uintptr_t)(r == 0 ? value.u64[0] : 0);
}

static void future_gives_value_when_awaited_by_many(void **state)
{
	struct wyn_future *future = spawned(give_after_latch, 77);
	pthread_t threads[AWAITERS];

	(void)state;
	for (unsigned i = 0; i < AWAITERS; i++) {
		pthread_create(&threads[i], NULL, await_main, future);
	}
	latch_open(&latch);

	for (unsigned i = 0; i < AWAITERS; i++) {
		void *got;

		pthread_join(threads[i], &got);
		assert_int_equal((uintptr_t)got, 77);
	}
	wyn_future_drop(future);
}

static void future_times_out_when_late_and_completes_later(void **state)
{
	struct wyn_future *future = spawned(give_after_latch, 5);
	struct wyn_value value;

	(void)state;
	assert_false(wyn_future_ready(future));
	assert_int_equal(wyn_future_await_until(future, 0, &value), -ETIMEDOUT);
	assert_int_equal(
		wyn_future_await_until(future, deadline_in_ms(1), &value),
		-ETIMEDOUT);
	latch_open(&latch);

	assert_int_equal(awaited(future), 5);
	wyn_future_drop(future);
}

static _Atomic unsigned destroyed;

static void count_destroyed(struct wyn_value value)
{
	destroyed += (unsigned)value.u64[0];
}

static void drop_with_destructor(bool read)
{
	struct wyn_spawn_options options = {.value_destroy = count_destroyed};
	struct wyn_future *future = NULL;

	destroyed = 0;
	assert_int_equal(wyn_pool_spawn(pool, give_after_latch, (void *)3,
				 &options, &future),
		0);
	if (read) {
		latch_open(&latch);
		assert_int_equal(awaited(future), 3);
	}
	wyn_future_drop(future);
	latch_open(&latch);
	assert_int_equal(wyn_pool_drain(pool, WYN_DEADLINE_NONE), 0);
}

static void future_destroys_value_when_dropped_unread(void **state)
{
	(void)state;
	drop_with_destructor(false);
	assert_int_equal(destroyed, 3);
}

static void future_keeps_value_when_it_was_read(void **state)
{
	(void)state;
	drop_with_destructor(true);
	assert_int_equal(destroyed, 0);
}

/* Spawns n tasks with values and checks the sum, a window at a time. */
static void scale(uint64_t n)
{
	struct wyn_future **futures = calloc(WINDOW, sizeof(void *));
	uint64_t sum = 0;

	assert_non_null(futures);
	for (uint64_t begin = 0; begin < n; begin += WINDOW) {
		uint64_t count = n - begin < WINDOW ? n - begin : WINDOW;

		for (uint64_t i = 0; i < count; i++) {
			futures[i] = spawned(give, begin + i);
		}
		for (uint64_t i = 0; i < count; i++) {
			sum += awaited(futures[i]);
			wyn_future_drop(futures[i]);
		}
	}
	free(futures);
	assert_int_equal(sum, n * (n - 1) / 2);
}

static _Atomic uint64_t detached_sum;

static void add(void *arg)
{
	detached_sum += (uintptr_t)arg;
}

static void scale_detached(uintptr_t n)
{
	struct wyn_pool *own = pool_started(2);
	uintptr_t spawned_count = 0;

	detached_sum = 0;
	while (spawned_count < n &&
		wyn_pool_spawn_detached(own, add, (void *)spawned_count) == 0) {
		spawned_count++;
	}
	pool_ended(own);
	assert_int_equal(spawned_count, n);
	assert_int_equal(detached_sum, n * (n - 1) / 2);
}

/* So many tasks with a value, and so many without. */
static void spawn_all(uintptr_t n)
{
	if (n > SCALE_MAX) {
		skip();
	}
	scale(n);
	scale_detached(n);
}

static void spawn_1000(void **state)
{
	(void)state;
	spawn_all(1000);
}

static void spawn_10_k(void **state)
{
	(void)state;
	spawn_all(10000);
}

static void spawn_100_k(void **state)
{
	(void)state;
	spawn_all(100000);
}

static void spawn_1_m(void **state)
{
	(void)state;
	spawn_all(1000000);
}

static void spawn_10_m(void **state)
{
	(void)state;
	spawn_all(10000000);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, future_setup, future_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(future_complete),
		TEST(future_two),
		TEST(future_5),
		TEST(future_gives_error_when_body_fails),
		TEST(future_gives_value_when_awaited_twice),
		TEST(future_gives_value_when_awaited_by_many),
		TEST(future_times_out_when_late_and_completes_later),
		TEST(future_destroys_value_when_dropped_unread),
		TEST(future_keeps_value_when_it_was_read),
		TEST(spawn_1000),
		TEST(spawn_10_k),
		TEST(spawn_100_k),
		TEST(spawn_1_m),
		TEST(spawn_10_m),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
