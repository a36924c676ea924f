// SPDX-License-Identifier: MIT
/*
 * test_survey_command.c - list and explain of tasks that run a command.
 */
#include "daemon/engine/survey.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/rig_commands.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"
#include "tests/support/rig_survey.h"

#define QUEUED	WYN__V1__TASK_STATE__TASK_STATE_QUEUED
#define NEXT	WYN__V1__TASK_STATE__TASK_STATE_NEXT
#define RUNNING WYN__V1__TASK_STATE__TASK_STATE_RUNNING
#define OUTPUT	WYN__V1__TASK_STATE__TASK_STATE_OUTPUT

#define UNSENT_BYTES_MAX (16 * WYN_KIB)

static const struct wyn_submit_options streaming = {.stream = true};

/* Two commands at a time. */
static int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.commands_max = 2;
	limits.output_bytes_max = 64 * WYN_KIB;
	/* So that no credit is missing for what is held back here. */
	limits.stream_bytes_max = UNSENT_BYTES_MAX;
	rig = rig_create(&limits, 2);
	(void)rig_commands_attach(rig);
	client = rig_open_local(rig, 0);
	return 0;
}

static void send_line(const char *line, uint64_t seq, size_t count)
{
	struct rig_command command;
	const struct rig_submit submit = {.first_seq = seq,
		.command = &command.message,
		.count = count,
		.text = "xyz",
		.options = {.priority = WYN__V1__PRIORITY__PRIORITY_HIGH,
			.timeout_ms = 5000}};

	rig_command_init(&command, line);
	rig_submit(client, &submit);
	rig_settle(rig);
}

static void listed_expected(size_t at, uint64_t seq, int state)
{
	assert_int_equal(client->listed[at].seq, seq);
	assert_int_equal(client->listed[at].state, state);
	assert_string_equal(client->listed[at].command, "gzip -9 file");
	assert_string_equal(client->listed[at].function, "");
	assert_int_equal(client->listed[at].argument_bytes, 3);
	assert_int_equal(
		client->listed[at].priority, WYN__V1__PRIORITY__PRIORITY_HIGH);
}

static void survey_lists_commands_wherever_they_are(void **state)
{
	(void)state;
	send_line("gzip -9 file", 1, 4);
	rig_process_begin(rig_process(rig, 2));
	rig_advance(rig, 7);
	list_all(client);
	assert_int_equal(client->listed_count, 4);
	listed_expected(0, 1, NEXT);
	listed_expected(1, 2, RUNNING);
	listed_expected(2, 3, QUEUED);
	listed_expected(3, 4, QUEUED);
	assert_int_equal(client->listed[1].run_ns, 7 * WYN_NS_PER_MS);
	assert_int_equal(client->listed[0].run_ns, 0);
}

static void survey_lists_commands_beside_functions(void **state)
{
	Wyn__V1__ListCall some = WYN__V1__LIST_CALL__INIT;
	char name[] = "ask";

	(void)state;
	rig_task_send(client, 1, "ask", NULL);
	send_line("gzip -9 file", 2, 1);
	list_all(client);
	assert_int_equal(client->listed_count, 2);
	assert_string_equal(client->listed[0].command, "");
	listed_expected(1, 2, NEXT);
	some.function = name;
	list(client, &some);
	assert_int_equal(client->listed_count, 1);
	assert_int_equal(client->listed[0].seq, 1);
}

static void survey_lists_a_command_that_has_ended(void **state)
{
	struct wyn_process *process;

	(void)state;
	client = rig_open_local(rig, 1);
	rig_run_send(client, 1, 1, NULL, streaming);
	rig_settle(rig);
	process = rig_process(rig, 1);
	rig_process_say(process, "xyz");
	rig_process_exit(process, 0);
	rig_settle(rig);
	explain(client, 1);
	assert_int_equal(client->listed[0].state, OUTPUT);
	assert_string_equal(client->listed[0].command, "sh");
	assert_int_equal(client->why.why, WYN__V1__WHY__WHY_STREAM_CREDIT);
}

static void survey_cuts_a_long_line_to_text(void **state)
{
	char line[300];

	(void)state;
	memset(line, 0, sizeof(line));
	for (size_t i = 0; i < 297; i += 3) {
		memcpy(line + i, "\xe2\x82\xac", 3);
	}
	send_line(line, 1, 1);
	list_all(client);
	assert_int_equal(strlen(client->listed[0].command), 126);
	assert_memory_equal(client->listed[0].command, line, 126);
	assert_true(wyn_text_valid(wyn_slice_of(client->listed[0].command)));
}

static void survey_why_says_that_as_many_run_as_may(void **state)
{
	(void)state;
	send_line("gzip -9 file", 1, 5);
	explain(client, 5);
	assert_int_equal(client->why.why, WYN__V1__WHY__WHY_COMMANDS_MAX);
	assert_int_equal(client->why.ahead, 2);
	assert_int_equal(client->why.executor, 2);
	assert_non_null(strstr(client->why.text, "as many commands run"));
}

static void survey_why_counts_connections_with_commands(void **state)
{
	struct rig_client *second = rig_open_local(rig, 0);
	struct rig_client *third = rig_open_local(rig, 0);

	(void)state;
	send_line("gzip -9 file", 1, 3);
	rig_run_send(second, 1, 1, NULL,
		(struct wyn_submit_options){
			.priority = WYN__V1__PRIORITY__PRIORITY_HIGH});
	rig_batch_send(third, 1, 1000, "ask", NULL);
	rig_settle(rig);
	explain(client, 3);
	assert_int_equal(client->why.conns, 1);
}

static void survey_why_says_that_its_turn_comes(void **state)
{
	struct wyn_limits limits = *wyn_engine_limits(rig->engine);
	unsigned replies = client->replies;

	(void)state;
	/* It is asked in the very turn in which it would start. */
	client->corked = true;
	rig_run_send(client, 1, 1, NULL, streaming);
	rig_explain(client, rig->shared.id_base);
	client->corked = false;
	limits.commands_max = 1;
	wyn_engine_limit(rig->engine, &limits);
	rig_client_feed(client);
	rig_settle(rig);
	assert_int_equal(client->replies, replies + 1);
	assert_int_equal(client->why.why, WYN__V1__WHY__WHY_TURN);
}

static void survey_why_says_that_output_is_not_read(void **state)
{
	static char data[64 * WYN_KIB];
	struct rig_client *asker = rig_open_local(rig, 0);
	struct wyn_process *process;

	(void)state;
	client = rig_open_local(rig, 1);
	rig_run_send(client, 1, 9, NULL, streaming);
	rig_settle(rig);
	process = rig_process(rig, 1);
	explain_of(asker, 0, 1, client->conn->number);
	assert_int_equal(asker->why.why, WYN__V1__WHY__WHY_COMMAND);
	assert_non_null(strstr(asker->why.text, "is to start it"));
	rig_process_begin(process);
	explain_of(asker, 0, 1, client->conn->number);
	assert_int_equal(asker->why.why, WYN__V1__WHY__WHY_COMMAND);
	assert_string_equal(asker->why.text, "it runs");
	assert_int_equal(
		rig_process_write(process, RIG_OUTPUT, data, sizeof(data)),
		sizeof(data));
	rig_settle(rig);
	explain_of(asker, 0, 1, client->conn->number);
	assert_int_equal(asker->why.why, WYN__V1__WHY__WHY_STREAM_ROOM);
	/* And so the others of the connection do not start. */
	explain_of(asker, 0, 9, client->conn->number);
	assert_int_equal(asker->why.why, WYN__V1__WHY__WHY_OUTPUT_MAX);
}

static void survey_why_says_that_it_was_asked_to_end(void **state)
{
	(void)state;
	send_line("gzip -9 file", 1, 1);
	rig_process_begin(rig_process(rig, 1));
	rig_cancel(client, 1, 1);
	explain(client, 1);
	assert_int_equal(client->why.why, WYN__V1__WHY__WHY_COMMAND);
	assert_non_null(strstr(client->why.text, "asked to end"));
}

static void survey_why_counts_commands_for_one_that_runs(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 3, "ask", NULL);
	send_line("gzip -9 file", 4, 2);
	explain(client, 4);
	assert_int_equal(client->why.executor, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(survey_lists_commands_wherever_they_are),
		TEST(survey_lists_commands_beside_functions),
		TEST(survey_lists_a_command_that_has_ended),
		TEST(survey_cuts_a_long_line_to_text),
		TEST(survey_why_says_that_as_many_run_as_may),
		TEST(survey_why_counts_connections_with_commands),
		TEST(survey_why_says_that_its_turn_comes),
		TEST(survey_why_says_that_output_is_not_read),
		TEST(survey_why_says_that_it_was_asked_to_end),
		TEST(survey_why_counts_commands_for_one_that_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
