// SPDX-License-Identifier: MIT
/*
 * child.h - what happens between clone and exec; nothing else runs there.
 *
 * It may share the memory of the spawner, which goes on meanwhile. So it takes
 * no lock and no memory, makes system calls alone (kernel.h), and changes
 * nothing but what it tells.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "proto/spawn.h"

struct wyn_program;
struct wyn_user;

#define WYN_CHILD_LIMITS_MAX (RLIM_NLIMITS + 2u)

/* Of a script's first line: what the kernel reads of it. */
#define WYN_CHILD_LINE_BYTES 256u

struct wyn_child_limit {
	int resource;
	struct rlimit limit;
};

/* Why it could not, in memory that both share. Written before it dies; there
 * is nothing to tell of one that was killed on its way. */
struct wyn_child_report {
	Wyn__Spawn__V1__Stage stage; /* UNSPECIFIED: nothing to tell */
	int error;		     /* errno */
	size_t path;		     /* PROGRAM: which of the program's */
	int resource;		     /* LIMITS */
	char interpreter[WYN_CHILD_LINE_BYTES]; /* INTERPRETER, if it has one */
};

struct wyn_child {
	const struct wyn_program *program;
	char *const *argv;
	char *const *environment;
	const char *directory;
	int input; /* above the standard ones, all three */
	int output;
	int error;
	const struct wyn_user *user; /* NULL = who we are */
	mode_t umask;
	bool private_tmp;
	bool subreaper;
	pid_t parent; /* us */
	size_t limits_count;
	struct wyn_child_limit limits[WYN_CHILD_LIMITS_MAX];
	struct wyn_child_report *report;
};

/*
 * wyn_child_run - becomes the command.
 *
 * of: a struct wyn_child. All signals are blocked, and have their default
 * actions; the report's stage is UNSPECIFIED. Returns: only if it could not,
 * a status for exit that nobody reads; the report says why.
 */
int wyn_child_run(void *of);
