// SPDX-License-Identifier: MIT
/*
 * spawn.h - how tasks come into the queues, and out again unrun.
 */
#pragma once

#include "base/compiler.h"
#include "scheduler/pool.h"

/*
 * wyn_pool_inject - puts new tasks where they belong and wakes a worker.
 *
 * A single one from a seated thread of the pool goes into its deque, all
 * else into the injector. All or none.
 *
 * Thread: any. Returns: as wyn_pool_spawn_detached. Blocks: never.
 */
WYN_NODISCARD
int wyn_pool_inject(
	struct wyn_pool *pool, const struct wyn_injector_batch *batch);

/*
 * wyn_pool_inject_one - the same for a single task.
 *
 * Thread: any. Returns, Blocks: as wyn_pool_inject.
 */
WYN_NODISCARD
int wyn_pool_inject_one(struct wyn_pool *pool, struct wyn_item item);

/*
 * wyn_pool_enter - new tasks count as in flight, though in no queue yet.
 *
 * Thread: any. Returns: 0; -EAGAIN at in_flight_max; -ESHUTDOWN in a forked
 * child. Blocks: never.
 */
WYN_NODISCARD
int wyn_pool_enter(struct wyn_pool *pool, uint64_t n);

/*
 * wyn_pool_enqueue - wyn_pool_inject of tasks that have entered.
 *
 * They have left again if it fails.
 *
 * Thread: any. Returns: 0; -ENOMEM; -ESHUTDOWN from outside after drain began.
 * Blocks: never.
 */
WYN_NODISCARD
int wyn_pool_enqueue(
	struct wyn_pool *pool, const struct wyn_injector_batch *batch);

/* The slow way of the one below. */
const struct wyn_producer *wyn_pool_producer_enter(struct wyn_pool *pool);

/*
 * wyn_pool_producer - what the calling thread holds of the pool.
 *
 * Thread: any. Returns: never NULL. Blocks: as wyn_producer_enter.
 */
static inline const struct wyn_producer *wyn_pool_producer(
	struct wyn_pool *pool)
{
	const struct wyn_producer *held = wyn_producer_held(&pool->producers);

	return held != NULL ? held : wyn_pool_producer_enter(pool);
}

/*
 * wyn_pool_leave - tasks no longer count as in flight.
 *
 * Comes before their completion is visible, or whoever saw that could be
 * refused its next spawn.
 *
 * Thread: worker. Blocks: never.
 */
static inline void wyn_pool_leave(struct wyn_pool *pool, uint64_t n)
{
	if (pool->config.in_flight_max != 0) {
		/* [in-flight] a number and nothing else: relaxed. */
		atomic_fetch_sub_explicit(
			&pool->in_flight, n, memory_order_relaxed);
	}
}

/*
 * wyn_pool_discard - empties the queues of a pool that stops.
 *
 * Futures end as cancelled, so that whoever awaits one returns; detached
 * tasks and jobs are forgotten.
 *
 * Thread: any. Blocks: yields while another thread holds a queue.
 */
void wyn_pool_discard(struct wyn_pool *pool);
