// SPDX-License-Identifier: MIT
/*
 * test_spawn_ends.c - the command's ends of its pipes that wynd has: until its
 * Start is sent, and ours until it is back, with a spawner that is the test.
 */
#include "daemon/spawn/process_pipes.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/spawn_rig.h"

#define READERS 2 /* of a command's outputs, of wynd */
#define WRITERS 2
#define RIG	2 /* the writers that the test was sent */

static struct spawn_rig rig;
static int idle; /* descriptors, while no command runs */

static int descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL) {
		count++;
	}
	closedir(directory);
	return count;
}

static void finish(struct spawn_rig_task *task, uint64_t id, const int fds[3])
{
	spawn_rig_end(&rig, task, id, fds);
	spawn_rig_task_free(task);
}

/* One has run, so what is had with the first command is there. */
static int begin(void **state)
{
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task;

	(void)state;
	spawn_rig_init(&rig);
	spawn_rig_executor(&rig);
	task = spawn_rig_run(&rig, &id, fds);
	finish(task, id, fds);
	idle = descriptors();
	return 0;
}

static int end(void **state)
{
	(void)state;
	spawn_rig_fini(&rig);
	return 0;
}

static void refused(struct spawn_rig_task *task, enum wyn_refusal refusal)
{
	assert_true(task->back);
	assert_int_equal(task->task.outcome.refusal, refusal);
	spawn_rig_task_free(task);
}

static void spawn_ends_are_over_at_once_when_nobody_else_has_them(void **state)
{
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task = spawn_rig_run(&rig, &id, fds);

	(void)state;
	assert_int_equal(write(fds[1], "out", 3), 3);
	spawn_rig_close_outputs(fds);
	spawn_rig_exited(&rig, id, 0, false);
	/* One look, and no drain time, which is an hour. */
	uv_run(&rig.uv, UV_RUN_NOWAIT);
	assert_true(rig.executor->ops->peek(rig.executor));
	spawn_rig_turn(&rig);
	assert_true(task->back);
	assert_int_equal(task->output_bytes, 3);
	spawn_rig_task_free(task);
	assert_int_equal(descriptors(), idle);
}

static void spawn_ends_are_had_until_the_start_is_sent(void **state)
{
	struct spawn_rig_task *task = spawn_rig_task(&rig, 100, SPAWN_RIG_NO);
	uint64_t id;
	int fds[3];

	(void)state;
	spawn_rig_stream(task);
	spawn_rig_start(&rig, task);
	id = spawn_rig_receive_start(&rig, fds);
	/* Of its input wynd has the writer, the test the reader. */
	assert_int_equal(descriptors(), idle + READERS + 1 + RIG + 1);
	spawn_rig_exited(&rig, id, 0, true);
	spawn_rig_turn(&rig);
	assert_false(task->back);
	assert_int_equal(descriptors(), idle + READERS + RIG + 1);
	close(fds[0]);
	spawn_rig_close_outputs(fds);
	spawn_rig_turn(&rig);
	assert_true(task->back);
	spawn_rig_task_free(task);
	assert_int_equal(descriptors(), idle);
}

static void spawn_ends_are_closed_when_the_drain_time_is_over(void **state)
{
	uint64_t id;
	int fds[3];
	struct spawn_rig_task *task;

	(void)state;
	rig.config.drain_ms = 1;
	rig.executor->ops->configure(rig.executor, &rig.config);
	spawn_rig_turn(&rig);
	task = spawn_rig_task(&rig, 100, SPAWN_RIG_NO);
	spawn_rig_start(&rig, task);
	/* Before the Start it was configured. */
	spawn_rig_receive(&rig, &(struct spawn_rig_request){.fds_count = 0});
	id = spawn_rig_receive_start(&rig, fds);
	spawn_rig_exited(&rig, id, 0, false);
	spawn_rig_wait(&rig, task);
	assert_int_equal(descriptors(), idle + RIG);
	assert_int_equal(write(fds[1], "late", 4), -1);
	assert_int_equal(errno, EPIPE);
	spawn_rig_close_outputs(fds);
	spawn_rig_task_free(task);
}

static void spawn_ends_are_closed_when_none_was_started(void **state)
{
	Wyn__Spawn__V1__Ended ended = WYN__SPAWN__V1__ENDED__INIT;
	int fds[3];
	struct spawn_rig_task *task = spawn_rig_run(&rig, &ended.id, fds);

	(void)state;
	ended.how = WYN__SPAWN__V1__HOW__HOW_NOT_STARTED;
	ended.status = ENOENT;
	spawn_rig_ended(&rig, &ended);
	spawn_rig_turn(&rig);
	assert_true(task->back);
	spawn_rig_task_free(task);
	assert_int_equal(descriptors(), idle + RIG);
	spawn_rig_close_outputs(fds);
}

enum {
	MANY = 40 /* more than the socket takes */
};

static void start_many(struct spawn_rig_task *tasks[MANY])
{
	for (int i = 0; i < MANY; i++) {
		tasks[i] = spawn_rig_task(&rig, 30000, SPAWN_RIG_NO);
		spawn_rig_start(&rig, tasks[i]);
	}
}

static void spawn_ends_are_closed_when_a_start_is_not_sent(void **state)
{
	struct spawn_rig_task *tasks[MANY];
	int all;

	(void)state;
	start_many(tasks);
	all = descriptors();
	rig.executor->ops->cancel(rig.executor, &tasks[MANY - 1]->task);
	spawn_rig_turn(&rig);
	refused(tasks[MANY - 1], WYN_REFUSAL_CANCELLED_BY_CLIENT);
	assert_int_equal(descriptors(), all - READERS - WRITERS);
	spawn_rig_close(&rig);
	for (int i = 0; i < MANY - 1; i++) {
		assert_true(tasks[i]->back);
		spawn_rig_task_free(tasks[i]);
	}
	/* Nor the epoll and the socket of the executor, which is closed. */
	assert_int_equal(descriptors(), idle - 2);
}

static void spawn_ends_are_closed_when_the_spawner_is_lost(void **state)
{
	struct spawn_rig_task *tasks[MANY];
	int lost = 0;

	(void)state;
	start_many(tasks);
	spawn_rig_hang_up(&rig);
	spawn_rig_turn(&rig);
	while (lost < MANY && tasks[lost]->back) {
		refused(tasks[lost++], WYN_REFUSAL_SPAWNER_LOST);
	}
	/* The others wait, and are sent to the next one. */
	assert_in_range(lost, 1, MANY - 1);
	spawn_rig_begin(&rig);
	for (int i = lost; i < MANY; i++) {
		int fds[3];
		uint64_t id = spawn_rig_receive_start(&rig, fds);

		finish(tasks[i], id, fds);
	}
	assert_int_equal(descriptors(), idle);
}

static void spawn_ends_are_closed_when_the_executor_is(void **state)
{
	uint64_t ids[2];
	int fds[2][3];
	struct spawn_rig_task *running = spawn_rig_run(&rig, &ids[0], fds[0]);
	struct spawn_rig_task *ended = spawn_rig_run(&rig, &ids[1], fds[1]);

	(void)state;
	spawn_rig_exited(&rig, ids[1], 0, false);
	spawn_rig_turn(&rig);
	spawn_rig_close(&rig);
	refused(running, WYN_REFUSAL_SPAWNER_LOST);
	refused(ended, WYN_REFUSAL_NONE);
	assert_int_equal(descriptors(), idle - 2 + 2 * RIG);
	spawn_rig_close_outputs(fds[0]);
	spawn_rig_close_outputs(fds[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(spawn_ends_are_over_at_once_when_nobody_else_has_them),
		TEST(spawn_ends_are_had_until_the_start_is_sent),
		TEST(spawn_ends_are_closed_when_the_drain_time_is_over),
		TEST(spawn_ends_are_closed_when_none_was_started),
		TEST(spawn_ends_are_closed_when_a_start_is_not_sent),
		TEST(spawn_ends_are_closed_when_the_spawner_is_lost),
		TEST(spawn_ends_are_closed_when_the_executor_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
