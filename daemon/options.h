// SPDX-License-Identifier: MIT
/*
 * options.h - what the command line says.
 *
 * One table of flags, from which come parsing, help and advice for a wrong
 * one; the bounds of limits.h are flags like the others. Nothing is opened or
 * resolved here. Boot only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/endpoint.h"
#include "daemon/fault.h"
#include "daemon/limits.h"
#include "daemon/log.h"

#define WYN_LISTEN_MAX	   16u /* --listen on one command line */
#define WYN_LOOPS_MAX	   64u
#define WYN_LOOPS_DEFAULT  1u
#define WYN_LISTEN_DEFAULT "unix:" WYN_ENDPOINT_DEFAULT_PATH
#define WYN_SOCKET_GROUP   "wynd" /* if it exists and nothing is said */

/* Where `make install` puts the modules; the Makefile says it. */
#ifndef WYN_MODULES_DIR
#define WYN_MODULES_DIR "/usr/local/lib/wynd/modules"
#endif

struct wyn_options {
	struct wyn_endpoint listen[WYN_LISTEN_MAX];
	size_t listen_count;
	const char *modules;	  /* a directory */
	const char *socket_group; /* NULL = nothing was said */
	mode_t socket_mode;
	uint64_t workers; /* 0 = as many as CPUs are allowed */
	uint64_t loops;
	int ready_fd; /* -1 = none */
	bool allow_plaintext;
	bool help;
	bool version;
	enum wyn_log_level log_level;
	struct wyn_limits limits;
};

/*
 * wyn_options_parse - reads the command line.
 *
 * With --help or --version the rest is not looked at any more. Thread: boot.
 * Owns: borrows argv as long as the options live. Returns: 0; -EINVAL with
 * exit code 64 (a flag or a value that is none) or 78 (bounds that contradict
 * each other, an address that cannot be), and the fault says what to do.
 */
WYN_NODISCARD
int wyn_options_parse(int argc, char **argv, struct wyn_options *ret_options,
	struct wyn_fault *ret_fault);

/*
 * wyn_options_check - bounds that each are in range but cannot be together.
 *
 * Thread: boot. Returns: 0; -EINVAL, exit code 78.
 */
WYN_NODISCARD
int wyn_options_check(
	const struct wyn_limits *limits, struct wyn_fault *ret_fault);

/* wyn_options_help - every flag with its default and range. Thread: boot. */
void wyn_options_help(FILE *out);
