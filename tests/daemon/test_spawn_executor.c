// SPDX-License-Identifier: MIT
/*
 * test_spawn_executor.c - a command from its start to its outcome, with a
 * spawner that is the test.
 */
#include "daemon/spawn/spawn_executor.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static struct wyn_slice none(void)
{
	return (struct wyn_slice){NULL, 0};
}

/* A task whose Start has come. */
static struct spawn_rig_task *run(
	struct wyn_slice argument, uint64_t *ret_id, int fds[3])
{
	struct spawn_rig_task *task = spawn_rig_task(&rig, 100, argument);

	spawn_rig_start(&rig, task);
	if (rig.link < 0) {
		spawn_rig_begin(&rig);
	}
	*ret_id = spawn_rig_receive_start(&rig, fds);
	return task;
}

static void close_outputs(const int fds[3])
{
	close(fds[1]);
	close(fds[2]);
}

static void spawn_executor_gives_output_and_usage_when_a_command_exits(
	void **state)
{
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task;

	(void)state;
	spawn_rig_executor(&rig);
	task = run(none(), &id, fds);
	assert_int_equal(fds[0], -1);
	assert_int_equal(write(fds[1], "out", 3), 3);
	assert_int_equal(write(fds[2], "err!", 4), 4);
	spawn_rig_turn(&rig);
	assert_int_equal(task->output_bytes, 3);
	assert_memory_equal(task->output, "out", 3);
	assert_int_equal(task->error_bytes, 4);
	assert_false(task->back);
	close_outputs(fds);
	spawn_rig_turn(&rig);
	assert_false(task->back);
	spawn_rig_exited(&rig, id, 0, false);
	spawn_rig_turn(&rig);
	assert_true(task->back);
	assert_int_equal(task->task.outcome.code, WYN_STATUS_OK);
	assert_true(task->task.ran);
	assert_true(task->task.started_ns > 0);
	assert_non_null(task->task.outcome.end);
	assert_int_equal(task->task.outcome.end->usage.wall_ns, 5);
	assert_int_equal(task->task.outcome.end->usage.output_bytes, 3);
	assert_int_equal(task->task.outcome.end->usage.error_bytes, 4);
	spawn_rig_task_free(task);
}

static void spawn_executor_waits_for_the_output_when_ended_comes_first(
	void **state)
{
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task;

	(void)state;
	spawn_rig_executor(&rig);
	task = run(none(), &id, fds);
	spawn_rig_exited(&rig, id, 3, true);
	spawn_rig_turn(&rig);
	assert_false(task->back);
	assert_int_equal(write(fds[1], "late", 4), 4);
	close_outputs(fds);
	spawn_rig_turn(&rig);
	assert_true(task->back);
	assert_int_equal(task->output_bytes, 4);
	assert_int_equal(task->task.outcome.code, WYN_STATUS_UNKNOWN);
	assert_int_equal(task->task.outcome.refusal, WYN_REFUSAL_EXIT_STATUS);
	assert_int_equal(task->task.outcome.end->exit_status, 3);
	assert_string_equal(task->task.outcome.message, "exit status 3");
	spawn_rig_task_free(task);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			spawn_executor_gives_output_and_usage_when_a_command_exits,
			begin, end),
		cmocka_unit_test_setup_teardown(
			spawn_executor_waits_for_the_output_when_ended_comes_first,
			begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
