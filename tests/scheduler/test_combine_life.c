// SPDX-License-Identifier: MIT
/*
 * test_combine_life.c - every life of a combination, as a table.
 *
 * A row is a combinator, how its inputs end, and what the handle's owner does
 * meanwhile. Each row is lived twice: with inputs that end after they were
 * combined, and with inputs that had ended before. One worker, so that they
 * end in their order.
 */
#include <wyn/combine.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "tests/support/combination.h"

#define INPUTS	 3u
#define MAP_ADDS 100u

enum combinator {
	ALL,
	ANY,
	RACE,
	THEN, /* of the first input; the others are dropped */
};

enum end {
	OK,	/* gives 1, 2 or 3 by its place */
	EIO_,	/* fails */
	EPERM_, /* fails otherwise */
	STOP,	/* its group is cancelled before it starts */
};

enum act {
	KEEP, /* awaits and reads */
	LOOK, /* awaits without reading the value */
	DROP,
	CANCEL,
	CANCEL_AND_DROP,
};

/* What comes of it. */
struct fate {
	int result;
	uint64_t value; /* the sum, of an all */
	unsigned ran;	/* inputs, and the map's function */
	unsigned destroyed;
};

struct life {
	const char *name;
	enum combinator combinator;
	enum end ends[INPUTS];
	enum act act;
	struct fate after;  /* the inputs end after the combination is made */
	struct fate before; /* they had ended */
};

#define ALL_OK             \
	{                  \
		OK, OK, OK \
	}
#define ALL_FAIL                   \
	{                          \
		EIO_, EPERM_, EIO_ \
	}
#define GONE                        \
	{                           \
		-ECANCELED, 0, 0, 0 \
	}

static const struct life lives[] = {
	{"all succeed", ALL, ALL_OK, KEEP, {0, 6, 3, 0}, {0, 6, 3, 0}},
	{"all succeed, nobody reads", ALL, ALL_OK, LOOK, {0, 0, 3, 3},
		{0, 0, 3, 3}},
	{"all succeed, dropped", ALL, ALL_OK, DROP, {0, 0, 3, 3}, {0, 0, 3, 3}},
	{"all, one fails", ALL, {OK, EIO_, OK}, KEEP, {-EIO, 0, 3, 2},
		{-EIO, 0, 3, 2}},
	{"all, two fail", ALL, {OK, EPERM_, EIO_}, KEEP, {-EPERM, 0, 3, 1},
		{-EPERM, 0, 3, 1}},
	{"all, one is stopped", ALL, {STOP, OK, EIO_}, KEEP,
		{-ECANCELED, 0, 2, 1}, {-ECANCELED, 0, 2, 1}},
	{"all, one fails, dropped", ALL, {OK, EIO_, OK}, DROP, {0, 0, 3, 2},
		{0, 0, 3, 2}},
	{"all cancelled", ALL, ALL_OK, CANCEL, GONE, {0, 6, 3, 0}},
	{"all cancelled and dropped", ALL, ALL_OK, CANCEL_AND_DROP, GONE,
		{0, 0, 3, 3}},

	{"any, the first succeeds", ANY, ALL_OK, KEEP, {0, 1, 1, 0},
		{0, 1, 3, 2}},
	{"any, nobody reads", ANY, ALL_OK, LOOK, {0, 0, 1, 1}, {0, 0, 3, 3}},
	{"any, the second succeeds", ANY, {EIO_, OK, OK}, KEEP, {0, 2, 2, 0},
		{0, 2, 3, 1}},
	{"any, the last succeeds", ANY, {EIO_, STOP, OK}, KEEP, {0, 3, 2, 0},
		{0, 3, 2, 0}},
	{"any, none succeeds", ANY, ALL_FAIL, KEEP, {-EIO, 0, 3, 0},
		{-EIO, 0, 3, 0}},
	{"any, none is let", ANY, {STOP, STOP, STOP}, KEEP, GONE, GONE},
	{"any, dropped", ANY, {EIO_, OK, OK}, DROP, {0, 0, 2, 1}, {0, 0, 3, 2}},
	{"any, none succeeds, dropped", ANY, ALL_FAIL, DROP, {0, 0, 3, 0},
		{0, 0, 3, 0}},
	{"any cancelled", ANY, ALL_OK, CANCEL, GONE, {0, 1, 3, 2}},
	{"any cancelled and dropped", ANY, ALL_OK, CANCEL_AND_DROP, GONE,
		{0, 0, 3, 3}},

	{"race, the first succeeds", RACE, ALL_OK, KEEP, {0, 1, 1, 0},
		{0, 1, 3, 2}},
	{"race, the first fails", RACE, {EIO_, OK, OK}, KEEP, {-EIO, 0, 1, 0},
		{-EIO, 0, 3, 2}},
	{"race, the first is stopped", RACE, {STOP, OK, OK}, KEEP,
		{-ECANCELED, 0, 0, 0}, {-ECANCELED, 0, 2, 2}},
	{"race, nobody reads", RACE, ALL_OK, LOOK, {0, 0, 1, 1}, {0, 0, 3, 3}},
	{"race, dropped", RACE, ALL_OK, DROP, {0, 0, 1, 1}, {0, 0, 3, 3}},
	{"race cancelled", RACE, ALL_OK, CANCEL, GONE, {0, 1, 3, 2}},
	{"race cancelled and dropped", RACE, ALL_OK, CANCEL_AND_DROP, GONE,
		{0, 0, 3, 3}},

	/* The two other inputs run and are destroyed whatever happens. */
	{"then", THEN, ALL_OK, KEEP, {0, 101, 4, 2}, {0, 101, 4, 2}},
	{"then, nobody reads", THEN, ALL_OK, LOOK, {0, 0, 4, 3}, {0, 0, 4, 3}},
	{"then, dropped", THEN, ALL_OK, DROP, {0, 0, 4, 3}, {0, 0, 4, 3}},
	{"then of a failure", THEN, {EIO_, OK, OK}, KEEP, {-EIO, 0, 3, 2},
		{-EIO, 0, 3, 2}},
	{"then of a failure, dropped", THEN, {EIO_, OK, OK}, DROP, {0, 0, 3, 2},
		{0, 0, 3, 2}},
	{"then of one that is stopped", THEN, {STOP, OK, OK}, KEEP,
		{-ECANCELED, 0, 2, 2}, {-ECANCELED, 0, 2, 2}},
	/* Had it ended, the map's own place is in the queue. */
	{"then cancelled", THEN, ALL_OK, CANCEL, {-ECANCELED, 0, 2, 2},
		{-ECANCELED, 0, 3, 3}},
	{"then cancelled and dropped", THEN, ALL_OK, CANCEL_AND_DROP,
		{0, 0, 2, 2}, {0, 0, 3, 3}},
};

static struct wyn_future *input_spawned(
	enum end end, uintptr_t place, struct wyn_group *stopped)
{
	struct wyn_spawn_options options = {
		.value_destroy = count_destroyed,
		.group = stopped,
	};
	struct wyn_future *future = NULL;

	switch (end) {
	case OK:
		return spawned(give, place + 1);
	case EIO_:
		return spawned(refuse, EIO);
	case EPERM_:
		return spawned(refuse, EPERM);
	default:
		assert_int_equal(
			wyn_pool_spawn(pool, give, NULL, &options, &future), 0);
		return future;
	}
}

static struct wyn_future *combined(
	enum combinator combinator, struct wyn_future *const *inputs)
{
	struct wyn_future *future = NULL;

	switch (combinator) {
	case ALL:
		return all_of(inputs, INPUTS);
	case ANY:
		assert_int_equal(
			wyn_future_any(pool, inputs, INPUTS, &future), 0);
		return future;
	case RACE:
		return race_of(inputs, INPUTS);
	default:
		for (size_t i = 1; i < INPUTS; i++) {
			wyn_future_drop(inputs[i]);
		}
		return then_of(inputs[0], add, MAP_ADDS);
	}
}

/* Returns the handle, or NULL once it is dropped. */
static struct wyn_future *perform(
	enum act act, struct wyn_future *future, bool cancels)
{
	if (act == CANCEL || act == CANCEL_AND_DROP) {
		assert_int_equal(wyn_future_cancel(future), cancels);
		assert_true(wyn_future_ready(future));
	}
	if (act == DROP || act == CANCEL_AND_DROP) {
		wyn_future_drop(future);
		return NULL;
	}
	return future;
}

static void check_end(const struct life *life, const struct fate *fate,
	struct wyn_future *future)
{
	struct wyn_value value = {.u64 = {0, 0}};

	assert_true(wyn_future_ready(future));
	assert_int_equal(
		wyn_future_await(future, life->act == LOOK ? NULL : &value),
		fate->result);
	if (life->combinator == ALL && value.u64[1] != 0) {
		struct wyn_value array = value;

		value.u64[0] = 0;
		assert_int_equal(sum(NULL, array, &value), 0);
	}
	assert_int_equal(value.u64[0], fate->value);
	wyn_future_drop(future);
}

static void live(const struct life *life, bool before)
{
	const struct fate *fate = before ? &life->before : &life->after;
	struct wyn_future *inputs[INPUTS];
	struct wyn_pool_counters counters;
	struct wyn_future *future;
	struct wyn_group stopped;

	wyn_group_init(&stopped, pool);
	gate_close();
	for (size_t i = 0; i < INPUTS; i++) {
		inputs[i] = input_spawned(life->ends[i], i, &stopped);
	}
	wyn_group_cancel(&stopped);
	if (before) {
		latch_open(&gate);
		assert_int_equal(
			wyn_pool_wait_until(pool, WYN_DEADLINE_NONE), 0);
		latch_fini(&gate);
		latch_init(&gate);
		latch_fini(&running);
		latch_init(&running);
		gate_close();
	}
	future = combined(life->combinator, inputs);
	future =
		perform(life->act, future, !before || life->combinator == THEN);
	latch_open(&gate);
	assert_int_equal(wyn_pool_drain(pool, WYN_DEADLINE_NONE), 0);
	if (future != NULL) {
		check_end(life, fate, future);
	}

	assert_int_equal(ran, fate->ran);
	assert_int_equal(destroyed, fate->destroyed);
	wyn_pool_counters(pool, &counters);
	assert_int_equal(counters.run, fate->ran + (before ? 2 : 1));
	assert_int_equal(counters.unfinished, 0);
}

static void combination_ends_as_the_table_says_when_lived(void **state)
{
	for (size_t i = 0; i < 2 * WYN_COUNT_OF(lives); i++) {
		const struct life *life = &lives[i / 2];
		bool before = i % 2 != 0;

		print_message("life: %s, inputs end %s\n", life->name,
			before ? "before" : "after");
		combination_setup(state);
		live(life, before);
		combination_teardown(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(combination_ends_as_the_table_says_when_lived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
