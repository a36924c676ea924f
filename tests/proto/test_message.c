// SPDX-License-Identifier: MIT
/*
 * test_message.c - the cursors over arguments and rows.
 */
#include "proto/message.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

static struct wyn_args args_of_two(void)
{
	return (struct wyn_args){
		.region = BYTES("\x22\x03"
				"one\x22\x00"),
		.count = 2,
		.bytes_total = 3,
	};
}

static void args_come_in_order_when_taken(void **state)
{
	struct wyn_args args = args_of_two();
	struct wyn_slice arg;

	(void)state;
	assert_true(wyn_args_next(&args, &arg));
	assert_true(wyn_slice_equal(arg, wyn_slice_of("one")));
	assert_int_equal(args.count, 1);
	assert_true(wyn_args_next(&args, &arg));
	assert_int_equal(arg.len, 0);
	assert_int_equal(args.region.len, 0);
}

static void args_head_reads_back_when_put(void **state)
{
	static const size_t lengths[] = {0, 1, 127, 128, 300};
	uint8_t region[WYN_ARGS_HEAD_BYTES_MAX + 300] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t head = wyn_args_head_put(region, lengths[i]);
		struct wyn_args args = {
			.region = {region, head + lengths[i]},
			.count = 1,
			.bytes_total = lengths[i],
		};
		struct wyn_slice arg;

		assert_true(wyn_args_next(&args, &arg));
		assert_ptr_equal(region + head, arg.data);
		assert_int_equal(lengths[i], arg.len);
		assert_int_equal(0, args.region.len);
	}
}

static void args_head_is_longest_when_so_is_the_length(void **state)
{
	uint8_t head[WYN_ARGS_HEAD_BYTES_MAX];

	(void)state;
	assert_int_equal(sizeof(head), wyn_args_head_put(head, UINT64_MAX));
}

static void args_end_when_none_is_left(void **state)
{
	struct wyn_args args = {0};
	struct wyn_slice arg = {NULL, 77};

	(void)state;
	assert_false(wyn_args_next(&args, &arg));

	assert_int_equal(arg.len, 77);
}

static void args_are_a_cursor_of_their_own_when_copied(void **state)
{
	struct wyn_args args = args_of_two();
	uint8_t bytes[7];
	struct wyn_args copy = args;
	struct wyn_slice arg;

	(void)state;
	assert_int_equal(args.region.len, sizeof(bytes));
	memcpy(bytes, args.region.data, sizeof(bytes));
	copy.region.data = bytes;

	assert_true(wyn_args_next(&copy, &arg));

	assert_ptr_equal(arg.data, bytes + 2);
	assert_int_equal(args.count, 2);
}

static void results_are_all_zero_when_columns_are_empty(void **state)
{
	struct wyn_results results = {
		.count = 2,
		.seqs = BYTES("\x05\xac\x02"),
	};
	struct wyn_result row;

	(void)state;
	assert_true(wyn_results_next(&results, &row));
	assert_int_equal(row.seq, 5);
	assert_int_equal(row.code, 0);
	assert_int_equal(row.value.len, 0);
	assert_true(wyn_results_next(&results, &row));
	assert_int_equal(row.seq, 300);
	assert_false(wyn_results_next(&results, &row));
}

static void results_have_details_when_their_row_comes(void **state)
{
	static const struct wyn_detail details[] = {{.ran = 1}, {.ran = 2}};
	static const uint32_t detail_rows[] = {1, 2};
	struct wyn_results results = {
		.count = 4,
		.seqs = BYTES("\x01\x02\x03\x04"),
		.details = details,
		.detail_rows = detail_rows,
		.detail_count = 2,
	};
	const struct wyn_detail *expected[] = {
		NULL, &details[0], &details[1], NULL};
	struct wyn_result row;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_true(wyn_results_next(&results, &row));
		assert_ptr_equal(row.detail, expected[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(args_come_in_order_when_taken),
		cmocka_unit_test(args_head_reads_back_when_put),
		cmocka_unit_test(args_head_is_longest_when_so_is_the_length),
		cmocka_unit_test(args_end_when_none_is_left),
		cmocka_unit_test(args_are_a_cursor_of_their_own_when_copied),
		cmocka_unit_test(results_are_all_zero_when_columns_are_empty),
		cmocka_unit_test(results_have_details_when_their_row_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
