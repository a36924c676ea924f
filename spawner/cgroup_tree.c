// SPDX-License-Identifier: MIT
/*
 * cgroup_tree.c - walks down a cgroup; kills, with cgroup.kill or without it.
 */
#include "spawner/cgroup_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "spawner/cgroup.h"
#include "spawner/cgroup_file.h"
#include "spawner/sys.h"

#define EVENTS_BYTES 256
#define PATH_BYTES   32 /* "4194304" */

int wyn_cgroup_tree_populated(int events, bool *ret_populated, bool *ret_frozen)
{
	char text[EVENTS_BYTES];
	ssize_t bytes = pread(events, text, sizeof(text) - 1, 0);

	if (bytes < 0) {
		return -errno;
	}
	text[bytes] = '\0';
	*ret_populated = wyn_cgroup_file_value(text, "populated") != 0;
	*ret_frozen = wyn_cgroup_file_value(text, "frozen") != 0;
	return 0;
}

/* What is done with each process of a walk. */
struct walk {
	void (*each)(int pid, void *data);
	void *data;
	unsigned depth;
	int error; /* the first one */
};

static void walk_down(int directory, struct walk *walk);

static int walk_child(int directory, const char *name, void *data)
{
	struct walk *walk = data;
	int child = wyn_sys.openat(
		directory, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (child >= 0) {
		walk_down(child, walk);
		close(child);
	} else if (errno != ENOENT && walk->error == 0) {
		walk->error = -errno;
	}
	return 0;
}

static void walk_down(int directory, struct walk *walk)
{
	int error =
		wyn_cgroup_file_processes(directory, walk->each, walk->data);

	/* A threaded one has no list of its own: its parent lists them. */
	if (error != 0 && error != -EOPNOTSUPP && walk->error == 0) {
		walk->error = error;
	}
	if (walk->depth == WYN_CGROUP_DEPTH_MAX) {
		return;
	}
	walk->depth++;
	error = wyn_cgroup_file_directories(directory, walk_child, walk);
	walk->depth--;
	if (error != 0 && walk->error == 0) {
		walk->error = error;
	}
}

static void count_one(int pid, void *data)
{
	uint32_t *count = data;

	(void)pid;
	++*count;
}

uint32_t wyn_cgroup_tree_count(int directory)
{
	uint32_t count = 0;
	struct walk walk = {.each = count_one, .data = &count};

	walk_down(directory, &walk);
	return count;
}

struct sending {
	int proc;
	const char *name;
	int number;
	int after;
	uint32_t sent;
	int error;
};

/* The line of version 2 has the path, of which `name` is a part. */
static bool is_in(int process, const char *name)
{
	char text[WYN_CGROUP_FILE_BYTES];

	if (wyn_cgroup_file_read(process, "cgroup", text) != 0) {
		return false;
	}
	char *path =
		strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (path == NULL) {
		return false;
	}
	path += *path == '\n';
	path[strcspn(path, "\n")] = '\0';
	size_t bytes = strlen(name);
	for (path += 3; (path = strchr(path, '/')) != NULL;) {
		path++;
		if (strncmp(path, name, bytes) == 0 &&
			(path[bytes] == '/' || path[bytes] == '\0')) {
			return true;
		}
	}
	return false;
}

static void send_one(int pid, void *data)
{
	struct sending *sending = data;
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%d", pid);
	int process = wyn_sys.openat(
		sending->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (process < 0) {
		if (errno != ENOENT && sending->error == 0) {
			sending->error = -errno;
		}
		return;
	}
	if (is_in(process, sending->name)) {
		if (pidfd_send_signal(process, sending->number, NULL, 0) == 0) {
			sending->sent++;
			if (sending->after != 0) {
				pidfd_send_signal(
					process, sending->after, NULL, 0);
			}
		} else if (errno != ESRCH && sending->error == 0) {
			sending->error = -errno;
		}
	}
	close(process);
}

int wyn_cgroup_tree_signal(int directory, int proc, const char *name,
	int number, int after, uint32_t *ret_sent)
{
	struct sending sending = {
		.proc = proc,
		.name = name,
		.number = number,
		.after = after,
	};
	struct walk walk = {.each = send_one, .data = &sending};

	walk_down(directory, &walk);
	*ret_sent = sending.sent;
	return sending.error != 0 ? sending.error : walk.error;
}

/* Nobody in it runs any more. */
static bool await_frozen(int directory)
{
	struct pollfd events = {
		.fd = wyn_sys.openat(
			directory, "cgroup.events", O_RDONLY | O_CLOEXEC),
		.events = POLLPRI,
	};
	bool populated;
	bool frozen = false;

	for (unsigned ms = 0; ms < WYN_CGROUP_FREEZE_MS; ms++) {
		if (wyn_cgroup_tree_populated(events.fd, &populated, &frozen) !=
				0 ||
			frozen) {
			break;
		}
		(void)poll(&events, 1, 1);
	}
	if (events.fd >= 0) {
		close(events.fd);
	}
	return frozen;
}

/* Before Linux 5.14. Who is frozen makes no processes, and dies of SIGKILL. */
int wyn_cgroup_tree_kill_frozen(int directory, const char *name)
{
	int proc = wyn_sys.openat(
		AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (proc < 0) {
		return -errno;
	}
	int error = wyn_cgroup_file_write(directory, "cgroup.freeze", "1");
	bool frozen = error == 0 && await_frozen(directory);
	uint32_t sent;
	error = wyn_cgroup_tree_signal(
		directory, proc, name, SIGKILL, 0, &sent);
	close(proc);
	return error == 0 && !frozen && sent > 0 ? -EAGAIN : error;
}

int wyn_cgroup_tree_kill(int directory, const char *name)
{
	int error = wyn_cgroup_file_write(directory, "cgroup.kill", "1");

	return error == -ENOENT ? wyn_cgroup_tree_kill_frozen(directory, name)
				: error;
}

static int take_name(int directory, const char *name, void *data)
{
	char *first = data;

	(void)directory;
	snprintf(first, NAME_MAX + 1, "%s", name);
	return 1;
}

static int find_below(int directory, char name[NAME_MAX + 1])
{
	return wyn_cgroup_file_directories(directory, take_name, name);
}

/* Returns: 1: one that had none below it is removed; 0: there is none;
 * -errno. */
static int remove_lowest(
	int directory, int (*remove)(int directory, const char *name))
{
	char name[NAME_MAX + 1];
	int at = directory;
	int result = find_below(directory, name);

	while (result == 1) {
		char below[NAME_MAX + 1];
		int child = wyn_sys.openat(
			at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		result = child < 0 ? -errno : find_below(child, below);
		if (result != 1) {
			if (child >= 0) {
				close(child);
			}
			if (result == 0) {
				result = remove(at, name) == 0 ? 1 : -errno;
			}
			break;
		}
		if (at != directory) {
			close(at);
		}
		at = child;
		memcpy(name, below, sizeof(name));
	}
	if (at != directory) {
		close(at);
	}
	return result;
}

int wyn_cgroup_tree_remove(int base, const char *name,
	int (*remove)(int directory, const char *name))
{
	if (remove(base, name) == 0 || errno == ENOENT) {
		return 0;
	}
	if (errno != EBUSY && errno != ENOTEMPTY) {
		return -errno;
	}
	int directory =
		wyn_sys.openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0) {
		return -errno;
	}
	int result;
	do {
		result = remove_lowest(directory, remove);
	} while (result == 1);
	close(directory);
	if (result == 0 && remove(base, name) != 0) {
		result = -errno;
	}
	return result;
}
