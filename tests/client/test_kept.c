// SPDX-License-Identifier: MIT
/*
 * test_kept.c - outcomes, logs and ends of tasks that are kept, from a server
 * whose answers are written beforehand; and what is asked of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <wyn/client.h>

#include "client/submit.h"
#include "tests/support/script_client.h"
#include "tests/support/session_rig.h"

static void outcome_put(Wyn__V1__OutcomeReply *outcome)
{
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;

	reply.what_case = WYN__V1__REPLY__WHAT_OUTCOME;
	reply.outcome = outcome;
	reply_put(&reply);
}

static int outcome_of(uint64_t id, struct wyn_client_outcome *ret_outcome)
{
	return wyn_client_outcome(
		client, WYN_CLIENT_FOREVER, id, 0, 0, ret_outcome);
}

static void kept_gives_how_a_task_ended(void **state)
{
	char reason[] = "EXIT_STATUS";
	char label[] = "nightly";
	char value[] = "val";
	struct wyn_client_outcome told;
	Wyn__V1__Task task = WYN__V1__TASK__INIT;
	Wyn__V1__Usage usage = WYN__V1__USAGE__INIT;
	Wyn__V1__OutcomeReply outcome = WYN__V1__OUTCOME_REPLY__INIT;

	(void)state;
	task.id = 7;
	task.seq = 3;
	task.state = WYN__V1__TASK_STATE__TASK_STATE_ENDED;
	task.label = label;
	usage.wall_ns = 12;
	usage.error_bytes = 5;
	outcome.task = &task;
	outcome.ended = true;
	outcome.code = WYN_STATUS_UNKNOWN;
	outcome.reason = reason;
	outcome.ran = WYN__V1__RAN__RAN_YES;
	outcome.exit_status = 9;
	outcome.usage = &usage;
	outcome.value.data = (uint8_t *)value;
	outcome.value.len = 3;
	outcome.value_bytes = 8;
	outcome.output_bytes = 6;
	outcome.ended_ns = 77;
	outcome_put(&outcome);
	connect_now();
	assert_int_equal(0, outcome_of(7, &told));
	assert_true(told.ended);
	assert_int_equal(WYN_CLIENT_STATE_ENDED, told.task.state);
	assert_string_equal("nightly", told.task.label);
	assert_int_equal(WYN_CLIENT_RESULT, told.result.kind);
	assert_int_equal(7, told.result.id);
	assert_int_equal(3, told.result.seq);
	assert_int_equal(WYN_STATUS_UNKNOWN, told.result.code);
	assert_string_equal("EXIT_STATUS", told.result.reason);
	assert_string_equal("", told.result.message);
	assert_int_equal(WYN_CLIENT_RAN_YES, told.result.ran);
	assert_int_equal(9, told.result.exit_status);
	assert_int_equal(12, told.result.usage->wall_ns);
	assert_int_equal(5, told.result.usage->stderr_bytes);
	assert_int_equal(3, told.result.value.size);
	assert_memory_equal("val", told.result.value.data, 3);
	assert_int_equal(8, told.value_bytes);
	assert_int_equal(6, told.output_bytes);
	assert_int_equal(77, told.ended_ns);
}

static void kept_gives_no_usage_when_a_task_goes_on(void **state)
{
	struct wyn_client_outcome told;
	Wyn__V1__Task task = WYN__V1__TASK__INIT;
	Wyn__V1__OutcomeReply outcome = WYN__V1__OUTCOME_REPLY__INIT;

	(void)state;
	outcome.task = &task;
	outcome_put(&outcome);
	outcome.task = NULL;
	outcome_put(&outcome);
	connect_now();
	assert_int_equal(0, outcome_of(7, &told));
	assert_false(told.ended);
	assert_null(told.result.usage);
	/* Whose it is has to be said. */
	assert_int_equal(-EPROTO, outcome_of(7, &told));
}

/* Two pieces and where to go on. */
static void logs_put(uint64_t first, uint64_t second, uint64_t next, bool ended)
{
	static char text[] = "abcdef";
	Wyn__V1__Piece pieces[] = {WYN__V1__PIECE__INIT, WYN__V1__PIECE__INIT};
	Wyn__V1__Piece *pointers[] = {&pieces[0], &pieces[1]};
	Wyn__V1__LogsReply logs = WYN__V1__LOGS_REPLY__INIT;
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;

	pieces[0].stream = WYN__V1__STREAM__STREAM_OUTPUT;
	pieces[0].at = first;
	pieces[0].data.data = (uint8_t *)text;
	pieces[0].data.len = 2;
	pieces[1].stream = WYN__V1__STREAM__STREAM_ERROR;
	pieces[1].at = second;
	pieces[1].data.data = (uint8_t *)text + 2;
	pieces[1].data.len = 3;
	logs.pieces = pointers;
	logs.n_pieces = 2;
	logs.next = next;
	logs.ended = ended;
	reply.what_case = WYN__V1__REPLY__WHAT_LOGS;
	reply.logs = &logs;
	reply_put(&reply);
}

static int each_piece(void *context, const struct wyn_client_piece *piece)
{
	size_t used = strlen(seen);

	(void)snprintf(seen + used, sizeof(seen) - used, "%u@%llu:%.*s ",
		(unsigned)piece->kind, (unsigned long long)piece->at,
		(int)piece->bytes.size, (const char *)piece->bytes.data);
	return context != NULL ? *(int *)context : 0;
}

static int logs_of(uint64_t from, void *context, struct wyn_client_logs *logs)
{
	return wyn_client_logs(client, WYN_CLIENT_FOREVER, 7, from, 0,
		each_piece, context, logs);
}

static void kept_gives_what_a_task_wrote(void **state)
{
	struct wyn_client_logs logs = {0};
	int enough = 5;

	(void)state;
	logs_put(4, 6, 9, false);
	logs_put(9, 20, 30, true);
	logs_put(30, 32, 35, true);
	connect_now();
	assert_int_equal(0, logs_of(4, NULL, &logs));
	assert_string_equal("9@4:ab 10@6:cde ", seen);
	assert_int_equal(9, logs.next);
	assert_false(logs.ended);
	assert_int_equal(0, logs_of(9, NULL, &logs));
	assert_int_equal(30, logs.next);
	assert_true(logs.ended);
	/* The caller has enough. */
	assert_int_equal(5, logs_of(30, &enough, &logs));
	assert_int_equal(30, logs.next);
}

static void kept_ends_the_connection_when_output_goes_back(void **state)
{
	struct wyn_client_logs logs;

	(void)state;
	logs_put(4, 5, 9, false);
	connect_now();
	assert_int_equal(-EPROTO, logs_of(4, NULL, &logs));
	assert_string_equal("", seen);
}

static void kept_ends_the_connection_when_it_would_never_end(void **state)
{
	struct wyn_client_logs logs;

	(void)state;
	logs_put(4, 6, 8, false);
	connect_now();
	assert_int_equal(-EPROTO, logs_of(4, NULL, &logs));
}

static void kept_ends_a_task_of_any_connection(void **state)
{
	Wyn__V1__EndReply end = WYN__V1__END_REPLY__INIT;
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;
	char reason[] = "TASK_UNKNOWN";

	(void)state;
	reply.what_case = WYN__V1__REPLY__WHAT_END;
	reply.end = &end;
	reply_put(&reply);
	reply.what_case = WYN__V1__REPLY__WHAT__NOT_SET;
	reply.code = WYN_STATUS_NOT_FOUND;
	reply.reason = reason;
	reply_put(&reply);
	connect_now();
	assert_int_equal(
		0, wyn_client_end(client, WYN_CLIENT_FOREVER, 7, 15, 0));
	assert_int_equal(-EREMOTEIO,
		wyn_client_end(client, WYN_CLIENT_FOREVER, 7, 0, 100));
	assert_string_equal("TASK_UNKNOWN", wyn_client_error(client)->reason);
	assert_int_equal(
		-EINVAL, wyn_client_end(client, WYN_CLIENT_FOREVER, 7, 65, 0));
}

static void kept_asks_nothing_when_there_is_no_connection(void **state)
{
	struct wyn_client_outcome told;
	struct wyn_client_logs logs;

	(void)state;
	assert_int_equal(-ENOTCONN, outcome_of(7, &told));
	assert_int_equal(-ENOTCONN, logs_of(0, NULL, &logs));
	assert_int_equal(
		-ENOTCONN, wyn_client_end(client, WYN_CLIENT_FOREVER, 7, 0, 0));
	close(fds[0]);
}

/* The options of the Submit that was sent. */
static struct wyn_submit_options options_sent(struct wyn_message *message)
{
	assert_true(script_next(&rig_reader, message));
	assert_int_equal(WYN_MESSAGE_SUBMIT, message->kind);
	return message->submit.options;
}

static void submit_says_what_is_kept_and_its_label(void **state)
{
	char label[] = "0123456789012345678901234567890123456789"
		       "0123456789012345678901X";
	const struct wyn_client_options options = {
		.keep = true, .accept = true, .label = label};
	char *const argv[] = {"true", NULL};
	const struct wyn_client_command command = {.argv = argv};
	struct wyn_message message;
	struct wyn_submit_options sent;
	uint64_t seq;

	(void)state;
	(void)rig_submit_some(1, options);
	sent = options_sent(&message);
	assert_int_equal(
		WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP, sent.on_disconnect);
	assert_int_equal(WYN_CLIENT_LABEL_BYTES_MAX, sent.label.len);
	assert_memory_equal(label, sent.label.data, sent.label.len);
	assert_int_equal(
		0, wyn_session_submit_command(&rig_session, &command,
			   (struct wyn_bytes){NULL, 0}, NULL, &options, &seq));
	rig_sent(false);
	sent = options_sent(&message);
	assert_int_equal(
		WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP, sent.on_disconnect);
	assert_int_equal(WYN_CLIENT_LABEL_BYTES_MAX, sent.label.len);
	(void)rig_submit_some(1, RIG_NO_OPTIONS);
	sent = options_sent(&message);
	assert_int_equal(WYN__V1__ON_DISCONNECT__ON_DISCONNECT_CANCEL,
		sent.on_disconnect);
	assert_int_equal(0, sent.label.len);
}

static void submit_refuses_a_label_that_is_none(void **state)
{
	char large[WYN_CLIENT_LABEL_BYTES_MAX + 2];
	const char *const labels[] = {large, "\xff"};
	char *const argv[] = {"true", NULL};
	const struct wyn_client_command command = {.argv = argv};
	const struct wyn_bytes nothing = {NULL, 0};
	uint64_t seq;
	size_t count;

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	for (size_t i = 0; i < 2; i++) {
		const struct wyn_client_options options = {.label = labels[i]};

		assert_int_equal(
			-EINVAL, wyn_session_submit(&rig_session, "echo",
					 &nothing, 1, &options, &seq, &count));
		assert_string_equal("OPTION_INVALID", rig_session.error.reason);
		assert_int_equal(-EINVAL,
			wyn_session_submit_command(&rig_session, &command,
				nothing, NULL, &options, &seq));
		assert_string_equal("OPTION_INVALID", rig_session.error.reason);
	}
	assert_int_equal(0, wyn_table_pending(&rig_session.table));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define RIG_TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(kept_gives_how_a_task_ended),
		TEST(kept_gives_no_usage_when_a_task_goes_on),
		TEST(kept_gives_what_a_task_wrote),
		TEST(kept_ends_the_connection_when_output_goes_back),
		TEST(kept_ends_the_connection_when_it_would_never_end),
		TEST(kept_ends_a_task_of_any_connection),
		TEST(kept_asks_nothing_when_there_is_no_connection),
		RIG_TEST(submit_says_what_is_kept_and_its_label),
		RIG_TEST(submit_refuses_a_label_that_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
