// SPDX-License-Identifier: MIT
/*
 * tree_kill.c - signals for all of a command that /proc shows.
 *
 * Our children cannot become another's pid, and get theirs by kill(2). So it
 * takes no descriptor to kill them, and who is below a dead one becomes our
 * child: what a look at /proc has missed, the looks after the next SIGCHLD
 * find.
 */
#include <errno.h>
#include <signal.h>

#include "base/assert.h"
#include "spawner/tree.h"

/* The first error that is worth to be told; who is gone is none. */
static void note(int *result, int error)
{
	if (*result == 0 && error != 0 && error != -ESRCH) {
		*result = error;
	}
}

static int send_child(pid_t pid, int number)
{
	return kill(pid, number) == 0 ? 0 : -errno;
}

/* To the leader and the left-overs themselves. */
static int send_children(struct wyn_tree *tree,
	const struct wyn_tree_command *command, int number)
{
	int result = 0;

	if (!command->ended) {
		note(&result, send_child(command->pid, number));
	}
	for (uint32_t i = 0; command->left > 0 && i < tree->left_count; i++) {
		if (tree->left[i].command == command) {
			note(&result, send_child(tree->left[i].pid, number));
		}
	}
	return result;
}

static void tag_child(struct wyn_processes *processes, pid_t pid)
{
	struct wyn_process *process = wyn_processes_find(processes, pid);

	if (process != NULL) {
		process->tag = WYN_HUNT_TAG;
	}
}

/* Down from the leader and the left-overs: costs what the tree is large. */
static int walk_command(struct wyn_tree *tree,
	const struct wyn_tree_command *command, struct wyn_processes *processes)
{
	int error = 0;

	processes->count = 0;
	if (!command->ended) {
		error = wyn_processes_add(
			tree->proc, processes, command->pid, WYN_HUNT_TAG);
	}
	for (uint32_t i = 0;
		error == 0 && command->left > 0 && i < tree->left_count; i++) {
		if (tree->left[i].command == command) {
			error = wyn_processes_add(tree->proc, processes,
				tree->left[i].pid, WYN_HUNT_TAG);
		}
	}
	if (error == 0) {
		error = wyn_processes_walk(
			tree->proc, processes, 0, WYN_HUNT_TAG);
	}
	wyn_processes_sort(processes);
	return error;
}

/*
 * Tags all of the command in a new look. A member of the session whose parent
 * went away under the look has no way up to the leader; while that is not
 * waited for the session is its own.
 */
static int look_for_command(struct wyn_tree *tree,
	const struct wyn_tree_command *command, struct wyn_processes *processes)
{
	int error = wyn_processes_look(tree->proc, processes);

	if (error != 0) {
		return error;
	}
	for (size_t i = 0; !command->ended && i < processes->count; i++) {
		struct wyn_process *process = &processes->each[i];
		if (process->session == command->pid) {
			process->tag = WYN_HUNT_TAG;
		}
	}
	if (!command->ended) {
		tag_child(processes, command->pid);
	}
	for (uint32_t i = 0; command->left > 0 && i < tree->left_count; i++) {
		if (tree->left[i].command == command) {
			tag_child(processes, tree->left[i].pid);
		}
	}
	wyn_processes_spread(processes, WYN_HUNT_TAG);
	return 0;
}

int wyn_tree_look_at(void *data, struct wyn_processes *processes)
{
	struct wyn_tree *tree = data;

	return tree->children >= 0
		       ? walk_command(tree, tree->hunted, processes)
		       : look_for_command(tree, tree->hunted, processes);
}

int wyn_tree_signal(struct wyn_tree *tree, struct wyn_tree_command *command,
	int number, int after)
{
	int result = 0;
	size_t sent = 0;

	if (wyn_tree_is_gone(command)) {
		return -ESRCH;
	}
	struct wyn_processes *processes = &tree->hunt.now;
	tree->hunted = command;
	int error = wyn_tree_look_at(tree, processes);
	if (error != 0) {
		(void)send_children(tree, command, number);
		if (after != 0) {
			(void)send_children(tree, command, after);
		}
		return error;
	}
	for (size_t i = 0; i < processes->count; i++) {
		const struct wyn_process *process = &processes->each[i];
		if (process->tag != WYN_HUNT_TAG ||
			wyn_process_is_dead(process)) {
			continue;
		}
		error = wyn_hunt_send(&tree->hunt, process, number);
		sent += error == 0;
		note(&result, error);
		if (error == 0 && after != 0) {
			note(&result,
				wyn_hunt_send(&tree->hunt, process, after));
		}
	}
	return result == 0 && sent == 0 ? -ESRCH : result;
}

int wyn_tree_kill(struct wyn_tree *tree, struct wyn_tree_command *command)
{
	unsigned killed;

	command->killed = true;
	if (wyn_tree_is_gone(command)) {
		return 0;
	}
	/* Its leader starts nobody more, also when /proc cannot be read. */
	(void)send_children(tree, command, SIGSTOP);
	tree->hunted = command;
	int result = wyn_hunt_run(&tree->hunt, &killed);
	note(&result, send_children(tree, command, SIGKILL));
	return result;
}
