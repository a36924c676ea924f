// SPDX-License-Identifier: MIT
/*
 * module_file.c - see module_file.h.
 *
 * What was checked has to be what is loaded, so a file is opened once, and
 * dlopen is given /proc/self/fd/N of the copy. The copy's descriptor stays open
 * as long as it is loaded: dlopen knows by name what it has, and the next file
 * with the same number would be taken for the one before.
 */
#include "daemon/modules/module_file.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define PATH_BYTES  32u		/* of /proc/self/fd/N */
#define PIECE_BYTES (64u << 10) /* compared at once */

/* Kernels that do not know it make all memfds executable. */
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010u
#endif

/* Whether only root and we ourselves could have written it. */
static int check_trust(int fd, struct stat *ret_status, char *ret_why)
{
	struct stat status;

	if (fstat(fd, &status) < 0) {
		return wyn_module_because(
			ret_why, -errno, "%s", strerror(errno));
	}
	if (!S_ISREG(status.st_mode)) {
		return wyn_module_because(
			ret_why, -EINVAL, "not a regular file");
	}
	if (status.st_uid != 0 && status.st_uid != geteuid()) {
		return wyn_module_because(ret_why, -EPERM,
			"owned by uid %u, neither root nor wynd's own",
			status.st_uid);
	}
	if (status.st_mode & (S_IWGRP | S_IWOTH)) {
		return wyn_module_because(ret_why, -EPERM,
			"writable by its group or by others (mode %04o)",
			status.st_mode & 07777u);
	}
	if (status.st_size > WYN_MODULE_FILE_BYTES_MAX) {
		return wyn_module_because(ret_why, -EFBIG, "larger than %u MiB",
			WYN_MODULE_FILE_BYTES_MAX >> 20);
	}
	*ret_status = status;
	return 0;
}

static bool is_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* The time of its last change as well: the other can be set at will. */
static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && is_time(&a->st_mtim, &b->st_mtim) &&
	       is_time(&a->st_ctim, &b->st_ctim);
}

static int copy_create(const char *name)
{
	char label[64];
	int fd;

	/* It shows in /proc/PID/maps. */
	(void)snprintf(label, sizeof(label), "wynd-module:%.40s", name);
	fd = memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL) {
		fd = memfd_create(label, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	}
	return fd < 0 ? -errno : fd;
}

/* Returns: 0, -errno. */
static int copy_fill(int copy, int fd, off_t size)
{
	off_t at = 0;

	while (at < size) {
		ssize_t n = sendfile(copy, fd, &at, (size_t)(size - at));

		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		if (n == 0) {
			return -EAGAIN;
		}
	}
	return fcntl(copy, F_ADD_SEALS,
		       F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW |
			       F_SEAL_WRITE) < 0
		       ? -errno
		       : 0;
}

/* A copy of what the file was from its check to the end of copying. */
static int copy_make(const char *name, int fd, const struct stat *status,
	int *ret_copy, char *ret_why)
{
	int copy = copy_create(name);
	struct stat now;
	int rc;

	if (copy < 0) {
		return wyn_module_because(ret_why, copy,
			"no memory file for its copy: %s", strerror(-copy));
	}
	rc = copy_fill(copy, fd, status->st_size);
	if (rc == 0 && (fstat(fd, &now) < 0 || !is_same(status, &now))) {
		rc = -EAGAIN;
	}
	if (rc == 0) {
		*ret_copy = copy;
		return 0;
	}
	(void)close(copy);
	return rc == -EAGAIN ? wyn_module_because(ret_why, rc,
				       "it was being written; rename a whole "
				       "file to this name, and reload")
			     : wyn_module_because(ret_why, rc, "copying: %s",
				       strerror(-rc));
}

static bool has_same_bytes(int a, int b, off_t size)
{
	char *bytes = malloc(2 * (size_t)PIECE_BYTES);
	bool same = bytes != NULL;

	for (off_t at = 0; same && at < size; at += PIECE_BYTES) {
		ssize_t n = pread(a, bytes, PIECE_BYTES, at);

		same = n > 0 &&
		       pread(b, bytes + PIECE_BYTES, PIECE_BYTES, at) == n &&
		       !memcmp(bytes, bytes + PIECE_BYTES, (size_t)n);
	}
	free(bytes);
	return same;
}

bool wyn_module_file_equal(
	const struct wyn_module_file *a, const struct wyn_module_file *b)
{
	return a->status.st_size == b->status.st_size &&
	       has_same_bytes(a->fd, b->fd, a->status.st_size);
}

static int file_copy(const char *name, int fd, struct wyn_module_file *old,
	struct wyn_module_file *ret_file, char *ret_why)
{
	struct wyn_module_file file = {.fd = -1};
	int rc = check_trust(fd, &file.status, ret_why);

	if (rc < 0) {
		return rc;
	}
	if (old != NULL && is_same(&old->status, &file.status)) {
		return 1;
	}
	rc = copy_make(name, fd, &file.status, &file.fd, ret_why);
	if (rc < 0) {
		return rc;
	}
	if (old != NULL && wyn_module_file_equal(old, &file)) {
		old->status = file.status;
		(void)close(file.fd);
		return 1;
	}
	*ret_file = file;
	return 0;
}

int wyn_module_file_read(int directory_fd, const char *name,
	struct wyn_module_file *old, struct wyn_module_file *ret_file,
	char ret_why[WYN_WHY_BYTES_MAX])
{
	/* Without O_NONBLOCK a FIFO of that name would hold us up. */
	int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int rc;

	if (fd < 0) {
		return wyn_module_because(
			ret_why, -errno, "%s", strerror(errno));
	}
	rc = file_copy(name, fd, old, ret_file, ret_why);
	(void)close(fd);
	return rc;
}

static void path_of(const struct wyn_module_file *file, char path[PATH_BYTES])
{
	(void)snprintf(path, PATH_BYTES, "/proc/self/fd/%d", file->fd);
}

/* dlerror() begins with the path, which says nothing to anybody. */
static const char *error_text(const char *path)
{
	const char *text = dlerror();
	size_t len = strlen(path);

	if (text == NULL) {
		return "unknown error";
	}
	if (!strncmp(text, path, len) && !strncmp(text + len, ": ", 2)) {
		return text + len + 2;
	}
	return text;
}

/* What its table says of its own size is read before it is believed, so the
 * object has to be that large. A linker that knows no sizes says 0. */
static int check_object(const struct wyn_module *module, char *ret_why)
{
	const ElfW(Sym) *symbol = NULL;
	Dl_info info;
	size_t bytes;

	if (dladdr1(module, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0 ||
		symbol == NULL || symbol->st_size == 0) {
		return 0;
	}
	bytes = (size_t)symbol->st_size;
	if (bytes < offsetof(struct wyn_module, name) ||
		bytes < module->size_bytes) {
		return wyn_module_because(ret_why, -EINVAL,
			"its symbol wyn_module has %zu bytes, fewer than a "
			"struct wyn_module or than its size_bytes says",
			bytes);
	}
	return 0;
}

int wyn_module_file_open(struct wyn_module_file *file,
	const struct wyn_module **ret_module, char ret_why[WYN_WHY_BYTES_MAX])
{
	const struct wyn_module *module;
	char path[PATH_BYTES];
	int rc;

	path_of(file, path);
	file->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (file->handle == NULL) {
		return wyn_module_because(
			ret_why, -EINVAL, "%s", error_text(path));
	}
	module = dlsym(file->handle, "wyn_module");
	if (module == NULL) {
		return wyn_module_because(ret_why, -EINVAL,
			"not a task module: it has no symbol wyn_module");
	}
	rc = check_object(module, ret_why);
	if (rc == 0) {
		*ret_module = module;
	}
	return rc;
}

/* Some objects stay whatever dlclose is told, and their name with them. */
static bool is_there_still(const struct wyn_module_file *file)
{
	char path[PATH_BYTES];
	void *handle;

	path_of(file, path);
	handle = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
	if (handle != NULL) {
		(void)dlclose(handle);
	}
	return handle != NULL;
}

bool wyn_module_file_close(struct wyn_module_file *file)
{
	if (file->handle != NULL) {
		(void)dlclose(file->handle);
		file->handle = NULL;
		if (is_there_still(file)) {
			return false;
		}
	}
	(void)close(file->fd);
	return true;
}
