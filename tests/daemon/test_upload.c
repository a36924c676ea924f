// SPDX-License-Identifier: MIT
/*
 * test_upload.c - arguments that come in chunks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"

static int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.batch_max = 100;
	limits.argument_bytes_max = 1000;
	limits.credit_tasks = 20;
	limits.credit_bytes = 2000;
	limits.uploads_max = 3;
	rig = rig_create(&limits, 2);
	client = rig_open(rig);
	return 0;
}

static void error_expected(const char *reason)
{
	rig_settle(rig);
	assert_string_equal(client->error, reason);
	assert_int_equal(client->error_code, WYN_STATUS_INVALID_ARGUMENT);
	assert_null(client->conn);
}

/* Announces arguments of these sizes, from seq 1 on. */
static void announce(const uint64_t *sizes, size_t count)
{
	const struct rig_submit submit = {.first_seq = 1,
		.function = "echo",
		.count = count,
		.sizes = sizes};

	rig_submit(client, &submit);
	rig_settle(rig);
}

static void upload_runs_when_its_argument_is_whole(void **state)
{
	const uint64_t size = 5;

	(void)state;
	announce(&size, 1);
	rig_chunk(client, 1, 0, "he", false);
	rig_settle(rig);
	assert_int_equal(rig->started_total, 0);
	rig_chunk(client, 1, 2, "llo", true);
	rig_finish_all(rig);
	assert_string_equal((const char *)rig_task(client, 1)->value, "hello");
}

static void upload_runs_at_once_when_its_argument_is_empty(void **state)
{
	const uint64_t size = 0;

	(void)state;
	announce(&size, 1);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 1);
}

static void upload_takes_chunks_of_several_tasks_mixed(void **state)
{
	const uint64_t sizes[] = {4, 2, 6};

	(void)state;
	announce(sizes, 3);
	rig_chunk(client, 3, 0, "ccc", false);
	rig_chunk(client, 1, 0, "aa", false);
	rig_chunk(client, 2, 0, "bb", true);
	rig_chunk(client, 3, 3, "ccc", true);
	rig_chunk(client, 1, 2, "aa", true);
	rig_finish_all(rig);
	assert_string_equal((const char *)rig_task(client, 1)->value, "aaaa");
	assert_string_equal((const char *)rig_task(client, 2)->value, "bb");
	assert_string_equal((const char *)rig_task(client, 3)->value, "cccccc");
}

static void upload_takes_arguments_whose_length_needs_more_bytes(void **state)
{
	const uint64_t size = 300;
	char text[301];

	(void)state;
	memset(text, 'x', 300);
	text[300] = '\0';
	announce(&size, 1);
	rig_chunk(client, 1, 0, text, true);
	rig_finish_all(rig);
	assert_int_equal(rig_task(client, 1)->value_bytes, 300);
}

static void upload_fails_the_connection_when_there_is_a_gap(void **state)
{
	const uint64_t size = 5;

	(void)state;
	announce(&size, 1);
	rig_chunk(client, 1, 1, "e", false);
	error_expected("CHUNK_OUT_OF_ORDER");
}

static void upload_fails_the_connection_when_it_is_too_long(void **state)
{
	const uint64_t size = 5;

	(void)state;
	announce(&size, 1);
	rig_chunk(client, 1, 0, "hello!", true);
	error_expected("CHUNK_OUT_OF_ORDER");
}

static void upload_fails_the_connection_when_eof_is_early(void **state)
{
	const uint64_t size = 5;

	(void)state;
	announce(&size, 1);
	rig_chunk(client, 1, 0, "hell", true);
	error_expected("CHUNK_OUT_OF_ORDER");
}

static void upload_fails_the_connection_when_eof_is_missing(void **state)
{
	const uint64_t size = 5;

	(void)state;
	announce(&size, 1);
	rig_chunk(client, 1, 0, "hello", false);
	error_expected("CHUNK_OUT_OF_ORDER");
}

static void upload_fails_the_connection_when_its_task_is_none(void **state)
{
	const uint64_t size = 5;

	(void)state;
	announce(&size, 1);
	rig_chunk(client, 2, 0, "h", false);
	error_expected("UNEXPECTED_MESSAGE");
}

static void upload_fails_the_connection_when_it_is_no_argument(void **state)
{
	struct wyn_chunk chunk = {
		.seq = 1, .stream = WYN__V1__STREAM__STREAM_VALUE};
	const uint64_t size = 5;
	uint8_t head[WYN_CHUNK_HEAD_BYTES_MAX];

	(void)state;
	announce(&size, 1);
	rig_send(client, head, wyn_chunk_head_encode(&chunk, head));
	error_expected("UNEXPECTED_MESSAGE");
}

static void upload_drops_chunks_of_a_task_that_was_refused(void **state)
{
	const uint64_t sizes[] = {1001, 3};

	(void)state;
	announce(sizes, 2);
	rig_chunk(client, 1, 0, "x", false);
	rig_chunk(client, 2, 0, "yes", true);
	rig_finish_all(rig);
	assert_string_equal(rig_reason(client, 1), "ARGUMENT_TOO_LARGE");
	assert_string_equal((const char *)rig_task(client, 2)->value, "yes");
}

static void upload_is_refused_when_there_are_too_many(void **state)
{
	const uint64_t sizes[] = {1, 1, 1, 1};

	(void)state;
	announce(sizes, 4);
	assert_int_equal(client->rows, 1);
	assert_string_equal(rig_reason(client, 4), "UPLOADS_MAX");
}

static void upload_ends_when_the_client_closes_before_it_is_whole(void **state)
{
	const uint64_t sizes[] = {3, 3};

	(void)state;
	announce(sizes, 2);
	rig_chunk(client, 2, 0, "yes", true);
	rig_chunk(client, 1, 0, "n", false);
	rig_finish(client);
	rig_end(client);
	rig_finish_all(rig);
	assert_string_equal(rig_reason(client, 1), "CANCELLED_BY_CLIENT");
	assert_string_equal(rig_reason(client, 2), "");
	assert_null(client->conn);
}

static void upload_goes_on_after_finish(void **state)
{
	const uint64_t size = 3;

	(void)state;
	announce(&size, 1);
	rig_finish(client);
	rig_chunk(client, 1, 0, "yes", true);
	rig_finish_all(rig);
	assert_string_equal((const char *)rig_task(client, 1)->value, "yes");
	assert_null(client->conn);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(upload_runs_when_its_argument_is_whole),
		TEST(upload_runs_at_once_when_its_argument_is_empty),
		TEST(upload_takes_chunks_of_several_tasks_mixed),
		TEST(upload_takes_arguments_whose_length_needs_more_bytes),
		TEST(upload_fails_the_connection_when_there_is_a_gap),
		TEST(upload_fails_the_connection_when_it_is_too_long),
		TEST(upload_fails_the_connection_when_eof_is_early),
		TEST(upload_fails_the_connection_when_eof_is_missing),
		TEST(upload_fails_the_connection_when_its_task_is_none),
		TEST(upload_fails_the_connection_when_it_is_no_argument),
		TEST(upload_drops_chunks_of_a_task_that_was_refused),
		TEST(upload_is_refused_when_there_are_too_many),
		TEST(upload_ends_when_the_client_closes_before_it_is_whole),
		TEST(upload_goes_on_after_finish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
