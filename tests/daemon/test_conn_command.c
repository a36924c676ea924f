// SPDX-License-Identifier: MIT
/*
 * test_conn_command.c - tasks that run a command: taken in or refused, and
 * sent signals.
 */
#include "daemon/engine/conn_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/engine_state.h"
#include "daemon/run/account.h"
#include "daemon/run/command.h"
#include "tests/support/rig_command_fixture.h"

static void command_becomes_a_task_of_its_executor(void **state)
{
	struct wyn_process *process;

	(void)state;
	rig_run_send(client, 1, 1, "input", plain);
	settle();
	assert_int_equal(rig->started_count, 0);
	assert_int_equal(rig->commands->count, 1);
	process = rig_process(rig, 1);
	assert_int_equal(process->task->element.argument.len, 5);
	assert_memory_equal(process->task->element.argument.data, "input", 5);
	assert_string_equal(process->task->batch->command->line, "sh");
	assert_int_equal(wyn_engine_in_executor(rig->engine), 1);
	rig_process_exit(process, 0);
	settle();
	assert_int_equal(rig_task(client, 1)->code, WYN_STATUS_OK);
	assert_int_equal(wyn_engine_in_executor(rig->engine), 0);
}

static void command_has_a_task_for_each_argument(void **state)
{
	static const char *const texts[] = {"a", "b", "c", "d", "e"};
	struct rig_command command;
	const struct rig_submit submit = {.first_seq = 7,
		.command = &command.message,
		.count = 5,
		.texts = texts,
		.options = {.accept = true}};

	(void)state;
	rig_command_init(&command, "tr a b");
	rig_submit(client, &submit);
	settle();
	assert_int_equal(client->accepted, 5);
	assert_int_equal(client->accepted_seq, 7);
	for (uint64_t seq = 7; seq <= 11; seq++) {
		struct wyn_process *process = rig_process(rig, seq);

		assert_non_null(process);
		assert_int_equal(process->task->element.argument.len, 1);
		assert_memory_equal(process->task->element.argument.data,
			texts[seq - 7], 1);
		rig_process_exit(process, 0);
		settle();
	}
	assert_int_equal(client->rows_ok, 5);
}

static void command_runs_as_the_policy_says(void **state)
{
	(void)state;
	rig->commands->policy.own_uid = 0;
	rig->commands->policy.own_gid = 12;
	run(1, plain);
	assert_int_equal(rig_process(rig, 1)->task->batch->command->uid, 0);
	assert_int_equal(rig_process(rig, 1)->task->batch->command->gid, 12);
}

static void refused_expected(const struct rig_submit *submit,
	enum wyn_refusal refusal, const char *reason)
{
	uint64_t before = counter(refusal);

	rig_submit(client, submit);
	settle();
	assert_string_equal(rig_reason(client, submit->first_seq), reason);
	assert_int_equal(
		rig_task(client, submit->first_seq)->ran, WYN__V1__RAN__RAN_NO);
	assert_true(rig_task(client, submit->first_seq)->message[0] != '\0');
	assert_int_equal(counter(refusal), before + submit->count);
	assert_int_equal(rig->commands->started, 0);
	assert_int_equal(client->conn->account->command_bytes, 0);
}

static void command_is_refused_when_there_is_no_executor(void **state)
{
	struct rig_command command;
	const struct rig_submit submit = {
		.first_seq = 1, .command = &command.message, .count = 3};

	(void)state;
	rig_command_init(&command, "true");
	wyn_engine_commands(rig->engine, NULL, "");
	refused_expected(&submit, WYN_REFUSAL_COMMANDS_OFF, "COMMANDS_OFF");
	assert_int_equal(
		rig_task(client, 3)->code, WYN_STATUS_PERMISSION_DENIED);
}

static void command_is_refused_when_there_is_no_policy(void **state)
{
	struct rig_command command;
	const struct rig_submit submit = {
		.first_seq = 1, .command = &command.message, .count = 1};

	(void)state;
	rig_command_init(&command, "true");
	wyn_engine_policy(rig->engine, NULL);
	refused_expected(&submit, WYN_REFUSAL_COMMANDS_OFF, "COMMANDS_OFF");
}

static void command_is_refused_when_the_policy_says_no(void **state)
{
	struct rig_command command;
	const struct rig_submit submit = {
		.first_seq = 1, .command = &command.message, .count = 1};

	(void)state;
	rig_command_init(&command, "true");
	rig->commands->policy.commands = false;
	refused_expected(&submit, WYN_REFUSAL_COMMANDS_OFF, "COMMANDS_OFF");
}

static void command_is_refused_when_it_is_invalid(void **state)
{
	struct rig_command command;
	struct rig_submit submit = {.command = &command.message, .count = 1};
	ProtobufCBinaryData env = rig_word("PATH");

	(void)state;
	for (uint64_t kind = 1; kind <= 6; kind++) {
		rig_command_init(&command, "true");
		submit.first_seq = kind;
		command.message.n_argv = kind != 1;
		command.argv[0] = rig_word(kind == 2 ? "" : "true");
		command.argv[0].len += kind == 3;
		command.message.env = &env;
		command.message.n_env = kind == 4;
		command.message.cwd = rig_word(kind == 5 ? "tmp" : "/");
		command.message.cwd.len += kind == 6;
		refused_expected(&submit, WYN_REFUSAL_COMMAND_INVALID,
			"COMMAND_INVALID");
		assert_int_equal(rig_task(client, kind)->code,
			WYN_STATUS_INVALID_ARGUMENT);
	}
}

static void command_is_refused_when_an_input_is_for_two_tasks(void **state)
{
	struct rig_command command;
	const struct rig_submit submit = {
		.first_seq = 1, .command = &command.message, .count = 2};

	(void)state;
	rig_command_init(&command, "cat");
	command.message.input_stream = true;
	refused_expected(
		&submit, WYN_REFUSAL_COMMAND_INVALID, "COMMAND_INVALID");
	assert_non_null(strstr(rig_task(client, 2)->message, "input_stream"));
}

static void command_is_refused_when_it_is_too_large(void **state)
{
	char word[2000];
	struct rig_command command;
	struct rig_submit submit = {
		.first_seq = 1, .command = &command.message, .count = 1};

	(void)state;
	memset(word, 'x', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	rig_command_init(&command, word);
	refused_expected(
		&submit, WYN_REFUSAL_COMMAND_TOO_LARGE, "COMMAND_TOO_LARGE");
	/* At the bound it is taken. */
	command.argv[0].len = 2000 - 1 - sizeof(char *);
	submit.first_seq = 2;
	rig_submit(client, &submit);
	settle();
	assert_int_equal(rig->commands->count, 1);
}

static void command_is_refused_when_unknown_fields_are_too_large(void **state)
{
	uint8_t bytes[3002] = {0xb8, 0x17};
	ProtobufCMessageUnknownField unknown = {.tag = 100,
		.wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
		.len = sizeof(bytes),
		.data = bytes};
	struct rig_command command;
	struct rig_submit submit = {
		.first_seq = 1, .command = &command.message, .count = 1};

	(void)state;
	rig_command_init(&command, "true");
	command.message.base.n_unknown_fields = 1;
	command.message.base.unknown_fields = &unknown;
	refused_expected(
		&submit, WYN_REFUSAL_COMMAND_TOO_LARGE, "COMMAND_TOO_LARGE");
}

static void command_is_malformed_when_there_is_a_function_too(void **state)
{
	struct rig_command command;
	const struct rig_submit submit = {.first_seq = 1,
		.function = "echo",
		.command = &command.message,
		.count = 1};

	(void)state;
	rig_command_init(&command, "true");
	rig_submit(client, &submit);
	settle();
	assert_int_equal(client->errors, 1);
	assert_int_equal(rig->commands->started, 0);
	assert_int_equal(rig->started_total, 0);
}

static void command_is_refused_when_the_daemon_drains(void **state)
{
	(void)state;
	run(1, plain);
	rig_drain(rig);
	rig_run_send(client, 2, 1, NULL, plain);
	settle();
	row_expected(2, WYN_STATUS_FAILED_PRECONDITION, "DRAINING",
		WYN__V1__RAN__RAN_NO);
	assert_int_equal(rig->commands->count, 1);
}

static void command_is_charged_until_its_last_task_is_back(void **state)
{
	uint64_t bytes;

	(void)state;
	run(3, plain);
	bytes = client->conn->account->command_bytes;
	assert_true(bytes > 0);
	assert_true(atomic_load(&rig->shared.bytes_held) >= bytes);
	rig_process_exit(rig_process(rig, 1), 0);
	rig_process_exit(rig_process(rig, 2), 0);
	settle();
	assert_int_equal(client->conn->account->command_bytes, bytes);
	rig_process_exit(rig_process(rig, 3), 0);
	settle();
	assert_int_equal(client->conn->account->command_bytes, 0);
	assert_int_equal(atomic_load(&rig->shared.bytes_held), 0);
}

static void command_is_refused_when_it_would_pass_max_bytes(void **state)
{
	struct wyn_limits limits = *wyn_engine_limits(rig->engine);
	char word[600];
	struct rig_command command;
	struct rig_submit submit = {
		.first_seq = 2, .command = &command.message, .count = 1};

	(void)state;
	run(1, plain);
	limits.daemon_bytes_max = atomic_load(&rig->shared.bytes_held) + 500;
	wyn_engine_limit(rig->engine, &limits);
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	rig_command_init(&command, word);
	rig_submit(client, &submit);
	settle();
	assert_string_equal(rig_reason(client, 2), "DAEMON_BYTES_MAX");
	rig_run_send(client, 3, 1, NULL, plain);
	settle();
	assert_non_null(rig_process(rig, 3));
}

static void command_is_answered_when_the_executor_has_no_memory(void **state)
{
	(void)state;
	rig->commands->no_memory = true;
	rig_feed_send(client, 1);
	rig_input(client, 1, 0, wyn_slice_of("input"), false);
	settle();
	row_expected(1, WYN_STATUS_RESOURCE_EXHAUSTED, "DAEMON_BYTES_MAX",
		WYN__V1__RAN__RAN_NO);
	assert_false(rig_task(client, 1)->has_usage);
	assert_int_equal(client->conn->account->command_bytes, 0);
	rig->commands->no_memory = false;
	rig_run_send(client, 2, 1, NULL, plain);
	settle();
	assert_non_null(rig_process(rig, 2));
}

static void commands_executor_is_told_of_limits_and_policy(void **state)
{
	struct wyn_limits limits = *wyn_engine_limits(rig->engine);
	unsigned before = rig->commands->configures;

	(void)state;
	assert_int_equal(rig->commands->config.commands_max, 2);
	limits.commands_max = 9;
	limits.command_drain_ms = 33;
	wyn_engine_limit(rig->engine, &limits);
	assert_int_equal(rig->commands->config.commands_max, 9);
	assert_int_equal(rig->commands->config.drain_ms, 33);
	rig->commands->policy.umask = 27;
	wyn_engine_policy(rig->engine, &rig->commands->policy);
	assert_int_equal(rig->commands->config.umask, 27);
	assert_int_equal(rig->commands->configures, before + 2);
}

static void signal_goes_to_those_that_run(void **state)
{
	(void)state;
	run(4, plain);
	rig_signal(client, 2, 3, 10);
	settle();
	assert_int_equal(rig_process(rig, 1)->signals, 0);
	assert_int_equal(rig_process(rig, 2)->signals, 1);
	assert_int_equal(rig_process(rig, 2)->signal, 10);
	assert_int_equal(rig_process(rig, 2)->stops, 0);
	assert_int_equal(client->rows, 0);
	assert_int_equal(client->errors, 0);
}

static void signal_finds_one_by_its_id(void **state)
{
	(void)state;
	run(2, (struct wyn_submit_options){.accept = true});
	rig_signal_id(client, client->accepted_id, 64);
	settle();
	assert_int_equal(rig_process(rig, 1)->signal, 64);
	assert_int_equal(rig_process(rig, 2)->signals, 0);
}

static void signal_of_nothing_is_no_error(void **state)
{
	(void)state;
	rig_task_send(client, 1, "ask", NULL);
	settle();
	rig_signal(client, 1, 5, 15);
	settle();
	rig_finish_all(rig);
	assert_int_equal(client->errors, 0);
	assert_string_equal((const char *)rig_task(client, 1)->value, "ran");
}

static void signal_is_an_error_when_there_is_no_such_number(void **state)
{
	struct rig_client *other = rig_open_local(rig, 0);

	(void)state;
	rig_signal(client, 1, 1, 0);
	rig_signal(other, 1, 1, 65);
	settle();
	assert_string_equal(client->error, "SIGNAL_INVALID");
	assert_string_equal(other->error, "SIGNAL_INVALID");
}

static void signal_is_of_ones_own_commands_alone(void **state)
{
	struct rig_client *other = rig_open_local(rig, 0);

	(void)state;
	run(1, plain);
	rig_signal(other, 1, 1, 9);
	rig_cancel(other, 1, 1);
	settle();
	assert_int_equal(rig_process(rig, 1)->signals, 0);
	assert_int_equal(rig_process(rig, 1)->stops, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(command_becomes_a_task_of_its_executor),
		TEST(command_has_a_task_for_each_argument),
		TEST(command_runs_as_the_policy_says),
		TEST(command_is_refused_when_there_is_no_executor),
		TEST(command_is_refused_when_there_is_no_policy),
		TEST(command_is_refused_when_the_policy_says_no),
		TEST(command_is_refused_when_it_is_invalid),
		TEST(command_is_refused_when_an_input_is_for_two_tasks),
		TEST(command_is_refused_when_it_is_too_large),
		TEST(command_is_refused_when_unknown_fields_are_too_large),
		TEST(command_is_malformed_when_there_is_a_function_too),
		TEST(command_is_refused_when_the_daemon_drains),
		TEST(command_is_charged_until_its_last_task_is_back),
		TEST(command_is_refused_when_it_would_pass_max_bytes),
		TEST(command_is_answered_when_the_executor_has_no_memory),
		TEST(commands_executor_is_told_of_limits_and_policy),
		TEST(signal_goes_to_those_that_run),
		TEST(signal_finds_one_by_its_id),
		TEST(signal_of_nothing_is_no_error),
		TEST(signal_is_an_error_when_there_is_no_such_number),
		TEST(signal_is_of_ones_own_commands_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
