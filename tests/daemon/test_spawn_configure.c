// SPDX-License-Identifier: MIT
/*
 * test_spawn_configure.c - what a spawner is told first.
 */
#include "daemon/spawn/spawn_executor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/support/spawn_rig.h"

static struct spawn_rig rig;

static int begin(void **state)
{
	(void)state;
	spawn_rig_init(&rig);
	return 0;
}

static int end(void **state)
{
	(void)state;
	spawn_rig_fini(&rig);
	return 0;
}

static const struct wyn_rlimit rlimits[] = {
	{RLIMIT_NOFILE, 1024, UINT64_MAX}, {RLIMIT_NPROC, 9, 9}};
static const char *const programs[] = {"/bin/true", "/bin/a b"};

static void spawner_is_told_all_of_the_configuration(void **state)
{
	struct spawn_rig_request request;
	const Wyn__Spawn__V1__Configure *configure;
	struct spawn_rig_task *task;

	(void)state;
	rig.config.commands_max = 7;
	rig.config.programs = programs;
	rig.config.programs_count = 2;
	rig.config.umask = 077;
	rig.config.rlimits = rlimits;
	rig.config.rlimits_count = 2;
	rig.config.private_tmp = true;
	rig.config.cgroup = "/c";
	rig.config.ledger = "/l";
	spawn_rig_executor(&rig);
	task = spawn_rig_task(&rig, 100, (struct wyn_slice){NULL, 0});
	spawn_rig_start(&rig, task);
	rig.link = accept4(rig.listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(rig.link >= 0);
	spawn_rig_turn(&rig);
	spawn_rig_receive(&rig, &request);
	assert_int_equal(request.message->what_case,
		WYN__SPAWN__V1__REQUEST__WHAT_CONFIGURE);
	configure = request.message->configure;
	assert_int_equal(configure->version, WYN_SPAWN_VERSION);
	assert_int_equal(configure->commands_max, 7);
	assert_int_equal(configure->n_programs, 2);
	assert_int_equal(configure->programs[1].len, 8);
	assert_memory_equal(configure->programs[1].data, "/bin/a b", 8);
	assert_int_equal(configure->umask, 077);
	assert_int_equal(configure->n_rlimits, 2);
	assert_int_equal(configure->rlimits[0]->resource, RLIMIT_NOFILE);
	assert_int_equal(configure->rlimits[0]->soft, 1024);
	assert_int_equal(configure->rlimits[0]->hard, UINT64_MAX);
	assert_int_equal(configure->rlimits[1]->resource, RLIMIT_NPROC);
	assert_int_equal(configure->rlimits[1]->soft, 9);
	assert_true(configure->private_tmp);
	assert_string_equal(configure->cgroup, "/c");
	assert_string_equal(configure->ledger, "/l");
	spawn_rig_close(&rig);
	assert_true(task->back);
	spawn_rig_task_free(task);
}

/* It would refuse what is beyond. */
static void spawner_is_told_of_no_less_than_it_is_to_run(void **state)
{
	struct spawn_rig_task *tasks[3];
	struct spawn_rig_request request;

	(void)state;
	rig.config.commands_max = 3;
	spawn_rig_executor(&rig);
	for (size_t i = 0; i < 3; i++) {
		tasks[i] = spawn_rig_task(&rig, 100, SPAWN_RIG_NO);
		spawn_rig_start(&rig, tasks[i]);
	}
	spawn_rig_accept(&rig);
	rig.config.commands_max = 1;
	rig.executor->ops->configure(rig.executor, &rig.config);
	spawn_rig_ready(&rig);
	spawn_rig_turn(&rig);
	spawn_rig_receive(&rig, &request);
	assert_int_equal(request.message->configure->commands_max, 3);
	spawn_rig_close(&rig);
	for (size_t i = 0; i < 3; i++) {
		assert_true(tasks[i]->back);
		spawn_rig_task_free(tasks[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			spawner_is_told_all_of_the_configuration, begin, end),
		cmocka_unit_test_setup_teardown(
			spawner_is_told_of_no_less_than_it_is_to_run, begin,
			end),
	};

	return cmocka_run_group_tests_name(
		"spawn_configure", tests, NULL, NULL);
}
