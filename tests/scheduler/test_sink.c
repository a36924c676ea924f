// SPDX-License-Identifier: MIT
/*
 * test_sink.c - the chain an owner drains, and the one wake per arming.
 */
#include "scheduler/sink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static unsigned wakes;

static void count_wake(struct wyn_sink *sink)
{
	(void)sink;
	wakes++;
}

static struct wyn_sink sink;

static int sink_setup(void **state)
{
	(void)state;
	wakes = 0;
	wyn_sink_init(&sink, count_wake);
	return 0;
}

static void sink_drains_nothing_when_empty(void **state)
{
	(void)state;
	assert_null(wyn_sink_drain(&sink));
}

static void sink_drains_oldest_first_when_one_lane(void **state)
{
	struct wyn_job jobs[3];
	struct wyn_job *job;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		wyn_sink_push(&sink, &jobs[i], 5);
	}

	job = wyn_sink_drain(&sink);
	for (unsigned i = 0; i < 3; i++) {
		assert_ptr_equal(job, &jobs[i]);
		job = job->next;
	}
	assert_null(job);
	assert_null(wyn_sink_drain(&sink));
}

static void sink_drains_all_when_many_lanes(void **state)
{
	struct wyn_job jobs[3 * WYN_SINK_LANES];
	unsigned seen = 0;

	(void)state;
	for (unsigned i = 0; i < 3 * WYN_SINK_LANES; i++) {
		wyn_sink_push(&sink, &jobs[i], i);
	}

	for (struct wyn_job *job = wyn_sink_drain(&sink); job != NULL;
		job = job->next) {
		seen++;
	}
	assert_int_equal(seen, 3 * WYN_SINK_LANES);
}

static void sink_peeks_true_as_long_as_something_is_there(void **state)
{
	struct wyn_job job;

	(void)state;
	for (unsigned lane = 0; lane < WYN_SINK_LANES; lane++) {
		assert_false(wyn_sink_peek(&sink));
		wyn_sink_push(&sink, &job, lane);
		assert_true(wyn_sink_peek(&sink));
		assert_ptr_equal(wyn_sink_drain(&sink), &job);
	}
	assert_false(wyn_sink_peek(&sink));
}

static void sink_wakes_nobody_when_not_armed(void **state)
{
	struct wyn_job job;

	(void)state;
	wyn_sink_push(&sink, &job, 0);

	assert_int_equal(wakes, 0);
}

static void sink_wakes_once_when_armed(void **state)
{
	struct wyn_job jobs[2];

	(void)state;
	assert_true(wyn_sink_arm(&sink));
	wyn_sink_push(&sink, &jobs[0], 0);
	wyn_sink_push(&sink, &jobs[1], 1);

	assert_int_equal(wakes, 1);
}

static void sink_refuses_to_arm_when_not_empty(void **state)
{
	struct wyn_job jobs[2];

	(void)state;
	wyn_sink_push(&sink, &jobs[0], 3);

	assert_false(wyn_sink_arm(&sink));

	wyn_sink_push(&sink, &jobs[1], 3);
	assert_int_equal(wakes, 0);
}

static void sink_wakes_nobody_when_disarmed(void **state)
{
	struct wyn_job job;

	(void)state;
	assert_true(wyn_sink_arm(&sink));
	wyn_sink_disarm(&sink);
	wyn_sink_push(&sink, &job, 0);

	assert_int_equal(wakes, 0);
}

static void sink_wakes_again_when_armed_again(void **state)
{
	struct wyn_job job;

	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		assert_true(wyn_sink_arm(&sink));
		wyn_sink_push(&sink, &job, 0);
		assert_ptr_equal(wyn_sink_drain(&sink), &job);
		assert_int_equal(wakes, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			sink_drains_nothing_when_empty, sink_setup),
		cmocka_unit_test_setup(
			sink_drains_oldest_first_when_one_lane, sink_setup),
		cmocka_unit_test_setup(
			sink_drains_all_when_many_lanes, sink_setup),
		cmocka_unit_test_setup(
			sink_wakes_nobody_when_not_armed, sink_setup),
		cmocka_unit_test_setup(sink_wakes_once_when_armed, sink_setup),
		cmocka_unit_test_setup(
			sink_peeks_true_as_long_as_something_is_there,
			sink_setup),
		cmocka_unit_test_setup(
			sink_refuses_to_arm_when_not_empty, sink_setup),
		cmocka_unit_test_setup(
			sink_wakes_nobody_when_disarmed, sink_setup),
		cmocka_unit_test_setup(
			sink_wakes_again_when_armed_again, sink_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
