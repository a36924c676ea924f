// SPDX-License-Identifier: MIT
/*
 * joblog.h - a file with a line for each command that ended.
 *
 * The columns are GNU parallel's, so that what reads its logs reads these: Seq,
 * Host, Starttime, JobRuntime, Send, Receive, Exitval, Signal, Command; with
 * tabs between them. Main's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "client/wynctl/ranges.h"

struct wyn_joblog {
	int fd; /* -1 = none */
	char *line;
	size_t room;
};

struct wyn_joblog_row {
	uint64_t seq;
	uint64_t start_ns; /* since 1970 */
	uint64_t run_ns;
	uint64_t receive_bytes; /* of output */
	int exit_value;		/* -1 = it did not come to an exit status */
	unsigned signal;
	const char *command;
};

/*
 * wyn_joblog_open - begins a log, or goes on with one.
 *
 * With `done` the seqs of the lines that are there are put into it; a last line
 * that was cut is none. Without, the file is emptied. Returns: 0, -ENOMEM, the
 * errors of open(2), read(2) and write(2).
 */
WYN_NODISCARD
int wyn_joblog_open(
	struct wyn_joblog *joblog, const char *path, struct wyn_ranges *done);

/* wyn_joblog_write - one line, whole or not at all. Returns: 0, -ENOMEM, the
 * errors of write(2). */
WYN_NODISCARD
int wyn_joblog_write(
	struct wyn_joblog *joblog, const struct wyn_joblog_row *row);

/* wyn_joblog_close - an fd of -1 is a no-op. Returns: as close(2), -errno. */
WYN_NODISCARD
int wyn_joblog_close(struct wyn_joblog *joblog);
