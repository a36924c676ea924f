// SPDX-License-Identifier: MIT
/*
 * cpus.c - affinity and cgroup quota.
 *
 * cgroup v2: cpu.max of the own group and of each ancestor, on the unified
 * mount or on the one of a hybrid set-up. cgroup v1: cpu.cfs_quota_us and
 * cpu.cfs_period_us of the cpu controller, likewise. Inside a container the
 * path in /proc/self/cgroup may lie outside of what is mounted; the ancestors
 * that exist are read, and the mount's own root is always one of them.
 */
#include "scheduler/cpus.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MAX  8192	/* of /proc/self/cgroup; each line is a hierarchy */
#define CPUS_MAX  65536 /* largest mask that is tried */
#define UNLIMITED UINT_MAX

/* Reads a small file as text. Returns false if it is not there. */
static bool file_read(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t length = 0;

	if (fd < 0) {
		return false;
	}
	while (length < size - 1) {
		ssize_t got = read(fd, text + length, size - 1 - length);

		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got <= 0) {
			break;
		}
		length += (size_t)got;
	}
	close(fd);
	text[length] = '\0';
	return length > 0;
}

static unsigned quota_cpus(long long quota, long long period)
{
	long long cpus;

	if (quota <= 0 || period <= 0) {
		return UNLIMITED;
	}
	cpus = quota / period + (quota % period != 0);
	return cpus < UNLIMITED ? (unsigned)cpus : UNLIMITED;
}

/* "max 100000" or "150000 100000". */
static unsigned quota_v2(const char *dir)
{
	char path[PATH_MAX], text[64];
	long long quota, period;

	if ((size_t)snprintf(path, sizeof(path), "%s/cpu.max", dir) >=
			sizeof(path) ||
		!file_read(path, text, sizeof(text)) ||
		sscanf(text, "%lld %lld", &quota, &period) != 2) {
		return UNLIMITED;
	}
	return quota_cpus(quota, period);
}

static bool number_read(const char *dir, const char *name, long long *ret_value)
{
	char path[PATH_MAX], text[64];

	return (size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) <
		       sizeof(path) &&
	       file_read(path, text, sizeof(text)) &&
	       sscanf(text, "%lld", ret_value) == 1;
}

static unsigned quota_v1(const char *dir)
{
	long long quota, period;

	if (!number_read(dir, "cpu.cfs_quota_us", &quota) ||
		!number_read(dir, "cpu.cfs_period_us", &period)) {
		return UNLIMITED;
	}
	return quota_cpus(quota, period);
}

/* The least quota of mount/group and of every ancestor up to the mount. */
static unsigned quota_of_ancestors(const char *root, const char *mount,
	const char *group, unsigned (*quota_of)(const char *dir))
{
	char dir[PATH_MAX];
	int base = snprintf(dir, sizeof(dir), "%s/%s", root, mount);
	size_t end;
	unsigned least = UNLIMITED;

	if (base < 0 || (size_t)base + strlen(group) >= sizeof(dir)) {
		return UNLIMITED;
	}
	memcpy(dir + base, group, strlen(group) + 1);
	end = strlen(dir);
	for (;;) {
		unsigned cpus;

		dir[end] = '\0';
		cpus = quota_of(dir);
		least = cpus < least ? cpus : least;
		if (end <= (size_t)base) {
			return least;
		}
		do {
			end--;
		} while (end > (size_t)base && dir[end] != '/');
	}
}

/* Whether `name` is one of the comma-separated controllers. */
static bool controllers_have(const char *controllers, const char *name)
{
	size_t length = strlen(name);
	const char *at = controllers;

	while (at != NULL) {
		if (strncmp(at, name, length) == 0 &&
			(at[length] == ',' || at[length] == '\0')) {
			return true;
		}
		at = strchr(at, ',');
		at = at != NULL ? at + 1 : NULL;
	}
	return false;
}

/* One line "id:controllers:path"; no controllers and id 0 is version 2. */
static unsigned quota_of_line(const char *root, char *line)
{
	char *controllers = strchr(line, ':');
	char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
	unsigned unified, hybrid, first, second;

	if (group == NULL) {
		return UNLIMITED;
	}
	*group++ = '\0';
	controllers++;
	if (*controllers == '\0') {
		unified = quota_of_ancestors(
			root, "sys/fs/cgroup", group, quota_v2);
		hybrid = quota_of_ancestors(
			root, "sys/fs/cgroup/unified", group, quota_v2);
		return unified < hybrid ? unified : hybrid;
	}
	if (!controllers_have(controllers, "cpu")) {
		return UNLIMITED;
	}
	first = quota_of_ancestors(root, "sys/fs/cgroup/cpu", group, quota_v1);
	second = quota_of_ancestors(
		root, "sys/fs/cgroup/cpu,cpuacct", group, quota_v1);
	return first < second ? first : second;
}

unsigned wyn_cpus_quota(const char *root)
{
	char path[PATH_MAX], text[TEXT_MAX];
	unsigned least = UNLIMITED;
	char *rest = NULL;

	if ((size_t)snprintf(path, sizeof(path), "%s/proc/self/cgroup", root) >=
			sizeof(path) ||
		!file_read(path, text, sizeof(text))) {
		return 0;
	}
	for (char *line = strtok_r(text, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		unsigned cpus = quota_of_line(root, line);

		least = cpus < least ? cpus : least;
	}
	return least == UNLIMITED ? 0 : least;
}

static unsigned affinity_cpus(void)
{
	/* The kernel refuses a mask smaller than its own: grow until taken. */
	for (size_t cpus = CPU_SETSIZE; cpus <= CPUS_MAX; cpus *= 2) {
		size_t size = CPU_ALLOC_SIZE(cpus);
		cpu_set_t *set = CPU_ALLOC(cpus);
		int count;

		if (set == NULL) {
			return 1;
		}
		count = sched_getaffinity(0, size, set) == 0
				? CPU_COUNT_S(size, set)
				: 0;
		CPU_FREE(set);
		if (count > 0) {
			return (unsigned)count;
		}
	}
	return 1;
}

unsigned wyn_cpus_allowed(const char *root)
{
	unsigned cpus = affinity_cpus();
	unsigned quota = wyn_cpus_quota(root);

	return quota > 0 && quota < cpus ? quota : cpus;
}
