// SPDX-License-Identifier: MIT
/*
 * test_keeper_command.c - commands whose connection has gone, and the end of
 * tasks by whoever may see them.
 */
#include "daemon/engine/keeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/conn_state.h"
#include "daemon/engine/engine_state.h"
#include "daemon/run/input.h"
#include "tests/support/rig_keep_fixture.h"

static void command_goes_on_when_its_client_goes(void **state)
{
	uint64_t id = keep_run_send(client, 1, 3);

	(void)state;
	assert_int_equal(rig->commands->count, 2);
	rig_process_say(rig_process(rig, 1), "before ");
	rig_settle(rig);
	leave();
	rig_process_say(rig_process(rig, 1), "after");
	(void)rig_process_write(rig_process(rig, 1), RIG_ERROR, "!", 1);
	rig_settle(rig);
	assert_int_equal(rig_process(rig, 1)->stops, 0);
	rig_process_exit(rig_process(rig, 1), 3);
	rig_process_die(rig_process(rig, 2), 9);
	rig_settle(rig);
	outcome_expected(asker, id, "EXIT_STATUS");
	assert_int_equal(asker->outcome.exit_status, 3);
	assert_true(asker->outcome.has_usage);
	assert_int_equal(asker->outcome.output_bytes, 13);
	assert_string_equal(asker->listed[0].command, "sh");
	outcome_expected(asker, id + 1, "SIGNALLED");
	assert_int_equal(asker->outcome.signal, 9);
	assert_non_null(rig_process(rig, 3));
	logs_send(asker, id, 0, 0);
	assert_string_equal(asker->logs.text, "before after!");
	assert_int_equal(asker->logs.last_stream, RIG_ERROR);
	assert_int_equal(asker->logs.next, 13);
	assert_true(asker->logs.ended);
}

static void command_is_never_held_up_when_nobody_reads(void **state)
{
	static char data[100000];
	uint64_t id = keep_run_send(client, 1, 1);
	uint64_t written = 0;

	(void)state;
	leave();
	while (written < 5000000) {
		size_t n = rig_process_write(
			rig_process(rig, 1), RIG_OUTPUT, data, sizeof(data));

		assert_true(n > 0);
		written += n;
		rig_settle(rig);
	}
	rig_finish_all(rig);
	assert_int_equal(outcome_of(asker, id)->output_bytes, written);
	logs_send(asker, id, 0, 0);
	assert_true(asker->logs.first_at >=
		    written - rig->engine->limits.keep_output_bytes);
}

static void input_ends_when_its_client_goes(void **state)
{
	struct rig_command command;
	const struct rig_submit submit = {.first_seq = 1,
		.command = &command.message,
		.count = 1,
		.options = {.on_disconnect = KEEP, .accept = true}};
	char read[16];

	(void)state;
	rig_command_init(&command, "cat");
	command.message.input_stream = true;
	rig_submit(client, &submit);
	rig_settle(rig);
	rig_input(client, 1, 0, wyn_slice_of("half a"), false);
	rig_settle(rig);
	leave();
	rig_process_read(rig_process(rig, 1), read, sizeof(read) - 1);
	assert_string_equal(read, "half a");
	assert_true(rig_process(rig, 1)->task->batch->input->eof);
	rig_finish_all(rig);
	assert_true(outcome_of(asker, client->accepted_id)->ended);
}

static void queued_input_ends_when_its_client_goes(void **state)
{
	struct rig_command command;
	const struct rig_submit submit = {.first_seq = 3,
		.command = &command.message,
		.count = 1,
		.options = {.on_disconnect = KEEP, .accept = true}};

	(void)state;
	rig_run_send(asker, 1, 2, NULL, (struct wyn_submit_options){0});
	rig_settle(rig);
	rig_command_init(&command, "cat");
	command.message.input_stream = true;
	rig_submit(client, &submit);
	rig_settle(rig);
	assert_null(rig_process(rig, 3));
	leave();
	(void)rig_commands_finish(rig->commands);
	rig_settle(rig);
	assert_true(rig_process(rig, 3)->task->batch->input->eof);
}

static void end_ends_any_when_its_client_has_gone(void **state)
{
	uint64_t id = keep_send(client, 1, 5, "ask", "x");
	uint64_t run = keep_run_send(client, 10, 3);

	(void)state;
	leave();
	end_send(asker, id, 0);
	assert_int_equal(asker->reply.code, 0);
	end_send(asker, id + 4, 0);
	assert_int_equal(asker->reply.code, 0);
	outcome_expected(asker, id + 4, "CANCELLED_BY_CLIENT");
	end_send(asker, run, 15);
	assert_int_equal(rig_process(rig, 10)->signals, 1);
	assert_int_equal(rig_process(rig, 10)->signal, 15);
	assert_int_equal(rig_process(rig, 10)->stops, 0);
	end_send(asker, run, 0);
	assert_int_equal(rig_process(rig, 10)->stops, 1);
	rig_process_die(rig_process(rig, 10), 15);
	end_send(asker, run + 2, 0);
	rig_finish_all(rig);
	assert_int_equal(outcome_of(asker, id)->code, WYN_STATUS_CANCELLED);
	value_expected(asker, id + 1, "ran");
	outcome_expected(asker, run, "CANCELLED_BY_CLIENT");
	end_send(asker, run, 0);
	assert_string_equal(asker->reply.reason, "TASK_UNKNOWN");
	assert_int_equal(keepers(), 0);
}

static void keeper_goes_when_its_last_task_is_ended(void **state)
{
	uint64_t id = keep_send(client, 1, 4, "slow", NULL);

	(void)state;
	leave();
	rig_run(rig, 3);
	end_send(asker, id + 3, 0);
	rig_finish_all(rig);
	assert_int_equal(keepers(), 0);
	id = keep_run_send(asker, 1, 3);
	rig_client_break(asker);
	asker = rig_open_user(rig, 0);
	rig_process_exit(rig_process(rig, 1), 0);
	rig_process_exit(rig_process(rig, 2), 0);
	end_send(asker, id + 2, 0);
	(void)rig_commands_finish(rig->commands);
	rig_settle(rig);
	assert_int_equal(keepers(), 0);
}

static void drain_ends_what_is_kept_when_it_takes_too_long(void **state)
{
	uint64_t id = keep_send(client, 1, 5, "echo", "x");
	uint64_t run = keep_run_send(client, 10, 3);
	struct wyn_kept *kept;

	(void)state;
	leave();
	rig_client_break(asker);
	rig_drain(rig);
	rig_cancel_all(rig);
	kept = wyn_keep_find(&rig->engine->keep, id + 4);
	assert_int_equal(kept->refusal, WYN_REFUSAL_DRAIN_TIMEOUT);
	kept = wyn_keep_find(&rig->engine->keep, run);
	assert_int_equal(kept->refusal, WYN_REFUSAL_DRAIN_TIMEOUT);
	assert_int_equal(rig_process(rig, 10)->stops, 1);
	rig_finish_all(rig);
	assert_false(wyn_engine_keeps(rig->engine));
}

static void queued_alone_ends_when_a_drain_takes_too_long(void **state)
{
	(void)state;
	rig_run_send(asker, 1, 2, NULL, (struct wyn_submit_options){0});
	rig_settle(rig);
	(void)keep_run_send(client, 1, 2);
	leave();
	rig_client_break(asker);
	rig_settle(rig);
	assert_int_equal(keepers(), 1);
	rig_drain(rig);
	rig_cancel_all(rig);
	assert_int_equal(keepers(), 0);
	rig_finish_all(rig);
}

static void entry_ends_when_its_command_cannot_start(void **state)
{
	uint64_t id = keep_run_send(client, 1, 1);
	uint64_t lost;

	(void)state;
	rig_process_fail(rig_process(rig, 1), WYN_REFUSAL_NOT_STARTED);
	leave();
	outcome_expected(asker, id, "NOT_STARTED");
	assert_int_equal(asker->outcome.ran, WYN__V1__RAN__RAN_NO);
	assert_true(asker->outcome.message[0] != '\0');
	rig->commands->no_memory = true;
	rig->no_memory = true;
	lost = keep_run_send(asker, 1, 1);
	outcome_expected(asker, lost, "DAEMON_BYTES_MAX");
	lost = keep_send(asker, 2, 1, "echo", "x");
	outcome_expected(asker, lost, "DAEMON_BYTES_MAX");
	rig->commands->no_memory = false;
	rig->no_memory = false;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(command_goes_on_when_its_client_goes),
		TEST(command_is_never_held_up_when_nobody_reads),
		TEST(input_ends_when_its_client_goes),
		TEST(queued_input_ends_when_its_client_goes),
		TEST(end_ends_any_when_its_client_has_gone),
		TEST(keeper_goes_when_its_last_task_is_ended),
		TEST(drain_ends_what_is_kept_when_it_takes_too_long),
		TEST(queued_alone_ends_when_a_drain_takes_too_long),
		TEST(entry_ends_when_its_command_cannot_start),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
