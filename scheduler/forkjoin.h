// SPDX-License-Identifier: MIT
/*
 * forkjoin.h - forks seen from the pool's side.
 *
 * The caller's side is public, in wyn/forkjoin.h.
 */
#pragma once

#include <wyn/forkjoin.h>

#include "scheduler/pool.h"

/*
 * wyn_forker_init - makes the forker of a thread, without a deque.
 *
 * Thread: boot, or worker under the spares' lock. Blocks: never.
 */
void wyn_forker_init(struct wyn_thread *thread);

/*
 * wyn_forker_seat - the thread has got a seat, or lost it (NULL).
 *
 * Whoever helps with the thread's forks stops looking into the lost seat's
 * deque, where what lies from now on is another thread's.
 *
 * Thread: worker, its own or, for a thread that is being made, its maker's.
 * Blocks: never.
 */
void wyn_forker_seat(struct wyn_thread *thread, struct wyn_seat *seat);

/*
 * wyn_fork_discard - a fork was found in the queues of a pool that stops.
 *
 * Its task still runs, and does it itself when it joins.
 *
 * Thread: any. Blocks: never.
 */
void wyn_fork_discard(struct wyn_fork *fork);
