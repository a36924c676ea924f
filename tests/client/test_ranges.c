// SPDX-License-Identifier: MIT
/*
 * test_ranges.c - a set of numbers, beside an array of bools.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/prng.h"
#include "client/wynctl/ranges.h"

static struct wyn_ranges ranges;

static int teardown(void **state)
{
	(void)state;
	wyn_ranges_fini(&ranges);
	return 0;
}

static void ranges_has_one_range_when_numbers_are_dense(void **state)
{
	(void)state;
	for (uint64_t i = 1; i <= 1000; i++) {
		/* Pairs the wrong way round, as commands may end. */
		assert_int_equal(0, wyn_ranges_add(&ranges, ((i - 1) ^ 1) + 1));
	}
	assert_int_equal(1, ranges.count);
	assert_true(wyn_ranges_have(&ranges, 1));
	assert_true(wyn_ranges_have(&ranges, 1000));
	assert_false(wyn_ranges_have(&ranges, 0));
	assert_false(wyn_ranges_have(&ranges, 1001));
}

static void ranges_has_what_was_added_when_at_random(void **state)
{
	bool added[512] = {false};
	struct wyn_prng prng;

	(void)state;
	wyn_prng_init(&prng, 1);
	for (unsigned n = 0; n < 400; n++) {
		uint64_t number = wyn_prng_next(&prng) % 512;

		added[number] = true;
		assert_int_equal(0, wyn_ranges_add(&ranges, number));
		for (uint64_t i = 0; i < 512; i++) {
			assert_int_equal(added[i], wyn_ranges_have(&ranges, i));
		}
	}
	for (size_t i = 1; i < ranges.count; i++) {
		assert_true(
			ranges.ranges[i - 1].last + 1 < ranges.ranges[i].first);
	}
}

static void ranges_is_empty_when_nothing_was_added(void **state)
{
	(void)state;
	assert_false(wyn_ranges_have(&ranges, 0));
	assert_false(wyn_ranges_have(&ranges, UINT64_MAX));
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ranges_has_one_range_when_numbers_are_dense),
		TEST(ranges_has_what_was_added_when_at_random),
		TEST(ranges_is_empty_when_nothing_was_added),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
