// SPDX-License-Identifier: MIT
/*
 * test_deadline.c - tasks whose time runs out, waiting or running.
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
	limits.executor_tasks_max = 2;
	rig = rig_create(&limits, 1);
	client = rig_open(rig);
	return 0;
}

static void send_with(uint64_t count, uint64_t timeout_ms, uint64_t deadline_ms)
{
	const struct rig_submit submit = {.first_seq = 1,
		.function = "ask",
		.count = count,
		.options = {.timeout_ms = timeout_ms,
			.deadline_ms = deadline_ms,
			.stream = true}};

	rig_submit(client, &submit);
	rig_settle(rig);
}

static void expired_expected(uint64_t seq, const char *reason, uint8_t ran)
{
	const struct rig_task *task = rig_task(client, seq);

	assert_non_null(task);
	assert_int_equal(task->code, WYN_STATUS_DEADLINE_EXCEEDED);
	assert_string_equal(task->reason, reason);
	assert_int_equal(task->ran, ran);
}

static void timeout_counts_from_the_start(void **state)
{
	(void)state;
	send_with(1, 100, 0);
	rig_advance(rig, 70);
	rig_begin_at(rig, 0);
	rig_advance(rig, 99);
	assert_int_equal(client->rows, 0);
	rig_advance(rig, 1);
	expired_expected(1, "RUN_TIMEOUT", WYN__V1__RAN__RAN_YES);
}

static void timeout_does_not_count_while_nothing_starts(void **state)
{
	(void)state;
	send_with(1, 100, 0);
	rig_advance(rig, 100000);
	assert_int_equal(client->rows, 0);
	rig_finish_all(rig);
	assert_int_equal(rig_task(client, 1)->code, WYN_STATUS_OK);
}

static void timeout_is_forgotten_when_the_task_is_back(void **state)
{
	(void)state;
	send_with(1, 100, 0);
	rig_finish_all(rig);
	rig_advance(rig, 1000);
	assert_int_equal(client->rows, 1);
	assert_int_equal(client->rows_ok, 1);
}

static void timeout_asks_the_task_to_end(void **state)
{
	(void)state;
	send_with(1, 100, 0);
	rig_begin_at(rig, 0);
	rig_advance(rig, 100);
	assert_true(atomic_load_explicit(
		&rig_task_at(rig, 0)->cancelled, memory_order_relaxed));
}

static void timeout_answers_once_when_the_task_comes_back_later(void **state)
{
	(void)state;
	send_with(1, 100, 0);
	rig_begin_at(rig, 0);
	rig_advance(rig, 100);
	rig_finish_all(rig);
	assert_int_equal(client->rows, 1);
	assert_int_equal(client->rows_ok, 0);
}

static void timeout_keeps_what_runs_on_charged_until_it_returns(void **state)
{
	(void)state;
	send_with(1, 100, 0);
	rig_begin_at(rig, 0);
	rig_advance(rig, 100);
	assert_int_equal(client->rows, 1);
	assert_int_equal(client->conn->tasks.returned, 0);
	assert_int_equal(rig->engine->unfinished, 1);
	rig_finish_all(rig);
	assert_int_equal(client->conn->tasks.returned, 1);
	assert_int_equal(rig->engine->unfinished, 0);
}

static void timeout_lets_a_finished_client_go(void **state)
{
	(void)state;
	send_with(1, 100, 0);
	rig_begin_at(rig, 0);
	rig_finish(client);
	rig_advance(rig, 100);
	assert_null(client->conn);
	assert_int_equal(client->rows, 1);
}

static void timeout_drops_partial_values_that_come_too_late(void **state)
{
	(void)state;
	send_with(1, 100, 0);
	rig_begin_at(rig, 0);
	assert_int_equal(rig_emit_at(rig, 0, "one;"), 0);
	rig_settle(rig);
	assert_int_equal(rig_emit_at(rig, 0, "two;"), 0);
	rig_advance(rig, 100);
	rig_finish_all(rig);
	assert_string_equal(rig_task(client, 1)->partials, "one;");
}

/* They point to the task, so it must not be reused before they are gone. */
static void timeout_keeps_a_task_whose_partial_values_cannot_go(void **state)
{
	struct rig_client *slow = rig_open_stream(rig, 1);
	const struct rig_submit submit = {.first_seq = 1,
		.function = "ask",
		.count = 1,
		.options = {.timeout_ms = 100, .stream = true}};

	(void)state;
	rig_submit(slow, &submit);
	rig_settle(rig);
	rig_begin_at(rig, 0);
	assert_int_equal(rig_emit_at(rig, 0, "one;"), 0);
	rig_settle(rig);
	rig_advance(rig, 100);
	assert_int_equal(slow->rows, 1);
	rig_finish_all(rig);
	assert_int_equal(slow->conn->tasks.returned, 1);
	assert_int_equal(slow->stream_bytes, 0);
}

static void deadline_ends_what_waits(void **state)
{
	(void)state;
	send_with(5, 0, 100);
	assert_int_equal(rig->started_count, 2);
	rig_advance(rig, 100);
	assert_int_equal(client->rows, 5);
	expired_expected(5, "QUEUE_DEADLINE", WYN__V1__RAN__RAN_NO);
}

static void deadline_ends_what_runs(void **state)
{
	(void)state;
	send_with(2, 0, 100);
	rig_begin_at(rig, 0);
	rig_advance(rig, 99);
	assert_int_equal(client->rows, 0);
	rig_advance(rig, 1);
	expired_expected(1, "QUEUE_DEADLINE", WYN__V1__RAN__RAN_YES);
	expired_expected(2, "QUEUE_DEADLINE", WYN__V1__RAN__RAN_MAYBE);
}

static void deadline_leaves_what_is_done(void **state)
{
	(void)state;
	send_with(3, 0, 100);
	rig_run(rig, 2);
	rig_settle(rig);
	rig_advance(rig, 100);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 2);
	assert_int_equal(client->rows, 3);
}

static void deadline_ends_all_parts_of_a_split_batch(void **state)
{
	(void)state;
	send_with(10, 0, 100);
	rig_cancel(client, 5, 2);
	rig_cancel(client, 8, 1);
	rig_advance(rig, 100);
	assert_int_equal(client->rows, 10);
	expired_expected(4, "QUEUE_DEADLINE", WYN__V1__RAN__RAN_NO);
	expired_expected(7, "QUEUE_DEADLINE", WYN__V1__RAN__RAN_NO);
	expired_expected(10, "QUEUE_DEADLINE", WYN__V1__RAN__RAN_NO);
}

static void deadline_ends_an_argument_on_its_way(void **state)
{
	const uint64_t size = 3;
	const struct rig_submit submit = {.first_seq = 1,
		.function = "echo",
		.count = 1,
		.sizes = &size,
		.options = {.deadline_ms = 100}};

	(void)state;
	rig_submit(client, &submit);
	rig_chunk(client, 1, 0, "a", false);
	rig_advance(rig, 100);
	expired_expected(1, "QUEUE_DEADLINE", WYN__V1__RAN__RAN_NO);
	rig_chunk(client, 1, 1, "aa", true); /* was under way */
	rig_settle(rig);
	assert_non_null(client->conn);
}

static void deadline_and_timeout_answer_once(void **state)
{
	(void)state;
	send_with(1, 100, 100);
	rig_begin_at(rig, 0);
	rig_advance(rig, 100);
	rig_finish_all(rig);
	assert_int_equal(client->rows, 1);
}

static void deadline_after_the_client_has_gone_ends_nobody(void **state)
{
	(void)state;
	send_with(5, 100, 100);
	rig_begin_at(rig, 0);
	rig_client_break(client);
	rig_advance(rig, 100);
	assert_int_equal(client->rows, 0);
}

static void timeout_is_the_only_end_when_the_client_goes_later(void **state)
{
	(void)state;
	send_with(1, 100, 0);
	rig_begin_at(rig, 0);
	rig_advance(rig, 100);
	assert_int_equal(rig->engine->stats.tasks_expired_approx, 1);
	rig_client_break(client);
	rig_finish_all(rig);
	assert_int_equal(rig->engine->stats.tasks_discarded_approx, 0);
}

/* Each deadline looks at its own batch, not at all that wait. */
static void deadlines_of_many_batches_take_little_time(void **state)
{
	struct rig_submit submit = {
		.function = "ask", .count = 2, .options = {.deadline_ms = 100}};

	(void)state;
	for (uint64_t i = 0; i < 30000; i++) {
		submit.first_seq = 1 + 2 * i;
		submit.options.deadline_ms = 40000 - i;
		rig_submit(client, &submit);
	}
	rig_settle(rig);
	rig_advance(rig, 40000);
	assert_int_equal(client->rows, 60000);
}

static void deadlines_take_turns_when_many_are_due_at_once(void **state)
{
	struct rig_submit submit = {.function = "noop",
		.count = 1,
		.options = {.deadline_ms = 100}};
	const uint64_t count = 3 * WYN_TIMERS_TURN_MAX;

	(void)state;
	rig_destroy(rig);
	rig = rig_create(NULL, 8);
	client = rig_open(rig);
	/* Known to be fast, so that all of them run. */
	rig_batch_send(client, 1, 100, "noop", NULL);
	rig_finish_all(rig);
	for (uint64_t i = 0; i < count; i++) {
		submit.first_seq = 1000 + i;
		rig_submit(client, &submit);
	}
	rig_settle(rig);
	assert_int_equal(rig->started_count, count);
	rig->now_ns += 100 * WYN_NS_PER_MS;
	rig_turn(rig);
	assert_in_range(client->rows, 101, 100 + WYN_TIMERS_TURN_MAX);
	rig_settle(rig);
	assert_int_equal(client->rows, 100 + count);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(timeout_counts_from_the_start),
		TEST(timeout_does_not_count_while_nothing_starts),
		TEST(timeout_is_forgotten_when_the_task_is_back),
		TEST(timeout_asks_the_task_to_end),
		TEST(timeout_answers_once_when_the_task_comes_back_later),
		TEST(timeout_keeps_what_runs_on_charged_until_it_returns),
		TEST(timeout_lets_a_finished_client_go),
		TEST(timeout_drops_partial_values_that_come_too_late),
		TEST(timeout_keeps_a_task_whose_partial_values_cannot_go),
		TEST(deadline_ends_what_waits),
		TEST(deadline_ends_what_runs),
		TEST(deadline_leaves_what_is_done),
		TEST(deadline_ends_all_parts_of_a_split_batch),
		TEST(deadline_ends_an_argument_on_its_way),
		TEST(deadline_and_timeout_answer_once),
		TEST(deadline_after_the_client_has_gone_ends_nobody),
		TEST(timeout_is_the_only_end_when_the_client_goes_later),
		TEST(deadlines_of_many_batches_take_little_time),
		TEST(deadlines_take_turns_when_many_are_due_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
