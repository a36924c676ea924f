// SPDX-License-Identifier: MIT
/*
 * test_spawn_executor.c - a command from its start to its outcome, with a
 * spawner that is the test.
 */
#include "daemon/spawn/spawn_executor.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "tests/support/spawn_rig.h"

static struct spawn_rig rig;

static int begin(void **state)
{
	(void)state;
	spawn_rig_init(&rig);
	spawn_rig_executor(&rig);
	return 0;
}

static int end(void **state)
{
	(void)state;
	spawn_rig_fini(&rig);
	return 0;
}

/* A command that has started, and how the spawner says that it ended; its
 * outputs are over. */
static struct spawn_rig_task *ended_as(
	Wyn__Spawn__V1__Ended *ended, enum wyn_refusal stopped)
{
	int fds[3];
	struct spawn_rig_task *task = spawn_rig_run(&rig, &ended->id, fds);

	task->task.stopped = stopped;
	spawn_rig_close_outputs(fds);
	spawn_rig_ended(&rig, ended);
	spawn_rig_turn(&rig);
	assert_true(task->back);
	return task;
}

static void spawn_executor_gives_output_and_usage_when_one_exits(void **state)
{
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task = spawn_rig_run(&rig, &id, fds);

	(void)state;
	assert_int_equal(fds[0], -1);
	assert_int_equal(write(fds[1], "out", 3), 3);
	assert_int_equal(write(fds[2], "err!", 4), 4);
	spawn_rig_turn(&rig);
	assert_int_equal(task->output_bytes, 3);
	assert_memory_equal(task->output, "out", 3);
	assert_int_equal(task->error_bytes, 4);
	spawn_rig_close_outputs(fds);
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

static void spawn_executor_waits_for_output_when_ended_is_first(void **state)
{
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task = spawn_rig_run(&rig, &id, fds);

	(void)state;
	spawn_rig_exited(&rig, id, 3, false);
	spawn_rig_turn(&rig);
	assert_false(task->back);
	assert_int_equal(write(fds[1], "late", 4), 4);
	spawn_rig_close_outputs(fds);
	spawn_rig_turn(&rig);
	assert_true(task->back);
	assert_int_equal(task->output_bytes, 4);
	spawn_rig_task_free(task);
}

static void spawn_executor_takes_both_when_they_come_in_one_turn(void **state)
{
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task = spawn_rig_run(&rig, &id, fds);

	(void)state;
	assert_int_equal(write(fds[1], "out", 3), 3);
	spawn_rig_close_outputs(fds);
	spawn_rig_exited(&rig, id, 0, true);
	spawn_rig_turn(&rig);
	assert_true(task->back);
	assert_int_equal(task->output_bytes, 3);
	spawn_rig_task_free(task);
}

static void spawn_executor_sends_what_the_command_is_when_it_starts(
	void **state)
{
	struct spawn_rig_request request;
	struct spawn_rig_task *task =
		spawn_rig_task(&rig, 100000, SPAWN_RIG_NO);

	(void)state;
	task->batch.command->merge_stderr = true;
	spawn_rig_start(&rig, task);
	spawn_rig_begin(&rig);
	spawn_rig_receive(&rig, &request);
	assert_int_equal(request.packets, 4);
	assert_int_equal(request.fds_count, 1);
	assert_int_equal(request.message->start->uid, 7);
	assert_int_equal(request.message->start->gid, 8);
	assert_false(request.message->start->error);
	assert_int_equal(request.message->start->command.len, 100000);
	assert_memory_equal(request.message->start->command.data,
		task->batch.command->packed, 100000);
	close(request.fds[0]);
	spawn_rig_exited(&rig, request.message->start->id, 0, false);
	spawn_rig_turn(&rig);
	assert_true(task->back);
	spawn_rig_task_free(task);
}

static void spawn_executor_runs_many_when_the_socket_takes_few(void **state)
{
	enum {
		COUNT = 40
	};
	struct spawn_rig_task *tasks[COUNT];

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		tasks[i] = spawn_rig_task(&rig, 30000, SPAWN_RIG_NO);
		spawn_rig_start(&rig, tasks[i]);
	}
	spawn_rig_begin(&rig);
	for (int i = 0; i < COUNT; i++) {
		int fds[3];
		uint64_t id = spawn_rig_receive_start(&rig, fds);

		spawn_rig_close_outputs(fds);
		spawn_rig_exited(&rig, id, 0, false);
		spawn_rig_turn(&rig);
		assert_true(tasks[i]->back);
		spawn_rig_task_free(tasks[i]);
	}
}

static void spawn_executor_says_how_a_command_ended(void **state)
{
	static const struct {
		Wyn__Spawn__V1__How how;
		uint32_t status;
		uint32_t code;
		enum wyn_refusal refusal;
		const char *message;
	} cases[] = {
		{WYN__SPAWN__V1__HOW__HOW_EXITED, 3, WYN_STATUS_UNKNOWN,
			WYN_REFUSAL_EXIT_STATUS, "exit status 3"},
		{WYN__SPAWN__V1__HOW__HOW_SIGNALLED, SIGTERM,
			WYN_STATUS_ABORTED, WYN_REFUSAL_SIGNALLED,
			"ended by signal 15 (SIGTERM)"},
		{WYN__SPAWN__V1__HOW__HOW_SIGNALLED, 40, WYN_STATUS_ABORTED,
			WYN_REFUSAL_SIGNALLED, "ended by signal 40"},
		{WYN__SPAWN__V1__HOW__HOW_OUT_OF_MEMORY, SIGKILL,
			WYN_STATUS_RESOURCE_EXHAUSTED,
			WYN_REFUSAL_OUT_OF_MEMORY,
			"it was at its memory limit: signal 9 (SIGKILL)"},
	};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(cases); i++) {
		Wyn__Spawn__V1__Ended ended = WYN__SPAWN__V1__ENDED__INIT;
		bool exited = cases[i].how == WYN__SPAWN__V1__HOW__HOW_EXITED;
		struct spawn_rig_task *task;
		const struct wyn_outcome *outcome;

		ended.how = cases[i].how;
		ended.status = cases[i].status;
		task = ended_as(&ended, WYN_REFUSAL_NONE);
		outcome = &task->task.outcome;
		assert_int_equal(outcome->code, cases[i].code);
		assert_int_equal(outcome->refusal, cases[i].refusal);
		assert_string_equal(outcome->message, cases[i].message);
		assert_int_equal(exited ? outcome->end->exit_status
					: outcome->end->signal,
			cases[i].status);
		spawn_rig_task_free(task);
	}
}

/* What keeps a command from being started, and what its client is told. */
static const struct {
	Wyn__Spawn__V1__Stage stage;
	uint32_t error;
	uint32_t code;
	const char *where;
	const char *message;
} failures[] = {
	{WYN__SPAWN__V1__STAGE__STAGE_DIRECTORY, ENOENT, WYN_STATUS_NOT_FOUND,
		"/no/such/dir", "/no/such/dir: no such directory (cwd)"},
	{WYN__SPAWN__V1__STAGE__STAGE_DIRECTORY, ENOTDIR,
		WYN_STATUS_FAILED_PRECONDITION, "/f",
		"/f: Not a directory (cwd)"},
	{WYN__SPAWN__V1__STAGE__STAGE_PROGRAM, ENOTDIR,
		WYN_STATUS_FAILED_PRECONDITION, "/f/x",
		"/f/x: Not a directory (program)"},
	{WYN__SPAWN__V1__STAGE__STAGE_LIMITS, EOPNOTSUPP,
		WYN_STATUS_FAILED_PRECONDITION, "cpu_percent",
		"cpu_percent: it needs a cgroup; see command_cgroup "
		"in wynd.conf(5) (limits)"},
	{WYN__SPAWN__V1__STAGE__STAGE_PROGRAM, ENOENT, WYN_STATUS_NOT_FOUND,
		"nope", "nope: no such program (program)"},
	{WYN__SPAWN__V1__STAGE__STAGE_PROGRAM, EACCES,
		WYN_STATUS_PERMISSION_DENIED, "/etc",
		"/etc: no file that may be executed (program)"},
	{WYN__SPAWN__V1__STAGE__STAGE_PROGRAM, ENOEXEC,
		WYN_STATUS_FAILED_PRECONDITION, "/x",
		"/x: not in a format that can be executed; a script "
		"begins with #! (program)"},
	{WYN__SPAWN__V1__STAGE__STAGE_PROGRAM, E2BIG,
		WYN_STATUS_INVALID_ARGUMENT, "/x",
		"/x: argv and environment are too long (program)"},
	{WYN__SPAWN__V1__STAGE__STAGE_PROCESS, EAGAIN,
		WYN_STATUS_RESOURCE_EXHAUSTED, "",
		"Resource temporarily unavailable (process)"},
	{WYN__SPAWN__V1__STAGE__STAGE_USER, ENOENT, WYN_STATUS_NOT_FOUND,
		"4711", "4711: no such user (user)"},
	{WYN__SPAWN__V1__STAGE__STAGE_PROGRAM, 9999,
		WYN_STATUS_FAILED_PRECONDITION, "\xff",
		"?: unknown error (program)"},
};

static void spawn_executor_says_why_when_a_command_is_not_started(void **state)
{
	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(failures); i++) {
		Wyn__Spawn__V1__Ended ended = WYN__SPAWN__V1__ENDED__INIT;
		struct spawn_rig_task *task;

		ended.how = WYN__SPAWN__V1__HOW__HOW_NOT_STARTED;
		ended.stage = failures[i].stage;
		ended.status = failures[i].error;
		ended.where.data = (uint8_t *)(uintptr_t)failures[i].where;
		ended.where.len = strlen(failures[i].where);
		task = ended_as(&ended, WYN_REFUSAL_NONE);
		assert_int_equal(task->task.outcome.code, failures[i].code);
		assert_int_equal(task->task.outcome.refusal,
			failures[i].stage ==
					WYN__SPAWN__V1__STAGE__STAGE_PROGRAM
				? WYN_REFUSAL_NOT_STARTED
				: WYN_REFUSAL_NOT_PREPARED);
		assert_string_equal(
			task->task.outcome.message, failures[i].message);
		assert_null(task->task.outcome.end);
		assert_false(task->task.ran);
		spawn_rig_task_free(task);
	}
}

static void spawn_executor_names_the_list_when_a_program_is_not_on_it(
	void **state)
{
	Wyn__Spawn__V1__Ended ended = WYN__SPAWN__V1__ENDED__INIT;
	char where[] = "/bin/sh";
	struct spawn_rig_task *task;

	(void)state;
	ended.how = WYN__SPAWN__V1__HOW__HOW_NOT_STARTED;
	ended.stage = WYN__SPAWN__V1__STAGE__STAGE_PROGRAMS;
	ended.where.data = (uint8_t *)where;
	ended.where.len = strlen(where);
	task = ended_as(&ended, WYN_REFUSAL_NONE);
	assert_int_equal(task->task.outcome.code, WYN_STATUS_PERMISSION_DENIED);
	assert_int_equal(
		task->task.outcome.refusal, WYN_REFUSAL_PROGRAM_NOT_LISTED);
	spawn_rig_task_free(task);
}

static void spawn_executor_says_why_a_command_was_stopped(void **state)
{
	static const struct {
		enum wyn_refusal stopped;
		uint32_t status;
		uint32_t code;
		enum wyn_refusal refusal;
	} cases[] = {
		{WYN_REFUSAL_RUN_TIMEOUT, 0, WYN_STATUS_DEADLINE_EXCEEDED,
			WYN_REFUSAL_RUN_TIMEOUT},
		{WYN_REFUSAL_RUN_TIMEOUT, 9, WYN_STATUS_DEADLINE_EXCEEDED,
			WYN_REFUSAL_RUN_TIMEOUT},
		{WYN_REFUSAL_CANCELLED_BY_CLIENT, 9, WYN_STATUS_CANCELLED,
			WYN_REFUSAL_CANCELLED_BY_CLIENT},
		{WYN_REFUSAL_CANCELLED_BY_CLIENT, 0, WYN_STATUS_OK,
			WYN_REFUSAL_NONE},
	};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(cases); i++) {
		Wyn__Spawn__V1__Ended ended = WYN__SPAWN__V1__ENDED__INIT;
		struct spawn_rig_task *task;

		ended.how = WYN__SPAWN__V1__HOW__HOW_EXITED;
		ended.status = cases[i].status;
		task = ended_as(&ended, cases[i].stopped);
		assert_int_equal(task->task.outcome.code, cases[i].code);
		assert_int_equal(task->task.outcome.refusal, cases[i].refusal);
		assert_non_null(task->task.outcome.end);
		assert_int_equal(
			task->task.outcome.end->exit_status, cases[i].status);
		spawn_rig_task_free(task);
	}
}

static void spawn_executor_says_that_one_ran_when_it_was_stopped(void **state)
{
	static const struct {
		enum wyn_refusal stopped;
		const char *message;
	} cases[] = {
		{WYN_REFUSAL_CANCELLED_BY_CLIENT, "cancelled while it ran"},
		{WYN_REFUSAL_DRAIN_TIMEOUT,
			"the server shut down while it ran"},
		{WYN_REFUSAL_QUEUE_DEADLINE,
			"the deadline passed while it ran"},
		{WYN_REFUSAL_DAEMON_BYTES_MAX,
			"the server had no room for its input"},
	};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(cases); i++) {
		Wyn__Spawn__V1__Ended ended = WYN__SPAWN__V1__ENDED__INIT;
		struct spawn_rig_task *task;

		ended.how = WYN__SPAWN__V1__HOW__HOW_SIGNALLED;
		ended.status = 15;
		task = ended_as(&ended, cases[i].stopped);
		assert_string_equal(
			task->task.outcome.message, cases[i].message);
		spawn_rig_task_free(task);
	}
}

static void spawn_executor_sends_stop_and_signals_when_it_is_asked_to(
	void **state)
{
	struct spawn_rig_request request;
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task = spawn_rig_run(&rig, &id, fds);

	(void)state;
	rig.executor->ops->signal(rig.executor, &task->task, SIGUSR1);
	rig.executor->ops->signal(rig.executor, &task->task, 65);
	rig.executor->ops->cancel(rig.executor, &task->task);
	spawn_rig_receive(&rig, &request);
	assert_int_equal(request.message->what_case,
		WYN__SPAWN__V1__REQUEST__WHAT_SIGNAL);
	assert_int_equal(request.message->signal->id, id);
	assert_int_equal(request.message->signal->number, SIGUSR1);
	spawn_rig_receive(&rig, &request);
	assert_int_equal(
		request.message->what_case, WYN__SPAWN__V1__REQUEST__WHAT_STOP);
	assert_int_equal(request.message->stop->grace_ms, 5);
	assert_true(spawn_rig_is_silent(&rig));
	spawn_rig_end(&rig, task, id, fds);
	spawn_rig_task_free(task);
}

/* Else who gives it long undoes what has given it short. */
static void spawn_executor_sends_the_shortest_grace_when_it_waits(void **state)
{
	enum {
		STOPS = 10000 /* more than a socket takes */
	};
	struct spawn_rig_request request;
	uint64_t shortest_ms = SPAWN_RIG_HOUR_MS;
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task = spawn_rig_run(&rig, &id, fds);

	(void)state;
	task->task.grace_ms = SPAWN_RIG_HOUR_MS;
	for (unsigned i = 0; i < STOPS; i++) {
		rig.executor->ops->cancel(rig.executor, &task->task);
	}
	task->task.grace_ms = 5;
	rig.executor->ops->cancel(rig.executor, &task->task);
	task->task.grace_ms = SPAWN_RIG_HOUR_MS;
	rig.executor->ops->cancel(rig.executor, &task->task);
	while (!spawn_rig_is_silent(&rig)) {
		spawn_rig_receive(&rig, &request);
		if (request.message->stop->grace_ms < shortest_ms) {
			shortest_ms = request.message->stop->grace_ms;
		}
		spawn_rig_turn(&rig);
	}
	assert_int_equal(shortest_ms, 5);
	spawn_rig_end(&rig, task, id, fds);
	spawn_rig_task_free(task);
}

static void spawn_executor_has_room_again_when_commands_are_over(void **state)
{
	uint64_t first = 0;

	(void)state;
	for (int i = 0; i < 50; i++) {
		uint64_t id;
		int fds[3];
		struct spawn_rig_task *task = spawn_rig_run(&rig, &id, fds);

		/* The same slot, another generation. */
		first = i == 0 ? id : first;
		assert_int_equal(id & UINT32_MAX, first & UINT32_MAX);
		assert_true(i == 0 || id != first);
		spawn_rig_close_outputs(fds);
		spawn_rig_exited(&rig, id, 0, false);
		spawn_rig_turn(&rig);
		assert_true(task->back);
		spawn_rig_task_free(task);
	}
}

static void spawn_executor_is_as_wide_as_its_configuration_says(void **state)
{
	struct wyn_command_config config = rig.config;

	(void)state;
	assert_int_equal(rig.executor->ops->width(rig.executor), 16);
	config.commands_max = 3;
	rig.executor->ops->configure(rig.executor, &config);
	assert_int_equal(rig.executor->ops->width(rig.executor), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(spawn_executor_gives_output_and_usage_when_one_exits),
		TEST(spawn_executor_waits_for_output_when_ended_is_first),
		TEST(spawn_executor_takes_both_when_they_come_in_one_turn),
		TEST(spawn_executor_sends_what_the_command_is_when_it_starts),
		TEST(spawn_executor_runs_many_when_the_socket_takes_few),
		TEST(spawn_executor_says_how_a_command_ended),
		TEST(spawn_executor_says_why_when_a_command_is_not_started),
		TEST(spawn_executor_names_the_list_when_a_program_is_not_on_it),
		TEST(spawn_executor_says_why_a_command_was_stopped),
		TEST(spawn_executor_says_that_one_ran_when_it_was_stopped),
		TEST(spawn_executor_sends_stop_and_signals_when_it_is_asked_to),
		TEST(spawn_executor_sends_the_shortest_grace_when_it_waits),
		TEST(spawn_executor_has_room_again_when_commands_are_over),
		TEST(spawn_executor_is_as_wide_as_its_configuration_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
