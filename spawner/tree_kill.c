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

#define TAG_OURS 1u

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
		process->tag = TAG_OURS;
	}
}

/*
 * Tags all of the command in a new look. A member of the session whose parent
 * went away under the look has no way up to the leader; while that is not
 * waited for the session is its own.
 */
static int look_at_command(
	struct wyn_tree *tree, const struct wyn_tree_command *command)
{
	struct wyn_processes *processes = &tree->processes;
	int error = wyn_processes_look(tree->proc, processes);

	if (error != 0) {
		return error;
	}
	for (size_t i = 0; !command->ended && i < processes->count; i++) {
		struct wyn_process *process = &processes->each[i];
		if (process->session == command->pid) {
			process->tag = TAG_OURS;
		}
	}
	if (!command->ended) {
		tag_child(processes, command->pid);
	}
	for (uint32_t i = 0; i < tree->left_count; i++) {
		if (tree->left[i].command == command) {
			tag_child(processes, tree->left[i].pid);
		}
	}
	wyn_processes_spread(processes, TAG_OURS);
	return 0;
}

static int send_one(
	struct wyn_tree *tree, const struct wyn_process *process, int number)
{
	if (process->parent == tree->self) {
		return send_child(process->pid, number);
	}
	return wyn_process_signal(tree->proc, process, number);
}

int wyn_tree_signal(struct wyn_tree *tree, struct wyn_tree_command *command,
	int number, int after)
{
	int result = 0;
	size_t sent = 0;

	if (wyn_tree_is_gone(command)) {
		return -ESRCH;
	}
	int error = look_at_command(tree, command);
	if (error != 0) {
		(void)send_children(tree, command, number);
		if (after != 0) {
			(void)send_children(tree, command, after);
		}
		return error;
	}
	for (size_t i = 0; i < tree->processes.count; i++) {
		const struct wyn_process *process = &tree->processes.each[i];
		if (process->tag != TAG_OURS || process->state == 'Z') {
			continue;
		}
		error = send_one(tree, process, number);
		sent += error == 0;
		note(&result, error);
		if (error == 0 && after != 0) {
			note(&result, send_one(tree, process, after));
		}
	}
	return result == 0 && sent == 0 ? -ESRCH : result;
}

/* It was there, and stopped, in the look before. */
static bool is_known(
	const struct wyn_tree *tree, const struct wyn_process *process)
{
	const struct wyn_process *before =
		wyn_processes_find(&tree->before, process->pid);

	return before != NULL && before->tag == TAG_OURS &&
	       before->start_ticks == process->start_ticks;
}

static size_t stop_new(struct wyn_tree *tree, int *result)
{
	size_t stopped = 0;

	for (size_t i = 0; i < tree->processes.count; i++) {
		const struct wyn_process *process = &tree->processes.each[i];
		if (process->tag == TAG_OURS && process->state != 'Z' &&
			!is_known(tree, process)) {
			note(result, send_one(tree, process, SIGSTOP));
			stopped++;
		}
	}
	return stopped;
}

/*
 * A process with a signal pending makes no other one: the kernel looks for that
 * when the new one is complete. So after a look that began when all that were
 * known were stopped, and saw nobody else, nobody else is below them; but for a
 * chain of processes, each of which ends as soon as it has started the next,
 * that ran past the look. When the leader is dead its next one is our child,
 * and wyn_tree_look kills it.
 */
static int stop_all(struct wyn_tree *tree, struct wyn_tree_command *command)
{
	int result = 0;

	tree->before.count = 0;
	for (unsigned round = 0; round < WYN_TREE_ROUNDS_MAX; round++) {
		int error = look_at_command(tree, command);
		if (error != 0) {
			return error;
		}
		if (stop_new(tree, &result) == 0) {
			return result;
		}
		struct wyn_processes seen = tree->processes;
		tree->processes = tree->before;
		tree->before = seen;
	}
	return -EAGAIN;
}

int wyn_tree_kill(struct wyn_tree *tree, struct wyn_tree_command *command)
{
	command->killed = true;
	if (wyn_tree_is_gone(command)) {
		return 0;
	}
	/* From here on its leader starts nobody, also when /proc cannot be read. */
	(void)send_children(tree, command, SIGSTOP);
	int result = stop_all(tree, command);
	/* Whoever was stopped, also when the last look failed. */
	const struct wyn_processes *seen = &tree->before;
	for (size_t i = 0; i < seen->count; i++) {
		const struct wyn_process *process = &seen->each[i];
		if (process->tag == TAG_OURS && process->state != 'Z') {
			note(&result, send_one(tree, process, SIGKILL));
		}
	}
	note(&result, send_children(tree, command, SIGKILL));
	return result;
}
