// SPDX-License-Identifier: MIT
/*
 * test_cancel.c - tasks that the client gives up, wherever they are.
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

/* One task at a time runs, so nearly all of a batch waits. */
static int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.executor_tasks_max = 1;
	rig = rig_create(&limits, 1);
	client = rig_open(rig);
	return 0;
}

/* Ten tasks from seq 1 on; the first runs. */
static void ten_send(void)
{
	rig_batch_send(client, 1, 10, "ask", NULL);
	rig_settle(rig);
	assert_int_equal(rig->started_count, 1);
	assert_int_equal(rig_task_at(rig, 0)->seq, 1);
}

/* Exactly those in [first, last] were cancelled before they ran. */
static void cancelled_expected(uint64_t first, uint64_t last)
{
	rig_finish_all(rig);
	assert_int_equal(client->rows, 10);
	for (uint64_t seq = 1; seq <= 10; seq++) {
		const struct rig_task *task = rig_task(client, seq);

		if (seq < first || seq > last) {
			assert_int_equal(task->code, WYN_STATUS_OK);
			continue;
		}
		assert_int_equal(task->code, WYN_STATUS_CANCELLED);
		assert_string_equal(task->reason, "CANCELLED_BY_CLIENT");
		assert_int_equal(task->ran, WYN__V1__RAN__RAN_NO);
	}
}

static void cancel_ends_what_waits_when_the_whole_is_meant(void **state)
{
	(void)state;
	ten_send();
	rig_cancel(client, 2, 9);
	cancelled_expected(2, 10);
}

static void cancel_answers_before_anything_runs(void **state)
{
	(void)state;
	ten_send();
	rig_cancel(client, 2, 9);
	rig_settle(rig);
	assert_int_equal(client->rows, 9);
}

static void cancel_ends_the_first_of_a_span(void **state)
{
	(void)state;
	ten_send();
	rig_cancel(client, 2, 3);
	cancelled_expected(2, 4);
}

static void cancel_ends_the_middle_of_a_span(void **state)
{
	(void)state;
	ten_send();
	rig_cancel(client, 5, 2);
	cancelled_expected(5, 6);
}

static void cancel_ends_the_last_of_a_span(void **state)
{
	(void)state;
	ten_send();
	rig_cancel(client, 8, UINT64_MAX);
	cancelled_expected(8, 10);
}

static void cancel_keeps_order_and_arguments_of_the_rest(void **state)
{
	static const char *const texts[] = {"a", "b", "c", "d", "e"};
	const struct rig_submit submit = {
		.first_seq = 1, .function = "echo", .count = 5, .texts = texts};

	(void)state;
	rig_submit(client, &submit);
	rig_settle(rig);
	rig_cancel(client, 3, 1);
	rig_finish_all(rig);
	assert_string_equal((const char *)rig_task(client, 2)->value, "b");
	assert_string_equal((const char *)rig_task(client, 4)->value, "d");
	assert_string_equal((const char *)rig_task(client, 5)->value, "e");
	assert_int_equal(rig_task(client, 3)->code, WYN_STATUS_CANCELLED);
}

static void cancel_spans_several_batches(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 4, "ask", NULL);
	rig_batch_send(client, 5, 3, "ask", NULL);
	rig_batch_send(client, 8, 3, "ask", NULL);
	rig_settle(rig);
	rig_cancel(client, 3, 6);
	cancelled_expected(3, 8);
}

static void cancel_of_nothing_changes_nothing(void **state)
{
	(void)state;
	ten_send();
	rig_cancel(client, 5, 0);
	rig_cancel(client, 100, 10);
	rig_cancel(client, UINT64_MAX, UINT64_MAX);
	rig_cancel_id(client, 1);
	cancelled_expected(0, 0);
}

static void cancel_twice_answers_once(void **state)
{
	(void)state;
	ten_send();
	rig_cancel(client, 4, 2);
	rig_cancel(client, 4, 2);
	cancelled_expected(4, 5);
}

static void cancel_takes_many_ranges_in_any_order(void **state)
{
	Wyn__V1__SeqRange ranges[3] = {WYN__V1__SEQ_RANGE__INIT,
		WYN__V1__SEQ_RANGE__INIT, WYN__V1__SEQ_RANGE__INIT};
	Wyn__V1__SeqRange *pointers[] = {&ranges[0], &ranges[1], &ranges[2]};
	Wyn__V1__Cancel cancel = WYN__V1__CANCEL__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	(void)state;
	ten_send();
	ranges[0].first = 8;
	ranges[0].count = 1;
	ranges[1].first = 4;
	ranges[1].count = 3;
	ranges[2].first = 5;
	ranges[2].count = 3;
	cancel.n_seqs = 3;
	cancel.seqs = pointers;
	frame.body_case = WYN__V1__FRAME__BODY_CANCEL;
	frame.cancel = &cancel;
	rig_frame(client, &frame);
	cancelled_expected(4, 8);
}

static void cancel_by_id_ends_that_task(void **state)
{
	(void)state;
	ten_send();
	rig_cancel_id(client, rig->shared.id_base + 6);
	cancelled_expected(7, 7);
}

static void cancel_by_id_knows_what_is_left_of_a_split_batch(void **state)
{
	(void)state;
	ten_send();
	rig_cancel(client, 4, 3);
	rig_cancel_id(client, rig->shared.id_base + 6);
	cancelled_expected(4, 7);
}

static void cancel_of_another_connections_id_changes_nothing(void **state)
{
	struct rig_client *other = rig_open(rig);

	(void)state;
	ten_send();
	rig_cancel_id(other, rig->shared.id_base + 6);
	cancelled_expected(0, 0);
}

static void cancel_asks_what_runs_to_end(void **state)
{
	(void)state;
	ten_send();
	rig_cancel(client, 1, 1);
	rig_settle(rig);
	assert_int_equal(client->rows, 0);
	rig_run(rig, 1);
	rig_settle(rig);
	assert_int_equal(rig_task(client, 1)->code, WYN_STATUS_CANCELLED);
	assert_string_equal(rig_task(client, 1)->reason, "CANCELLED_BY_CLIENT");
}

static void cancel_of_what_came_back_leaves_its_value(void **state)
{
	(void)state;
	ten_send();
	rig_run(rig, 1);
	rig_cancel(client, 1, 1);
	cancelled_expected(0, 0);
}

static void cancel_ends_an_argument_on_its_way(void **state)
{
	const uint64_t sizes[] = {3, 3};
	const struct rig_submit submit = {
		.first_seq = 1, .function = "echo", .count = 2, .sizes = sizes};

	(void)state;
	rig_submit(client, &submit);
	rig_chunk(client, 1, 0, "a", false);
	rig_cancel(client, 1, 1);
	rig_chunk(client, 1, 1, "aa", true); /* was under way */
	rig_chunk(client, 2, 0, "bbb", true);
	rig_finish_all(rig);
	assert_int_equal(rig_task(client, 1)->code, WYN_STATUS_CANCELLED);
	assert_string_equal((const char *)rig_task(client, 2)->value, "bbb");
}

static void cancel_reaches_each_priority(void **state)
{
	struct rig_submit submit = {.function = "ask", .count = 2};

	(void)state;
	for (uint8_t priority = 0; priority < 4; priority++) {
		submit.first_seq = 1 + priority * UINT64_C(2);
		submit.options.priority = priority;
		rig_submit(client, &submit);
	}
	rig_batch_send(client, 9, 2, "ask", NULL);
	rig_settle(rig);
	rig_cancel(client, 1, 10);
	rig_settle(rig);
	/* All but the one that runs. */
	assert_int_equal(client->rows, 9);
}

static void cancel_gives_credit_back(void **state)
{
	(void)state;
	ten_send();
	rig_cancel(client, 2, 9);
	rig_finish_all(rig);
	assert_int_equal(client->conn->tasks.returned, 10);
	assert_int_equal(
		client->conn->bytes.returned, client->conn->bytes.received);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(cancel_ends_what_waits_when_the_whole_is_meant),
		TEST(cancel_answers_before_anything_runs),
		TEST(cancel_ends_the_first_of_a_span),
		TEST(cancel_ends_the_middle_of_a_span),
		TEST(cancel_ends_the_last_of_a_span),
		TEST(cancel_keeps_order_and_arguments_of_the_rest),
		TEST(cancel_spans_several_batches),
		TEST(cancel_of_nothing_changes_nothing),
		TEST(cancel_twice_answers_once),
		TEST(cancel_takes_many_ranges_in_any_order),
		TEST(cancel_by_id_ends_that_task),
		TEST(cancel_by_id_knows_what_is_left_of_a_split_batch),
		TEST(cancel_of_another_connections_id_changes_nothing),
		TEST(cancel_asks_what_runs_to_end),
		TEST(cancel_of_what_came_back_leaves_its_value),
		TEST(cancel_ends_an_argument_on_its_way),
		TEST(cancel_reaches_each_priority),
		TEST(cancel_gives_credit_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
