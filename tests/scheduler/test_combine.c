// SPDX-License-Identifier: MIT
/*
 * test_combine.c - values, refusals, depth and sudden ends of combinations.
 *
 * Their lives are in test_combine_life.c.
 */
#include <wyn/combine.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "tests/support/combination.h"

static void all_gives_every_value_when_many(void **state)
{
	enum {
		MANY = 1000
	};
	struct wyn_future *inputs[MANY];
	const struct wyn_value *values;
	struct wyn_future *future;
	struct wyn_value value;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		inputs[i] = spawned(give, i);
	}
	future = all_of(inputs, MANY);
	value = awaited(future);
	values = value.ptr[0];

	assert_int_equal(value.u64[1], MANY);
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(values[i].u64[0], i);
	}
	wyn_future_drop(future);
	assert_int_equal(destroyed, 0);
}

static void values_live_on_when_combined_twice(void **state)
{
	struct wyn_future *inputs[] = {spawned(give, 3), spawned(give, 4)};
	struct wyn_future *outer = all_of(inputs, 2);
	struct wyn_future *future;
	struct wyn_value value = {.u64 = {0, 0}};

	(void)state;
	outer = race_of(&outer, 1);
	assert_int_equal(wyn_future_any(pool, &outer, 1, &future), 0);
	assert_int_equal(sum(NULL, awaited(future), &value), 0);

	assert_int_equal(value.u64[0], 7);
	wyn_future_drop(future);
	assert_int_equal(destroyed, 0);
}

static void values_are_destroyed_when_combined_twice_and_not_read(void **state)
{
	struct wyn_future *inputs[] = {spawned(give, 3), spawned(give, 4)};
	struct wyn_future *outer = all_of(inputs, 2);

	(void)state;
	outer = race_of(&outer, 1);
	assert_int_equal(wyn_future_await(outer, NULL), 0);
	assert_int_equal(destroyed, 0);
	wyn_future_drop(outer);
	assert_int_equal(wyn_pool_wait_until(pool, WYN_DEADLINE_NONE), 0);
	assert_int_equal(destroyed, 2);
}

static void then_gets_the_values_when_of_all(void **state)
{
	struct wyn_future *inputs[] = {spawned(give, 3), spawned(give, 4)};
	struct wyn_future *future = then_of(all_of(inputs, 2), sum, 0);

	(void)state;
	assert_int_equal(awaited(future).u64[0], 7);
	wyn_future_drop(future);
	assert_int_equal(destroyed, 0);
}

static void combinators_decide_when_there_is_no_input(void **state)
{
	struct wyn_future *future;

	(void)state;
	assert_int_equal(wyn_future_any(pool, NULL, 0, &future), -EINVAL);
	assert_int_equal(wyn_future_race(pool, NULL, 0, &future), -EINVAL);
	assert_int_equal(wyn_future_all(pool, NULL, 0, &future), 0);
	assert_true(wyn_future_ready(future));
	assert_int_equal(awaited(future).u64[1], 0);
	wyn_future_drop(future);
}

static void inputs_stay_the_callers_when_refused(void **state)
{
	struct wyn_pool *other = pool_started(1);
	struct wyn_future *inputs[] = {spawned(give, 3), NULL};
	struct wyn_future *future;

	(void)state;
	assert_int_equal(wyn_future_all(pool, inputs, 2, &future), -EINVAL);
	assert_int_equal(wyn_future_all(other, inputs, 1, &future), -EINVAL);
	assert_int_equal(wyn_future_race(pool, inputs,
				 WYN_COMBINE_INPUTS_MAX + 1u, &future),
		-E2BIG);
	assert_int_equal(
		wyn_future_then(NULL, add, NULL, NULL, &future), -EINVAL);
	assert_int_equal(awaited(inputs[0]).u64[0], 3);
	wyn_future_drop(inputs[0]);
	pool_ended(other);
}

static void then_is_refused_when_too_many_are_in_flight(void **state)
{
	struct wyn_pool_config config;
	struct wyn_pool *bounded;
	struct wyn_future *input, *future, *none;

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 1;
	config.in_flight_max = 2;
	assert_int_equal(wyn_pool_create(&config, &bounded), 0);
	assert_int_equal(wyn_pool_spawn(bounded, give, NULL, NULL, &input), 0);
	assert_int_equal(wyn_future_then(input, add, NULL, NULL, &future), 0);
	assert_int_equal(
		wyn_future_then(future, add, NULL, NULL, &none), -EAGAIN);
	assert_true(wyn_future_cancel(future));
	assert_int_equal(wyn_future_then(future, add, NULL, NULL, &none), 0);

	assert_int_equal(wyn_future_await(none, NULL), -ECANCELED);
	wyn_future_drop(none);
	assert_int_equal(wyn_pool_start(bounded), 0);
	pool_ended(bounded);
}

static void then_gives_back_its_place_when_it_does_not_run(void **state)
{
	struct wyn_pool *saved = pool;
	struct wyn_pool_config config;

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 1;
	config.in_flight_max = 2;
	pool = pool_started_as(&config);
	for (unsigned i = 0; i < 300; i++) {
		struct wyn_future *input =
			i % 3 == 0 ? spawned(refuse, EIO) : spawned(give, 1);
		struct wyn_future *future = then_of(input, add, 1);

		if (i % 3 == 1) {
			(void)wyn_future_cancel(future);
		}
		wyn_future_drop(future);
		assert_int_equal(
			wyn_pool_wait_until(pool, WYN_DEADLINE_NONE), 0);
	}
	pool_ended(pool);
	pool = saved;
}

static void then_goes_on_when_drain_began(void **state)
{
	struct wyn_future *ended = spawned(give, 1);
	struct wyn_future *future, *none;

	(void)state;
	assert_int_equal(wyn_future_await(ended, NULL), 0);
	gate_close();
	future = spawned(give, 2);
	assert_int_equal(wyn_pool_drain(pool, 0), -ETIMEDOUT);
	assert_int_equal(
		wyn_future_then(ended, add, NULL, NULL, &none), -ESHUTDOWN);
	future = then_of(then_of(future, add, 10), add, 100);
	latch_open(&gate);
	assert_int_equal(wyn_pool_drain(pool, WYN_DEADLINE_NONE), 0);

	assert_true(wyn_future_ready(future));
	assert_int_equal(awaited(future).u64[0], 112);
	wyn_future_drop(future);
	wyn_future_drop(ended);
}

static void then_counts_in_its_group_when_waited_for(void **state)
{
	struct wyn_group group;
	struct wyn_spawn_options options = {.group = &group};
	struct wyn_future *future, *none;

	(void)state;
	wyn_group_init(&group, pool);
	gate_close();
	assert_int_equal(
		wyn_future_then(spawned(give, 1), add, NULL, &options, &future),
		0);
	assert_int_equal(wyn_group_wait_until(&group, 0), -ETIMEDOUT);
	wyn_group_cancel(&group);
	assert_int_equal(wyn_future_then(future, add, NULL, &options, &none),
		-ECANCELED);
	latch_open(&gate);
	assert_int_equal(wyn_group_wait(&group), -ECANCELED);
	assert_int_equal(wyn_future_await(future, NULL), -ECANCELED);
	assert_int_equal(ran, 1);
	wyn_future_drop(future);
}

static int run_until_cancelled(void *arg, struct wyn_value *ret_value)
{
	(void)ret_value;
	latch_open(arg);
	while (!wyn_task_cancelled()) {
	}
	ran++;
	return 0;
}

static void losers_are_asked_when_they_run(void **state)
{
	struct wyn_pool *two = pool_started(2);
	struct wyn_spawn_options options = {.value_destroy = count_destroyed};
	struct wyn_future *inputs[2], *future;

	(void)state;
	assert_int_equal(wyn_pool_spawn(two, run_until_cancelled, &running,
				 &options, &inputs[0]),
		0);
	latch_wait(&running);
	assert_int_equal(
		wyn_pool_spawn(two, give, (void *)5, &options, &inputs[1]), 0);
	assert_int_equal(wyn_future_any(two, inputs, 2, &future), 0);

	assert_int_equal(awaited(future).u64[0], 5);
	assert_int_equal(wyn_pool_drain(two, WYN_DEADLINE_NONE), 0);
	assert_int_equal(ran, 2);
	assert_int_equal(destroyed, 1);
	wyn_future_drop(future);
	wyn_pool_destroy(two);
}

static void inputs_of_inputs_are_cancelled_when_the_top_is(void **state)
{
	struct wyn_future *future;

	(void)state;
	gate_close();
	future = spawned(give, 1);
	for (unsigned i = 0; i < 100000; i++) {
		struct wyn_future *pair[] = {future, NULL};

		pair[1] = i % 1000 == 0 ? spawned(give, 1) : NULL;
		future = i % 3 == 0   ? then_of(future, add, 1)
			 : i % 3 == 1 ? all_of(pair, 1)
				      : race_of(pair, 1);
		wyn_future_drop(pair[1]);
	}
	assert_true(wyn_future_cancel(future));
	assert_int_equal(wyn_future_await(future, NULL), -ECANCELED);
	wyn_future_drop(future);
	latch_open(&gate);
	assert_int_equal(wyn_pool_wait_until(pool, WYN_DEADLINE_NONE), 0);
	assert_int_equal(ran, 100);
}

static void ends_pass_through_when_the_chain_is_long(void **state)
{
	struct wyn_future *failing, *giving;

	(void)state;
	gate_close();
	failing = spawned(refuse, EIO);
	giving = spawned(give, 0);
	for (unsigned i = 0; i < 100000; i++) {
		failing = i % 2 == 0 ? then_of(failing, add, 1)
				     : all_of(&failing, 1);
		giving = i % 2 == 0 ? then_of(giving, add, 1)
				    : race_of(&giving, 1);
	}
	latch_open(&gate);
	assert_int_equal(wyn_future_await(failing, NULL), -EIO);
	assert_int_equal(awaited(giving).u64[0], 50000);
	wyn_future_drop(failing);
	wyn_future_drop(giving);
}

static int combine_inside(void *arg, struct wyn_value *ret_value)
{
	struct wyn_future *inputs[] = {spawned(give, 3), spawned(give, 4)};
	struct wyn_future *future = then_of(all_of(inputs, 2), sum, 0);

	(void)arg;
	*ret_value = awaited(future);
	wyn_future_drop(future);
	return 0;
}

static void await_helps_when_inside_a_task(void **state)
{
	struct wyn_pool *saved = pool;
	struct wyn_pool_config config;
	struct wyn_future *future;

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 1;
	config.spare_max = 0;
	pool = pool_started_as(&config);
	future = spawned(combine_inside, 0);
	assert_int_equal(awaited(future).u64[0], 7);
	wyn_future_drop(future);
	pool_ended(pool);
	pool = saved;
}

/* Awaits a combination of its own although the pool is being destroyed. */
static int await_in_ruins(void *arg, struct wyn_value *ret_value)
{
	struct wyn_future *inputs[] = {spawned(give, 3), spawned(give, 4)};
	struct wyn_future *future = then_of(all_of(inputs, 2), sum, 0);
	int r;

	(void)arg;
	(void)ret_value;
	latch_open(&running);
	latch_wait(&gate);
	r = wyn_future_await_until(future, WYN_DEADLINE_NONE, NULL);
	assert_true(r == 0 || r == -ECANCELED || r == -EDEADLK);
	/* Nobody drops it: destroying the pool frees it all. */
	return 0;
}

static void everything_is_freed_when_destroyed_in_its_midst(void **state)
{
	struct wyn_pool *saved = pool;

	(void)state;
	for (unsigned i = 1; i <= 200; i++) {
		struct wyn_future *inputs[50];

		pool = pool_started(2);
		latch_fini(&gate);
		latch_init(&gate);
		wyn_future_drop(spawned(await_in_ruins, 0));
		latch_wait_for(&running, i);
		for (size_t j = 0; j < WYN_COUNT_OF(inputs); j++) {
			inputs[j] = spawned(give, j);
		}
		(void)then_of(all_of(inputs, WYN_COUNT_OF(inputs)), sum, 0);
		latch_open(&gate);
		wyn_pool_destroy(pool);
	}
	pool = saved;
}

static void everything_is_freed_when_never_started(void **state)
{
	struct wyn_pool *saved = pool;
	struct wyn_future *inputs[50];

	(void)state;
	assert_int_equal(wyn_pool_create(NULL, &pool), 0);
	for (size_t i = 0; i < WYN_COUNT_OF(inputs); i++) {
		inputs[i] = spawned(give, i);
	}
	(void)then_of(race_of(inputs, WYN_COUNT_OF(inputs)), add, 0);
	wyn_pool_destroy(pool);
	pool = saved;
}

#define TEST(name)                       \
	cmocka_unit_test_setup_teardown( \
		name, combination_setup, combination_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_gives_every_value_when_many),
		TEST(values_live_on_when_combined_twice),
		TEST(values_are_destroyed_when_combined_twice_and_not_read),
		TEST(then_gets_the_values_when_of_all),
		TEST(combinators_decide_when_there_is_no_input),
		TEST(inputs_stay_the_callers_when_refused),
		TEST(then_is_refused_when_too_many_are_in_flight),
		TEST(then_gives_back_its_place_when_it_does_not_run),
		TEST(then_goes_on_when_drain_began),
		TEST(then_counts_in_its_group_when_waited_for),
		TEST(losers_are_asked_when_they_run),
		TEST(inputs_of_inputs_are_cancelled_when_the_top_is),
		TEST(ends_pass_through_when_the_chain_is_long),
		TEST(await_helps_when_inside_a_task),
		TEST(everything_is_freed_when_destroyed_in_its_midst),
		TEST(everything_is_freed_when_never_started),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
