// SPDX-License-Identifier: MIT
/*
 * test_policy.c - who may run which command, with which environment, as whom.
 */
#include "daemon/engine/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/engine.h"
#include "tests/support/engine_rig.h"

#define ENV_MAX	 4
#define OWN_UID	 500u
#define OWN_GID	 501u
#define PEER_UID 1000u
#define PEER_GID 1001u

static char *names[4];
static char *programs[] = {"/bin/true"};
static uint32_t users[] = {7, PEER_UID};
static struct wyn_policy_run_as run_as[] = {
	{7, 0, 0, "postgres"}, {PEER_UID, 70, 71, "postgres"}};
static struct wyn_policy policy;
static struct wyn_peer peer;
static Wyn__V1__Command command;
static ProtobufCBinaryData env[ENV_MAX];
static struct wyn_answer answer;
static uint32_t uid, gid;

/* Commands are on, for the peer too, whose user the spawner may become. */
static int begin(void **state)
{
	(void)state;
	policy = (struct wyn_policy){
		.commands = true,
		.root = true,
		.own_uid = OWN_UID,
		.own_gid = OWN_GID,
		.users = users,
		.users_count = 2,
		.names = names,
		.programs = programs,
		.run_as = run_as,
	};
	peer = (struct wyn_peer){
		.local = true, .uid = PEER_UID, .gid = PEER_GID};
	wyn__v1__command__init(&command);
	command.env = env;
	uid = gid = 12345;
	return 0;
}

static void set(const char *variable)
{
	assert_true(command.n_env < ENV_MAX);
	env[command.n_env++] = (ProtobufCBinaryData){
		strlen(variable), (uint8_t *)(uintptr_t)variable};
}

static void list(char *name)
{
	names[policy.names_count++] = name;
}

static bool decide(void)
{
	return wyn_policy_decide(&policy, &peer, &command, &uid, &gid, &answer);
}

static void refused(enum wyn_refusal refusal, const char *key)
{
	const struct wyn_refusal_entry *entry = wyn_refusal_of(refusal);

	assert_false(decide());
	assert_int_equal(answer.refusal, refusal);
	assert_int_equal(entry->status, WYN_STATUS_PERMISSION_DENIED);
	assert_int_equal(entry->ran, WYN__V1__RAN__RAN_NO);
	assert_non_null(
		strstr(answer.text != NULL ? answer.text : entry->text, key));
	assert_int_equal(uid, 12345);
	assert_int_equal(gid, 12345);
}

/* That variable alone. */
static bool may_set(const char *variable)
{
	command.n_env = 0;
	set(variable);
	return decide();
}

static void policy_refuses_all_when_commands_are_off(void **state)
{
	(void)state;
	policy.commands = false;
	peer.uid = 0;
	refused(WYN_REFUSAL_COMMANDS_OFF, "commands = yes in wynd.conf");
	assert_false(
		wyn_policy_decide(NULL, &peer, &command, &uid, &gid, &answer));
	assert_int_equal(answer.refusal, WYN_REFUSAL_COMMANDS_OFF);
}

static void policy_refuses_who_is_not_local_whatever_it_says(void **state)
{
	(void)state;
	peer.local = false;
	peer.administrator = true;
	refused(WYN_REFUSAL_COMMANDS_LOCAL_ONLY, "Unix sockets");
	/* The uid of nobody known is 0. */
	peer.uid = 0;
	policy.users_count = 0;
	refused(WYN_REFUSAL_COMMANDS_LOCAL_ONLY, "Unix sockets");
}

static void policy_lets_root_and_its_own_user_when_none_is_listed(void **state)
{
	(void)state;
	policy.users_count = 0;
	refused(WYN_REFUSAL_COMMAND_USERS, "command_users");
	peer.uid = 0;
	assert_true(decide());
	peer.uid = OWN_UID;
	assert_true(decide());
}

static void policy_lets_those_alone_who_are_listed(void **state)
{
	(void)state;
	assert_true(decide());
	peer.uid = 7;
	assert_true(decide());
	uid = gid = 12345;
	peer.uid = OWN_UID;
	refused(WYN_REFUSAL_COMMAND_USERS, "command_users");
	peer.uid = 0;
	refused(WYN_REFUSAL_COMMAND_USERS, "command_users");
}

static void policy_runs_as_the_peer_when_the_spawner_may(void **state)
{
	(void)state;
	assert_true(decide());
	assert_int_equal(uid, PEER_UID);
	assert_int_equal(gid, PEER_GID);
}

static void policy_runs_as_itself_when_the_spawner_may_not(void **state)
{
	(void)state;
	policy.root = false;
	assert_true(decide());
	assert_int_equal(uid, OWN_UID);
	assert_int_equal(gid, OWN_GID);
}

static void policy_runs_as_who_the_table_has_for_the_peer(void **state)
{
	(void)state;
	policy.run_as_count = 2;
	command.run_as = "postgres";
	assert_true(decide());
	assert_int_equal(uid, 70);
	assert_int_equal(gid, 71);
}

static void policy_refuses_to_run_as_who_is_not_in_the_table(void **state)
{
	(void)state;
	command.run_as = "postgres";
	refused(WYN_REFUSAL_COMMAND_RUN_AS, "as postgres is not");
	policy.run_as_count = 1; /* somebody else's */
	refused(WYN_REFUSAL_COMMAND_RUN_AS, "command_run_as");
	policy.run_as_count = 2;
	command.run_as = "post\xff\n";
	refused(WYN_REFUSAL_COMMAND_RUN_AS, "as post?? is not");
	command.run_as = "root";
	peer.uid = 0;
	policy.users_count = 0;
	refused(WYN_REFUSAL_COMMAND_RUN_AS, "command_run_as");
}

static void policy_lets_any_variable_when_nothing_restricts(void **state)
{
	(void)state;
	assert_true(may_set("LD_PRELOAD=/tmp/x.so"));
	assert_true(may_set("FOO=1"));
}

static void policy_lets_few_variables_when_programs_are_listed(void **state)
{
	static const char *const variables[] = {"HOME=/", "LANG=C", "PATH=/bin",
		"TERM=", "USER", "LC_ALL=C", "TZ=UTC"};

	(void)state;
	policy.programs_count = 1;
	for (size_t i = 0; i < WYN_COUNT_OF(variables); i++) {
		assert_true(may_set(variables[i]));
	}
	uid = gid = 12345;
	set("FOO=1");
	refused(WYN_REFUSAL_COMMAND_ENV, "variable FOO may not");
	command.n_env = 0;
	set("HOMES=1");
	refused(WYN_REFUSAL_COMMAND_ENV, "command_env");
	command.n_env = 0;
	set("");
	refused(WYN_REFUSAL_COMMAND_ENV, "command_env");
	command.n_env = 0;
	set("=LC_");
	refused(WYN_REFUSAL_COMMAND_ENV, "command_env");
}

static void policy_lets_few_variables_when_another_user_is_meant(void **state)
{
	(void)state;
	policy.run_as_count = 2;
	command.run_as = "postgres";
	assert_true(may_set("LC_TIME=C"));
	assert_false(may_set("FOO=1"));
	command.run_as = "";
	assert_true(may_set("FOO=1"));
}

/* libc would open it, whatever it is, with the rights of that user. */
static void policy_lets_a_zone_name_no_file_where_that_is_more(void **state)
{
	static const char *const files[] = {"TZ=/dev/st0", "TZ=:/home/me/x",
		"TZ=../../../home/me/x", "TZ=Europe/../../x"};
	static const char *const zones[] = {
		"TZ=", "TZ=:Europe/Berlin", "TZ=CET-1CEST"};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(files); i++) {
		policy.programs_count = 0;
		assert_true(may_set(files[i]));
		policy.programs_count = 1;
		assert_false(may_set(files[i]));
	}
	for (size_t i = 0; i < WYN_COUNT_OF(zones); i++) {
		assert_true(may_set(zones[i]));
	}
	list("TZ");
	assert_true(may_set(files[0]));
}

static void policy_lets_the_listed_variables_alone(void **state)
{
	(void)state;
	list("FOO");
	list("BAR_*");
	assert_true(may_set("FOO=1"));
	assert_true(may_set("BAR_=1"));
	assert_true(may_set("BAR_BAZ=1"));
	assert_true(may_set("HOME=/"));
	assert_false(may_set("FOOT=1"));
	assert_false(may_set("FO=1"));
	assert_false(may_set("BAR=1"));
	assert_false(may_set("LC_ALL=C"));
	policy.programs_count = 1;
	assert_true(may_set("BAR_BAZ=1"));
	assert_false(may_set("LC_ALL=C"));
}

static void policy_lets_the_loaders_variables_only_by_their_name(void **state)
{
	static const char *const variables[] = {
		"LD_PRELOAD=x", "GCONV_PATH=x", "GLIBC_TUNABLES=x"};

	(void)state;
	list("*");
	list("L*");
	for (size_t i = 0; i < WYN_COUNT_OF(variables); i++) {
		assert_true(may_set(variables[i]));
	}
	policy.programs_count = 1;
	assert_true(may_set("FOO=1"));
	for (size_t i = 0; i < WYN_COUNT_OF(variables); i++) {
		assert_false(may_set(variables[i]));
	}
	list("LD_*");
	list("GCONV_PATH");
	assert_true(may_set(variables[0]));
	assert_true(may_set(variables[1]));
	assert_false(may_set(variables[2]));
}

static void policy_looks_at_every_variable(void **state)
{
	(void)state;
	list("A*");
	set("A=1");
	set("A2=1");
	set("B\n\x80=1");
	refused(WYN_REFUSAL_COMMAND_ENV, "variable B?? may not");
}

static void policy_cuts_what_a_message_names(void **state)
{
	static char variable[1000];

	(void)state;
	memset(variable, 'V', sizeof(variable) - 1);
	list("A*");
	set(variable);
	refused(WYN_REFUSAL_COMMAND_ENV, "command_env");
	assert_true(strlen(answer.text) < WYN_VERDICT_TEXT_BYTES_MAX - 1);
	assert_true(answer.text_borrowed);
}

static void policy_lives_until_the_last_lets_go(void **state)
{
	struct wyn_policy *held = wyn_policy_create();

	(void)state;
	assert_non_null(held);
	assert_ptr_equal(wyn_policy_hold(held), held);
	wyn_policy_release(held);
	held->commands = true;
	wyn_policy_release(held);
	assert_null(wyn_policy_hold(NULL));
	wyn_policy_release(NULL);
}

static uint32_t holders_of(const struct wyn_policy *held)
{
	return atomic_load_explicit(&held->holders, memory_order_relaxed);
}

static void engine_holds_the_last_policy_it_was_given(void **state)
{
	struct rig *rig = rig_create(NULL, 1);
	struct wyn_policy *first = wyn_policy_create();
	struct wyn_policy *second = wyn_policy_create();

	(void)state;
	assert_non_null(first);
	assert_non_null(second);
	wyn_engine_policy(rig->engine, first);
	assert_int_equal(holders_of(first), 2);
	wyn_engine_policy(rig->engine, first);
	assert_int_equal(holders_of(first), 2);
	wyn_engine_policy(rig->engine, second);
	assert_int_equal(holders_of(first), 1);
	assert_int_equal(holders_of(second), 2);
	rig_destroy(rig);
	assert_int_equal(holders_of(second), 1);
	wyn_policy_release(first);
	wyn_policy_release(second);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
	const struct CMUnitTest tests[] = {
		TEST(policy_refuses_all_when_commands_are_off),
		TEST(policy_refuses_who_is_not_local_whatever_it_says),
		TEST(policy_lets_root_and_its_own_user_when_none_is_listed),
		TEST(policy_lets_those_alone_who_are_listed),
		TEST(policy_runs_as_the_peer_when_the_spawner_may),
		TEST(policy_runs_as_itself_when_the_spawner_may_not),
		TEST(policy_runs_as_who_the_table_has_for_the_peer),
		TEST(policy_refuses_to_run_as_who_is_not_in_the_table),
		TEST(policy_lets_any_variable_when_nothing_restricts),
		TEST(policy_lets_few_variables_when_programs_are_listed),
		TEST(policy_lets_few_variables_when_another_user_is_meant),
		TEST(policy_lets_a_zone_name_no_file_where_that_is_more),
		TEST(policy_lets_the_listed_variables_alone),
		TEST(policy_lets_the_loaders_variables_only_by_their_name),
		TEST(policy_looks_at_every_variable),
		TEST(policy_cuts_what_a_message_names),
		TEST(policy_lives_until_the_last_lets_go),
		TEST(engine_holds_the_last_policy_it_was_given),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
