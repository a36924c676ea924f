// SPDX-License-Identifier: MIT
/*
 * tree_rig.h - a spawner that is the test, and the trees of processes it has.
 */
#pragma once

#include "spawner/tree.h"
#include "tests/support/family.h"

struct tree_rig_command {
	struct wyn_tree_command command;
	struct wyn_family family;
};

extern struct wyn_tree tree; /* of the case that runs */

int tree_rig_set_up(void **state);
/* No child is left, living or dead; after a failure the next case has none. */
int tree_rig_tear_down(void **state);

/* A case that runs twice: with /proc/thread-self/children, and without. */
#define TREE_RIG_BOTH(function)                                            \
	cmocka_unit_test_setup_teardown(                                   \
		function, tree_rig_set_up, tree_rig_tear_down),            \
	{                                                                  \
#function " (a look at /proc)", function, tree_rig_set_up, \
			tree_rig_tear_down, &tree                          \
	}

/* script: of family.h. */
void tree_rig_start(struct tree_rig_command *started, const char *script);

/* The same, but the tree is told that it has a cgroup. */
void tree_rig_start_contained(
	struct tree_rig_command *started, const char *script);

/* One turn of a spawner, after a SIGCHLD. */
void tree_rig_turn(void);

/* Waits for a SIGCHLD. */
void tree_rig_await_child(void);

/* Until a leader has ended, without a look at who is left of it. */
struct wyn_tree_exit tree_rig_await_exit(void);

/* Until its leader has ended, and then a look. */
void tree_rig_await_end(struct tree_rig_command *started);

/* Until it is gone: then its pipe is at its end at once. Forgets it. */
void tree_rig_await_gone(struct tree_rig_command *started);

/* Kills it, as often as it takes, and waits until it is gone. */
void tree_rig_kill_all(struct tree_rig_command *started);

/* For wyn_sys.openat: no descriptor is free. */
int tree_rig_open_none(int at, const char *path, int flags);
