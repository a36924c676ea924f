// SPDX-License-Identifier: MIT
/*
 * test_quantity.c - counts, sizes and durations, right and wrong ones.
 */
#include "base/quantity.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/compiler.h"

#define UNTOUCHED 0xabcdefu

static void quantity_is_a_number_when_digits(void **state)
{
	uint64_t value = UNTOUCHED;

	(void)state;
	assert_int_equal(wyn_quantity_parse_count("12", 0, 100, &value), 0);
	assert_int_equal(value, 12);
}

static void quantity_fits_when_largest_of_64_bits(void **state)
{
	uint64_t value = UNTOUCHED;

	(void)state;
	assert_int_equal(wyn_quantity_parse_count(
				 "18446744073709551615", 0, UINT64_MAX, &value),
		0);
	assert_true(value == UINT64_MAX);
}

static void quantity_is_refused_when_not_a_number(void **state)
{
	static const char *const wrong[] = {
		"", " 1", "1 ", "+1", "-1", "1.5", "0x10", "1e3", "K", "1K"};
	uint64_t value = UNTOUCHED;

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(wrong); i++) {
		assert_int_equal(wyn_quantity_parse_count(
					 wrong[i], 0, UINT64_MAX, &value),
			-EINVAL);
	}
	assert_int_equal(value, UNTOUCHED);
}

static void quantity_is_refused_when_out_of_range(void **state)
{
	static const char *const wrong[] = {"4", "65", "18446744073709551616",
		"99999999999999999999999999999999999999999"};
	uint64_t value = UNTOUCHED;

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(wrong); i++) {
		assert_int_equal(
			wyn_quantity_parse_count(wrong[i], 5, 64, &value),
			-ERANGE);
	}
	assert_int_equal(value, UNTOUCHED);
}

struct sample {
	const char *text;
	uint64_t value;
};

static void quantity_is_in_bytes_when_a_size(void **state)
{
	static const struct sample right[] = {{"0", 0}, {"4096", 4096},
		{"64K", 65536}, {"1M", 1048576}, {"3G", 3221225472}};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(right); i++) {
		assert_int_equal(wyn_quantity_parse_bytes(
					 right[i].text, 0, UINT64_MAX, &value),
			0);
		assert_true(value == right[i].value);
	}
}

static void quantity_is_refused_when_size_has_unknown_unit(void **state)
{
	static const char *const wrong[] = {"1k", "1KB", "1KiB", "1T", "1 K"};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(wrong); i++) {
		assert_int_equal(wyn_quantity_parse_bytes(
					 wrong[i], 0, UINT64_MAX, &value),
			-EINVAL);
	}
}

static void quantity_is_refused_when_unit_overflows(void **state)
{
	uint64_t value;

	(void)state;
	assert_int_equal(
		wyn_quantity_parse_bytes("17179869184G", 0, UINT64_MAX, &value),
		-ERANGE);
}

static void quantity_is_in_ms_when_a_duration(void **state)
{
	static const struct sample right[] = {{"0", 0}, {"30", 30000},
		{"30s", 30000}, {"1500ms", 1500}, {"5m", 300000},
		{"2h", 7200000}};
	uint64_t value;

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(right); i++) {
		assert_int_equal(wyn_quantity_parse_ms(
					 right[i].text, 0, UINT64_MAX, &value),
			0);
		assert_true(value == right[i].value);
	}
}

static void quantity_reads_as_it_was_when_formatted(void **state)
{
	static const struct sample sizes[] = {{"0", 0}, {"1000", 1000},
		{"1K", 1024}, {"1536M", 1536u << 20}, {"1G", 1u << 30}};
	char out[24];

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(sizes); i++) {
		wyn_quantity_format(
			WYN_QUANTITY_BYTES, sizes[i].value, out, sizeof(out));
		assert_string_equal(out, sizes[i].text);
	}
	wyn_quantity_format(WYN_QUANTITY_MS, 90000, out, sizeof(out));
	assert_string_equal(out, "90s");
	wyn_quantity_format(WYN_QUANTITY_COUNT, 17, out, sizeof(out));
	assert_string_equal(out, "17");
}

static void quantity_explains_form_when_not_a_number(void **state)
{
	char why[WYN_QUANTITY_WHY_BYTES];

	(void)state;
	wyn_quantity_explain(WYN_QUANTITY_MS, -EINVAL, 0, 1, why, sizeof(why));
	assert_string_equal(
		why, "must be a duration such as 500ms, 30s, 5m or 2h");
}

static void quantity_explains_range_when_outside(void **state)
{
	char why[WYN_QUANTITY_WHY_BYTES];

	(void)state;
	wyn_quantity_explain(
		WYN_QUANTITY_BYTES, -ERANGE, 4096, 16u << 20, why, sizeof(why));
	assert_string_equal(why, "must be 4K to 16M");
	wyn_quantity_explain(
		WYN_QUANTITY_COUNT, -ERANGE, 1, UINT64_MAX, why, sizeof(why));
	assert_string_equal(why, "must be at least 1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantity_is_a_number_when_digits),
		cmocka_unit_test(quantity_fits_when_largest_of_64_bits),
		cmocka_unit_test(quantity_is_refused_when_not_a_number),
		cmocka_unit_test(quantity_is_refused_when_out_of_range),
		cmocka_unit_test(quantity_is_in_bytes_when_a_size),
		cmocka_unit_test(
			quantity_is_refused_when_size_has_unknown_unit),
		cmocka_unit_test(quantity_is_refused_when_unit_overflows),
		cmocka_unit_test(quantity_is_in_ms_when_a_duration),
		cmocka_unit_test(quantity_reads_as_it_was_when_formatted),
		cmocka_unit_test(quantity_explains_form_when_not_a_number),
		cmocka_unit_test(quantity_explains_range_when_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
