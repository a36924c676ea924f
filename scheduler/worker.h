// SPDX-License-Identifier: MIT
/*
 * worker.h - what a thread with a seat does: find, run, search, sleep.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/item.h"
#include "scheduler/pool.h"

struct wyn_goal;

/*
 * wyn_worker_run - runs tasks until the seat is lost or the pool stops.
 *
 * Thread: worker. Blocks: sleeps while there is nothing to do.
 */
void wyn_worker_run(struct wyn_thread *thread);

/*
 * wyn_worker_find - one look at every queue: own, injector, others.
 *
 * Thread: worker, with a seat. Returns: false if nothing was found.
 * Blocks: never.
 */
bool wyn_worker_find(struct wyn_thread *thread, struct wyn_item *ret_item);

/*
 * wyn_worker_acquire - finds a task, sleeping if need be.
 *
 * With a goal it gives up when the goal is reached.
 *
 * Thread: worker, with a seat. Returns: false if the goal was reached or the
 * pool stops. Blocks: yes.
 */
bool wyn_worker_acquire(struct wyn_thread *thread, const struct wyn_goal *goal,
	struct wyn_item *ret_item);

/*
 * wyn_worker_execute - runs one task and counts it.
 *
 * The thread may come back without its seat.
 *
 * Thread: worker. Blocks: as the task does.
 */
void wyn_worker_execute(struct wyn_thread *thread, struct wyn_item item);
