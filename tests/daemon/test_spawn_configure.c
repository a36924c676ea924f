// SPDX-License-Identifier: MIT
/*
 * test_spawn_configure.c - what a spawner is told first, and again.
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

/* More than the socket takes at once. */
#define LONG_PROGRAMS 300

static void set_long(char letter)
{
	static char program[4001];
	static const char *list[LONG_PROGRAMS];

	memset(program, letter, sizeof(program) - 1);
	for (size_t i = 0; i < LONG_PROGRAMS; i++) {
		list[i] = program;
	}
	rig.config.programs = list;
	rig.config.programs_count = LONG_PROGRAMS;
	rig.executor->ops->configure(rig.executor, &rig.config);
}

static void receive_long(char letter, mode_t umask)
{
	const Wyn__Spawn__V1__Configure *configure;
	struct spawn_rig_request request;

	spawn_rig_receive(&rig, &request);
	spawn_rig_turn(&rig);
	assert_int_equal(request.message->what_case,
		WYN__SPAWN__V1__REQUEST__WHAT_CONFIGURE);
	assert_true(request.packets > 1);
	configure = request.message->configure;
	assert_int_equal(configure->umask, umask);
	assert_int_equal(configure->n_programs, LONG_PROGRAMS);
	for (size_t i = 0; i < LONG_PROGRAMS; i++) {
		assert_int_equal(configure->programs[i].len, 4000);
		assert_int_equal(configure->programs[i].data[0], letter);
		assert_int_equal(configure->programs[i].data[3999], letter);
	}
}

static void end_well(struct spawn_rig_task *task, uint64_t id, const int *fds)
{
	spawn_rig_end(&rig, task, id, fds);
	assert_int_equal(task->task.outcome.code, WYN_STATUS_OK);
	spawn_rig_task_free(task);
}

static void spawner_is_told_the_newest_behind_what_was_sent_in_part(
	void **state)
{
	struct spawn_rig_task *running;
	struct spawn_rig_task *next;
	int fds[2][WYN_SPAWN_FDS_MAX];
	uint64_t ids[2];

	(void)state;
	spawn_rig_executor(&rig);
	running = spawn_rig_run(&rig, &ids[0], fds[0]);
	set_long('a');
	rig.config.umask = 011;
	set_long('b');
	rig.config.umask = 077;
	set_long('c');
	next = spawn_rig_task(&rig, 100, SPAWN_RIG_NO);
	spawn_rig_start(&rig, next);
	receive_long('a', 022);
	receive_long('c', 077);
	/* It would be refused by what was before. */
	ids[1] = spawn_rig_receive_start(&rig, fds[1]);
	spawn_rig_turn(&rig);
	assert_true(spawn_rig_is_silent(&rig));
	spawn_rig_ready(&rig);
	spawn_rig_ready(&rig);
	end_well(running, ids[0], fds[0]);
	end_well(next, ids[1], fds[1]);
}

static void spawner_is_told_before_it_is_to_run_what_that_allows(void **state)
{
	struct spawn_rig_task *large;
	struct spawn_rig_task *next;
	struct spawn_rig_request request;
	int fds[2][WYN_SPAWN_FDS_MAX];
	uint64_t ids[2];

	(void)state;
	rig.config.commands_max = 1;
	spawn_rig_executor(&rig);
	large = spawn_rig_task(&rig, 2u << 20, SPAWN_RIG_NO);
	spawn_rig_start(&rig, large);
	spawn_rig_begin(&rig);
	rig.config.commands_max = 2;
	rig.executor->ops->configure(rig.executor, &rig.config);
	next = spawn_rig_task(&rig, 100, SPAWN_RIG_NO);
	spawn_rig_start(&rig, next);
	ids[0] = spawn_rig_receive_start(&rig, fds[0]);
	spawn_rig_turn(&rig);
	spawn_rig_receive(&rig, &request);
	assert_int_equal(request.message->what_case,
		WYN__SPAWN__V1__REQUEST__WHAT_CONFIGURE);
	assert_int_equal(request.message->configure->commands_max, 2);
	ids[1] = spawn_rig_receive_start(&rig, fds[1]);
	end_well(large, ids[0], fds[0]);
	end_well(next, ids[1], fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			spawner_is_told_all_of_the_configuration, begin, end),
		cmocka_unit_test_setup_teardown(
			spawner_is_told_of_no_less_than_it_is_to_run, begin,
			end),
		cmocka_unit_test_setup_teardown(
			spawner_is_told_the_newest_behind_what_was_sent_in_part,
			begin, end),
		cmocka_unit_test_setup_teardown(
			spawner_is_told_before_it_is_to_run_what_that_allows,
			begin, end),
	};

	return cmocka_run_group_tests_name(
		"spawn_configure", tests, NULL, NULL);
}
