// SPDX-License-Identifier: MIT
/*
 * clone.h - clone3(2) for a child that shares our memory, on another stack.
 *
 * The libc has no function for it: its clone(3) knows no CLONE_INTO_CGROUP, and
 * its posix_spawn(3) not what our child does. Nobody waits for the child: it is
 * a second thread of our memory until it has executed, and its own process in
 * all else. What it uses must stay as it is until `busy` says that it is done.
 *
 * With `copy` it has a copy of our memory, as after fork(2); so what it tells
 * is in memory that is shared by mmap(2). Nobody waits for it either, but
 * nobody says when it has executed: `busy` stays until it was waited for.
 *
 * Where there is no assembly for the architecture, or no clone3 in the kernel,
 * the child has a copy as well, and we do wait until it has executed. The
 * sanitizers' runtime has state for each thread, so with them we wait, too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/compiler.h"

/* The child has all that it needs in memory already, and calls nothing deep. */
#define WYN_CLONE_STACK_BYTES (64u << 10)

struct wyn_clone {
	void *stack;	   /* WYN_CLONE_STACK_BYTES, its lowest byte */
	pid_t *parent_tid; /* where the kernel writes its pid first, or NULL */
	pid_t *busy;	   /* set by wyn_clone(); 0 = done, see above */
	int cgroup;	   /* a directory, -1 = ours */
	bool copy;	   /* it does not share our memory */
};

/*
 * wyn_clone - a child that calls `child`, and exits with what it returns.
 *
 * Both run with the same signal mask, which should be full. Returns: its pid;
 * -1: errno, there is no child. Blocks: where it must, until the child has
 * executed.
 */
pid_t wyn_clone(
	const struct wyn_clone *clone, int (*child)(void *of), void *of);
