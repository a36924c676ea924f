// SPDX-License-Identifier: MIT
/*
 * test_conn_later.c - Calls whose answer comes in a later turn: to who asked
 * and is still there, as many as may wait, and when everything is to end.
 */
#include "daemon/engine/conn_later.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

static void answer(const struct wyn_later *later)
{
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;

	reply.code = WYN_STATUS_ABORTED;
	wyn_later_answer(later, &reply);
	rig_settle(rig);
}

static void conn_later_answers_who_asked_when_it_is_there(void **state)
{
	struct wyn_later first;
	struct wyn_later second;

	(void)state;
	assert_true(wyn_conn_later(client->conn, 7, &first));
	assert_true(wyn_conn_later(client->conn, 8, &second));
	answer(&second);
	assert_int_equal(client->replies, 1);
	assert_int_equal(client->reply.call_id, 8);
	assert_int_equal(client->reply.code, WYN_STATUS_ABORTED);
	answer(&first);
	assert_int_equal(client->reply.call_id, 7);
	assert_int_equal(client->replies, 2);
}

static void conn_later_refuses_the_next_when_as_many_wait_as_may(void **state)
{
	struct wyn_later notes[WYN_CALLS_PENDING_MAX];
	struct wyn_later refused;

	(void)state;
	for (uint64_t i = 0; i < WYN_CALLS_PENDING_MAX; i++) {
		assert_true(wyn_conn_later(client->conn, i, &notes[i]));
	}
	assert_false(wyn_conn_later(client->conn, 99, &refused));
	rig_settle(rig);
	assert_int_equal(client->reply.call_id, 99);
	assert_int_equal(client->reply.code, WYN_STATUS_RESOURCE_EXHAUSTED);
	assert_string_equal(client->reply.reason, "CALLS_MAX");
	assert_int_equal(rig->engine->stats.calls_over_max_approx, 1);
	answer(&notes[3]);
	assert_true(wyn_conn_later(client->conn, 99, &refused));
}

static void conn_later_drops_the_answer_when_who_asked_has_gone(void **state)
{
	struct rig_client *other;
	struct wyn_later note;

	(void)state;
	assert_true(wyn_conn_later(client->conn, 7, &note));
	rig_client_break(client);
	other = rig_open(rig); /* in its place */
	answer(&note);
	assert_int_equal(other->replies, 0);
}

static void conn_later_keeps_a_connection_open_when_it_finished(void **state)
{
	struct wyn_later note;

	(void)state;
	assert_true(wyn_conn_later(client->conn, 7, &note));
	rig_finish(client);
	rig_settle(rig);
	assert_non_null(client->conn);
	answer(&note);
	assert_int_equal(client->replies, 1);
	assert_null(client->conn);
	assert_false(client->aborted);
}

static void conn_later_is_given_up_when_a_drain_takes_too_long(void **state)
{
	struct wyn_later note;

	(void)state;
	assert_true(wyn_conn_later(client->conn, 7, &note));
	rig_drain(rig);
	rig_settle(rig);
	assert_non_null(client->conn);
	rig_cancel_all(rig);
	rig_settle(rig);
	assert_int_equal(client->reply.code, WYN_STATUS_CANCELLED);
	assert_string_equal(client->reply.reason, "DRAIN_TIMEOUT");
	assert_null(client->conn);
	answer(&note);
	assert_int_equal(client->replies, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			conn_later_answers_who_asked_when_it_is_there, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			conn_later_refuses_the_next_when_as_many_wait_as_may,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			conn_later_drops_the_answer_when_who_asked_has_gone,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			conn_later_keeps_a_connection_open_when_it_finished,
			setup, teardown),
		cmocka_unit_test_setup_teardown(
			conn_later_is_given_up_when_a_drain_takes_too_long,
			setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
