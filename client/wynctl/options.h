// SPDX-License-Identifier: MIT
/*
 * options.h - the tables of commands and options behind the command line.
 *
 * Constant data, in options.c; arguments.c reads command lines by it and
 * help.c prints it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "client/wynctl/arguments.h"

#define WYN_OPTIONS_MAX	 64u /* bits */
#define WYN_COMMANDS_MAX 32u

enum wyn_option_kind {
	WYN_OPTION_FLAG,
	WYN_OPTION_TEXT,
	WYN_OPTION_COUNT,
	WYN_OPTION_MS,
	WYN_OPTION_BYTES,
	WYN_OPTION_PRIORITY,
	WYN_OPTION_STATE,
	WYN_OPTION_LIST,
};

struct wyn_option {
	const char *name;
	char letter; /* 0 = none */
	enum wyn_option_kind kind;
	size_t offset;	   /* in struct wyn_arguments */
	unsigned commands; /* which take it */
	uint64_t min;
	uint64_t max;
	const char *value; /* its name in the help; NULL for flags */
	const char *help;
};

struct wyn_command {
	unsigned id;
	const char *name;
	const char *operands; /* as in the help */
	size_t operands_min;
	size_t operands_max;
	const char *summary;
};

extern const struct wyn_option wyn_options[];
extern const size_t wyn_options_count;
extern const struct wyn_command wyn_commands[];
extern const size_t wyn_commands_count;

/* wyn_command_by_id - never NULL for an id of the table. */
const struct wyn_command *wyn_command_by_id(unsigned id);
