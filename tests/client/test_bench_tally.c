// SPDX-License-Identifier: MIT
/*
 * test_bench_tally.c - what bench counts of answered tasks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include <wyn/status.h>

#include "base/compiler.h"
#include "base/text.h"
#include "client/wynctl/bench_tally.h"

static struct wyn_tally tally;

static int tally_reset(void **state)
{
	(void)state;
	memset(&tally, 0, sizeof(tally));
	return 0;
}

static void tally_has_every_task_when_latencies_come_in_runs(void **state)
{
	static const uint64_t latencies[] = {5, 5, 5, 9, 9, 5, 0, 0, 7};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(latencies); i++) {
		wyn_tally_task(&tally, latencies[i]);
	}
	wyn_tally_flush(&tally);
	assert_int_equal(9, tally.tasks);
	assert_int_equal(9, wyn_histogram_count(&tally.latency_ns));
	assert_int_equal(0, wyn_histogram_min(&tally.latency_ns));
	assert_int_equal(9, wyn_histogram_max(&tally.latency_ns));
	assert_int_equal(5, wyn_histogram_percentile(&tally.latency_ns, 50));
	assert_true(wyn_tally_mean_ns(&tally) == 5.0);
}

static void tally_has_no_mean_when_nothing_was_answered(void **state)
{
	(void)state;
	wyn_tally_flush(&tally);
	assert_int_equal(0, wyn_histogram_count(&tally.latency_ns));
	assert_true(wyn_tally_mean_ns(&tally) == 0);
}

static void tally_parts_errors_when_code_or_reason_differs(void **state)
{
	(void)state;
	wyn_tally_error(&tally, WYN_STATUS_NOT_FOUND, "A", "");
	wyn_tally_error(&tally, WYN_STATUS_ABORTED, "A", "");
	wyn_tally_error(&tally, WYN_STATUS_NOT_FOUND, "B", "");
	wyn_tally_error(&tally, WYN_STATUS_NOT_FOUND, "A", "");
	assert_int_equal(3, tally.errors_count);
	assert_int_equal(4, tally.failed);
	assert_int_equal(2, tally.errors[0].count);
	assert_int_equal(WYN_STATUS_NOT_FOUND, tally.errors[0].code);
	assert_string_equal("A", tally.errors[0].reason);
	assert_int_equal(WYN_STATUS_ABORTED, tally.errors[1].code);
	assert_string_equal("B", tally.errors[2].reason);
}

static void tally_loses_none_when_reasons_are_many_and_long(void **state)
{
	const unsigned kinds = WYN_TALLY_ERRORS_MAX + 5;
	char reason[4 * WYN_TALLY_REASON_BYTES];
	uint64_t sum = 0;

	(void)state;
	for (unsigned i = 0; i < 3 * kinds; i++) {
		(void)snprintf(
			reason, sizeof(reason), "%u-%0150d", i % kinds, 0);
		wyn_tally_error(&tally, WYN_STATUS_UNKNOWN, reason, "");
	}
	assert_int_equal(WYN_TALLY_ERRORS_MAX, tally.errors_count);
	assert_int_equal(3, tally.errors[0].count);
	for (unsigned i = 0; i < tally.errors_count; i++) {
		sum += tally.errors[i].count;
	}
	assert_int_equal(3 * kinds, sum);
	assert_int_equal(3 * kinds, tally.failed);
	assert_string_equal(
		"(others)", tally.errors[WYN_TALLY_ERRORS_MAX - 1].reason);
}

static void tally_keeps_the_first_message_when_kinds_recur(void **state)
{
	(void)state;
	wyn_tally_error(&tally, WYN_STATUS_NOT_FOUND, "A", "one");
	wyn_tally_error(&tally, WYN_STATUS_ABORTED, "A", "two");
	wyn_tally_error(&tally, WYN_STATUS_NOT_FOUND, "A", "three");
	wyn_tally_error(&tally, WYN_STATUS_NOT_FOUND, "B", "");
	assert_int_equal(3, tally.errors_count);
	assert_string_equal("one", tally.errors[0].message);
	assert_string_equal("two", tally.errors[1].message);
	assert_string_equal("", tally.errors[2].message);
}

static void tally_keeps_no_message_when_one_stands_for_others(void **state)
{
	char reason[] = "A";

	(void)state;
	for (unsigned i = 0; i <= WYN_TALLY_ERRORS_MAX; i++) {
		reason[0] = (char)('A' + i);
		wyn_tally_error(
			&tally, WYN_STATUS_UNKNOWN, reason, "of one of them");
	}
	assert_string_equal("of one of them",
		tally.errors[WYN_TALLY_ERRORS_MAX - 2].message);
	assert_string_equal("", tally.errors[WYN_TALLY_ERRORS_MAX - 1].message);
}

static void tally_cuts_between_characters_when_a_text_is_long(void **state)
{
	char text[2 * WYN_TALLY_MESSAGE_BYTES];
	struct wyn_slice kept;

	(void)state;
	for (unsigned before = 0; before < 4; before++) {
		memset(&tally, 0, sizeof(tally));
		memset(text, 'x', before);
		for (size_t at = before; at + 3 < sizeof(text); at += 3) {
			memcpy(text + at, "\xe2\x82\xac", 4);
		}
		wyn_tally_error(&tally, WYN_STATUS_UNKNOWN, text, text);
		wyn_tally_error(&tally, WYN_STATUS_UNKNOWN, text, text);
		/* It finds its like though both are cut. */
		assert_int_equal(1, tally.errors_count);
		kept = wyn_slice_of(tally.errors[0].reason);
		assert_true(wyn_text_valid(kept));
		assert_in_range(kept.len, WYN_TALLY_REASON_BYTES - 3,
			WYN_TALLY_REASON_BYTES - 1);
		kept = wyn_slice_of(tally.errors[0].message);
		assert_true(wyn_text_valid(kept));
		assert_in_range(kept.len, WYN_TALLY_MESSAGE_BYTES - 3,
			WYN_TALLY_MESSAGE_BYTES - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			tally_has_every_task_when_latencies_come_in_runs,
			tally_reset),
		cmocka_unit_test_setup(
			tally_has_no_mean_when_nothing_was_answered,
			tally_reset),
		cmocka_unit_test_setup(
			tally_parts_errors_when_code_or_reason_differs,
			tally_reset),
		cmocka_unit_test_setup(
			tally_loses_none_when_reasons_are_many_and_long,
			tally_reset),
		cmocka_unit_test_setup(
			tally_keeps_the_first_message_when_kinds_recur,
			tally_reset),
		cmocka_unit_test_setup(
			tally_keeps_no_message_when_one_stands_for_others,
			tally_reset),
		cmocka_unit_test_setup(
			tally_cuts_between_characters_when_a_text_is_long,
			tally_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
