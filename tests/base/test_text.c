// SPDX-License-Identifier: MIT
/*
 * test_text.c - UTF-8 at each edge of its ranges, NULs, and cuts.
 */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "tests/support/bytes.h"

static void text_is_valid_when_well_formed(void **state)
{
	static const struct wyn_slice rows[] = {
		BYTES(""),
		BYTES("\x01"),
		BYTES("sha256"),
		BYTES("exactly8"),
		BYTES("more than eight bytes, and \x7f"),
		BYTES("\xc2\x80"),
		BYTES("\xdf\xbf"),
		BYTES("\xe0\xa0\x80"),
		BYTES("\xed\x9f\xbf"),
		BYTES("\xee\x80\x80"),
		BYTES("\xef\xbf\xbf"),
		BYTES("\xf0\x90\x80\x80"),
		BYTES("\xf4\x8f\xbf\xbf"),
		BYTES("na\xc3\xafve \xe2\x82\xac 12345678 "
		      "\xf0\x9f\x98\x80"),
	};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(rows); i++) {
		assert_true(wyn_text_valid(rows[i]));
	}
}

static void text_is_invalid_when_malformed(void **state)
{
	static const struct wyn_slice rows[] = {
		BYTES("\x80"),
		BYTES("\xbf"),
		BYTES("\xc0\x80"), /* a NUL, the long way */
		BYTES("\xc1\xbf"),
		BYTES("\xc2"),
		BYTES("\xc2\x41"),
		BYTES("\xc2\xc2"),
		BYTES("\xe0\x9f\xbf"), /* longer than needed */
		BYTES("\xe0\xa0"),
		BYTES("\xe1\x80\x41"),
		BYTES("\xed\xa0\x80"), /* surrogate */
		BYTES("\xed\xbf\xbf"),
		BYTES("\xf0\x8f\xbf\xbf"),
		BYTES("\xf0\x90\x80"),
		BYTES("\xf1\x80\x80\x00"),
		BYTES("\xf4\x90\x80\x80"), /* over U+10FFFF */
		BYTES("\xf5\x80\x80\x80"),
		BYTES("\xff"),
		BYTES("\xfe\xfe"),
		BYTES("12345678\xff"),
		BYTES("1234567\xff"),
	};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(rows); i++) {
		assert_false(wyn_text_valid(rows[i]));
	}
}

static void text_is_invalid_when_a_nul_is_anywhere(void **state)
{
	uint8_t bytes[24];

	(void)state;
	for (size_t len = 1; len <= sizeof(bytes); len++) {
		for (size_t at = 0; at < len; at++) {
			memset(bytes, 'x', sizeof(bytes));
			bytes[at] = 0;
			assert_false(
				wyn_text_valid((struct wyn_slice){bytes, len}));
		}
	}
}

static void text_takes_exactly_utf8_when_of_two_bytes(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair <= 0xffff; pair++) {
		uint8_t a = (uint8_t)(pair >> 8);
		uint8_t b = (uint8_t)pair;
		uint8_t bytes[] = {a, b};
		bool ascii = a >= 1 && a < 0x80 && b >= 1 && b < 0x80;
		bool two = a >= 0xc2 && a <= 0xdf && b >= 0x80 && b <= 0xbf;

		assert_int_equal(wyn_text_valid((struct wyn_slice){bytes, 2}),
			ascii || two);
	}
}

static void text_ends_between_characters_when_cut(void **state)
{
	static const struct {
		struct wyn_slice text;
		size_t whole;
	} rows[] = {
		{BYTES(""), 0},
		{BYTES("ab"), 2},
		{BYTES("a\xc3\xaf"), 3},
		{BYTES("a\xc3"), 1},
		{BYTES("\xe2\x82\xac"), 3},
		{BYTES("a\xe2\x82"), 1},
		{BYTES("a\xe2"), 1},
		{BYTES("\xe2\x82"), 0},
		{BYTES("\xf0\x9f\x98\x80"), 4},
		{BYTES("ab\xf0\x9f\x98"), 2},
		{BYTES("ab\xf0\x9f"), 2},
		{BYTES("ab\xf0"), 2},
		/* What is no UTF-8 stays as it is. */
		{BYTES("\x80"), 1},
		{BYTES("a\xff"), 2},
		{BYTES("\x80\x80\x80\x80\x80"), 5},
	};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(rows); i++) {
		assert_int_equal(rows[i].whole, wyn_text_whole(rows[i].text));
	}
}

static void text_is_cut_between_characters_when_it_is_too_long(void **state)
{
	/* One, two, three and four bytes. */
	struct wyn_slice text = wyn_slice_of("a\xc3\xa4\xe2\x82\xac"
					     "\xf0\x9f\x98\x80");
	static const size_t fits[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};

	(void)state;
	for (size_t i = 0; i < sizeof(fits) / sizeof(fits[0]); i++) {
		assert_int_equal(wyn_text_cut(text, i), fits[i]);
	}
	assert_int_equal(wyn_text_cut((struct wyn_slice){NULL, 0}, 3), 0);
}

static void text_is_copied_as_whole_characters_when_it_is_valid(void **state)
{
	static const struct {
		const char *from;
		size_t bytes;
		const char *to;
	} rows[] = {
		{"", 1, ""},
		{"abc", 4, "abc"},
		{"abc", 3, "ab"},
		{"abc", 1, ""},
		{"a\xc3\xa4", 4, "a\xc3\xa4"},
		{"a\xc3\xa4", 3, "a"},
		{"a\xff", 4, "a?"},
		{"a\xc3", 4, "a"},
		/* What is left out makes no difference. */
		{"ab\xff", 3, "ab"},
	};
	char to[8];

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(rows); i++) {
		memset(to, 'x', sizeof(to));
		wyn_text_copy(to, rows[i].bytes, rows[i].from);
		assert_string_equal(to, rows[i].to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_valid_when_well_formed),
		cmocka_unit_test(text_is_invalid_when_malformed),
		cmocka_unit_test(text_is_invalid_when_a_nul_is_anywhere),
		cmocka_unit_test(
			text_is_cut_between_characters_when_it_is_too_long),
		cmocka_unit_test(text_takes_exactly_utf8_when_of_two_bytes),
		cmocka_unit_test(text_ends_between_characters_when_cut),
		cmocka_unit_test(
			text_is_copied_as_whole_characters_when_it_is_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
