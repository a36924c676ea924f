// SPDX-License-Identifier: MIT
/*
 * test_conn_stream.c - tasks that emit: how many at once, and who waits.
 */
#include "daemon/engine/conn_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/conn.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"

static int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	rig = rig_create(&limits, 2);
	client = rig_open(rig);
	/* It is known to be fast, so that many fit into the executor. */
	rig_batch_send(client, 1, 100, "emit", "0");
	rig_finish_all(rig);
	return 0;
}

/* Each may emit max-stream before anything of it is sent. */
static void streams_start_few_at_once(void **state)
{
	const struct rig_submit submit = {.first_seq = 2000,
		.function = "emit",
		.count = 100,
		.text = "1",
		.options = {.stream = true}};
	const struct wyn_limits *limits = &rig->shared.limits;

	(void)state;
	rig_submit(client, &submit);
	rig_settle(rig);
	assert_true(rig->started_count > 0);
	assert_true(rig->started_count * limits->stream_bytes_max <=
		    limits->output_bytes_max);
	rig_finish_all(rig);
	assert_int_equal(client->rows, 200);
	assert_int_equal(client->conn->streaming, 0);
}

/* As many as it may have are in the executor, and nobody runs them. */
static struct rig_client *streams_open(size_t count)
{
	const struct rig_submit submit = {.first_seq = 1000,
		.function = "emit",
		.count = count,
		.text = "1",
		.options = {.stream = true}};
	struct rig_client *other = rig_open(rig);

	rig_submit(other, &submit);
	rig_settle(rig);
	return other;
}

static void streams_leave_spares_when_many_never_read(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		(void)streams_open(20);
	}
	assert_in_range(rig->started_count, 200, WYN_STREAMS_MAX);
	assert_int_equal(rig->engine->streaming, rig->started_count);
	rig_finish_all(rig);
	assert_int_equal(rig->engine->streaming, 0);
}

static void streams_wait_their_turn_when_others_end(void **state)
{
	struct rig_client *first;
	struct rig_client *last = NULL;

	(void)state;
	first = streams_open(20);
	for (unsigned i = 0; i < 50; i++) {
		last = streams_open(20);
	}
	assert_int_equal(last->conn->streaming, 0);
	rig_batch_send(client, 2000, 10, "noop", NULL);
	rig_client_break(first);
	/* Its tasks were the first, and come back. */
	rig_run(rig, 16);
	rig_settle(rig);
	assert_true(rig->engine->streaming > 200);
	rig_finish_all(rig);
	assert_int_equal(last->rows, 20);
	assert_int_equal(client->rows, 110);
}

static void streams_starve_nobody_who_does_not_stream(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		(void)streams_open(20);
	}
	rig_batch_send(client, 2000, 10, "noop", NULL);
	rig_settle(rig);
	assert_false(wyn_ready_has_held_queue(&client->conn->ready));
	rig_finish_all(rig);
	assert_int_equal(client->rows, 110);
}

/* As many streams as it may have are in the executor, more wait behind them,
 * and then an echo comes. */
static void echo_behind_streams(uint8_t streams_priority, uint8_t echo_priority)
{
	const struct rig_submit streams = {.first_seq = 1000,
		.function = "emit",
		.count = 64,
		.text = "1",
		.options = {.stream = true, .priority = streams_priority}};
	const struct rig_submit echo = {.first_seq = 2000,
		.function = "echo",
		.count = 1,
		.text = "x",
		.options = {.priority = echo_priority}};

	rig_submit(client, &streams);
	rig_settle(rig);
	rig_submit(client, &echo);
	rig_settle(rig);
}

static void streams_hold_up_no_other_priority_of_their_owner(void **state)
{
	(void)state;
	echo_behind_streams(WYN__V1__PRIORITY__PRIORITY_NORMAL,
		WYN__V1__PRIORITY__PRIORITY_HIGH);
	assert_true(rig_started_at(rig, 2000) < rig->started_count);
	assert_true(client->conn->ready.tasks > 0);
}

static void streams_hold_up_no_lower_priority_of_their_owner(void **state)
{
	(void)state;
	echo_behind_streams(WYN__V1__PRIORITY__PRIORITY_HIGH,
		WYN__V1__PRIORITY__PRIORITY_LOW);
	assert_true(rig_started_at(rig, 2000) < rig->started_count);
	assert_true(client->conn->ready.tasks > 0);
}

static void streams_hold_up_nothing_when_they_are_cancelled(void **state)
{
	(void)state;
	echo_behind_streams(WYN__V1__PRIORITY__PRIORITY_NORMAL,
		WYN__V1__PRIORITY__PRIORITY_NORMAL);
	assert_int_equal(rig_started_at(rig, 2000), rig->started_count);
	rig_cancel(client, 1000, 64);
	rig_settle(rig);
	assert_true(rig_started_at(rig, 2000) < rig->started_count);
}

/* Every place is taken, by more the earlier it came, and nobody waits. */
#define HOGS 20
static struct rig_client *hogs[HOGS];

static void emit_from(struct rig_client *from)
{
	for (size_t i = 0; i < rig->started_count; i++) {
		if (rig_task_at(rig, i)->owner == from->conn->id) {
			assert_int_equal(rig_emit_at(rig, i, "0;"), 0);
		}
	}
	rig_settle(rig);
}

/* Each may send one byte and emits two at a time; the second hog was first. */
static void hogs_open(void)
{
	struct rig_submit submit = {.first_seq = 1000,
		.function = "emit",
		.text = "1",
		.options = {.stream = true}};

	for (size_t i = 0; i < HOGS; i++) {
		hogs[i] = rig_open_stream(rig, 1);
		submit.count = wyn_conn_streams_left(hogs[i]->conn, true);
		rig_submit(hogs[i], &submit);
		rig_settle(rig);
	}
	assert_int_equal(rig->engine->streaming, WYN_STREAMS_MAX);
	emit_from(hogs[1]);
	rig_advance(rig, 1);
	for (size_t i = 0; i < HOGS; i++) {
		emit_from(hogs[i]);
	}
}

/* Everybody is heard, and then nobody for as long as a keepalive. */
static void keepalive_pass(void)
{
	for (size_t i = 0; i < HOGS; i++) {
		rig_ping(hogs[i], 1);
	}
	rig_ping(client, 1);
	rig_advance(rig, 30000);
}

static uint64_t rows_of_hogs(void)
{
	uint64_t rows = 0;

	for (size_t i = 0; i < HOGS; i++) {
		assert_non_null(hogs[i]->conn);
		rows += hogs[i]->rows;
	}
	return rows;
}

/* Until the client's hunger ends somebody's streams. */
static void keepalives_pass(void)
{
	unsigned passed = 0;

	while (rows_of_hogs() == 0) {
		keepalive_pass();
		assert_true(++passed <= 4);
	}
	assert_true(passed >= 3);
}

static void client_starves(void)
{
	const struct rig_submit submit = {.first_seq = 1000,
		.function = "emit",
		.count = 1,
		.text = "1",
		.options = {.stream = true}};

	rig_submit(client, &submit);
	rig_settle(rig);
	assert_true(wyn_ready_has_held_queue(&client->conn->ready));
}

static void stalled_run(void)
{
	for (size_t i = rig->started_count; i > 0; i--) {
		if (rig_task_at(rig, i - 1)->answered) {
			rig_run_at(rig, i - 1);
		}
	}
	rig_settle(rig);
}

static void streams_end_when_they_stand_still_and_another_starves(void **state)
{
	(void)state;
	hogs_open();
	client_starves();
	keepalives_pass();
	assert_int_equal(rows_of_hogs(), 16);
	assert_int_equal(hogs[1]->rows, 16);
	assert_string_equal(rig_task(hogs[1], 1000)->reason, "STREAM_STALLED");
	assert_int_equal(
		rig_task(hogs[1], 1000)->code, WYN_STATUS_DEADLINE_EXCEEDED);
	assert_int_equal(
		rig->engine->stats.refused_approx[WYN_REFUSAL_STREAM_STALLED],
		16);
	stalled_run();
	assert_int_equal(client->conn->streaming, 1);
	/* There is nobody left for whom more would have to end. */
	for (unsigned i = 0; i < 10; i++) {
		keepalive_pass();
	}
	assert_int_equal(rows_of_hogs(), 16);
}

static void streams_that_wait_end_with_those_that_stand_still(void **state)
{
	const struct rig_submit more = {.first_seq = 2000,
		.function = "emit",
		.count = 10,
		.text = "1",
		.options = {.stream = true}};

	(void)state;
	hogs_open();
	rig_submit(hogs[1], &more);
	rig_batch_send(hogs[1], 3000, 1, "echo", "x");
	client_starves();
	keepalives_pass();
	assert_int_equal(rows_of_hogs(), 26);
	assert_string_equal(rig_task(hogs[1], 2009)->reason, "STREAM_STALLED");
	assert_int_equal(rig_task(hogs[1], 2009)->ran, WYN__V1__RAN__RAN_NO);
	/* What stood behind them in the queue goes on. */
	assert_true(rig_started_at(rig, 3000) < rig->started_count);
}

static void streams_stand_still_for_ever_when_nobody_starves(void **state)
{
	(void)state;
	hogs_open();
	for (unsigned i = 0; i < 10; i++) {
		keepalive_pass();
	}
	assert_int_equal(rows_of_hogs(), 0);
}

static void streams_stand_still_for_ever_when_only_their_own_wait(void **state)
{
	(void)state;
	client = rig_open_stream(rig, 1);
	echo_behind_streams(WYN__V1__PRIORITY__PRIORITY_NORMAL,
		WYN__V1__PRIORITY__PRIORITY_NORMAL);
	emit_from(client);
	emit_from(client);
	for (unsigned i = 0; i < 10; i++) {
		rig_ping(client, i);
		rig_advance(rig, 30000);
	}
	assert_int_equal(client->rows, 0);
	assert_int_equal(client->conn->streaming, 16);
}

static void streams_live_on_when_a_partial_value_goes_now_and_then(void **state)
{
	(void)state;
	hogs_open();
	client_starves();
	for (unsigned i = 0; i < 10; i++) {
		for (size_t j = 0; j < HOGS; j++) {
			rig_credit(hogs[j], 2 * (i + 1));
		}
		for (size_t j = 0; j < HOGS; j++) {
			emit_from(hogs[j]);
		}
		keepalive_pass();
	}
	assert_int_equal(rows_of_hogs(), 0);
}

static void streams_end_for_nobody_who_gave_up_waiting(void **state)
{
	(void)state;
	hogs_open();
	client_starves();
	keepalive_pass();
	rig_cancel(client, 1000, 1);
	for (unsigned i = 0; i < 10; i++) {
		keepalive_pass();
	}
	assert_int_equal(rows_of_hogs(), 0);
}

static void blocking_tasks_leave_the_workers_to_others(void **state)
{
	struct rig_client *other;
	size_t naps;

	(void)state;
	rig_batch_send(client, 1000, 1000, "nap", "");
	rig_settle(rig);
	naps = rig->started_count;
	assert_in_range(naps, 100, WYN_STREAMS_MAX);
	assert_int_equal(rig->engine->dispatch.blocking, naps);

	/* Slow ones are as many as if there were no others. */
	other = rig_open(rig);
	rig_batch_send(other, 1, 100, "slow", "");
	rig_settle(rig);

	assert_true(rig->started_count >=
		    naps + rig->width * WYN_DISPATCH_PER_WORKER);
	rig_finish_all(rig);
	assert_int_equal(client->rows, 1100);
	assert_int_equal(other->rows, 100);
	assert_int_equal(rig->engine->dispatch.blocking, 0);
	assert_int_equal(rig->engine->streaming, 0);
}

static void blocking_tasks_of_one_leave_places_to_another(void **state)
{
	struct rig_client *other;
	size_t naps;

	(void)state;
	rig_batch_send(client, 1000, 1000, "nap", "");
	rig_settle(rig);
	naps = rig->started_count;
	other = rig_open(rig);
	rig_batch_send(other, 1, 1000, "nap", "");
	rig_settle(rig);

	assert_true(rig->started_count > naps);
	assert_true(rig->started_count <= WYN_STREAMS_MAX);
	rig_finish_all(rig);
	assert_int_equal(other->rows, 1000);
}

static void reports_are_the_last_when_nobody_has_read_the_others(void **state)
{
	const struct rig_submit submit = {.first_seq = 1000,
		.function = "report",
		.count = 1,
		.text = "9",
		.options = {.stream = true}};

	(void)state;
	rig_submit(client, &submit);
	rig_finish_all(rig);

	assert_int_equal(rig_task(client, 1000)->reports, 1);
	assert_int_equal(rig_task(client, 1000)->report_done, 9);
	assert_string_equal(rig_task(client, 1000)->partials, "end");
	assert_int_equal(client->rows_ok, 101);
}

static void reports_go_nowhere_when_nobody_wants_them(void **state)
{
	(void)state;
	rig_task_send(client, 1000, "report", "9");
	rig_finish_all(rig);

	assert_int_equal(rig_task(client, 1000)->reports, 0);
	assert_int_equal(client->rows_ok, 101);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(streams_start_few_at_once),
		TEST(streams_leave_spares_when_many_never_read),
		TEST(streams_wait_their_turn_when_others_end),
		TEST(streams_starve_nobody_who_does_not_stream),
		TEST(streams_hold_up_no_other_priority_of_their_owner),
		TEST(streams_hold_up_no_lower_priority_of_their_owner),
		TEST(streams_hold_up_nothing_when_they_are_cancelled),
		TEST(streams_end_when_they_stand_still_and_another_starves),
		TEST(streams_that_wait_end_with_those_that_stand_still),
		TEST(streams_stand_still_for_ever_when_nobody_starves),
		TEST(streams_stand_still_for_ever_when_only_their_own_wait),
		TEST(streams_live_on_when_a_partial_value_goes_now_and_then),
		TEST(streams_end_for_nobody_who_gave_up_waiting),
		TEST(blocking_tasks_leave_the_workers_to_others),
		TEST(blocking_tasks_of_one_leave_places_to_another),
		TEST(reports_are_the_last_when_nobody_has_read_the_others),
		TEST(reports_go_nowhere_when_nobody_wants_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
