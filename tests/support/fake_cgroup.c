// SPDX-License-Identifier: MIT
/*
 * fake_cgroup.c - the files of a cgroup, ordinary ones.
 */
#include "tests/support/fake_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/compiler.h"

static const struct {
	const char *name;
	const char *text;
} files[] = {
	{"cgroup.events", "populated 0\nfrozen 0\n"},
	{"cgroup.freeze", "0\n"},
	{"cgroup.kill", ""},
	{"cgroup.procs", ""},
	{"cpu.max", "max 100000\n"},
	{"memory.events", "low 0\noom 0\noom_kill 0\noom_group_kill 0\n"},
	{"memory.max", "max\n"},
	{"memory.oom.group", "0\n"},
	{"memory.swap.max", "max\n"},
	{"pids.max", "max\n"},
};

void wyn_fake_cgroup_write(int directory, const char *name, const char *text)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	wyn_assert(fd >= 0);
	wyn_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

const char *wyn_fake_cgroup_read(int directory, const char *name,
	char text[static WYN_FAKE_CGROUP_BYTES])
{
	int fd = openat(directory, name, O_RDONLY);

	wyn_assert(fd >= 0);
	ssize_t bytes = read(fd, text, WYN_FAKE_CGROUP_BYTES - 1);
	wyn_assert(bytes >= 0);
	close(fd);
	text[bytes] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return text;
}

int wyn_fake_cgroup_make(int directory, const char *name, mode_t mode)
{
	if (mkdirat(directory, name, mode) != 0) {
		return -1;
	}
	int made = openat(directory, name, O_RDONLY | O_DIRECTORY);
	wyn_assert(made >= 0);
	for (size_t i = 0; i < WYN_COUNT_OF(files); i++) {
		wyn_fake_cgroup_write(made, files[i].name, files[i].text);
	}
	close(made);
	return 0;
}

int wyn_fake_cgroup_remove(int directory, const char *name)
{
	int it = openat(directory, name, O_RDONLY | O_DIRECTORY);

	if (it < 0) {
		return -1;
	}
	char text[WYN_FAKE_CGROUP_BYTES];
	struct stat about;
	wyn_assert(fstat(it, &about) == 0);
	if (strcmp(wyn_fake_cgroup_read(it, "cgroup.events", text),
		    "populated 0") != 0 ||
		about.st_nlink > 2) {
		close(it);
		errno = EBUSY;
		return -1;
	}
	for (size_t i = 0; i < WYN_COUNT_OF(files); i++) {
		wyn_assert(unlinkat(it, files[i].name, 0) == 0);
	}
	close(it);
	return unlinkat(directory, name, AT_REMOVEDIR);
}
