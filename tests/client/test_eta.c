// SPDX-License-Identifier: MIT
/*
 * test_eta.c - the line that says how far `xargs` is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "client/wynctl/eta.h"

#define SECOND UINT64_C(1000000000)

static void assert_line(const char *expected, struct wyn_eta eta)
{
	char line[WYN_ETA_BYTES];

	wyn_eta_format(&eta, line);
	assert_string_equal(expected, line);
}

static void eta_counts_when_total_is_unknown(void **state)
{
	(void)state;
	assert_line("7 done, 2 running, 1 failed",
		(struct wyn_eta){.done = 7, .running = 2, .failed = 1});
}

static void eta_has_bar_and_time_when_total_is_known(void **state)
{
	(void)state;
	assert_line(
		"[#####...............]  25% 5/20, 2 running, 1 failed, ETA "
		"1:30",
		(struct wyn_eta){.done = 5,
			.running = 2,
			.failed = 1,
			.total = 20,
			.elapsed_ns = 30 * SECOND});
	assert_line("[##########..........]  50% 1/2, 1 running, 0 failed, ETA "
		    "2:00:01",
		(struct wyn_eta){.done = 1,
			.running = 1,
			.total = 2,
			.elapsed_ns = 7201 * SECOND});
}

static void eta_knows_no_time_when_nothing_is_done(void **state)
{
	(void)state;
	assert_line("[....................]   0% 0/3, 3 running, 0 failed, ETA "
		    "?",
		(struct wyn_eta){.running = 3, .total = 3});
}

static void eta_leaves_out_what_was_done_before_when_resumed(void **state)
{
	(void)state;
	assert_line("[##########..........]  50% 10/20, 1 running, 0 failed, "
		    "ETA 0:50",
		(struct wyn_eta){.done = 10,
			.skipped = 8,
			.running = 1,
			.total = 20,
			.elapsed_ns = 10 * SECOND});
}

static void eta_fits_when_numbers_are_the_largest(void **state)
{
	struct wyn_eta eta;
	char line[WYN_ETA_BYTES];

	(void)state;
	memset(&eta, 0xff, sizeof(eta));
	wyn_eta_format(&eta, line);
	assert_int_equal('?', line[strlen(line) - 1]);
	eta.skipped = 0;
	wyn_eta_format(&eta, line);
	assert_non_null(strstr(line, "ETA 0:00"));
	eta.done = 1;
	wyn_eta_format(&eta, line);
	assert_non_null(strstr(line, "ETA ?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eta_counts_when_total_is_unknown),
		cmocka_unit_test(eta_has_bar_and_time_when_total_is_known),
		cmocka_unit_test(eta_knows_no_time_when_nothing_is_done),
		cmocka_unit_test(
			eta_leaves_out_what_was_done_before_when_resumed),
		cmocka_unit_test(eta_fits_when_numbers_are_the_largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
