// SPDX-License-Identifier: MIT
/*
 * arguments_rig.h - command lines of wynctl as a test writes them, and what
 * becomes of them.
 */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "client/wynctl/arguments.h"

#define WORDS_MAX 16

static struct wyn_arguments arguments;
static char why[WYN_ARGUMENTS_WHY_BYTES];
static char words[256];
static char *argv[WORDS_MAX + 1];

/* A command line of words with single blanks between them. */
static inline int parse_in(const char *line, const char *environment)
{
	int argc = 0;
	char *word;
	char *rest = words;

	(void)snprintf(words, sizeof(words), "wynctl %s", line);
	while ((word = strsep(&rest, " ")) != NULL) {
		assert_true(argc < WORDS_MAX);
		argv[argc++] = word;
	}
	argv[argc] = NULL;
	why[0] = '\0';
	return wyn_arguments_parse(argc, argv, environment, &arguments, why);
}

static inline int parse(const char *line)
{
	return parse_in(line, NULL);
}

static inline void assert_refused(const char *line, const char *because)
{
	assert_int_equal(-EINVAL, parse(line));
	assert_string_equal(because, why);
}
