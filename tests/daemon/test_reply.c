// SPDX-License-Identifier: MIT
/*
 * test_reply.c - outcomes in frames: columns, chunks, order, unary answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/rig_functions.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"

static int setup(void **state)
{
	(void)state;
	rig = rig_create(NULL, 2);
	client = rig_open(rig);
	return 0;
}

static struct wyn_submit_options streaming = {.stream = true};

static void reply_puts_many_rows_into_one_frame(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 100, "noop", NULL);
	rig_finish_all(rig);
	rig_batch_send(client, 101, 200, "noop", NULL);
	client->results_frames = 0;
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 300);
	assert_int_equal(client->results_frames, 1);
}

static void reply_starts_a_frame_when_there_are_too_many_rows(void **state)
{
	(void)state;
	rig_batch_send(client, 1, WYN_ROWS_MAX + 1, "none", NULL);
	rig_settle(rig);
	assert_int_equal(client->rows, WYN_ROWS_MAX + 1);
	assert_true(client->results_frames > 1);
}

static void reply_puts_a_value_of_nearly_a_frame_into_a_row(void **state)
{
	(void)state;
	rig_task_send(client, 1, "big", "1047552");
	rig_finish_all(rig);
	assert_int_equal(rig_task(client, 1)->value_bytes, 1047552);
	assert_int_equal(rig_task(client, 1)->value_chunks, 0);
}

static void reply_puts_a_value_just_over_that_into_chunks(void **state)
{
	(void)state;
	rig_task_send(client, 1, "big", "1047553");
	rig_finish_all(rig);
	assert_int_equal(rig_task(client, 1)->value_bytes, 1047553);
	assert_int_equal(rig_task(client, 1)->value_chunks, 16);
}

static bool is_big_value(const struct rig_task *task)
{
	size_t at = 0;

	while (at < task->value_bytes && task->value[at] == rig_big_byte(at)) {
		at++;
	}
	return at == task->value_bytes;
}

static void reply_puts_values_of_each_size_where_they_fit(void **state)
{
	static const char *const sizes[] = {"0", "1", "63", "64", "65", "24575",
		"24576", "24577", "32768", "65536", "1048575", "1048576",
		"1048577"};
	const struct rig_submit submit = {.first_seq = 1,
		.function = "big",
		.count = WYN_COUNT_OF(sizes),
		.texts = sizes};

	(void)state;
	rig_submit(client, &submit);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, WYN_COUNT_OF(sizes));
	for (size_t i = 0; i < WYN_COUNT_OF(sizes); i++) {
		assert_true(is_big_value(rig_task(client, 1 + i)));
	}
	assert_int_equal(rig_task(client, 13)->value_bytes, 1048577);
}

static void reply_sends_a_partial_value_while_the_task_runs(void **state)
{
	const struct rig_submit submit = {.first_seq = 1,
		.function = "ask",
		.count = 1,
		.options = streaming};

	(void)state;
	rig_submit(client, &submit);
	rig_settle(rig);
	assert_int_equal(rig_emit_at(rig, 0, "one"), 0);
	rig_settle(rig);
	assert_string_equal(rig_task(client, 1)->partials, "one");
	assert_false(rig_task(client, 1)->has_row);
}

static void reply_keeps_partial_values_of_several_tasks_apart(void **state)
{
	const struct rig_submit submit = {.first_seq = 1,
		.function = "emit",
		.count = 4,
		.text = "20",
		.options = streaming};

	(void)state;
	rig_submit(client, &submit);
	rig_finish_all(rig);
	for (uint64_t seq = 1; seq <= 4; seq++) {
		assert_int_equal(rig_task(client, seq)->partials_count, 20);
		assert_true(rig_task(client, seq)->has_row);
	}
}

static void reply_takes_an_empty_partial_value(void **state)
{
	const struct rig_submit submit = {.first_seq = 1,
		.function = "ask",
		.count = 1,
		.options = streaming};

	(void)state;
	rig_submit(client, &submit);
	rig_settle(rig);
	assert_int_equal(rig_emit_at(rig, 0, ""), 0);
	assert_int_equal(rig_emit_at(rig, 0, "x"), 0);
	rig_finish_all(rig);
	assert_int_equal(rig_task(client, 1)->partials_count, 2);
}

static void reply_sends_rows_as_tasks_end(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 4, "noop", NULL);
	rig_settle(rig);
	rig_run_at(rig, 2);
	rig_settle(rig);
	assert_int_equal(client->rows, 1);
	assert_non_null(rig_task(client, 3));
}

static void reply_cuts_a_long_message(void **state)
{
	char text[600];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	rig_task_send(client, 1, "fail", text);
	rig_finish_all(rig);
	assert_int_equal(strlen(rig_task(client, 1)->message), 255);
}

static void call_send(Wyn__V1__Call__WhatCase what, void *message)
{
	rig_call(client, 77, what, message);
	rig_settle(rig);
	assert_int_equal(client->replies, 1);
	assert_int_equal(client->reply.call_id, 77);
}

static void functions_send(const char *after, uint32_t limit)
{
	Wyn__V1__FunctionsCall functions = WYN__V1__FUNCTIONS_CALL__INIT;

	functions.after = wyn_message_text(after);
	functions.limit = limit;
	call_send(WYN__V1__CALL__WHAT_FUNCTIONS, &functions);
}

static void call_lists_functions_by_name(void **state)
{
	(void)state;
	functions_send("", 0);
	assert_int_equal(client->reply.functions, 11);
	assert_string_equal(client->reply.first_function, "ask");
	assert_false(client->reply.more);
}

static void call_lists_a_page_of_functions(void **state)
{
	(void)state;
	functions_send("big", 2);
	assert_int_equal(client->reply.functions, 2);
	assert_string_equal(client->reply.first_function, "echo");
	assert_true(client->reply.more);
}

static void call_lists_nothing_after_the_last_function(void **state)
{
	(void)state;
	functions_send("zzz", 2);
	assert_int_equal(client->reply.functions, 0);
	assert_false(client->reply.more);
}

static void call_tells_counters(void **state)
{
	Wyn__V1__StatsCall stats = WYN__V1__STATS_CALL__INIT;

	(void)state;
	rig_batch_send(client, 1, 3, "noop", NULL);
	rig_settle(rig);
	call_send(WYN__V1__CALL__WHAT_STATS, &stats);
	assert_true(client->reply.counters > 30);
	assert_int_equal(client->reply.tasks_held, 3);
}

static void call_says_when_it_is_unknown(void **state)
{
	(void)state;
	call_send(WYN__V1__CALL__WHAT__NOT_SET, NULL);
	assert_int_equal(client->reply.code, WYN_STATUS_UNIMPLEMENTED);
	assert_string_equal(client->reply.reason, "CALL_UNKNOWN");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(reply_puts_many_rows_into_one_frame),
		TEST(reply_starts_a_frame_when_there_are_too_many_rows),
		TEST(reply_puts_a_value_of_nearly_a_frame_into_a_row),
		TEST(reply_puts_a_value_just_over_that_into_chunks),
		TEST(reply_puts_values_of_each_size_where_they_fit),
		TEST(reply_sends_a_partial_value_while_the_task_runs),
		TEST(reply_keeps_partial_values_of_several_tasks_apart),
		TEST(reply_takes_an_empty_partial_value),
		TEST(reply_sends_rows_as_tasks_end),
		TEST(reply_cuts_a_long_message),
		TEST(call_lists_functions_by_name),
		TEST(call_lists_a_page_of_functions),
		TEST(call_lists_nothing_after_the_last_function),
		TEST(call_tells_counters),
		TEST(call_says_when_it_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
