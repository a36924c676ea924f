// SPDX-License-Identifier: MIT
/*
 * family.h - real processes that fork, hide and will not die, as a test says.
 *
 * A script is run by the test's own program, executed once more, as the leader
 * of a session and a subreaper, as the spawner's child is. All of its processes
 * hold one pipe: it is at its end when none of them lives.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * The words of a script, a letter each:
 *
 *	r	writes a byte to who started it: ready
 *	x	exits
 *	p	sleeps for ever; so does the end of a script
 *	s	setsid
 *	i	ignores SIGTERM
 *	t	stops itself
 *	o	waits until its parent has gone
 *	u	is no subreaper any more
 *	e	executes itself with no environment, and goes on
 *	m	a second thread goes on, the first one sleeps
 *	n	the same, but the first one exits
 *	3(...)	three children run what is in the parentheses; 1 may be left out
 *	900b	forks until there are 900, all of which fork; each writes a byte
 *	900c	forks and exits, the child does the same, 900 times
 */

/* ThreadSanitizer does not know of such threads: no m, no n. */
#ifdef __SANITIZE_THREAD__
#define WYN_FAMILY_THREADS 0
#else
#define WYN_FAMILY_THREADS 1
#endif

struct wyn_family {
	pid_t pid; /* the leader's */
	int pipe;
};

/* First in main: runs a script and does not return, if this is what it is
 * for. */
void wyn_family_main(int argc, char **argv);

/*
 * wyn_family_start - variable: NAME=VALUE or NULL, all of its environment.
 * cgroup: descriptor of where it begins, or -1. parent_tid: where its pid is
 * written before it runs, or NULL.
 */
void wyn_family_start(struct wyn_family *family, const char *script,
	const char *variable, int cgroup, pid_t *parent_tid);

/* Waits for so many bytes of r. */
void wyn_family_await(const struct wyn_family *family, unsigned ready);

/* Nobody of it lives. */
bool wyn_family_is_gone(const struct wyn_family *family);

/* Waits until nobody of it lives, and closes the pipe. */
void wyn_family_end(struct wyn_family *family);
