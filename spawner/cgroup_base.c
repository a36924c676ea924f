// SPDX-License-Identifier: MIT
/*
 * cgroup_base.c - the directory that commands have their cgroups in: found,
 * locked, swept, and given its controllers.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/assert.h"
#include "spawner/cgroup.h"
#include "spawner/cgroup_file.h"
#include "spawner/cgroup_place.h"
#include "spawner/cgroup_tree.h"
#include "spawner/lock.h"
#include "spawner/sys.h"

#define PID_BYTES 16

/* Processes that fork while they are moved are met again. */
#define MOVES_MAX 100u

#define SWEEP_STEP_MS 5

static int remove_directory(int directory, const char *name)
{
	return unlinkat(directory, name, AT_REMOVEDIR);
}

void wyn_cgroups_none(struct wyn_cgroups *cgroups)
{
	*cgroups = (struct wyn_cgroups){
		.base = -1,
		.lock = -1,
		.make = mkdirat,
		.remove = remove_directory,
	};
	wyn_list_init(&cgroups->kept);
	wyn_list_init(&cgroups->leaving);
}

struct sweep {
	struct wyn_cgroups *cgroups;
	unsigned killed;
	int error; /* the first one */
};

/* Until nobody is in it: dying takes a while, and may take for ever. */
static int await_empty(int directory)
{
	struct pollfd events = {
		.fd = wyn_sys.openat(
			directory, "cgroup.events", O_RDONLY | O_CLOEXEC),
		.events = POLLPRI,
	};
	int error = -ETIMEDOUT;

	if (events.fd < 0) {
		return -errno;
	}
	for (unsigned ms = 0; ms < WYN_CGROUP_SWEEP_MS; ms += SWEEP_STEP_MS) {
		bool populated;
		bool frozen;
		int failed = wyn_cgroup_tree_populated(
			events.fd, &populated, &frozen);
		if (failed != 0 || !populated) {
			error = failed;
			break;
		}
		(void)poll(&events, 1, SWEEP_STEP_MS);
	}
	close(events.fd);
	return error;
}

static int sweep_one(struct sweep *sweep, int base, const char *name)
{
	int directory =
		wyn_sys.openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (directory < 0) {
		return -errno;
	}
	uint32_t count = wyn_cgroup_tree_count(directory);
	int error = count > 0 ? wyn_cgroup_tree_kill(directory, name) : 0;
	for (unsigned i = 0; error == -EAGAIN && i < MOVES_MAX; i++) {
		error = wyn_cgroup_tree_kill(directory, name);
	}
	if (error == 0) {
		sweep->killed += count;
		error = await_empty(directory);
	}
	close(directory);
	if (error == 0) {
		error = wyn_cgroup_tree_remove(
			base, name, sweep->cgroups->remove);
	}
	return error;
}

static int sweep_each(int base, const char *name, void *data)
{
	struct sweep *sweep = data;

	if (strncmp(name, WYN_CGROUP_PREFIX, strlen(WYN_CGROUP_PREFIX)) == 0) {
		int error = sweep_one(sweep, base, name);
		sweep->error = sweep->error != 0 ? sweep->error : error;
	}
	return 0;
}

static const struct {
	unsigned bit;
	const char *name;
	const char *enable;
} controllers[] = {
	{WYN_CGROUP_MEMORY, "memory", "+memory"},
	{WYN_CGROUP_PIDS, "pids", "+pids"},
	{WYN_CGROUP_CPU, "cpu", "+cpu"},
};

static unsigned find_controllers(int directory, const char *file)
{
	char text[WYN_CGROUP_FILE_BYTES];
	unsigned found = 0;

	if (wyn_cgroup_file_read(directory, file, text) != 0) {
		return 0;
	}
	for (size_t i = 0; i < WYN_COUNT_OF(controllers); i++) {
		if (wyn_cgroup_file_has_word(text, controllers[i].name)) {
			found |= controllers[i].bit;
		}
	}
	return found;
}

struct move {
	int leaf;
	unsigned moved;
	int error;
};

static void move_one(int pid, void *data)
{
	struct move *move = data;
	char text[PID_BYTES];

	snprintf(text, sizeof(text), "%d", pid);
	int error = wyn_cgroup_file_write(move->leaf, "cgroup.procs", text);
	if (error == 0) {
		move->moved++;
	} else if (error != -ESRCH && move->error == 0) {
		move->error = error;
	}
}

/* All of our own cgroup, ourselves and wynd among them, to a leaf of it. */
static int move_to_leaf(struct wyn_cgroups *cgroups)
{
	if (cgroups->make(cgroups->base, WYN_CGROUP_LEAF, 0755) != 0 &&
		errno != EEXIST) {
		return -errno;
	}
	struct move move = {
		.leaf = wyn_sys.openat(cgroups->base, WYN_CGROUP_LEAF,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	};
	if (move.leaf < 0) {
		return -errno;
	}
	int error = 0;
	for (unsigned i = 0; i < MOVES_MAX && error == 0; i++) {
		move.moved = 0;
		error = wyn_cgroup_file_processes(
			cgroups->base, move_one, &move);
		error = error != 0 ? error : move.error;
		if (move.moved == 0) {
			break;
		}
	}
	close(move.leaf);
	return error;
}

/* Which of them there are is no error: Ready says it. */
static void enable_controllers(struct wyn_cgroups *cgroups, bool own)
{
	unsigned there = find_controllers(cgroups->base, "cgroup.controllers");

	/* The root may have processes and controllers; all of the machine's are
	 * in it, and no such file. */
	own = own && faccessat(cgroups->base, "cgroup.events", F_OK, 0) == 0;
	if (there == 0 || (own && move_to_leaf(cgroups) != 0)) {
		return;
	}
	for (size_t i = 0; i < WYN_COUNT_OF(controllers); i++) {
		if (there & controllers[i].bit) {
			(void)!wyn_cgroup_file_write(cgroups->base,
				"cgroup.subtree_control",
				controllers[i].enable);
		}
	}
	cgroups->controllers =
		find_controllers(cgroups->base, "cgroup.subtree_control");
}

/*
 * Whoever can open a file can lock it and keep us waiting, and everybody can
 * open a cgroup's directory. Its cgroup.kill (Linux 5.14) only its owner can:
 * root, also where it was given to us. Without, the directory has to do.
 */
static int lock_it(struct wyn_cgroups *cgroups)
{
	cgroups->lock = wyn_sys.openat(
		cgroups->base, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	if (cgroups->lock < 0 && errno != ENOENT && errno != EACCES) {
		return -errno;
	}
	return wyn_lock_wait(cgroups->lock >= 0 ? cgroups->lock : cgroups->base,
		WYN_LOCK_WAIT_MS);
}

int wyn_cgroups_init_at(struct wyn_cgroups *cgroups, int base, const char *path,
	bool own, unsigned *ret_killed)
{
	struct sweep sweep = {.cgroups = cgroups};

	cgroups->base = base;
	cgroups->path = strdup(path);
	int error = cgroups->path != NULL ? 0 : -ENOMEM;
	if (error == 0) {
		error = lock_it(cgroups);
	}
	if (error == 0) {
		error = wyn_cgroup_file_directories(base, sweep_each, &sweep);
		error = error != 0 ? error : sweep.error;
	}
	if (error != 0) {
		wyn_cgroups_fini(cgroups);
		return error;
	}
	enable_controllers(cgroups, own);
	*ret_killed = sweep.killed;
	return 0;
}

/* To us: user.delegate is written by the owner, who may also move whom he likes
 * out of what is below. */
static bool is_delegated(const char *path)
{
	static const char *const names[] = {
		"user.delegate", "trusted.delegate"};
	struct stat about;
	char value;

	if (stat(path, &about) != 0 || about.st_uid != geteuid()) {
		return false;
	}
	for (size_t i = 0; i < WYN_COUNT_OF(names); i++) {
		if (getxattr(path, names[i], &value, sizeof(value)) == 1 &&
			value == '1') {
			return true;
		}
	}
	return false;
}

/* Ours, or the one above: *ret_own is whether it is ours. An empty path:
 * none. */
static int find_delegated(char path[PATH_MAX], bool *ret_own)
{
	int error = wyn_cgroup_place_own(path);

	if (error == -ENOENT) {
		path[0] = '\0';
		return 0;
	}
	if (error != 0) {
		return error;
	}
	*ret_own = is_delegated(path);
	if (*ret_own) {
		return 0;
	}
	char *last = strrchr(path, '/');
	if (last != NULL) {
		*last = '\0';
	}
	if (last == NULL || last == path || !is_delegated(path)) {
		path[0] = '\0';
	}
	return 0;
}

/* A directory that was given may be the one that we are in. */
static bool is_own(int base)
{
	char path[PATH_MAX];
	struct stat there;
	struct stat own;

	return wyn_cgroup_place_own(path) == 0 && stat(path, &own) == 0 &&
	       fstat(base, &there) == 0 && own.st_dev == there.st_dev &&
	       own.st_ino == there.st_ino;
}

static int open_base(const char *path, int *ret_base)
{
	struct statfs about;

	if (path[0] != '/') {
		return -EINVAL;
	}
	int base = wyn_sys.openat(
		AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (base < 0) {
		return -errno;
	}
	if (fstatfs(base, &about) != 0 || about.f_type != CGROUP2_SUPER_MAGIC) {
		close(base);
		return -EINVAL;
	}
	*ret_base = base;
	return 0;
}

int wyn_cgroups_init(struct wyn_cgroups *cgroups, const char *directory,
	unsigned *ret_killed)
{
	char path[PATH_MAX];
	bool own = false;
	bool made = false;
	int base = -1;

	wyn_cgroups_none(cgroups);
	if (strcmp(directory, "none") == 0) {
		*ret_killed = 0;
		return 0;
	}
	if (directory[0] == '\0') {
		int error = find_delegated(path, &own);
		if (error != 0 || path[0] == '\0') {
			*ret_killed = error != 0 ? *ret_killed : 0;
			return error;
		}
		directory = path;
	} else {
		made = mkdir(directory, 0755) == 0;
	}
	int error = open_base(directory, &base);
	if (error != 0) {
		if (made) {
			rmdir(directory);
		}
		return error;
	}
	own = own || is_own(base);
	return wyn_cgroups_init_at(cgroups, base, directory, own, ret_killed);
}
