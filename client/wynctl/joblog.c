// SPDX-License-Identifier: MIT
/*
 * joblog.c - lines of a job log, written and read again.
 *
 * Each is written by one write(2) with O_APPEND. GNU parallel puts a NUL where
 * a command has a newline, and so do we.
 */
#include "client/wynctl/joblog.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "client/wynctl/lines.h"

#define COLUMNS 9u

static const char joblog_head[] = "Seq\tHost\tStarttime\tJobRuntime\tSend\t"
				  "Receive\tExitval\tSignal\tCommand\n";

static int joblog_put(int fd, const char *text, size_t size)
{
	ssize_t written;

	do {
		written = write(fd, text, size);
	} while (written < 0 && errno == EINTR);
	if (written < 0) {
		return -errno;
	}
	return (size_t)written == size ? 0 : -ENOSPC;
}

/* The seq of a line that has all its columns; else 0. */
static uint64_t joblog_seq(struct wyn_slice line)
{
	const char *text = (const char *)line.data;
	unsigned tabs = 0;
	uint64_t seq = 0;
	char *end;

	for (size_t i = 0; i < line.len; i++) {
		tabs += text[i] == '\t';
	}
	if (tabs + 1 < COLUMNS || text[0] < '0' || text[0] > '9') {
		return 0;
	}
	errno = 0;
	seq = strtoull(text, &end, 10);
	return *end == '\t' && errno == 0 && seq != UINT64_MAX ? seq : 0;
}

/* Whether what the file ends with is a whole line. */
static bool joblog_is_whole(int fd)
{
	char last = '\n';
	off_t size = lseek(fd, 0, SEEK_END);

	return size <= 0 || pread(fd, &last, 1, size - 1) != 1 || last == '\n';
}

static int joblog_read_lines(
	struct wyn_lines *lines, bool whole, struct wyn_ranges *done)
{
	uint64_t before = 0;
	struct wyn_slice line;
	int err;

	for (;;) {
		err = wyn_lines_next(lines, &line);
		if (err == -EAGAIN) {
			err = wyn_lines_fill(lines);
			if (err != 0 && err != -E2BIG && err != -EINTR) {
				return err;
			}
			continue;
		}
		/* One late, as the last may be cut. */
		if (before != 0 && (err == 0 || whole) &&
			wyn_ranges_add(done, before) != 0) {
			return -ENOMEM;
		}
		if (err != 0) {
			return 0;
		}
		before = joblog_seq(line);
	}
}

/* Returns: 0 with *ret_empty, or -errno. */
static int joblog_read(int fd, struct wyn_ranges *done, bool *ret_empty)
{
	bool whole = joblog_is_whole(fd);
	struct wyn_lines lines;
	int err;

	*ret_empty = lseek(fd, 0, SEEK_END) <= 0;
	if (lseek(fd, 0, SEEK_SET) < 0) {
		return -errno;
	}
	wyn_lines_init_fd(&lines, fd, '\n');
	err = joblog_read_lines(&lines, whole, done);
	wyn_lines_fini(&lines);
	return err != 0 || whole ? err : joblog_put(fd, "\n", 1);
}

int wyn_joblog_open(
	struct wyn_joblog *joblog, const char *path, struct wyn_ranges *done)
{
	int flags = O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY;
	bool empty = true;
	int err = 0;
	int fd;

	flags |= done != NULL ? O_RDWR : O_WRONLY | O_TRUNC;
	fd = open(path, flags, 0666);
	if (fd < 0) {
		return -errno;
	}
	if (done != NULL) {
		err = joblog_read(fd, done, &empty);
	}
	if (err == 0 && empty) {
		err = joblog_put(fd, joblog_head, strlen(joblog_head));
	}
	if (err != 0) {
		(void)close(fd);
		return err;
	}
	*joblog = (struct wyn_joblog){.fd = fd};
	return 0;
}

/* As if they were written with %.3f, but exact. */
#define SECONDS(ns) (ns) / WYN_NS_PER_S, (ns) / WYN_NS_PER_MS % 1000

int wyn_joblog_write(
	struct wyn_joblog *joblog, const struct wyn_joblog_row *row)
{
	size_t room = strlen(row->command) + 256;
	char *larger;
	char *at;
	int size;

	if (room > joblog->room) {
		larger = realloc(joblog->line, 2 * room);
		if (larger == NULL) {
			return -ENOMEM;
		}
		joblog->line = larger;
		joblog->room = 2 * room;
	}
	size = snprintf(joblog->line, joblog->room,
		"%" PRIu64 "\t:\t%" PRIu64 ".%03" PRIu64 "\t%6" PRIu64
		".%03" PRIu64 "\t0\t%" PRIu64 "\t%d\t%u\t%s\n",
		row->seq, SECONDS(row->start_ns), SECONDS(row->run_ns),
		row->receive_bytes, row->exit_value, row->signal, row->command);
	for (at = joblog->line; at < joblog->line + size - 1; at++) {
		if (*at == '\n') {
			*at = '\0';
		}
	}
	return joblog_put(joblog->fd, joblog->line, (size_t)size);
}

int wyn_joblog_close(struct wyn_joblog *joblog)
{
	int fd = joblog->fd;

	free(joblog->line);
	*joblog = (struct wyn_joblog){.fd = -1};
	return fd >= 0 && close(fd) != 0 ? -errno : 0;
}
