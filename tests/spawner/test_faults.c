// SPDX-License-Identifier: MIT
/*
 * test_faults.c - each call that may fail for want of something fails: one
 * command ends with that errno, nothing leaks, and the next one is as if
 * nothing had been.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/spawner_rig.h"

static const int wants[] = {EMFILE, ENFILE, ENOMEM, EAGAIN};

static void works(struct spawner_rig *rig)
{
	assert_string_equal(
		spawner_rig_read(spawner_rig_shell(rig, 77, "echo fine")),
		"fine\n");
	spawner_rig_exited(rig, 77, 0);
}

/* One command with all that a command may have. */
static void start(struct spawner_rig *rig, const char *const *argv)
{
	int sides[2];

	assert_int_equal(pipe2(sides, O_CLOEXEC), 0);
	spawner_rig_start(rig, 1,
		&(struct spawner_command){.argv = argv,
			.input = sides[0],
			.output = sides[1],
			.error = sides[1],
			.memory_bytes = UINT64_C(1) << 40});
	close(sides[0]);
	close(sides[1]);
}

static void fails(struct spawner_rig *rig, enum spawner_fault fault,
	unsigned stage, const char *const *argv, const char *where)
{
	unsigned fds = spawner_rig_fds(rig);

	for (size_t i = 0; i < WYN_COUNT_OF(wants); i++) {
		spawner_rig_arm(rig, fault, 1, wants[i]);
		start(rig, argv);
		spawner_rig_refused(rig, 1, stage, wants[i], where);
		works(rig);
		spawner_rig_has_fds(rig, fds);
	}
}

static const char *const true_argv[] = {"/bin/true", NULL};

#define STAGE(name) WYN__SPAWN__V1__STAGE__STAGE_##name

static void spawner_goes_on_when_clone_fails(void **state)
{
	fails(*state, SPAWNER_FAULT_CLONE, STAGE(PROCESS), true_argv, "");
}

static void spawner_goes_on_when_setsid_fails(void **state)
{
	fails(*state, SPAWNER_FAULT_SETSID, STAGE(PROCESS), true_argv, "");
}

static void spawner_goes_on_when_dup_fails(void **state)
{
	fails(*state, SPAWNER_FAULT_DUP, STAGE(PROCESS), true_argv, "");
}

static void spawner_goes_on_when_close_range_fails(void **state)
{
	fails(*state, SPAWNER_FAULT_CLOSE_RANGE, STAGE(PROCESS), true_argv, "");
}

static void spawner_goes_on_when_setrlimit_fails(void **state)
{
	fails(*state, SPAWNER_FAULT_SETRLIMIT, STAGE(LIMITS), true_argv,
		"RLIMIT_NOFILE");
}

static void spawner_goes_on_when_chdir_fails(void **state)
{
	fails(*state, SPAWNER_FAULT_CHDIR, STAGE(DIRECTORY), true_argv, "/");
}

static void spawner_goes_on_when_execve_fails(void **state)
{
	fails(*state, SPAWNER_FAULT_EXECVE, STAGE(PROGRAM), true_argv,
		"/bin/true");
}

/* As for a user who has as many processes as he may: the kernel has not looked
 * for the file yet. */
static void program_is_named_as_asked_for_when_no_path_is_to_blame(void **state)
{
	static const char *const argv[] = {"true", NULL};
	struct spawner_rig *rig = *state;

	spawner_rig_arm(rig, SPAWNER_FAULT_EXECVE, 1, EAGAIN);
	start(rig, argv);
	spawner_rig_refused(rig, 1, STAGE(PROGRAM), EAGAIN, "true");
}

static void spawner_goes_on_when_the_users_ids_fail(void **state)
{
	static const enum spawner_fault faults[] = {SPAWNER_FAULT_SETGROUPS,
		SPAWNER_FAULT_SETGID, SPAWNER_FAULT_SETUID};

	if (geteuid() != 0) {
		skip();
	}
	for (size_t i = 0; i < WYN_COUNT_OF(faults); i++) {
		fails(*state, faults[i], STAGE(USER), true_argv, "0");
	}
}

static void spawner_goes_on_when_the_private_tmp_fails(void **state)
{
	struct spawner_rig *rig = *state;

	if (!spawner_rig_may_mount()) {
		skip();
	}
	rig->configure.private_tmp = true;
	assert_string_equal(spawner_rig_configure(rig)->problem, "");
	fails(rig, SPAWNER_FAULT_PRIVATE_TMP, STAGE(TMP), true_argv, "/tmp");
}

static void spawner_goes_on_when_the_data_base_of_users_fails(void **state)
{
	struct spawner_rig *rig = *state;
	/* Each is asked for once: what was found is kept. */
	uint32_t uid = 60000;

	if (geteuid() != 0) {
		skip();
	}
	for (size_t i = 0; i < WYN_COUNT_OF(wants); i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "%u", ++uid);
		spawner_rig_arm(rig, SPAWNER_FAULT_GETPWUID, 1, wants[i]);
		spawner_rig_start(rig, 1,
			&(struct spawner_command){
				.argv = true_argv, .uid = uid, .gid = uid});
		spawner_rig_refused(rig, 1, STAGE(USER), wants[i], name);
		spawner_rig_start(rig, 1,
			&(struct spawner_command){
				.argv = true_argv, .uid = uid, .gid = uid});
		spawner_rig_exited(rig, 1, 0);
	}
}

static void spawner_goes_on_when_the_groups_of_a_user_fail(void **state)
{
	struct spawner_rig *rig = *state;

	if (geteuid() != 0) {
		skip();
	}
	spawner_rig_arm(rig, SPAWNER_FAULT_GETGROUPLIST, 1, ENOMEM);
	spawner_rig_start(rig, 1, &(struct spawner_command){.argv = true_argv});
	spawner_rig_refused(rig, 1, STAGE(USER), ENOMEM, "0");
	works(rig);
}

/* However many there are: each in turn. Among them are those of the groups of
 * the user, which have a stage of their own. */
static void spawner_goes_on_when_there_is_no_memory(void **state)
{
	struct spawner_rig *rig = *state;
	static const enum spawner_fault faults[] = {
		SPAWNER_FAULT_CALLOC, SPAWNER_FAULT_REALLOC};

	for (size_t i = 0; i < WYN_COUNT_OF(faults); i++) {
		for (unsigned n = 1; n <= 3; n++) {
			const Wyn__Spawn__V1__Ended *ended;

			spawner_rig_arm(rig, faults[i], 1, ENOMEM);
			start(rig, true_argv);
			ended = spawner_rig_ended(rig, 1);
			if (ended->how !=
				WYN__SPAWN__V1__HOW__HOW_NOT_STARTED) {
				assert_int_equal(ended->status, 0);
				break;
			}
			assert_int_equal(ended->status, ENOMEM);
		}
		spawner_rig_arm(rig, SPAWNER_FAULT_NONE, 0, 0);
		works(rig);
	}
}

static void spawner_goes_on_when_a_listed_program_cannot_be_opened(void **state)
{
	struct spawner_rig *rig = *state;
	uint8_t path[] = "/bin/true";
	uint8_t shell[] = "/bin/sh";
	ProtobufCBinaryData programs[] = {
		{sizeof(path) - 1, path}, {sizeof(shell) - 1, shell}};

	rig->configure.programs = programs;
	rig->configure.n_programs = 2;
	assert_string_equal(spawner_rig_configure(rig)->problem, "");
	for (size_t i = 0; i < 3; i++) {
		spawner_rig_arm(rig, SPAWNER_FAULT_OPENAT, 1, wants[i]);
		start(rig, true_argv);
		spawner_rig_refused(rig, 1, STAGE(PROCESS), wants[i], "");
		works(rig);
	}
	fails(rig, SPAWNER_FAULT_FEXECVE, STAGE(PROGRAM), true_argv,
		"/bin/true");
}

/* A message that wants memory of its own: for its pieces, and to be decoded. */
static void command_is_refused_when_its_message_has_no_memory(void **state)
{
	struct spawner_rig *rig = *state;
	enum {
		BYTES = 100 << 10
	};
	char *argument = malloc(BYTES);
	const char *const argv[] = {"/bin/true", argument, NULL};
	static const enum spawner_fault faults[] = {
		SPAWNER_FAULT_REALLOC, SPAWNER_FAULT_MMAP};

	assert_non_null(argument);
	memset(argument, 'x', BYTES);
	argument[BYTES - 1] = '\0';
	works(rig);
	for (size_t i = 0; i < WYN_COUNT_OF(faults); i++) {
		unsigned fds = spawner_rig_fds(rig);

		spawner_rig_arm(rig, faults[i], 1, ENOMEM);
		start(rig, argv);
		spawner_rig_refused(rig, 1, STAGE(PROCESS), ENOMEM, "");
		start(rig, argv);
		spawner_rig_exited(rig, 1, 0);
		spawner_rig_has_fds(rig, fds);
	}
	free(argument);
}

static void requests_come_later_when_recvmsg_fails(void **state)
{
	struct spawner_rig *rig = *state;

	spawner_rig_arm(rig, SPAWNER_FAULT_RECVMSG, 3, ENOMEM);
	works(rig);
	spawner_rig_arm(rig, SPAWNER_FAULT_RECVMSG, 3, ENOBUFS);
	works(rig);
}

static void events_come_later_when_send_fails(void **state)
{
	struct spawner_rig *rig = *state;
	static const int errors[] = {EAGAIN, ENOMEM, ENOBUFS, EINTR};

	for (size_t i = 0; i < WYN_COUNT_OF(errors); i++) {
		spawner_rig_arm(rig, SPAWNER_FAULT_SEND, 3, errors[i]);
		works(rig);
		works(rig);
	}
}

static void command_is_refused_when_its_descriptors_have_no_room(void **state)
{
	struct spawner_rig *rig = *state;
	struct rlimit few = {1, 1};
	struct rlimit as_it_was;

	assert_int_equal(prlimit(rig->pid, RLIMIT_NOFILE, NULL, &as_it_was), 0);
	few.rlim_max = as_it_was.rlim_max;
	assert_int_equal(prlimit(rig->pid, RLIMIT_NOFILE, &few, NULL), 0);
	for (int i = 0; i < 3; i++) {
		start(rig, true_argv);
		spawner_rig_refused(rig, 1, STAGE(PROCESS), EMFILE, "");
	}
	assert_int_equal(prlimit(rig->pid, RLIMIT_NOFILE, &as_it_was, NULL), 0);
	works(rig);
}

static void trees_are_killed_later_when_they_cannot_be_seen(void **state)
{
	struct spawner_rig *rig = *state;
	unsigned fds = spawner_rig_fds(rig);

	for (size_t i = 0; i < WYN_COUNT_OF(wants); i++) {
		for (unsigned n = 1; n < 40; n += 6) {
			int pipe = spawner_rig_shell(rig, 1,
				"(setsid sleep 1000 &) ; (sleep 1000 &) ; "
				"echo; sleep 1000");

			spawner_rig_await(pipe);
			spawner_rig_arm(rig, SPAWNER_FAULT_OPENAT, n, wants[i]);
			spawner_rig_stop(rig, 1, n % 2);
			(void)spawner_rig_ended(rig, 1);
			spawner_rig_reap(rig, 1);
			(void)spawner_rig_read(pipe);
			spawner_rig_arm(rig, SPAWNER_FAULT_NONE, 0, 0);
		}
	}
	works(rig);
	spawner_rig_has_fds(rig, fds);
}

static void spawner_does_not_begin_when_something_is_wanting(void **state)
{
	static const enum spawner_fault faults[] = {SPAWNER_FAULT_CALLOC,
		SPAWNER_FAULT_MMAP, SPAWNER_FAULT_OPENAT,
		SPAWNER_FAULT_EPOLL_CTL};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(faults); i++) {
		unsigned n = 1;

		while (spawner_rig_begin(faults[i], n, ENOMEM) == ENOMEM) {
			n++;
		}
		assert_int_equal(spawner_rig_begin(faults[i], n, ENOMEM), 0);
		assert_true(n > 1);
	}
}

#define CASE(name)                       \
	cmocka_unit_test_setup_teardown( \
		name, spawner_rig_set_up_ready, spawner_rig_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(spawner_goes_on_when_clone_fails),
		CASE(spawner_goes_on_when_setsid_fails),
		CASE(spawner_goes_on_when_dup_fails),
		CASE(spawner_goes_on_when_close_range_fails),
		CASE(spawner_goes_on_when_setrlimit_fails),
		CASE(spawner_goes_on_when_chdir_fails),
		CASE(spawner_goes_on_when_execve_fails),
		CASE(program_is_named_as_asked_for_when_no_path_is_to_blame),
		CASE(spawner_goes_on_when_the_users_ids_fail),
		CASE(spawner_goes_on_when_the_private_tmp_fails),
		CASE(spawner_goes_on_when_the_data_base_of_users_fails),
		CASE(spawner_goes_on_when_the_groups_of_a_user_fail),
		CASE(spawner_goes_on_when_there_is_no_memory),
		CASE(spawner_goes_on_when_a_listed_program_cannot_be_opened),
		CASE(command_is_refused_when_its_message_has_no_memory),
		CASE(requests_come_later_when_recvmsg_fails),
		CASE(events_come_later_when_send_fails),
		CASE(command_is_refused_when_its_descriptors_have_no_room),
		CASE(trees_are_killed_later_when_they_cannot_be_seen),
		cmocka_unit_test(
			spawner_does_not_begin_when_something_is_wanting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
