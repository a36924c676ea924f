// SPDX-License-Identifier: MIT
/*
 * clone.h - clone3(2) for a child that shares our memory, on another stack.
 *
 * The libc has no function for it: its clone(3) knows no CLONE_INTO_CGROUP, and
 * its posix_spawn(3) not what our child does. Where there is no assembly for
 * the architecture, or no clone3 in the kernel, the child has a copy of our
 * memory, as after fork(2); so what it tells is in memory that is shared by
 * mmap(2).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "base/compiler.h"

/* The child has all that it needs in memory already, and calls nothing deep. */
#define WYN_CLONE_STACK_BYTES (64u << 10)

struct wyn_clone {
	void *stack;	   /* WYN_CLONE_STACK_BYTES, its lowest byte */
	pid_t *parent_tid; /* where the kernel writes its pid first, or NULL */
	int cgroup;	   /* a directory, -1 = ours */
};

/*
 * wyn_clone - a child that calls `child`, and exits with what it returns.
 *
 * Both run with the same signal mask, which should be full. Returns: its pid;
 * -1: errno, there is no child. Blocks: until the child has executed another
 * program, or is dead.
 */
pid_t wyn_clone(
	const struct wyn_clone *clone, int (*child)(void *of), void *of);
