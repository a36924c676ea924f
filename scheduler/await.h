// SPDX-License-Identifier: MIT
/*
 * await.h - waiting for a word to say that something has ended.
 *
 * A future's state and a group's count are both 32-bit words that end in a
 * final value. A waiter marks the word before it sleeps: WAITER if it sleeps
 * on the word itself, HELPER if it is a worker asleep at its seat. Whoever
 * makes the word final sees the marks in that one RMW.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "scheduler/pool.h"

#define WYN_AWAIT_WAITER (UINT32_C(1) << 31)
#define WYN_AWAIT_HELPER (UINT32_C(1) << 30)

struct wyn_goal {
	_Atomic uint32_t *word; /* [A done] */
	uint32_t mask;
	bool when_set; /* final when (word & mask) != 0, else when 0 */
};

/*
 * wyn_goal_value - whether this value of the word is final.
 *
 * Thread: any. Blocks: never.
 */
static inline bool wyn_goal_value(const struct wyn_goal *goal, uint32_t value)
{
	return ((value & goal->mask) != 0) == goal->when_set;
}

/*
 * wyn_goal_reached - whether the word is final, and what led to it visible.
 *
 * Thread: any. Blocks: never.
 */
static inline bool wyn_goal_reached(const struct wyn_goal *goal)
{
	/* [done] acquires what was written before the end. */
	return wyn_goal_value(
		goal, atomic_load_explicit(goal->word, memory_order_acquire));
}

/*
 * wyn_goal_mark - leaves a mark for whoever makes the word final.
 *
 * Thread: any. Returns: the word with the mark. Blocks: never.
 */
static inline uint32_t wyn_goal_mark(const struct wyn_goal *goal, uint32_t mark)
{
	/* [done] the end's RMW either sees the mark or is seen here. */
	return mark |
	       atomic_fetch_or_explicit(goal->word, mark, memory_order_acq_rel);
}

/*
 * wyn_await_goal - waits until the goal is reached.
 *
 * Inside a task of `pool` without a deadline it helps; see wyn/future.h.
 *
 * Thread: any. Returns: 0, -ETIMEDOUT, -EDEADLK, -ESHUTDOWN.
 * Blocks: until then.
 */
WYN_NODISCARD
int wyn_await_goal(struct wyn_pool *pool, const struct wyn_goal *goal,
	uint64_t deadline_ns);

/*
 * wyn_await_wake - wakes those whose marks are in `value`.
 *
 * `word` is an address only: its memory may be gone.
 *
 * Thread: any. Blocks: never.
 */
void wyn_await_wake(
	struct wyn_pool *pool, _Atomic uint32_t *word, uint32_t value);
