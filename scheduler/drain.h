// SPDX-License-Identifier: MIT
/*
 * drain.h - what threads tell a drain, and what it asks.
 */
#pragma once

#include "scheduler/pool.h"

/*
 * wyn_pool_quiet - a thread ran out of work while a drain waits.
 *
 * Thread: worker. Blocks: never.
 */
void wyn_pool_quiet(struct wyn_pool *pool);

/*
 * wyn_pool_unfinished - tasks accepted and not finished.
 *
 * Exact, and 0 for good, once nothing more is accepted from outside.
 *
 * Thread: any. Blocks: never.
 */
uint64_t wyn_pool_unfinished(struct wyn_pool *pool);
