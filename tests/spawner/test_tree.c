// SPDX-License-Identifier: MIT
/*
 * test_tree.c - real trees of processes, found and killed, none left behind.
 * Every case runs twice: with /proc/thread-self/children, and without.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "spawner/sys.h"
#include "spawner/tree.h"
#include "tests/support/family.h"

static struct wyn_tree tree;

static int set_up(void **state)
{
	sigset_t child;
	struct sigaction action = {
		.sa_handler = SIG_DFL,
		.sa_flags = SA_NOCLDSTOP,
	};

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	sigaction(SIGCHLD, &action, NULL);
	assert_int_equal(wyn_tree_init(&tree), 0);
	if (*state != NULL && tree.children >= 0) {
		close(tree.children);
		tree.children = -1;
	}
	return 0;
}

/* Returns: somebody lives still. */
static bool wait_for_all_dead(void)
{
	pid_t pid;

	do {
		pid = waitpid(-1, NULL, WNOHANG);
	} while (pid > 0);
	return pid == 0;
}

static int tear_down(void **state)
{
	(void)state;
	/* No child, living or dead; after a failure the next case has none. */
	bool none = waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
	while (wait_for_all_dead()) {
		int error = wyn_processes_look(tree.proc, &tree.hunt.now);
		assert_int_equal(error, 0);
		for (size_t i = 0; i < tree.hunt.now.count; i++) {
			if (tree.hunt.now.each[i].parent == tree.self) {
				kill(tree.hunt.now.each[i].pid, SIGKILL);
			}
		}
	}
	wyn_tree_fini(&tree);
	assert_true(none);
	return 0;
}

struct started {
	struct wyn_tree_command command;
	struct wyn_family family;
};

static void start(struct started *started, const char *script)
{
	char mark[WYN_MARK_TEXT_BYTES];

	wyn_tree_prepare(&tree, &started->command);
	wyn_mark_text(&tree.mark, started->command.serial, mark);
	wyn_family_start(&started->family, script, mark, -1, NULL);
	wyn_tree_add(&tree, &started->command, started->family.pid, false);
}

/* One turn of a spawner, after a SIGCHLD. */
static void turn(void)
{
	struct wyn_tree_exit end;
	int result;

	do {
		while (wyn_tree_wait(&tree, &end) == 1) {
		}
		result = wyn_tree_look(&tree);
	} while (result == -EAGAIN);
	assert_int_equal(result, 0);
}

static void await_child(void)
{
	const struct timespec patience = {.tv_sec = 20};
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	assert_int_equal(sigtimedwait(&child, NULL, &patience), SIGCHLD);
}

static void await_end(struct started *started)
{
	turn();
	while (!started->command.ended) {
		await_child();
		turn();
	}
}

/* Until it is gone: then the pipe is at its end at once. */
static void await_gone(struct started *started)
{
	turn();
	while (!wyn_tree_is_gone(&started->command)) {
		await_child();
		turn();
	}
	assert_true(wyn_family_is_gone(&started->family));
	wyn_family_end(&started->family);
	wyn_tree_remove(&tree, &started->command);
}

static void kill_all(struct started *started)
{
	int result;

	do {
		result = wyn_tree_kill(&tree, &started->command);
	} while (result == -EAGAIN);
	assert_int_equal(result, 0);
	await_gone(started);
}

static void tree_leaves_nothing_when_a_command_just_exits(void **state)
{
	struct started one;

	(void)state;
	start(&one, "x");
	await_end(&one);
	assert_int_equal(one.command.left, 0);
	await_gone(&one);
}

static void tree_tells_status_and_usage_when_a_leader_ends(void **state)
{
	struct started one;
	struct wyn_tree_exit end;

	(void)state;
	start(&one, "p");
	assert_int_equal(wyn_tree_wait(&tree, &end), 0);
	kill(one.family.pid, SIGUSR1);
	await_child();
	assert_int_equal(wyn_tree_wait(&tree, &end), 1);
	assert_ptr_equal(end.command, &one.command);
	assert_true(WIFSIGNALED(end.status));
	assert_int_equal(WTERMSIG(end.status), SIGUSR1);
	assert_true(end.usage.ru_maxrss > 0);
	await_gone(&one);
}

static void tree_has_left_overs_when_a_child_outlives_its_leader(void **state)
{
	struct started one;

	(void)state;
	start(&one, "3(rp)x");
	wyn_family_await(&one.family, 3);
	await_end(&one);
	assert_int_equal(one.command.left, 3);
	assert_false(wyn_tree_is_gone(&one.command));
	kill_all(&one);
}

static void tree_is_gone_when_the_last_left_over_ends_itself(void **state)
{
	struct started one;

	(void)state;
	start(&one, "((rp)rp)x");
	wyn_family_await(&one.family, 2);
	await_end(&one);
	assert_int_equal(one.command.left, 1);
	pid_t first = tree.left[0].pid;
	kill(first, SIGTERM);
	while (one.command.left > 1 || tree.left[0].pid == first) {
		await_child();
		turn();
	}
	kill(tree.left[0].pid, SIGTERM);
	await_gone(&one);
}

static void tree_finds_it_when_it_forks_twice_into_another_session(void **state)
{
	struct started one;
	struct started other;

	(void)state;
	start(&other, "(rp)rp");
	start(&one, "(s(orp)x)x");
	wyn_family_await(&one.family, 1);
	wyn_family_await(&other.family, 2);
	await_end(&one);
	assert_int_equal(one.command.left, 1);
	assert_int_equal(other.command.left, 0);
	kill_all(&one);
	assert_false(wyn_family_is_gone(&other.family));
	kill_all(&other);
}

static void tree_goes_by_the_mark_when_two_have_ended(void **state)
{
	struct started one;
	struct started other;

	(void)state;
	start(&one, "(s(orp)x)rx");
	start(&other, "(s(orp)x)rx");
	wyn_family_await(&one.family, 2);
	wyn_family_await(&other.family, 2);
	await_end(&one);
	await_end(&other);
	assert_int_equal(one.command.left, 1);
	assert_int_equal(other.command.left, 1);
	kill_all(&one);
	assert_false(wyn_family_is_gone(&other.family));
	kill_all(&other);
}

static void tree_takes_the_last_when_nothing_tells_whose_it_is(void **state)
{
	struct started one;

	(void)state;
	start(&one, "(s(oerp)x)x");
	wyn_family_await(&one.family, 1);
	await_end(&one);
	assert_int_equal(one.command.left, 1);
	kill_all(&one);
}

static void tree_kills_it_when_it_can_be_nobodys(void **state)
{
	struct started one;

	(void)state;
	/* no subreaper: the orphan is ours while the leader lives */
	start(&one, "u(s(oesrp)x)rp");
	wyn_family_await(&one.family, 2);
	turn();
	assert_int_equal(tree.killed_unknown, 1);
	assert_int_equal(one.command.left, 0);
	kill_all(&one);
}

static void tree_keeps_it_when_its_session_is_of_a_living_leader(void **state)
{
	struct started one;

	(void)state;
	start(&one, "u((orp)x)rp");
	wyn_family_await(&one.family, 2);
	turn();
	assert_false(one.command.ended);
	assert_int_equal(one.command.left, 1);
	kill_all(&one);
}

static void tree_kills_all_when_they_ignore_stop_and_hide(void **state)
{
	struct started one;

	(void)state;
	start(&one, "i2(r(rp)irp)(rt)(s(r(erp)p)x)rp");
	wyn_family_await(&one.family, 10 - 1);
	kill_all(&one);
}

static void tree_kills_all_when_another_thread_has_forked(void **state)
{
	struct started one;

	(void)state;
	if (!WYN_FAMILY_THREADS) {
		skip();
	}
	start(&one, "m2(rm(rp)rp)(srp)rp");
	wyn_family_await(&one.family, 8);
	kill_all(&one);
}

static void tree_signals_it_when_its_first_thread_is_dead(void **state)
{
	struct started one;

	(void)state;
	if (!WYN_FAMILY_THREADS) {
		skip();
	}
	start(&one, "(nrp)nrp");
	wyn_family_await(&one.family, 2);
	assert_int_equal(wyn_tree_signal(&tree, &one.command, SIGTERM, 0), 0);
	await_gone(&one);
}

static void tree_kills_it_when_its_first_thread_is_dead(void **state)
{
	struct started one;

	(void)state;
	if (!WYN_FAMILY_THREADS) {
		skip();
	}
	start(&one, "(nrp)x");
	wyn_family_await(&one.family, 1);
	await_end(&one);
	assert_int_equal(one.command.left, 1);
	kill_all(&one);
}

static void tree_kills_all_when_it_is_still_forking(void **state)
{
	struct started one;

	(void)state;
	start(&one, "600b");
	wyn_family_await(&one.family, 50);
	kill_all(&one);
}

static void tree_kills_all_when_left_overs_are_still_forking(void **state)
{
	struct started one;

	(void)state;
	start(&one, "(s600b)rx");
	wyn_family_await(&one.family, 20);
	await_end(&one);
	kill_all(&one);
}

static void tree_kills_all_when_a_chain_of_forks_runs_away(void **state)
{
	struct started one;

	(void)state;
	start(&one, "(rs20000c)p");
	wyn_family_await(&one.family, 1);
	kill_all(&one);
}

static void tree_kills_all_when_a_chain_is_left_over(void **state)
{
	struct started one;
	struct wyn_tree_exit end;

	(void)state;
	start(&one, "(rs100000000c)x");
	while (wyn_tree_wait(&tree, &end) == 0) {
		await_child();
	}
	assert_ptr_equal(end.command, &one.command);
	kill_all(&one);
}

/* The only child of ours, besides those that were waited for. */
static pid_t only_child(void)
{
	pid_t pid = 0;

	assert_int_equal(wyn_processes_look(tree.proc, &tree.hunt.now), 0);
	for (size_t i = 0; i < tree.hunt.now.count; i++) {
		if (tree.hunt.now.each[i].parent == tree.self) {
			assert_int_equal(pid, 0);
			pid = tree.hunt.now.each[i].pid;
		}
	}
	return pid;
}

static void tree_spares_a_group_when_its_dead_one_may_be_anothers(void **state)
{
	struct started killed;
	struct started spared;
	struct wyn_tree_exit end;
	siginfo_t info;

	(void)state;
	start(&spared, "(s(rp)rp)x");
	wyn_family_await(&spared.family, 2);
	while (wyn_tree_wait(&tree, &end) == 0) {
		await_child();
	}
	start(&killed, "x");
	while (wyn_tree_wait(&tree, &end) == 0) {
		await_child();
	}
	assert_int_equal(wyn_tree_kill(&tree, &killed.command), 0);
	pid_t first = only_child();
	kill(first, SIGTERM);
	assert_int_equal(
		waitid(P_PID, (id_t)first, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(wyn_tree_look(&tree), 0);
	assert_int_equal(spared.command.left, 1);
	assert_int_equal(kill(only_child(), 0), 0);
	await_gone(&killed);
	assert_false(wyn_family_is_gone(&spared.family));
	kill_all(&spared);
}

static int open_none(int at, const char *path, int flags)
{
	(void)at;
	(void)path;
	(void)flags;
	errno = EMFILE;
	return -1;
}

static void tree_kills_all_later_when_there_are_no_descriptors(void **state)
{
	struct started one;
	struct wyn_tree_exit end;

	(void)state;
	start(&one, "2(s(rp)rp)rp");
	wyn_family_await(&one.family, 5);
	struct wyn_sys before = wyn_sys;
	wyn_sys.openat = open_none;
	assert_int_equal(wyn_tree_kill(&tree, &one.command), -EMFILE);
	while (wyn_tree_wait(&tree, &end) == 0) {
		await_child();
	}
	assert_ptr_equal(end.command, &one.command);
	assert_int_equal(wyn_tree_look(&tree), -EMFILE);
	wyn_sys = before;
	await_gone(&one);
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
	wyn_sys.openat = open_none;
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
	struct started one;
	siginfo_t info;

	(void)state;
	start(&one, "rp");
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
	kill_all(&one);
}

static void tree_signals_everybody_when_asked(void **state)
{
	struct started one;

	(void)state;
	start(&one, "(s(rp)(rt)rp)rp");
	wyn_family_await(&one.family, 4);
	assert_int_equal(
		wyn_tree_signal(&tree, &one.command, SIGTERM, SIGCONT), 0);
	await_gone(&one);
}

static void tree_signals_the_rest_when_the_leader_has_ended(void **state)
{
	struct started one;

	(void)state;
	start(&one, "2(s(rp)rp)x");
	wyn_family_await(&one.family, 4);
	await_end(&one);
	assert_int_equal(wyn_tree_signal(&tree, &one.command, SIGTERM, 0), 0);
	await_gone(&one);
}

static void tree_signals_nobody_when_all_are_gone(void **state)
{
	struct started one;

	(void)state;
	start(&one, "x");
	await_end(&one);
	assert_int_equal(
		wyn_tree_signal(&tree, &one.command, SIGTERM, 0), -ESRCH);
	assert_int_equal(wyn_tree_kill(&tree, &one.command), 0);
	await_gone(&one);
}

static void tree_tells_all_apart_when_many_run(void **state)
{
	struct started many[40];

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		start(&many[i], i % 2 == 0 ? "(s(rp)rp)rx" : "(rp)(srp)rp");
	}
	for (size_t i = 0; i < 40; i++) {
		wyn_family_await(&many[i].family, 3);
	}
	for (size_t i = 0; i < 40; i += 2) {
		await_end(&many[i]);
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
		turn();
		while (!wyn_tree_is_gone(&many[i].command)) {
			await_child();
			turn();
		}
		wyn_family_end(&many[i].family);
		wyn_tree_remove(&tree, &many[i].command);
	}
}

#define BOTH(function)                                                       \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down),        \
	{                                                                    \
#function " (a look at /proc)", function, set_up, tear_down, \
			&tree                                                \
	}

int main(int argc, char **argv)
{
	wyn_family_main(argc, argv);
	const struct CMUnitTest tests[] = {
		BOTH(tree_leaves_nothing_when_a_command_just_exits),
		BOTH(tree_tells_status_and_usage_when_a_leader_ends),
		BOTH(tree_has_left_overs_when_a_child_outlives_its_leader),
		BOTH(tree_is_gone_when_the_last_left_over_ends_itself),
		BOTH(tree_finds_it_when_it_forks_twice_into_another_session),
		BOTH(tree_goes_by_the_mark_when_two_have_ended),
		BOTH(tree_takes_the_last_when_nothing_tells_whose_it_is),
		BOTH(tree_kills_it_when_it_can_be_nobodys),
		BOTH(tree_keeps_it_when_its_session_is_of_a_living_leader),
		BOTH(tree_kills_all_when_they_ignore_stop_and_hide),
		BOTH(tree_kills_all_when_another_thread_has_forked),
		BOTH(tree_signals_it_when_its_first_thread_is_dead),
		BOTH(tree_kills_it_when_its_first_thread_is_dead),
		BOTH(tree_kills_all_when_it_is_still_forking),
		BOTH(tree_kills_all_when_left_overs_are_still_forking),
		BOTH(tree_kills_all_when_a_chain_of_forks_runs_away),
		BOTH(tree_kills_all_when_a_chain_is_left_over),
		BOTH(tree_spares_a_group_when_its_dead_one_may_be_anothers),
		BOTH(tree_kills_all_later_when_there_are_no_descriptors),
		BOTH(tree_does_not_begin_when_it_wants_for_something),
		BOTH(tree_sees_each_once_when_very_many_are_dead),
		BOTH(tree_signals_everybody_when_asked),
		BOTH(tree_signals_the_rest_when_the_leader_has_ended),
		BOTH(tree_signals_nobody_when_all_are_gone),
		BOTH(tree_tells_all_apart_when_many_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
