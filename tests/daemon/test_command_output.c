// SPDX-License-Identifier: MIT
/*
 * test_command_output.c - what a command writes, and how it ended, as its
 * client gets it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/engine_state.h"
#include "daemon/run/command.h"
#include "tests/support/rig_commands.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"

#define COMMANDS_MAX	 4u
#define UNSENT_BYTES_MAX (16 * WYN_KIB) /* of one: the least there is */

static const struct wyn_submit_options plain;
static const struct wyn_submit_options streaming = {.stream = true};

static char data[256 * WYN_KIB];

static int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.commands_max = COMMANDS_MAX;
	limits.output_bytes_max = 64 * WYN_KIB;
	rig = rig_create(&limits, 2);
	(void)rig_commands_attach(rig);
	client = rig_open_local(rig, 0);
	for (size_t i = 0; i < sizeof(data); i++) {
		data[i] = (char)(i * 7 + i / 256);
	}
	return 0;
}

/* A client that grants so much for now. */
static void grant(uint64_t stream_bytes)
{
	client = rig_open_local(rig, stream_bytes);
}

/* A command that runs. */
static struct wyn_process *run(uint64_t seq, struct wyn_submit_options options)
{
	struct wyn_process *process;

	rig_run_send(client, seq, 1, NULL, options);
	rig_settle(rig);
	process = rig_process(rig, seq);
	assert_non_null(process);
	rig_process_begin(process);
	return process;
}

static void say(struct wyn_process *process, uint8_t stream, const char *text)
{
	assert_int_equal(rig_process_write(process, stream, text, strlen(text)),
		strlen(text));
	rig_settle(rig);
}

static void output_comes_as_it_is_written(void **state)
{
	struct wyn_process *process = run(1, streaming);

	(void)state;
	say(process, RIG_OUTPUT, "one ");
	assert_string_equal(rig_task(client, 1)->output.data, "one ");
	say(process, RIG_OUTPUT, "two");
	assert_string_equal(rig_task(client, 1)->output.data, "one two");
	assert_int_equal(rig_task(client, 1)->output.chunks, 2);
	assert_false(rig_task(client, 1)->has_row);
	assert_int_equal(process->sents, 2);
}

static void output_and_error_have_offsets_of_their_own(void **state)
{
	struct wyn_process *process = run(1, streaming);

	(void)state;
	/* The reader checks the offsets. */
	say(process, RIG_OUTPUT, "out");
	say(process, RIG_ERROR, "error");
	say(process, RIG_OUTPUT, "put");
	say(process, RIG_ERROR, "s");
	assert_string_equal(rig_task(client, 1)->output.data, "output");
	assert_string_equal(rig_task(client, 1)->error.data, "errors");
	assert_int_equal(rig_task(client, 1)->partials_count, 0);
}

static void output_is_all_there_before_the_row(void **state)
{
	struct wyn_process *process = run(1, streaming);

	(void)state;
	/* One turn for all of it; the reader takes no Chunk behind a row. */
	rig_process_say(process, "last words");
	rig_process_exit(process, 0);
	rig_settle(rig);
	assert_string_equal(rig_task(client, 1)->output.data, "last words");
	assert_true(rig_task(client, 1)->has_row);
	assert_int_equal(rig_task(client, 1)->usage.output_bytes, 10);
}

static void output_keeps_all_bytes(void **state)
{
	struct wyn_process *process = run(1, streaming);
	size_t at = 0;

	(void)state;
	while (at < sizeof(data)) {
		size_t n = rig_process_write(
			process, RIG_OUTPUT, data + at, sizeof(data) - at);

		assert_true(n > 0);
		at += n;
		rig_settle(rig);
	}
	rig_process_exit(process, 0);
	rig_settle(rig);
	assert_int_equal(rig_task(client, 1)->output.bytes, sizeof(data));
	assert_memory_equal(
		rig_task(client, 1)->output.data, data, sizeof(data));
}

static void output_does_not_come_when_it_was_not_asked_for(void **state)
{
	struct wyn_process *process = run(1, plain);

	(void)state;
	assert_int_equal(process->task->partial_bytes_max, 0);
	say(process, RIG_OUTPUT, "unheard");
	rig_process_exit(process, 0);
	rig_settle(rig);
	assert_null(rig_task(client, 1)->output.data);
	assert_int_equal(rig_task(client, 1)->usage.output_bytes, 7);
}

static void output_comes_in_pieces_when_credit_is_small(void **state)
{
	struct wyn_process *process;

	(void)state;
	grant(4);
	process = run(1, streaming);
	say(process, RIG_OUTPUT, "0123456789");
	assert_string_equal(rig_task(client, 1)->output.data, "0123");
	/* What went is not free before the whole piece has gone. */
	assert_int_equal(process->sents, 0);
	rig_credit(client, 7);
	rig_settle(rig);
	assert_string_equal(rig_task(client, 1)->output.data, "0123456");
	rig_credit(client, 1000);
	rig_settle(rig);
	assert_string_equal(rig_task(client, 1)->output.data, "0123456789");
	assert_int_equal(rig_task(client, 1)->output.chunks, 3);
	assert_int_equal(process->sents, 1);
}

static void output_comes_byte_by_byte_when_credit_does(void **state)
{
	struct wyn_process *process;

	(void)state;
	grant(1);
	process = run(1, streaming);
	rig_process_say(process, "abc");
	say(process, RIG_ERROR, "de");
	rig_process_exit(process, 0);
	rig_settle(rig);
	for (uint64_t granted = 2; granted <= 5; granted++) {
		assert_false(rig_task(client, 1)->has_row);
		assert_int_equal(client->stream_bytes, granted - 1);
		rig_credit(client, granted);
		rig_settle(rig);
	}
	assert_true(rig_task(client, 1)->has_row);
	assert_string_equal(rig_task(client, 1)->output.data, "abc");
	assert_string_equal(rig_task(client, 1)->error.data, "de");
	assert_int_equal(rig_task(client, 1)->output.chunks, 3);
}

static void row_waits_for_output_that_waits_for_credit(void **state)
{
	struct wyn_process *process;

	(void)state;
	grant(2);
	process = run(1, streaming);
	rig_process_say(process, "abc");
	rig_process_exit(process, 0);
	rig_settle(rig);
	assert_string_equal(rig_task(client, 1)->output.data, "ab");
	assert_int_equal(client->rows, 0);
	/* It has ended all the same: another one may run. */
	assert_int_equal(rig->engine->commands_running, 0);
	rig_credit(client, 3);
	rig_settle(rig);
	assert_int_equal(client->rows_ok, 1);
}

static void output_waits_when_its_client_reads_nothing(void **state)
{
	struct wyn_process *process = run(1, streaming);
	size_t written = 0;
	size_t n;

	(void)state;
	client->read_max = 0;
	while ((n = rig_process_write(
			process, RIG_OUTPUT, data, sizeof(data))) > 0) {
		written += n;
		rig_settle(rig);
		assert_true(written < 4 * WYN_MIB);
	}
	/* At most a piece beyond what it may have unsent, and what went into
	 * the output of the connection. */
	assert_int_equal(wyn_stream_room(process->task), 0);
	assert_true(
		client->conn->output.bytes + client->conn->unsent_bytes <
		WYN_OUTPUT_HIGH_BYTES + 2 * 64 * WYN_KIB + UNSENT_BYTES_MAX);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	rig_settle(rig);
	assert_true(wyn_stream_room(process->task) > 0);
	assert_int_equal(rig_task(client, 1)->output.bytes, written);
}

static void output_is_not_copied_when_it_is_much(void **state)
{
	struct wyn_process *process = run(1, streaming);

	(void)state;
	client->read_max = 0;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(rig_process_write(process, RIG_OUTPUT, data,
					 64 * WYN_KIB),
			64 * WYN_KIB);
		rig_settle(rig);
	}
	/* It is there, and nothing was made to put it in. */
	assert_true(client->conn->output.bytes > 2 * 64 * WYN_KIB);
	assert_int_equal(
		rig->engine->segments.used_bytes, client->conn->output.bytes);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	rig_settle(rig);
	assert_int_equal(rig_task(client, 1)->output.bytes, 2 * 64 * WYN_KIB);
	assert_memory_equal(
		rig_task(client, 1)->output.data, data, 64 * WYN_KIB);
}

static void output_is_freed_when_its_client_goes(void **state)
{
	struct wyn_process *process = run(1, streaming);

	(void)state;
	client->read_max = 0;
	assert_int_equal(
		rig_process_write(process, RIG_OUTPUT, data, 64 * WYN_KIB),
		64 * WYN_KIB);
	rig_settle(rig);
	rig_client_break(client);
	assert_int_equal(rig->engine->segments.used_bytes, 0);
	rig_process_exit(process, 0);
	rig_settle(rig);
}

static void output_has_no_room_until_what_is_unsent_has_gone(void **state)
{
	struct wyn_process *process;

	(void)state;
	grant(1);
	process = run(1, streaming);
	assert_int_equal(process->task->partial_unsent_max, UNSENT_BYTES_MAX);
	assert_int_equal(
		rig_process_write(process, RIG_OUTPUT, data, UNSENT_BYTES_MAX),
		UNSENT_BYTES_MAX);
	rig_settle(rig);
	assert_int_equal(wyn_stream_room(process->task), 0);
	assert_int_equal(rig_process_write(process, RIG_ERROR, "x", 1), 0);
	rig_credit(client, UNSENT_BYTES_MAX);
	rig_settle(rig);
	assert_int_equal(process->sents, 1);
	assert_int_equal(wyn_stream_room(process->task), 64 * WYN_KIB);
	assert_int_equal(rig_process_write(process, RIG_ERROR, "x", 1), 1);
}

static void output_of_one_does_not_hold_up_rows_of_others(void **state)
{
	struct wyn_process *process;

	(void)state;
	grant(1);
	process = run(1, streaming);
	say(process, RIG_OUTPUT, "waits");
	rig_process_exit(run(2, plain), 0);
	rig_settle(rig);
	assert_true(rig_task(client, 2)->has_row);
	assert_false(rig_task(client, 1)->has_row);
}

static void output_after_a_cancel_still_comes(void **state)
{
	struct wyn_process *process = run(1, streaming);

	(void)state;
	rig_cancel(client, 1, 1);
	rig_settle(rig);
	say(process, RIG_OUTPUT, "good bye");
	rig_process_die(process, 15);
	rig_settle(rig);
	assert_string_equal(rig_task(client, 1)->output.data, "good bye");
}

static void row_has_the_exit_status_and_what_it_took(void **state)
{
	struct wyn_process *process = run(1, plain);
	const struct rig_task *task;

	(void)state;
	process->usage = (struct wyn_usage){.wall_ns = UINT64_MAX,
		.user_ns = 2,
		.system_ns = 3,
		.peak_rss_bytes = 1 << 20};
	rig_process_exit(process, 42);
	rig_settle(rig);
	task = rig_task(client, 1);
	assert_int_equal(task->code, WYN_STATUS_UNKNOWN);
	assert_string_equal(task->reason, "EXIT_STATUS");
	assert_int_equal(task->ran, WYN__V1__RAN__RAN_YES);
	assert_int_equal(task->exit_status, 42);
	assert_int_equal(task->signal, 0);
	assert_true(task->has_usage);
	assert_true(task->usage.wall_ns == UINT64_MAX);
	assert_int_equal(task->usage.user_ns, 2);
	assert_int_equal(task->usage.system_ns, 3);
	assert_int_equal(task->usage.peak_rss_bytes, 1 << 20);
}

static void row_has_the_signal(void **state)
{
	(void)state;
	rig_process_die(run(1, plain), 11);
	rig_settle(rig);
	assert_string_equal(rig_reason(client, 1), "SIGNALLED");
	assert_int_equal(rig_task(client, 1)->code, WYN_STATUS_ABORTED);
	assert_int_equal(rig_task(client, 1)->signal, 11);
	assert_int_equal(rig_task(client, 1)->exit_status, 0);
	assert_true(rig_task(client, 1)->has_usage);
}

static void row_has_usage_when_it_went_well(void **state)
{
	struct wyn_process *process = run(1, plain);

	(void)state;
	process->usage.wall_ns = 7;
	rig_process_exit(process, 0);
	rig_settle(rig);
	assert_int_equal(rig_task(client, 1)->code, WYN_STATUS_OK);
	assert_string_equal(rig_task(client, 1)->reason, "");
	assert_int_equal(rig_task(client, 1)->usage.wall_ns, 7);
	assert_int_equal(rig_task(client, 1)->ran, WYN__V1__RAN__RAN_YES);
}

static void row_has_no_usage_when_it_was_not_started(void **state)
{
	struct wyn_process *process;

	(void)state;
	rig_run_send(client, 1, 1, NULL, plain);
	rig_settle(rig);
	process = rig_process(rig, 1);
	rig_process_fail(process, WYN_REFUSAL_NOT_STARTED);
	rig_settle(rig);
	assert_string_equal(rig_reason(client, 1), "NOT_STARTED");
	assert_int_equal(rig_task(client, 1)->ran, WYN__V1__RAN__RAN_NO);
	assert_false(rig_task(client, 1)->has_usage);
	assert_true(rig_task(client, 1)->message[0] != '\0');
}

static void rows_of_many_have_a_detail_each(void **state)
{
	(void)state;
	for (uint64_t first = 1; first < 400; first += COMMANDS_MAX) {
		rig_run_send(client, first, COMMANDS_MAX, NULL, plain);
		rig_settle(rig);
		for (uint64_t i = 0; i < COMMANDS_MAX; i++) {
			rig_process_exit(rig_process(rig, first + i),
				(uint32_t)(first + i) % 256);
		}
	}
	rig_settle(rig);
	for (uint64_t seq = 1; seq < 400; seq++) {
		assert_int_equal(rig_task(client, seq)->exit_status, seq % 256);
	}
}

static int setup_small_frames(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.frame_bytes_max = WYN_FRAME_BYTES_LEAST;
	limits.commands_max = 60;
	rig = rig_create(&limits, 2);
	(void)rig_commands_attach(rig);
	client = rig_open_local(rig, 0);
	return 0;
}

/* The reader takes no frame that is larger than it may be. */
static void rows_fit_a_frame_when_all_of_them_is_long(void **state)
{
	static char message[2000];

	(void)state;
	memset(message, 'm', sizeof(message) - 1);
	rig_run_send(client, 1, 60, NULL, plain);
	rig_settle(rig);
	for (uint64_t seq = 1; seq <= 60; seq++) {
		struct wyn_process *process = rig_process(rig, seq);
		struct wyn_outcome *outcome = &process->task->outcome;

		memset(&process->usage, 0xff, sizeof(process->usage));
		rig_process_die(process, UINT32_MAX);
		outcome->end->exit_status = UINT32_MAX;
		wyn_outcome_say(outcome, message);
	}
	rig_settle(rig);
	assert_int_equal(client->rows, 60);
	assert_int_equal(client->errors, 0);
}

static void quiet_ones_come_as_a_count_unless_they_failed(void **state)
{
	const struct wyn_submit_options quiet = {.quiet = true, .stream = true};
	struct wyn_process *process = run(1, quiet);

	(void)state;
	rig_process_say(process, "heard");
	rig_process_exit(process, 0);
	rig_process_exit(run(2, quiet), 1);
	rig_settle(rig);
	assert_int_equal(client->quiet_done, 1);
	assert_int_equal(client->rows, 1);
	assert_string_equal(rig_task(client, 1)->output.data, "heard");
	assert_int_equal(rig_task(client, 2)->exit_status, 1);
}

static void finish_closes_behind_the_last_output(void **state)
{
	struct wyn_process *process = run(1, streaming);

	(void)state;
	rig_finish(client);
	rig_settle(rig);
	assert_non_null(client->conn);
	say(process, RIG_OUTPUT, "more");
	rig_process_exit(process, 0);
	rig_settle(rig);
	assert_null(client->conn);
	assert_string_equal(rig_task(client, 1)->output.data, "more");
	assert_int_equal(client->rows_ok, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(output_comes_as_it_is_written),
		TEST(output_and_error_have_offsets_of_their_own),
		TEST(output_is_all_there_before_the_row),
		TEST(output_keeps_all_bytes),
		TEST(output_does_not_come_when_it_was_not_asked_for),
		TEST(output_comes_in_pieces_when_credit_is_small),
		TEST(output_comes_byte_by_byte_when_credit_does),
		TEST(row_waits_for_output_that_waits_for_credit),
		TEST(output_waits_when_its_client_reads_nothing),
		TEST(output_is_not_copied_when_it_is_much),
		TEST(output_is_freed_when_its_client_goes),
		TEST(output_has_no_room_until_what_is_unsent_has_gone),
		TEST(output_of_one_does_not_hold_up_rows_of_others),
		TEST(output_after_a_cancel_still_comes),
		TEST(row_has_the_exit_status_and_what_it_took),
		TEST(row_has_the_signal),
		TEST(row_has_usage_when_it_went_well),
		TEST(row_has_no_usage_when_it_was_not_started),
		TEST(rows_of_many_have_a_detail_each),
		cmocka_unit_test_setup_teardown(
			rows_fit_a_frame_when_all_of_them_is_long,
			setup_small_frames, teardown),
		TEST(quiet_ones_come_as_a_count_unless_they_failed),
		TEST(finish_closes_behind_the_last_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
