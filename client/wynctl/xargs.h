// SPDX-License-Identifier: MIT
/*
 * xargs.h - `wynctl xargs` from inside: its state, shared by its files.
 *
 * xargs.c sets it up, xargs_run.c turns the wheel, xargs_input.c makes commands
 * of lines, xargs_job.c submits them and takes what comes back, xargs_json.c is
 * for --json. Main's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wyn/client.h>

#include "base/compiler.h"
#include "client/wynctl/ctl.h"
#include "client/wynctl/gather.h"
#include "client/wynctl/halt.h"
#include "client/wynctl/here.h"
#include "client/wynctl/joblog.h"
#include "client/wynctl/lines.h"
#include "client/wynctl/ranges.h"
#include "client/wynctl/template.h"

/* Commands that have begun and are not printed: with --keep-order one that is
 * slow holds back so many. */
#define WYN_XARGS_AHEAD_MAX 16384u

/* Why nothing is begun any more. */
enum wyn_xargs_stop {
	WYN_XARGS_GOES_ON = 0,
	WYN_XARGS_HALTED,      /* --halt */
	WYN_XARGS_INTERRUPTED, /* by a signal */
	WYN_XARGS_FAILED,      /* by something that is no command's affair */
};

/* A command that was begun. */
struct wyn_xargs_job {
	struct wyn_gathered output;
	uint64_t number; /* from 1 */
	uint64_t start_ns;
	char *line; /* the command, for log and JSON; NULL = not needed */
	char *json; /* its end, to be printed behind its output; or NULL */
};

struct wyn_xargs {
	struct wyn_ctl *ctl;
	const struct wyn_arguments *arguments;
	struct wyn_template template;
	struct wyn_halt halt;
	struct wyn_gather gather;
	struct wyn_stdout error; /* ours, for what commands write to theirs */
	struct wyn_joblog joblog;
	struct wyn_ranges resumed; /* numbers that are not done again */
	struct wyn_here here;
	struct wyn_client_command command; /* but for its words */
	struct wyn_client_options options;

	struct wyn_lines lines;
	int input_fd;
	bool input_ended;
	bool fill; /* the lines that were read are used up */
	uint64_t max_args;

	/* The command that comes next: its lines, and what they make. */
	struct wyn_argv next_lines;
	struct wyn_argv next_argv;
	const char *next_broken; /* why it cannot be one; NULL = it can */
	bool next_ready;
	bool starved; /* the server has no credit for it; an event will say */

	uint64_t jobs;
	uint64_t numbers; /* of commands, the skipped ones too */
	uint64_t skipped;
	uint64_t flight;
	uint64_t unprinted; /* begun, and not printed; those in flight too */
	struct wyn_halt_counts counts;
	uint64_t undone;    /* ended by our stop: only counted */
	uint64_t first_seq; /* 0 = nothing submitted */
	uint64_t last_seq;
	enum wyn_xargs_stop stop;
	bool cancelled;
	uint64_t start_ns;
};

/* wyn_xargs_run, _dry_run - all commands, connected or not. Returns: the exit
 * code. */
int wyn_xargs_run(struct wyn_xargs *xargs);
int wyn_xargs_dry_run(struct wyn_xargs *xargs);

/*
 * wyn_xargs_next - makes the next command ready, if its lines are there.
 *
 * Returns: whether xargs->next_ready. Then wyn_xargs_used() for the one after.
 */
bool wyn_xargs_next(struct wyn_xargs *xargs);
void wyn_xargs_used(struct wyn_xargs *xargs);

/* wyn_xargs_fill - the input can be read. */
void wyn_xargs_fill(struct wyn_xargs *xargs);

/*
 * wyn_xargs_submit - begins the command that is ready.
 *
 * Returns: 0; -EAGAIN (wait first), or the connection's error.
 */
WYN_NODISCARD
int wyn_xargs_submit(struct wyn_xargs *xargs);

/* wyn_xargs_event - output or an end came. */
void wyn_xargs_event(
	struct wyn_xargs *xargs, const struct wyn_client_event *event);

/* wyn_xargs_print - prints what is in turn. */
void wyn_xargs_print(struct wyn_xargs *xargs);

/* wyn_xargs_fail - stops for good, and says why: "cannot `what`: error". */
void wyn_xargs_fail(struct wyn_xargs *xargs, const char *what, int err);

/*
 * wyn_xargs_json_write, _end, _dry - a piece of output; how a command ended,
 * for free(), NULL when there is no memory; a command that is not run.
 */
void wyn_xargs_json_write(void *context, struct wyn_gathered *one,
	enum wyn_gather_stream stream, struct wyn_slice bytes);
char *wyn_xargs_json_end(
	const struct wyn_xargs_job *job, const struct wyn_client_event *event);
void wyn_xargs_json_dry(struct wyn_xargs *xargs, const char *line);
