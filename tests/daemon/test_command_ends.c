// SPDX-License-Identifier: MIT
/*
 * test_command_ends.c - commands that are ended early: by their client, by
 * time, and with their connection or the daemon.
 */
#include "daemon/engine/conn_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/conn.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/rig_command_fixture.h"

static void cancel_answers_a_queued_one_at_once(void **state)
{
	(void)state;
	run(4, plain);
	rig_cancel(client, 3, 1);
	settle();
	row_expected(3, WYN_STATUS_CANCELLED, "CANCELLED_BY_CLIENT",
		WYN__V1__RAN__RAN_NO);
	assert_false(rig_task(client, 3)->has_usage);
	assert_int_equal(client->rows, 1);
	rig_process_exit(rig_process(rig, 1), 0);
	settle();
	assert_null(rig_process(rig, 3));
	assert_non_null(rig_process(rig, 4));
}

static void cancel_stops_a_running_one_with_the_usual_grace(void **state)
{
	struct wyn_process *process;

	(void)state;
	run(2, plain);
	rig_cancel(client, 1, 1);
	settle();
	process = rig_process(rig, 1);
	assert_int_equal(process->stops, 1);
	assert_int_equal(process->grace_ms, GRACE_MS);
	assert_int_equal(rig_process(rig, 2)->stops, 0);
	assert_int_equal(client->rows, 0);
	rig_process_die(process, 15);
	settle();
	row_expected(1, WYN_STATUS_CANCELLED, "CANCELLED_BY_CLIENT",
		WYN__V1__RAN__RAN_YES);
	assert_int_equal(rig_task(client, 1)->signal, 15);
}

static void cancel_says_its_own_grace(void **state)
{
	(void)state;
	run(1, plain);
	rig_cancel_grace(client, 1, 1, 50);
	settle();
	assert_int_equal(rig_process(rig, 1)->grace_ms, 50);
}

static void cancel_says_a_shorter_grace_when_it_comes_again(void **state)
{
	(void)state;
	run(1, plain);
	rig_cancel(client, 1, 1);
	rig_cancel_grace(client, 1, 1, 10);
	settle();
	assert_int_equal(rig_process(rig, 1)->stops, 2);
	assert_int_equal(rig_process(rig, 1)->grace_ms, 10);
	rig_process_die(rig_process(rig, 1), 9);
	settle();
	assert_int_equal(client->rows, 1);
}

static void cancel_is_ok_when_it_exits_with_0_all_the_same(void **state)
{
	(void)state;
	run(1, plain);
	rig_cancel(client, 1, 1);
	settle();
	rig_process_exit(rig_process(rig, 1), 0);
	settle();
	assert_int_equal(rig_task(client, 1)->code, WYN_STATUS_OK);
	assert_true(rig_task(client, 1)->has_usage);
}

static void cancel_finds_a_running_one_by_its_id(void **state)
{
	(void)state;
	run(1, (struct wyn_submit_options){.accept = true});
	rig_cancel_id(client, client->accepted_id);
	settle();
	assert_int_equal(rig_process(rig, 1)->stops, 1);
}

static void cancel_of_one_that_has_ended_asks_nobody(void **state)
{
	(void)state;
	run(1, plain);
	rig_process_exit(rig_process(rig, 1), 0);
	settle();
	rig_cancel(client, 1, 1);
	settle();
	assert_int_equal(client->rows, 1);
}

static void timeout_stops_it_once_and_is_answered_when_it_is_back(void **state)
{
	(void)state;
	run(1, (struct wyn_submit_options){.timeout_ms = 100});
	rig_process_begin(rig_process(rig, 1));
	rig_advance(rig, 99);
	assert_int_equal(rig_process(rig, 1)->stops, 0);
	rig_advance(rig, 1);
	assert_int_equal(rig_process(rig, 1)->stops, 1);
	assert_int_equal(rig_process(rig, 1)->grace_ms, GRACE_MS);
	rig_advance(rig, 500);
	assert_int_equal(rig_process(rig, 1)->stops, 1);
	assert_int_equal(client->rows, 0);
	rig_process_exit(rig_process(rig, 1), 0);
	settle();
	row_expected(1, WYN_STATUS_DEADLINE_EXCEEDED, "RUN_TIMEOUT",
		WYN__V1__RAN__RAN_YES);
	assert_int_equal(counter(WYN_REFUSAL_RUN_TIMEOUT), 1);
	assert_true(rig_task(client, 1)->has_usage);
}

static void timeout_counts_from_the_start_of_the_command(void **state)
{
	(void)state;
	run(1, (struct wyn_submit_options){.timeout_ms = 100});
	rig_advance(rig, 80);
	rig_process_begin(rig_process(rig, 1));
	rig_advance(rig, 80);
	assert_int_equal(rig_process(rig, 1)->stops, 0);
	rig_advance(rig, 20);
	assert_int_equal(rig_process(rig, 1)->stops, 1);
}

static void deadline_answers_a_queued_one_at_once(void **state)
{
	(void)state;
	run(2, plain);
	rig_run_send(client, 3, 1, NULL,
		(struct wyn_submit_options){.deadline_ms = 100});
	rig_advance(rig, 100);
	row_expected(3, WYN_STATUS_DEADLINE_EXCEEDED, "QUEUE_DEADLINE",
		WYN__V1__RAN__RAN_NO);
	assert_int_equal(client->rows, 1);
}

static void deadline_stops_a_running_one(void **state)
{
	(void)state;
	run(1, (struct wyn_submit_options){.deadline_ms = 100});
	rig_process_begin(rig_process(rig, 1));
	rig_advance(rig, 100);
	assert_int_equal(rig_process(rig, 1)->stops, 1);
	assert_int_equal(client->rows, 0);
	rig_process_die(rig_process(rig, 1), 15);
	settle();
	row_expected(1, WYN_STATUS_DEADLINE_EXCEEDED, "QUEUE_DEADLINE",
		WYN__V1__RAN__RAN_YES);
}

/* The reason of the row is the first one. */
static void cancel_does_not_hide_the_timeout_before_it(void **state)
{
	(void)state;
	run(1, (struct wyn_submit_options){.timeout_ms = 100});
	rig_process_begin(rig_process(rig, 1));
	rig_advance(rig, 100);
	rig_cancel_grace(client, 1, 1, 5);
	settle();
	assert_int_equal(rig_process(rig, 1)->stops, 2);
	rig_process_die(rig_process(rig, 1), 9);
	settle();
	assert_string_equal(rig_reason(client, 1), "RUN_TIMEOUT");
}

static void disconnect_drops_what_waits_and_stops_what_runs(void **state)
{
	struct wyn_process *process;

	(void)state;
	run(5, plain);
	process = rig_process(rig, 1);
	rig_client_break(client);
	settle();
	assert_int_equal(process->stops, 1);
	assert_int_equal(process->grace_ms, GRACE_MS);
	assert_int_equal(rig->engine->unfinished, 2);
	rig_process_die(process, 15);
	rig_process_die(rig_process(rig, 2), 15);
	settle();
	assert_int_equal(rig->commands->started, 2);
	assert_int_equal(rig->engine->unfinished, 0);
}

static void disconnect_forgets_output_that_comes_later(void **state)
{
	struct wyn_process *process;

	(void)state;
	run(1, (struct wyn_submit_options){.stream = true});
	process = rig_process(rig, 1);
	rig_process_say(process, "before");
	rig_client_break(client);
	rig_process_say(process, "after");
	settle();
	assert_int_equal(process->sents, 2);
	assert_int_equal(atomic_load(&process->task->partial_unsent_bytes), 0);
	rig_process_say(process, "at last");
	rig_process_exit(process, 0);
	settle();
	assert_int_equal(rig->engine->unfinished, 0);
}

static void drain_waits_for_what_runs_and_what_waits(void **state)
{
	(void)state;
	run(3, plain);
	rig_drain(rig);
	assert_int_equal(client->go_aways, 1);
	assert_int_equal(rig_process(rig, 1)->stops, 0);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 3);
	assert_null(client->conn);
}

static void drain_answers_all_at_once_when_it_gives_up(void **state)
{
	struct wyn_process *process;

	(void)state;
	run(3, (struct wyn_submit_options){.stream = true});
	process = rig_process(rig, 1);
	rig_process_begin(process);
	process->task->batch->command->grace_ms = 10 * WYN_DRAIN_GRACE_MS;
	rig_drain(rig);
	rig_cancel_all(rig);
	assert_int_equal(client->rows, 3);
	row_expected(1, WYN_STATUS_CANCELLED, "DRAIN_TIMEOUT",
		WYN__V1__RAN__RAN_YES);
	row_expected(2, WYN_STATUS_CANCELLED, "DRAIN_TIMEOUT",
		WYN__V1__RAN__RAN_MAYBE);
	row_expected(
		3, WYN_STATUS_CANCELLED, "DRAIN_TIMEOUT", WYN__V1__RAN__RAN_NO);
	assert_true(process->stops >= 1);
	/* The daemon waits no longer than that for it. */
	assert_int_equal(process->grace_ms, WYN_DRAIN_GRACE_MS);
	/* Nothing follows the row. */
	rig_process_say(process, "late");
	rig_process_exit(process, 0);
	settle();
	assert_int_equal(rig->commands->count, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(cancel_answers_a_queued_one_at_once),
		TEST(cancel_stops_a_running_one_with_the_usual_grace),
		TEST(cancel_says_its_own_grace),
		TEST(cancel_says_a_shorter_grace_when_it_comes_again),
		TEST(cancel_is_ok_when_it_exits_with_0_all_the_same),
		TEST(cancel_finds_a_running_one_by_its_id),
		TEST(cancel_of_one_that_has_ended_asks_nobody),
		TEST(timeout_stops_it_once_and_is_answered_when_it_is_back),
		TEST(timeout_counts_from_the_start_of_the_command),
		TEST(deadline_answers_a_queued_one_at_once),
		TEST(deadline_stops_a_running_one),
		TEST(cancel_does_not_hide_the_timeout_before_it),
		TEST(disconnect_drops_what_waits_and_stops_what_runs),
		TEST(disconnect_forgets_output_that_comes_later),
		TEST(drain_waits_for_what_runs_and_what_waits),
		TEST(drain_answers_all_at_once_when_it_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
