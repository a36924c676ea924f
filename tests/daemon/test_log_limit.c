// SPDX-License-Identifier: MIT
/*
 * test_log_limit.c - what is held back, when it is told, and the sum of an
 * hour.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/log_limit.h"

#define BURST	5u
#define HOUR_NS UINT64_C(3600000000000)

static void limits_hold_back_when_the_burst_of_a_cause_is_used_up(void **state)
{
	struct wyn_log_limits limits = {0};
	uint64_t suppressed = 99;

	(void)state;
	for (unsigned i = 0; i < BURST; i++) {
		assert_true(wyn_log_limits_pass(
			&limits, WYN_LOG_CROWDED, i, &suppressed));
		assert_int_equal(suppressed, 0);
	}
	assert_false(wyn_log_limits_pass(
		&limits, WYN_LOG_CROWDED, BURST, &suppressed));
	assert_true(wyn_log_limits_pass(
		&limits, WYN_LOG_PEER_WRONG, BURST, &suppressed));
}

static void limits_hold_back_when_all_causes_have_used_up_theirs(void **state)
{
	struct wyn_log_limits limits = {0};
	uint64_t suppressed;
	unsigned passed = 0;

	(void)state;
	for (unsigned i = 0; i < BURST; i++) {
		for (unsigned cause = 1; cause < WYN_LOG_OPENED; cause++) {
			passed += wyn_log_limits_pass(&limits,
				(enum wyn_log_cause)cause, 7, &suppressed);
		}
	}
	assert_int_equal(passed, WYN_LOG_ALL_BURST);
}

static void limits_never_hold_back_what_peers_cannot_cause(void **state)
{
	struct wyn_log_limits limits = {0};
	uint64_t suppressed = 99;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		assert_true(wyn_log_limits_pass(
			&limits, WYN_LOG_ALWAYS, 7, &suppressed));
	}
	assert_int_equal(suppressed, 0);
}

static void use_up(struct wyn_log_limits *limits, unsigned over)
{
	uint64_t suppressed;

	for (unsigned i = 0; i < BURST + over; i++) {
		(void)wyn_log_limits_pass(
			limits, WYN_LOG_CROWDED, 7, &suppressed);
	}
}

static void limits_tell_the_next_line_when_the_window_is_over(void **state)
{
	struct wyn_log_limits limits = {0};
	uint64_t suppressed;

	(void)state;
	use_up(&limits, 3);
	assert_true(wyn_log_limits_pass(
		&limits, WYN_LOG_CROWDED, 7 + WYN_LOG_WINDOW_NS, &suppressed));
	assert_int_equal(suppressed, 3);
	assert_null(wyn_log_limits_due(&limits, UINT64_MAX, true, &suppressed));
}

static void limits_are_due_when_the_window_is_over(void **state)
{
	struct wyn_log_limits limits = {0};
	uint64_t suppressed = 0;

	(void)state;
	use_up(&limits, 3);
	assert_null(wyn_log_limits_due(
		&limits, 6 + WYN_LOG_WINDOW_NS, false, &suppressed));
	assert_string_equal(wyn_log_limits_due(&limits, 7 + WYN_LOG_WINDOW_NS,
				    false, &suppressed),
		"connection-refused");
	assert_int_equal(suppressed, 3);
	assert_null(wyn_log_limits_due(&limits, UINT64_MAX, true, &suppressed));
}

static void limits_are_due_at_any_time_when_it_ends(void **state)
{
	struct wyn_log_limits limits = {0};
	uint64_t suppressed = 0;

	(void)state;
	use_up(&limits, 1);
	assert_non_null(wyn_log_limits_due(&limits, 8, true, &suppressed));
	assert_int_equal(suppressed, 1);
}

/* Every cause, a thousand times a second; what is due is told at once. */
static void limits_bound_an_hour_whatever_peers_do(void **state)
{
	struct wyn_log_limits limits = {0};
	uint64_t lines = 0;
	uint64_t suppressed;

	(void)state;
	for (uint64_t now_ns = 1; now_ns <= HOUR_NS; now_ns += 1000000) {
		for (unsigned cause = 1; cause < WYN_LOG_OPENED; cause++) {
			lines += wyn_log_limits_pass(&limits,
				(enum wyn_log_cause)cause, now_ns, &suppressed);
		}
		while (wyn_log_limits_due(
			&limits, now_ns, false, &suppressed)) {
			lines++;
		}
	}
	assert_in_range(lines * WYN_LOG_LINE_BYTES, 1, WYN_LOG_HOUR_BYTES);
	/* What wynd(8) says. */
	assert_true(WYN_LOG_HOUR_BYTES <= 12000000);
	assert_true(WYN_LOG_HOUR_DEBUG_BYTES <= 400000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			limits_hold_back_when_the_burst_of_a_cause_is_used_up),
		cmocka_unit_test(
			limits_hold_back_when_all_causes_have_used_up_theirs),
		cmocka_unit_test(
			limits_never_hold_back_what_peers_cannot_cause),
		cmocka_unit_test(
			limits_tell_the_next_line_when_the_window_is_over),
		cmocka_unit_test(limits_are_due_when_the_window_is_over),
		cmocka_unit_test(limits_are_due_at_any_time_when_it_ends),
		cmocka_unit_test(limits_bound_an_hour_whatever_peers_do),
	};

	return cmocka_run_group_tests_name("log_limit", tests, NULL, NULL);
}
