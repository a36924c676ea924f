// SPDX-License-Identifier: MIT
/*
 * pool_executor.h - the work-stealing pool as a loop's executor.
 *
 * Hands slices to the pool as one batch of jobs, and takes them back through a
 * completion sink that wakes the loop only when it is armed.
 */
#pragma once

#include <wyn/pool.h>

#include "base/compiler.h"
#include "daemon/run/executor.h"

/*
 * wyn_pool_executor_create - one per loop.
 *
 * Thread: boot. Owns: borrows the pool; wake(context) is called by a worker, at
 * most once per arming. Returns: 0, -ENOMEM.
 */
WYN_NODISCARD
int wyn_pool_executor_create(struct wyn_pool *pool, void (*wake)(void *context),
	void *context, struct wyn_executor **ret_executor);

/* wyn_pool_executor_destroy - no task may be in it. NULL is a no-op. */
void wyn_pool_executor_destroy(struct wyn_executor *executor);
