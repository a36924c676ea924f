// SPDX-License-Identifier: MIT
/*
 * test_walk.c - what the walker takes, what it leaves to the strict way, and
 * that its views point into the frame.
 */
#include "proto/walk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "proto/codec.h"
#include "proto/varint.h"
#include "tests/support/bytes.h"
#include "tests/support/messages.h"

static _Alignas(16) uint8_t memory[1024];

static int walk_within(
	size_t arena_bytes, struct wyn_slice body, struct wyn_message *message)
{
	struct wyn_arena arena;

	wyn_arena_init(&arena, memory, arena_bytes);
	return wyn_walk_message(body, &arena, message);
}

static bool is_inside(struct wyn_slice view, struct wyn_slice of)
{
	return view.data >= of.data && view.data + view.len <= of.data + of.len;
}

static void walk_gives_views_when_a_submit_is_canonical(void **state)
{
	struct wyn_slice body = BYTES("\x0a\x17\x08\x2a\x12\x04"
				      "echo\x1a\x07\x08\x03\x10\xf4\x03\x20\x01"
				      "\x22\x02"
				      "ab\x22\x00");
	struct wyn_message message;
	struct wyn_slice arg;

	(void)state;
	assert_int_equal(walk_within(0, body, &message), 0);

	assert_int_equal(message.kind, WYN_MESSAGE_SUBMIT);
	assert_int_equal(message.submit.first_seq, 42);
	assert_true(
		wyn_slice_equal(message.submit.function, wyn_slice_of("echo")));
	assert_true(is_inside(message.submit.function, body));
	assert_int_equal(message.submit.options.priority, 3);
	assert_int_equal(message.submit.options.timeout_ms, 500);
	assert_int_equal(message.submit.options.on_disconnect,
		WYN__V1__ON_DISCONNECT__ON_DISCONNECT_CANCEL);
	assert_true(message.submit.options.stream);
	assert_int_equal(message.submit.args.count, 2);
	assert_int_equal(message.submit.args.bytes_total, 2);
	assert_true(is_inside(message.submit.args.region, body));
	assert_true(wyn_args_next(&message.submit.args, &arg));
	assert_true(wyn_slice_equal(arg, wyn_slice_of("ab")));
}

static void walk_fills_in_defaults_when_options_are_absent(void **state)
{
	struct wyn_message message;

	(void)state;
	assert_int_equal(
		walk_within(0, BYTES_OF("\x0a\x02\x22\x00"), &message), 0);

	assert_int_equal(message.submit.options.priority,
		WYN__V1__PRIORITY__PRIORITY_NORMAL);
	assert_int_equal(message.submit.options.on_disconnect,
		WYN__V1__ON_DISCONNECT__ON_DISCONNECT_CANCEL);
	assert_int_equal(message.submit.function.len, 0);
}

static void walk_narrows_enums_when_they_are_unknown(void **state)
{
	struct wyn_message message;

	(void)state;
	/* 258 must not come out as 2, which is NORMAL. */
	assert_int_equal(walk_within(0,
				 BYTES_OF("\x0a\x07\x1a\x03\x08\x82\x02\x22"
					  "\x00"),
				 &message),
		0);

	assert_int_equal(message.submit.options.priority, 255);
}

static void walk_reads_sizes_when_arguments_follow(void **state)
{
	struct wyn_message message;

	(void)state;
	assert_int_equal(
		walk_within(sizeof(memory),
			BYTES_OF("\x0a\x06\x2a\x04\x00\x01\xac\x02"), &message),
		0);

	assert_int_equal(message.submit.arg_sizes_count, 3);
	assert_int_equal(message.submit.arg_sizes[0], 0);
	assert_int_equal(message.submit.arg_sizes[1], 1);
	assert_int_equal(message.submit.arg_sizes[2], 300);
	assert_int_equal(message.submit.args.count, 0);
}

static void walk_gives_columns_when_results_are_canonical(void **state)
{
	struct wyn_slice body = BYTES("\x12\x19\x0a\x02\x07\x08\x12\x02\x00\x05"
				      "\x1a\x02"
				      "ok\x1a\x00\x22\x07\x08\x01\x12\x03"
				      "why\x28\x09");
	struct wyn_message message;
	struct wyn_result row;

	(void)state;
	assert_int_equal(walk_within(sizeof(memory), body, &message), 0);

	assert_int_equal(message.results.count, 2);
	assert_int_equal(message.results.quiet_done, 9);
	assert_true(wyn_results_next(&message.results, &row));
	assert_int_equal(row.seq, 7);
	assert_int_equal(row.code, 0);
	assert_true(wyn_slice_equal(row.value, wyn_slice_of("ok")));
	assert_true(is_inside(row.value, body));
	assert_null(row.detail);
	assert_true(wyn_results_next(&message.results, &row));
	assert_int_equal(row.seq, 8);
	assert_int_equal(row.code, 5);
	assert_int_equal(row.value.len, 0);
	assert_non_null(row.detail);
	assert_true(wyn_slice_equal(row.detail->message, wyn_slice_of("why")));
	assert_false(wyn_results_next(&message.results, &row));
}

#define RUN_ROWS 300u

static void seqs_read_back(const uint64_t *seqs, size_t n, bool in_row)
{
	static uint8_t out[RUN_ROWS * WYN_VARINT_BYTES_MAX + 64];
	static struct wyn_result rows[RUN_ROWS];
	struct wyn_message message;
	struct wyn_result row;
	struct wyn_slice body;
	size_t bytes;

	for (size_t i = 0; i < n; i++) {
		rows[i] = (struct wyn_result){.seq = seqs[i]};
	}
	bytes = wyn_sample_results(rows, n, 0, out);
	body.data = out + WYN_FRAME_HEADER_BYTES;
	body.len = bytes - WYN_FRAME_HEADER_BYTES;
	assert_int_equal(walk_within(0, body, &message), 0);
	assert_int_equal(message.results.count, n);
	assert_int_equal(message.results.in_row, in_row);
	for (size_t i = 0; i < n; i++) {
		assert_true(wyn_results_next(&message.results, &row));
		assert_int_equal(row.seq, seqs[i]);
	}
	assert_false(wyn_results_next(&message.results, &row));
}

static void walk_gives_each_seq_when_they_are_in_a_row(void **state)
{
	static const size_t counts[] = {1, 2, 7, 8, 9, RUN_ROWS};
	uint64_t seqs[RUN_ROWS] = {0};

	(void)state;
	/* Across each edge where they become longer, which 100 before it is
	 * in the midst of the rows. */
	for (unsigned bits = 7; bits <= 63; bits += 7) {
		for (size_t c = 0; c < WYN_COUNT_OF(counts); c++) {
			for (size_t i = 0; i < counts[c]; i++) {
				seqs[i] = (UINT64_C(1) << bits) - 100 + i;
			}
			seqs_read_back(seqs, counts[c], true);
		}
	}
	/* Up to the last that there is. */
	for (size_t i = 0; i < RUN_ROWS; i++) {
		seqs[i] = UINT64_MAX - RUN_ROWS + 1 + i;
	}
	seqs_read_back(seqs, RUN_ROWS, true);
}

static void walk_gives_each_seq_when_one_is_out_of_the_row(void **state)
{
	static const size_t places[] = {0, 1, 2, 150, 297, 298, 299};
	uint64_t seqs[RUN_ROWS] = {0};

	(void)state;
	for (size_t p = 0; p < WYN_COUNT_OF(places); p++) {
		for (size_t i = 0; i < RUN_ROWS; i++) {
			seqs[i] = 16300 + i;
		}
		seqs[places[p]] = 9;
		seqs_read_back(seqs, RUN_ROWS, false);
		/* Two runs, and one that stands still. */
		for (size_t i = places[p]; i < RUN_ROWS; i++) {
			seqs[i] = 16300 + i - 1;
		}
		seqs_read_back(seqs, RUN_ROWS, places[p] == 0);
	}
}

static void walk_gives_a_view_when_a_chunk_is_canonical(void **state)
{
	struct wyn_slice body = BYTES("\x1a\x0b\x08\x07\x10\x06\x18\x64\x20\x01"
				      "\x2a\x01"
				      "x");
	struct wyn_message message;

	(void)state;
	assert_int_equal(walk_within(0, body, &message), 0);

	assert_int_equal(message.chunk.seq, 7);
	assert_int_equal(message.chunk.stream, WYN__V1__STREAM__STREAM_VALUE);
	assert_int_equal(message.chunk.offset, 100);
	assert_true(message.chunk.eof);
	assert_true(is_inside(message.chunk.data, body));
}

static const struct {
	const char *what;
	struct wyn_slice body;
} not_canonical[] = {
	{"nothing", {NULL, 0}},
	{"not a hot message", BYTES("\x5a\x00")},
	{"tag only", BYTES("\x0a")},
	{"wrong wire type", BYTES("\x08\x01")},
	{"field number 0", BYTES("\x02\x00")},
	{"field after the body", BYTES("\x0a\x02\x22\x00\xf8\x01\x00")},
	{"second body", BYTES("\x0a\x02\x22\x00\x5a\x00")},
	{"body cut", BYTES("\x0a\x03\x22\x00")},
	{"length not minimal", BYTES("\x0a\x82\x00\x22\x00")},
	{"tag not minimal", BYTES("\x8a\x00\x02\x22\x00")},
	{"number not minimal", BYTES("\x0a\x05\x08\x81\x00\x22\x00")},
	{"argument's length not minimal", BYTES("\x0a\x03\x22\x80\x00")},
	{"argument past the end", BYTES("\x0a\x03\x22\x02"
					"a")},
	{"descending", BYTES("\x0a\x04\x22\x00\x08\x01")},
	{"number twice", BYTES("\x0a\x06\x08\x01\x08\x01\x22\x00")},
	{"arguments apart", BYTES("\x0a\x07\x22\x00\x2a\x01\x05\x22\x00")},
	{"unknown field", BYTES("\x0a\x04\x22\x00\x78\x01")},
	{"function not UTF-8", BYTES("\x0a\x05\x12\x01\xff\x22\x00")},
	{"function with NUL", BYTES("\x0a\x05\x12\x01\x00\x22\x00")},
	{"unknown option", BYTES("\x0a\x06\x1a\x02\x40\x01\x22\x00")},
	{"enum over 31 bits",
		BYTES("\x0a\x0a\x1a\x06\x08\xff\xff\xff\xff\x0f\x22"
		      "\x00")},
	{"sizes not packed", BYTES("\x0a\x02\x28\x05")},
	{"packed size cut", BYTES("\x0a\x03\x2a\x01\x80")},
	{"packed size not minimal", BYTES("\x0a\x04\x2a\x02\x85\x00")},
	{"seq not packed", BYTES("\x12\x02\x08\x05")},
	{"seq in a row not minimal",
		BYTES("\x12\x0c\x0a\x0a\x01\x02\x83\x00\x04\x05\x06\x07\x08"
		      "\x09")},
	{"first seq of a row not minimal",
		BYTES("\x12\x0e\x0a\x0c\x81\x00\x82\x00\x83\x00\x84\x00\x85"
		      "\x00\x86\x00")},
	{"last seq of a row cut",
		BYTES("\x12\x0d\x0a\x0b\x81\x01\x82\x01\x83\x01\x84\x01\x85"
		      "\x01\x86")},
	{"code over 32 bits",
		BYTES("\x12\x0a\x0a\x01\x01\x12\x05\x80\x80\x80\x80"
		      "\x10")},
	{"unknown field in a detail",
		BYTES("\x12\x07\x0a\x01\x01\x22\x02\x78\x01")},
	{"detail's index over 32 bits",
		BYTES("\x12\x0b\x0a\x01\x01\x22\x06\x08\x80\x80"
		      "\x80\x80\x10")},
	{"detail's ran over 31 bits",
		BYTES("\x12\x0b\x0a\x01\x01\x22\x06\x20\x80\x80"
		      "\x80\x80\x08")},
	{"detail not UTF-8", BYTES("\x12\x08\x0a\x01\x01\x22\x03\x12\x01\xff")},
	{"chunk's fields descending", BYTES("\x1a\x04\x10\x01\x08\x01")},
};

static void walk_leaves_it_alone_when_not_canonical(void **state)
{
	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(not_canonical); i++) {
		struct wyn_message message;
		int err = walk_within(
			sizeof(memory), not_canonical[i].body, &message);

		if (err != -EINVAL) {
			fail_msg("%s: %d", not_canonical[i].what, err);
		}
	}
}

static void walk_refuses_when_the_arena_is_too_small(void **state)
{
	struct wyn_message message;

	(void)state;
	assert_int_equal(
		walk_within(
			16, BYTES_OF("\x0a\x05\x2a\x03\x01\x02\x03"), &message),
		-ENOBUFS);
	assert_int_equal(
		walk_within(
			16, BYTES_OF("\x12\x05\x0a\x01\x01\x22\x00"), &message),
		-ENOBUFS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walk_gives_views_when_a_submit_is_canonical),
		cmocka_unit_test(
			walk_fills_in_defaults_when_options_are_absent),
		cmocka_unit_test(walk_narrows_enums_when_they_are_unknown),
		cmocka_unit_test(walk_reads_sizes_when_arguments_follow),
		cmocka_unit_test(walk_gives_columns_when_results_are_canonical),
		cmocka_unit_test(walk_gives_each_seq_when_they_are_in_a_row),
		cmocka_unit_test(
			walk_gives_each_seq_when_one_is_out_of_the_row),
		cmocka_unit_test(walk_gives_a_view_when_a_chunk_is_canonical),
		cmocka_unit_test(walk_leaves_it_alone_when_not_canonical),
		cmocka_unit_test(walk_refuses_when_the_arena_is_too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
