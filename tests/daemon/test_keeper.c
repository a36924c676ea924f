// SPDX-License-Identifier: MIT
/*
 * test_keeper.c - tasks whose connection has gone, wherever they are at that
 * moment, go on, and how they end is kept for their user.
 */
#include "daemon/engine/keeper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/conn_state.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/recall.h"
#include "tests/support/rig_keep_fixture.h"

#define ALICE 1000u

static void queued_and_running_go_on_when_their_client_goes(void **state)
{
	uint64_t id = keep_send(client, 1, 10, "echo", "x");

	(void)state;
	assert_int_equal(rig->started_count, 3);
	rig_begin_at(rig, 0);
	leave();
	assert_int_equal(keepers(), 1);
	assert_true(wyn_engine_keeps(rig->engine));
	assert_false(outcome_of(asker, id)->ended);
	assert_int_equal(asker->listed[0].state,
		WYN__V1__TASK_STATE__TASK_STATE_RUNNING);
	assert_false(outcome_of(asker, id + 9)->ended);
	assert_int_equal(
		asker->listed[0].state, WYN__V1__TASK_STATE__TASK_STATE_QUEUED);
	rig_finish_all(rig);
	for (uint64_t i = 0; i < 10; i++) {
		value_expected(asker, id + i, "x");
		assert_int_equal(asker->outcome.ran, WYN__V1__RAN__RAN_YES);
		assert_int_equal(asker->listed[0].seq, 1 + i);
	}
	assert_int_equal(keepers(), 0);
	assert_false(wyn_engine_keeps(rig->engine));
	assert_int_equal(rig->engine->stats.tasks_ok_approx, 10);
	assert_int_equal(rig->engine->stats.tasks_kept_approx, 10);
	assert_int_equal(rig->engine->stats.tasks_discarded_approx, 0);
}

static void others_end_as_ever_when_their_client_goes(void **state)
{
	uint64_t id = keep_send(client, 1, 1, "echo", "x");
	uint64_t last;

	(void)state;
	rig_batch_send(client, 2, 4, "echo", "y");
	last = keep_send(client, 6, 1, "echo", "z");
	leave();
	rig_finish_all(rig);
	value_expected(asker, id, "x");
	value_expected(asker, last, "z");
	assert_int_equal(rig->engine->stats.tasks_discarded_approx, 4);
	for (uint64_t i = id + 1; i < last; i++) {
		outcome_send(asker, i, 0);
		assert_string_equal(asker->reply.reason, "TASK_UNKNOWN");
	}
}

static void submits_that_follow_have_entries_of_their_own(void **state)
{
	struct rig_submit submit = {.function = "echo",
		.count = 1,
		.text = "x",
		.options = {.on_disconnect = KEEP}};
	uint64_t id;

	(void)state;
	client->corked = true;
	for (uint64_t seq = 1; seq <= 5; seq++) {
		submit.first_seq = seq;
		rig_submit(client, &submit);
	}
	client->corked = false;
	rig_client_feed(client);
	id = keep_send(client, 6, 1, "echo", "x");
	leave();
	rig_finish_all(rig);
	assert_int_equal(rig->engine->keep.users_count, 1);
	value_expected(asker, id, "x");
	list_all(asker);
	assert_int_equal(asker->listed_count, 6);
}

static void rows_go_to_a_client_that_stays(void **state)
{
	uint64_t id = keep_send(client, 1, 2, "echo", "x");

	(void)state;
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 2);
	value_expected(client, id, "x");
	value_expected(asker, id + 1, "x");
	leave();
	value_expected(asker, id, "x");
	assert_int_equal(keepers(), 0);
}

static void ended_is_told_before_its_row_is_read(void **state)
{
	uint64_t id;

	(void)state;
	client->read_max = 0;
	id = rig->shared.id_base;
	(void)keep_send(client, 1, 3, "big", "6000000");
	rig_finish_all(rig);
	assert_false(wyn_list_empty(&client->conn->large));
	for (uint64_t i = 0; i < 3; i++) {
		assert_true(outcome_of(asker, id + i)->ended);
		assert_int_equal(asker->outcome.value_bytes, 6000000);
	}
	list_all(asker);
	assert_int_equal(asker->listed_count, 3);
	assert_int_equal(
		asker->listed[2].state, WYN__V1__TASK_STATE__TASK_STATE_ENDED);
	leave();
	assert_int_equal(outcome_of(asker, id + 2)->value_bytes, 6000000);
	assert_int_equal(keepers(), 0);
}

static void large_value_is_kept_when_its_client_goes(void **state)
{
	uint64_t id = keep_send(client, 1, 1, "big", "3000000");
	const struct rig_outcome *outcome;

	(void)state;
	client->read_max = 0;
	rig_finish_all(rig);
	leave();
	outcome = outcome_of(asker, id);
	assert_int_equal(outcome->value_bytes, 3000000);
	assert_true(outcome->bytes > 0);
	assert_true(outcome->bytes < 3000000);
	assert_false(outcome->value_lost);
}

static void partial_values_are_kept_when_its_client_goes(void **state)
{
	struct rig_submit submit = {.first_seq = 1,
		.function = "emit",
		.count = 1,
		.text = "0",
		.options = {
			.on_disconnect = KEEP, .stream = true, .accept = true}};
	uint64_t id;

	(void)state;
	rig_credit(client, 3);
	rig_submit(client, &submit);
	rig_settle(rig);
	id = client->accepted_id;
	assert_int_equal(rig_emit_at(rig, 0, "one"), 0);
	assert_int_equal(rig_emit_at(rig, 0, "two"), 0);
	rig_settle(rig);
	leave();
	assert_int_equal(rig_emit_at(rig, 0, "six"), 0);
	rig_finish_all(rig);
	value_expected(asker, id, "done");
	logs_send(asker, id, 0, 0);
	assert_string_equal(asker->logs.text, "onetwosix");
	assert_true(asker->logs.ended);
}

static void ended_one_that_waits_for_partials_is_kept(void **state)
{
	struct rig_submit submit = {.first_seq = 1,
		.function = "emit",
		.count = 1,
		.text = "4",
		.options = {
			.on_disconnect = KEEP, .stream = true, .accept = true}};

	(void)state;
	again(NULL, ALICE);
	rig_client_break(client);
	client = rig_connect_local(rig, ALICE);
	rig_preface(client);
	rig_hello(client, 1);
	rig_submit(client, &submit);
	rig_settle(rig);
	rig_finish_all(rig);
	assert_false(wyn_list_empty(&client->conn->waiting));
	leave();
	value_expected(asker, client->accepted_id, "done");
	assert_int_equal(keepers(), 0);
}

static void upload_ends_when_its_client_goes(void **state)
{
	const uint64_t sizes[] = {1000, 0, 1000};
	const struct rig_submit submit = {.first_seq = 1,
		.function = "echo",
		.count = 3,
		.sizes = sizes,
		.options = {.on_disconnect = KEEP, .accept = true}};
	uint64_t id = rig->shared.id_base;

	(void)state;
	rig_submit(client, &submit);
	rig_chunk(client, 1, 0, "half", false);
	rig_settle(rig);
	assert_false(outcome_of(asker, id)->ended);
	leave();
	rig_finish_all(rig);
	outcome_expected(asker, id, "CANCELLED_BY_CLIENT");
	assert_int_equal(asker->outcome.ran, WYN__V1__RAN__RAN_NO);
	assert_string_equal(asker->outcome.message,
		"the client closed before its argument was whole");
}

static void upload_that_is_cancelled_has_ended(void **state)
{
	const uint64_t sizes[] = {1000};
	const struct rig_submit submit = {.first_seq = 1,
		.function = "echo",
		.count = 1,
		.sizes = sizes,
		.options = {.on_disconnect = KEEP, .accept = true}};

	(void)state;
	rig_submit(client, &submit);
	rig_settle(rig);
	rig_cancel(client, 1, 1);
	rig_settle(rig);
	outcome_expected(asker, client->accepted_id, "CANCELLED_BY_CLIENT");
}

static void cancelled_by_its_client_is_kept(void **state)
{
	uint64_t id = keep_send(client, 1, 6, "ask", "x");

	(void)state;
	rig_cancel(client, 1, 6);
	rig_settle(rig);
	outcome_expected(asker, id + 5, "CANCELLED_BY_CLIENT");
	rig_finish_all(rig);
	assert_int_equal(outcome_of(asker, id)->code, WYN_STATUS_CANCELLED);
	assert_true(asker->outcome.ended);
	assert_int_equal(client->rows, 6);
}

static void timeout_and_deadline_are_kept_when_its_client_has_gone(void **state)
{
	struct rig_submit submit = {.first_seq = 1,
		.function = "slow",
		.count = 1,
		.options = {.on_disconnect = KEEP,
			.accept = true,
			.timeout_ms = 100}};
	uint64_t timed;
	uint64_t late;

	(void)state;
	rig_submit(client, &submit);
	rig_settle(rig);
	timed = client->accepted_id;
	submit.first_seq = 2;
	submit.count = 4;
	submit.options.timeout_ms = 0;
	submit.options.deadline_ms = 100;
	rig_submit(client, &submit);
	rig_settle(rig);
	late = client->accepted_id;
	rig_begin_at(rig, 0);
	rig_begin_at(rig, 1);
	leave();
	rig_advance(rig, 100);
	outcome_expected(asker, timed, "RUN_TIMEOUT");
	assert_int_equal(asker->outcome.ran, WYN__V1__RAN__RAN_YES);
	outcome_expected(asker, late, "QUEUE_DEADLINE");
	assert_int_equal(asker->outcome.ran, WYN__V1__RAN__RAN_YES);
	outcome_expected(asker, late + 1, "QUEUE_DEADLINE");
	assert_int_equal(asker->outcome.ran, WYN__V1__RAN__RAN_MAYBE);
	outcome_expected(asker, late + 3, "QUEUE_DEADLINE");
	assert_int_equal(asker->outcome.ran, WYN__V1__RAN__RAN_NO);
	assert_int_equal(keepers(), 1);
	rig_finish_all(rig);
	outcome_expected(asker, timed, "RUN_TIMEOUT");
	assert_int_equal(keepers(), 0);
	assert_int_equal(rig->engine->stats.tasks_expired_approx, 5);
}

static void drain_waits_for_what_is_kept(void **state)
{
	uint64_t id = keep_send(client, 1, 5, "echo", "x");

	(void)state;
	leave();
	rig_client_break(asker);
	rig_drain(rig);
	assert_true(wyn_engine_keeps(rig->engine));
	rig_finish_all(rig);
	assert_false(wyn_engine_keeps(rig->engine));
	assert_true(wyn_keep_find(&rig->engine->keep, id + 4)->ended);
}

static void recalled_one_waits_again_when_it_was_misjudged(void **state)
{
	uint64_t id;

	(void)state;
	again(NULL, ALICE);
	rig_batch_send(client, 1, 100, "echo", NULL);
	rig_finish_all(rig);
	/* Looks fast, and then both workers are at it and do not come back. */
	id = keep_send(client, 1000, 50, "echo", "x");
	assert_int_equal(rig->started_count, 50);
	rig_begin_at(rig, 0);
	rig_begin_at(rig, 1);
	leave();
	for (unsigned i = 0; i < 2; i++) {
		rig_advance(rig, WYN_RECALL_STALL_NS / WYN_NS_PER_MS + 1);
	}
	while (rig->started_count > 2) {
		rig_run_at(rig, 2);
	}
	rig_settle(rig);
	assert_int_equal(rig->engine->stats.tasks_recalled_approx, 48);
	assert_false(outcome_of(asker, id + 49)->ended);
	assert_int_equal(
		asker->listed[0].state, WYN__V1__TASK_STATE__TASK_STATE_QUEUED);
	rig_finish_all(rig);
	for (uint64_t i = 0; i < 50; i++) {
		value_expected(asker, id + i, "x");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(queued_and_running_go_on_when_their_client_goes),
		TEST(others_end_as_ever_when_their_client_goes),
		TEST(submits_that_follow_have_entries_of_their_own),
		TEST(rows_go_to_a_client_that_stays),
		TEST(ended_is_told_before_its_row_is_read),
		TEST(large_value_is_kept_when_its_client_goes),
		TEST(partial_values_are_kept_when_its_client_goes),
		TEST(ended_one_that_waits_for_partials_is_kept),
		TEST(upload_ends_when_its_client_goes),
		TEST(upload_that_is_cancelled_has_ended),
		TEST(cancelled_by_its_client_is_kept),
		TEST(timeout_and_deadline_are_kept_when_its_client_has_gone),
		TEST(drain_waits_for_what_is_kept),
		TEST(recalled_one_waits_again_when_it_was_misjudged),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
