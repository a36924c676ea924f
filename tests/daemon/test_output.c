// SPDX-License-Identifier: MIT
/*
 * test_output.c - a queue of bytes that is written from while it grows.
 */
#include "daemon/engine/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "daemon/limits.h"

static struct wyn_segments segments;
static struct wyn_output output;

static int setup(void **state)
{
	(void)state;
	wyn_segments_init(&segments);
	wyn_output_init(&output, &segments);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wyn_output_fini(&output);
	wyn_segments_fini(&segments);
	return 0;
}

static void append(const char *text)
{
	size_t n = strlen(text);
	uint8_t *room = wyn_output_reserve(&output, n);

	assert_non_null(room);
	memcpy(room, text, n);
	wyn_output_commit(&output, n);
}

static void output_has_nothing_at_first(void **state)
{
	struct wyn_slice piece;

	(void)state;
	assert_int_equal(wyn_output_pieces(&output, &piece, 1), 0);
	assert_int_equal(output.bytes, 0);
}

static void output_gives_what_was_appended_in_one_piece(void **state)
{
	struct wyn_slice pieces[2];

	(void)state;
	append("hello ");
	append("world");
	assert_int_equal(wyn_output_pieces(&output, pieces, 2), 1);
	assert_int_equal(pieces[0].len, 11);
	assert_memory_equal(pieces[0].data, "hello world", 11);
}

static void output_forgets_what_was_written(void **state)
{
	struct wyn_slice piece;

	(void)state;
	append("hello");
	wyn_output_written(&output, 2);
	assert_int_equal(output.bytes, 3);
	assert_int_equal(wyn_output_pieces(&output, &piece, 1), 1);
	assert_memory_equal(piece.data, "llo", 3);
}

static void output_keeps_views_while_more_is_appended(void **state)
{
	struct wyn_slice piece;

	(void)state;
	append("hello");
	(void)wyn_output_pieces(&output, &piece, 1);
	for (unsigned i = 0; i < 10000; i++) {
		append("0123456789");
	}
	assert_memory_equal(piece.data, "hello", 5);
}

static void output_shows_nothing_of_what_is_only_reserved(void **state)
{
	struct wyn_slice piece;

	(void)state;
	assert_non_null(wyn_output_reserve(&output, 100));
	assert_int_equal(wyn_output_pieces(&output, &piece, 1), 0);
}

static void output_takes_less_than_was_reserved(void **state)
{
	struct wyn_slice piece;
	uint8_t *room = wyn_output_reserve(&output, 100);

	(void)state;
	memcpy(room, "ab", 2);
	wyn_output_commit(&output, 2);
	append("cd");
	(void)wyn_output_pieces(&output, &piece, 1);
	assert_int_equal(piece.len, 4);
	assert_memory_equal(piece.data, "abcd", 4);
}

static void output_takes_a_frame_larger_than_a_segment(void **state)
{
	const size_t n = 3 * WYN_SEGMENT_BYTES;
	struct wyn_slice pieces[3];
	uint8_t *room;

	(void)state;
	append("a");
	room = wyn_output_reserve(&output, n);
	memset(room, 'x', n);
	wyn_output_commit(&output, n);
	append("b");
	assert_int_equal(wyn_output_pieces(&output, pieces, 3), 3);
	assert_int_equal(pieces[1].len, n);
	wyn_output_written(&output, n + 1);
	assert_int_equal(wyn_output_pieces(&output, pieces, 3), 1);
	assert_memory_equal(pieces[0].data, "b", 1);
}

static const uint8_t *given; /* the last memory that was */

/* Memory of n bytes that begin with the text. */
static void give(const char *text, size_t at, size_t n)
{
	uint8_t *memory = malloc(at + n);

	assert_non_null(memory);
	memset(memory, 'x', at + n);
	memcpy(memory + at, text, strlen(text));
	assert_true(wyn_output_give(&output, memory, memory + at, n));
	given = memory;
}

static void output_shows_what_was_given_where_it_is(void **state)
{
	const size_t n = 2 * WYN_SEGMENT_BYTES;
	struct wyn_slice pieces[4];

	(void)state;
	append("a");
	give("bc", 5, n);
	append("d");
	assert_int_equal(output.bytes, n + 2);
	assert_int_equal(wyn_output_pieces(&output, pieces, 4), 3);
	assert_memory_equal(pieces[0].data, "a", 1);
	assert_ptr_equal(pieces[1].data, given + 5);
	assert_int_equal(pieces[1].len, n);
	assert_memory_equal(pieces[2].data, "d", 1);
	wyn_output_written(&output, 2);
	assert_int_equal(wyn_output_pieces(&output, pieces, 4), 2);
	assert_ptr_equal(pieces[0].data, given + 6);
}

static void output_counts_what_was_given_until_it_is_written(void **state)
{
	(void)state;
	give("a", 0, 1000);
	give("b", 0, WYN_SEGMENT_BYTES);
	assert_int_equal(segments.used_bytes, 1000 + WYN_SEGMENT_BYTES);
	wyn_output_written(&output, 1000);
	assert_int_equal(segments.used_bytes, WYN_SEGMENT_BYTES);
	wyn_output_written(&output, WYN_SEGMENT_BYTES);
	assert_int_equal(segments.used_bytes, 0);
	/* It is not kept to be filled by others. */
	assert_int_equal(segments.free_count, 0);
}

static void output_frees_what_was_given_and_never_written(void **state)
{
	(void)state;
	give("a", 3, 100);
	wyn_output_fini(&output);
	assert_int_equal(output.bytes, 0);
	assert_int_equal(segments.used_bytes, 0);
}

static void output_holds_no_memory_when_all_is_written(void **state)
{
	(void)state;
	append("hello");
	wyn_output_written(&output, 5);
	assert_true(wyn_list_empty(&output.queue));
	assert_int_equal(segments.free_count, 1);
}

static void output_keeps_a_bounded_number_of_free_segments(void **state)
{
	static char text[WYN_SEGMENT_BYTES];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	for (unsigned i = 0; i < 200; i++) {
		append(text);
	}
	wyn_output_written(&output, output.bytes);
	assert_in_range(segments.free_count, 1, 64);
}

static void output_gives_every_byte_once_however_it_is_written(void **state)
{
	const uint64_t seed = 7;
	struct wyn_prng prng;
	uint8_t next_in = 0;
	uint8_t next_out = 0;

	(void)state;
	print_message("seed %ju\n", (uintmax_t)seed);
	wyn_prng_init(&prng, seed);
	for (unsigned round = 0; round < 3000; round++) {
		size_t n = wyn_prng_below(&prng, 20000);
		uint8_t *room = wyn_output_reserve(&output, n);
		struct wyn_slice pieces[4];
		size_t count;
		size_t left;
		size_t written = 0;

		for (size_t i = 0; i < n; i++) {
			room[i] = next_in++;
		}
		wyn_output_commit(&output, n);
		count = wyn_output_pieces(&output, pieces, 4);
		left = wyn_prng_below(&prng, 20100);
		for (size_t i = 0; i < count; i++) {
			for (size_t at = 0; at < pieces[i].len && left > 0;
				at++, left--, written++) {
				assert_int_equal(pieces[i].data[at], next_out);
				next_out++;
			}
		}
		wyn_output_written(&output, written);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(output_has_nothing_at_first),
		TEST(output_gives_what_was_appended_in_one_piece),
		TEST(output_forgets_what_was_written),
		TEST(output_keeps_views_while_more_is_appended),
		TEST(output_shows_nothing_of_what_is_only_reserved),
		TEST(output_takes_less_than_was_reserved),
		TEST(output_takes_a_frame_larger_than_a_segment),
		TEST(output_shows_what_was_given_where_it_is),
		TEST(output_counts_what_was_given_until_it_is_written),
		TEST(output_frees_what_was_given_and_never_written),
		TEST(output_holds_no_memory_when_all_is_written),
		TEST(output_keeps_a_bounded_number_of_free_segments),
		TEST(output_gives_every_byte_once_however_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
