// SPDX-License-Identifier: MIT
/*
 * test_input.c - what is still to be written to the input of a command.
 */
#include "daemon/run/input.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct wyn_input input;
static size_t taken_bytes;
static unsigned taken_calls;

static void taken(struct wyn_input *of, size_t bytes)
{
	assert_ptr_equal(of, &input);
	assert_true(bytes > 0);
	taken_bytes += bytes;
	taken_calls++;
}

static int setup(void **state)
{
	(void)state;
	taken_bytes = 0;
	taken_calls = 0;
	wyn_input_init(&input, taken);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wyn_input_fini(&input);
	return 0;
}

static void put(const char *text)
{
	assert_int_equal(wyn_input_put(&input, wyn_slice_of(text)), 0);
}

static void next_expected(const char *text)
{
	struct wyn_slice next = wyn_input_peek(&input);

	assert_int_equal(next.len, strlen(text));
	assert_memory_equal(next.data, text, strlen(text));
}

static void input_has_nothing_when_nothing_came(void **state)
{
	(void)state;
	assert_int_equal(wyn_input_peek(&input).len, 0);
	assert_false(input.eof);
	assert_false(input.shut);
	assert_int_equal(taken_calls, 0);
}

static void input_gives_pieces_in_the_order_in_which_they_came(void **state)
{
	(void)state;
	put("first");
	put("second");
	next_expected("first");
	wyn_input_take(&input, 5);
	next_expected("second");
	wyn_input_take(&input, 6);
	assert_int_equal(wyn_input_peek(&input).len, 0);
	assert_int_equal(taken_bytes, 11);
}

static void input_gives_the_rest_when_a_part_was_taken(void **state)
{
	(void)state;
	put("abcdef");
	wyn_input_take(&input, 1);
	next_expected("bcdef");
	wyn_input_take(&input, 4);
	next_expected("f");
	assert_int_equal(taken_bytes, 5);
	wyn_input_take(&input, 1);
	assert_int_equal(wyn_input_peek(&input).len, 0);
}

static void input_keeps_a_copy(void **state)
{
	char text[] = "here";

	(void)state;
	put(text);
	memset(text, 'x', 4);
	next_expected("here");
}

static void input_keeps_any_bytes(void **state)
{
	static const uint8_t bytes[] = {0, 255, 0, 10};

	(void)state;
	assert_int_equal(
		wyn_input_put(&input, (struct wyn_slice){bytes, sizeof(bytes)}),
		0);
	assert_int_equal(wyn_input_peek(&input).len, sizeof(bytes));
	assert_memory_equal(wyn_input_peek(&input).data, bytes, sizeof(bytes));
}

static void input_gathers_many_small_pieces(void **state)
{
	unsigned takes = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		put(i % 2 == 0 ? "a" : "b");
	}
	for (size_t at = 0; at < 100000; takes++) {
		struct wyn_slice next = wyn_input_peek(&input);

		assert_true(next.len > 0);
		assert_int_equal(next.data[0], at % 2 == 0 ? 'a' : 'b');
		at += next.len;
		wyn_input_take(&input, next.len);
	}
	assert_int_equal(wyn_input_peek(&input).len, 0);
	assert_int_equal(taken_bytes, 100000);
	assert_true(takes < 50);
}

static void input_grows_while_its_first_is_being_taken(void **state)
{
	(void)state;
	put("a");
	put("bc");
	put("d");
	wyn_input_take(&input, 1);
	wyn_input_take(&input, 1);
	put("e");
	next_expected("c");
	wyn_input_take(&input, 1);
	put("f");
	next_expected("def");
	wyn_input_take(&input, 1);
	next_expected("ef");
}

static void input_keeps_nothing_when_a_piece_is_empty(void **state)
{
	(void)state;
	put("");
	assert_null(input.head);
	put("a");
	put("");
	wyn_input_take(&input, 1);
	assert_null(input.head);
}

static void input_goes_on_when_it_was_empty_in_between(void **state)
{
	(void)state;
	put("a");
	wyn_input_take(&input, 1);
	put("b");
	put("c");
	next_expected("b");
	wyn_input_take(&input, 1);
	next_expected("c");
}

static void input_is_taken_at_once_when_it_is_shut(void **state)
{
	(void)state;
	put("abc");
	wyn_input_take(&input, 1);
	put("defg");
	wyn_input_shut(&input);
	assert_int_equal(taken_bytes, 7);
	assert_int_equal(wyn_input_peek(&input).len, 0);
	put("hi");
	assert_int_equal(taken_bytes, 9);
	assert_int_equal(wyn_input_peek(&input).len, 0);
}

static void input_says_nothing_when_it_is_shut_again(void **state)
{
	(void)state;
	put("abc");
	wyn_input_shut(&input);
	wyn_input_shut(&input);
	assert_int_equal(taken_calls, 1);
}

static void input_leaves_its_list_and_is_taken_when_it_ends(void **state)
{
	struct wyn_list list;

	(void)state;
	wyn_list_init(&list);
	wyn_list_push_back(&list, &input.link);
	put("abc");
	put("de");
	wyn_input_fini(&input);
	assert_true(wyn_list_empty(&list));
	assert_int_equal(taken_bytes, 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(input_has_nothing_when_nothing_came),
		TEST(input_gives_pieces_in_the_order_in_which_they_came),
		TEST(input_gives_the_rest_when_a_part_was_taken),
		TEST(input_keeps_a_copy),
		TEST(input_keeps_any_bytes),
		TEST(input_gathers_many_small_pieces),
		TEST(input_grows_while_its_first_is_being_taken),
		TEST(input_keeps_nothing_when_a_piece_is_empty),
		TEST(input_goes_on_when_it_was_empty_in_between),
		TEST(input_is_taken_at_once_when_it_is_shut),
		TEST(input_says_nothing_when_it_is_shut_again),
		TEST(input_leaves_its_list_and_is_taken_when_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
