// SPDX-License-Identifier: MIT
/*
 * program.c - see program.h.
 *
 * With a list, who may not run a file does not learn either whether there is
 * one: we open it as ourselves, so what is not there and what is not on the
 * list are one answer, and a file that is not on it hides none that is.
 */
#include "spawner/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spawner/sys.h"

int wyn_program_list_add(
	struct wyn_program_list *list, const char *path, size_t bytes)
{
	struct wyn_program_listed *listed = wyn_sys.realloc(
		list->listed, (list->count + 1) * sizeof(*listed));
	char *copy;

	if (!listed) {
		return -ENOMEM;
	}
	list->listed = listed;
	copy = wyn_sys.calloc(bytes + 1, 1);
	if (!copy) {
		return -ENOMEM;
	}
	memcpy(copy, path, bytes);
	listed[list->count++] = (struct wyn_program_listed){.path = copy};
	return 0;
}

void wyn_program_list_fini(struct wyn_program_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->listed[i].path);
	}
	free(list->listed);
	*list = (struct wyn_program_list){0};
}

bool wyn_program_goes_on(int error)
{
	return error == ENOENT || error == EACCES || error == ENOTDIR ||
	       error == ESTALE || error == ENODEV || error == ETIMEDOUT;
}

/* Whether the path of the list still names what it named. */
static bool listed_is(
	struct wyn_program_listed *listed, const struct stat *file)
{
	struct stat now;

	if (stat(listed->path, &now)) {
		listed->inode = 0;
		return false;
	}
	listed->device = now.st_dev;
	listed->inode = now.st_ino;
	return now.st_dev == file->st_dev && now.st_ino == file->st_ino;
}

/* asked: whether all are known as they are now, for one command is looked for
 * in many directories. */
static bool list_has(
	struct wyn_program_list *list, const struct stat *file, bool *asked)
{
	bool found = false;

	/* Mostly it is where it was: then one look is enough. */
	for (size_t i = 0; i < list->count; i++) {
		struct wyn_program_listed *listed = &list->listed[i];

		if (listed->inode == file->st_ino &&
			listed->device == file->st_dev &&
			(*asked || listed_is(listed, file))) {
			return true;
		}
	}
	for (size_t i = 0; i < list->count && !*asked; i++) {
		found = listed_is(&list->listed[i], file) || found;
	}
	*asked = true;
	return found;
}

/* The first of the paths whose file is on the list. */
static int open_listed(struct wyn_program_list *list, const char *directory,
	struct wyn_program *program)
{
	bool asked = false;
	int at = -1;
	int error = -EACCES;

	for (size_t i = 0; i < program->count && error == -EACCES; i++) {
		const char *path = program->paths[i];
		struct stat file;
		int fd;

		if (path[0] != '/' && at < 0) {
			at = wyn_sys.openat(
				AT_FDCWD, directory, O_PATH | O_CLOEXEC);
		}
		if (path[0] != '/' && at < 0) {
			fd = -1;
		} else {
			fd = wyn_sys.openat(at, path, O_PATH | O_CLOEXEC);
		}
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE ||
				errno == ENOMEM) {
				error = -errno;
			}
			continue;
		}
		if (fstat(fd, &file) || !S_ISREG(file.st_mode) ||
			!list_has(list, &file, &asked)) {
			close(fd);
			continue;
		}
		program->fd = fd;
		program->paths += i;
		program->count = 1;
		error = 0;
	}
	if (at >= 0) {
		close(at);
	}
	return error;
}

/* One directory of PATH, and the name. An empty one is the command's. */
static const char *join(struct wyn_arena *arena, const char *directory,
	size_t directory_bytes, const char *name, size_t name_bytes)
{
	size_t slash = directory_bytes > 0;
	char *path = wyn_arena_alloc(
		arena, directory_bytes + slash + name_bytes + 1);

	if (!path) {
		return NULL;
	}
	memcpy(path, directory, directory_bytes);
	if (slash) {
		path[directory_bytes] = '/';
	}
	memcpy(path + directory_bytes + slash, name, name_bytes + 1);
	return path;
}

static size_t count_directories(const char *path)
{
	size_t n = 1;

	for (; *path != '\0'; path++) {
		n += *path == ':';
	}
	return n;
}

static int spread(const char *name, const char *path, struct wyn_arena *arena,
	struct wyn_program *program)
{
	size_t name_bytes = strlen(name);
	size_t n = strchr(name, '/') ? 1 : count_directories(path);

	if (n > WYN_PROGRAM_PATHS_MAX) {
		return -E2BIG;
	}
	program->paths = wyn_arena_alloc(arena, n * sizeof(*program->paths));
	if (!program->paths) {
		return -ENOBUFS;
	}
	program->count = n;
	if (strchr(name, '/')) {
		program->paths[0] = name;
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		size_t bytes = strcspn(path, ":");

		program->paths[i] = join(arena, path, bytes, name, name_bytes);
		if (!program->paths[i]) {
			return -ENOBUFS;
		}
		path += bytes + 1;
	}
	return 0;
}

int wyn_program_find(struct wyn_program_list *list, const char *name,
	const char *path, const char *directory, struct wyn_arena *arena,
	struct wyn_program *ret_program)
{
	struct wyn_program program = {.fd = -1};
	int error;

	if (name[0] == '\0') {
		return -ENOENT;
	}
	error = spread(
		name, path ? path : WYN_PROGRAM_PATH_DEFAULT, arena, &program);
	if (!error && list->count > 0) {
		error = open_listed(list, directory, &program);
	}
	if (!error) {
		*ret_program = program;
	}
	return error;
}
