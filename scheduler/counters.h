// SPDX-License-Identifier: MIT
/*
 * counters.h - what one thread of the pool has done, for others to sum.
 *
 * Written by the owning thread alone, so that an increment is a plain load
 * and store. All are statistics except `spawned` and `finished`, which decide
 * when a drain is over (label [drain]); `finished` also says to a searcher how
 * busy others are.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include <wyn/counters.h>

#include "base/compiler.h"
#include "scheduler/perturb.h"

struct wyn_counters {
	/* [A drain] tasks put into the own deque. */
	_Alignas(WYN_CACHE_LINE) _Atomic uint64_t spawned;
	_Atomic uint64_t finished;	   /* [A drain] tasks consumed */
	_Atomic uint64_t cancelled_approx; /* of them, those that did not run */
	_Atomic uint64_t stolen_approx;
	_Atomic uint64_t injected_approx; /* taken from the injector */
	_Atomic uint64_t helped_approx;
	_Atomic uint64_t lent_approx;
};

/*
 * wyn_counter_add - adds to a counter of the calling thread.
 *
 * Thread: worker (the owner). Blocks: never.
 */
static inline void wyn_counter_add(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

	WYN_STEP();
	/* [drain] for `finished`: all that the task did comes before. The
	 * statistics get the same order, which is free on most machines. */
	atomic_store_explicit(counter, value + n, memory_order_release);
}
