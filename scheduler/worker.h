// SPDX-License-Identifier: MIT
/*
 * worker.h - what a thread with a seat does: find, run, search, sleep.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/item.h"
#include "scheduler/pool.h"

/*
 * wyn_worker_run - runs tasks until the seat is lost or the pool stops.
 *
 * Thread: worker. Blocks: sleeps while there is nothing to do.
 */
void wyn_worker_run(struct wyn_thread *thread);

/*
 * wyn_pool_has_work - whether any queue holds a task.
 *
 * Thread: any. Blocks: never.
 */
bool wyn_pool_has_work(struct wyn_pool *pool);

/*
 * wyn_worker_descendant - takes what the running task has spawned last.
 *
 * Nothing that was in the own deque when the task began.
 *
 * Thread: worker, with a seat, in a task. Returns: false if nothing of it is
 * left there. Blocks: never.
 */
bool wyn_worker_descendant(
	struct wyn_thread *thread, struct wyn_item *ret_item);

/*
 * wyn_worker_nest - runs a task on the stack of the one that runs.
 *
 * The thread may come back without its seat.
 *
 * Thread: worker, in a task. Blocks: as the task does.
 */
void wyn_worker_nest(struct wyn_thread *thread, struct wyn_item item);

/*
 * wyn_worker_floor - what is in the own deque now is not the next task's.
 *
 * Thread: worker, with a seat, before a body. Returns: the floor of the task
 * around it, to be put back after the body. Blocks: never.
 */
static inline int64_t wyn_worker_floor(struct wyn_thread *thread)
{
	int64_t outer = thread->floor;

	thread->floor = wyn_deque_mark(&thread->seat->deque);
	return outer;
}
