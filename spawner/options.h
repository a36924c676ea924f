// SPDX-License-Identifier: MIT
/*
 * options.h - the command line of wynd-spawner.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/compiler.h"

#define WYN_OPTIONS_WHY_BYTES 256u

struct wyn_options {
	bool help;
	bool version;
	int link;   /* -1 = a socket that listens was passed */
	uid_t peer; /* who may have a link, beside root */
};

/*
 * wyn_options_parse - Returns: 0; -EINVAL: `why` says what is wrong.
 */
WYN_NODISCARD
int wyn_options_parse(int argc, char **argv, struct wyn_options *ret_options,
	char why[static WYN_OPTIONS_WHY_BYTES]);

void wyn_options_help(FILE *out);
