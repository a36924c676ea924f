// SPDX-License-Identifier: MIT
/*
 * test_batch.c - spans over the arguments of a Submit, split anywhere.
 */
#include "daemon/run/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "proto/codec.h"
#include "tests/support/bytes.h"

#define COUNT 6u

static const struct wyn_slice arguments[COUNT] = {BYTES("a"), BYTES(""),
	BYTES("ccc"), BYTES("dd"), BYTES("0123456789"), BYTES("f")};
static uint8_t frame_bytes[256];
static struct wyn_args args;
static uint64_t looks;
static struct wyn_memory memory;

/* The region of a Submit as the decoder gives it. */
static int setup(void **state)
{
	static _Alignas(16) uint8_t arena_memory[4096];
	const struct wyn_submit submit = {
		.first_seq = 1, .function = BYTES("f")};
	struct wyn_arena arena;
	struct wyn_message message;
	struct wyn_frame frame;
	const char *reason;
	size_t n;

	(void)state;
	n = wyn_submit_encode(&submit, arguments, COUNT, frame_bytes);
	wyn_arena_init(&arena, arena_memory, sizeof(arena_memory));
	wyn_memory_init(&memory);
	assert_int_equal(wyn_frame_next((struct wyn_slice){frame_bytes, n},
				 4096, &frame, &n),
		WYN_FRAME_READY);
	assert_int_equal(
		wyn_codec_decode(&frame, &arena, &message, &reason), 0);
	args = message.submit.args;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wyn_memory_fini(&memory);
	return 0;
}

static struct wyn_batch *batch_made(void)
{
	struct wyn_batch *batch = wyn_batch_create(&memory, &args, 0);

	assert_non_null(batch);
	batch->first_seq = batch->span.next_seq = 10;
	/* It has a copy of its own. */
	memset(frame_bytes, 0xee, sizeof(frame_bytes));
	return batch;
}

/* The tasks [from, to) stand in the span, and no more. */
static void tasks_expected(struct wyn_span *span, size_t from, size_t to)
{
	struct wyn_element element;
	uint64_t bytes = 0;
	uint64_t seq;

	for (size_t i = from; i < to; i++) {
		bytes += arguments[i].len;
	}
	assert_int_equal(span->args.count, to - from);
	assert_int_equal(span->args.bytes_total, bytes);
	for (size_t i = from; i < to; i++) {
		assert_true(wyn_span_take(span, &seq, &element));
		assert_int_equal(seq, 10 + i);
		assert_true(wyn_slice_equal(element.argument, arguments[i]));
	}
	assert_false(wyn_span_take(span, &seq, &element));
}

static void batch_gives_each_task_in_order(void **state)
{
	struct wyn_batch *batch = batch_made();

	(void)state;
	tasks_expected(&batch->span, 0, COUNT);
	assert_true(wyn_span_drop(&batch->span) > 0);
}

static void batch_is_freed_by_its_last_holder(void **state)
{
	struct wyn_batch *batch = batch_made();
	size_t bytes = batch->bytes;

	(void)state;
	wyn_batch_hold(batch);
	assert_int_equal(wyn_span_drop(&batch->span), 0);
	assert_int_equal(wyn_batch_release(batch), bytes);
}

static void span_splits_at_each_point(void **state)
{
	for (size_t at = 1; at < COUNT; at++) {
		struct wyn_batch *batch;
		struct wyn_span *rest;

		(void)teardown(state);
		(void)setup(state);
		batch = batch_made();
		rest = wyn_span_split(&batch->span, at, &looks);
		assert_non_null(rest);
		tasks_expected(&batch->span, 0, at);
		tasks_expected(rest, at, COUNT);
		assert_int_equal(wyn_span_drop(&batch->span), 0);
		assert_true(wyn_span_drop(rest) > 0);
	}
}

static void span_splits_when_some_were_taken(void **state)
{
	struct wyn_batch *batch = batch_made();
	struct wyn_element element;
	struct wyn_span *rest;
	uint64_t seq;

	(void)state;
	assert_true(wyn_span_take(&batch->span, &seq, &element));
	assert_true(wyn_span_take(&batch->span, &seq, &element));
	rest = wyn_span_split(&batch->span, 1, &looks);
	tasks_expected(&batch->span, 2, 3);
	tasks_expected(rest, 3, COUNT);
	(void)wyn_span_drop(rest);
	(void)wyn_span_drop(&batch->span);
}

static void span_splits_into_single_tasks(void **state)
{
	struct wyn_batch *batch = batch_made();
	struct wyn_span *spans[COUNT] = {&batch->span};

	(void)state;
	for (size_t i = 1; i < COUNT; i++) {
		spans[i] = wyn_span_split(spans[i - 1], 1, &looks);
	}
	for (size_t i = 0; i < COUNT; i++) {
		tasks_expected(spans[i], i, i + 1);
	}
	for (size_t i = COUNT; i > 0; i--) {
		assert_true((wyn_span_drop(spans[i - 1]) > 0) == (i == 1));
	}
}

static void batch_knows_the_spans_that_are_left(void **state)
{
	struct wyn_batch *batch = batch_made();
	struct wyn_span *rest = wyn_span_split(&batch->span, 2, &looks);

	(void)state;
	assert_ptr_equal(batch->spans.next, &batch->span.of_batch);
	assert_ptr_equal(batch->spans.prev, &rest->of_batch);
	(void)wyn_span_drop(&batch->span);
	assert_ptr_equal(batch->spans.next, &rest->of_batch);
	(void)wyn_span_drop(rest);
}

static void upload_is_a_batch_of_one_argument(void **state)
{
	static const uint64_t sizes[] = {0, 1, 127, 128, 16383, 16384, 100000};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(sizes); i++) {
		struct wyn_element element;
		uint64_t seq;
		uint8_t *room;
		struct wyn_batch *batch =
			wyn_batch_create_upload(&memory, sizes[i], &room);

		assert_non_null(batch);
		memset(room, 'x', sizes[i]);
		assert_int_equal(batch->span.args.bytes_total, sizes[i]);
		assert_true(wyn_span_take(&batch->span, &seq, &element));
		assert_int_equal(element.argument.len, sizes[i]);
		assert_ptr_equal(element.argument.data, room);
		assert_false(wyn_span_take(&batch->span, &seq, &element));
		(void)wyn_span_drop(&batch->span);
	}
}

/* Takes the next `count` tasks. */
static struct wyn_part part_taken(struct wyn_batch *batch, uint64_t count)
{
	struct wyn_part part = {.batch = batch, .slow = true};

	wyn_span_take_run(&batch->span, count, &part.first_seq, &part.args);
	return part;
}

static void span_takes_tasks_back_when_they_come_from_behind(void **state)
{
	struct wyn_batch *batch = batch_made();
	struct wyn_part parts[COUNT];
	struct wyn_span *again;

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		parts[i] = part_taken(batch, 1);
	}
	again = wyn_span_again(&parts[COUNT - 1]);
	assert_false(wyn_span_prepend(again, &parts[0]));
	for (size_t i = COUNT - 1; i > 1; i--) {
		assert_true(wyn_span_prepend(again, &parts[i - 1]));
	}
	assert_true(again->slow);
	tasks_expected(again, 1, COUNT);
	assert_int_equal(wyn_span_drop(&batch->span), 0);
	assert_int_not_equal(wyn_span_drop(again), 0);
}

static void span_takes_runs_back_when_they_come_from_behind(void **state)
{
	struct wyn_batch *batch = batch_made();
	struct wyn_part first = part_taken(batch, 1);
	struct wyn_part middle = part_taken(batch, 2);

	(void)state;
	assert_false(wyn_span_prepend(&batch->span, &middle));
	middle.slow = false;
	first.slow = false;
	assert_false(wyn_span_prepend(&batch->span, &first));
	assert_true(wyn_span_prepend(&batch->span, &middle));
	tasks_expected(&batch->span, 1, COUNT);
	assert_int_not_equal(wyn_span_drop(&batch->span), 0);
}

/* Empty ones, so that an element is two bytes. */
static struct wyn_batch *many_made(size_t count)
{
	uint8_t *bytes = malloc(2 * count);
	const struct wyn_args many = {
		.region = {bytes, 2 * count}, .count = count};
	struct wyn_batch *batch;

	assert_non_null(bytes);
	for (size_t i = 0; i < count; i++) {
		bytes[2 * i] = args.region.data[0];
		bytes[2 * i + 1] = 0;
	}
	batch = wyn_batch_create(&memory, &many, 0);
	assert_non_null(batch);
	free(bytes);
	return batch;
}

static void span_splits_with_few_looks_when_cut_from_behind(void **state)
{
	const size_t count = 10000;
	struct wyn_batch *batch = many_made(count);

	(void)state;
	looks = 0;
	while (batch->span.args.count > 1) {
		struct wyn_span *rest = wyn_span_split(
			&batch->span, batch->span.args.count - 1, &looks);

		assert_int_equal(rest->next_seq, batch->span.args.count);
		assert_int_equal(rest->args.region.len, 2);
		(void)wyn_span_drop(rest);
	}
	assert_true(looks < count + count * WYN_BATCH_STRIDE);
	(void)wyn_span_drop(&batch->span);
}

static void span_splits_where_it_is_asked_to_when_there_are_many(void **state)
{
	const size_t cuts[] = {1, 255, 256, 257, 511, 512, 2559, 2560};

	(void)state;
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		struct wyn_batch *batch = many_made(2561);
		struct wyn_span *rest =
			wyn_span_split(&batch->span, cuts[i], &looks);

		assert_int_equal(batch->span.args.region.len, 2 * cuts[i]);
		assert_ptr_equal(
			rest->args.region.data, batch->region + 2 * cuts[i]);
		assert_int_equal(rest->args.count, 2561 - cuts[i]);
		(void)wyn_span_drop(rest);
		(void)wyn_span_drop(&batch->span);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(span_splits_with_few_looks_when_cut_from_behind),
		TEST(span_splits_where_it_is_asked_to_when_there_are_many),
		TEST(span_takes_tasks_back_when_they_come_from_behind),
		TEST(span_takes_runs_back_when_they_come_from_behind),
		TEST(batch_gives_each_task_in_order),
		TEST(batch_is_freed_by_its_last_holder),
		TEST(span_splits_at_each_point),
		TEST(span_splits_when_some_were_taken),
		TEST(span_splits_into_single_tasks),
		TEST(batch_knows_the_spans_that_are_left),
		TEST(upload_is_a_batch_of_one_argument),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
