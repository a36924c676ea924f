// SPDX-License-Identifier: MIT
/*
 * test_conn.c - what a connection makes of bytes and messages, phase by phase:
 * the table of docs/wire.md, section 4, and the ways to break the protocol.
 */
#include "daemon/engine/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/rig_messages.h"

static struct rig *rig;

static int setup(void **state)
{
	(void)state;
	rig = rig_create(NULL, 2);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_destroy(rig);
	return 0;
}

/* A client in that phase; in FINISHED one task keeps it there. */
static struct rig_client *client_in(enum wyn_conn_phase phase)
{
	struct rig_client *client;

	if (phase == WYN_CONN_HELLO) {
		client = rig_connect(rig);
		rig_preface(client);
		return client;
	}
	client = rig_open(rig);
	rig_task_send(client, 1, "noop", NULL);
	if (phase == WYN_CONN_FINISHED) {
		rig_finish(client);
	}
	rig_settle(rig);
	return client;
}

static void error_expected(const struct rig_client *client, const char *reason,
	enum wyn_status code)
{
	assert_string_equal(client->error, reason);
	assert_int_equal(client->error_code, code);
	assert_null(client->conn);
	assert_false(client->aborted);
}

static const char *const taken = "";

/* What a kind gets in HELLO, OPEN and FINISHED. */
static const struct {
	enum wyn_message_kind kind;
	const char *reasons[3];
} table[] = {
	{WYN_MESSAGE_HELLO, {taken, "HELLO_REPEATED", "HELLO_REPEATED"}},
	{WYN_MESSAGE_SUBMIT, {"HELLO_EXPECTED", taken, "FINISHED"}},
	{WYN_MESSAGE_CALL, {"HELLO_EXPECTED", taken, "FINISHED"}},
	{WYN_MESSAGE_FINISH, {"HELLO_EXPECTED", taken, "FINISHED"}},
	{WYN_MESSAGE_CHUNK, {"HELLO_EXPECTED", taken, taken}},
	{WYN_MESSAGE_CANCEL, {"HELLO_EXPECTED", taken, taken}},
	{WYN_MESSAGE_CREDIT, {"HELLO_EXPECTED", taken, taken}},
	{WYN_MESSAGE_PING, {"HELLO_EXPECTED", taken, taken}},
	{WYN_MESSAGE_PONG, {"HELLO_EXPECTED", taken, taken}},
	{WYN_MESSAGE_RESULTS,
		{"HELLO_EXPECTED", "UNEXPECTED_MESSAGE", "FINISHED"}},
	{WYN_MESSAGE_ACCEPTED,
		{"HELLO_EXPECTED", "UNEXPECTED_MESSAGE", "FINISHED"}},
	{WYN_MESSAGE_REPLY,
		{"HELLO_EXPECTED", "UNEXPECTED_MESSAGE", "FINISHED"}},
	{WYN_MESSAGE_WELCOME,
		{"HELLO_EXPECTED", "UNEXPECTED_MESSAGE", "FINISHED"}},
	{WYN_MESSAGE_GO_AWAY,
		{"HELLO_EXPECTED", "UNEXPECTED_MESSAGE", "FINISHED"}},
	{WYN_MESSAGE_ERROR,
		{"HELLO_EXPECTED", "UNEXPECTED_MESSAGE", "FINISHED"}},
};

static void phase_walk(enum wyn_conn_phase phase)
{
	for (size_t i = 0; i < WYN_COUNT_OF(table); i++) {
		const char *reason = table[i].reasons[phase - WYN_CONN_HELLO];
		struct rig_client *client = client_in(phase);

		rig_kind(client, table[i].kind);
		rig_settle(rig);
		assert_string_equal(client->error, reason);
		assert_true((client->conn == NULL) == (reason != taken));
		rig_client_break(client);
		rig_finish_all(rig);
	}
}

static void conn_keeps_to_the_table_when_hello_is_awaited(void **state)
{
	(void)state;
	phase_walk(WYN_CONN_HELLO);
}

static void conn_keeps_to_the_table_when_open(void **state)
{
	(void)state;
	phase_walk(WYN_CONN_OPEN);
}

static void conn_keeps_to_the_table_when_finished(void **state)
{
	(void)state;
	phase_walk(WYN_CONN_FINISHED);
}

static void conn_fails_when_the_preface_is_wrong(void **state)
{
	struct rig_client *client = rig_connect(rig);

	(void)state;
	rig_send(client, "GET", 3);
	rig_settle(rig);
	error_expected(client, "BAD_PREFACE", WYN_STATUS_INVALID_ARGUMENT);
}

static void conn_fails_when_the_last_byte_of_the_preface_is_wrong(void **state)
{
	struct rig_client *client = rig_connect(rig);

	(void)state;
	rig_send(client, "WYND/1\r", 7);
	rig_settle(rig);
	assert_non_null(client->conn);
	rig_send(client, "\r", 1);
	rig_settle(rig);
	error_expected(client, "BAD_PREFACE", WYN_STATUS_INVALID_ARGUMENT);
}

static void conn_opens_when_bytes_come_one_at_a_time(void **state)
{
	struct rig_client *client = rig_connect(rig);

	(void)state;
	client->feed_max = 1;
	rig_preface(client);
	rig_hello(client, 0);
	rig_task_send(client, 1, "echo", "hello");
	rig_finish_all(rig);
	assert_int_equal(client->welcomes, 1);
	assert_string_equal((const char *)rig_task(client, 1)->value, "hello");
}

static void conn_opens_when_everything_comes_at_once(void **state)
{
	struct rig_client *client = rig_connect(rig);

	(void)state;
	client->corked = true;
	rig_preface(client);
	rig_hello(client, 0);
	rig_task_send(client, 1, "echo", "hello");
	rig_finish(client);
	client->corked = false;
	rig_client_feed(client);
	rig_finish_all(rig);
	assert_int_equal(client->rows, 1);
	assert_null(client->conn);
}

static void conn_welcomes_with_functions_and_credit(void **state)
{
	struct rig_client *client = rig_open(rig);

	(void)state;
	assert_int_equal(client->functions, 11);
	assert_int_equal(client->credit_tasks, rig->shared.limits.credit_tasks);
	assert_int_equal(client->credit_bytes, rig->shared.limits.credit_bytes);
}

static void hello_versions(
	struct rig_client *client, uint32_t min, uint32_t max)
{
	Wyn__V1__Hello hello = WYN__V1__HELLO__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	hello.version_min = min;
	hello.version_max = max;
	frame.body_case = WYN__V1__FRAME__BODY_HELLO;
	frame.hello = &hello;
	rig_preface(client);
	rig_frame(client, &frame);
	rig_settle(rig);
}

static void conn_welcomes_when_its_version_is_in_the_range(void **state)
{
	struct rig_client *client = rig_connect(rig);

	(void)state;
	hello_versions(client, 0, 9);
	assert_int_equal(client->welcomes, 1);
}

static void conn_fails_when_the_client_is_too_new(void **state)
{
	struct rig_client *client = rig_connect(rig);

	(void)state;
	hello_versions(client, 2, 9);
	error_expected(client, "VERSION_UNSUPPORTED", WYN_STATUS_UNIMPLEMENTED);
}

static void conn_fails_when_the_client_is_too_old(void **state)
{
	struct rig_client *client = rig_connect(rig);

	(void)state;
	hello_versions(client, 0, 0);
	error_expected(client, "VERSION_UNSUPPORTED", WYN_STATUS_UNIMPLEMENTED);
}

/* A header with that many bytes to follow, none of which come. */
static void header_send(struct rig_client *client, uint8_t flags, size_t bytes)
{
	const uint8_t header[] = {flags, (uint8_t)(bytes >> 24),
		(uint8_t)(bytes >> 16), (uint8_t)(bytes >> 8), (uint8_t)bytes};

	rig_send(client, header, sizeof(header));
	rig_settle(rig);
}

static void conn_fails_when_hello_is_too_large(void **state)
{
	struct rig_client *client = client_in(WYN_CONN_HELLO);

	(void)state;
	header_send(client, 0, 4097);
	error_expected(
		client, "HELLO_TOO_LARGE", WYN_STATUS_RESOURCE_EXHAUSTED);
}

static void conn_waits_when_hello_is_as_large_as_it_may_be(void **state)
{
	struct rig_client *client = client_in(WYN_CONN_HELLO);

	(void)state;
	header_send(client, 0, 4096);
	assert_non_null(client->conn);
}

static void conn_fails_when_a_frame_is_too_large(void **state)
{
	struct rig_client *client = client_in(WYN_CONN_OPEN);

	(void)state;
	header_send(client, 0, WYN_MIB + 1);
	error_expected(
		client, "FRAME_TOO_LARGE", WYN_STATUS_RESOURCE_EXHAUSTED);
}

static void conn_fails_when_flags_are_unknown(void **state)
{
	struct rig_client *client = client_in(WYN_CONN_OPEN);

	(void)state;
	header_send(client, 1, UINT32_MAX);
	error_expected(client, "BAD_FLAGS", WYN_STATUS_INVALID_ARGUMENT);
}

static void conn_fails_when_a_frame_is_garbage(void **state)
{
	struct rig_client *client = client_in(WYN_CONN_OPEN);

	(void)state;
	rig_send(client, "\0\0\0\0\3\xff\xff\xff", 8);
	rig_settle(rig);
	error_expected(client, "MALFORMED_FRAME", WYN_STATUS_INVALID_ARGUMENT);
}

static void conn_fails_when_a_body_is_unknown(void **state)
{
	struct rig_client *client = client_in(WYN_CONN_OPEN);

	(void)state;
	rig_send(client, "\0\0\0\0\3\xa2\x06\0", 8);
	rig_settle(rig);
	error_expected(client, "UNKNOWN_BODY", WYN_STATUS_INVALID_ARGUMENT);
}

static void conn_skips_an_unknown_body_when_it_is_optional(void **state)
{
	static const enum wyn_conn_phase phases[] = {
		WYN_CONN_HELLO, WYN_CONN_OPEN, WYN_CONN_FINISHED};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(phases); i++) {
		struct rig_client *client = client_in(phases[i]);

		rig_send(client, "\2\0\0\0\3\xa2\x06\0", 8);
		rig_settle(rig);
		assert_string_equal(client->error, "");
		assert_non_null(client->conn);
	}
}

static void conn_fails_when_a_frame_is_too_complex(void **state)
{
	struct rig_client *client = client_in(WYN_CONN_OPEN);
	static uint64_t ids[WYN_MIB - 64];
	Wyn__V1__Cancel cancel = WYN__V1__CANCEL__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	(void)state;
	cancel.n_ids = WYN_COUNT_OF(ids);
	cancel.ids = ids;
	frame.body_case = WYN__V1__FRAME__BODY_CANCEL;
	frame.cancel = &cancel;
	rig_frame(client, &frame);
	rig_settle(rig);
	error_expected(
		client, "FRAME_TOO_COMPLEX", WYN_STATUS_INVALID_ARGUMENT);
}

static void conn_ignores_what_comes_after_an_error(void **state)
{
	struct rig_client *client = rig_open(rig);

	(void)state;
	client->read_max = 0;
	rig_kind(client, WYN_MESSAGE_ERROR);
	rig_task_send(client, 1, "noop", NULL);
	rig_ping(client, 1);
	rig_settle(rig);
	assert_int_equal(rig->started_total, 0);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	assert_int_equal(client->pongs, 0);
	assert_string_equal(client->error, "UNEXPECTED_MESSAGE");
}

static void conn_answers_a_ping_with_its_token(void **state)
{
	struct rig_client *client = rig_open(rig);

	(void)state;
	rig_ping(client, UINT64_MAX);
	rig_settle(rig);
	assert_int_equal(client->pongs, 1);
	assert_true(client->last_pong == UINT64_MAX);
}

static void conn_fails_when_hello_does_not_come_in_time(void **state)
{
	struct rig_client *client = rig_connect(rig);

	(void)state;
	rig_advance(rig, 4999);
	assert_non_null(client->conn);
	rig_advance(rig, 1);
	error_expected(client, "HELLO_TIMEOUT", WYN_STATUS_DEADLINE_EXCEEDED);
}

static void conn_fails_when_hello_is_dripped_too_slowly(void **state)
{
	struct rig_client *client = client_in(WYN_CONN_HELLO);

	(void)state;
	rig_advance(rig, 4000);
	rig_send(client, "\0", 1);
	rig_advance(rig, 1000);
	error_expected(client, "HELLO_TIMEOUT", WYN_STATUS_DEADLINE_EXCEEDED);
}

static void conn_closes_when_finished_with_nothing_to_answer(void **state)
{
	struct rig_client *client = rig_open(rig);

	(void)state;
	rig_finish(client);
	rig_settle(rig);
	assert_null(client->conn);
	assert_false(client->aborted);
}

static void conn_closes_when_the_last_task_is_answered(void **state)
{
	struct rig_client *client = client_in(WYN_CONN_FINISHED);

	(void)state;
	assert_non_null(client->conn);
	rig_finish_all(rig);
	assert_null(client->conn);
	assert_int_equal(client->rows, 1);
}

static void conn_closes_when_the_stream_ends_without_finish(void **state)
{
	struct rig_client *client = client_in(WYN_CONN_OPEN);

	(void)state;
	rig_end(client);
	rig_settle(rig);
	assert_null(client->conn);
	assert_int_equal(client->rows, 0);
}

static void conn_closes_when_the_stream_ends_before_hello(void **state)
{
	struct rig_client *client = client_in(WYN_CONN_HELLO);

	(void)state;
	rig_end(client);
	rig_settle(rig);
	assert_null(client->conn);
	assert_int_equal(client->errors, 0);
}

static void conn_answers_when_the_stream_ends_after_finish(void **state)
{
	struct rig_client *client = client_in(WYN_CONN_FINISHED);

	(void)state;
	rig_end(client);
	rig_settle(rig);
	assert_non_null(client->conn);
	rig_finish_all(rig);
	assert_int_equal(client->rows, 1);
	assert_null(client->conn);
}

static void conn_fails_when_the_stream_credit_goes_down(void **state)
{
	struct rig_client *client = rig_open_stream(rig, 1000);

	(void)state;
	rig_credit(client, 1000);
	rig_credit(client, 2000);
	rig_settle(rig);
	assert_non_null(client->conn);
	rig_credit(client, 1999);
	rig_settle(rig);
	error_expected(client, "CREDIT_INVALID", WYN_STATUS_INVALID_ARGUMENT);
}

static void conn_takes_a_credit_that_grants_nothing(void **state)
{
	struct rig_client *client = rig_open_stream(rig, 1000);

	(void)state;
	rig_credit(client, 0);
	rig_settle(rig);
	assert_non_null(client->conn);
}

static void conn_is_told_when_there_are_too_many(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;
	struct rig *small;
	struct rig_client *third;

	(void)state;
	limits.connections_max = 2;
	small = rig_create(&limits, 1);
	(void)rig_open(small);
	(void)rig_open(small);
	third = rig_connect(small);
	rig_settle(small);
	error_expected(third, "CONNECTIONS_MAX", WYN_STATUS_RESOURCE_EXHAUSTED);
	rig_destroy(small);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(conn_keeps_to_the_table_when_hello_is_awaited),
		TEST(conn_keeps_to_the_table_when_open),
		TEST(conn_keeps_to_the_table_when_finished),
		TEST(conn_fails_when_the_preface_is_wrong),
		TEST(conn_fails_when_the_last_byte_of_the_preface_is_wrong),
		TEST(conn_opens_when_bytes_come_one_at_a_time),
		TEST(conn_opens_when_everything_comes_at_once),
		TEST(conn_welcomes_with_functions_and_credit),
		TEST(conn_welcomes_when_its_version_is_in_the_range),
		TEST(conn_fails_when_the_client_is_too_new),
		TEST(conn_fails_when_the_client_is_too_old),
		TEST(conn_fails_when_hello_is_too_large),
		TEST(conn_waits_when_hello_is_as_large_as_it_may_be),
		TEST(conn_fails_when_a_frame_is_too_large),
		TEST(conn_fails_when_flags_are_unknown),
		TEST(conn_fails_when_a_frame_is_garbage),
		TEST(conn_fails_when_a_body_is_unknown),
		TEST(conn_skips_an_unknown_body_when_it_is_optional),
		TEST(conn_fails_when_a_frame_is_too_complex),
		TEST(conn_ignores_what_comes_after_an_error),
		TEST(conn_answers_a_ping_with_its_token),
		TEST(conn_fails_when_hello_does_not_come_in_time),
		TEST(conn_fails_when_hello_is_dripped_too_slowly),
		TEST(conn_closes_when_finished_with_nothing_to_answer),
		TEST(conn_closes_when_the_last_task_is_answered),
		TEST(conn_closes_when_the_stream_ends_without_finish),
		TEST(conn_closes_when_the_stream_ends_before_hello),
		TEST(conn_answers_when_the_stream_ends_after_finish),
		TEST(conn_fails_when_the_stream_credit_goes_down),
		TEST(conn_takes_a_credit_that_grants_nothing),
		TEST(conn_is_told_when_there_are_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
