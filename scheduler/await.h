// SPDX-License-Identifier: MIT
/*
 * await.h - waiting for a word to say that something has ended.
 *
 * A future's state and a group's count are both 32-bit words that end in a
 * final value. Who sleeps on one marks it first; whoever makes the word final
 * sees the mark in that one RMW, and wakes.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "scheduler/pool.h"

#define WYN_AWAIT_WAITER (UINT32_C(1) << 31)

/* Claimed places that one thread may leave behind in a busy injector. */
#define WYN_AWAIT_CLAIMS_MAX 4096u

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
 * wyn_await_help - runs the awaiting task's own descendants meanwhile.
 *
 * What it has spawned, directly or through tasks that ran on its stack, and
 * that still lies in the own deque. Outside a task of `pool` it does nothing.
 *
 * Thread: any. Blocks: as those tasks do.
 */
void wyn_await_help(struct wyn_pool *pool, const struct wyn_goal *goal);

/*
 * wyn_await_may_claim - whether a task that waits in some queue may be run on
 * the stack of this one.
 *
 * Its place in the queue stays behind until a worker comes to it. So there is a
 * bound: when as many have been claimed and the injector was never empty since,
 * the answer is no, and a blocking section lets a spare come to them.
 *
 * Thread: any. Blocks: never.
 */
bool wyn_await_may_claim(struct wyn_pool *pool);

/*
 * wyn_await_until - sleeps until the goal is reached.
 *
 * Inside a task it is a blocking section, and refused with -EDEADLK if the
 * task waits for itself.
 *
 * Thread: any. Returns: 0, -ETIMEDOUT, -EDEADLK, -ESHUTDOWN.
 * Blocks: until then, at most until deadline_ns.
 */
WYN_NODISCARD
int wyn_await_until(struct wyn_pool *pool, const struct wyn_goal *goal,
	uint64_t deadline_ns);

/*
 * wyn_await_wake - wakes those whose mark is in `value`.
 *
 * `word` is an address only: its memory may be gone.
 *
 * Thread: any. Blocks: never.
 */
void wyn_await_wake(_Atomic uint32_t *word, uint32_t value);
