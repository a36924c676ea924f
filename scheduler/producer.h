// SPDX-License-Identifier: MIT
/*
 * producer.h - what of which pool the calling thread holds for itself.
 *
 * A thread that spawns into a pool holds a lane of its injector, and with it a
 * magazine of slots, until it ends or turns to another pool. It remembers the
 * pool by a number that is never used again, since its address may be.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "scheduler/injector.h"
#include "scheduler/slab.h"

/* Embedded in each pool. */
struct wyn_producers {
	uint64_t id;  /* [I] */
	bool express; /* [I] no bound in flight, and light fences are light */
	struct wyn_injector *injector; /* [I] */
	struct wyn_producers *next;    /* [M registry] pools that are alive */
	struct wyn_producers *prev;    /* [M registry] */
	/* [A lane] of who holds the lane of the same number */
	struct wyn_magazine magazines[1 + WYN_INJECTOR_LANES];
};

/* Both NULL when all lanes are held by others. */
struct wyn_producer {
	uint64_t id;	     /* of the pool; 0 = none */
	uint64_t express_id; /* likewise, if it may push without a look */
	struct wyn_lane *lane;
	struct wyn_magazine *magazine;
};

extern _Thread_local struct wyn_producer wyn_producer_self_;

/*
 * wyn_producers_init, wyn_producers_fini - the pool is alive in between.
 *
 * Thread: boot. Blocks: on the registry's mutex.
 */
void wyn_producers_init(struct wyn_producers *producers,
	struct wyn_injector *injector, bool bounded);
void wyn_producers_fini(struct wyn_producers *producers);

/*
 * wyn_producer_held - what the calling thread holds of this pool.
 *
 * Thread: any. Owns: the thread's. Returns: NULL if it turned to another pool
 * since, or never held anything: wyn_producer_enter. Blocks: never.
 */
static inline const struct wyn_producer *wyn_producer_held(
	const struct wyn_producers *producers)
{
	return WYN_LIKELY(wyn_producer_self_.id == producers->id)
		       ? &wyn_producer_self_
		       : NULL;
}

/*
 * wyn_producer_enter - lets go of another pool's, and holds some of this one.
 *
 * outside: the thread is none of the pool's.
 *
 * Thread: any. Owns: the thread's. Returns: never NULL, but perhaps nothing
 * in it. Blocks: on the registry's mutex.
 */
const struct wyn_producer *wyn_producer_enter(
	struct wyn_producers *producers, bool outside);

/*
 * wyn_producer_go_inside - what the calling thread pushes is a task's from now
 * on, whatever it holds.
 *
 * Thread: worker, before its first task. Blocks: never.
 */
static inline void wyn_producer_go_inside(void)
{
	wyn_producer_self_.express_id = 0;
}

/*
 * wyn_producers_lock, wyn_producers_unlock - around fork(2).
 *
 * Thread: any. Blocks: on the registry's mutex.
 */
void wyn_producers_lock(void);
void wyn_producers_unlock(void);
