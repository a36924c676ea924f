// SPDX-License-Identifier: MIT
/*
 * test_flow.c - clients that do not read, stream credit, silence, and the last
 * flush.
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
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.output_bytes_max = 64 * WYN_KIB;
	limits.executor_tasks_max = 16;
	limits.stream_bytes_max = 4096;
	rig = rig_create(&limits, 2);
	client = rig_open(rig);
	return 0;
}

static void options_send(uint64_t seq, size_t count, const char *function,
	const char *text, struct wyn_submit_options options)
{
	const struct rig_submit submit = {.first_seq = seq,
		.function = function,
		.count = count,
		.text = text,
		.options = options};

	rig_submit(client, &submit);
}

/* Tasks of 1,000 bytes, none of which is read. */
static void stall(size_t count)
{
	client->read_max = 0;
	rig_batch_send(client, 1, count, "big", "1000");
	rig_finish_all(rig);
}

static size_t held_bytes(void)
{
	return client->conn->output.bytes + client->conn->unsent_bytes;
}

static void flow_starts_no_task_when_nothing_is_read(void **state)
{
	(void)state;
	stall(10000);
	assert_int_equal(client->rows, 0);
	assert_int_equal(wyn_conn_wish(client->conn), WYN_CONN_PAUSE);
	/* What one executor's fill adds after the bound was reached. */
	assert_true(held_bytes() < 64 * WYN_KIB + 16 * 2048);
	assert_true(rig->started_total < 100);
	assert_true(client->conn->ready.tasks > 9000);
}

static void flow_goes_on_when_it_is_read_again(void **state)
{
	(void)state;
	stall(10000);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 10000);
}

/* A reload with a larger max-output, while nothing is read. */
static void flow_goes_on_when_the_limit_is_raised(void **state)
{
	struct wyn_limits limits = *wyn_engine_limits(rig->engine);
	uint64_t before;

	(void)state;
	stall(10000);
	before = rig->started_total;
	limits.output_bytes_max = 16 * WYN_MIB;
	wyn_engine_limit(rig->engine, &limits);
	rig_finish_all(rig);
	assert_true(rig->started_total > before);
	assert_int_equal(client->conn->ready.tasks, 0);
	assert_int_not_equal(wyn_conn_wish(client->conn), WYN_CONN_PAUSE);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 10000);
}

/* A reload with another max-bytes, for whoever is connected. */
static void flow_holds_values_by_the_limit_of_the_last_reload(void **state)
{
	struct wyn_limits limits = *wyn_engine_limits(rig->engine);

	(void)state;
	limits.daemon_bytes_max = WYN_MIB;
	wyn_engine_limit(rig->engine, &limits);
	rig_task_send(client, 1, "big", "600000");
	rig_finish_all(rig);
	assert_int_equal(
		rig_task(client, 1)->code, WYN_STATUS_RESOURCE_EXHAUSTED);
	limits.daemon_bytes_max = 2 * WYN_MIB;
	wyn_engine_limit(rig->engine, &limits);
	rig_task_send(client, 2, "big", "600000");
	rig_finish_all(rig);
	assert_int_equal(rig_task(client, 2)->value_bytes, 600000);
}

static void flow_goes_on_when_it_is_read_a_little_at_a_time(void **state)
{
	(void)state;
	stall(500);
	client->read_max = 700;
	for (unsigned i = 0; client->rows < 500; i++) {
		rig_client_flush(client);
		rig_finish_all(rig);
		assert_true(i < 10000);
	}
	assert_int_equal(client->rows_ok, 500);
}

static void flow_lets_a_neighbour_go_on(void **state)
{
	struct rig_client *other = rig_open(rig);

	(void)state;
	stall(10000);
	rig_batch_send(other, 1, 1000, "echo", "x");
	rig_finish_all(rig);
	assert_int_equal(other->rows_ok, 1000);
}

static void flow_stops_reading_when_answers_are_not_read(void **state)
{
	(void)state;
	client->read_max = 0;
	for (uint64_t i = 0; i < 100000; i++) {
		rig_ping(client, i);
		if (client->unfed_bytes > 0) {
			break;
		}
	}
	assert_true(client->unfed_bytes > 0);
	assert_true(held_bytes() < 65 * WYN_KIB);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	rig_settle(rig);
	assert_int_equal(client->unfed_bytes, 0);
}

static void flow_stops_reading_when_refusals_are_not_read(void **state)
{
	uint64_t seq = 1;

	(void)state;
	client->read_max = 0;
	while (client->unfed_bytes == 0 && seq < 100000) {
		rig_task_send(client, seq++, "none", NULL);
	}
	assert_true(held_bytes() < 66 * WYN_KIB);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	rig_finish_all(rig);
	assert_int_equal(client->rows, seq - 1);
}

/* All came in one read, and the pause in the middle of it. */
static void flow_uses_what_came_before_the_pause(void **state)
{
	(void)state;
	client->read_max = 0;
	client->corked = true;
	for (uint64_t seq = 1; seq <= 4000; seq++) {
		rig_task_send(client, seq, "none", NULL);
	}
	client->corked = false;
	rig_client_feed(client);
	rig_settle(rig);
	assert_true(client->conn->carry.len > 0);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	rig_settle(rig);
	assert_int_equal(client->rows, 4000);
	assert_int_equal(client->conn->carry.len, 0);
}

/* Quiet tasks leave nothing to write: no write ever ends the pause. */
static void flow_uses_what_came_when_nothing_is_written(void **state)
{
	(void)state;
	options_send(1, 64, "big", "8000",
		(struct wyn_submit_options){.quiet = true});
	rig_settle(rig);
	rig_run(rig, 16);
	rig_finish_all(rig);
	assert_int_equal(client->quiet_done, 64);
	assert_false(client->conn->paused);
	rig_ping(client, 1);
	rig_settle(rig);
	assert_int_equal(client->pongs, 1);
}

static void flow_cuts_a_large_value_into_chunks(void **state)
{
	(void)state;
	rig_task_send(client, 1, "big", "3000000");
	rig_finish_all(rig);
	assert_int_equal(rig_task(client, 1)->value_bytes, 3000000);
	assert_int_equal(rig_task(client, 1)->value_chunks,
		(3000000 + WYN_CHUNK_BYTES - 1) / WYN_CHUNK_BYTES);
	for (size_t i = 0; i < 3000000; i++) {
		assert_int_equal(
			rig_task(client, 1)->value[i], rig_big_byte(i));
	}
}

static void flow_sends_no_chunks_of_what_is_quiet(void **state)
{
	(void)state;
	options_send(1, 1, "big", "3000000",
		(struct wyn_submit_options){.quiet = true});
	rig_finish_all(rig);
	assert_int_equal(client->quiet_done, 1);
	assert_int_equal(client->stream_bytes, 0);
}

static void flow_holds_little_of_a_large_value_in_the_output(void **state)
{
	(void)state;
	client->read_max = 0;
	rig_task_send(client, 1, "big", "3000000");
	rig_finish_all(rig);
	assert_true(client->conn->output.bytes <
		    WYN_OUTPUT_HIGH_BYTES + WYN_CHUNK_BYTES + 100);
}

static void flow_refuses_a_value_over_its_bound(void **state)
{
	(void)state;
	rig_task_send(client, 1, "big", "70000000");
	rig_finish_all(rig);
	assert_string_equal(rig_task(client, 1)->reason, "VALUE_TOO_LARGE");
	assert_int_equal(
		rig_task(client, 1)->code, WYN_STATUS_RESOURCE_EXHAUSTED);
	assert_int_equal(rig_task(client, 1)->ran, WYN__V1__RAN__RAN_YES);
}

/* All are in the executor before one is known to be large, and what waits for
 * stream credit never times out. */
static void flow_leaves_room_for_values_when_one_never_grants(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;
	struct rig_client *other;

	(void)state;
	rig_destroy(rig);
	limits.frame_bytes_max = 4096;
	limits.daemon_bytes_max = 4 * WYN_MIB;
	rig = rig_create(&limits, 2);
	client = rig_open_stream(rig, 1);
	other = rig_open(rig);
	rig_batch_send(client, 1, 200, "big", "0");
	rig_finish_all(rig);
	rig_batch_send(client, 1000, 64, "big", "100000");
	rig_finish_all(rig);
	assert_in_range(atomic_load_explicit(
				&rig->shared.values_held, memory_order_relaxed),
		WYN_MIB, 2 * WYN_MIB);
	rig_batch_send(other, 1, 100, "big", "100");
	rig_task_send(other, 1000, "big", "900000");
	rig_finish_all(rig);
	assert_int_equal(other->rows_ok, 101);
}

static void flow_sends_partial_values_before_the_row(void **state)
{
	(void)state;
	options_send(
		1, 1, "emit", "5", (struct wyn_submit_options){.stream = true});
	rig_finish_all(rig);
	assert_string_equal(rig_task(client, 1)->partials, "0;1;2;3;4;");
	assert_int_equal(rig_task(client, 1)->partials_count, 5);
	assert_string_equal((const char *)rig_task(client, 1)->value, "done");
}

static void flow_sends_no_partial_values_when_nobody_asked(void **state)
{
	(void)state;
	rig_task_send(client, 1, "emit", "5");
	rig_finish_all(rig);
	assert_int_equal(rig_task(client, 1)->partials_count, 0);
	assert_int_equal(rig_task(client, 1)->code, WYN_STATUS_OK);
}

static void flow_holds_a_task_when_its_partial_values_are_not_taken(
	void **state)
{
	(void)state;
	client = rig_open_stream(rig, 4);
	options_send(
		1, 1, "emit", "5", (struct wyn_submit_options){.stream = true});
	rig_finish_all(rig);
	assert_string_equal(rig_task(client, 1)->partials, "0;1;");
	assert_false(rig_task(client, 1)->has_row);
	rig_credit(client, 10);
	rig_settle(rig);
	assert_string_equal(rig_task(client, 1)->partials, "0;1;2;3;4;");
	assert_true(rig_task(client, 1)->has_row);
}

static void flow_sends_of_a_large_value_as_much_as_was_granted(void **state)
{
	(void)state;
	client = rig_open_stream(rig, 100);
	rig_task_send(client, 1, "big", "2000000");
	rig_finish_all(rig);
	assert_int_equal(client->stream_bytes, 100);
	rig_credit(client, 2000000);
	rig_settle(rig);
	assert_int_equal(rig_task(client, 1)->value_bytes, 2000000);
	assert_true(rig_task(client, 1)->has_row);
}

static void flow_needs_no_stream_credit_for_rows(void **state)
{
	(void)state;
	client = rig_open_stream(rig, 1);
	rig_batch_send(client, 1, 100, "big", "1000");
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 100);
}

static void flow_mixes_the_chunks_of_several_values(void **state)
{
	(void)state;
	client->read_max = 0;
	rig_task_send(client, 1, "big", "9000000");
	rig_task_send(client, 2, "big", "2000000");
	rig_finish_all(rig);
	client->read_max = 3 * WYN_MIB;
	rig_client_flush(client);
	rig_settle(rig);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	rig_settle(rig);
	assert_int_equal(client->rows_ok, 2);
}

static void keepalive_pings_twice_and_gives_up(void **state)
{
	(void)state;
	rig_advance(rig, 29999);
	assert_int_equal(client->pings, 0);
	rig_advance(rig, 1);
	assert_int_equal(client->pings, 1);
	rig_advance(rig, 30000);
	assert_int_equal(client->pings, 2);
	rig_advance(rig, 29999);
	assert_non_null(client->conn);
	rig_advance(rig, 1);
	assert_string_equal(client->error, "KEEPALIVE_TIMEOUT");
	assert_null(client->conn);
}

static void keepalive_starts_over_when_any_byte_comes(void **state)
{
	(void)state;
	rig_advance(rig, 60000);
	rig_send(client, "\0", 1);
	rig_advance(rig, 29999);
	assert_int_equal(client->pings, 1);
	rig_advance(rig, 60001);
	assert_non_null(client->conn);
}

static void keepalive_counts_reading_while_it_is_paused(void **state)
{
	(void)state;
	stall(10000);
	for (unsigned i = 0; i < 20; i++) {
		rig_advance(rig, 25000);
		client->read_max = 100;
		rig_client_flush(client);
		client->read_max = 0;
	}
	assert_non_null(client->conn);
}

static void keepalive_gives_up_whoever_never_reads(void **state)
{
	(void)state;
	stall(10000);
	rig_advance(rig, 30000);
	rig_advance(rig, 30000);
	rig_advance(rig, 30000);
	/* Nothing can be said to it any more. */
	rig_advance(rig, 5000);
	assert_null(client->conn);
	assert_true(client->aborted);
}

static void keepalive_sends_no_ping_after_finish(void **state)
{
	(void)state;
	rig_task_send(client, 1, "noop", NULL);
	rig_finish(client);
	rig_settle(rig);
	rig_advance(rig, 300000);
	assert_non_null(client->conn);
	assert_int_equal(client->pings, 0);
}

static void closing_waits_five_seconds_for_the_last_bytes(void **state)
{
	(void)state;
	client->read_max = 0;
	rig_kind(client, WYN_MESSAGE_ERROR);
	rig_settle(rig);
	rig_advance(rig, 4999);
	assert_non_null(client->conn);
	rig_advance(rig, 1);
	assert_null(client->conn);
	assert_true(client->aborted);
}

static void closing_ends_when_the_last_byte_is_read(void **state)
{
	(void)state;
	client->read_max = 0;
	rig_kind(client, WYN_MESSAGE_ERROR);
	rig_settle(rig);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	assert_null(client->conn);
	assert_false(client->aborted);
}

/* The smallest frame that may be configured; the client checks each one. */
static void flow_keeps_to_a_small_max_frame(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	rig_destroy(rig);
	limits.frame_bytes_max = 4096;
	rig = rig_create(&limits, 2);
	client = rig_open(rig);
	rig_batch_send(client, 1, 500, "big", "1000");
	rig_batch_send(client, 501, 100, "big", "10");
	rig_batch_send(client, 601, 40, "fail",
		"a message that is long enough to matter when there are many");
	rig_batch_send(client, 701, 10, "big", "9000");
	rig_batch_send(client, 801, 300, "nonesuch", "x");
	rig_kind(client, WYN_MESSAGE_CALL);
	rig_finish_all(rig);
	assert_int_equal(client->rows, 950);
	assert_int_equal(client->replies, 1);
}

/* What is refused takes no memory yet, but its rows are owed. */
static void flow_reads_no_more_that_is_refused_when_nothing_is_read(
	void **state)
{
	uint64_t seq = 1;

	(void)state;
	client->read_max = 0;
	while (wyn_conn_wish(client->conn) == WYN_CONN_READ) {
		rig_batch_send(client, seq, 1000, "nonesuch", NULL);
		seq += 1000;
		assert_true(seq < 1000000);
		rig_settle(rig);
	}
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	rig_finish_all(rig);
	assert_int_equal(client->rows, seq - 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(flow_reads_no_more_that_is_refused_when_nothing_is_read),
		TEST(flow_starts_no_task_when_nothing_is_read),
		TEST(flow_goes_on_when_it_is_read_again),
		TEST(flow_goes_on_when_the_limit_is_raised),
		TEST(flow_holds_values_by_the_limit_of_the_last_reload),
		TEST(flow_goes_on_when_it_is_read_a_little_at_a_time),
		TEST(flow_lets_a_neighbour_go_on),
		TEST(flow_stops_reading_when_answers_are_not_read),
		TEST(flow_stops_reading_when_refusals_are_not_read),
		TEST(flow_uses_what_came_before_the_pause),
		TEST(flow_uses_what_came_when_nothing_is_written),
		TEST(flow_cuts_a_large_value_into_chunks),
		TEST(flow_sends_no_chunks_of_what_is_quiet),
		TEST(flow_holds_little_of_a_large_value_in_the_output),
		TEST(flow_refuses_a_value_over_its_bound),
		TEST(flow_leaves_room_for_values_when_one_never_grants),
		TEST(flow_sends_partial_values_before_the_row),
		TEST(flow_sends_no_partial_values_when_nobody_asked),
		TEST(flow_holds_a_task_when_its_partial_values_are_not_taken),
		TEST(flow_sends_of_a_large_value_as_much_as_was_granted),
		TEST(flow_needs_no_stream_credit_for_rows),
		TEST(flow_mixes_the_chunks_of_several_values),
		TEST(keepalive_pings_twice_and_gives_up),
		TEST(keepalive_starts_over_when_any_byte_comes),
		TEST(keepalive_counts_reading_while_it_is_paused),
		TEST(keepalive_gives_up_whoever_never_reads),
		TEST(keepalive_sends_no_ping_after_finish),
		TEST(closing_waits_five_seconds_for_the_last_bytes),
		TEST(closing_ends_when_the_last_byte_is_read),
		TEST(flow_keeps_to_a_small_max_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
