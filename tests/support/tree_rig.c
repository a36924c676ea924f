// SPDX-License-Identifier: MIT
/*
 * tree_rig.c - one turn of a spawner after another, without its loop.
 */
#include "tests/support/tree_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct wyn_tree tree;

int tree_rig_set_up(void **state)
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

int tree_rig_tear_down(void **state)
{
	(void)state;
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

static void start(
	struct tree_rig_command *started, const char *script, bool contained)
{
	char mark[WYN_MARK_TEXT_BYTES];

	wyn_tree_prepare(&tree, &started->command);
	wyn_mark_text(&tree.mark, started->command.serial, mark);
	wyn_family_start(&started->family, script, mark, -1, NULL);
	wyn_tree_add(&tree, &started->command, started->family.pid, contained);
}

void tree_rig_start(struct tree_rig_command *started, const char *script)
{
	start(started, script, false);
}

void tree_rig_start_contained(
	struct tree_rig_command *started, const char *script)
{
	start(started, script, true);
}

void tree_rig_turn(void)
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

void tree_rig_await_child(void)
{
	const struct timespec patience = {.tv_sec = 20};
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	assert_int_equal(sigtimedwait(&child, NULL, &patience), SIGCHLD);
}

struct wyn_tree_exit tree_rig_await_exit(void)
{
	struct wyn_tree_exit end;

	while (wyn_tree_wait(&tree, &end) == 0) {
		tree_rig_await_child();
	}
	return end;
}

void tree_rig_await_end(struct tree_rig_command *started)
{
	tree_rig_turn();
	while (!started->command.ended) {
		tree_rig_await_child();
		tree_rig_turn();
	}
}

void tree_rig_await_gone(struct tree_rig_command *started)
{
	tree_rig_turn();
	while (!wyn_tree_is_gone(&started->command)) {
		tree_rig_await_child();
		tree_rig_turn();
	}
	assert_true(wyn_family_is_gone(&started->family));
	wyn_family_end(&started->family);
	wyn_tree_remove(&tree, &started->command);
}

void tree_rig_kill_all(struct tree_rig_command *started)
{
	int result;

	do {
		result = wyn_tree_kill(&tree, &started->command);
	} while (result == -EAGAIN);
	assert_int_equal(result, 0);
	tree_rig_await_gone(started);
}

int tree_rig_open_none(int at, const char *path, int flags)
{
	(void)at;
	(void)path;
	(void)flags;
	errno = EMFILE;
	return -1;
}
