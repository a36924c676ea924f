// SPDX-License-Identifier: MIT
/*
 * arguments.h - the command line of wynctl, read.
 *
 * One table of options says which command takes which, and yields the parser
 * and the help. Options may stand before and after the command, and between
 * its operands; "--" ends them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"

#define WYN_ARGUMENTS_WHY_BYTES 320u

/* Plain numbers: the help prints them as they stand here. */
#define WYN_JOBS_DEFAULT    1024 /* of map */
#define WYN_FLIGHT_DEFAULT  4096 /* of repeat and bench */
#define WYN_JOBS_MAX	    1048576
#define WYN_BATCH_DEFAULT   256 /* of repeat */
#define WYN_BATCH_MAX	    1024
#define WYN_XARGS_LINES_MAX 65536 /* of one command */
#define WYN_PINGS_DEFAULT   4
#define WYN_COUNT_MAX	    1000000000 /* of pings, or of tasks of a run */

#define WYN_WATCH_DEFAULT_MS 1000
#define WYN_WATCH_MAX_MS     (UINT64_C(86400) * 1000)

#define WYN_BENCH_SIZE_DEFAULT	  16
#define WYN_BENCH_SIZE_MAX	  (UINT64_C(1) << 30)
#define WYN_BENCH_CONNECTIONS_MAX 65536
#define WYN_BENCH_RATE_MAX	  1000000000
#define WYN_BENCH_DURATION_MS	  10000
#define WYN_BENCH_WARMUP_MS	  1000

/* Texts of an option that may be given again and again. */
#define WYN_ARGUMENTS_LIST_MAX 256u

/* A number that may be 0 and was not given. */
#define WYN_ARGUMENTS_UNSET UINT64_MAX

enum wyn_command_id {
	WYN_COMMAND_NONE = 0,
	WYN_COMMAND_CALL = 1u << 0,
	WYN_COMMAND_MAP = 1u << 1,
	WYN_COMMAND_REPEAT = 1u << 2,
	WYN_COMMAND_FUNCTIONS = 1u << 3,
	WYN_COMMAND_STATS = 1u << 4,
	WYN_COMMAND_PING = 1u << 5,
	WYN_COMMAND_VERSION = 1u << 6,
	WYN_COMMAND_DRAIN = 1u << 7,
	WYN_COMMAND_HELP = 1u << 8, /* read as --help */
	WYN_COMMAND_BENCH = 1u << 9,
	WYN_COMMAND_LIST = 1u << 10,
	WYN_COMMAND_EXPLAIN = 1u << 11,
	WYN_COMMAND_MODULE = 1u << 12,
	WYN_COMMAND_RELOAD = 1u << 13,
	WYN_COMMAND_RUN = 1u << 14,
	WYN_COMMAND_XARGS = 1u << 15,
	WYN_COMMAND_SHOW = 1u << 16,
	WYN_COMMAND_LOGS = 1u << 17,
	WYN_COMMAND_WAIT = 1u << 18,
	WYN_COMMAND_CANCEL = 1u << 19,
	WYN_COMMAND_SIGNAL = 1u << 20,
};

/* Those that run a function, which is their first operand. */
#define WYN_COMMANDS_RUN                                           \
	(WYN_COMMAND_CALL | WYN_COMMAND_MAP | WYN_COMMAND_REPEAT | \
		WYN_COMMAND_BENCH)

/* Those whose operands are a command line: its options are not ours. */
#define WYN_COMMANDS_PROGRAM (WYN_COMMAND_RUN | WYN_COMMAND_XARGS)

struct wyn_arguments_list {
	size_t count;
	const char *texts[WYN_ARGUMENTS_LIST_MAX];
};

struct wyn_arguments {
	enum wyn_command_id command; /* NONE only with help or version */
	const char *connect;	     /* NULL = default search */
	bool help;
	bool json;
	bool raw;
	bool stream;
	bool files;
	bool null;
	bool unordered;
	bool version;
	bool keep_order;
	bool line_buffer;
	bool ungroup;
	bool tag;
	bool resume;
	bool dry_run;
	bool progress;
	bool detach;
	bool follow;
	/* 0 = not given, here and below. */
	uint64_t jobs; /* tasks in flight */
	uint64_t batch;
	uint64_t count; /* of pings, or of tasks of repeat or bench */
	uint64_t rate;
	uint64_t duration_ms;
	uint64_t connections; /* 1 if not given */
	uint64_t size;	      /* may be 0: WYN_ARGUMENTS_UNSET */
	uint64_t warmup_ms;   /* may be 0: WYN_ARGUMENTS_UNSET */
	uint64_t timeout_ms;
	uint64_t deadline_ms;
	uint64_t priority; /* enum wyn_client_priority */
	bool watch;
	const char *function; /* of a list; NULL = any */
	const char *label;    /* NULL = none; of a list, any */
	uint64_t state;	      /* enum wyn_client_state */
	uint64_t connection;  /* its number */
	uint64_t after;	      /* an id */
	uint64_t limit;
	uint64_t number;      /* the operand of explain, or of signal SIG */
	uint64_t interval_ms; /* of stats --watch */
	const char *input;    /* of xargs: a file; NULL = standard input */
	const char *halt;     /* well written, see halt.h; NULL = never */
	const char *joblog;
	uint64_t max_args;
	uint64_t slots; /* of xargs; 0 = as many as possible;
			 * WYN_ARGUMENTS_UNSET */
	/* Of a process. */
	const char *cwd;  /* NULL = here */
	const char *user; /* NULL = the usual one */
	bool merge;
	uint64_t grace_ms;
	uint64_t memory_bytes;
	uint64_t processes;
	uint64_t cpu_percent;
	struct wyn_arguments_list env; /* NAME or NAME=VALUE */
	char **operands; /* after the command: FUNC and what follows */
	size_t operand_count;
};

/*
 * wyn_arguments_parse - reads a command line.
 *
 * argv is reordered, its strings are borrowed. environment is the value of
 * WYN_CONNECT, or NULL. Thread: main (getopt_long). Returns: 0; -EINVAL, and
 * then `why` says what is wrong, with the nearest name where there is one; of
 * *ret_arguments only `command` is valid then, if it was found.
 */
WYN_NODISCARD
int wyn_arguments_parse(int argc, char **argv, const char *environment,
	struct wyn_arguments *ret_arguments, char why[WYN_ARGUMENTS_WHY_BYTES]);

/* wyn_arguments_id - an operand that was read as an id. */
uint64_t wyn_arguments_id(const char *operand);

/* wyn_arguments_help - help for a command, or for NONE the overview. */
void wyn_arguments_help(FILE *file, enum wyn_command_id command);
