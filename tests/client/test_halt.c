// SPDX-License-Identifier: MIT
/*
 * test_halt.c - when `xargs` stops early, and with which exit code it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "client/wynctl/halt.h"

static struct wyn_halt parse(const char *text)
{
	struct wyn_halt halt = {0};

	assert_int_equal(0, wyn_halt_parse(text, &halt));
	return halt;
}

static bool reached(
	const char *text, uint64_t done, uint64_t failed, uint64_t total)
{
	struct wyn_halt halt = parse(text);
	struct wyn_halt_counts counts = {done, failed, total, 0};

	return wyn_halt_reached(&halt, &counts);
}

static int exit_code(
	const char *text, uint64_t done, uint64_t failed, bool halted)
{
	struct wyn_halt halt = parse(text);
	struct wyn_halt_counts counts = {done, failed, 0, 42};

	return wyn_halt_exit_code(&halt, &counts, halted);
}

static void halt_is_read_when_it_is_well_written(void **state)
{
	struct wyn_halt halt = parse("now,success=25%");

	(void)state;
	assert_int_equal(WYN_HALT_NOW, halt.when);
	assert_int_equal(WYN_HALT_SUCCESS, halt.why);
	assert_true(halt.percent);
	assert_int_equal(25, halt.value);
	halt = parse("soon,fail=7");
	assert_int_equal(WYN_HALT_SOON, halt.when);
	assert_int_equal(WYN_HALT_FAIL, halt.why);
	assert_false(halt.percent);
	assert_int_equal(7, halt.value);
	halt = parse("never");
	assert_int_equal(WYN_HALT_NEVER, halt.when);
}

static void halt_is_refused_when_it_is_not(void **state)
{
	static const char *const wrong[] = {"", "now", "now,", "now,fail",
		"now,fail=", "now,fail=0", "now,fail=0%", "now,fail=101%",
		"now,fail=1%%", "now,fail=-1", "later,fail=1", "fail=1",
		"now,fail=1 ", "never,fail=1", "now,fails=1",
		"now,fail=99999999999999999999999999"};
	struct wyn_halt halt;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(-EINVAL, wyn_halt_parse(wrong[i], &halt));
	}
}

static void halt_is_reached_when_the_count_is(void **state)
{
	(void)state;
	assert_false(reached("never", 9, 9, 9));
	assert_false(reached("now,fail=2", 9, 1, 0));
	assert_true(reached("now,fail=2", 9, 2, 0));
	assert_false(reached("now,success=2", 9, 8, 0));
	assert_true(reached("now,success=2", 9, 7, 0));
	assert_false(reached("soon,done=10", 9, 0, 0));
	assert_true(reached("soon,done=10", 10, 3, 0));
}

static void halt_takes_share_of_all_when_their_number_is_known(void **state)
{
	(void)state;
	assert_false(reached("soon,fail=10%", 1, 1, 11));
	assert_true(reached("soon,fail=10%", 1, 1, 10));
	assert_true(reached("soon,done=50%", 5, 0, 10));
	assert_false(reached("soon,success=100%", 9, 0, 10));
}

static void halt_takes_share_of_the_ended_when_it_is_not(void **state)
{
	(void)state;
	assert_false(reached("soon,fail=50%", 2, 2, 0));
	assert_true(reached("soon,fail=50%", 3, 2, 0));
	assert_false(reached("soon,fail=50%", 4, 1, 0));
	/* All of the ended have ended: that says nothing. */
	assert_false(reached("soon,done=50%", 100, 0, 0));
}

static void halt_counts_failures_when_it_ends(void **state)
{
	(void)state;
	assert_int_equal(0, exit_code("never", 5, 0, false));
	assert_int_equal(5, exit_code("never", 9, 5, false));
	assert_int_equal(100, exit_code("never", 100, 100, false));
	assert_int_equal(101, exit_code("never", 101, 101, false));
	assert_int_equal(101, exit_code("never", 1000, 1000, false));
	assert_int_equal(1, exit_code("now,fail=2", 9, 1, false));
}

static void halt_has_a_code_of_its_own_when_it_was_reached(void **state)
{
	(void)state;
	assert_int_equal(42, exit_code("now,fail=1", 9, 1, true));
	assert_int_equal(2, exit_code("now,fail=2", 9, 2, true));
	assert_int_equal(0, exit_code("now,success=1", 9, 8, true));
	assert_int_equal(25, exit_code("soon,fail=25%", 4, 1, true));
	assert_int_equal(3, exit_code("soon,done=4", 4, 3, true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(halt_is_read_when_it_is_well_written),
		cmocka_unit_test(halt_is_refused_when_it_is_not),
		cmocka_unit_test(halt_is_reached_when_the_count_is),
		cmocka_unit_test(
			halt_takes_share_of_all_when_their_number_is_known),
		cmocka_unit_test(halt_takes_share_of_the_ended_when_it_is_not),
		cmocka_unit_test(halt_counts_failures_when_it_ends),
		cmocka_unit_test(
			halt_has_a_code_of_its_own_when_it_was_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
