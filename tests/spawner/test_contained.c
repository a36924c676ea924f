// SPDX-License-Identifier: MIT
/*
 * test_contained.c - commands that have a cgroup each, where some may be made.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "spawner/cgroup.h"
#include "spawner/cgroup_place.h"
#include "tests/support/spawner_rig.h"

static char path[PATH_MAX + 32];

static int find_base(void **state)
{
	char own[PATH_MAX];

	(void)state;
	if (wyn_cgroup_place_own(own) == 0) {
		(void)snprintf(path, sizeof(path), "%s/wyn-contained-%d", own,
			(int)getpid());
		if (mkdir(path, 0755) == 0) {
			return rmdir(path);
		}
	}
	print_message("[  NOTE    ] no cgroup may be made here\n");
	path[0] = '\0';
	return 0;
}

static int set_up(void **state)
{
	struct spawner_rig *rig;

	spawner_rig_set_up(state);
	rig = *state;
	rig->configure.cgroup = path[0] ? path : (char *)"none";
	assert_string_equal(spawner_rig_configure(rig)->problem, "");
	return 0;
}

static unsigned count_cgroups(void)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;
	unsigned n = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory)) != NULL) {
		n += strncmp(entry->d_name, WYN_CGROUP_PREFIX,
			     strlen(WYN_CGROUP_PREFIX)) == 0;
	}
	closedir(directory);
	return n;
}

static int tear_down(void **state)
{
	spawner_rig_tear_down(state);
	if (path[0]) {
		assert_int_equal(count_cgroups(), 0);
		assert_int_equal(rmdir(path), 0);
	}
	return 0;
}

static struct spawner_rig *rig_of(void **state)
{
	if (path[0] == '\0') {
		skip();
	}
	return *state;
}

static void ready_tells_where_when_commands_have_cgroups(void **state)
{
	struct spawner_rig *rig = rig_of(state);

	assert_string_equal(spawner_rig_configure(rig)->cgroup, path);
}

static void command_begins_in_its_cgroup_and_has_no_mark(void **state)
{
	struct spawner_rig *rig = rig_of(state);
	const char *output = spawner_rig_read(spawner_rig_shell(
		rig, 1, "grep ^0:: /proc/self/cgroup; env | grep WYND"));

	assert_non_null(strstr(output, "/" WYN_CGROUP_PREFIX));
	assert_null(strstr(output, "WYND"));
	spawner_rig_exited(rig, 1, 1);
}

static void cgroup_is_used_again_when_its_command_is_gone(void **state)
{
	struct spawner_rig *rig = rig_of(state);
	char first[PATH_MAX];
	unsigned fds;

	(void)snprintf(first, sizeof(first), "%s",
		spawner_rig_read(spawner_rig_shell(
			rig, 1, "grep ^0:: /proc/self/cgroup")));
	spawner_rig_exited(rig, 1, 0);
	fds = spawner_rig_fds(rig);
	for (int i = 0; i < 50; i++) {
		assert_string_equal(spawner_rig_read(spawner_rig_shell(rig, 1,
					    "grep ^0:: /proc/self/cgroup")),
			first);
		spawner_rig_exited(rig, 1, 0);
	}
	spawner_rig_has_fds(rig, fds);
}

static void tree_is_killed_whole_when_its_members_have_hidden(void **state)
{
	struct spawner_rig *rig = rig_of(state);
	int pipe = spawner_rig_shell(rig, 1,
		"(setsid env -i /bin/sh -c 'trap \"\" TERM; sleep 1000' &) ;"
		"echo; exec sleep 1000");

	spawner_rig_await(pipe);
	spawner_rig_stop(rig, 1, 0);
	assert_int_equal(spawner_rig_ended(rig, 1)->how,
		WYN__SPAWN__V1__HOW__HOW_SIGNALLED);
	(void)spawner_rig_read(pipe);
}

static void tree_gets_a_signal_when_it_is_sent_one(void **state)
{
	struct spawner_rig *rig = rig_of(state);
	int pipe = spawner_rig_shell(rig, 1,
		"setsid sh -c \"trap 'echo got; exit' USR1; echo; while :; do "
		"sleep 0.01; done\" & trap '' USR1; wait");

	spawner_rig_await(pipe);
	spawner_rig_signal(rig, 1, SIGUSR1);
	assert_non_null(strstr(spawner_rig_read(pipe), "got\n"));
	(void)spawner_rig_ended(rig, 1);
}

static void left_overs_live_until_their_command_is_reaped(void **state)
{
	struct spawner_rig *rig = rig_of(state);
	int pipe = spawner_rig_shell(
		rig, 1, "(setsid sh -c 'echo; exec sleep 1000' &) ; exit 4");
	const Wyn__Spawn__V1__Ended *ended = spawner_rig_ended(rig, 1);

	assert_int_equal(ended->status, 4);
	assert_true(ended->left);
	spawner_rig_await(pipe);
	spawner_rig_reap(rig, 1);
	(void)spawner_rig_read(pipe);
}

static void command_is_forgotten_when_its_left_overs_end(void **state)
{
	struct spawner_rig *rig = rig_of(state);
	unsigned fds;
	int input[2];

	(void)spawner_rig_read(spawner_rig_shell(rig, 1, "exit 0"));
	spawner_rig_exited(rig, 1, 0);
	fds = spawner_rig_fds(rig);
	assert_int_equal(pipe(input), 0);
	for (uint64_t id = 2; id < 20; id++) {
		const char *const argv[] = {"/bin/sh", "-c",
			"exec 3<&0; (cat <&3 >/dev/null &) ; exit 0", NULL};

		spawner_rig_start(rig, id,
			&(struct spawner_command){
				.argv = argv, .input = input[0]});
		assert_true(spawner_rig_ended(rig, id)->left);
		close(input[0]);
		close(input[1]);
		assert_int_equal(pipe(input), 0);
	}
	close(input[0]);
	close(input[1]);
	/* Their cgroups are kept, with two descriptors each; there were never
	 * more than 18. */
	(void)spawner_rig_read(spawner_rig_shell(rig, 1, "exit 0"));
	spawner_rig_exited(rig, 1, 0);
	assert_true(spawner_rig_fds(rig) <= fds + 2 * 18);
}

static void command_has_another_cgroup_when_the_first_refuses_it(void **state)
{
	struct spawner_rig *rig = rig_of(state);
	static const int errors[] = {EBUSY, EOPNOTSUPP, ENODEV};

	for (size_t i = 0; i < WYN_COUNT_OF(errors); i++) {
		spawner_rig_arm(rig, SPAWNER_FAULT_CLONE, 1, errors[i]);
		(void)spawner_rig_read(spawner_rig_shell(rig, 1, "exit 6"));
		spawner_rig_exited(rig, 1, 6);
	}
	spawner_rig_arm(rig, SPAWNER_FAULT_CLONE, 1, EAGAIN);
	close(spawner_rig_shell(rig, 1, "exit 6"));
	spawner_rig_refused(
		rig, 1, WYN__SPAWN__V1__STAGE__STAGE_PROCESS, EAGAIN, "");
}

/* With a limit of memory it has a copy of the spawner's. */
static void others_run_when_one_with_a_limit_is_on_its_way(void **state)
{
	static const char *const argv[] = {"/bin/true", NULL};
	static const char *const cat[] = {"/bin/cat", "/nowhere", NULL};
	struct spawner_rig *rig = rig_of(state);
	struct spawner_command limited = {
		.argv = argv, .memory_bytes = UINT64_C(1) << 30};
	pid_t pid;

	if (WYN_SANITIZED) {
		skip();
	}
	spawner_rig_hold(rig);
	spawner_rig_start(rig, 1, &limited);
	pid = spawner_rig_held(rig);
	spawner_rig_start(rig, 2, &(struct spawner_command){.argv = cat});
	spawner_rig_exited(rig, 2, 1);
	limited.cwd = "/nowhere";
	spawner_rig_start(rig, 3, &limited);
	spawner_rig_refused(rig, 3, WYN__SPAWN__V1__STAGE__STAGE_DIRECTORY,
		ENOENT, "/nowhere");
	assert_int_equal(kill(pid, SIGCONT), 0);
	spawner_rig_exited(rig, 1, 0);
}

static void everything_dies_when_the_link_closes(void **state)
{
	struct spawner_rig *rig = rig_of(state);
	int pipe = spawner_rig_shell(
		rig, 1, "(setsid env -i sleep 1000 &) ; echo; exec sleep 1000");

	spawner_rig_await(pipe);
	assert_int_equal(spawner_rig_end(rig), 0);
	(void)spawner_rig_read(pipe);
}

static void next_spawner_kills_what_one_that_was_killed_has_left(void **state)
{
	struct spawner_rig *rig = rig_of(state);
	int pipe = spawner_rig_shell(
		rig, 1, "(setsid env -i sleep 1000 &) ; echo; exec sleep 1000");
	void *next;

	spawner_rig_await(pipe);
	assert_int_equal(kill(rig->pid, SIGKILL), 0);
	assert_int_equal(spawner_rig_end(rig), SIGKILL);
	spawner_rig_set_up(&next);
	((struct spawner_rig *)next)->configure.cgroup = path;
	assert_true(spawner_rig_configure(next)->killed >= 1);
	(void)spawner_rig_read(pipe);
	spawner_rig_tear_down(&next);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(ready_tells_where_when_commands_have_cgroups),
		CASE(command_begins_in_its_cgroup_and_has_no_mark),
		CASE(cgroup_is_used_again_when_its_command_is_gone),
		CASE(tree_is_killed_whole_when_its_members_have_hidden),
		CASE(tree_gets_a_signal_when_it_is_sent_one),
		CASE(left_overs_live_until_their_command_is_reaped),
		CASE(command_is_forgotten_when_its_left_overs_end),
		CASE(command_has_another_cgroup_when_the_first_refuses_it),
		CASE(others_run_when_one_with_a_limit_is_on_its_way),
		CASE(everything_dies_when_the_link_closes),
		CASE(next_spawner_kills_what_one_that_was_killed_has_left),
	};

	return cmocka_run_group_tests(tests, find_base, NULL);
}
