// SPDX-License-Identifier: MIT
/*
 * perturb.h - schedules that the machine alone would hardly ever choose.
 *
 * WYN_STEP() stands before each atomic step that a label of the README orders.
 * In the perturb variant it pauses or yields now and then, by a generator per
 * thread; elsewhere it is nothing. It never stands between a store and the load
 * that a light fence keeps behind it: whatever takes time there lets the store
 * out of its buffer, and hides what a missing fence does.
 */
#pragma once

#include <stdint.h>

#ifdef WYN_PERTURB

#define WYN_STEP() wyn_perturb_step()

/*
 * wyn_perturb_init - seeds the generators of threads that come from now on.
 *
 * Thread: boot. Blocks: never.
 */
void wyn_perturb_init(uint64_t seed);

/*
 * wyn_perturb_step - lets other threads go first, perhaps.
 *
 * Thread: any. Blocks: yields.
 */
void wyn_perturb_step(void);

/* wyn_perturb_count - times that a thread was held up. Thread: any. */
uint64_t wyn_perturb_count(void);

#else

#define WYN_STEP() ((void)0)

#endif
