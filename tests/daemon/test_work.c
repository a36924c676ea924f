// SPDX-License-Identifier: MIT
/*
 * test_work.c - small frames that cost much: the one who sends them waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/engine/conn.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"

/* A Cancel looks at each of them, so four fill a turn. */
#define WAITING (WYN_CONN_WORK_MAX / 4)

static int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.executor_tasks_max = 1;
	rig = rig_create(&limits, 1);
	client = rig_open(rig);
	return 0;
}

/* One task in each Submit, so that each waits in a span of its own. */
static void queue_fill(void)
{
	for (uint64_t i = 0; i < WAITING; i++) {
		rig_task_send(client, 2 + 2 * i, "ask", NULL);
	}
	rig_settle(rig);
}

/* In one read: Cancels of nothing, and a Ping behind them. */
static void cancels_send(struct rig_client *sender, unsigned count)
{
	sender->corked = true;
	for (unsigned i = 0; i < count; i++) {
		rig_cancel(sender, 1, 1);
	}
	rig_ping(sender, 7);
	sender->corked = false;
	rig_client_feed(sender);
}

static void work_rests_when_a_turn_is_full(void **state)
{
	(void)state;
	queue_fill();
	cancels_send(client, 100);
	assert_int_equal(wyn_conn_wish(client->conn), WYN_CONN_PAUSE);
	assert_true(client->conn->work < 2 * WYN_CONN_WORK_MAX);
	rig_turn(rig);
	assert_int_equal(client->pongs, 0);
}

static void work_goes_on_in_the_turns_that_follow(void **state)
{
	(void)state;
	queue_fill();
	cancels_send(client, 100);
	rig_settle(rig);
	assert_int_equal(client->pongs, 1);
	assert_int_equal(client->conn->carry.len, 0);
	assert_int_equal(wyn_conn_wish(client->conn), WYN_CONN_READ);
}

static void work_of_many_shares_a_turn(void **state)
{
	struct rig_client *others[8];

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(others); i++) {
		client = others[i] = rig_open(rig);
		queue_fill();
	}
	for (size_t i = 0; i < WYN_COUNT_OF(others); i++) {
		cancels_send(others[i], 100);
	}
	rig_turn(rig);
	assert_true(rig->engine->work < 2 * WYN_CONN_WORK_MAX);
	rig_settle(rig);
	for (size_t i = 0; i < WYN_COUNT_OF(others); i++) {
		assert_int_equal(others[i]->pongs, 1);
	}
}

static void work_keeps_nobody_who_asks_little(void **state)
{
	(void)state;
	cancels_send(client, 100);
	assert_int_equal(wyn_conn_wish(client->conn), WYN_CONN_READ);
	rig_turn(rig);
	assert_int_equal(client->pongs, 1);
}

/* Each is answered at once, and costs more than the bytes it has. */
static void work_rests_when_a_turn_is_full_of_small_frames(void **state)
{
	(void)state;
	client->corked = true;
	for (uint64_t i = 1; i <= 2 * WYN_CONN_WORK_MAX; i++) {
		rig_ping(client, i);
	}
	client->corked = false;
	rig_client_feed(client);
	assert_true(client->conn->work < 2 * WYN_CONN_WORK_MAX);
	assert_int_equal(wyn_conn_wish(client->conn), WYN_CONN_PAUSE);
	rig_settle(rig);
	assert_int_equal(client->pongs, 2 * WYN_CONN_WORK_MAX);
	assert_int_equal(client->last_pong, 2 * WYN_CONN_WORK_MAX);
}

static void work_ends_with_its_connection(void **state)
{
	(void)state;
	queue_fill();
	cancels_send(client, 100);
	rig_client_break(client);
	rig_settle(rig);
	assert_true(wyn_list_empty(&rig->engine->worked));
}

/* One Submit and one range for each of its tasks, the last first: as they are
 * merged in the end, only their sorting is to be paid for. */
static void work_of_a_cancel_counts_each_range_that_came(void **state)
{
	static Wyn__V1__SeqRange list[4000];
	static Wyn__V1__SeqRange *pointers[WYN_COUNT_OF(list)];
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	Wyn__V1__Cancel cancel = WYN__V1__CANCEL__INIT;

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(list); i++) {
		wyn__v1__seq_range__init(&list[i]);
		list[i].first = WYN_COUNT_OF(list) - i;
		list[i].count = 2;
		pointers[i] = &list[i];
	}
	frame.body_case = WYN__V1__FRAME__BODY_CANCEL;
	frame.cancel = &cancel;
	cancel.n_seqs = WYN_COUNT_OF(list);
	cancel.seqs = pointers;
	rig_frame(client, &frame);
	assert_true(client->conn->work >= WYN_COUNT_OF(list));
}

/* A few bytes each, and each a sum over all loops. */
static void stats_calls_send(struct rig_client *sender, uint64_t count)
{
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;
	Wyn__V1__StatsCall stats = WYN__V1__STATS_CALL__INIT;

	frame.body_case = WYN__V1__FRAME__BODY_CALL;
	frame.call = &call;
	call.what_case = WYN__V1__CALL__WHAT_STATS;
	call.stats = &stats;
	sender->corked = true;
	for (call.call_id = 1; call.call_id <= count; call.call_id++) {
		rig_frame(sender, &frame);
	}
	rig_ping(sender, 7);
	sender->corked = false;
	rig_client_feed(sender);
}

static void work_of_stats_calls_takes_turns(void **state)
{
	(void)state;
	stats_calls_send(client, 1000);
	assert_int_equal(wyn_conn_wish(client->conn), WYN_CONN_PAUSE);
	assert_true(client->conn->work < 2 * WYN_CONN_WORK_MAX);
	rig_settle(rig);
	assert_int_equal(client->pongs, 1);
}

/* Sizes of arguments take a byte each in the frame. */
static void refusals_in_a_row_share_an_answer(void **state)
{
	uint64_t sizes[5000];
	const struct rig_submit submit = {.first_seq = 1,
		.function = "echo",
		.count = WYN_COUNT_OF(sizes),
		.sizes = sizes};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(sizes); i++) {
		sizes[i] = 1;
	}
	rig_submit(client, &submit);
	assert_ptr_equal(wyn_list_first(&client->conn->verdicts),
		wyn_list_last(&client->conn->verdicts));
	rig_settle(rig);
	assert_int_equal(client->rows, WYN_COUNT_OF(sizes) - 1024);
	assert_string_equal(rig_task(client, 5000)->reason, "UPLOADS_MAX");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(work_rests_when_a_turn_is_full),
		TEST(work_goes_on_in_the_turns_that_follow),
		TEST(work_of_many_shares_a_turn),
		TEST(work_keeps_nobody_who_asks_little),
		TEST(work_of_stats_calls_takes_turns),
		TEST(work_of_a_cancel_counts_each_range_that_came),
		TEST(work_rests_when_a_turn_is_full_of_small_frames),
		TEST(work_ends_with_its_connection),
		TEST(refusals_in_a_row_share_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
