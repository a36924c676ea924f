// SPDX-License-Identifier: MIT
/*
 * fence.h - the two sides of a store that must not pass a load.
 *
 * Where two threads each store and then look at what the other stored, both
 * need a full fence between. The side that does it a hundred million times a
 * second takes the light one, a barrier to the compiler; the other takes the
 * heavy one, membarrier(2), which makes every running thread of the process
 * execute a fence. Where the kernel has none both are full fences.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "base/compiler.h"

/* [I] after the first wyn_fence_init(). */
extern bool wyn_fence_is_asymmetric;

/*
 * wyn_fence_init - asks the kernel, once per process.
 *
 * Thread: boot. Blocks: never.
 */
void wyn_fence_init(void);

/* wyn_fence_forked - asks again in a forked child. Thread: its only one. */
void wyn_fence_forked(void);

/* wyn_fence_full - what both sides are without membarrier. Thread: any. */
void wyn_fence_full(void);

/*
 * wyn_fence_light - stores before it come before loads after it, as seen from
 * a heavy one.
 *
 * Thread: any. Blocks: never.
 */
static inline void wyn_fence_light(void)
{
	if (WYN_LIKELY(wyn_fence_is_asymmetric)) {
		atomic_signal_fence(memory_order_seq_cst);
	} else {
		wyn_fence_full();
	}
}

/*
 * wyn_fence_lightest - the same for who knows that wyn_fence_is_asymmetric.
 *
 * Thread: any. Blocks: never.
 */
static inline void wyn_fence_lightest(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

/*
 * wyn_fence_heavy - the other side: about a microsecond.
 *
 * Thread: any. Blocks: never.
 */
void wyn_fence_heavy(void);
