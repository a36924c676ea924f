// SPDX-License-Identifier: MIT
/*
 * pool.h - what a pool is made of; the room's own view.
 *
 * Seats hold what belongs to a worker's place (deque, parking), threads what
 * belongs to a stack (counters, the running task). A blocking section moves a
 * seat from one thread to another, so a thread may be without one.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wyn/pool.h>

#include "base/compiler.h"
#include "scheduler/counters.h"
#include "scheduler/deque.h"
#include "scheduler/fork.h"
#include "scheduler/injector.h"
#include "scheduler/park.h"
#include "scheduler/slab.h"

struct wyn_future;

struct wyn_seat {
	struct wyn_deque deque;
	unsigned index;	 /* [I] also its number for the parking */
	unsigned cursor; /* [W] where it looks first in the injector */
	unsigned tick;	 /* [W] local tasks, for fairness */
	uint64_t random; /* [W] for the choice of a victim */
	/* [W] what is being moved between deque and injector. */
	struct wyn_item scratch[WYN_DEQUE_SIZE / 2];
};

struct wyn_thread {
	struct wyn_counters counters;
	struct wyn_pool *pool;	 /* [I] */
	struct wyn_seat *seat;	 /* [W] or NULL */
	struct wyn_future *task; /* [W] the future task that runs, or NULL */
	unsigned index;		 /* [I] in the pool's threads */
	unsigned help_depth;	 /* [W] */
	unsigned block_depth;	 /* [W] nested blocking sections */
	_Atomic uint32_t seated; /* [A seat] futex of a spare's sleep */
	struct wyn_seat *given;	 /* [A seat] NULL = the thread is to end */
	bool offered;		 /* [W] on the idle list, or seated from it */
	struct wyn_thread *next; /* [M spares] idle list */
	pthread_t pthread;	 /* [I] */
};

struct wyn_pool {
	struct wyn_injector injector;
	struct wyn_park park;
	struct wyn_slabs slabs;
	struct wyn_seat *seats;		   /* [I] config.workers of them */
	struct wyn_park_seat *park_seats;  /* [I] likewise */
	struct wyn_thread *threads;	   /* [I] workers and spares */
	struct wyn_pool_config config;	   /* [I] every default filled in */
	unsigned fork_generation;	   /* [I] */
	_Atomic unsigned workers;	   /* [A gate] seats with a thread */
	_Atomic uint32_t gate;		   /* [A gate] futex of the start */
	_Atomic uint32_t drain_turn;	   /* [A drain] futex of the drains */
	_Atomic uint64_t in_flight_approx; /* only with in_flight_max */
	pthread_mutex_t spares_lock;
	struct wyn_thread *spares_idle; /* [M spares] */
	unsigned spare_count;		/* [M spares] ever created */
};

/*
 * wyn_pool_is_dead - whether this is a forked child without the threads.
 *
 * Thread: any. Blocks: never.
 */
static inline bool wyn_pool_is_dead(const struct wyn_pool *pool)
{
	return WYN_UNLIKELY(pool->fork_generation != wyn_fork_generation());
}

/*
 * wyn_pool_has_work - whether any queue holds a task.
 *
 * Thread: any. Blocks: never.
 */
bool wyn_pool_has_work(struct wyn_pool *pool);

/*
 * wyn_pool_discard - empties the queues of a pool that stops.
 *
 * Futures end as cancelled, so that whoever awaits one returns; detached
 * tasks and jobs are forgotten.
 *
 * Thread: any. Blocks: yields while another thread holds a queue.
 */
void wyn_pool_discard(struct wyn_pool *pool);

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
 * wyn_pool_leave - a task no longer counts as in flight.
 *
 * Comes before its completion is visible, or whoever saw that could be
 * refused its next spawn.
 *
 * Thread: worker. Blocks: never.
 */
static inline void wyn_pool_leave(struct wyn_pool *pool, uint64_t n)
{
	if (pool->config.in_flight_max != 0) {
		atomic_fetch_sub_explicit(
			&pool->in_flight_approx, n, memory_order_relaxed);
	}
}

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
