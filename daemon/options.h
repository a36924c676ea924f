// SPDX-License-Identifier: MIT
/*
 * options.h - what the daemon is told: by its command line, and by the files
 * that this names.
 *
 * Later ones win: defaults, the configuration file, the files of its .d
 * directory by name, flags. A reload reads all of it again.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/compiler.h"
#include "daemon/fault.h"
#include "daemon/settings.h"

struct wyn_options {
	int argc; /* borrowed: what it was read from */
	char **argv;
	struct wyn_settings settings;
	char config[WYN_SETTING_TEXT_BYTES]; /* "" = nothing was said */
	int ready_fd;			     /* -1 = none */
	bool check_config;
	bool list_settings;
	const char *check_module; /* a file, borrowed; NULL = none */
	bool help;
	bool version;
};

/*
 * wyn_options_parse - reads the command line, and the files.
 *
 * With --help, --version or --list-settings the rest is not looked at any more.
 * Thread: boot, aux; one at a time, for getopt(3) has globals. Returns: 0;
 * -EINVAL with exit code 64 (a flag or a value that is none) or 78 (what a file
 * says, values that contradict each other, an address that cannot be); what
 * opening a file said, with 78 or 77; and the fault says what to do. Blocks:
 * reads files.
 */
WYN_NODISCARD
int wyn_options_parse(int argc, char **argv, struct wyn_options *ret_options,
	struct wyn_fault *ret_fault);

/* wyn_options_help - every flag with its default and range. Thread: any. */
void wyn_options_help(FILE *out);
