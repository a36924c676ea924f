// SPDX-License-Identifier: MIT
/*
 * test_drain.c - the daemon finishes what it accepted, and gives up what takes
 * too long.
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
	(void)state;
	rig = rig_create(NULL, 1);
	client = rig_open(rig);
	return 0;
}

static void drain_closes_whoever_has_nothing_open(void **state)
{
	(void)state;
	rig_drain(rig);
	assert_int_equal(client->go_aways, 1);
	assert_int_equal(client->last_seq, 0);
	assert_null(client->conn);
	assert_false(client->aborted);
}

static void drain_closes_whoever_said_no_hello(void **state)
{
	struct rig_client *silent = rig_connect(rig);

	(void)state;
	rig_drain(rig);
	assert_null(silent->conn);
}

static void drain_answers_what_was_accepted(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 10, "ask", NULL);
	rig_settle(rig);
	rig_drain(rig);
	assert_int_equal(client->last_seq, 10);
	assert_non_null(client->conn);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 10);
	assert_null(client->conn);
}

static void drain_refuses_what_comes_later(void **state)
{
	(void)state;
	rig_task_send(client, 1, "ask", NULL);
	rig_drain(rig);
	rig_task_send(client, 2, "ask", NULL);
	rig_settle(rig);
	assert_string_equal(rig_task(client, 2)->reason, "DRAINING");
	assert_int_equal(
		rig_task(client, 2)->code, WYN_STATUS_FAILED_PRECONDITION);
	assert_non_null(client->conn);
	rig_finish_all(rig);
	assert_null(client->conn);
}

static void drain_takes_the_rest_of_an_argument(void **state)
{
	const uint64_t size = 3;
	const struct rig_submit submit = {
		.first_seq = 1, .function = "echo", .count = 1, .sizes = &size};

	(void)state;
	rig_submit(client, &submit);
	rig_drain(rig);
	rig_chunk(client, 1, 0, "yes", true);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 1);
	assert_null(client->conn);
}

static void drain_twice_says_so_once(void **state)
{
	(void)state;
	rig_task_send(client, 1, "ask", NULL);
	rig_drain(rig);
	rig_drain(rig);
	assert_int_equal(client->go_aways, 1);
}

static void drain_tells_whoever_comes_later(void **state)
{
	struct rig_client *late;

	(void)state;
	rig_drain(rig);
	late = rig_open(rig);
	assert_int_equal(late->welcomes, 1);
	assert_int_equal(late->go_aways, 1);
	assert_null(late->conn);
}

static void drain_by_call_is_for_administrators(void **state)
{
	Wyn__V1__DrainCall drain = WYN__V1__DRAIN_CALL__INIT;
	struct rig_client *admin = rig_connect_admin(rig);

	(void)state;
	rig_call(client, 3, WYN__V1__CALL__WHAT_DRAIN, &drain);
	rig_settle(rig);
	assert_int_equal(client->reply.code, WYN_STATUS_PERMISSION_DENIED);
	assert_string_equal(client->reply.reason, "NOT_ADMINISTRATOR");
	assert_int_equal(rig->drain_calls, 0);
	rig_preface(admin);
	rig_hello(admin, 0);
	rig_task_send(client, 1, "ask", NULL);
	rig_call(admin, 3, WYN__V1__CALL__WHAT_DRAIN, &drain);
	rig_settle(rig);
	assert_int_equal(admin->reply.code, WYN_STATUS_OK);
	assert_int_equal(admin->reply.unfinished, 1);
	assert_int_equal(rig->drain_calls, 1);
}

static void cancel_all_answers_what_waits_and_what_runs(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 5, "ask", NULL);
	rig_drain(rig);
	assert_true(rig->started_count < 5);
	rig_cancel_all(rig);
	assert_int_equal(client->rows, 5);
	for (uint64_t seq = 1; seq <= 5; seq++) {
		assert_int_equal(
			rig_task(client, seq)->code, WYN_STATUS_CANCELLED);
		assert_string_equal(
			rig_task(client, seq)->reason, "DRAIN_TIMEOUT");
	}
	assert_int_equal(rig_task(client, 5)->ran, WYN__V1__RAN__RAN_NO);
	assert_null(client->conn);
}

static void cancel_all_waits_for_what_runs_to_return(void **state)
{
	(void)state;
	rig_task_send(client, 1, "ask", NULL);
	rig_settle(rig);
	rig_drain(rig);
	rig_cancel_all(rig);
	assert_int_equal(rig->engine->unfinished, 1);
	rig_finish_all(rig);
	assert_int_equal(rig->engine->unfinished, 0);
}

static void cancel_all_ends_an_argument_on_its_way(void **state)
{
	const uint64_t size = 3;
	const struct rig_submit submit = {
		.first_seq = 1, .function = "echo", .count = 1, .sizes = &size};

	(void)state;
	rig_submit(client, &submit);
	rig_drain(rig);
	rig_cancel_all(rig);
	assert_string_equal(rig_task(client, 1)->reason, "DRAIN_TIMEOUT");
	assert_null(client->conn);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(drain_closes_whoever_has_nothing_open),
		TEST(drain_closes_whoever_said_no_hello),
		TEST(drain_answers_what_was_accepted),
		TEST(drain_refuses_what_comes_later),
		TEST(drain_takes_the_rest_of_an_argument),
		TEST(drain_twice_says_so_once),
		TEST(drain_tells_whoever_comes_later),
		TEST(drain_by_call_is_for_administrators),
		TEST(cancel_all_answers_what_waits_and_what_runs),
		TEST(cancel_all_waits_for_what_runs_to_return),
		TEST(cancel_all_ends_an_argument_on_its_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
