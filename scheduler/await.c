// SPDX-License-Identifier: MIT
/*
 * await.c - helping, then sleeping.
 *
 * Helping runs another task on the stack of the one that awaits, which cannot
 * go on before that task has ended. So a task may be helped only if it cannot
 * wait for anything that is buried below it: here its descendants, of which the
 * header forbids that they await their ancestors, and in future.c the awaited
 * task itself. Anything else could wait for a buried task although no task
 * waits for itself, and neither would ever end.
 */
#include "scheduler/await.h"

#include <errno.h>

#include "scheduler/combination.h"
#include "scheduler/future.h"
#include "scheduler/futex.h"
#include "scheduler/perturb.h"
#include "scheduler/spawn.h"
#include "scheduler/thread.h"
#include "scheduler/worker.h"

/* Between two looks at an awaited word. */
#define AWAIT_PAUSES 4u

static int await_on_word(const struct wyn_goal *goal, uint64_t deadline_ns)
{
	for (;;) {
		uint32_t value;

		WYN_STEP();
		/* [done] the end's RMW either sees the mark or is seen here. */
		value = WYN_AWAIT_WAITER |
			atomic_fetch_or_explicit(goal->word, WYN_AWAIT_WAITER,
				memory_order_acq_rel);
		if (wyn_goal_value(goal, value)) {
			return 0;
		}
		if (!wyn_futex_wait(goal->word, value, deadline_ns)) {
			return wyn_goal_reached(goal) ? 0 : -ETIMEDOUT;
		}
	}
}

/* A short task ends before we could be asleep and awake again. */
static bool await_spinning(
	const struct wyn_pool *pool, const struct wyn_goal *goal)
{
	for (unsigned i = 0; i < pool->config.spin_max; i++) {
		if (wyn_goal_reached(goal)) {
			return true;
		}
		wyn_cpu_relax_for(AWAIT_PAUSES);
	}
	return wyn_goal_reached(goal);
}

static int await_blocked(struct wyn_pool *pool, const struct wyn_goal *goal,
	uint64_t deadline_ns)
{
	int r;

	/* In a pool that is being destroyed what is queued ends as cancelled,
	 * and this may be the only thread that is left to see to it. */
	if (wyn_park_stopped(&pool->park)) {
		wyn_pool_discard(pool);
		return await_on_word(goal, deadline_ns);
	}
	if (wyn_block_begin() < 0) {
		return -EDEADLK;
	}
	r = await_on_word(goal, deadline_ns);
	wyn_block_end();
	return r;
}

/* Whether only the end of the running task can end this wait: of its future,
 * or of a group that it belongs to. */
static bool await_of_itself(
	const struct wyn_thread *thread, const struct wyn_goal *goal)
{
	struct wyn_future *task = thread != NULL ? thread->task : NULL;
	struct wyn_group *group = task != NULL ? wyn_future_group(task) : NULL;

	return task != NULL &&
	       (goal->word == &task->state ||
		       (group != NULL && (void *)goal->word == &group->word));
}

int wyn_await_until(struct wyn_pool *pool, const struct wyn_goal *goal,
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
	if (await_of_itself(thread, goal)) {
		return -EDEADLK;
	}
	if (await_spinning(pool, goal)) {
		return 0;
	}
	if (thread == NULL || thread->seat == NULL) {
		return await_on_word(goal, deadline_ns);
	}
	return await_blocked(pool, goal, deadline_ns);
}

/* The calling thread, if a task may run on the stack of the one it runs. */
static struct wyn_thread *nester(const struct wyn_pool *pool)
{
	struct wyn_thread *thread = wyn_thread_self_of(pool);

	return thread != NULL && thread->seat != NULL &&
			       thread->help_depth < pool->config.help_depth_max
		       ? thread
		       : NULL;
}

void wyn_await_help(struct wyn_pool *pool, const struct wyn_goal *goal)
{
	struct wyn_thread *thread;
	struct wyn_item item;

	/* A nested task may come back without the seat. */
	while (!wyn_goal_reached(goal) && (thread = nester(pool)) != NULL &&
		wyn_worker_descendant(thread, &item)) {
		wyn_counter_add(&thread->counters.helped_approx, 1);
		wyn_worker_nest(thread, item);
	}
}

bool wyn_await_may_claim(struct wyn_pool *pool)
{
	struct wyn_thread *thread = nester(pool);

	if (thread == NULL) {
		return false;
	}
	if (thread->claims == WYN_AWAIT_CLAIMS_MAX) {
		if (wyn_injector_length(&pool->injector) > 0) {
			return false;
		}
		thread->claims = 0;
	}
	thread->claims++;
	return true;
}

void wyn_await_wake(_Atomic uint32_t *word, uint32_t value)
{
	if ((value & WYN_AWAIT_WAITER) != 0) {
		wyn_futex_wake_all(word);
	}
}
