// SPDX-License-Identifier: MIT
/*
 * cgroup.c - one command's cgroup, from acquire to release, and those that are
 * kept. cgroup_base.c has where they are.
 */
#include "spawner/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "spawner/cgroup_file.h"
#include "spawner/cgroup_tree.h"
#include "spawner/sys.h"

#define NUMBER_BYTES 24

/* cpu.max is so many microseconds in each so many. */
#define CPU_PERIOD_US	UINT64_C(100000)
#define CPU_PERCENT_US	(CPU_PERIOD_US / 100)
#define CPU_PERCENT_MAX (UINT64_MAX / CPU_PERCENT_US)

/* "." and "..", for a file system that counts them. */
#define LINKS_OF_NEW 2u

/* What is looked at by one acquire: an old one may be in there for long. */
#define LEAVING_TRIED 4u

static void name_of(
	uint64_t number, char name[static sizeof(WYN_CGROUP_PREFIX) + 20])
{
	snprintf(name, sizeof(WYN_CGROUP_PREFIX) + 20,
		WYN_CGROUP_PREFIX "%" PRIu64, number);
}

static int remove_it(struct wyn_cgroups *cgroups, uint64_t number)
{
	char name[sizeof(WYN_CGROUP_PREFIX) + 20];

	name_of(number, name);
	return wyn_cgroup_tree_remove(cgroups->base, name, cgroups->remove);
}

static void free_it(struct wyn_cgroup *cgroup)
{
	wyn_list_remove(&cgroup->link);
	if (cgroup->directory >= 0) {
		close(cgroup->directory);
	}
	if (cgroup->events >= 0) {
		close(cgroup->events);
	}
	free(cgroup);
}

/* It is closed once it is removed, and waits else. */
static void leave(struct wyn_cgroups *cgroups, struct wyn_cgroup *cgroup)
{
	wyn_list_remove(&cgroup->link);
	if (remove_it(cgroups, cgroup->number) == 0) {
		free_it(cgroup);
	} else {
		wyn_list_push_back(&cgroups->leaving, &cgroup->link);
	}
}

static void try_leaving(struct wyn_cgroups *cgroups, uint32_t count)
{
	while (count-- > 0 && !wyn_list_empty(&cgroups->leaving)) {
		leave(cgroups, WYN_CONTAINER_OF(cgroups->leaving.next,
				       struct wyn_cgroup, link));
	}
}

static uint32_t count_of(const struct wyn_list *list)
{
	uint32_t count = 0;

	for (const struct wyn_list *link = list->next; link != list;
		link = link->next) {
		count++;
	}
	return count;
}

uint32_t wyn_cgroups_tidy(struct wyn_cgroups *cgroups)
{
	try_leaving(cgroups, count_of(&cgroups->leaving));
	return count_of(&cgroups->leaving);
}

void wyn_cgroups_fini(struct wyn_cgroups *cgroups)
{
	if (cgroups->base < 0) {
		return;
	}
	while (!wyn_list_empty(&cgroups->kept)) {
		struct wyn_cgroup *cgroup = WYN_CONTAINER_OF(
			cgroups->kept.next, struct wyn_cgroup, link);
		(void)remove_it(cgroups, cgroup->number);
		free_it(cgroup);
	}
	while (!wyn_list_empty(&cgroups->leaving)) {
		struct wyn_cgroup *cgroup = WYN_CONTAINER_OF(
			cgroups->leaving.next, struct wyn_cgroup, link);
		(void)remove_it(cgroups, cgroup->number);
		free_it(cgroup);
	}
	if (cgroups->lock >= 0) {
		close(cgroups->lock);
	}
	close(cgroups->base);
	free(cgroups->path);
	cgroups->lock = -1;
	cgroups->base = -1;
	cgroups->path = NULL;
	cgroups->kept_count = 0;
}

static int open_it(struct wyn_cgroups *cgroups, struct wyn_cgroup *cgroup)
{
	char name[sizeof(WYN_CGROUP_PREFIX) + 20];

	name_of(cgroup->number, name);
	cgroup->directory = wyn_sys.openat(
		cgroups->base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup->directory < 0) {
		return -errno;
	}
	cgroup->events = wyn_sys.openat(
		cgroup->directory, "cgroup.events", O_RDONLY | O_CLOEXEC);
	return cgroup->events < 0 ? -errno : 0;
}

/* One that is there already was left by a sweep that could not remove it. */
static int make_it(struct wyn_cgroups *cgroups, struct wyn_cgroup **ret_cgroup)
{
	struct wyn_cgroup *cgroup = wyn_sys.calloc(1, sizeof(*cgroup));
	char name[sizeof(WYN_CGROUP_PREFIX) + 20];

	if (cgroup == NULL) {
		return -ENOMEM;
	}
	wyn_list_init(&cgroup->link);
	cgroup->directory = -1;
	cgroup->events = -1;
	int error;
	do {
		cgroup->number = ++cgroups->number;
		name_of(cgroup->number, name);
		error = cgroups->make(cgroups->base, name, 0755) == 0 ? 0
								      : -errno;
	} while (error == -EEXIST);
	if (error != 0) {
		free_it(cgroup);
		return error;
	}
	error = open_it(cgroups, cgroup);
	if (error != 0) {
		(void)remove_it(cgroups, cgroup->number);
		free_it(cgroup);
		return error;
	}
	*ret_cgroup = cgroup;
	return 0;
}

static int write_number(int directory, const char *file, uint64_t number)
{
	char text[NUMBER_BYTES];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return wyn_cgroup_file_write(directory, file, text);
}

static uint64_t oom_kills(const struct wyn_cgroup *cgroup)
{
	char text[WYN_CGROUP_FILE_BYTES];

	if (wyn_cgroup_file_read(cgroup->directory, "memory.events", text) !=
		0) {
		return 0;
	}
	return wyn_cgroup_file_value(text, "oom_kill");
}

/* Swap is not there on every kernel; oom.group, since Linux 4.19, ends a
 * command whole, where one process of it alone would leave the rest to wait for
 * it. */
static int limit_memory(struct wyn_cgroup *cgroup, uint64_t bytes)
{
	int error = write_number(cgroup->directory, "memory.max", bytes);

	if (error != 0) {
		return error;
	}
	error = wyn_cgroup_file_write(
		cgroup->directory, "memory.swap.max", "0");
	if (error != 0 && error != -ENOENT) {
		return error;
	}
	error = wyn_cgroup_file_write(
		cgroup->directory, "memory.oom.group", "1");
	if (error != 0 && error != -ENOENT) {
		return error;
	}
	cgroup->memory_limited = true;
	cgroup->oom_kills = oom_kills(cgroup);
	return 0;
}

static int limit_cpu(struct wyn_cgroup *cgroup, uint64_t percent)
{
	char text[NUMBER_BYTES + NUMBER_BYTES];

	if (percent > CPU_PERCENT_MAX) {
		return 0;
	}
	snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64,
		percent * CPU_PERCENT_US, CPU_PERIOD_US);
	return wyn_cgroup_file_write(cgroup->directory, "cpu.max", text);
}

static int limit_it(unsigned controllers, struct wyn_cgroup *cgroup,
	const struct wyn_cgroup_limits *limits)
{
	int error = 0;

	if ((controllers & WYN_CGROUP_MEMORY) && limits->memory_bytes > 0) {
		cgroup->limited = true;
		error = limit_memory(cgroup, limits->memory_bytes);
	}
	if (error == 0 && (controllers & WYN_CGROUP_PIDS) &&
		limits->processes > 0) {
		cgroup->limited = true;
		error = write_number(
			cgroup->directory, "pids.max", limits->processes);
	}
	if (error == 0 && (controllers & WYN_CGROUP_CPU) &&
		limits->cpu_percent > 0) {
		cgroup->limited = true;
		error = limit_cpu(cgroup, limits->cpu_percent);
	}
	return error;
}

int wyn_cgroup_acquire(struct wyn_cgroups *cgroups,
	const struct wyn_cgroup_limits *limits, struct wyn_cgroup **ret_cgroup)
{
	struct wyn_cgroup *cgroup;

	wyn_assert(cgroups->base >= 0);
	try_leaving(cgroups, LEAVING_TRIED);
	if (!wyn_list_empty(&cgroups->kept)) {
		cgroup = WYN_CONTAINER_OF(
			cgroups->kept.next, struct wyn_cgroup, link);
		wyn_list_remove(&cgroup->link);
		cgroups->kept_count--;
	} else {
		int error = make_it(cgroups, &cgroup);
		if (error != 0) {
			return error;
		}
	}
	int error = limit_it(cgroups->controllers, cgroup, limits);
	if (error != 0) {
		leave(cgroups, cgroup);
		return error;
	}
	*ret_cgroup = cgroup;
	return 0;
}

/* Its command may have been one that can write in it, and have set some. */
static bool has_limits(unsigned controllers, const struct wyn_cgroup *cgroup)
{
	static const struct {
		unsigned bit;
		const char *file;
	} files[] = {
		{WYN_CGROUP_MEMORY, "memory.max"},
		{WYN_CGROUP_MEMORY, "memory.high"},
		{WYN_CGROUP_PIDS, "pids.max"},
		{WYN_CGROUP_CPU, "cpu.max"},
	};
	char text[WYN_CGROUP_FILE_BYTES];

	for (size_t i = 0; i < WYN_COUNT_OF(files); i++) {
		if ((controllers & files[i].bit) &&
			wyn_cgroup_file_read(
				cgroup->directory, files[i].file, text) == 0 &&
			strncmp(text, "max", 3) != 0) {
			return true;
		}
	}
	return false;
}

/* Nothing in it, nothing below it, not frozen, where a child would stop. Who is
 * cloned into one that cgroup.kill was ever written to is killed at once by
 * Linux 6.18, which compares its count of kills with that of our own cgroup
 * (cgroup_css_set_fork(), cgroup_post_fork()). */
static bool is_as_new(const struct wyn_cgroup *cgroup)
{
	bool populated;
	bool frozen;
	struct stat about;

	return !cgroup->limited && !cgroup->killed &&
	       wyn_cgroup_tree_populated(cgroup->events, &populated, &frozen) ==
		       0 &&
	       !populated && !frozen && fstat(cgroup->directory, &about) == 0 &&
	       about.st_nlink <= LINKS_OF_NEW;
}

void wyn_cgroup_release(
	struct wyn_cgroups *cgroups, struct wyn_cgroup *cgroup, bool reuse)
{
	if (reuse && cgroups->kept_count < WYN_CGROUPS_KEPT_MAX &&
		is_as_new(cgroup) &&
		!has_limits(cgroups->controllers, cgroup)) {
		wyn_list_push_front(&cgroups->kept, &cgroup->link);
		cgroups->kept_count++;
	} else {
		leave(cgroups, cgroup);
	}
}

/*
 * A process that has been waited for may be counted as one of the cgroup for a
 * moment longer (since Linux 6.19 until it is off its CPU), but is in no list.
 */
bool wyn_cgroup_is_empty(const struct wyn_cgroup *cgroup)
{
	bool populated;
	bool frozen;
	struct stat about;

	if (wyn_cgroup_tree_populated(cgroup->events, &populated, &frozen) !=
		0) {
		return false;
	}
	return !populated ||
	       (fstat(cgroup->directory, &about) == 0 &&
		       about.st_nlink <= LINKS_OF_NEW &&
		       wyn_cgroup_tree_count(cgroup->directory) == 0);
}

int wyn_cgroup_kill(struct wyn_cgroup *cgroup)
{
	char name[sizeof(WYN_CGROUP_PREFIX) + 20];

	cgroup->killed = true;
	name_of(cgroup->number, name);
	return wyn_cgroup_tree_kill(cgroup->directory, name);
}

int wyn_cgroup_signal(
	struct wyn_cgroup *cgroup, int proc, int number, int after)
{
	char name[sizeof(WYN_CGROUP_PREFIX) + 20];
	uint32_t sent;

	name_of(cgroup->number, name);
	int error = wyn_cgroup_tree_signal(
		cgroup->directory, proc, name, number, after, &sent);
	return error == 0 && sent == 0 ? -ESRCH : error;
}

bool wyn_cgroup_out_of_memory(const struct wyn_cgroup *cgroup)
{
	return cgroup->memory_limited && oom_kills(cgroup) > cgroup->oom_kills;
}
