// SPDX-License-Identifier: MIT
/*
 * test_conn_call.c - reload and modules: who may ask, and what is answered.
 */
#include "daemon/engine/conn_call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/engine/conn_later.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_functions.h"
#include "tests/support/rig_messages.h"

static unsigned reloads;
static struct wyn_later asked;

static int setup(void **state)
{
	(void)state;
	rig = rig_create(NULL, 1);
	client = rig_open(rig);
	reloads = 0;
	return 0;
}

static void reload_note(
	struct wyn_shared *shared, const struct wyn_later *later)
{
	(void)shared;
	reloads++;
	asked = *later;
}

static void reload_send(void)
{
	Wyn__V1__ReloadCall reload = WYN__V1__RELOAD_CALL__INIT;

	rig_call(client, 9, WYN__V1__CALL__WHAT_RELOAD, &reload);
	rig_settle(rig);
}

static void conn_call_reload_is_for_administrators(void **state)
{
	(void)state;
	rig->shared.reload = reload_note;
	reload_send();
	assert_int_equal(client->reply.code, WYN_STATUS_PERMISSION_DENIED);
	assert_string_equal(client->reply.reason, "NOT_ADMINISTRATOR");
	assert_int_equal(reloads, 0);
}

static void conn_call_reload_is_unknown_when_nobody_can(void **state)
{
	(void)state;
	client->conn->peer.administrator = true;
	reload_send();
	assert_int_equal(client->reply.code, WYN_STATUS_UNIMPLEMENTED);
	assert_string_equal(client->reply.reason, "CALL_UNKNOWN");
}

static void conn_call_reload_is_answered_when_it_is_done(void **state)
{
	Wyn__V1__ReloadReply reload = WYN__V1__RELOAD_REPLY__INIT;
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;

	(void)state;
	rig->shared.reload = reload_note;
	client->conn->peer.administrator = true;
	reload_send();
	assert_int_equal(reloads, 1);
	assert_int_equal(client->replies, 0);
	reply.what_case = WYN__V1__REPLY__WHAT_RELOAD;
	reply.reload = &reload;
	wyn_later_answer(&asked, &reply);
	rig_settle(rig);
	assert_int_equal(client->replies, 1);
	assert_int_equal(client->reply.call_id, 9);
	assert_int_equal(client->reply.code, WYN_STATUS_OK);
}

static void modules_send(const char *after, uint32_t limit)
{
	Wyn__V1__ModulesCall modules = WYN__V1__MODULES_CALL__INIT;

	modules.after = wyn_message_text(after);
	modules.limit = limit;
	rig_call(client, 9, WYN__V1__CALL__WHAT_MODULES, &modules);
	rig_settle(rig);
	assert_int_equal(client->reply.code, WYN_STATUS_OK);
}

static void conn_call_lists_modules_after_a_name(void **state)
{
	(void)state;
	modules_send("", 0);
	assert_int_equal(client->reply.modules, 1);
	assert_string_equal(client->reply.first_module, rig_module.name);
	assert_false(client->reply.more);
	modules_send(rig_module.name, 0);
	assert_int_equal(client->reply.modules, 0);
	assert_false(client->reply.more);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(conn_call_reload_is_for_administrators),
		TEST(conn_call_reload_is_unknown_when_nobody_can),
		TEST(conn_call_reload_is_answered_when_it_is_done),
		TEST(conn_call_lists_modules_after_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
