// SPDX-License-Identifier: MIT
/*
 * test_credit.c - totals that only grow.
 */
#include "daemon/engine/credit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct wyn_credit credit;

static int setup(void **state)
{
	(void)state;
	wyn_credit_init(&credit, 100);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return 0;
}

static void credit_first_grants_the_whole_window(void **state)
{
	(void)state;
	assert_int_equal(wyn_credit_tell(&credit), 100);
}

static void credit_covers_what_was_told(void **state)
{
	(void)state;
	assert_int_equal(wyn_credit_take(&credit, 100), 100);
}

static void credit_covers_a_part_when_more_is_used(void **state)
{
	(void)state;
	assert_int_equal(wyn_credit_take(&credit, 70), 70);
	assert_int_equal(wyn_credit_take(&credit, 50), 30);
	assert_int_equal(wyn_credit_take(&credit, 1), 0);
}

static void credit_covers_nothing_new_before_it_is_told(void **state)
{
	(void)state;
	(void)wyn_credit_take(&credit, 100);
	wyn_credit_return(&credit, 100);
	assert_int_equal(wyn_credit_take(&credit, 1), 0);
}

static void credit_covers_again_when_it_was_told(void **state)
{
	(void)state;
	(void)wyn_credit_take(&credit, 100);
	wyn_credit_return(&credit, 40);
	assert_int_equal(wyn_credit_tell(&credit), 140);
	assert_int_equal(wyn_credit_take(&credit, 50), 40);
}

static void credit_counts_what_was_used_without_cover(void **state)
{
	(void)state;
	(void)wyn_credit_take(&credit, 300);
	wyn_credit_return(&credit, 200);
	assert_int_equal(wyn_credit_tell(&credit), 300);
	assert_int_equal(wyn_credit_take(&credit, 1), 0);
	wyn_credit_return(&credit, 101);
	assert_int_equal(wyn_credit_tell(&credit), 401);
	assert_int_equal(wyn_credit_take(&credit, 200), 100);
}

static void credit_is_not_due_when_nothing_came_back(void **state)
{
	(void)state;
	assert_false(wyn_credit_due(&credit, 1));
	(void)wyn_credit_take(&credit, 100);
	assert_false(wyn_credit_due(&credit, 1));
}

static void credit_is_due_when_a_quarter_came_back(void **state)
{
	(void)state;
	(void)wyn_credit_take(&credit, 50);
	wyn_credit_return(&credit, 24);
	assert_false(wyn_credit_due(&credit, 1));
	wyn_credit_return(&credit, 1);
	assert_true(wyn_credit_due(&credit, 1));
}

static void credit_is_due_when_little_is_left(void **state)
{
	(void)state;
	(void)wyn_credit_take(&credit, 91);
	wyn_credit_return(&credit, 1);
	assert_false(wyn_credit_due(&credit, 9));
	assert_true(wyn_credit_due(&credit, 10));
}

static void credit_is_not_due_when_it_was_told(void **state)
{
	(void)state;
	(void)wyn_credit_take(&credit, 100);
	wyn_credit_return(&credit, 100);
	(void)wyn_credit_tell(&credit);
	assert_false(wyn_credit_due(&credit, 1000));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(credit_first_grants_the_whole_window),
		TEST(credit_covers_what_was_told),
		TEST(credit_covers_a_part_when_more_is_used),
		TEST(credit_covers_nothing_new_before_it_is_told),
		TEST(credit_covers_again_when_it_was_told),
		TEST(credit_counts_what_was_used_without_cover),
		TEST(credit_is_not_due_when_nothing_came_back),
		TEST(credit_is_due_when_a_quarter_came_back),
		TEST(credit_is_due_when_little_is_left),
		TEST(credit_is_not_due_when_it_was_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
