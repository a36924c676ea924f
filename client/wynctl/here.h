// SPDX-License-Identifier: MIT
/*
 * here.h - what a command gets of where wynctl runs: its environment and its
 * directory.
 *
 * Of the environment it is what says who, where and in which language one is;
 * all else is asked for by --env. Main's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <wyn/client.h>

#include "base/compiler.h"
#include "client/wynctl/arguments.h"

/*
 * wyn_here_environment - HOME, LANG, PATH, TERM, USER, TZ and LC_*, as far as
 * they are set, and what `more` names, whose last word counts.
 *
 * Owns: the caller's, one piece for free(), whose strings are borrowed of
 * `environment` and `more`. Returns: 0; -ENOMEM; -EINVAL, and *ret_wrong is the
 * text that begins with no name.
 */
WYN_NODISCARD
int wyn_here_environment(char *const *environment,
	const struct wyn_arguments_list *more, char ***ret_environment,
	const char **ret_wrong);

/*
 * wyn_here_directory - the absolute path of a directory.
 *
 * NULL is the current one. Owns: the caller's, for free(). Returns: 0; -ENOMEM;
 * the errors of getcwd(3).
 */
WYN_NODISCARD
int wyn_here_directory(const char *directory, char **ret_path);

/* What a command borrows. All zero bytes are nothing. */
struct wyn_here {
	char **environment;
	char *directory;
};

/*
 * wyn_here_command - the command of a command line: its words, what it gets of
 * here, its user and limits.
 *
 * Owns: it borrows of *here, which is for wyn_here_fini(), and of `arguments`.
 * Returns: false after it has said what is wrong.
 */
WYN_NODISCARD
bool wyn_here_command(struct wyn_here *here,
	const struct wyn_arguments *arguments,
	struct wyn_client_command *ret_command);

/* wyn_here_fini - frees. */
void wyn_here_fini(struct wyn_here *here);
