// SPDX-License-Identifier: MIT
/*
 * test_spawner_program.c - commands by the wynd-spawner that was built beside
 * this test. Skipped where there is none.
 */
#include "daemon/spawn/spawner_open.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/spawn/spawn_state.h"
#include "tests/support/spawn_rig.h"

#define WORDS_MAX  8
#define PATH_BYTES 4096
#define INPUT	   (1u << 20)
#define LINK_FD	   3 /* as spawner_open.c has it */

static struct spawn_rig rig;
static char program[PATH_BYTES];
static uint8_t input[INPUT];

/* It is two folders above: BUILD/tests/daemon. */
static bool find_program(void)
{
	ssize_t bytes = readlink("/proc/self/exe", program, PATH_BYTES / 2);

	if (bytes <= 0) {
		return false;
	}
	program[bytes] = '\0';
	for (int i = 0; i < 3; i++) {
		char *slash = strrchr(program, '/');

		if (slash == NULL) {
			return false;
		}
		*slash = '\0';
	}
	(void)snprintf(program + strlen(program), PATH_BYTES - strlen(program),
		"/wynd-spawner");
	return access(program, X_OK) == 0;
}

static int begin(void **state)
{
	(void)state;
	spawn_rig_init(&rig);
	rig.config.spawner = program;
	spawn_rig_executor(&rig);
	return 0;
}

static int end(void **state)
{
	(void)state;
	spawn_rig_fini(&rig);
	return 0;
}

static void need_program(void)
{
	if (!find_program()) {
		skip();
	}
}

/* The words are split at blanks. */
static struct spawn_rig_task *command(
	const char *words, struct wyn_slice argument)
{
	Wyn__V1__Command message = WYN__V1__COMMAND__INIT;
	ProtobufCBinaryData argv[WORDS_MAX];
	struct spawn_rig_task *task;
	char *copy = strdup(words);
	char *rest = copy;
	char *word;

	message.argv = argv;
	while ((word = strsep(&rest, " ")) != NULL) {
		assert_true(message.n_argv < WORDS_MAX);
		argv[message.n_argv++] =
			(ProtobufCBinaryData){strlen(word), (uint8_t *)word};
	}
	task = spawn_rig_task(
		&rig, wyn_spawn_command_bytes(&message), argument);
	(void)wyn_spawn_command_encode(&message, task->batch.command->packed);
	task->batch.command->uid = getuid();
	task->batch.command->gid = getgid();
	free(copy);
	return task;
}

static struct spawn_rig_task *run(const char *words, struct wyn_slice argument)
{
	struct spawn_rig_task *task = command(words, argument);

	spawn_rig_start(&rig, task);
	spawn_rig_wait(&rig, task);
	return task;
}

static pid_t spawner_pid(void)
{
	const struct wyn_spawn *self = wyn_spawn_of(rig.executor);
	const struct wyn_list *last = wyn_list_last(&self->link.children);

	assert_non_null(last);
	return wyn_list_entry(last, struct wyn_spawner_child, link)->pid;
}

static void spawner_runs_a_command(void **state)
{
	struct spawn_rig_task *task;

	(void)state;
	need_program();
	task = run("/bin/echo some words", SPAWN_RIG_NO);
	assert_int_equal(task->task.outcome.code, WYN_STATUS_OK);
	assert_int_equal(task->output_bytes, 11);
	assert_memory_equal(task->output, "some words\n", 11);
	assert_int_equal(task->error_bytes, 0);
	assert_non_null(task->task.outcome.end);
	assert_true(task->task.outcome.end->usage.wall_ns > 0);
	spawn_rig_task_free(task);
}

static void spawner_runs_a_command_that_reads(void **state)
{
	struct spawn_rig_task *task;

	(void)state;
	need_program();
	for (size_t i = 0; i < INPUT; i++) {
		input[i] = (uint8_t)(i * 31 + i / 251);
	}
	task = run("/bin/cat", (struct wyn_slice){input, INPUT});
	assert_int_equal(task->task.outcome.code, WYN_STATUS_OK);
	assert_int_equal(task->output_bytes, INPUT);
	assert_memory_equal(task->output, input, INPUT);
	spawn_rig_task_free(task);
}

static void spawner_says_that_there_is_no_such_program(void **state)
{
	struct spawn_rig_task *task;

	(void)state;
	need_program();
	task = run("/no/such/program", SPAWN_RIG_NO);
	assert_int_equal(task->task.outcome.code, WYN_STATUS_NOT_FOUND);
	assert_int_equal(task->task.outcome.refusal, WYN_REFUSAL_NOT_STARTED);
	assert_non_null(strstr(task->task.outcome.message, "/no/such/program"));
	spawn_rig_task_free(task);
}

static void spawner_stops_a_command(void **state)
{
	struct spawn_rig_task *task;

	(void)state;
	need_program();
	task = command("/bin/sleep 1000", SPAWN_RIG_NO);
	spawn_rig_start(&rig, task);
	while (!task->task.ran) {
		uv_run(&rig.uv, UV_RUN_ONCE);
	}
	task->task.grace_ms = SPAWN_RIG_HOUR_MS;
	task->task.stopped = WYN_REFUSAL_CANCELLED_BY_CLIENT;
	rig.executor->ops->cancel(rig.executor, &task->task);
	spawn_rig_wait(&rig, task);
	assert_int_equal(task->task.outcome.code, WYN_STATUS_CANCELLED);
	assert_int_equal(task->task.outcome.end->signal, SIGTERM);
	spawn_rig_task_free(task);
}

/* One that runs until it is lost. */
static struct spawn_rig_task *run_on(void)
{
	struct spawn_rig_task *task = command("/bin/sleep 1000", SPAWN_RIG_NO);

	spawn_rig_start(&rig, task);
	while (!task->task.ran) {
		uv_run(&rig.uv, UV_RUN_ONCE);
	}
	return task;
}

static void lose(struct spawn_rig_task *task)
{
	assert_int_equal(kill(spawner_pid(), SIGKILL), 0);
	spawn_rig_wait(&rig, task);
	assert_int_equal(task->task.outcome.refusal, WYN_REFUSAL_SPAWNER_LOST);
	spawn_rig_task_free(task);
}

static void spawner_is_had_again_when_it_was_killed(void **state)
{
	struct spawn_rig_task *task;
	pid_t first;

	(void)state;
	need_program();
	task = run_on();
	first = spawner_pid();
	lose(task);
	task = run("/bin/true", SPAWN_RIG_NO);
	assert_int_equal(task->task.outcome.code, WYN_STATUS_OK);
	spawn_rig_task_free(task);
	assert_int_not_equal(spawner_pid(), first);
	/* Nobody else has waited for it, and it is no zombie. */
	assert_int_equal(kill(first, 0), -1);
}

/* As a child of it does that was stopped before it could close what it has. */
static int hold_link(pid_t spawner)
{
	int pidfd = (int)syscall(SYS_pidfd_open, spawner, 0);
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, LINK_FD, 0);

	close(pidfd);
	return fd;
}

static void spawner_is_lost_when_another_has_its_end_of_the_link(void **state)
{
	struct spawn_rig_task *task;
	int held;

	(void)state;
	need_program();
	task = run_on();
	/* -1 where we may not have it: the same with no one else. */
	held = hold_link(spawner_pid());
	lose(task);
	close(held);
}

static void spawner_ends_when_its_executor_closes(void **state)
{
	struct spawn_rig_task *task;
	pid_t pid;

	(void)state;
	need_program();
	task = run("/bin/true", SPAWN_RIG_NO);
	spawn_rig_task_free(task);
	pid = spawner_pid();
	wyn_spawn_executor_close(rig.executor);
	spawn_rig_turn(&rig);
	wyn_spawn_executor_destroy(rig.executor);
	/* It was waited for. */
	assert_int_equal(kill(pid, 0), -1);
	spawn_rig_executor(&rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(spawner_runs_a_command),
		TEST(spawner_runs_a_command_that_reads),
		TEST(spawner_says_that_there_is_no_such_program),
		TEST(spawner_stops_a_command),
		TEST(spawner_is_had_again_when_it_was_killed),
		TEST(spawner_is_lost_when_another_has_its_end_of_the_link),
		TEST(spawner_ends_when_its_executor_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
