// SPDX-License-Identifier: MIT
/*
 * cgroup_file.c - reading and writing of a cgroup's files, by its descriptor.
 */
#include "spawner/cgroup_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spawner/sys.h"

int wyn_cgroup_file_read(int directory, const char *name,
	char text[static WYN_CGROUP_FILE_BYTES])
{
	int fd = wyn_sys.openat(directory, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		return -errno;
	}
	size_t count = 0;
	int error = 0;
	for (;;) {
		ssize_t bytes =
			read(fd, text + count, WYN_CGROUP_FILE_BYTES - count);
		if (bytes <= 0) {
			error = bytes < 0 ? -errno : 0;
			break;
		}
		count += (size_t)bytes;
		if (count == WYN_CGROUP_FILE_BYTES) {
			error = -EMSGSIZE;
			break;
		}
	}
	close(fd);
	if (error == 0) {
		text[count] = '\0';
	}
	return error;
}

int wyn_cgroup_file_write(int directory, const char *name, const char *text)
{
	int fd = wyn_sys.openat(directory, name, O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		return -errno;
	}
	size_t count = strlen(text);
	ssize_t bytes = write(fd, text, count);
	int error = bytes < 0 ? -errno : 0;
	if (error == 0 && (size_t)bytes != count) {
		error = -EIO;
	}
	close(fd);
	return error;
}

bool wyn_cgroup_file_has_word(const char *text, const char *word)
{
	size_t count = strlen(word);

	for (const char *at = text; (at = strstr(at, word)) != NULL;
		at += count) {
		if ((at == text || at[-1] == ' ' || at[-1] == '\n') &&
			(at[count] == ' ' || at[count] == '\n' ||
				at[count] == '\0')) {
			return true;
		}
	}
	return false;
}

uint64_t wyn_cgroup_file_value(const char *text, const char *key)
{
	size_t count = strlen(key);

	for (const char *line = text; line != NULL;) {
		if (strncmp(line, key, count) == 0 && line[count] == ' ') {
			return strtoull(line + count + 1, NULL, 10);
		}
		line = strchr(line, '\n');
		line = line != NULL ? line + 1 : NULL;
	}
	return 0;
}

static bool is_directory(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
	       strcmp(entry->d_name, "..") != 0;
}

int wyn_cgroup_file_directories(int directory,
	int (*each)(int directory, const char *name, void *data), void *data)
{
	int fd = wyn_sys.openat(
		directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *names = fd >= 0 ? fdopendir(fd) : NULL;

	if (names == NULL) {
		int error = -errno;
		if (fd >= 0) {
			close(fd);
		}
		return error;
	}
	int result = 0;
	while (result == 0) {
		errno = 0;
		const struct dirent *entry = readdir(names);
		if (entry == NULL) {
			result = -errno;
			break;
		}
		if (is_directory(entry)) {
			result = each(directory, entry->d_name, data);
		}
	}
	closedir(names);
	return result;
}

int wyn_cgroup_file_processes(
	int directory, void (*each)(int pid, void *data), void *data)
{
	int fd =
		wyn_sys.openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		return -errno;
	}
	char piece[WYN_CGROUP_FILE_BYTES];
	int error;
	int pid = 0;
	for (;;) {
		ssize_t bytes = read(fd, piece, sizeof(piece));
		if (bytes <= 0) {
			error = bytes < 0 ? -errno : 0;
			break;
		}
		for (ssize_t i = 0; i < bytes; i++) {
			if (piece[i] >= '0' && piece[i] <= '9') {
				pid = pid * 10 + (piece[i] - '0');
				continue;
			}
			/* 0 is one of another pid namespace. */
			if (pid > 0) {
				each(pid, data);
			}
			pid = 0;
		}
	}
	close(fd);
	return error;
}
