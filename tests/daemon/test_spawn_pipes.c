// SPDX-License-Identifier: MIT
/*
 * test_spawn_pipes.c - what goes into a command and what comes out of it, with
 * a spawner that is the test.
 */
#include "daemon/spawn/process_pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/spawn_rig.h"

#define BULK (3u << 20)

static struct spawn_rig rig;
static uint8_t bulk[BULK];
static uint8_t read_back[BULK];

static int begin(void **state)
{
	(void)state;
	for (size_t i = 0; i < BULK; i++) {
		bulk[i] = (uint8_t)(i * 31 + i / 251);
	}
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

/* A command that began to run. */
static void launch(struct spawn_rig_task *task, uint64_t *ret_id, int fds[3])
{
	spawn_rig_start(&rig, task);
	spawn_rig_begin(&rig);
	*ret_id = spawn_rig_receive_start(&rig, fds);
}

static void finish(struct spawn_rig_task *task, uint64_t id, const int fds[3])
{
	spawn_rig_end(&rig, task, id, fds);
	spawn_rig_task_free(task);
}

static void not_blocking(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

/* What is written of the bulk now, from `at`. */
static size_t put(int fd, size_t at)
{
	ssize_t bytes = write(fd, bulk + at, BULK - at);

	assert_true(bytes > 0 || errno == EAGAIN);
	return bytes > 0 ? (size_t)bytes : 0;
}

static void input_put(struct spawn_rig_task *task, const char *text)
{
	assert_int_equal(wyn_input_put(&task->input, wyn_slice_of(text)), 0);
	rig.executor->ops->input(rig.executor, &task->task);
}

static void assert_reads(int fd, const char *text)
{
	char bytes[64];

	assert_int_equal(read(fd, bytes, sizeof(bytes)), strlen(text));
	assert_memory_equal(bytes, text, strlen(text));
}

static void spawn_pipes_are_of_a_kind_that_a_command_expects(void **state)
{
	struct spawn_rig_task *task =
		spawn_rig_task(&rig, 100, wyn_slice_of("x"));
	uint64_t id;
	int fds[3];

	(void)state;
	launch(task, &id, fds);
	for (int i = 0; i < 3; i++) {
		assert_true(fds[i] >= 0);
		assert_int_equal(fcntl(fds[i], F_GETFL) & O_NONBLOCK, 0);
	}
	close(fds[0]);
	finish(task, id, fds);
}

static void spawn_input_is_there_and_over_when_a_command_starts(void **state)
{
	struct spawn_rig_task *task =
		spawn_rig_task(&rig, 100, wyn_slice_of("argument"));
	uint64_t id;
	int fds[3];

	(void)state;
	launch(task, &id, fds);
	assert_reads(fds[0], "argument");
	assert_reads(fds[0], "");
	close(fds[0]);
	finish(task, id, fds);
}

static void spawn_input_goes_on_when_the_pipe_has_room(void **state)
{
	struct spawn_rig_task *task = spawn_rig_task(
		&rig, 100, (struct wyn_slice){bulk, sizeof(bulk)});
	size_t all = 0;
	ssize_t got;
	uint64_t id;
	int fds[3];

	(void)state;
	launch(task, &id, fds);
	do {
		got = read(fds[0], read_back + all, BULK - all);
		assert_true(got >= 0);
		all += (size_t)got;
		spawn_rig_turn(&rig);
	} while (got > 0);
	assert_int_equal(all, BULK);
	assert_memory_equal(read_back, bulk, BULK);
	close(fds[0]);
	finish(task, id, fds);
}

static void spawn_input_follows_its_argument_when_it_is_streamed(void **state)
{
	struct spawn_rig_task *task =
		spawn_rig_task(&rig, 100, wyn_slice_of("first "));
	uint64_t id;
	int fds[3];

	(void)state;
	spawn_rig_stream(task);
	input_put(task, "before");
	launch(task, &id, fds);
	assert_reads(fds[0], "first before");
	input_put(task, "after");
	assert_reads(fds[0], "after");
	not_blocking(fds[0]);
	assert_int_equal(read(fds[0], read_back, 1), -1);
	task->input.eof = true;
	rig.executor->ops->input(rig.executor, &task->task);
	assert_reads(fds[0], "");
	close(fds[0]);
	finish(task, id, fds);
}

static void spawn_input_is_shut_when_its_reader_closes(void **state)
{
	struct spawn_rig_task *task = spawn_rig_task(&rig, 100, SPAWN_RIG_NO);
	uint64_t id;
	int fds[3];

	(void)state;
	spawn_rig_stream(task);
	launch(task, &id, fds);
	close(fds[0]);
	assert_false(task->input.shut);
	input_put(task, "nobody reads this");
	assert_true(task->input.shut);
	input_put(task, "nor this");
	assert_int_equal(wyn_input_peek(&task->input).len, 0);
	finish(task, id, fds);
}

static void spawn_input_is_shut_when_full_and_its_reader_closes(void **state)
{
	struct spawn_rig_task *task = spawn_rig_task(
		&rig, 100, (struct wyn_slice){bulk, sizeof(bulk)});
	uint64_t id;
	int fds[3];

	(void)state;
	spawn_rig_stream(task);
	launch(task, &id, fds);
	assert_false(task->input.shut);
	close(fds[0]);
	spawn_rig_turn(&rig);
	assert_true(task->input.shut);
	finish(task, id, fds);
}

static void spawn_input_is_shut_when_its_command_ends(void **state)
{
	struct spawn_rig_task *task = spawn_rig_task(&rig, 100, SPAWN_RIG_NO);
	uint64_t id;
	int fds[3];

	(void)state;
	spawn_rig_stream(task);
	launch(task, &id, fds);
	spawn_rig_exited(&rig, id, 0, false);
	spawn_rig_turn(&rig);
	assert_true(task->input.shut);
	assert_reads(fds[0], "");
	close(fds[0]);
	spawn_rig_close_outputs(fds);
	spawn_rig_turn(&rig);
	assert_true(task->back);
	spawn_rig_task_free(task);
}

static void spawn_output_is_whole_when_it_is_large(void **state)
{
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task = spawn_rig_run(&rig, &id, fds);
	size_t at = 0;

	(void)state;
	not_blocking(fds[1]);
	while (at < BULK) {
		at += put(fds[1], at);
		spawn_rig_turn(&rig);
	}
	assert_int_equal(task->output_bytes, BULK);
	assert_memory_equal(task->output, bulk, BULK);
	/* It filled a read, so its pipe was made larger. */
	assert_int_equal(fcntl(fds[1], F_GETPIPE_SZ), 1 << 20);
	assert_true(fcntl(fds[2], F_GETPIPE_SZ) < 1 << 20);
	finish(task, id, fds);
}

static void spawn_output_stays_in_the_pipe_when_its_task_has_no_room(
	void **state)
{
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task = spawn_rig_run(&rig, &id, fds);
	size_t at = 0;
	size_t more;

	(void)state;
	not_blocking(fds[1]);
	do {
		more = put(fds[1], at);
		at += more;
		spawn_rig_turn_slow(&rig);
	} while (more > 0);
	/* What the task may have unsent, and a pipe. */
	assert_true(at < BULK);
	assert_true(at >= (256u << 10) + (64u << 10));
	assert_int_equal(task->output_bytes, 0);
	while (at < BULK) {
		spawn_rig_turn(&rig);
		at += put(fds[1], at);
	}
	spawn_rig_turn(&rig);
	assert_int_equal(task->output_bytes, BULK);
	assert_memory_equal(task->output, bulk, BULK);
	finish(task, id, fds);
}

static void spawn_output_is_whole_when_it_had_no_room_in_time(void **state)
{
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task;
	size_t at = 0;
	size_t more;

	(void)state;
	rig.config.drain_ms = 0;
	rig.executor->ops->configure(rig.executor, &rig.config);
	task = spawn_rig_run(&rig, &id, fds);
	not_blocking(fds[1]);
	do {
		more = put(fds[1], at);
		at += more;
		spawn_rig_turn_slow(&rig);
	} while (more > 0);
	/* It has written all that, and ends; somebody else has its output. */
	spawn_rig_exited(&rig, id, 0, true);
	spawn_rig_turn_slow(&rig);
	assert_false(task->back);
	spawn_rig_wait(&rig, task);
	spawn_rig_turn(&rig);
	assert_int_equal(task->output_bytes, at);
	assert_memory_equal(task->output, bulk, at);
	spawn_rig_close_outputs(fds);
	spawn_rig_task_free(task);
}

static void spawn_output_is_given_up_when_its_time_is_over(void **state)
{
	struct spawn_rig_request request;
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task;

	(void)state;
	rig.config.drain_ms = 1;
	rig.executor->ops->configure(rig.executor, &rig.config);
	task = spawn_rig_run(&rig, &id, fds);
	assert_int_equal(write(fds[1], "all", 3), 3);
	spawn_rig_exited(&rig, id, 0, true);
	spawn_rig_wait(&rig, task);
	assert_int_equal(task->output_bytes, 3);
	assert_int_equal(write(fds[1], "late", 4), -1);
	assert_int_equal(errno, EPIPE);
	spawn_rig_receive(&rig, &request);
	assert_int_equal(
		request.message->what_case, WYN__SPAWN__V1__REQUEST__WHAT_REAP);
	assert_int_equal(request.message->reap->id, id);
	spawn_rig_close_outputs(fds);
	spawn_rig_task_free(task);
}

static void spawn_output_is_given_up_when_cancelled_after_its_end(void **state)
{
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task = spawn_rig_run(&rig, &id, fds);

	(void)state;
	spawn_rig_exited(&rig, id, 0, true);
	spawn_rig_turn(&rig);
	assert_false(task->back);
	task->task.stopped = WYN_REFUSAL_RUN_TIMEOUT;
	rig.executor->ops->cancel(rig.executor, &task->task);
	spawn_rig_turn(&rig);
	assert_true(task->back);
	assert_int_equal(task->task.outcome.refusal, WYN_REFUSAL_RUN_TIMEOUT);
	spawn_rig_close_outputs(fds);
	spawn_rig_task_free(task);
}

static void dropped_and_counted(
	struct spawn_rig_task *task, uint64_t id, const int fds[3])
{
	size_t at = 0;

	not_blocking(fds[1]);
	while (at < BULK) {
		at += put(fds[1], at);
		spawn_rig_turn_slow(&rig);
	}
	spawn_rig_end(&rig, task, id, fds);
	assert_int_equal(task->output_bytes, 0);
	assert_int_equal(task->task.outcome.end->usage.output_bytes, BULK);
	spawn_rig_task_free(task);
}

static void spawn_output_is_dropped_and_counted_when_nobody_wants_it(
	void **state)
{
	struct spawn_rig_task *task = spawn_rig_task(&rig, 100, SPAWN_RIG_NO);
	uint64_t id;
	int fds[3];

	(void)state;
	task->task.partial_bytes_max = 0;
	launch(task, &id, fds);
	dropped_and_counted(task, id, fds);
}

static void spawn_output_is_dropped_and_counted_when_disowned(void **state)
{
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task = spawn_rig_run(&rig, &id, fds);

	(void)state;
	task->task.owner = 0;
	dropped_and_counted(task, id, fds);
}

static void spawn_output_goes_on_when_disowned_without_room(void **state)
{
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task = spawn_rig_run(&rig, &id, fds);
	size_t at = 0;
	size_t more;

	(void)state;
	not_blocking(fds[1]);
	do {
		more = put(fds[1], at);
		at += more;
		spawn_rig_turn_slow(&rig);
	} while (more > 0);
	wyn_stream_cancel(&rig.stream, &task->task);
	rig.executor->ops->cancel(rig.executor, &task->task);
	while (at < BULK) {
		spawn_rig_turn_slow(&rig);
		at += put(fds[1], at);
	}
	spawn_rig_end(&rig, task, id, fds);
	assert_int_equal(task->task.outcome.end->usage.output_bytes, BULK);
	spawn_rig_task_free(task);
}

/* Has copies of all descriptors but these, as a process that another thread
 * starts, until it executes. Returns: its pid. */
static pid_t hold_all_but(const int fds[3])
{
	int pipes[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		spawn_rig_close_outputs(fds);
		close(pipes[0]);
		(void)!write(pipes[1], "x", 1);
		for (;;) {
			pause();
		}
	}
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	close(pipes[0]);
	close(pipes[1]);
	return pid;
}

static void spawn_output_is_whole_when_others_hold_what_was_closed(void **state)
{
	struct spawn_rig_task *task;
	uint64_t id;
	int fds[3];
	pid_t pid;

	(void)state;
	task = spawn_rig_run(&rig, &id, fds);
	pid = hold_all_but(fds);
	finish(task, id, fds);
	task = spawn_rig_run(&rig, &id, fds);
	spawn_rig_turn(&rig);
	assert_int_equal(write(fds[1], "whole", 5), 5);
	spawn_rig_close_outputs(fds);
	spawn_rig_exited(&rig, id, 0, false);
	spawn_rig_turn(&rig);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(task->back);
	assert_int_equal(task->output_bytes, 5);
	spawn_rig_task_free(task);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(spawn_pipes_are_of_a_kind_that_a_command_expects),
		TEST(spawn_input_is_there_and_over_when_a_command_starts),
		TEST(spawn_input_goes_on_when_the_pipe_has_room),
		TEST(spawn_input_follows_its_argument_when_it_is_streamed),
		TEST(spawn_input_is_shut_when_its_reader_closes),
		TEST(spawn_input_is_shut_when_full_and_its_reader_closes),
		TEST(spawn_input_is_shut_when_its_command_ends),
		TEST(spawn_output_is_whole_when_it_is_large),
		TEST(spawn_output_stays_in_the_pipe_when_its_task_has_no_room),
		TEST(spawn_output_is_whole_when_it_had_no_room_in_time),
		TEST(spawn_output_is_given_up_when_its_time_is_over),
		TEST(spawn_output_is_given_up_when_cancelled_after_its_end),
		TEST(spawn_output_is_dropped_and_counted_when_nobody_wants_it),
		TEST(spawn_output_is_dropped_and_counted_when_disowned),
		TEST(spawn_output_goes_on_when_disowned_without_room),
		TEST(spawn_output_is_whole_when_others_hold_what_was_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
