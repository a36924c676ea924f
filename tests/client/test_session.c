// SPDX-License-Identifier: MIT
/*
 * test_session.c - what a session makes of a server's bytes.
 *
 * No sockets: a script is fed in pieces, events are pulled out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "client/control.h"
#include "client/session.h"
#include "client/submit.h"
#include "tests/support/bytes.h"
#include "tests/support/session_rig.h"

#define VALUE	WYN__V1__STREAM__STREAM_VALUE
#define PARTIAL WYN__V1__STREAM__STREAM_PARTIAL

static void session_begins_with_preface_and_hello_when_it_is_made(void **state)
{
	struct wyn_message message;

	(void)state;
	assert_int_equal(0, wyn_session_init(&rig_session, NULL));
	rig_sent(true);
	assert_true(script_next(&rig_reader, &message));
	assert_int_equal(WYN_MESSAGE_HELLO, message.kind);
	assert_int_equal(1, message.frame->hello->version_max);
	assert_int_equal(WYN_CLIENT_STREAM_BYTES_DEFAULT,
		message.frame->hello->stream_bytes);
}

static void session_gives_results_with_tags_when_out_of_order(void **state)
{
	struct wyn_client_event event;
	uint64_t first;

	(void)state;
	first = rig_submit_some(2, (struct wyn_client_options){.tag = 70});
	script_value(&rig_script, first + 1, "second");
	script_failure(&rig_script, first, WYN_STATUS_NOT_FOUND,
		"FUNCTION_UNKNOWN", "no such function");
	rig_feed(SIZE_MAX);

	assert_int_equal(0, rig_pull(&event));
	rig_assert_value(&event, first + 1, "second");
	assert_int_equal(71, event.tag);
	wyn_session_done(&rig_session, &event);
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(WYN_STATUS_NOT_FOUND, event.code);
	assert_int_equal(WYN_CLIENT_RAN_NO, event.ran);
	assert_int_equal(50, event.retry_after_ms);
	assert_string_equal("FUNCTION_UNKNOWN", event.reason);
	assert_string_equal("no such function", event.message);
	wyn_session_done(&rig_session, &event);
	assert_int_equal(0, rig_session.table.in_use);
}

/* The same exchange, cut at every byte. */
static void session_gives_the_same_when_split_at_every_byte(void **state)
{
	static uint8_t whole[4096];
	struct wyn_client_event event;
	size_t size;
	size_t cut;

	(void)state;
	rig_script.len = 0;
	script_welcome(&rig_script, &rig_defaults);
	script_chunk(&rig_script, 1, PARTIAL, 0, BYTES_OF("part"), false);
	script_chunk(&rig_script, 2, VALUE, 0, BYTES_OF("long "), false);
	script_value(&rig_script, 1, "one");
	script_chunk(&rig_script, 2, VALUE, 5, BYTES_OF("value"), true);
	script_value(&rig_script, 2, "");
	script_credit(&rig_script, 2000, 1u << 30);
	size = rig_script.len;
	memcpy(whole, rig_script.data, size);
	for (cut = 1; cut < size; cut++) {
		uint64_t order[3] = {0};
		size_t events = 0;
		size_t half;

		assert_int_equal(0, wyn_session_init(&rig_session, NULL));
		rig_session.state = WYN_SESSION_OPEN;
		rig_session.tasks_granted = 10;
		rig_session.bytes_granted = 1000;
		rig_session.bytes_window = 1000;
		rig_session.server.batch_max = 10;
		rig_session.server.argument_bytes_max = 1000;
		(void)rig_submit_some(2, RIG_NO_OPTIONS);
		rig_session.state = WYN_SESSION_NEW;
		for (half = 0; half < 2; half++) {
			rig_script.len = half == 0 ? cut : size - cut;
			memcpy(rig_script.data, whole + (half == 0 ? 0 : cut),
				rig_script.len);
			rig_feed(SIZE_MAX);
			while (rig_pull(&event) == 0) {
				order[events++] = event.seq;
				wyn_session_done(&rig_session, &event);
			}
		}
		assert_int_equal(3, events);
		assert_int_equal(1, order[0]);
		assert_int_equal(1, order[1]);
		assert_int_equal(2, order[2]);
		assert_int_equal(2000, rig_session.tasks_granted);
		assert_int_equal(WYN_SESSION_OPEN, rig_session.state);
		wyn_session_fini(&rig_session);
	}
	assert_int_equal(0, wyn_session_init(&rig_session, NULL));
}

static void session_joins_value_when_it_comes_in_chunks(void **state)
{
	struct wyn_client_event event;
	uint64_t first;

	(void)state;
	first = rig_submit_some(2, RIG_NO_OPTIONS);
	script_chunk(&rig_script, first, VALUE, 0, BYTES_OF("ab"), false);
	script_chunk(&rig_script, first + 1, VALUE, 0, BYTES_OF("12"), false);
	script_chunk(&rig_script, first, VALUE, 2, BYTES_OF("cd"), true);
	script_chunk(&rig_script, first + 1, VALUE, 2, BYTES_OF("34"), true);
	script_value(&rig_script, first, "");
	script_value(&rig_script, first + 1, "");
	rig_feed(7);

	assert_int_equal(0, rig_pull(&event));
	rig_assert_value(&event, first, "abcd");
	wyn_session_done(&rig_session, &event);
	rig_assert_value(&event, first, "abcd");
	assert_int_equal(0, rig_pull(&event));
	rig_assert_value(&event, first + 1, "1234");
	wyn_session_done(&rig_session, &event);
}

static void session_skips_frame_when_unknown_and_optional(void **state)
{
	static const uint8_t unknown[] = {
		WYN_FRAME_FLAG_OPTIONAL, 0, 0, 0, 4, 0xa2, 0x06, 0x01, 'x'};
	struct wyn_client_event event;

	(void)state;
	memcpy(rig_script.data, unknown, sizeof(unknown));
	rig_script.len = sizeof(unknown);
	rig_feed(SIZE_MAX);
	assert_int_equal(-EAGAIN, rig_pull(&event));
	assert_int_equal(WYN_SESSION_OPEN, rig_session.state);
}

static void session_answers_when_it_is_pinged(void **state)
{
	struct wyn_client_event event;
	struct wyn_message message;

	(void)state;
	script_ping(&rig_script, 42);
	rig_feed(SIZE_MAX);
	assert_int_equal(-EAGAIN, rig_pull(&event));
	rig_sent(false);
	assert_true(script_next(&rig_reader, &message));
	assert_int_equal(WYN_MESSAGE_PONG, message.kind);
	assert_int_equal(42, message.frame->pong->token);
}

static void session_counts_when_tasks_are_quiet(void **state)
{
	struct wyn_client_event event;
	uint64_t first;

	(void)state;
	first = rig_submit_some(3, (struct wyn_client_options){.quiet = true});
	script_failure(&rig_script, first + 1, WYN_STATUS_INTERNAL, "X", "y");
	script_rows(&rig_script, NULL, 0, 2);
	rig_feed(SIZE_MAX);

	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(WYN_CLIENT_RESULT, event.kind);
	assert_int_equal(first + 1, event.seq);
	wyn_session_done(&rig_session, &event);
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(WYN_CLIENT_QUIET, event.kind);
	assert_int_equal(2, event.count);
	assert_int_equal(0, rig_session.quiet);
}

static void session_tells_progress_when_the_server_reports_it(void **state)
{
	static const uint8_t report[16] = {[6] = 1, [7] = 2, [15] = 7};
	struct wyn_client_event event;
	uint64_t first;

	(void)state;
	first = rig_submit_some(
		1, (struct wyn_client_options){.stream = true, .tag = 5});
	script_chunk(&rig_script, first, WYN__V1__STREAM__STREAM_PROGRESS, 0,
		(struct wyn_slice){report, sizeof(report)}, false);
	rig_feed(SIZE_MAX);
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(WYN_CLIENT_PROGRESS, event.kind);
	assert_int_equal(first, event.seq);
	assert_int_equal(5, event.tag);
	assert_int_equal(258, event.count);
	assert_int_equal(7, event.total);
	assert_int_equal(0, event.value.size);
}

static void session_ends_when_progress_is_not_two_numbers(void **state)
{
	struct wyn_client_event event;
	uint64_t first;

	(void)state;
	first = rig_submit_some(1, (struct wyn_client_options){.stream = true});
	script_chunk(&rig_script, first, WYN__V1__STREAM__STREAM_PROGRESS, 0,
		BYTES_OF("much"), false);
	rig_feed(SIZE_MAX);
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(WYN_CLIENT_RESULT, event.kind);
	assert_string_equal("PROTOCOL_VIOLATION", event.reason);
}

static void session_grants_again_when_partials_are_taken(void **state)
{
	static uint8_t data[900u << 10];
	struct wyn_client_event event;
	struct wyn_message message;
	uint64_t first;

	(void)state;
	first = rig_submit_some(1, (struct wyn_client_options){.stream = true});
	for (size_t i = 0; i < 3; i++) {
		script_chunk(&rig_script, first, PARTIAL, i * sizeof(data),
			(struct wyn_slice){data, sizeof(data)}, false);
	}
	rig_feed(SIZE_MAX);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(0, rig_pull(&event));
		assert_int_equal(WYN_CLIENT_PARTIAL, event.kind);
		assert_int_equal(0, wyn_session_keep(&rig_session, &event));
	}
	/* What is kept is not granted again. */
	rig_sent(false);
	assert_false(script_next(&rig_reader, &message));
	assert_true(wyn_session_keeps_too_much(&rig_session));

	while (wyn_session_take(&rig_session, &event)) {
		assert_int_equal(sizeof(data), event.value.size);
	}
	/* Nor what the caller holds, be it more than there ever was. */
	rig_session.stream_held = UINT64_MAX;
	rig_sent(false);
	assert_false(script_next(&rig_reader, &message));
	rig_session.stream_held = 0;
	rig_sent(false);
	assert_true(script_next(&rig_reader, &message));
	assert_int_equal(WYN_MESSAGE_CREDIT, message.kind);
	assert_int_equal(WYN_CLIENT_STREAM_BYTES_DEFAULT + 3 * sizeof(data),
		message.frame->credit->stream_bytes);
}

static void session_keeps_results_when_asked_to(void **state)
{
	static char large[500];
	struct wyn_client_event event;
	uint64_t first;

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	first = rig_submit_some(3, RIG_NO_OPTIONS);
	script_value(&rig_script, first + 2, "small");
	script_value(&rig_script, first, large);
	script_failure(
		&rig_script, first + 1, WYN_STATUS_INTERNAL, "WHY", "text");
	rig_feed(SIZE_MAX);
	while (rig_pull(&event) == 0) {
		assert_int_equal(0, wyn_session_keep(&rig_session, &event));
	}
	assert_true(wyn_session_take(&rig_session, &event));
	rig_assert_value(&event, first + 2, "small");
	assert_true(wyn_session_take(&rig_session, &event));
	rig_assert_value(&event, first, large);
	assert_true(wyn_session_take(&rig_session, &event));
	assert_string_equal("WHY", event.reason);
	assert_string_equal("text", event.message);
	assert_false(wyn_session_take(&rig_session, &event));
	assert_int_equal(0, rig_session.table.in_use);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
#define BARE(name) cmocka_unit_test_teardown(name, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BARE(session_begins_with_preface_and_hello_when_it_is_made),
		TEST(session_gives_results_with_tags_when_out_of_order),
		BARE(session_gives_the_same_when_split_at_every_byte),
		TEST(session_joins_value_when_it_comes_in_chunks),
		TEST(session_skips_frame_when_unknown_and_optional),
		TEST(session_answers_when_it_is_pinged),
		TEST(session_counts_when_tasks_are_quiet),
		TEST(session_tells_progress_when_the_server_reports_it),
		TEST(session_ends_when_progress_is_not_two_numbers),
		TEST(session_grants_again_when_partials_are_taken),
		TEST(session_keeps_results_when_asked_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
