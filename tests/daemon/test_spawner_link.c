// SPDX-License-Identifier: MIT
/*
 * test_spawner_link.c - how a spawner is had, configured, lost and had again,
 * with one that is the test, and with programs that are none.
 */
#include "daemon/spawn/spawner_link.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compiler.h"
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

/* Started, and nothing came of it yet. */
static struct spawn_rig_task *waiting(size_t bytes)
{
	struct spawn_rig_task *task = spawn_rig_task(&rig, bytes, SPAWN_RIG_NO);

	spawn_rig_start(&rig, task);
	return task;
}

static void finish(struct spawn_rig_task *task)
{
	int fds[3];
	uint64_t id = spawn_rig_receive_start(&rig, fds);

	spawn_rig_end(&rig, task, id, fds);
	assert_int_equal(task->task.outcome.code, WYN_STATUS_OK);
	spawn_rig_task_free(task);
}

static void assert_refused(struct spawn_rig_task *task,
	enum wyn_refusal refusal, bool ran, const char *message)
{
	assert_true(task->back);
	assert_int_equal(task->task.outcome.refusal, refusal);
	assert_int_equal(
		task->task.outcome.code, wyn_refusal_of(refusal)->status);
	assert_int_equal(task->task.ran, ran);
	if (message != NULL) {
		assert_non_null(strstr(task->task.outcome.message, message));
	}
	spawn_rig_task_free(task);
}

static bool is_asked(void)
{
	int fd;

	assert_int_equal(fcntl(rig.listener, F_SETFL, O_NONBLOCK), 0);
	fd = accept(rig.listener, NULL, NULL);
	if (fd >= 0) {
		close(fd);
	}
	return fd >= 0;
}

static void spawner_is_not_had_when_there_is_no_command(void **state)
{
	(void)state;
	spawn_rig_executor(&rig);
	spawn_rig_turn(&rig);
	assert_false(is_asked());
}

static void spawner_is_told_its_configuration(void **state)
{
	static const char *const programs[] = {"/bin/true", "/bin/cat"};
	struct spawn_rig_request request;
	const Wyn__Spawn__V1__Configure *configure;
	struct spawn_rig_task *task;

	(void)state;
	rig.config.programs = programs;
	rig.config.programs_count = 2;
	rig.config.private_tmp = true;
	rig.config.ledger = "/run/ledger";
	spawn_rig_executor(&rig);
	task = waiting(100);
	rig.link = accept(rig.listener, NULL, NULL);
	spawn_rig_receive(&rig, &request);
	configure = request.message->configure;
	assert_int_equal(configure->version, WYN_SPAWN_VERSION);
	assert_int_equal(configure->commands_max, 16);
	assert_int_equal(configure->umask, 022);
	assert_true(configure->private_tmp);
	assert_string_equal(configure->cgroup, "none");
	assert_string_equal(configure->ledger, "/run/ledger");
	assert_int_equal(configure->n_programs, 2);
	assert_memory_equal(configure->programs[1].data, "/bin/cat", 8);
	spawn_rig_ready(&rig);
	spawn_rig_turn(&rig);
	finish(task);
}

static void spawner_is_sent_nothing_before_it_is_ready(void **state)
{
	struct spawn_rig_task *task;

	(void)state;
	spawn_rig_executor(&rig);
	task = waiting(100);
	spawn_rig_accept(&rig);
	spawn_rig_turn(&rig);
	assert_true(spawn_rig_is_silent(&rig));
	spawn_rig_ready(&rig);
	spawn_rig_turn(&rig);
	finish(task);
}

static void spawner_is_told_again_when_the_configuration_changes(void **state)
{
	struct spawn_rig_request request;
	struct spawn_rig_task *task;

	(void)state;
	spawn_rig_executor(&rig);
	task = waiting(100);
	spawn_rig_begin(&rig);
	finish(task);
	rig.config.umask = 077;
	rig.executor->ops->configure(rig.executor, &rig.config);
	spawn_rig_receive(&rig, &request);
	assert_int_equal(request.message->configure->umask, 077);
	spawn_rig_ready(&rig);
	spawn_rig_turn(&rig);
	task = waiting(100);
	finish(task);
}

static void spawner_is_told_again_when_that_was_before_ready(void **state)
{
	struct spawn_rig_request request;
	struct spawn_rig_task *task;

	(void)state;
	spawn_rig_executor(&rig);
	task = waiting(100);
	spawn_rig_accept(&rig);
	rig.config.umask = 077;
	rig.executor->ops->configure(rig.executor, &rig.config);
	spawn_rig_ready(&rig);
	spawn_rig_turn(&rig);
	spawn_rig_receive(&rig, &request);
	assert_int_equal(request.message->configure->umask, 077);
	finish(task);
}

static void spawner_gets_no_command_that_was_cancelled_before(void **state)
{
	struct spawn_rig_task *task;

	(void)state;
	spawn_rig_executor(&rig);
	task = waiting(100);
	task->task.stopped = WYN_REFUSAL_CANCELLED_BY_CLIENT;
	rig.executor->ops->cancel(rig.executor, &task->task);
	spawn_rig_turn(&rig);
	assert_refused(task, WYN_REFUSAL_CANCELLED_BY_CLIENT, false, NULL);
	spawn_rig_begin(&rig);
	assert_true(spawn_rig_is_silent(&rig));
}

static void spawner_that_dies_takes_what_runs_and_nothing_else(void **state)
{
	struct spawn_rig_task *running;
	struct spawn_rig_task *ended;
	struct spawn_rig_task *next;
	uint64_t ids[2];
	int fds[2][3];

	(void)state;
	spawn_rig_executor(&rig);
	running = spawn_rig_run(&rig, &ids[0], fds[0]);
	ended = spawn_rig_run(&rig, &ids[1], fds[1]);
	assert_int_equal(write(fds[0][1], "some", 4), 4);
	spawn_rig_exited(&rig, ids[1], 0, true);
	spawn_rig_turn(&rig);
	spawn_rig_hang_up(&rig);
	spawn_rig_turn(&rig);
	assert_int_equal(running->output_bytes, 4);
	assert_refused(running, WYN_REFUSAL_SPAWNER_LOST, true, NULL);
	assert_false(ended->back);
	spawn_rig_close_outputs(fds[1]);
	spawn_rig_turn(&rig);
	assert_true(ended->back);
	assert_int_equal(ended->task.outcome.code, WYN_STATUS_OK);
	spawn_rig_task_free(ended);
	spawn_rig_close_outputs(fds[0]);
	next = waiting(100);
	spawn_rig_begin(&rig);
	finish(next);
}

/* What it has not read is how the end of a process that is killed looks. */
static void spawner_that_dies_has_said_what_it_said(void **state)
{
	struct spawn_rig_task *ended;
	struct spawn_rig_task *running;
	uint64_t id;
	int fds[3];

	(void)state;
	spawn_rig_executor(&rig);
	ended = spawn_rig_run(&rig, &id, fds);
	running = waiting(100);
	spawn_rig_exited(&rig, id, 0, false);
	spawn_rig_close_outputs(fds);
	spawn_rig_hang_up(&rig);
	spawn_rig_turn(&rig);
	assert_true(ended->back);
	assert_int_equal(ended->task.outcome.code, WYN_STATUS_OK);
	spawn_rig_task_free(ended);
	assert_refused(running, WYN_REFUSAL_SPAWNER_LOST, true, NULL);
}

static void spawner_that_died_is_heard_though_it_is_spoken_to(void **state)
{
	struct spawn_rig_task *ended;
	struct spawn_rig_task *next;
	uint64_t id;
	int fds[3];

	(void)state;
	spawn_rig_executor(&rig);
	ended = spawn_rig_run(&rig, &id, fds);
	spawn_rig_exited(&rig, id, 0, false);
	spawn_rig_close_outputs(fds);
	spawn_rig_hang_up(&rig);
	next = waiting(100);
	spawn_rig_turn(&rig);
	assert_true(ended->back);
	assert_int_equal(ended->task.outcome.code, WYN_STATUS_OK);
	spawn_rig_task_free(ended);
	assert_false(next->back);
	spawn_rig_begin(&rig);
	finish(next);
}

static void spawner_that_dies_leaves_what_was_not_sent_whole(void **state)
{
	struct spawn_rig_task *large;

	(void)state;
	spawn_rig_executor(&rig);
	large = waiting(2u << 20);
	spawn_rig_begin(&rig);
	spawn_rig_hang_up(&rig);
	spawn_rig_turn(&rig);
	assert_false(large->back);
	spawn_rig_begin(&rig);
	finish(large);
}

static void spawner_gets_a_stop_behind_a_command_that_is_sent_in_part(
	void **state)
{
	struct spawn_rig_request request;
	struct spawn_rig_task *large;
	uint64_t id;
	int fds[3];

	(void)state;
	spawn_rig_executor(&rig);
	large = waiting(2u << 20);
	spawn_rig_begin(&rig);
	rig.executor->ops->cancel(rig.executor, &large->task);
	spawn_rig_turn(&rig);
	assert_false(large->back);
	id = spawn_rig_receive_start(&rig, fds);
	spawn_rig_turn(&rig);
	spawn_rig_receive(&rig, &request);
	assert_int_equal(
		request.message->what_case, WYN__SPAWN__V1__REQUEST__WHAT_STOP);
	spawn_rig_close_outputs(fds);
	spawn_rig_exited(&rig, id, 0, false);
	spawn_rig_turn(&rig);
	assert_true(large->back);
	spawn_rig_task_free(large);
}

static void spawner_of_another_version_is_refused(void **state)
{
	Wyn__Spawn__V1__Ready ready = WYN__SPAWN__V1__READY__INIT;
	Wyn__Spawn__V1__Event event = WYN__SPAWN__V1__EVENT__INIT;
	struct spawn_rig_task *task;

	(void)state;
	spawn_rig_executor(&rig);
	task = waiting(100);
	spawn_rig_accept(&rig);
	ready.version = WYN_SPAWN_VERSION + 1;
	event.what_case = WYN__SPAWN__V1__EVENT__WHAT_READY;
	event.ready = &ready;
	spawn_rig_send(&rig, &event);
	spawn_rig_turn(&rig);
	assert_refused(
		task, WYN_REFUSAL_SPAWNER_MISSING, false, "another version");
}

/* What a spawner of ours would never say. */
static void say(int what, uint64_t id)
{
	Wyn__Spawn__V1__Ended ended = WYN__SPAWN__V1__ENDED__INIT;
	static uint8_t piece[20000] = {WYN_SPAWN_PACKET_MORE};

	ended.id = id;
	ended.how = WYN__SPAWN__V1__HOW__HOW_EXITED;
	switch (what) {
	case 0:
		spawn_rig_send_packet(&rig, "\xfe", 1);
		break;
	case 1:
		spawn_rig_send_packet(&rig, "\0garbage", 8);
		break;
	case 2:
		spawn_rig_send_packet(&rig, "\0", 1);
		break;
	case 3:
		ended.id++;
		spawn_rig_ended(&rig, &ended);
		break;
	case 4:
		ended.id += UINT64_C(1) << 32;
		spawn_rig_ended(&rig, &ended);
		break;
	case 5:
		ended.how = WYN__SPAWN__V1__HOW__HOW_UNSPECIFIED;
		spawn_rig_ended(&rig, &ended);
		break;
	default:
		for (int i = 0; i < 5; i++) {
			spawn_rig_send_packet(&rig, piece, sizeof(piece));
		}
		break;
	}
}

static void spawner_that_speaks_nonsense_is_given_up(void **state)
{
	(void)state;
	spawn_rig_executor(&rig);
	for (int what = 0; what < 7; what++) {
		uint64_t id;
		int fds[3];
		struct spawn_rig_task *task = spawn_rig_run(&rig, &id, fds);

		say(what, id);
		spawn_rig_turn(&rig);
		assert_refused(task, WYN_REFUSAL_SPAWNER_LOST, true, NULL);
		spawn_rig_hang_up(&rig);
		spawn_rig_close_outputs(fds);
	}
}

static void spawner_may_say_it_in_pieces(void **state)
{
	Wyn__Spawn__V1__Ended ended = WYN__SPAWN__V1__ENDED__INIT;
	Wyn__Spawn__V1__Event event = WYN__SPAWN__V1__EVENT__INIT;
	struct spawn_rig_task *task;
	uint8_t packed[64];
	size_t bytes;
	int fds[3];

	(void)state;
	spawn_rig_executor(&rig);
	task = spawn_rig_run(&rig, &ended.id, fds);
	spawn_rig_close_outputs(fds);
	ended.how = WYN__SPAWN__V1__HOW__HOW_EXITED;
	event.what_case = WYN__SPAWN__V1__EVENT__WHAT_ENDED;
	event.ended = &ended;
	bytes = wyn_spawn_event_encode(&event, packed);
	for (size_t i = 0; i < bytes; i++) {
		uint8_t packet[2] = {
			i + 1 < bytes ? WYN_SPAWN_PACKET_MORE : 0, packed[i]};

		spawn_rig_send_packet(&rig, packet, 2);
	}
	spawn_rig_turn(&rig);
	spawn_rig_turn(&rig);
	assert_true(task->back);
	spawn_rig_task_free(task);
}

static void spawner_is_missing_when_there_is_no_such_program(void **state)
{
	struct spawn_rig_task *task;

	(void)state;
	rig.config.spawner = "/no/such/spawner";
	spawn_rig_executor(&rig);
	for (int i = 0; i < 5; i++) {
		task = waiting(100);
		spawn_rig_turn(&rig);
		assert_refused(task, WYN_REFUSAL_SPAWNER_MISSING, false,
			"/no/such/spawner (spawner): ");
	}
}

static void spawner_is_missing_when_its_program_ends_at_once(void **state)
{
	struct spawn_rig_task *task;

	(void)state;
	rig.config.spawner = "/bin/false";
	spawn_rig_executor(&rig);
	task = waiting(100);
	spawn_rig_wait(&rig, task);
	assert_refused(task, WYN_REFUSAL_SPAWNER_MISSING, false, "went away");
}

static void spawner_is_not_needed_when_there_are_no_descriptors(void **state)
{
	struct rlimit before;
	struct rlimit few;
	struct spawn_rig_task *task;

	(void)state;
	spawn_rig_executor(&rig);
	task = waiting(100);
	spawn_rig_begin(&rig);
	finish(task);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){3, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	task = waiting(100);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	spawn_rig_turn(&rig);
	assert_true(task->back);
	assert_int_equal(
		task->task.outcome.code, WYN_STATUS_RESOURCE_EXHAUSTED);
	task->task.outcome.code = WYN_STATUS_NOT_FOUND;
	assert_refused(
		task, WYN_REFUSAL_NOT_PREPARED, false, "Too many open files");
	task = waiting(100);
	finish(task);
}

static void spawner_is_let_go_when_the_executor_closes(void **state)
{
	struct spawn_rig_task *running;
	struct spawn_rig_task *draining;
	uint64_t ids[2];
	int fds[2][3];
	uint8_t byte;

	(void)state;
	spawn_rig_executor(&rig);
	running = spawn_rig_run(&rig, &ids[0], fds[0]);
	draining = spawn_rig_run(&rig, &ids[1], fds[1]);
	spawn_rig_exited(&rig, ids[1], 0, false);
	spawn_rig_turn(&rig);
	spawn_rig_close(&rig);
	assert_refused(running, WYN_REFUSAL_SPAWNER_LOST, true, NULL);
	assert_true(draining->back);
	assert_int_equal(draining->task.outcome.code, WYN_STATUS_OK);
	spawn_rig_task_free(draining);
	assert_int_equal(recv(rig.link, &byte, 1, MSG_DONTWAIT), 0);
	spawn_rig_close_outputs(fds[0]);
	spawn_rig_close_outputs(fds[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(spawner_is_not_had_when_there_is_no_command),
		TEST(spawner_is_told_its_configuration),
		TEST(spawner_is_sent_nothing_before_it_is_ready),
		TEST(spawner_is_told_again_when_the_configuration_changes),
		TEST(spawner_is_told_again_when_that_was_before_ready),
		TEST(spawner_gets_no_command_that_was_cancelled_before),
		TEST(spawner_that_dies_takes_what_runs_and_nothing_else),
		TEST(spawner_that_dies_has_said_what_it_said),
		TEST(spawner_that_died_is_heard_though_it_is_spoken_to),
		TEST(spawner_that_dies_leaves_what_was_not_sent_whole),
		TEST(spawner_gets_a_stop_behind_a_command_that_is_sent_in_part),
		TEST(spawner_of_another_version_is_refused),
		TEST(spawner_that_speaks_nonsense_is_given_up),
		TEST(spawner_may_say_it_in_pieces),
		TEST(spawner_is_missing_when_there_is_no_such_program),
		TEST(spawner_is_missing_when_its_program_ends_at_once),
		TEST(spawner_is_not_needed_when_there_are_no_descriptors),
		TEST(spawner_is_let_go_when_the_executor_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
