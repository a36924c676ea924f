// SPDX-License-Identifier: MIT
/*
 * test_ranges.c - sets of numbers, as a Cancel brings them.
 */
#include "daemon/engine/ranges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"

static struct wyn_range items[64];
static struct wyn_ranges ranges;

static int setup(void **state)
{
	(void)state;
	ranges = (struct wyn_ranges){.items = items};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return 0;
}

static void meets_expected(
	uint64_t first, uint64_t last, uint64_t part_first, uint64_t part_last)
{
	struct wyn_range part;

	assert_true(wyn_ranges_meet(&ranges, first, last, &part));
	assert_int_equal(part.first, part_first);
	assert_int_equal(part.last, part_last);
}

static bool has(uint64_t number)
{
	struct wyn_range part;

	return wyn_ranges_meet(&ranges, number, number, &part);
}

static void ranges_have_nothing_when_empty(void **state)
{
	(void)state;
	wyn_ranges_add(&ranges, 5, 0);
	wyn_ranges_settle(&ranges);
	assert_false(has(0));
	assert_false(has(5));
}

static void ranges_have_everything_when_all_is_meant(void **state)
{
	(void)state;
	ranges = WYN_RANGES_ALL;
	meets_expected(0, UINT64_MAX, 0, UINT64_MAX);
	assert_true(has(0));
	assert_true(has(UINT64_MAX));
}

static void ranges_are_cut_at_the_largest_number(void **state)
{
	(void)state;
	wyn_ranges_add(&ranges, UINT64_MAX - 1, UINT64_MAX);
	wyn_ranges_settle(&ranges);
	meets_expected(0, UINT64_MAX, UINT64_MAX - 1, UINT64_MAX);
}

static void ranges_give_the_first_part(void **state)
{
	(void)state;
	wyn_ranges_add(&ranges, 10, 5);
	wyn_ranges_add(&ranges, 20, 5);
	wyn_ranges_settle(&ranges);
	meets_expected(0, 100, 10, 14);
	meets_expected(12, 100, 12, 14);
	meets_expected(15, 22, 20, 22);
	meets_expected(24, 24, 24, 24);
	assert_false(has(15));
	assert_false(has(25));
}

static void ranges_are_merged_when_they_overlap(void **state)
{
	(void)state;
	wyn_ranges_add(&ranges, 20, 10);
	wyn_ranges_add(&ranges, 5, 20);
	wyn_ranges_add(&ranges, 6, 2);
	wyn_ranges_settle(&ranges);
	assert_int_equal(ranges.count, 1);
	meets_expected(0, 100, 5, 29);
}

static void ranges_agree_with_a_plain_set(void **state)
{
	const uint64_t seed = 20;
	struct wyn_prng prng;

	(void)state;
	print_message("seed %ju\n", (uintmax_t)seed);
	wyn_prng_init(&prng, seed);
	for (unsigned round = 0; round < 2000; round++) {
		bool plain[100] = {false};

		ranges.count = 0;
		for (unsigned i = 0; i < 8; i++) {
			uint64_t first = wyn_prng_below(&prng, 90);
			uint64_t count = wyn_prng_below(&prng, 10);

			wyn_ranges_add(&ranges, first, count);
			memset(plain + first, true, count);
		}
		wyn_ranges_settle(&ranges);
		for (uint64_t i = 0; i < 100; i++) {
			assert_true(has(i) == plain[i]);
		}
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(ranges_have_nothing_when_empty),
		TEST(ranges_have_everything_when_all_is_meant),
		TEST(ranges_are_cut_at_the_largest_number),
		TEST(ranges_give_the_first_part),
		TEST(ranges_are_merged_when_they_overlap),
		TEST(ranges_agree_with_a_plain_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
