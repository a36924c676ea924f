// SPDX-License-Identifier: MIT
/*
 * test_pad.c - children that are on their way: nobody waits for them, and what
 * they begin from stays as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "spawner/command.h"
#include "spawner/pad.h"
#include "spawner/process.h"
#include "spawner/user.h"
#include "tests/support/spawner_rig.h"

static struct wyn_pads pads;

static int set_up(void **state)
{
	(void)state;
	wyn_pads_init(&pads);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	wyn_pads_fini(&pads);
	return 0;
}

static struct wyn_pad *take(size_t bytes)
{
	struct wyn_pad *pad = wyn_pad_acquire(&pads, bytes);

	assert_non_null(pad);
	assert_true(pad->arena.size_bytes >= bytes);
	return pad;
}

static void pad_is_used_again_when_it_was_released(void **state)
{
	struct wyn_pad *pad = take(1);

	(void)state;
	assert_non_null(wyn_arena_alloc(&pad->arena, 100));
	wyn_pad_release(&pads, pad);
	assert_ptr_equal(take(1), pad);
	assert_int_equal(pad->arena.used_bytes, 0);
	assert_false(pads.grown);
	wyn_pad_release(&pads, pad);
}

static void pad_is_given_back_when_there_are_enough(void **state)
{
	struct wyn_pad *all[WYN_PADS_KEPT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(all); i++) {
		all[i] = take(1);
	}
	for (size_t i = 0; i < WYN_COUNT_OF(all); i++) {
		assert_false(pads.grown);
		wyn_pad_release(&pads, all[i]);
	}
	assert_int_equal(pads.free_count, WYN_PADS_KEPT_MAX);
	assert_true(pads.grown);
}

static void pad_is_given_back_when_it_is_large(void **state)
{
	struct wyn_pad *pad = take(2 * WYN_PAD_BYTES);

	(void)state;
	assert_non_null(wyn_arena_alloc(&pad->arena, WYN_PAD_BYTES + 1));
	wyn_pad_release(&pads, pad);
	assert_int_equal(pads.free_count, 0);
	assert_true(pads.grown);
}

static void pad_is_emptied_when_more_of_it_was_used_than_is_kept(void **state)
{
	struct wyn_pad *pad = take(1);
	unsigned char *bytes = wyn_arena_alloc(
		&pad->arena, WYN_PADS_KEPT_BYTES_MAX / WYN_PADS_KEPT_MAX + 1);

	(void)state;
	assert_non_null(bytes);
	*bytes = 1;
	wyn_pad_release(&pads, pad);
	assert_int_equal(pads.free_count, 1);
	assert_int_equal(*bytes, 0);
	assert_true(pads.grown);
}

static void pad_is_not_there_when_there_is_no_memory(void **state)
{
	(void)state;
	spawner_rig_arm_here(SPAWNER_FAULT_MMAP, 3, ENOMEM);
	assert_null(wyn_pad_acquire(&pads, 1));
	assert_null(wyn_pad_acquire(&pads, WYN_PAD_BYTES + 1));
	wyn_pad_release(&pads, take(1));
}

static void pad_lands_when_its_child_has_executed(void **state)
{
	struct wyn_command command = {.pad = NULL};
	struct wyn_pad *pad = take(1);
	struct wyn_pad *other;

	(void)state;
	pad->busy = 1;
	wyn_pad_fly(&pads, pad, &command);
	assert_ptr_equal(command.pad, pad);
	other = take(1);
	assert_ptr_not_equal(other, pad);
	assert_ptr_equal(command.pad, pad);
	pad->busy = 0;
	assert_ptr_equal(take(1), pad);
	assert_null(command.pad);
	assert_null(pad->command);
	wyn_pad_release(&pads, other);
	wyn_pad_release(&pads, pad);
}

static void pad_stays_when_its_child_has_something_to_tell(void **state)
{
	struct wyn_command command = {.pad = NULL};
	struct wyn_pad *pad = take(1);

	(void)state;
	pad->busy = 0;
	pad->report.stage = WYN__SPAWN__V1__STAGE__STAGE_DIRECTORY;
	wyn_pad_fly(&pads, pad, &command);
	wyn_pad_release(&pads, take(1));
	assert_ptr_equal(command.pad, pad);
	wyn_pad_land(&pads, &command);
	assert_null(command.pad);
	assert_int_equal(pads.free_count, 2);
}

/* More than are looked at, one time after the other. */
static void pads_land_when_others_before_them_do_not(void **state)
{
	struct wyn_command commands[2 * WYN_PADS_LOOKS] = {{.pad = NULL}};
	size_t last = WYN_COUNT_OF(commands) - 1;

	(void)state;
	for (size_t i = 0; i <= last; i++) {
		struct wyn_pad *pad = take(1);

		pad->busy = 1;
		wyn_pad_fly(&pads, pad, &commands[i]);
	}
	commands[last].pad->busy = 0;
	for (size_t i = 0; i < 2; i++) {
		wyn_pad_release(&pads, take(1));
	}
	assert_null(commands[last].pad);
	for (size_t i = 0; i < last; i++) {
		assert_non_null(commands[i].pad);
		wyn_pad_land(&pads, &commands[i]);
	}
}

/* ---- children ------------------------------------------------------------ */

/* With sanitizers each is waited for (clone.h). */
static void need_no_waiting(void)
{
	if (WYN_SANITIZED) {
		skip();
	}
}

static void works(struct spawner_rig *rig)
{
	assert_string_equal(
		spawner_rig_read(spawner_rig_shell(rig, 77, "echo fine")),
		"fine\n");
	spawner_rig_exited(rig, 77, 0);
}

static int hold(struct spawner_rig *rig, pid_t *ret_pid)
{
	int output;

	spawner_rig_hold(rig);
	output = spawner_rig_shell(rig, 1, "echo held");
	*ret_pid = spawner_rig_held(rig);
	return output;
}

static void others_run_when_a_child_is_on_its_way(void **state)
{
	struct spawner_rig *rig = *state;
	pid_t pid;
	int output;

	need_no_waiting();
	output = hold(rig, &pid);
	for (unsigned i = 0; i < 2 * WYN_PADS_KEPT_MAX; i++) {
		works(rig);
	}
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_string_equal(spawner_rig_read(output), "held\n");
	spawner_rig_exited(rig, 1, 0);
}

/* Else it keeps what it has of ours: the link, and the locks. */
static void child_on_its_way_dies_when_the_spawner_is_killed(void **state)
{
	struct spawner_rig *rig = *state;
	pid_t pid;
	int output = hold(rig, &pid);

	assert_int_equal(kill(rig->pid, SIGKILL), 0);
	assert_string_equal(spawner_rig_read(output), "");
	assert_int_equal(spawner_rig_end(rig), SIGKILL);
}

static void dies(struct spawner_rig *rig, uint64_t grace_ms, unsigned signal)
{
	const Wyn__Spawn__V1__Ended *ended;
	pid_t pid;
	int output;

	need_no_waiting();
	output = hold(rig, &pid);
	spawner_rig_stop(rig, 1, grace_ms);
	assert_string_equal(spawner_rig_read(output), "");
	ended = spawner_rig_ended(rig, 1);
	assert_int_equal(ended->how, WYN__SPAWN__V1__HOW__HOW_SIGNALLED);
	assert_int_equal(ended->status, signal);
	assert_false(ended->left);
	works(rig);
}

static void child_on_its_way_dies_when_it_is_killed(void **state)
{
	dies(*state, 0, SIGKILL);
}

static void child_on_its_way_dies_when_it_is_to_end(void **state)
{
	dies(*state, 3600 * 1000, SIGTERM);
}

static void await_zombie(pid_t pid)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct wyn_process process;
	unsigned turns = 0;

	assert_true(proc >= 0);
	do {
		assert_true(turns++ < 1000000);
		sched_yield();
		assert_int_equal(wyn_process_read(proc, pid, &process), 0);
	} while (process.state != 'Z');
	close(proc);
}

static pid_t read_pid(int fd)
{
	char line[16];
	size_t n = 0;

	do {
		assert_true(n < sizeof(line));
		assert_int_equal(read(fd, line + n, 1), 1);
	} while (line[n++] != '\n');
	return (pid_t)strtol(line, NULL, 10);
}

/* A shell that ends with its input, and leaves one whose it is nobody can say.
 * Returns: its pid. */
static pid_t start_that_leaves(
	struct spawner_rig *rig, int *ret_input, int *ret_output)
{
	static const char *const argv[] = {"/bin/sh", "-c",
		"env -i /usr/bin/setsid /bin/sh -c 'echo $0; exec sleep 1000' "
		"$$ & read line",
		NULL};
	int input[2];
	int output[2];

	assert_int_equal(pipe2(input, O_CLOEXEC), 0);
	assert_int_equal(pipe2(output, O_CLOEXEC), 0);
	spawner_rig_start(rig, 1,
		&(struct spawner_command){
			.argv = argv, .input = input[0], .output = output[1]});
	close(input[0]);
	close(output[1]);
	*ret_input = input[1];
	*ret_output = output[0];
	return read_pid(output[0]);
}

/* It goes with who ended last: one that never began, then, for which wynd asks
 * no Reap. */
static void orphan_dies_when_the_last_that_ended_has_not_started(void **state)
{
	static const char *const argv[] = {"/bin/true", NULL};
	struct spawner_rig *rig = *state;
	int input;
	int output;
	int status;
	pid_t pid;

	need_no_waiting();
	pid = start_that_leaves(rig, &input, &output);
	spawner_rig_hold(rig);
	spawner_rig_start(rig, 2,
		&(struct spawner_command){.argv = argv, .cwd = "/nowhere"});
	(void)spawner_rig_held(rig);
	/* Both ends are seen at once. */
	assert_int_equal(kill(rig->pid, SIGSTOP), 0);
	assert_int_equal(waitpid(rig->pid, &status, WUNTRACED), rig->pid);
	close(input);
	await_zombie(pid);
	pid = spawner_rig_held(rig);
	assert_int_equal(kill(pid, SIGCONT), 0);
	await_zombie(pid);
	assert_int_equal(kill(rig->pid, SIGCONT), 0);
	(void)spawner_rig_ended(rig, 1);
	spawner_rig_refused(rig, 2, WYN__SPAWN__V1__STAGE__STAGE_DIRECTORY,
		ENOENT, "/nowhere");
	assert_string_equal(spawner_rig_read(output), "");
	works(rig);
}

static void child_on_its_way_becomes_who_was_meant_when_others_come(
	void **state)
{
	static const char *const argv[] = {"/usr/bin/id", "-G", NULL};
	struct spawner_rig *rig = *state;
	uint32_t uid = 60100;
	int sides[2];
	pid_t pid;

	need_no_waiting();
	if (geteuid() != 0) {
		skip();
	}
	assert_int_equal(pipe2(sides, O_CLOEXEC), 0);
	spawner_rig_hold(rig);
	spawner_rig_start(rig, 1,
		&(struct spawner_command){.argv = argv,
			.output = sides[1],
			.uid = uid,
			.gid = uid});
	close(sides[1]);
	pid = spawner_rig_held(rig);
	for (uint32_t i = 1; i <= WYN_USERS_KEPT_MAX; i++) {
		spawner_rig_start(rig, 2,
			&(struct spawner_command){
				.argv = argv, .uid = uid + i, .gid = uid + i});
		spawner_rig_exited(rig, 2, 0);
	}
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_string_equal(spawner_rig_read(sides[0]), "60100\n");
	spawner_rig_exited(rig, 1, 0);
}

#define PAD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define CASE(name)                       \
	cmocka_unit_test_setup_teardown( \
		name, spawner_rig_set_up_ready, spawner_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PAD(pad_is_used_again_when_it_was_released),
		PAD(pad_is_given_back_when_there_are_enough),
		PAD(pad_is_given_back_when_it_is_large),
		PAD(pad_is_emptied_when_more_of_it_was_used_than_is_kept),
		PAD(pad_is_not_there_when_there_is_no_memory),
		PAD(pad_lands_when_its_child_has_executed),
		PAD(pad_stays_when_its_child_has_something_to_tell),
		PAD(pads_land_when_others_before_them_do_not),
		CASE(others_run_when_a_child_is_on_its_way),
		CASE(child_on_its_way_dies_when_the_spawner_is_killed),
		CASE(child_on_its_way_dies_when_it_is_killed),
		CASE(child_on_its_way_dies_when_it_is_to_end),
		CASE(orphan_dies_when_the_last_that_ended_has_not_started),
		CASE(child_on_its_way_becomes_who_was_meant_when_others_come),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
