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
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wyn/forkjoin.h>
#include <wyn/pool.h>

#include "base/compiler.h"
#include "scheduler/chunk.h"
#include "scheduler/counters.h"
#include "scheduler/deque.h"
#include "scheduler/fork.h"
#include "scheduler/injector.h"
#include "scheduler/large.h"
#include "scheduler/park.h"
#include "scheduler/producer.h"
#include "scheduler/slab.h"

struct wyn_future;

struct wyn_seat {
	struct wyn_deque deque;
	unsigned index;	  /* [I] also its number for the parking */
	unsigned cursor;  /* [W] where it looks first in the injector */
	unsigned grabbed; /* [W] items of its last look there */
	int tick;	  /* [W] local tasks, for fairness */
	uint64_t random;  /* [W] for the choice of a victim */
	/* [W] what is being moved between deque and injector. */
	struct wyn_item scratch[WYN_DEQUE_SIZE / 2];
};

struct wyn_thread {
	struct wyn_counters counters;
	struct wyn_pool *pool;	   /* [I] */
	struct wyn_seat *seat;	   /* [W] or NULL */
	struct wyn_future *task;   /* [W] the future task that runs, or NULL */
	uint64_t finished_at_park; /* [W] tasks of the whole pool, for search */
	struct wyn_forker forker;  /* [W] */
	struct wyn_fork *fork;	   /* [W] somebody's that runs here, or NULL */
	int64_t floor;		   /* [W] own deque when that task began */
	bool bounded;		   /* [I] the pool has a bound in flight */
	unsigned index;		   /* [I] in the pool's threads */
	unsigned claims;	   /* [W] see wyn_await_may_claim() */
	unsigned help_depth;	   /* [W] tasks on the stack below this one */
	unsigned block_depth;	   /* [W] nested blocking sections */
	_Atomic uint32_t seated;   /* [A seat] futex of a spare's sleep */
	struct wyn_seat *given;	   /* [A seat] NULL = the thread is to end */
	bool offered;		   /* [W] on the idle list, or seated from it */
	struct wyn_thread *next;   /* [M spares] idle list */
	pthread_t pthread;	   /* [I] */
};

struct wyn_pool {
	struct wyn_injector injector;
	struct wyn_producers producers; /* [I] what they read */
	struct wyn_park park;
	struct wyn_chunks chunks;
	struct wyn_slabs slabs;
	struct wyn_larges larges;
	struct wyn_seat *seats;		  /* [I] config.workers of them */
	struct wyn_park_seat *park_seats; /* [I] likewise */
	struct wyn_thread *threads;	  /* [I] workers and spares */
	struct wyn_pool_config config;	  /* [I] every default filled in */
	unsigned fork_generation;	  /* [I] */
	_Atomic unsigned workers;	  /* [A gate] seats with a thread */
	_Atomic uint32_t gate;		  /* [A gate] futex of the start */
	_Atomic uint32_t drain_turn;	  /* [A drain] futex of the drains */
	_Atomic uint64_t in_flight;	  /* [A in-flight] only with a bound */
	pthread_mutex_t waiters_lock;
	unsigned waiters; /* [M waiters] drains and waits in progress */
	pthread_mutex_t spares_lock;
	struct wyn_thread *spares_idle; /* [M spares] */
	_Atomic unsigned spare_count;	/* [M spares] [A seat] ever made */
	cpu_set_t cpus;			/* [I] all of config.cpus */
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
