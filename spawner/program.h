// SPDX-License-Identifier: MIT
/*
 * program.h - from argv[0] to the files that it may mean, and which of them may
 * be run.
 *
 * A name without a slash is looked for in PATH, that of the command's own
 * environment, as execvp(3) does. Where there is no list of programs the child
 * tries one after the other, as the user that it then is: nothing is looked at
 * here. Where there is one the file is opened here and compared, and the child
 * executes what was opened: nobody can put another in its place meanwhile.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "proto/arena.h"

/* Where there is no PATH, as execvp(3) has it. */
#define WYN_PROGRAM_PATH_DEFAULT "/bin:/usr/bin"

/* Directories of a PATH: each is looked into while nobody else is served. */
#define WYN_PROGRAM_PATHS_MAX 1024u

/* One that may be run. It may be replaced, by another file of its name. */
struct wyn_program_listed {
	char *path;
	dev_t device;
	ino_t inode; /* 0 = not looked at yet, or it is not there */
};

struct wyn_program_list {
	struct wyn_program_listed *listed;
	size_t count; /* 0 = every program */
};

/* What a command is to execute. */
struct wyn_program {
	int fd; /* O_PATH; -1 = the first of `paths` that can be executed */
	const char **paths;
	size_t count;
};

/*
 * wyn_program_list_add - one more, a copy of an absolute path.
 *
 * Returns: 0; -ENOMEM.
 */
WYN_NODISCARD
int wyn_program_list_add(
	struct wyn_program_list *list, const char *path, size_t bytes);
void wyn_program_list_fini(struct wyn_program_list *list);

/*
 * wyn_program_find - what `name` means.
 *
 * path: PATH of the command, or NULL. directory: where it will be. list: the
 * first that is on it counts, whatever else has the name. Owns: what comes out
 * is in the arena; its descriptor is the caller's to close. Returns: 0;
 * -ENOENT: the name is empty; -E2BIG: PATH has too many directories; -EACCES:
 * none of them is on the list; -ENOBUFS: the arena; -EMFILE, -ENFILE, -ENOMEM.
 */
WYN_NODISCARD
int wyn_program_find(struct wyn_program_list *list, const char *name,
	const char *path, const char *directory, struct wyn_arena *arena,
	struct wyn_program *ret_program);

/*
 * wyn_program_goes_on - after this errno of execve(2) the next directory of
 * PATH is tried.
 */
bool wyn_program_goes_on(int error);
