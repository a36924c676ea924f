// SPDX-License-Identifier: MIT
/*
 * tree.h - which processes are of which command, without a cgroup.
 *
 * A command's first process is its leader: the leader of a session and, like
 * ourselves, a child subreaper. While it lives everything of its command is
 * below it in /proc. When it ends, a moment before it can be waited for, those
 * of its children that still live become ours; so a child of ours that is
 * nobody's leader is left over of a command that has ended, and what is below
 * it too. wait4(2) alone changes who our children are besides, and we are one
 * thread: between two waits our children only grow.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/list.h"
#include "spawner/hunt.h"
#include "spawner/mark.h"

/*
 * So the order of a turn, after each SIGCHLD:
 *
 *	while (wyn_tree_wait(tree, &exit) == 1) { note exit.command's status }
 *	wyn_tree_look(tree);
 *	for each that has ended: wyn_tree_is_gone()? else its left-overs live
 *
 * Everybody is waited for here, also who has a cgroup: the caller calls no wait
 * of its own. A leader is no zombie longer than until then. Its number may be
 * given to another process only when nobody is in its session or group any more
 * (the kernel keeps a number while it names one), so that the session tells
 * what is of it, if it has not left it; then the mark (mark.h) of who has
 * ended; and where neither tells, it goes with the command that ended last.
 * That errs on the side of killing: what is left over may live only until its
 * command is reaped anyway.
 *
 * The caller has SIGCHLD with SA_NOCLDSTOP (we stop processes in order to kill
 * them), not ignored and without SA_NOCLDWAIT. One thread: the one that did
 * init, which also clones.
 */

/* Left-overs that are told apart. What is beyond is killed when it is seen. */
#define WYN_TREE_LEFT_MAX 4096u

/* Looks of one wyn_tree_look, while each sees somebody who has just died. */
#define WYN_TREE_LOOKS_MAX 100u

#define WYN_TREE_DEAD_MAX 64u /* that one of them waits for */

#define WYN_TREE_BUCKETS 1024u

/* Part of a command. The caller reads it, wyn_tree_* write it. */
struct wyn_tree_command {
	struct wyn_tree_command *next; /* in its bucket */
	struct wyn_list ended_link;    /* of the tree's ended, the last first */
	uint64_t serial; /* for its mark; of the spawner, no two have one */
	pid_t pid;	 /* of its leader, and of the session */
	uint32_t left;	 /* children of ours that are of it, but the leader */
	bool contained;	 /* has a cgroup: what is left is not looked for */
	bool ended;	 /* its leader has been waited for */
	bool killed;	 /* what appears of it is killed at once */
};

struct wyn_tree_left {
	pid_t pid;
	struct wyn_tree_command *command;
};

struct wyn_tree {
	int proc;     /* /proc */
	int children; /* /proc/thread-self/children; -1: kernel has none */
	pid_t self;
	struct wyn_mark mark;
	uint64_t serial;	 /* the last one */
	uint32_t bare;		 /* commands without a cgroup */
	uint64_t killed_unknown; /* left-overs of nobody */
	struct wyn_list ended;
	struct wyn_hunt hunt;
	struct wyn_tree_command *hunted; /* its, while it runs */
	bool dead_seen;
	pid_t group_killed; /* by this look, the last one; 0: none */
	uint32_t dead_count;
	pid_t dead[WYN_TREE_DEAD_MAX]; /* left over, and dead when seen */
	uint32_t left_count;
	struct wyn_tree_left *left; /* by pid, room for WYN_TREE_LEFT_MAX */
	struct wyn_tree_command *by_pid[WYN_TREE_BUCKETS];
};

/* An end of a leader. */
struct wyn_tree_exit {
	struct wyn_tree_command *command;
	int status; /* as of wait(2) */
	struct rusage usage;
};

/*
 * wyn_tree_init - we become a child subreaper, /proc is opened.
 *
 * Returns: 0; -ENOMEM; -errno of opening /proc, of prctl and of getrandom.
 */
WYN_NODISCARD
int wyn_tree_init(struct wyn_tree *tree);
void wyn_tree_fini(struct wyn_tree *tree);

/*
 * wyn_tree_prepare - before clone: gives the command its serial, of which
 * wyn_mark_text(&tree->mark, ...) makes what the child has in its environment.
 */
void wyn_tree_prepare(struct wyn_tree *tree, struct wyn_tree_command *command);

/*
 * wyn_tree_add - after clone, before the next wait. Also when the child could
 * not execute: it ends as a leader like any other.
 *
 * Owns: borrows the command until wyn_tree_remove.
 */
void wyn_tree_add(struct wyn_tree *tree, struct wyn_tree_command *command,
	pid_t pid, bool contained);

/*
 * wyn_tree_remove - forgets a command that is gone. One that has a cgroup is
 * gone when that is empty and its leader was waited for.
 */
void wyn_tree_remove(struct wyn_tree *tree, struct wyn_tree_command *command);

/*
 * wyn_tree_wait - waits for what is dead: a left-over or a stranger is
 * forgotten, a leader is told.
 *
 * Returns: 1: *ret_exit is one; 0: nobody else is dead. Blocks: no. Costs: one
 * wait4(2) for each that is dead and one more.
 */
WYN_NODISCARD
int wyn_tree_wait(struct wyn_tree *tree, struct wyn_tree_exit *ret_exit);

/*
 * wyn_tree_look - finds what is left over, after the last wyn_tree_wait. What
 * is of a killed command gets SIGKILL at once; of one that is dead when it is
 * seen all of its group gets it, if it can only be a killed command's.
 *
 * Returns: 0; -errno: not all could be seen, nobody can be said to be gone,
 * look again later. Costs: nothing while all commands have cgroups; one
 * pread(2) of /proc/thread-self/children, where the kernel has
 * CONFIG_PROC_CHILDREN (README.md has figures); else nothing when we have no
 * child, and a look at all of /proc when we have one.
 */
WYN_NODISCARD
int wyn_tree_look(struct wyn_tree *tree);

/* wyn_tree_is_gone - no process of it is left, as of the last look that
 * returned 0. For commands without a cgroup. */
static inline bool wyn_tree_is_gone(const struct wyn_tree_command *command)
{
	return command->ended && command->left == 0;
}

/*
 * wyn_tree_signal - to all of a command: `number`, and then `after` if it is
 * not 0.
 *
 * A process that begins meanwhile may not get it, as with kill(2) of a group.
 * Returns: 0; -ESRCH: there was nobody; -EPERM: of somebody; -errno: nobody but
 * its leader and left-overs themselves could be found and got it.
 */
WYN_NODISCARD
int wyn_tree_signal(struct wyn_tree *tree, struct wyn_tree_command *command,
	int number, int after);

/*
 * wyn_tree_kill - the whole tree, and from now on all that appears of it.
 *
 * All that is seen is stopped, until a look sees nobody new; then it is killed.
 * The command is gone when waits and looks say so. Returns: 0; -EAGAIN: it was
 * still growing in round WYN_HUNT_ROUNDS_MAX, and was killed as far as it was
 * seen: call again; -EPERM: of somebody; -errno as wyn_tree_signal.
 */
WYN_NODISCARD
int wyn_tree_kill(struct wyn_tree *tree, struct wyn_tree_command *command);

/* wyn_tree_look_at - the look of `hunt`, at the command that is hunted. */
WYN_NODISCARD
int wyn_tree_look_at(void *tree, struct wyn_processes *processes);
