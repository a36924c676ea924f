// SPDX-License-Identifier: MIT
/*
 * await.c - the three ways to wait.
 *
 * From outside, and from a thread without a seat: sleep on the word. From a
 * seat without a deadline: help, at most help_depth_max tasks deep, and sleep
 * at the seat when there is nothing to do, where new work finds the sleeper
 * too. From a seat beyond that depth, or with a deadline (a helped task could
 * outlast it, and there is no clock here to look at): a blocking section.
 */
#include "scheduler/await.h"

#include <errno.h>

#include "scheduler/futex.h"
#include "scheduler/thread.h"
#include "scheduler/worker.h"

static int await_on_word(const struct wyn_goal *goal, uint64_t deadline_ns)
{
	for (;;) {
		uint32_t value = wyn_goal_mark(goal, WYN_AWAIT_WAITER);

		if (wyn_goal_value(goal, value)) {
			return 0;
		}
		if (!wyn_futex_wait(goal->word, value, deadline_ns)) {
			return wyn_goal_reached(goal) ? 0 : -ETIMEDOUT;
		}
	}
}

static int await_blocked(const struct wyn_goal *goal, uint64_t deadline_ns)
{
	int r;

	if (wyn_block_begin() < 0) {
		return -EDEADLK;
	}
	r = await_on_word(goal, deadline_ns);
	wyn_block_end();
	return r;
}

static int await_helping(struct wyn_thread *thread, const struct wyn_goal *goal)
{
	struct wyn_item item;

	while (thread->seat != NULL && !wyn_goal_reached(goal)) {
		if (!wyn_worker_acquire(thread, goal, &item)) {
			break;
		}
		wyn_counter_add(&thread->counters.helped_approx, 1);
		thread->help_depth++;
		wyn_worker_execute(thread, item);
		thread->help_depth--;
	}
	if (wyn_goal_reached(goal)) {
		return 0;
	}
	/* Without the seat; or in a pool that is being destroyed, where what
	 * is queued has to end as cancelled for us to be woken. */
	if (wyn_park_stopped(&thread->pool->park)) {
		wyn_pool_discard(thread->pool);
	}
	return await_on_word(goal, WYN_DEADLINE_NONE);
}

int wyn_await_goal(struct wyn_pool *pool, const struct wyn_goal *goal,
	uint64_t deadline_ns)
{
	struct wyn_thread *thread = wyn_thread_self();

	if (wyn_goal_reached(goal)) {
		return 0;
	}
	if (wyn_pool_is_dead(pool)) {
		return -ESHUTDOWN;
	}
	if (deadline_ns == 0) {
		return -ETIMEDOUT;
	}
	if (thread == NULL || thread->seat == NULL) {
		return await_on_word(goal, deadline_ns);
	}
	if (thread->pool != pool || deadline_ns != WYN_DEADLINE_NONE ||
		thread->help_depth >= pool->config.help_depth_max) {
		return await_blocked(goal, deadline_ns);
	}
	return await_helping(thread, goal);
}

void wyn_await_wake(
	struct wyn_pool *pool, _Atomic uint32_t *word, uint32_t value)
{
	if ((value & WYN_AWAIT_WAITER) != 0) {
		wyn_futex_wake_all(word);
	}
	if ((value & WYN_AWAIT_HELPER) != 0) {
		wyn_park_poke(&pool->park, (const void *)word);
	}
}
