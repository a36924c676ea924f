// SPDX-License-Identifier: MIT
/*
 * fork.h - tells a forked child that its pools have no threads.
 *
 * A pool remembers the generation it was made in. fork(2) in any thread moves
 * the child to the next one, so that the check costs a load and no getpid.
 */
#pragma once

#include <stdatomic.h>

extern _Atomic unsigned wyn_fork_generation_now;

/*
 * wyn_fork_watch - registers the handler once per process.
 *
 * Thread: boot. Returns: 0 or -ENOMEM. Blocks: never.
 */
int wyn_fork_watch(void);

/*
 * wyn_fork_generation - 0 in the first process, one more per fork.
 *
 * Thread: any. Blocks: never.
 */
static inline unsigned wyn_fork_generation(void)
{
	return atomic_load_explicit(
		&wyn_fork_generation_now, memory_order_relaxed);
}
