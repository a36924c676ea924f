// SPDX-License-Identifier: MIT
/*
 * process_walk.c - down from a process by the lists of children that the kernel
 * has: what a look at all of /proc costs grows with the machine, this with the
 * tree.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "spawner/process.h"
#include "spawner/sys.h"

#define PATH_BYTES  64 /* "4194304/task/4194304/children" */
#define PIECE_BYTES 4096

/* The children of one thread; it may be gone. */
static int walk_thread(int proc, struct wyn_processes *processes, pid_t pid,
	pid_t thread, uint8_t tag)
{
	char piece[PIECE_BYTES];
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%d/task/%d/children", pid, thread);
	int fd = wyn_sys.openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	int error = 0;
	pid_t child = 0;
	while (error == 0) {
		ssize_t bytes = read(fd, piece, sizeof(piece));
		if (bytes <= 0) {
			error = bytes < 0 && errno != ESRCH ? -errno : 0;
			break;
		}
		for (ssize_t i = 0; error == 0 && i < bytes; i++) {
			if (piece[i] != ' ') {
				child = child * 10 + (piece[i] - '0');
				continue;
			}
			error = wyn_processes_add(proc, processes, child, tag);
			child = 0;
		}
	}
	close(fd);
	return error;
}

static int walk_threads(
	int proc, struct wyn_processes *processes, pid_t pid, uint8_t tag)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%d/task", pid);
	int fd = wyn_sys.openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *threads = fd >= 0 ? fdopendir(fd) : NULL;
	if (threads == NULL) {
		int error = errno == ENOENT ? 0 : -errno;
		if (fd >= 0) {
			close(fd);
		}
		return error;
	}
	int error = 0;
	const struct dirent *entry;
	while (error == 0 && (entry = readdir(threads)) != NULL) {
		if (entry->d_name[0] != '.') {
			error = walk_thread(proc, processes, pid,
				(pid_t)atoi(entry->d_name), tag);
		}
	}
	closedir(threads);
	return error;
}

int wyn_processes_walk(
	int proc, struct wyn_processes *processes, size_t from, uint8_t tag)
{
	int error = 0;

	/* It grows meanwhile: those that are found are behind the last one. */
	for (size_t i = from; error == 0 && i < processes->count; i++) {
		struct wyn_process process = processes->each[i];
		error = process.threads == 1
				? walk_thread(proc, processes, process.pid,
					  process.pid, tag)
				: walk_threads(
					  proc, processes, process.pid, tag);
	}
	return error;
}
