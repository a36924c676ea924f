// SPDX-License-Identifier: MIT
/*
 * test_conn_life.c - how long a connection may keep others waiting for it, once
 * it has said Finish or the daemon drains.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/engine/conn.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/rig_functions.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"

static int setup(void **state)
{
	(void)state;
	rig = rig_create(NULL, 2);
	client = rig_open(rig);
	return 0;
}

/* Tasks of 1,000 bytes, all of them encoded and none of them read. */
static void settle_unread(void)
{
	client->read_max = 0;
	rig_batch_send(client, 1, 100, "big", "1000");
	rig_finish(client);
	rig_finish_all(rig);
	assert_int_equal(client->conn->phase, WYN_CONN_CLOSING);
}

/* Reads so much, and then nothing any more. */
static void read_some(size_t bytes)
{
	client->read_max = bytes;
	rig_client_flush(client);
	client->read_max = 0;
}

static void settled_keeps_its_results_when_they_are_read_late(void **state)
{
	(void)state;
	settle_unread();
	rig_advance(rig, 80000);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	assert_int_equal(client->rows_ok, 100);
	assert_null(client->conn);
	assert_false(client->aborted);
}

static void settled_keeps_its_results_when_they_are_read_slowly(void **state)
{
	(void)state;
	settle_unread();
	while (client->conn != NULL) {
		rig_advance(rig, 80000);
		read_some(5000);
	}
	assert_int_equal(client->rows_ok, 100);
	assert_false(client->aborted);
}

static void settled_is_given_up_when_nothing_is_read(void **state)
{
	(void)state;
	settle_unread();
	rig_advance(rig, 80000);
	read_some(1);
	for (unsigned i = 0; i < 3; i++) {
		assert_non_null(client->conn);
		rig_advance(rig, 30000);
	}
	assert_null(client->conn);
	assert_true(client->aborted);
	assert_int_equal(rig->engine->stats.connections_failed_approx, 1);
}

static void settled_is_given_up_when_it_only_sends(void **state)
{
	(void)state;
	settle_unread();
	for (unsigned i = 0; i < 3; i++) {
		assert_non_null(client->conn);
		rig_ping(client, 1);
		rig_advance(rig, 30000);
	}
	assert_null(client->conn);
}

static void settled_by_a_drain_keeps_what_was_not_read(void **state)
{
	(void)state;
	client->read_max = 0;
	rig_batch_send(client, 1, 100, "big", "1000");
	rig_drain(rig);
	rig_finish_all(rig);
	rig_advance(rig, 29000);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	assert_int_equal(client->rows_ok, 100);
	assert_null(client->conn);
	assert_false(client->aborted);
}

/* More than is encoded at once, so that some of it is still a task. */
static void finish_unread(void)
{
	client->read_max = 0;
	rig_batch_send(client, 1, 1000, "big", "1000");
	rig_finish(client);
	rig_finish_all(rig);
	assert_int_equal(client->conn->phase, WYN_CONN_FINISHED);
}

static void finished_is_given_up_when_nothing_is_read(void **state)
{
	(void)state;
	finish_unread();
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(client->conn->phase, WYN_CONN_FINISHED);
		rig_advance(rig, 30000);
	}
	assert_int_equal(client->conn->phase, WYN_CONN_CLOSING);
	assert_int_equal(rig->shared.tasks_held, 0);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	assert_string_equal(client->error, "KEEPALIVE_TIMEOUT");
	assert_int_equal(client->pings, 0);
}

static void finished_goes_on_when_it_reads_slowly(void **state)
{
	(void)state;
	finish_unread();
	for (unsigned i = 0; i < 20; i++) {
		rig_advance(rig, 80000);
		read_some(1000);
	}
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	rig_settle(rig);
	assert_int_equal(client->rows_ok, 1000);
}

static void finished_goes_on_when_it_is_heard(void **state)
{
	(void)state;
	finish_unread();
	for (unsigned i = 0; i < 20; i++) {
		rig_ping(client, 1);
		rig_advance(rig, 80000);
	}
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	rig_settle(rig);
	assert_int_equal(client->rows_ok, 1000);
}

static void finished_waits_for_ever_when_its_task_runs(void **state)
{
	(void)state;
	rig_task_send(client, 1, "noop", NULL);
	rig_finish(client);
	rig_settle(rig);
	rig_advance(rig, 300000);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 1);
	assert_int_equal(client->pings, 0);
}

/* That a peer which half-closed is gone only its transport can see. */
static void finished_has_its_transport_look_when_it_is_silent(void **state)
{
	struct wyn_conn *conn = client->conn;

	(void)state;
	rig_task_send(client, 1, "noop", NULL);
	rig_finish(client);
	rig_end(client);
	rig_settle(rig);
	for (unsigned i = 0; i < 10; i++) {
		rig->now_ns += 30 * RIG_SECOND_NS;
		wyn_engine_turn(rig->engine, rig->now_ns);
		assert_ptr_equal(wyn_engine_dirty(rig->engine), conn);
	}
}

/* The socket has been full for long, but there was nothing more for it. */
static void finished_gets_its_time_when_a_result_comes_late(void **state)
{
	(void)state;
	client->read_max = 0;
	rig_task_send(client, 1, "noop", NULL);
	rig_task_send(client, 2, "noop", NULL);
	rig_finish(client);
	rig_settle(rig);
	rig_advance(rig, 300000);
	rig_run(rig, 1);
	rig_settle(rig);
	rig_advance(rig, 59000);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 2);
}

/* Credit that will never come holds no value for ever. */
static void finished_is_given_up_when_it_grants_nothing(void **state)
{
	struct rig_client *other = rig_open_stream(rig, 1);
	const struct rig_submit submit = {.first_seq = 1,
		.function = "emit",
		.count = 1,
		.text = "3",
		.options = {.stream = true}};

	(void)state;
	rig_submit(other, &submit);
	rig_finish(other);
	rig_end(other);
	rig_finish_all(rig);
	assert_int_equal(other->conn->phase, WYN_CONN_FINISHED);
	for (unsigned i = 0; i < 3; i++) {
		assert_non_null(other->conn);
		rig_advance(rig, 30000);
	}
	assert_string_equal(other->error, "KEEPALIVE_TIMEOUT");
	assert_null(other->conn);
}

static void announce(size_t count)
{
	static const uint64_t sizes[2] = {5, 1000000};
	const struct rig_submit submit = {.first_seq = 1,
		.function = "echo",
		.count = count,
		.sizes = sizes};

	rig_submit(client, &submit);
	rig_settle(rig);
}

static void upload_ends_when_only_other_things_come(void **state)
{
	(void)state;
	announce(2);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(client->rows, 0);
		rig_ping(client, i);
		rig_advance(rig, 30000);
	}
	assert_int_equal(client->rows, 2);
	assert_string_equal(rig_task(client, 2)->reason, "UPLOAD_STALLED");
	assert_int_equal(
		rig_task(client, 2)->code, WYN_STATUS_DEADLINE_EXCEEDED);
	assert_int_equal(rig->shared.bytes_held, 0);
	assert_int_equal(
		rig->engine->stats.refused_approx[WYN_REFUSAL_UPLOAD_STALLED],
		2);
	assert_non_null(client->conn);
	rig_chunk(client, 1, 0, "late", false);
	rig_settle(rig);
	assert_non_null(client->conn);
}

static void upload_ends_when_finished_and_silent(void **state)
{
	(void)state;
	announce(2);
	rig_finish(client);
	rig_advance(rig, 89000);
	assert_non_null(client->conn);
	rig_advance(rig, 30000);
	assert_string_equal(rig_task(client, 1)->reason, "UPLOAD_STALLED");
	assert_null(client->conn);
	assert_false(client->aborted);
}

static void upload_goes_on_when_a_chunk_comes_now_and_then(void **state)
{
	(void)state;
	announce(2);
	for (unsigned i = 0; i < 5; i++) {
		rig_chunk(client, 1, i, "x", i == 4);
		rig_advance(rig, 29000);
		rig_ping(client, i);
		rig_advance(rig, 29000);
		rig_ping(client, i);
		rig_advance(rig, 29000);
	}
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 1);
	assert_int_equal(client->rows, 1);
}

/* Its Chunks wait where we do not read them. */
static void upload_goes_on_when_it_is_not_read(void **state)
{
	(void)state;
	announce(1);
	client->read_max = 0;
	for (uint64_t i = 0; !client->conn->paused; i++) {
		rig_ping(client, i);
		rig_settle(rig);
	}
	for (unsigned i = 0; i < 10; i++) {
		read_some(100);
		rig_advance(rig, 60000);
	}
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	rig_chunk(client, 1, 0, "hello", true);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(settled_keeps_its_results_when_they_are_read_late),
		TEST(settled_keeps_its_results_when_they_are_read_slowly),
		TEST(settled_is_given_up_when_nothing_is_read),
		TEST(settled_is_given_up_when_it_only_sends),
		TEST(settled_by_a_drain_keeps_what_was_not_read),
		TEST(finished_is_given_up_when_nothing_is_read),
		TEST(finished_goes_on_when_it_reads_slowly),
		TEST(finished_goes_on_when_it_is_heard),
		TEST(finished_waits_for_ever_when_its_task_runs),
		TEST(finished_has_its_transport_look_when_it_is_silent),
		TEST(finished_gets_its_time_when_a_result_comes_late),
		TEST(finished_is_given_up_when_it_grants_nothing),
		TEST(upload_ends_when_only_other_things_come),
		TEST(upload_ends_when_finished_and_silent),
		TEST(upload_goes_on_when_a_chunk_comes_now_and_then),
		TEST(upload_goes_on_when_it_is_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
