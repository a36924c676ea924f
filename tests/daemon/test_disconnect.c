// SPDX-License-Identifier: MIT
/*
 * test_disconnect.c - clients that vanish, whatever they had open. That
 * nothing of them is left is checked by the rig's end.
 */
#include <errno.h>
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
	limits.executor_tasks_max = 4;
	limits.connections_max = 3;
	rig = rig_create(&limits, 2);
	client = rig_open(rig);
	return 0;
}

static void stream_send(const char *function, const char *text)
{
	const struct rig_submit submit = {.first_seq = 1,
		.function = function,
		.count = 3,
		.text = text,
		.options = {.stream = true}};

	rig_submit(client, &submit);
	rig_settle(rig);
}

static bool is_cancelled(size_t at)
{
	return atomic_load_explicit(
		&rig_task_at(rig, at)->cancelled, memory_order_relaxed);
}

static void gone_never_runs_what_waits(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 1000, "ask", NULL);
	rig_settle(rig);
	rig_client_break(client);
	rig_finish_all(rig);
	assert_int_equal(rig->started_total, 4);
	assert_int_equal(rig->engine->unfinished, 0);
}

static void gone_asks_what_runs_to_end(void **state)
{
	(void)state;
	rig_task_send(client, 1, "ask", NULL);
	rig_settle(rig);
	assert_false(is_cancelled(0));
	rig_client_break(client);
	assert_true(is_cancelled(0));
}

static void gone_without_finish_starts_nothing_more(void **state)
{
	(void)state;
	rig_task_send(client, 1, "ask", NULL);
	rig_end(client);
	rig_settle(rig);
	assert_int_equal(rig->started_total, 0);
}

static void gone_leaves_a_neighbour_alone(void **state)
{
	struct rig_client *other = rig_open(rig);

	(void)state;
	rig_batch_send(client, 1, 100, "ask", NULL);
	rig_batch_send(other, 1, 100, "ask", NULL);
	rig_settle(rig);
	rig_client_break(client);
	rig_finish_all(rig);
	assert_int_equal(other->rows_ok, 100);
}

static void gone_with_partial_values_on_their_way(void **state)
{
	(void)state;
	stream_send("ask", NULL);
	assert_int_equal(rig_emit_at(rig, 0, "one"), 0);
	rig_client_break(client);
	assert_int_equal(rig_emit_at(rig, 0, "two"), -ECANCELED);
	rig_finish_all(rig);
	assert_int_equal(rig->engine->unfinished, 0);
}

static void gone_with_partial_values_that_wait_for_credit(void **state)
{
	(void)state;
	rig_client_break(client);
	client = rig_open_stream(rig, 1);
	stream_send("emit", "10");
	rig_run(rig, 1);
	assert_int_equal(rig_emit_at(rig, 0, "more"), 0);
	rig_settle(rig);
	rig_client_break(client);
	rig_finish_all(rig);
	assert_int_equal(rig->engine->unfinished, 0);
}

/* Closing, but not closed: its tasks still come back meanwhile. */
static void failed_with_partial_values_that_wait(void **state)
{
	(void)state;
	rig_client_break(client);
	client = rig_open_stream(rig, 1);
	client->read_max = 0;
	stream_send("ask", NULL);
	assert_int_equal(rig_emit_at(rig, 0, "one"), 0);
	rig_settle(rig);
	rig_kind(client, WYN_MESSAGE_ERROR);
	rig_finish_all(rig);
	assert_non_null(client->conn);
	rig_client_break(client);
}

static void finished_with_partial_values_of_an_expired_task(void **state)
{
	const struct rig_submit submit = {.first_seq = 1,
		.function = "ask",
		.count = 1,
		.options = {.stream = true, .timeout_ms = 10}};

	(void)state;
	rig_client_break(client);
	client = rig_open_stream(rig, 1);
	rig_submit(client, &submit);
	rig_finish(client);
	rig_settle(rig);
	rig_begin_at(rig, 0);
	assert_int_equal(rig_emit_at(rig, 0, "one"), 0);
	rig_settle(rig);
	client->read_max = 0;
	rig_advance(rig, 10);
	rig_finish_all(rig);
	assert_non_null(client->conn);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	assert_int_equal(client->rows, 1);
	assert_null(client->conn);
}

static void gone_with_half_a_large_value_sent(void **state)
{
	(void)state;
	client->read_max = 100000;
	rig_batch_send(client, 1, 3, "big", "3000000");
	rig_settle(rig);
	rig_run(rig, 3);
	rig_turn(rig);
	assert_true(client->bytes_read > 0);
	rig_client_break(client);
	rig_settle(rig);
	assert_int_equal(rig->engine->unfinished, 0);
}

static void gone_with_half_an_argument_here(void **state)
{
	const uint64_t sizes[] = {100, 200};
	const struct rig_submit submit = {
		.first_seq = 1, .function = "echo", .count = 2, .sizes = sizes};

	(void)state;
	rig_submit(client, &submit);
	rig_chunk(client, 2, 0, "half", false);
	rig_client_break(client);
	rig_settle(rig);
	assert_int_equal(rig->engine->unfinished, 0);
}

static void gone_with_half_a_frame_here(void **state)
{
	(void)state;
	rig_send(client, "\0\0\0\1\0half", 9);
	rig_client_break(client);
	rig_settle(rig);
	assert_int_equal(rig->engine->conns_count, 0);
}

static void gone_with_refusals_unread(void **state)
{
	(void)state;
	client->read_max = 0;
	rig_batch_send(client, 1, 10000, "none", NULL);
	rig_settle(rig);
	rig_client_break(client);
	rig_settle(rig);
	assert_int_equal(rig->engine->conns_count, 0);
}

/* Whoever gets the place next must not get what the one before had running. */
static void gone_leaves_its_place_without_its_tasks(void **state)
{
	struct rig_client *next;

	(void)state;
	rig_batch_send(client, 1, 4, "ask", NULL);
	rig_settle(rig);
	rig_client_break(client);
	next = rig_open(rig);
	assert_int_equal((uint32_t)next->conn->id, 0);
	rig_finish_all(rig);
	assert_int_equal(next->rows, 0);
}

static void gone_leaves_its_place_for_ever(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		rig_client_break(client);
		client = rig_open(rig);
		assert_non_null(client->conn);
	}
	rig_task_send(client, 1, "ask", NULL);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(gone_never_runs_what_waits),
		TEST(gone_asks_what_runs_to_end),
		TEST(gone_without_finish_starts_nothing_more),
		TEST(gone_leaves_a_neighbour_alone),
		TEST(gone_with_partial_values_on_their_way),
		TEST(gone_with_partial_values_that_wait_for_credit),
		TEST(failed_with_partial_values_that_wait),
		TEST(finished_with_partial_values_of_an_expired_task),
		TEST(gone_with_half_a_large_value_sent),
		TEST(gone_with_half_an_argument_here),
		TEST(gone_with_half_a_frame_here),
		TEST(gone_with_refusals_unread),
		TEST(gone_leaves_its_place_without_its_tasks),
		TEST(gone_leaves_its_place_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
