// SPDX-License-Identifier: MIT
/*
 * test_keeper_user.c - what is kept is its user's, within his bounds.
 */
#include "daemon/engine/keeper.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/conn.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/rig_keep_fixture.h"

#define ALICE 1000u
#define BOB   1001u

static void one_keeper_has_all_of_a_user(void **state)
{
	struct rig_client *bob;
	uint64_t id;
	uint64_t second;
	uint64_t bobs;

	(void)state;
	again(NULL, ALICE);
	bob = rig_open_user(rig, BOB);
	id = keep_send(client, 1, 200, "echo", "a");
	second = keep_send(asker, 1, 200, "echo", "b");
	bobs = keep_send(bob, 1, 200, "echo", "c");
	leave();
	rig_client_break(asker);
	rig_client_break(bob);
	rig_settle(rig);
	assert_int_equal(keepers(), 2);
	asker = rig_open_user(rig, ALICE);
	bob = rig_open_user(rig, BOB);
	rig_finish_all(rig);
	value_expected(asker, id + 199, "a");
	value_expected(asker, second, "b");
	value_expected(bob, bobs + 1, "c");
	outcome_send(bob, id, 0);
	assert_string_equal(bob->reply.reason, "TASK_UNKNOWN");
	outcome_send(asker, bobs, 0);
	assert_string_equal(asker->reply.reason, "TASK_UNKNOWN");
}

static void nobody_else_sees_or_ends_it(void **state)
{
	struct rig_client *bob;
	struct rig_client *remote;
	struct rig_client *root;
	uint64_t id;

	(void)state;
	again(NULL, ALICE);
	id = keep_send(client, 1, 1, "ask", "x");
	leave();
	bob = rig_open_user(rig, BOB);
	remote = rig_open(rig);
	root = rig_connect_admin(rig);
	root->conn->peer.local = true;
	rig_preface(root);
	rig_hello(root, 0);
	for (unsigned i = 0; i < 2; i++) {
		logs_send(bob, id, 0, 0);
		assert_string_equal(bob->reply.reason, "TASK_UNKNOWN");
		end_send(bob, id, 0);
		assert_string_equal(bob->reply.reason, "TASK_UNKNOWN");
		outcome_send(remote, id, 0);
		assert_string_equal(remote->reply.reason, "TASK_UNKNOWN");
		list_all(bob);
		assert_int_equal(bob->listed_count, 0);
		list_all(remote);
		assert_int_equal(remote->listed_count, 0);
		list_all(root);
		assert_int_equal(root->listed_count, 1);
		(void)outcome_of(root, id);
		rig_finish_all(rig);
	}
	value_expected(asker, id, "ran");
}

static void keep_is_refused_when_no_user_is_known(void **state)
{
	struct rig_client *remote = rig_open(rig);

	(void)state;
	assert_int_equal(keep_send(remote, 1, 1, "echo", "x"), 0);
	assert_string_equal(rig_reason(remote, 1), "KEEP_LOCAL_ONLY");
	assert_int_equal(
		rig_task(remote, 1)->code, WYN_STATUS_PERMISSION_DENIED);
}

static void keep_is_refused_when_the_user_has_as_many_as_may(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;
	uint64_t id;

	(void)state;
	limits.keep_tasks = 5;
	again(&limits, ALICE);
	assert_int_equal(keep_send(client, 1, 6, "echo", "x"), 0);
	assert_string_equal(rig_reason(client, 6), "KEEP_TASKS_MAX");
	id = keep_send(client, 7, 4, "echo", "x");
	leave();
	assert_int_equal(keep_send(asker, 1, 2, "echo", "y"), 0);
	assert_string_equal(rig_reason(asker, 1), "KEEP_TASKS_MAX");
	rig_finish_all(rig);
	assert_true(keep_send(asker, 3, 5, "echo", "y") != 0);
	rig_finish_all(rig);
	outcome_send(asker, id, 0);
	assert_string_equal(asker->reply.reason, "TASK_UNKNOWN");
	assert_int_equal(rig->engine->stats.kept_evicted_approx, 4);
}

static void users_are_no_more_than_may_when_each_keeps_one(void **state)
{
	struct rig_client *last;

	(void)state;
	for (uint32_t i = 0; i < WYN_KEEPERS_MAX; i++) {
		struct rig_client *one = rig_open_user(rig, 2000 + i);

		assert_true(keep_send(one, 1, 1, "slow", NULL) != 0);
		rig_client_break(one);
	}
	rig_settle(rig);
	assert_int_equal(keepers(), WYN_KEEPERS_MAX);
	last = rig_open_user(rig, 5000);
	assert_int_equal(keep_send(last, 1, 1, "slow", NULL), 0);
	assert_string_equal(rig_reason(last, 1), "KEEP_TASKS_MAX");
	rig_finish_all(rig);
	assert_int_equal(keepers(), 0);
}

static void keepers_have_places_when_connections_have_none(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;
	const struct wyn_peer peer = {.local = true};
	struct wyn_conn *conns[WYN_SLOTS_SPARE];
	size_t n = 0;
	uint64_t id;

	(void)state;
	limits.connections_max = 2;
	again(&limits, ALICE);
	id = keep_send(client, 1, 2, "echo", "x");
	while (n < WYN_SLOTS_SPARE) {
		assert_int_equal(wyn_engine_open(rig->engine, &peer, NULL,
					 rig->now_ns, &conns[n]),
			0);
		n++;
	}
	{
		struct wyn_conn *more;

		assert_int_equal(wyn_engine_open(rig->engine, &peer, NULL,
					 rig->now_ns, &more),
			-EMFILE);
	}
	rig_client_break(client);
	assert_int_equal(keepers(), 1);
	while (n > 0) {
		wyn_conn_gone(conns[--n], rig->now_ns);
	}
	rig_finish_all(rig);
	value_expected(asker, id, "x");
}

static void time_is_another_when_the_limits_are(void **state)
{
	struct wyn_limits limits = rig->engine->limits;
	uint64_t id = keep_send(client, 1, 1, "echo", "x");

	(void)state;
	rig_finish_all(rig);
	rig_advance(rig, 1000);
	value_expected(asker, id, "x");
	limits.keep_ms = 2000;
	wyn_engine_limit(rig->engine, &limits);
	rig_settle(rig);
	value_expected(asker, id, "x");
	assert_true(asker->outcome.ended_ns >= WYN_NS_PER_S);
	rig_advance(rig, 1000);
	outcome_send(asker, id, 0);
	assert_string_equal(asker->reply.reason, "TASK_UNKNOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(one_keeper_has_all_of_a_user),
		TEST(nobody_else_sees_or_ends_it),
		TEST(keep_is_refused_when_no_user_is_known),
		TEST(keep_is_refused_when_the_user_has_as_many_as_may),
		TEST(users_are_no_more_than_may_when_each_keeps_one),
		TEST(keepers_have_places_when_connections_have_none),
		TEST(time_is_another_when_the_limits_are),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
