// SPDX-License-Identifier: MIT
/*
 * test_command.c - commands in a session: what is sent, and what comes back.
 *
 * No sockets: what is in the outbox is read back as the server would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "client/control.h"
#include "client/submit.h"
#include "tests/support/session_rig.h"

#define ARGV(...) ((char *const[]){__VA_ARGS__, NULL})

static const struct wyn_bytes nothing;

static int submit_with(const struct wyn_client_command *command,
	struct wyn_bytes input, struct wyn_client_options options,
	uint64_t *ret_seq)
{
	return wyn_session_submit_command(
		&rig_session, command, input, NULL, &options, ret_seq);
}

static void assert_bytes(const char *expected, ProtobufCBinaryData bytes)
{
	assert_int_equal(strlen(expected), bytes.len);
	assert_memory_equal(expected, bytes.data, bytes.len);
}

static void command_has_all_that_was_said_when_it_is_sent(void **state)
{
	const struct wyn_client_command command = {
		.argv = ARGV("ls", "-l", ""),
		.env = ARGV("A=1", "B=\xff"),
		.cwd = "/tmp",
		.run_as = "joe",
		.memory_bytes = 1u << 20,
		.processes = 5,
		.cpu_percent = 150,
		.input_stream = true,
		.merge_stderr = true,
	};
	const struct wyn_client_options options = {
		.stream = true, .timeout_ms = 1000};
	struct wyn_message message;
	const Wyn__V1__Command *sent;
	struct wyn_slice arg;
	uint64_t seq = 0;

	(void)state;
	assert_int_equal(0, submit_with(&command, (struct wyn_bytes){"in", 2},
				    options, &seq));
	rig_sent(false);
	assert_true(script_next(&rig_reader, &message));
	assert_int_equal(WYN_MESSAGE_SUBMIT, message.kind);
	assert_int_equal(seq, message.submit.first_seq);
	assert_int_equal(0, message.submit.function.len);
	assert_int_equal(1000, message.submit.options.timeout_ms);
	assert_true(message.submit.options.stream);
	assert_int_equal(1, message.submit.args.count);
	assert_true(wyn_args_next(&message.submit.args, &arg));
	assert_int_equal(2, arg.len);
	sent = message.submit.command;
	assert_non_null(sent);
	assert_int_equal(3, sent->n_argv);
	assert_bytes("ls", sent->argv[0]);
	assert_bytes("-l", sent->argv[1]);
	assert_bytes("", sent->argv[2]);
	assert_int_equal(2, sent->n_env);
	assert_bytes("B=\xff", sent->env[1]);
	assert_bytes("/tmp", sent->cwd);
	assert_string_equal("joe", sent->run_as);
	assert_true(sent->input_stream);
	assert_true(sent->merge_stderr);
	assert_int_equal(1u << 20, sent->limits->memory_bytes);
	assert_int_equal(5, sent->limits->processes);
	assert_int_equal(150, sent->limits->cpu_percent);
	assert_int_equal(2, rig_session.bytes_used);
}

static void command_asks_for_a_source_when_input_exceeds_frame(void **state)
{
	static uint8_t data[1u << 20];
	const struct wyn_client_command command = {.argv = ARGV("cat")};
	const struct wyn_client_source source = {.size = 5};
	struct wyn_client_options options = RIG_NO_OPTIONS;
	uint64_t seq = 0;

	(void)state;
	assert_int_equal(-EMSGSIZE,
		submit_with(&command, (struct wyn_bytes){data, sizeof(data)},
			options, &seq));
	assert_int_equal(0, wyn_session_submit_command(&rig_session, &command,
				    nothing, &source, &options, &seq));
	assert_true(wyn_table_find(&rig_session.table, seq)->uploading);
	wyn_uploads_drop(&rig_session.uploads, seq);
}

static void command_goes_with_the_hello_when_none_was_before_it(void **state)
{
	const struct wyn_client_command command = {
		.argv = ARGV("true"), .input_stream = true};
	struct wyn_client_event event;
	struct wyn_message message;
	uint64_t seq = 0;
	uint64_t other;
	size_t taken;

	(void)state;
	wyn_session_fini(&rig_session);
	assert_int_equal(0, wyn_session_init(&rig_session, NULL));
	assert_int_equal(-ENOTCONN,
		submit_with(&command, nothing, RIG_NO_OPTIONS, &seq));
	rig_session.announces = true;
	assert_int_equal(
		0, submit_with(&command, nothing, RIG_NO_OPTIONS, &seq));
	/* Of a second one nobody knows whether there is credit for it. */
	assert_int_equal(-EAGAIN,
		submit_with(&command, nothing, RIG_NO_OPTIONS, &other));
	assert_int_equal(-EAGAIN,
		wyn_session_input(&rig_session, seq,
			(struct wyn_bytes){"input", 5}, false, &taken));
	rig_sent(true);
	assert_true(script_next(&rig_reader, &message));
	assert_int_equal(WYN_MESSAGE_HELLO, message.kind);
	assert_true(script_next(&rig_reader, &message));
	assert_int_equal(WYN_MESSAGE_SUBMIT, message.kind);

	script_welcome(&rig_script, &rig_defaults);
	rig_feed(SIZE_MAX);
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(WYN_CLIENT_CONNECTED, event.kind);
	assert_int_equal(
		0, wyn_session_input(&rig_session, seq,
			   (struct wyn_bytes){"input", 5}, true, &taken));
	assert_int_equal(
		0, submit_with(&command, nothing, RIG_NO_OPTIONS, &other));
}

static void command_waits_for_the_welcome_when_it_is_large(void **state)
{
	char large[WYN_FRAME_BYTES_LEAST];
	const struct wyn_client_command command = {.argv = ARGV("echo", large)};
	uint64_t seq;

	(void)state;
	memset(large, 'x', sizeof(large));
	large[sizeof(large) - 1] = '\0';
	wyn_session_fini(&rig_session);
	assert_int_equal(0, wyn_session_init(&rig_session, NULL));
	rig_session.announces = true;
	assert_int_equal(
		-EAGAIN, submit_with(&command, nothing, RIG_NO_OPTIONS, &seq));
}

static void command_breaks_the_session_when_welcome_has_no_credit(void **state)
{
	const struct wyn_client_command command = {.argv = ARGV("true")};
	struct wyn_script_limits limits = rig_defaults;
	struct wyn_client_event event;
	uint64_t seq = 0;

	(void)state;
	wyn_session_fini(&rig_session);
	assert_int_equal(0, wyn_session_init(&rig_session, NULL));
	rig_session.announces = true;
	assert_int_equal(
		0, submit_with(&command, nothing, RIG_NO_OPTIONS, &seq));
	limits.tasks = 0;
	script_welcome(&rig_script, &limits);
	rig_feed(SIZE_MAX);
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(WYN_CLIENT_RESULT, event.kind);
	assert_int_equal(WYN_STATUS_UNAVAILABLE, event.code);
	wyn_session_done(&rig_session, &event);
	assert_int_equal(-EPROTO, rig_pull(&event));
}

static void output_comes_with_its_offset_when_it_is_streamed(void **state)
{
	struct wyn_client_event event;
	uint64_t seq = rig_submit_stream();

	(void)state;
	script_chunk(&rig_script, seq, WYN__V1__STREAM__STREAM_OUTPUT, 0,
		wyn_slice_of("abc"), false);
	script_chunk(&rig_script, seq, WYN__V1__STREAM__STREAM_ERROR, 0,
		wyn_slice_of("de"), false);
	script_chunk(&rig_script, seq, WYN__V1__STREAM__STREAM_OUTPUT, 3,
		wyn_slice_of("f"), false);
	script_chunk(&rig_script, seq, WYN__V1__STREAM__STREAM_OUTPUT, 4,
		wyn_slice_of(""), true);
	rig_feed(7);
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(WYN_CLIENT_STDOUT, event.kind);
	assert_int_equal(seq, event.seq);
	assert_int_equal(0, event.offset);
	assert_memory_equal("abc", event.value.data, 3);
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(WYN_CLIENT_STDERR, event.kind);
	assert_int_equal(0, wyn_session_keep(&rig_session, &event));
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(3, event.offset);
	assert_int_equal(-EAGAIN, rig_pull(&event));
	assert_true(wyn_session_take(&rig_session, &event));
	assert_int_equal(WYN_CLIENT_STDERR, event.kind);
	assert_memory_equal("de", event.value.data, 2);
}

static void output_is_granted_anew_when_it_was_taken(void **state)
{
	static const uint8_t data[1u << 19];
	struct wyn_client_event event;
	struct wyn_message message;
	uint64_t seq = rig_submit_stream();
	uint64_t before = rig_session.stream_granted;

	(void)state;
	for (int i = 0; i < 2; i++) {
		script_chunk(&rig_script, seq, WYN__V1__STREAM__STREAM_OUTPUT,
			(uint64_t)i * sizeof(data),
			(struct wyn_slice){data, sizeof(data)}, false);
		rig_feed(SIZE_MAX);
		assert_int_equal(0, rig_pull(&event));
		assert_int_equal(0, wyn_session_keep(&rig_session, &event));
	}
	rig_sent(false);
	assert_false(script_next(&rig_reader, &message));
	assert_true(wyn_session_take(&rig_session, &event));
	assert_true(wyn_session_take(&rig_session, &event));
	rig_sent(false);
	assert_true(script_next(&rig_reader, &message));
	assert_int_equal(WYN_MESSAGE_CREDIT, message.kind);
	assert_int_equal(
		before + 2 * sizeof(data), message.frame->credit->stream_bytes);
}

static void script_end(uint64_t seq)
{
	const struct wyn_usage usage = {
		.wall_ns = 1,
		.user_ns = 2,
		.system_ns = 3,
		.peak_rss_bytes = 4,
		.output_bytes = 5,
		.error_bytes = 6,
	};
	const struct wyn_detail detail = {
		.reason = wyn_slice_of("SIGNALLED"),
		.ran = WYN__V1__RAN__RAN_YES,
		.exit_status = 7,
		.signal = 9,
		.usage = &usage,
	};
	const struct wyn_result row = {
		.seq = seq, .code = WYN_STATUS_ABORTED, .detail = &detail};

	script_rows(&rig_script, &row, 1, 0);
}

static void assert_end(const struct wyn_client_event *event)
{
	assert_int_equal(WYN_CLIENT_RESULT, event->kind);
	assert_int_equal(WYN_STATUS_ABORTED, event->code);
	assert_string_equal("SIGNALLED", event->reason);
	assert_int_equal(7, event->exit_status);
	assert_int_equal(9, event->signal);
	assert_non_null(event->usage);
	assert_int_equal(1, event->usage->wall_ns);
	assert_int_equal(2, event->usage->user_ns);
	assert_int_equal(3, event->usage->system_ns);
	assert_int_equal(4, event->usage->peak_rss_bytes);
	assert_int_equal(5, event->usage->stdout_bytes);
	assert_int_equal(6, event->usage->stderr_bytes);
}

static void end_says_how_when_it_is_taken_at_once_or_kept(void **state)
{
	const struct wyn_client_command command = {.argv = ARGV("sleep")};
	struct wyn_client_event event;
	struct wyn_client_options quiet = {.quiet = true};
	uint64_t kept = rig_submit_stream();
	uint64_t taken = rig_submit_stream();
	uint64_t seq;

	(void)state;
	script_end(kept);
	script_end(taken);
	rig_feed(SIZE_MAX);
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(0, wyn_session_keep(&rig_session, &event));
	assert_int_equal(0, rig_pull(&event));
	assert_end(&event);
	wyn_session_done(&rig_session, &event);

	/* What is told of the next one is no more of the first. */
	assert_int_equal(0, submit_with(&command, nothing, quiet, &seq));
	script_end(seq);
	rig_feed(SIZE_MAX);
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(0, wyn_session_keep(&rig_session, &event));
	rig_session.usage = (struct wyn_client_usage){0};
	assert_true(wyn_session_take(&rig_session, &event));
	assert_end(&event);
	assert_int_equal(seq, event.seq);
	assert_true(wyn_session_take(&rig_session, &event));
	assert_end(&event);
	assert_int_equal(kept, event.seq);
}

static void result_has_no_usage_when_none_was_sent(void **state)
{
	struct wyn_client_event event;
	uint64_t seq = rig_submit_stream();

	(void)state;
	script_end(rig_submit_stream());
	script_value(&rig_script, seq, "");
	rig_feed(SIZE_MAX);
	assert_int_equal(0, rig_pull(&event));
	wyn_session_done(&rig_session, &event);
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(WYN_STATUS_OK, event.code);
	assert_int_equal(0, event.signal);
	assert_null(event.usage);
}

static void signal_names_tasks_and_number_when_it_is_sent(void **state)
{
	struct wyn_message message;

	(void)state;
	assert_int_equal(0, wyn_session_signal(&rig_session, 3, 2, SIGTERM));
	assert_int_equal(-EINVAL, wyn_session_signal(&rig_session, 3, 2, 0));
	assert_int_equal(-EINVAL, wyn_session_signal(&rig_session, 3, 2, 65));
	rig_sent(false);
	assert_true(script_next(&rig_reader, &message));
	assert_int_equal(WYN_MESSAGE_SIGNAL, message.kind);
	assert_int_equal(SIGTERM, message.frame->signal->number);
	assert_int_equal(1, message.frame->signal->n_seqs);
	assert_int_equal(3, message.frame->signal->seqs[0]->first);
	assert_int_equal(2, message.frame->signal->seqs[0]->count);
	assert_false(script_next(&rig_reader, &message));
}

static void cancel_has_its_grace_when_one_is_given(void **state)
{
	struct wyn_message message;

	(void)state;
	assert_int_equal(0, wyn_session_cancel(&rig_session, 3, 1, 2500));
	rig_sent(false);
	assert_true(script_next(&rig_reader, &message));
	assert_int_equal(WYN_MESSAGE_CANCEL, message.kind);
	assert_int_equal(2500, message.frame->cancel->grace_ms);
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(command_has_all_that_was_said_when_it_is_sent),
		CASE(command_asks_for_a_source_when_input_exceeds_frame),
		CASE(command_goes_with_the_hello_when_none_was_before_it),
		CASE(command_waits_for_the_welcome_when_it_is_large),
		CASE(command_breaks_the_session_when_welcome_has_no_credit),
		CASE(output_comes_with_its_offset_when_it_is_streamed),
		CASE(output_is_granted_anew_when_it_was_taken),
		CASE(end_says_how_when_it_is_taken_at_once_or_kept),
		CASE(result_has_no_usage_when_none_was_sent),
		CASE(signal_names_tasks_and_number_when_it_is_sent),
		CASE(cancel_has_its_grace_when_one_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
