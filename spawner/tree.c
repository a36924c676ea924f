// SPDX-License-Identifier: MIT
/*
 * tree.c - leaders by pid, left-overs by pid, and who is new among our
 * children. tree_kill.c has the signals.
 */
#include "spawner/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "spawner/sys.h"

#define CHILDREN_BYTES 4096

int wyn_tree_init(struct wyn_tree *tree)
{
	int error;

	*tree = (struct wyn_tree){
		.proc = -1,
		.children = -1,
		.self = getpid(),
	};
	wyn_list_init(&tree->ended);
	tree->left = wyn_sys.calloc(WYN_TREE_LEFT_MAX, sizeof(tree->left[0]));
	if (tree->left == NULL) {
		return -ENOMEM;
	}
	error = wyn_mark_draw(&tree->mark);
	if (error != 0) {
		goto fail;
	}
	tree->proc = wyn_sys.openat(
		AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree->proc < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
		error = -errno;
		goto fail;
	}
	tree->children = wyn_sys.openat(
		tree->proc, "thread-self/children", O_RDONLY | O_CLOEXEC);
	if (tree->children < 0 && errno != ENOENT) {
		error = -errno;
		goto fail;
	}
	tree->hunt = (struct wyn_hunt){
		.proc = tree->proc,
		.self = tree->self,
		.look = wyn_tree_look_at,
		.data = tree,
	};
	return 0;
fail:
	wyn_tree_fini(tree);
	return error;
}

void wyn_tree_fini(struct wyn_tree *tree)
{
	if (tree->children >= 0) {
		close(tree->children);
	}
	if (tree->proc >= 0) {
		close(tree->proc);
	}
	free(tree->left);
	wyn_hunt_fini(&tree->hunt);
	tree->left = NULL;
	tree->children = -1;
	tree->proc = -1;
}

static struct wyn_tree_command **bucket_of(struct wyn_tree *tree, pid_t pid)
{
	return &tree->by_pid[(uint32_t)pid % WYN_TREE_BUCKETS];
}

void wyn_tree_prepare(struct wyn_tree *tree, struct wyn_tree_command *command)
{
	*command = (struct wyn_tree_command){.serial = ++tree->serial};
	wyn_list_init(&command->ended_link);
}

void wyn_tree_add(struct wyn_tree *tree, struct wyn_tree_command *command,
	pid_t pid, bool contained)
{
	wyn_assert(pid > 0);
	struct wyn_tree_command **bucket = bucket_of(tree, pid);

	command->pid = pid;
	command->contained = contained;
	command->next = *bucket;
	*bucket = command;
	tree->bare += !contained;
}

static void forget_left(struct wyn_tree *tree, uint32_t at)
{
	tree->left_count--;
	memmove(&tree->left[at], &tree->left[at + 1],
		(tree->left_count - at) * sizeof(tree->left[0]));
}

void wyn_tree_remove(struct wyn_tree *tree, struct wyn_tree_command *command)
{
	struct wyn_tree_command **at = bucket_of(tree, command->pid);

	wyn_assert(command->ended);
	while (*at != command) {
		wyn_assert(*at != NULL);
		at = &(*at)->next;
	}
	*at = command->next;
	wyn_list_remove(&command->ended_link);
	tree->bare -= !command->contained;
	for (uint32_t i = tree->left_count; command->left > 0 && i-- > 0;) {
		if (tree->left[i].command == command) {
			forget_left(tree, i);
			command->left--;
		}
	}
}

/* The place of `pid` among the left-overs, or where it would be. */
static uint32_t place_of(const struct wyn_tree *tree, pid_t pid)
{
	uint32_t low = 0;
	uint32_t high = tree->left_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (tree->left[middle].pid < pid) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static bool is_left(const struct wyn_tree *tree, uint32_t at, pid_t pid)
{
	return at < tree->left_count && tree->left[at].pid == pid;
}

/* A number may be given to a leader while one who had it is not forgotten. */
static struct wyn_tree_command *leader_of(struct wyn_tree *tree, pid_t pid)
{
	struct wyn_tree_command *command = *bucket_of(tree, pid);

	while (command != NULL && (command->pid != pid || command->ended)) {
		command = command->next;
	}
	return command;
}

/* Of two that had the number the later one: it could have it only when nobody
 * was in the session of the earlier one. */
static struct wyn_tree_command *command_of_session(
	struct wyn_tree *tree, pid_t session)
{
	struct wyn_tree_command *command = *bucket_of(tree, session);

	while (command != NULL && command->pid != session) {
		command = command->next;
	}
	return command;
}

static void forget_dead(struct wyn_tree *tree, pid_t pid)
{
	uint32_t at = place_of(tree, pid);

	if (is_left(tree, at, pid)) {
		tree->left[at].command->left--;
		forget_left(tree, at);
	}
}

int wyn_tree_wait(struct wyn_tree *tree, struct wyn_tree_exit *ret_exit)
{
	for (;;) {
		int status;
		struct rusage usage;
		pid_t pid = wait4(-1, &status, WNOHANG | __WALL, &usage);
		if (pid < 0 && errno == EINTR) {
			continue;
		}
		if (pid <= 0) {
			return 0;
		}
		struct wyn_tree_command *command = leader_of(tree, pid);
		if (command == NULL) {
			forget_dead(tree, pid);
			continue;
		}
		command->ended = true;
		wyn_list_push_front(&tree->ended, &command->ended_link);
		*ret_exit = (struct wyn_tree_exit){
			.command = command,
			.status = status,
			.usage = usage,
		};
		return 1;
	}
}

/* Of a child of ours, that is not waited for by this. */
static bool is_dead(pid_t pid)
{
	siginfo_t info = {.si_pid = 0};

	return waitid(P_PID, (id_t)pid, &info,
		       WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 &&
	       info.si_pid == pid;
}

/* Of a process that is exiting the kernel gives the orphans to us already,
 * while it can not be waited for yet. */
static bool is_exiting(const struct wyn_tree *tree, pid_t pid)
{
	struct wyn_process process;

	return wyn_process_read(tree->proc, pid, &process) == 0 &&
	       process.exiting;
}

/* A leader that ends, or has since the last wait; serial: NULL = any. */
static struct wyn_tree_command *find_dying(
	struct wyn_tree *tree, const uint64_t *serial)
{
	for (size_t i = 0; i < WYN_TREE_BUCKETS; i++) {
		struct wyn_tree_command *command = tree->by_pid[i];
		for (; command != NULL; command = command->next) {
			if (!command->ended &&
				(serial == NULL ||
					command->serial == *serial) &&
				is_exiting(tree, command->pid)) {
				return command;
			}
		}
	}
	return NULL;
}

static struct wyn_tree_command *find_ended(
	struct wyn_tree *tree, const uint64_t *serial)
{
	for (struct wyn_list *link = tree->ended.next; link != &tree->ended;
		link = link->next) {
		struct wyn_tree_command *command = WYN_CONTAINER_OF(
			link, struct wyn_tree_command, ended_link);
		if (serial == NULL ? !command->contained
				   : command->serial == *serial) {
			return command;
		}
	}
	return NULL;
}

/*
 * The mark counts for who has ended only: what is of a living leader is below
 * it, so that a mark that names one was written by somebody who wants to live
 * as long as another's command does.
 */
static int find_command(
	struct wyn_tree *tree, pid_t pid, struct wyn_tree_command **ret_command)
{
	struct wyn_process process;
	int error = wyn_process_read(tree->proc, pid, &process);

	if (error != 0) {
		return error;
	}
	struct wyn_tree_command *command =
		command_of_session(tree, process.session);
	uint64_t serial;
	if (command == NULL) {
		error = wyn_mark_find(tree->proc, pid, &tree->mark, &serial);
		if (error == -EMFILE || error == -ENFILE || error == -ENOMEM) {
			return error;
		}
		if (error == 0) {
			command = find_ended(tree, &serial);
		}
		if (error == 0 && command == NULL) {
			command = find_dying(tree, &serial);
		}
	}
	if (command == NULL) {
		command = find_dying(tree, NULL);
	}
	if (command == NULL) {
		command = find_ended(tree, NULL);
	}
	*ret_command = command;
	return 0;
}

/* Somebody whose left-overs may live still has ended, or does now. */
static bool has_spared(struct wyn_tree *tree)
{
	for (size_t i = 0; i < WYN_TREE_BUCKETS; i++) {
		struct wyn_tree_command *command = tree->by_pid[i];
		for (; command != NULL; command = command->next) {
			if (!command->killed &&
				(command->ended ||
					is_exiting(tree, command->pid))) {
				return true;
			}
		}
	}
	return false;
}

/*
 * Of a dead child of ours, which keeps the group's number from being another's.
 * A chain of processes, each of which ends as soon as it has started the next,
 * is seen dead by every look; but nobody is born into a group that has got a
 * SIGKILL (the kernel looks for signals when the new process is complete). Of
 * the dead no mark tells whose they were: so not while it may be another's.
 */
static void kill_group(struct wyn_tree *tree, pid_t pid)
{
	pid_t group = getpgid(pid);

	if (group > 1 && group != tree->group_killed && group != getpgrp() &&
		!has_spared(tree)) {
		tree->group_killed = group;
		kill(-group, SIGKILL);
	}
}

/* A child of ours. */
static int see_child(struct wyn_tree *tree, pid_t pid)
{
	uint32_t at = place_of(tree, pid);
	struct wyn_tree_command *command = NULL;

	if (leader_of(tree, pid) != NULL || is_left(tree, at, pid)) {
		return 0;
	}
	int error = find_command(tree, pid, &command);
	if (error != 0) {
		return error;
	}
	/* Only now: of a dead one no mark could be read. */
	if (is_dead(pid)) {
		if (command != NULL && command->killed) {
			kill_group(tree, pid);
		}
		tree->dead_seen = true;
		if (tree->dead_count < WYN_TREE_DEAD_MAX) {
			tree->dead[tree->dead_count++] = pid;
		}
		return 0;
	}
	if (command == NULL || tree->left_count == WYN_TREE_LEFT_MAX) {
		tree->killed_unknown++;
		kill(pid, SIGKILL);
		return 0;
	}
	memmove(&tree->left[at + 1], &tree->left[at],
		(tree->left_count - at) * sizeof(tree->left[0]));
	tree->left[at] = (struct wyn_tree_left){
		.pid = pid,
		.command = command,
	};
	tree->left_count++;
	command->left++;
	if (command->killed) {
		kill(pid, SIGKILL);
	}
	return 0;
}

static void wait_for_dead(struct wyn_tree *tree)
{
	for (uint32_t at = 0; at < tree->dead_count; at++) {
		(void)waitpid(tree->dead[at], NULL, WNOHANG | __WALL);
	}
	tree->dead_count = 0;
}

/*
 * The file has numbers with a space after each. Who is listed does not go away
 * between two reads of it, for only a wait makes him: the kernel counts where
 * it was, and would leave somebody out. So with as many dead as can be noted it
 * ends, and begins anew without them; to read on would be to see each of very
 * many again and again.
 */
static int look_at_children(struct wyn_tree *tree)
{
	char piece[CHILDREN_BYTES];
	int result = 0;
	pid_t pid = 0;
	off_t at = 0;

	for (;;) {
		ssize_t bytes = pread(tree->children, piece, sizeof(piece), at);
		if (bytes <= 0) {
			return bytes < 0 ? -errno : result;
		}
		at += bytes;
		for (ssize_t i = 0; i < bytes; i++) {
			if (piece[i] != ' ') {
				pid = pid * 10 + (piece[i] - '0');
				continue;
			}
			int error = see_child(tree, pid);
			result = result != 0 ? result : error;
			if (tree->dead_count == WYN_TREE_DEAD_MAX) {
				return result;
			}
			pid = 0;
		}
	}
}

static int look_at_proc(struct wyn_tree *tree)
{
	siginfo_t info;

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) !=
			0 &&
		errno == ECHILD) {
		return 0;
	}
	int result = wyn_processes_look(tree->proc, &tree->hunt.now);
	if (result != 0) {
		return result;
	}
	for (size_t i = 0; i < tree->hunt.now.count; i++) {
		const struct wyn_process *process = &tree->hunt.now.each[i];
		if (process->parent == tree->self) {
			int error = see_child(tree, process->pid);
			result = result != 0 ? result : error;
			if (tree->dead_count == WYN_TREE_DEAD_MAX) {
				wait_for_dead(tree);
			}
		}
	}
	return result;
}

/*
 * Who was dead when it was seen has left us its children since the list was
 * made, perhaps: so there is another look, until all that were seen were alive,
 * which are then on the list themselves.
 */
int wyn_tree_look(struct wyn_tree *tree)
{
	if (tree->bare == 0) {
		return 0;
	}
	for (unsigned i = 0; i < WYN_TREE_LOOKS_MAX; i++) {
		tree->dead_seen = false;
		tree->dead_count = 0;
		tree->group_killed = 0;
		int result = tree->children >= 0 ? look_at_children(tree)
						 : look_at_proc(tree);
		wait_for_dead(tree);
		if (result != 0 || !tree->dead_seen) {
			return result;
		}
	}
	return -EAGAIN;
}
