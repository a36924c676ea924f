// SPDX-License-Identifier: MIT
/*
 * test_tree.c - which processes are of whom, with real trees of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "spawner/sys.h"
#include "tests/support/tree_rig.h"

static void tree_leaves_nothing_when_a_command_just_exits(void **state)
{
	struct tree_rig_command one;

	(void)state;
	tree_rig_start(&one, "x");
	tree_rig_await_end(&one);
	assert_int_equal(one.command.left, 0);
	tree_rig_await_gone(&one);
}

static void tree_tells_status_and_usage_when_a_leader_ends(void **state)
{
	struct tree_rig_command one;
	struct wyn_tree_exit end;

	(void)state;
	tree_rig_start(&one, "p");
	assert_int_equal(wyn_tree_wait(&tree, &end), 0);
	kill(one.family.pid, SIGUSR1);
	tree_rig_await_child();
	assert_int_equal(wyn_tree_wait(&tree, &end), 1);
	assert_ptr_equal(end.command, &one.command);
	assert_true(WIFSIGNALED(end.status));
	assert_int_equal(WTERMSIG(end.status), SIGUSR1);
	assert_true(end.usage.ru_maxrss > 0);
	tree_rig_await_gone(&one);
}

static void tree_has_left_overs_when_a_child_outlives_its_leader(void **state)
{
	struct tree_rig_command one;

	(void)state;
	tree_rig_start(&one, "3(rp)x");
	wyn_family_await(&one.family, 3);
	tree_rig_await_end(&one);
	assert_int_equal(one.command.left, 3);
	assert_false(wyn_tree_is_gone(&one.command));
	tree_rig_kill_all(&one);
}

static void tree_is_gone_when_the_last_left_over_ends_itself(void **state)
{
	struct tree_rig_command one;

	(void)state;
	tree_rig_start(&one, "((rp)rp)x");
	wyn_family_await(&one.family, 2);
	tree_rig_await_end(&one);
	assert_int_equal(one.command.left, 1);
	pid_t first = tree.left[0].pid;
	kill(first, SIGTERM);
	while (one.command.left > 1 || tree.left[0].pid == first) {
		tree_rig_await_child();
		tree_rig_turn();
	}
	kill(tree.left[0].pid, SIGTERM);
	tree_rig_await_gone(&one);
}

static void tree_finds_it_when_it_forks_twice_into_another_session(void **state)
{
	struct tree_rig_command one;
	struct tree_rig_command other;

	(void)state;
	tree_rig_start(&other, "(rp)rp");
	tree_rig_start(&one, "(s(orp)x)x");
	wyn_family_await(&one.family, 1);
	wyn_family_await(&other.family, 2);
	tree_rig_await_end(&one);
	assert_int_equal(one.command.left, 1);
	assert_int_equal(other.command.left, 0);
	tree_rig_kill_all(&one);
	assert_false(wyn_family_is_gone(&other.family));
	tree_rig_kill_all(&other);
}

static void tree_goes_by_the_mark_when_two_have_ended(void **state)
{
	struct tree_rig_command one;
	struct tree_rig_command other;

	(void)state;
	tree_rig_start(&one, "(s(orp)x)rx");
	tree_rig_start(&other, "(s(orp)x)rx");
	wyn_family_await(&one.family, 2);
	wyn_family_await(&other.family, 2);
	tree_rig_await_end(&one);
	tree_rig_await_end(&other);
	assert_int_equal(one.command.left, 1);
	assert_int_equal(other.command.left, 1);
	tree_rig_kill_all(&one);
	assert_false(wyn_family_is_gone(&other.family));
	tree_rig_kill_all(&other);
}

static void tree_takes_the_last_when_nothing_tells_whose_it_is(void **state)
{
	struct tree_rig_command one;

	(void)state;
	tree_rig_start(&one, "(s(oerp)x)x");
	wyn_family_await(&one.family, 1);
	tree_rig_await_end(&one);
	assert_int_equal(one.command.left, 1);
	tree_rig_kill_all(&one);
}

static void tree_kills_it_when_it_can_be_nobodys(void **state)
{
	struct tree_rig_command one;

	(void)state;
	/* no subreaper: the orphan is ours while the leader lives */
	tree_rig_start(&one, "u(s(oesrp)x)rp");
	wyn_family_await(&one.family, 2);
	tree_rig_turn();
	assert_int_equal(tree.killed_unknown, 1);
	assert_int_equal(one.command.left, 0);
	tree_rig_kill_all(&one);
}

static void tree_keeps_it_when_its_session_is_of_a_living_leader(void **state)
{
	struct tree_rig_command one;

	(void)state;
	tree_rig_start(&one, "u((orp)x)rp");
	wyn_family_await(&one.family, 2);
	tree_rig_turn();
	assert_false(one.command.ended);
	assert_int_equal(one.command.left, 1);
	tree_rig_kill_all(&one);
}

static void *calloc_none(size_t n, size_t bytes)
{
	(void)n;
	(void)bytes;
	return NULL;
}

static void tree_does_not_begin_when_it_wants_for_something(void **state)
{
	struct wyn_tree other;
	struct wyn_sys before = wyn_sys;

	(void)state;
	wyn_sys.openat = tree_rig_open_none;
	assert_int_equal(wyn_tree_init(&other), -EMFILE);
	wyn_sys = before;
	wyn_sys.calloc = calloc_none;
	assert_int_equal(wyn_tree_init(&other), -ENOMEM);
	wyn_sys = before;
}

static unsigned environs;

static int count_environs(int at, const char *path, int flags)
{
	const char *last = strrchr(path, '/');

	environs += last != NULL && strcmp(last, "/environ") == 0;
	return openat(at, path, flags);
}

/* Who starts many and waits for none leaves us all of them at once. */
static void tree_sees_each_once_when_very_many_are_dead(void **state)
{
	enum {
		DEAD = 8 * WYN_TREE_DEAD_MAX
	};
	struct wyn_sys usual = wyn_sys;
	struct tree_rig_command one;
	siginfo_t info;

	(void)state;
	tree_rig_start(&one, "rp");
	wyn_family_await(&one.family, 1);
	for (unsigned i = 0; i < DEAD; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			_exit(0);
		}
		assert_int_equal(
			waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	}
	environs = 0;
	wyn_sys.openat = count_environs;
	assert_int_equal(wyn_tree_look(&tree), 0);
	wyn_sys = usual;
	assert_in_range(environs, DEAD, 2 * DEAD);
	tree_rig_kill_all(&one);
}

static void tree_tells_all_apart_when_many_run(void **state)
{
	struct tree_rig_command many[40];

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		tree_rig_start(
			&many[i], i % 2 == 0 ? "(s(rp)rp)rx" : "(rp)(srp)rp");
	}
	for (size_t i = 0; i < 40; i++) {
		wyn_family_await(&many[i].family, 3);
	}
	for (size_t i = 0; i < 40; i += 2) {
		tree_rig_await_end(&many[i]);
	}
	for (size_t i = 0; i < 40; i++) {
		assert_int_equal(many[i].command.left, i % 2 == 0 ? 1 : 0);
	}
	for (size_t i = 0; i < 40; i++) {
		assert_false(wyn_family_is_gone(&many[i].family));
		int result = wyn_tree_kill(&tree, &many[i].command);
		assert_int_equal(result, 0);
	}
	for (size_t i = 0; i < 40; i++) {
		tree_rig_turn();
		while (!wyn_tree_is_gone(&many[i].command)) {
			tree_rig_await_child();
			tree_rig_turn();
		}
		wyn_family_end(&many[i].family);
		wyn_tree_remove(&tree, &many[i].command);
	}
}

int main(int argc, char **argv)
{
	wyn_family_main(argc, argv);
	const struct CMUnitTest tests[] = {
		TREE_RIG_BOTH(tree_leaves_nothing_when_a_command_just_exits),
		TREE_RIG_BOTH(tree_tells_status_and_usage_when_a_leader_ends),
		TREE_RIG_BOTH(
			tree_has_left_overs_when_a_child_outlives_its_leader),
		TREE_RIG_BOTH(tree_is_gone_when_the_last_left_over_ends_itself),
		TREE_RIG_BOTH(
			tree_finds_it_when_it_forks_twice_into_another_session),
		TREE_RIG_BOTH(tree_goes_by_the_mark_when_two_have_ended),
		TREE_RIG_BOTH(
			tree_takes_the_last_when_nothing_tells_whose_it_is),
		TREE_RIG_BOTH(tree_kills_it_when_it_can_be_nobodys),
		TREE_RIG_BOTH(
			tree_keeps_it_when_its_session_is_of_a_living_leader),
		TREE_RIG_BOTH(tree_does_not_begin_when_it_wants_for_something),
		TREE_RIG_BOTH(tree_sees_each_once_when_very_many_are_dead),
		TREE_RIG_BOTH(tree_tells_all_apart_when_many_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
