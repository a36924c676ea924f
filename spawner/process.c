// SPDX-License-Identifier: MIT
/*
 * process.c - /proc read by plain calls, into one table that grows.
 */
#include "spawner/process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "spawner/sys.h"

#define PATH_BYTES    32 /* "4194304/stat" */
#define LINE_BYTES    1024
#define ENTRIES_BYTES 32768
#define FIRST_COUNT   512

/* The numbers of the fields, as proc_pid_stat(5) counts them. */
#define FIELD_STATE   3
#define FIELD_PARENT  4
#define FIELD_GROUP   5
#define FIELD_SESSION 6
#define FIELD_FLAGS   9
#define FIELD_THREADS 20
#define FIELD_START   22

#define FLAG_EXITING 0x4 /* PF_EXITING of the kernel, since ever */

static int parse_number(const char **at, const char *end, int64_t *ret_number)
{
	const char *digit = *at;
	bool negative = digit < end && *digit == '-';

	if (negative) {
		digit++;
	}
	uint64_t number = 0;
	const char *first = digit;
	for (; digit < end && *digit >= '0' && *digit <= '9'; digit++) {
		if (__builtin_mul_overflow(number, 10u, &number) ||
			__builtin_add_overflow(
				number, (unsigned)(*digit - '0'), &number)) {
			return -EBADMSG;
		}
	}
	if (digit == first) {
		return -EBADMSG;
	}
	/* What is beyond is in fields that nobody asks for. */
	*ret_number = number > INT64_MAX ? INT64_MAX : (int64_t)number;
	if (negative) {
		*ret_number = -*ret_number;
	}
	*at = digit;
	return 0;
}

static int take_field(struct wyn_process *process, int field, int64_t number)
{
	if (field == FIELD_START) {
		process->start_ticks = (uint64_t)number;
		return number < 0 ? -EBADMSG : 0;
	}
	if (field == FIELD_FLAGS) {
		process->exiting = (number & FLAG_EXITING) != 0;
		return 0;
	}
	if (field == FIELD_THREADS) {
		process->threads = (uint32_t)number;
		return 0;
	}
	if (field > FIELD_SESSION) {
		return 0;
	}
	if (number < -1 || number > INT_MAX) {
		return -EBADMSG;
	}
	switch (field) {
	case FIELD_PARENT:
		process->parent = (pid_t)number;
		break;
	case FIELD_GROUP:
		process->group = (pid_t)number;
		break;
	default:
		process->session = (pid_t)number;
		break;
	}
	return 0;
}

int wyn_process_parse(
	const char *line, size_t bytes, struct wyn_process *ret_process)
{
	struct wyn_process process = {0};
	const char *at = line;
	const char *end = line + bytes;
	int64_t number;
	int error = parse_number(&at, end, &number);

	if (error != 0 || number <= 0 || number > INT_MAX) {
		return -EBADMSG;
	}
	process.pid = (pid_t)number;
	/* The last one: what comes after the name has no parentheses. */
	at = memrchr(at, ')', (size_t)(end - at));
	if (at == NULL || end - at < 3 || at[1] != ' ') {
		return -EBADMSG;
	}
	process.state = at[2];
	at += 3;
	for (int field = FIELD_STATE + 1; field <= FIELD_START; field++) {
		if (at == end || *at != ' ') {
			return -EBADMSG;
		}
		at++;
		error = parse_number(&at, end, &number);
		if (error == 0) {
			error = take_field(&process, field, number);
		}
		if (error != 0) {
			return error;
		}
	}
	*ret_process = process;
	return 0;
}

/* A process that goes between open and read gives ESRCH. */
static int read_stat(int directory, const char *path, struct wyn_process *ret)
{
	int fd = wyn_sys.openat(directory, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		return errno == ENOENT ? -ESRCH : -errno;
	}
	char line[LINE_BYTES];
	ssize_t bytes = read(fd, line, sizeof(line));
	int error = bytes < 0 ? -errno : 0;
	close(fd);
	if (error == 0) {
		error = wyn_process_parse(line, (size_t)bytes, ret);
	}
	/* It was waited for under the read. */
	return error == 0 && ret->session < 0 ? -ESRCH : error;
}

int wyn_process_read(int proc, pid_t pid, struct wyn_process *ret_process)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%d/stat", pid);
	return read_stat(proc, path, ret_process);
}

int wyn_process_signal(int proc, const struct wyn_process *seen, int number)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%d", seen->pid);
	/* Once open, it is of this process or shows nothing; and the kernel
	 * takes it for a pidfd. */
	int directory =
		wyn_sys.openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0) {
		return errno == ENOENT ? -ESRCH : -errno;
	}
	struct wyn_process now;
	int error = read_stat(directory, "stat", &now);
	if (error == 0 && now.start_ticks != seen->start_ticks) {
		error = -ESRCH;
	}
	if (error == 0 && pidfd_send_signal(directory, number, NULL, 0) != 0) {
		error = -errno;
	}
	close(directory);
	return error;
}

static int append(
	struct wyn_processes *processes, const struct wyn_process *process)
{
	if (processes->count == processes->capacity) {
		size_t capacity = processes->capacity == 0
					  ? FIRST_COUNT
					  : processes->capacity * 2;
		struct wyn_process *each = wyn_sys.realloc(
			processes->each, capacity * sizeof(*each));
		if (each == NULL) {
			return -ENOMEM;
		}
		processes->each = each;
		processes->capacity = capacity;
	}
	processes->each[processes->count++] = *process;
	return 0;
}

int wyn_processes_add(
	int proc, struct wyn_processes *processes, pid_t pid, uint8_t tag)
{
	struct wyn_process process;
	int error = wyn_process_read(proc, pid, &process);

	/* hidepid: what may not be seen is not there */
	if (error == -ESRCH || error == -EACCES || error == -EPERM) {
		return 0;
	}
	if (error != 0) {
		return error;
	}
	process.tag = tag;
	return append(processes, &process);
}

/* The names in one buffer of entries. */
static int look_at(int proc, struct wyn_processes *processes,
	const char *entries, size_t bytes)
{
	int error = 0;

	for (size_t at = 0; error == 0 && at < bytes;) {
		const struct dirent64 *entry = (const void *)(entries + at);
		at += entry->d_reclen;
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') {
			error = wyn_processes_add(
				proc, processes, (pid_t)atoi(entry->d_name), 0);
		}
	}
	return error;
}

static int by_pid(const void *left, const void *right)
{
	pid_t a = ((const struct wyn_process *)left)->pid;
	pid_t b = ((const struct wyn_process *)right)->pid;

	return (a > b) - (a < b);
}

void wyn_processes_sort(struct wyn_processes *processes)
{
	struct wyn_process *each = processes->each;
	size_t count = 0;

	if (processes->count == 0) {
		return;
	}
	qsort(each, processes->count, sizeof(each[0]), by_pid);
	for (size_t i = 0; i < processes->count; i++) {
		if (count == 0 || each[count - 1].pid != each[i].pid) {
			each[count++] = each[i];
		}
	}
	processes->count = count;
}

int wyn_processes_look(int proc, struct wyn_processes *processes)
{
	_Alignas(struct dirent64) char entries[ENTRIES_BYTES];
	int directory =
		wyn_sys.openat(proc, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (directory < 0) {
		return -errno;
	}
	int error = 0;
	processes->count = 0;
	for (;;) {
		ssize_t bytes = getdents64(directory, entries, sizeof(entries));
		if (bytes <= 0) {
			error = bytes < 0 ? -errno : error;
			break;
		}
		error = look_at(proc, processes, entries, (size_t)bytes);
		if (error != 0) {
			break;
		}
	}
	close(directory);
	/* The kernel lists them by pid, and says nowhere that it does. */
	wyn_processes_sort(processes);
	return error;
}

void wyn_processes_fini(struct wyn_processes *processes)
{
	free(processes->each);
	*processes = (struct wyn_processes){0};
}

struct wyn_process *wyn_processes_find(
	const struct wyn_processes *processes, pid_t pid)
{
	struct wyn_process key = {.pid = pid};

	if (processes->count == 0) {
		return NULL;
	}
	return bsearch(&key, processes->each, processes->count,
		sizeof(processes->each[0]), by_pid);
}

/*
 * Round by round until nothing changes: as many as the tree is deep, but for
 * numbers that grow from parent to child, where one does. A look that is no
 * picture of one moment may have a circle in it; this ends there too.
 */
size_t wyn_processes_spread(struct wyn_processes *processes, uint8_t tag)
{
	size_t before;
	size_t tagged = 0;

	for (size_t i = 0; i < processes->count; i++) {
		tagged += processes->each[i].tag == tag;
	}
	do {
		before = tagged;
		for (size_t i = 0; i < processes->count; i++) {
			struct wyn_process *process = &processes->each[i];
			if (process->tag == tag) {
				continue;
			}
			const struct wyn_process *parent =
				wyn_processes_find(processes, process->parent);
			if (parent != NULL && parent->tag == tag) {
				process->tag = tag;
				tagged++;
			}
		}
	} while (tagged != before);
	return tagged;
}
