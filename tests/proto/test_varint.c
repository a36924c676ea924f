// SPDX-License-Identifier: MIT
/*
 * test_varint.c - varints at the edges of each length, and broken ones.
 */
#include "proto/varint.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/support/bytes.h"

static void varint_reads_back_when_put_at_each_edge(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits <= 64; bits++) {
		uint64_t top =
			bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;

		for (uint64_t value = top; value <= top + 1; value++) {
			uint8_t out[WYN_VARINT_BYTES_MAX];
			size_t n = (size_t)(wyn_varint_put(out, value) - out);
			struct wyn_reader in = {out, out + n};
			uint64_t back = ~value;

			assert_int_equal(n, wyn_varint_bytes(value));
			assert_true(wyn_varint_read_minimal(&in, &back));
			assert_int_equal(back, value);
			assert_ptr_equal(in.at, out + n);
			if (value == UINT64_MAX) {
				break;
			}
		}
	}
}

static void varint_reads_back_when_any_bytes_follow(void **state)
{
	static const uint8_t after[] = {0x00, 0x7f, 0x80, 0xff};

	(void)state;
	for (unsigned bits = 0; bits <= 64; bits++) {
		uint64_t value =
			bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;

		for (size_t i = 0; i < 10 * WYN_COUNT_OF(after); i++) {
			uint8_t out[2 * WYN_VARINT_BYTES_MAX];
			uint8_t *end = wyn_varint_put(out, value);
			struct wyn_reader in = {out, end + i / 4};
			uint64_t back = ~value;

			memset(end, after[i % 4], i / 4);
			assert_int_equal(
				wyn_varint_read(&in, &back), end - out);
			assert_int_equal(back, value);
			assert_ptr_equal(in.at, end);
		}
	}
}

static void varint_is_refused_when_cut_anywhere(void **state)
{
	uint8_t out[WYN_VARINT_BYTES_MAX];
	size_t n = (size_t)(wyn_varint_put(out, UINT64_MAX) - out);

	(void)state;
	for (size_t len = 0; len < n; len++) {
		struct wyn_reader in = {out, out + len};
		uint64_t value;

		assert_int_equal(wyn_varint_read(&in, &value), 0);
	}
}

static void varint_takes_long_forms_only_when_not_minimal(void **state)
{
	static const struct {
		struct wyn_slice bytes;
		size_t taken; /* 0 = refused by both */
		uint64_t value;
		bool minimal;
	} rows[] = {
		{BYTES("\x00"), 1, 0, true},
		{BYTES("\x80\x00"), 2, 0, false},
		{BYTES("\x81\x80\x00"), 3, 1, false},
		{BYTES("\x80\x01"), 2, 128, true},
		{BYTES("\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00"), 10, 1,
			false},
		{BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"), 10,
			UINT64_C(1) << 63, true},
		{BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02"), 0, 0,
			false},
		{BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), 0, 0,
			false},
	};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(rows); i++) {
		struct wyn_reader in = wyn_reader_of(rows[i].bytes);
		uint64_t value = 0;

		assert_int_equal(wyn_varint_read(&in, &value), rows[i].taken);
		assert_int_equal(value, rows[i].value);
		in = wyn_reader_of(rows[i].bytes);
		assert_int_equal(
			wyn_varint_read_minimal(&in, &value), rows[i].minimal);
	}
}

static void reader_takes_nothing_when_asked_for_too_much(void **state)
{
	struct wyn_reader in = wyn_reader_of(BYTES_OF("abc"));
	struct wyn_slice slice;

	(void)state;
	assert_false(wyn_reader_take(&in, 4, &slice));
	assert_false(wyn_reader_take(&in, UINT64_MAX, &slice));
	assert_true(wyn_reader_take(&in, 3, &slice));
	assert_true(wyn_reader_take(&in, 0, &slice));
	assert_int_equal(wyn_reader_left(&in), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(varint_reads_back_when_put_at_each_edge),
		cmocka_unit_test(varint_reads_back_when_any_bytes_follow),
		cmocka_unit_test(varint_is_refused_when_cut_anywhere),
		cmocka_unit_test(varint_takes_long_forms_only_when_not_minimal),
		cmocka_unit_test(reader_takes_nothing_when_asked_for_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
