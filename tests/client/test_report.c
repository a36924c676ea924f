// SPDX-License-Identifier: MIT
/*
 * test_report.c - lists, explanations, modules and reloads, from a server whose
 * answers are written beforehand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <wyn/client.h>

#include "tests/support/script_client.h"

/* A page with two tasks. */
static void list_put(uint64_t first, uint64_t second, bool more)
{
	char name[] = "echo";
	Wyn__V1__Task tasks[] = {WYN__V1__TASK__INIT, WYN__V1__TASK__INIT};
	Wyn__V1__Task *pointers[] = {&tasks[0], &tasks[1]};
	Wyn__V1__ListReply list = WYN__V1__LIST_REPLY__INIT;
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;

	tasks[0].id = first;
	tasks[0].function = name;
	tasks[0].state = WYN__V1__TASK_STATE__TASK_STATE_RUNNING;
	tasks[1].id = second;
	list.tasks = pointers;
	list.n_tasks = 2;
	list.more = more;
	reply.what_case = WYN__V1__REPLY__WHAT_LIST;
	reply.list = &list;
	reply_put(&reply);
}

static void note(const char *word, uint64_t number)
{
	size_t used = strlen(seen);

	(void)snprintf(seen + used, sizeof(seen) - used, "%s%llu ", word,
		(unsigned long long)number);
}

static int each_task(void *context, const struct wyn_client_task *task)
{
	note(task->function, task->id);
	return context != NULL ? *(int *)context : 0;
}

static void report_lists_all_when_tasks_come_in_pages(void **state)
{
	(void)state;
	list_put(3, 5, true);
	list_put(6, 9, false);
	connect_now();
	assert_int_equal(0, wyn_client_list(client, WYN_CLIENT_FOREVER, NULL,
				    each_task, NULL));
	assert_string_equal("echo3 5 echo6 9 ", seen);
}

static void report_lists_no_more_than_the_limit(void **state)
{
	const struct wyn_client_filter filter = {.limit = 3};

	(void)state;
	list_put(3, 5, true);
	list_put(6, 9, true);
	connect_now();
	assert_int_equal(0, wyn_client_list(client, WYN_CLIENT_FOREVER, &filter,
				    each_task, NULL));
	assert_string_equal("echo3 5 echo6 ", seen);
}

static void report_ends_a_list_when_the_caller_says_so(void **state)
{
	int enough = 7;

	(void)state;
	list_put(3, 5, true);
	connect_now();
	assert_int_equal(7, wyn_client_list(client, WYN_CLIENT_FOREVER, NULL,
				    each_task, &enough));
	assert_string_equal("echo3 ", seen);
}

static void report_ends_the_connection_when_ids_do_not_ascend(void **state)
{
	(void)state;
	list_put(3, 3, true);
	connect_now();
	assert_int_equal(-EPROTO, wyn_client_list(client, WYN_CLIENT_FOREVER,
					  NULL, each_task, NULL));
	assert_string_equal(
		"PROTOCOL_VIOLATION", wyn_client_error(client)->reason);
}

static void report_refuses_a_filter_that_is_no_text(void **state)
{
	const struct wyn_client_filter filter = {.function = "\xff"};

	(void)state;
	connect_now();
	assert_int_equal(-EINVAL, wyn_client_list(client, WYN_CLIENT_FOREVER,
					  &filter, each_task, NULL));
	assert_string_equal("FUNCTION_NAME", wyn_client_error(client)->reason);
}

static void report_explains_a_task(void **state)
{
	const struct wyn_client_which which = {.id = 7};
	struct wyn_client_explanation told;
	char message[] = "its turn comes";
	Wyn__V1__Task task = WYN__V1__TASK__INIT;
	Wyn__V1__ExplainReply explain = WYN__V1__EXPLAIN_REPLY__INIT;
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;

	(void)state;
	task.id = 7;
	explain.task = &task;
	explain.why = WYN__V1__WHY__WHY_TURN;
	explain.message = message;
	explain.ahead = 3;
	reply.what_case = WYN__V1__REPLY__WHAT_EXPLAIN;
	reply.explain = &explain;
	reply_put(&reply);
	explain.task = NULL;
	reply_put(&reply);
	connect_now();
	assert_int_equal(0,
		wyn_client_explain(client, WYN_CLIENT_FOREVER, &which, &told));
	assert_int_equal(7, told.task.id);
	assert_int_equal(WYN_CLIENT_WHY_TURN, told.why);
	assert_int_equal(3, told.ahead);
	assert_string_equal("its turn comes", told.message);
	assert_string_equal("", told.task.function);
	assert_int_equal(-EPROTO,
		wyn_client_explain(client, WYN_CLIENT_FOREVER, &which, &told));
}

static int each_module(void *context, const struct wyn_client_module *module)
{
	(void)context;
	note(module->name, module->functions);
	return 0;
}

static void modules_put(const char *name, bool more)
{
	Wyn__V1__Module module = WYN__V1__MODULE__INIT;
	Wyn__V1__Module *modules[] = {&module};
	Wyn__V1__ModulesReply list = WYN__V1__MODULES_REPLY__INIT;
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;

	module.name = wyn_message_text(name);
	module.functions = 4;
	list.modules = modules;
	list.n_modules = 1;
	list.more = more;
	reply.what_case = WYN__V1__REPLY__WHAT_MODULES;
	reply.modules = &list;
	reply_put(&reply);
}

static void report_lists_modules_in_pages(void **state)
{
	(void)state;
	modules_put("diag", true);
	modules_put("digest", false);
	modules_put("zstd", true);
	modules_put("zstd", true);
	connect_now();
	assert_int_equal(0, wyn_client_modules(client, WYN_CLIENT_FOREVER,
				    each_module, NULL));
	assert_string_equal("diag4 digest4 ", seen);
	assert_int_equal(-EPROTO, wyn_client_modules(client, WYN_CLIENT_FOREVER,
					  each_module, NULL));
}

static int each_change(void *context, const struct wyn_client_change *change)
{
	(void)context;
	note(change->what, change->restart);
	note(change->before, 0);
	note(change->after, 0);
	return 0;
}

static void report_tells_what_a_reload_changed(void **state)
{
	char what[] = "max-tasks";
	char before[] = "b";
	char after[] = "a";
	Wyn__V1__Change change = WYN__V1__CHANGE__INIT;
	Wyn__V1__Change *changes[] = {&change};
	Wyn__V1__ReloadReply reload = WYN__V1__RELOAD_REPLY__INIT;
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;

	(void)state;
	change.what = what;
	change.old_value = before;
	change.new_value = after;
	change.restart = true;
	reload.changes = changes;
	reload.n_changes = 1;
	reply.what_case = WYN__V1__REPLY__WHAT_RELOAD;
	reply.reload = &reload;
	reply_put(&reply);
	connect_now();
	assert_int_equal(0, wyn_client_reload(client, WYN_CLIENT_FOREVER,
				    each_change, NULL));
	assert_string_equal("max-tasks1 b0 a0 ", seen);
}

static void report_says_why_when_it_is_refused(void **state)
{
	char reason[] = "TASK_UNKNOWN";
	const struct wyn_client_which which = {.seq = 7};
	struct wyn_client_explanation told;
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;

	(void)state;
	reply.code = WYN_STATUS_NOT_FOUND;
	reply.reason = reason;
	reply_put(&reply);
	connect_now();
	assert_int_equal(-EREMOTEIO,
		wyn_client_explain(client, WYN_CLIENT_FOREVER, &which, &told));
	assert_int_equal(
		WYN_STATUS_NOT_FOUND, wyn_client_error(client)->status);
	assert_string_equal("TASK_UNKNOWN", wyn_client_error(client)->reason);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(report_lists_all_when_tasks_come_in_pages),
		TEST(report_lists_no_more_than_the_limit),
		TEST(report_ends_a_list_when_the_caller_says_so),
		TEST(report_ends_the_connection_when_ids_do_not_ascend),
		TEST(report_refuses_a_filter_that_is_no_text),
		TEST(report_explains_a_task),
		TEST(report_lists_modules_in_pages),
		TEST(report_tells_what_a_reload_changed),
		TEST(report_says_why_when_it_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
