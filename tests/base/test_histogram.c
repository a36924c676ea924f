// SPDX-License-Identifier: MIT
/*
 * test_histogram.c - percentiles within the stated precision of exact ones.
 */
#include "base/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "base/prng.h"

#define SEED	11u
#define SAMPLES 10000u

static struct wyn_histogram histogram;
static struct wyn_histogram other;

static int empty_both(void **state)
{
	(void)state;
	wyn_histogram_init(&histogram);
	wyn_histogram_init(&other);
	return 0;
}

static void histogram_answers_nought_when_empty(void **state)
{
	(void)state;
	assert_int_equal(wyn_histogram_count(&histogram), 0);
	assert_int_equal(wyn_histogram_min(&histogram), 0);
	assert_int_equal(wyn_histogram_max(&histogram), 0);
	assert_int_equal(wyn_histogram_percentile(&histogram, 50), 0);
}

static void histogram_is_exact_when_values_are_small(void **state)
{
	(void)state;
	for (uint64_t value = 1; value <= 100; value++) {
		wyn_histogram_record(&histogram, value);
	}
	for (unsigned int percent = 1; percent <= 100; percent++) {
		assert_int_equal(
			wyn_histogram_percentile(&histogram, percent), percent);
	}
}

static void histogram_keeps_extremes_when_values_are_large(void **state)
{
	(void)state;
	wyn_histogram_record(&histogram, 1234567);
	wyn_histogram_record(&histogram, UINT64_MAX);
	assert_int_equal(wyn_histogram_min(&histogram), 1234567);
	assert_int_equal(wyn_histogram_percentile(&histogram, 0), 1234567);
	assert_true(wyn_histogram_max(&histogram) == UINT64_MAX);
	assert_true(wyn_histogram_percentile(&histogram, 100) == UINT64_MAX);
}

static void histogram_keeps_minimum_when_it_is_nought(void **state)
{
	(void)state;
	wyn_histogram_record(&histogram, 9);
	wyn_histogram_record(&histogram, 0);
	wyn_histogram_record(&histogram, 5);
	assert_int_equal(wyn_histogram_min(&histogram), 0);
}

static void histogram_keeps_minimum_when_it_is_the_largest_value(void **state)
{
	(void)state;
	wyn_histogram_record(&histogram, UINT64_MAX);
	assert_true(wyn_histogram_min(&histogram) == UINT64_MAX);
}

static void histogram_takes_any_percent_when_out_of_range(void **state)
{
	(void)state;
	wyn_histogram_record(&histogram, 3);
	wyn_histogram_record(&histogram, 8);
	assert_int_equal(wyn_histogram_percentile(&histogram, -1), 3);
	assert_int_equal(wyn_histogram_percentile(&histogram, 101), 8);
}

/* Each single value stands alone, so that its bucket alone is judged. */
static void histogram_is_within_precision_when_any_value(void **state)
{
	struct wyn_prng prng;

	(void)state;
	print_message("seed %u\n", SEED);
	wyn_prng_init(&prng, SEED);
	for (unsigned int i = 0; i < SAMPLES; i++) {
		uint64_t value = wyn_prng_next(&prng) >> (i % 64);
		uint64_t answer;

		wyn_histogram_init(&histogram);
		wyn_histogram_record(&histogram, value);
		wyn_histogram_record(&histogram, UINT64_MAX);
		answer = wyn_histogram_percentile(&histogram, 50);
		assert_true(answer >= value);
		assert_true(answer - value <= value / 64);
	}
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void histogram_agrees_with_sorting_when_random(void **state)
{
	static const double percents[] = {1, 25, 50, 90, 99, 99.9, 99.99};
	static uint64_t values[SAMPLES];
	struct wyn_prng prng;

	(void)state;
	print_message("seed %u\n", SEED);
	wyn_prng_init(&prng, SEED);
	for (size_t i = 0; i < SAMPLES; i++) {
		values[i] = wyn_prng_next(&prng) >> wyn_prng_below(&prng, 60);
		wyn_histogram_record(&histogram, values[i]);
	}
	qsort(values, SAMPLES, sizeof(values[0]), compare);
	for (size_t i = 0; i < WYN_COUNT_OF(percents); i++) {
		size_t rank = (size_t)(percents[i] / 100 * SAMPLES + 0.999999);
		uint64_t exact = values[rank - 1];
		uint64_t answer =
			wyn_histogram_percentile(&histogram, percents[i]);

		assert_true(answer >= exact);
		assert_true(answer - exact <= exact / 64);
	}
}

static void histogram_counts_n_when_recorded_n_times(void **state)
{
	(void)state;
	wyn_histogram_record_n(&histogram, 7, 1000);
	wyn_histogram_record_n(&histogram, 9, 0);
	assert_int_equal(wyn_histogram_count(&histogram), 1000);
	assert_int_equal(wyn_histogram_max(&histogram), 7);
}

static void histogram_holds_both_when_merged(void **state)
{
	(void)state;
	wyn_histogram_record_n(&histogram, 10, 3);
	wyn_histogram_record_n(&other, 1000, 1);
	wyn_histogram_record_n(&other, 2, 2);
	wyn_histogram_merge(&histogram, &other);
	assert_int_equal(wyn_histogram_count(&histogram), 6);
	assert_int_equal(wyn_histogram_min(&histogram), 2);
	assert_int_equal(wyn_histogram_max(&histogram), 1000);
	assert_int_equal(wyn_histogram_percentile(&histogram, 50), 10);
}

static void histogram_is_unchanged_when_merged_with_empty(void **state)
{
	(void)state;
	wyn_histogram_record(&histogram, 5);
	wyn_histogram_merge(&histogram, &other);
	assert_int_equal(wyn_histogram_count(&histogram), 1);
	assert_int_equal(wyn_histogram_min(&histogram), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			histogram_answers_nought_when_empty, empty_both),
		cmocka_unit_test_setup(
			histogram_is_exact_when_values_are_small, empty_both),
		cmocka_unit_test_setup(
			histogram_keeps_extremes_when_values_are_large,
			empty_both),
		cmocka_unit_test_setup(
			histogram_keeps_minimum_when_it_is_nought, empty_both),
		cmocka_unit_test_setup(
			histogram_keeps_minimum_when_it_is_the_largest_value,
			empty_both),
		cmocka_unit_test_setup(
			histogram_takes_any_percent_when_out_of_range,
			empty_both),
		cmocka_unit_test_setup(
			histogram_is_within_precision_when_any_value,
			empty_both),
		cmocka_unit_test_setup(
			histogram_agrees_with_sorting_when_random, empty_both),
		cmocka_unit_test_setup(
			histogram_counts_n_when_recorded_n_times, empty_both),
		cmocka_unit_test_setup(
			histogram_holds_both_when_merged, empty_both),
		cmocka_unit_test_setup(
			histogram_is_unchanged_when_merged_with_empty,
			empty_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
