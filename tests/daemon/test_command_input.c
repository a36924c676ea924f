// SPDX-License-Identifier: MIT
/*
 * test_command_input.c - the input of a command that goes on in Chunks, from
 * its client to whoever writes it to the pipe.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/conn.h"
#include "daemon/engine/conn_command.h"
#include "daemon/engine/engine_state.h"
#include "daemon/run/input.h"
#include "tests/support/rig_commands.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"

#define CREDIT_BYTES (100 * WYN_KIB)

static const struct wyn_submit_options plain;

static char text[RIG_TEXT_BYTES];
static char block[CREDIT_BYTES + 1];

/* One command at a time. */
static int setup_credit(uint64_t credit_bytes)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	limits.commands_max = 1;
	limits.credit_bytes = credit_bytes;
	rig = rig_create(&limits, 2);
	(void)rig_commands_attach(rig);
	client = rig_open_local(rig, 0);
	memset(block, 'b', sizeof(block));
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_credit(CREDIT_BYTES);
}

static int setup_large(void **state)
{
	(void)state;
	return setup_credit(WYN_GIB);
}

static void send(uint64_t seq, uint64_t offset, const char *what, bool eof)
{
	rig_input(client, seq, offset, wyn_slice_of(what), eof);
	rig_settle(rig);
}

static void send_block(uint64_t offset, size_t bytes)
{
	rig_input(client, 1, offset,
		(struct wyn_slice){(const uint8_t *)block, bytes}, false);
	rig_settle(rig);
}

/* The command with seq 1, which runs. */
static struct wyn_process *feed(void)
{
	rig_feed_send(client, 1);
	rig_settle(rig);
	return rig_process(rig, 1);
}

static void read_expected(struct wyn_process *process, const char *what)
{
	assert_int_equal(rig_process_read(process, text, sizeof(text) - 1),
		strlen(what));
	assert_string_equal(text, what);
}

static const struct wyn_input *input_of(const struct wyn_process *process)
{
	return process->task->batch->input;
}

static uint64_t held(void)
{
	rig_settle(rig);
	return atomic_load_explicit(
		&rig->shared.bytes_held, memory_order_relaxed);
}

static void input_reaches_a_command_that_runs(void **state)
{
	struct wyn_process *process = feed();

	(void)state;
	assert_int_equal(process->inputs, 0);
	send(1, 0, "one", false);
	assert_int_equal(process->inputs, 1);
	read_expected(process, "one");
	send(1, 3, "two", false);
	assert_int_equal(process->inputs, 2);
	read_expected(process, "two");
	assert_false(input_of(process)->eof);
}

static void input_that_came_before_the_start_is_there(void **state)
{
	struct wyn_process *process;

	(void)state;
	rig_run_send(client, 1, 1, NULL, plain);
	rig_feed_send(client, 2);
	send(2, 0, "early", false);
	send(2, 5, " bird", true);
	assert_null(rig_process(rig, 2));
	rig_process_exit(rig_process(rig, 1), 0);
	rig_settle(rig);
	process = rig_process(rig, 2);
	assert_int_equal(process->inputs, 0);
	read_expected(process, "early bird");
	assert_true(input_of(process)->eof);
}

static void input_ends_with_eof(void **state)
{
	struct wyn_process *process = feed();

	(void)state;
	send(1, 0, "all", true);
	assert_true(input_of(process)->eof);
	assert_int_equal(process->inputs, 1);
	read_expected(process, "all");
}

static void input_ends_with_an_empty_chunk(void **state)
{
	struct wyn_process *process = feed();

	(void)state;
	send(1, 0, "all", false);
	send(1, 3, "", true);
	assert_true(input_of(process)->eof);
	assert_int_equal(process->inputs, 2);
}

static void input_ends_with_finish(void **state)
{
	struct wyn_process *process = feed();

	(void)state;
	send(1, 0, "rest", false);
	rig_finish(client);
	rig_settle(rig);
	assert_true(input_of(process)->eof);
	assert_int_equal(process->inputs, 2);
	read_expected(process, "rest");
	rig_process_exit(process, 0);
	rig_settle(rig);
	assert_int_equal(client->rows_ok, 1);
	assert_null(client->conn);
}

static void input_of_one_that_waits_ends_with_finish(void **state)
{
	(void)state;
	rig_run_send(client, 1, 1, NULL, plain);
	rig_feed_send(client, 2);
	rig_finish(client);
	rig_settle(rig);
	rig_process_exit(rig_process(rig, 1), 0);
	rig_settle(rig);
	assert_true(input_of(rig_process(rig, 2))->eof);
}

static void input_goes_on_behind_the_argument(void **state)
{
	struct rig_command command;
	const struct rig_submit submit = {.first_seq = 1,
		.command = &command.message,
		.count = 1,
		.text = "argument"};
	struct wyn_process *process;

	(void)state;
	rig_command_init(&command, "cat");
	command.message.input_stream = true;
	rig_submit(client, &submit);
	send(1, 0, "input", true);
	process = rig_process(rig, 1);
	assert_int_equal(process->task->element.argument.len, 8);
	read_expected(process, "input");
}

static void input_goes_on_behind_an_argument_in_chunks(void **state)
{
	struct rig_command command;
	const uint64_t size = 4;
	const struct rig_submit submit = {.first_seq = 1,
		.command = &command.message,
		.count = 1,
		.sizes = &size};
	struct wyn_process *process;

	(void)state;
	rig_command_init(&command, "cat");
	command.message.input_stream = true;
	rig_submit(client, &submit);
	rig_chunk(client, 1, 0, "ar", false);
	send(1, 0, "input", false);
	assert_null(rig_process(rig, 1));
	rig_chunk(client, 1, 2, "gs", true);
	rig_settle(rig);
	process = rig_process(rig, 1);
	assert_non_null(process);
	assert_memory_equal(process->task->element.argument.data, "args", 4);
	send(1, 5, "more", true);
	read_expected(process, "inputmore");
}

static void input_is_held_until_it_is_taken(void **state)
{
	struct wyn_process *process = feed();
	uint64_t before = held();

	(void)state;
	send_block(0, 5000);
	assert_int_equal(held(), before + 5000);
	assert_int_equal(rig_process_read(process, block, 3000), 3000);
	assert_int_equal(held(), before + 2000);
	/* What is left is nobody's when it has ended. */
	rig_process_exit(process, 0);
	assert_int_equal(held(), 0);
	assert_int_equal(
		client->conn->bytes.returned, client->conn->bytes.received);
}

static void input_after_the_end_is_dropped(void **state)
{
	struct wyn_process *process = feed();
	uint64_t returned;

	(void)state;
	rig_process_exit(process, 0);
	rig_settle(rig);
	returned = client->conn->bytes.returned;
	send(1, 0, "late", false);
	send(1, 77, "later", true);
	assert_int_equal(client->errors, 0);
	assert_int_equal(client->conn->bytes.returned, returned + 9);
	assert_int_equal(held(), 0);
}

/* It has ended, its row waits for credit: that is the end as well. */
static void input_while_the_row_waits_is_dropped(void **state)
{
	struct rig_command command;
	const struct rig_submit submit = {.first_seq = 1,
		.command = &command.message,
		.count = 1,
		.options = {.stream = true}};
	struct wyn_process *process;

	(void)state;
	client = rig_open_local(rig, 1);
	rig_command_init(&command, "cat");
	command.message.input_stream = true;
	rig_submit(client, &submit);
	send(1, 0, "x", false);
	process = rig_process(rig, 1);
	rig_process_say(process, "xyz");
	rig_process_exit(process, 0);
	rig_settle(rig);
	assert_int_equal(client->rows, 0);
	send(1, 1, "yz", true);
	assert_int_equal(client->errors, 0);
	rig_credit(client, 100);
	rig_settle(rig);
	assert_int_equal(client->rows_ok, 1);
}

static void input_that_is_shut_is_taken_at_once(void **state)
{
	struct wyn_process *process = feed();
	uint64_t before = held();

	(void)state;
	send(1, 0, "a", false);
	wyn_input_shut(process->task->batch->input);
	send(1, 1, "bcd", false);
	assert_int_equal(held(), before);
	assert_int_equal(client->conn->bytes.returned, 4);
	assert_int_equal(client->errors, 0);
}

static void input_with_a_gap_is_an_error(void **state)
{
	struct wyn_process *process = feed();

	(void)state;
	send(1, 0, "abc", false);
	send(1, 4, "efg", false);
	assert_string_equal(client->error, "CHUNK_OUT_OF_ORDER");
	assert_int_equal(process->stops, 1);
}

static void input_after_its_eof_is_an_error(void **state)
{
	(void)state;
	(void)feed();
	send(1, 0, "abc", true);
	send(1, 3, "", true);
	assert_string_equal(client->error, "CHUNK_OUT_OF_ORDER");
}

static void input_of_nobody_is_an_error_when_it_was_not_announced(void **state)
{
	(void)state;
	send(1, 0, "abc", false);
	assert_string_equal(client->error, "UNEXPECTED_MESSAGE");
}

static void input_of_a_function_is_dropped(void **state)
{
	(void)state;
	rig_task_send(client, 1, "ask", NULL);
	send(1, 0, "abc", false);
	rig_finish_all(rig);
	assert_int_equal(client->errors, 0);
	assert_string_equal((const char *)rig_task(client, 1)->value, "ran");
}

static void input_over_credit_is_an_error(void **state)
{
	(void)state;
	(void)feed();
	send_block(0, CREDIT_BYTES);
	assert_int_equal(client->errors, 0);
	send_block(CREDIT_BYTES, 1);
	assert_string_equal(client->error, "INPUT_OVER_CREDIT");
	assert_int_equal(client->error_code, WYN_STATUS_RESOURCE_EXHAUSTED);
}

/* Credit counts to 2^64: what a Submit has used it up with is refused, and
 * counts all the same. */
static void input_is_an_error_when_credit_can_count_no_further(void **state)
{
	const uint64_t size = UINT64_MAX - CREDIT_BYTES;
	const struct rig_submit submit = {
		.first_seq = 1, .function = "noop", .count = 1, .sizes = &size};

	(void)state;
	rig_submit(client, &submit);
	rig_settle(rig);
	assert_string_equal(rig_reason(client, 1), "ARGUMENT_TOO_LARGE");
	send_block(0, CREDIT_BYTES + 1);
	assert_string_equal(client->error, "INPUT_OVER_CREDIT");
}

static void input_is_granted_anew_when_it_was_taken(void **state)
{
	struct wyn_process *process = feed();
	uint64_t granted = client->credit_bytes;

	(void)state;
	for (uint64_t i = 0; i < 10; i++) {
		send_block(i * CREDIT_BYTES, CREDIT_BYTES);
		assert_int_equal(client->errors, 0);
		assert_int_equal(rig_process_read(process, block, CREDIT_BYTES),
			CREDIT_BYTES);
		rig_settle(rig);
		granted += CREDIT_BYTES;
		assert_int_equal(client->credit_bytes, granted);
	}
}

static void input_is_granted_anew_after_64k_however_much_is_left(void **state)
{
	struct wyn_process *process = feed();
	uint64_t granted = client->credit_bytes;
	unsigned credits = client->credits;

	(void)state;
	send_block(0, WYN_INPUT_UNTOLD_BYTES);
	(void)rig_process_read(process, block, WYN_INPUT_UNTOLD_BYTES - 1);
	rig_settle(rig);
	assert_int_equal(client->credits, credits);
	(void)rig_process_read(process, block, 1);
	rig_settle(rig);
	assert_int_equal(client->credits, credits + 1);
	assert_int_equal(
		client->credit_bytes, granted + WYN_INPUT_UNTOLD_BYTES);
}

static void input_beyond_max_bytes_ends_the_command(void **state)
{
	struct wyn_process *process = feed();
	struct wyn_limits limits = *wyn_engine_limits(rig->engine);

	(void)state;
	limits.daemon_bytes_max = held() + 1000;
	wyn_engine_limit(rig->engine, &limits);
	send_block(0, 1000);
	assert_int_equal(process->stops, 0);
	send_block(1000, 1);
	assert_int_equal(process->stops, 1);
	assert_true(input_of(process)->shut);
	assert_int_equal(client->errors, 0);
	/* What comes still is for nobody. */
	send_block(1001, 5000);
	assert_int_equal(client->errors, 0);
	rig_process_die(process, 15);
	rig_settle(rig);
	assert_string_equal(rig_reason(client, 1), "DAEMON_BYTES_MAX");
	assert_int_equal(held(), 0);
}

static void input_beyond_what_is_left_for_others_ends_the_command(void **state)
{
	struct wyn_process *process = feed();
	struct wyn_limits limits = *wyn_engine_limits(rig->engine);

	(void)state;
	limits.daemon_bytes_max = held() + 10000;
	wyn_engine_limit(rig->engine, &limits);
	/* Alone it may have nearly all. */
	send_block(0, 9000);
	assert_int_equal(rig_process_read(process, block, 9000), 9000);
	(void)rig_open(rig);
	send_block(9000, 3000);
	assert_int_equal(process->stops, 0);
	send_block(12000, 3000);
	assert_int_equal(process->stops, 1);
	rig_process_die(process, 15);
	rig_settle(rig);
	assert_string_equal(rig_reason(client, 1), "DAEMON_BYTES_MAX");
}

static void input_beyond_max_bytes_ends_one_that_waits(void **state)
{
	struct wyn_limits limits = *wyn_engine_limits(rig->engine);

	(void)state;
	limits.commands_max = 1;
	rig_run_send(client, 5, 1, NULL, plain);
	rig_feed_send(client, 6);
	rig_run_send(client, 7, 1, NULL, plain);
	limits.daemon_bytes_max = held() + 1000;
	wyn_engine_limit(rig->engine, &limits);
	rig_input(client, 6, 0,
		(struct wyn_slice){(const uint8_t *)block, 1001}, false);
	rig_settle(rig);
	assert_string_equal(rig_reason(client, 6), "DAEMON_BYTES_MAX");
	assert_int_equal(rig_task(client, 6)->ran, WYN__V1__RAN__RAN_NO);
	assert_int_equal(client->rows, 1);
}

static void cancel_of_one_that_waits_drops_its_input(void **state)
{
	uint64_t before;

	(void)state;
	rig_run_send(client, 1, 1, NULL, plain);
	before = held();
	rig_feed_send(client, 2);
	send(2, 0, "never read", false);
	rig_cancel(client, 2, 1);
	assert_int_equal(held(), before);
	assert_int_equal(
		client->conn->bytes.returned, client->conn->bytes.received);
	send(2, 10, "at all", true);
	assert_int_equal(client->errors, 0);
}

static void disconnect_ends_the_input_of_what_runs(void **state)
{
	struct wyn_process *process = feed();

	(void)state;
	send_block(0, 3000);
	rig_client_break(client);
	rig_settle(rig);
	/* It may read on, for it was asked to end and is at it. */
	assert_int_equal(rig_process_read(process, block, 1000), 1000);
	assert_true(held() > 0);
	rig_process_die(process, 15);
	assert_int_equal(held(), 0);
}

int main(void)
{
#define TEST_OF(name, setup) \
	cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST(name) TEST_OF(name, setup)
	const struct CMUnitTest tests[] = {
		TEST(input_reaches_a_command_that_runs),
		TEST(input_that_came_before_the_start_is_there),
		TEST(input_ends_with_eof),
		TEST(input_ends_with_an_empty_chunk),
		TEST(input_ends_with_finish),
		TEST(input_of_one_that_waits_ends_with_finish),
		TEST(input_goes_on_behind_the_argument),
		TEST(input_goes_on_behind_an_argument_in_chunks),
		TEST(input_is_held_until_it_is_taken),
		TEST(input_after_the_end_is_dropped),
		TEST(input_while_the_row_waits_is_dropped),
		TEST(input_that_is_shut_is_taken_at_once),
		TEST(input_with_a_gap_is_an_error),
		TEST(input_after_its_eof_is_an_error),
		TEST(input_of_nobody_is_an_error_when_it_was_not_announced),
		TEST(input_of_a_function_is_dropped),
		TEST(input_over_credit_is_an_error),
		TEST(input_is_an_error_when_credit_can_count_no_further),
		TEST(input_is_granted_anew_when_it_was_taken),
		TEST_OF(input_is_granted_anew_after_64k_however_much_is_left,
			setup_large),
		TEST(input_beyond_max_bytes_ends_the_command),
		TEST(input_beyond_what_is_left_for_others_ends_the_command),
		TEST(input_beyond_max_bytes_ends_one_that_waits),
		TEST(cancel_of_one_that_waits_drops_its_input),
		TEST(disconnect_ends_the_input_of_what_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
