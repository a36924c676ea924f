// SPDX-License-Identifier: MIT
/*
 * test_session_end.c - how a session ends, and what it says of what is left.
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

#define VALUE WYN__V1__STREAM__STREAM_VALUE

static void session_ends_when_version_is_another(void **state)
{
	Wyn__V1__Welcome welcome = WYN__V1__WELCOME__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	struct wyn_client_event event;

	(void)state;
	assert_int_equal(0, wyn_session_init(&rig_session, NULL));
	welcome.version = 2;
	frame.body_case = WYN__V1__FRAME__BODY_WELCOME;
	frame.welcome = &welcome;
	script_frame(&rig_script, &frame, 0);
	rig_feed(SIZE_MAX);
	assert_int_equal(-EPROTO, rig_pull(&event));
	assert_string_equal("VERSION_MISMATCH", rig_session.error.reason);
}

static void session_ends_when_it_is_no_wynd(void **state)
{
	struct wyn_client_event event;

	(void)state;
	assert_int_equal(0, wyn_session_init(&rig_session, NULL));
	memcpy(rig_script.data, "HTTP/1.1 400 Bad Request\r\n", 26);
	rig_script.len = 26;
	rig_feed(SIZE_MAX);
	assert_int_equal(-EPROTO, rig_pull(&event));
	assert_string_equal("PROTOCOL_VIOLATION", rig_session.error.reason);
	assert_int_equal(WYN_STATUS_UNAVAILABLE, rig_session.error.status);
}

static void assert_violation_of(const char *what)
{
	struct wyn_client_event event;
	int result;

	rig_feed(SIZE_MAX);
	while ((result = rig_pull(&event)) == 0) {
		assert_int_equal(WYN_STATUS_UNAVAILABLE, event.code);
		wyn_session_done(&rig_session, &event);
	}
	assert_int_equal(-EPROTO, result);
	assert_non_null(strstr(rig_session.error.message, what));
}

static void session_ends_when_value_has_a_gap(void **state)
{
	uint64_t first;

	(void)state;
	first = rig_submit_some(1, RIG_NO_OPTIONS);
	script_chunk(&rig_script, first, VALUE, 0, BYTES_OF("ab"), false);
	script_chunk(&rig_script, first, VALUE, 3, BYTES_OF("cd"), true);
	assert_violation_of("a gap in a value");
}

static void session_ends_when_value_lacks_its_end(void **state)
{
	uint64_t first;

	(void)state;
	first = rig_submit_some(1, RIG_NO_OPTIONS);
	script_chunk(&rig_script, first, VALUE, 0, BYTES_OF("ab"), false);
	script_value(&rig_script, first, "");
	assert_violation_of("a value without its end");
}

static void session_ends_when_value_is_over_its_limit(void **state)
{
	struct wyn_script_limits limits = rig_defaults;
	uint64_t first;

	(void)state;
	wyn_session_fini(&rig_session);
	limits.max_value = 3;
	rig_open_with(&limits, NULL);
	first = rig_submit_some(1, RIG_NO_OPTIONS);
	script_chunk(&rig_script, first, VALUE, 0, BYTES_OF("abcd"), true);
	assert_violation_of("a value over its limit");
}

static void session_ends_when_values_are_too_much_together(void **state)
{
	struct wyn_client_event event;
	uint64_t first;

	(void)state;
	rig_session.table.parts_bytes_max = 5;
	first = rig_submit_some(2, RIG_NO_OPTIONS);
	script_chunk(&rig_script, first, VALUE, 0, BYTES_OF("abc"), false);
	script_chunk(&rig_script, first + 1, VALUE, 0, BYTES_OF("def"), false);
	rig_feed(SIZE_MAX);
	while (rig_pull(&event) == 0) {
		wyn_session_done(&rig_session, &event);
	}
	assert_string_equal("VALUE_PARTS", rig_session.error.reason);
	assert_int_equal(0, rig_session.table.parts_bytes);
}

static void session_takes_more_values_when_some_were_taken(void **state)
{
	struct wyn_client_event event;
	uint64_t first;
	unsigned i;

	(void)state;
	rig_session.table.parts_bytes_max = 5;
	first = rig_submit_some(2, RIG_NO_OPTIONS);
	for (i = 0; i < 2; i++) {
		script_chunk(&rig_script, first + i, VALUE, 0,
			BYTES_OF("abcde"), true);
		script_value(&rig_script, first + i, "");
		rig_feed(SIZE_MAX);
		assert_int_equal(0, rig_pull(&event));
		rig_assert_value(&event, first + i, "abcde");
		wyn_session_done(&rig_session, &event);
	}
}

static void session_ends_when_result_comes_twice(void **state)
{
	struct wyn_client_event event;
	uint64_t first;

	(void)state;
	first = rig_submit_some(1, RIG_NO_OPTIONS);
	script_value(&rig_script, first, "a");
	rig_feed(SIZE_MAX);
	assert_int_equal(0, rig_pull(&event));
	wyn_session_done(&rig_session, &event);
	script_value(&rig_script, first, "a");
	assert_violation_of("a result that nobody waits for");
}

static void session_ends_when_unknown_frame_is_not_optional(void **state)
{
	static const uint8_t unknown[] = {0, 0, 0, 0, 4, 0xa2, 0x06, 0x01, 'x'};

	(void)state;
	memcpy(rig_script.data, unknown, sizeof(unknown));
	rig_script.len = sizeof(unknown);
	assert_violation_of("UNKNOWN_BODY");
}

static void session_refuses_submits_when_server_goes_away(void **state)
{
	const struct wyn_bytes argument = {"a", 1};
	const struct wyn_client_options options = {0};
	struct wyn_client_event event;
	uint64_t first;
	size_t count;

	(void)state;
	script_go_away(&rig_script, 0);
	rig_feed(SIZE_MAX);
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(WYN_CLIENT_GO_AWAY, event.kind);
	assert_string_equal("DRAINING", event.reason);
	assert_int_equal(
		-ESHUTDOWN, wyn_session_submit(&rig_session, "echo", &argument,
				    1, &options, &first, &count));
	assert_int_equal(
		WYN_STATUS_FAILED_PRECONDITION, rig_session.error.status);
}

static void session_is_draining_when_all_is_answered_before_it(void **state)
{
	struct wyn_client_event event;
	uint64_t first;

	(void)state;
	first = rig_submit_some(1, RIG_NO_OPTIONS);
	script_go_away(&rig_script, first);
	script_value(&rig_script, first, "last");
	rig_feed(SIZE_MAX);
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(0, rig_pull(&event));
	wyn_session_done(&rig_session, &event);
	assert_int_equal(-EAGAIN, rig_pull(&event));
	wyn_session_eof(&rig_session);
	assert_int_equal(-ESHUTDOWN, rig_pull(&event));
	assert_string_equal("DRAINING", rig_session.error.reason);
	assert_int_equal(
		WYN_STATUS_FAILED_PRECONDITION, rig_session.error.status);
}

static void session_says_what_never_ran_when_server_went_away(void **state)
{
	struct wyn_client_event event;
	uint64_t first;

	(void)state;
	first = rig_submit_some(2, RIG_NO_OPTIONS);
	script_go_away(&rig_script, first);
	rig_feed(SIZE_MAX);
	assert_int_equal(0, rig_pull(&event)); /* the GoAway */
	wyn_session_eof(&rig_session);

	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(first, event.seq);
	assert_int_equal(WYN_STATUS_UNAVAILABLE, event.code);
	assert_int_equal(WYN_CLIENT_RAN_MAYBE, event.ran);
	wyn_session_done(&rig_session, &event);
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(first + 1, event.seq);
	assert_int_equal(WYN_STATUS_FAILED_PRECONDITION, event.code);
	assert_int_equal(WYN_CLIENT_RAN_NO, event.ran);
}

static void session_reports_all_as_unavailable_when_it_breaks(void **state)
{
	struct wyn_client_event event;
	unsigned seen = 0;
	uint64_t first;
	int result;

	(void)state;
	first = rig_submit_some(3, RIG_NO_OPTIONS);
	(void)rig_submit_some(2, (struct wyn_client_options){.quiet = true});
	script_value(&rig_script, first + 1, "in time");
	rig_feed(SIZE_MAX);
	assert_int_equal(0, rig_pull(&event));
	wyn_session_done(&rig_session, &event);
	assert_int_equal(-EAGAIN, rig_pull(&event));
	wyn_session_eof(&rig_session);

	while ((result = rig_pull(&event)) == 0 &&
		event.kind == WYN_CLIENT_RESULT) {
		assert_int_equal(WYN_STATUS_UNAVAILABLE, event.code);
		assert_int_equal(WYN_CLIENT_RAN_MAYBE, event.ran);
		seen |= 1u << (event.seq - first);
		wyn_session_done(&rig_session, &event);
	}
	assert_int_equal(5, seen); /* the first and the third */
	assert_int_equal(0, result);
	assert_int_equal(WYN_CLIENT_QUIET, event.kind);
	assert_int_equal(2, event.count);
	assert_int_equal(WYN_STATUS_UNAVAILABLE, event.code);
	assert_int_equal(-EPIPE, rig_pull(&event));
	assert_int_equal(WYN_STATUS_UNAVAILABLE, rig_session.error.status);
}

static void session_says_why_when_server_sends_an_error(void **state)
{
	struct wyn_client_event event;

	(void)state;
	script_error(&rig_script, "MALFORMED_FRAME", "a frame is broken");
	rig_feed(SIZE_MAX);
	assert_int_equal(-EPROTO, rig_pull(&event));
	assert_string_equal("MALFORMED_FRAME", rig_session.error.reason);
	assert_non_null(strstr(rig_session.error.message, "a frame is broken"));
}

static void session_ends_well_when_finished_and_answered(void **state)
{
	struct wyn_client_event event;
	struct wyn_message message;
	uint64_t first;

	(void)state;
	first = rig_submit_some(1, RIG_NO_OPTIONS);
	assert_int_equal(0, wyn_session_finish(&rig_session));
	rig_sent(false);
	assert_true(script_next(&rig_reader, &message));
	assert_int_equal(WYN_MESSAGE_FINISH, message.kind);
	script_value(&rig_script, first, "last");
	rig_feed(SIZE_MAX);
	assert_int_equal(0, rig_pull(&event));
	wyn_session_done(&rig_session, &event);
	assert_int_equal(-EAGAIN, rig_pull(&event));
	wyn_session_eof(&rig_session);
	assert_int_equal(-ENODATA, rig_pull(&event));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)
#define BARE(name) cmocka_unit_test_teardown(name, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BARE(session_ends_when_version_is_another),
		BARE(session_ends_when_it_is_no_wynd),
		TEST(session_ends_when_value_has_a_gap),
		TEST(session_ends_when_value_lacks_its_end),
		TEST(session_ends_when_value_is_over_its_limit),
		TEST(session_ends_when_values_are_too_much_together),
		TEST(session_takes_more_values_when_some_were_taken),
		TEST(session_ends_when_result_comes_twice),
		TEST(session_ends_when_unknown_frame_is_not_optional),
		TEST(session_refuses_submits_when_server_goes_away),
		TEST(session_is_draining_when_all_is_answered_before_it),
		TEST(session_says_what_never_ran_when_server_went_away),
		TEST(session_reports_all_as_unavailable_when_it_breaks),
		TEST(session_says_why_when_server_sends_an_error),
		TEST(session_ends_well_when_finished_and_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
