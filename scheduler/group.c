// SPDX-License-Identifier: MIT
/*
 * group.c - counting tasks, the first error, cancelling all.
 *
 * The word is the number of tasks that have not ended, with the marks of
 * wyn_await_goal above it. The group does not know its tasks: a cancelled one
 * is looked at by each task when it would start. After the count has been
 * lowered the group belongs to whoever waits for it.
 */
#include "scheduler/group.h"

#include <errno.h>
#include <stdatomic.h>

#include "base/assert.h"
#include "scheduler/await.h"
#include "scheduler/perturb.h"

#define COUNT_MASK (~WYN_AWAIT_WAITER)

/* The public struct has plain words, so that C++ compiles it. */
static _Atomic uint32_t *group_word(struct wyn_group *group)
{
	static_assert(sizeof(_Atomic uint32_t) == sizeof(uint32_t),
		"an atomic word is a word");
	return (_Atomic uint32_t *)&group->word;
}

void wyn_group_init(struct wyn_group *group, struct wyn_pool *pool)
{
	*group = (struct wyn_group){.pool = pool};
}

void wyn_group_enter(struct wyn_group *group)
{
	uint32_t before;

	WYN_STEP();
	before = atomic_fetch_add_explicit(
		group_word(group), 1, memory_order_relaxed);
	wyn_assert((before & COUNT_MASK) != COUNT_MASK);
}

void wyn_group_leave(struct wyn_group *group, int result)
{
	_Atomic uint32_t *word = group_word(group);
	int32_t none = 0;
	uint32_t before;

	if (result < 0) {
		__atomic_compare_exchange_n(&group->error, &none, result, false,
			__ATOMIC_RELAXED, __ATOMIC_RELAXED);
	}
	WYN_STEP();
	/* [done] publishes the error and what the task wrote. */
	before = atomic_fetch_sub_explicit(word, 1, memory_order_acq_rel);
	wyn_assert((before & COUNT_MASK) != 0);
	if ((before & COUNT_MASK) == 1) {
		wyn_await_wake(word, before);
	}
}

bool wyn_group_is_cancelled(const struct wyn_group *group)
{
	/* [cancel] a request carries no data, so relaxed is enough. */
	return __atomic_load_n(&group->cancelled, __ATOMIC_RELAXED) != 0;
}

int wyn_group_spawn(struct wyn_group *group, wyn_task_fn *fn, void *arg)
{
	struct wyn_spawn_options options = {.group = group};
	struct wyn_future *future;
	int r = wyn_pool_spawn(group->pool, fn, arg, &options, &future);

	if (r == 0) {
		wyn_future_drop(future);
	}
	return r;
}

static struct wyn_goal goal_of(struct wyn_group *group)
{
	return (struct wyn_goal){
		.word = group_word(group),
		.mask = COUNT_MASK,
		.when_set = false,
	};
}

static int group_error(const struct wyn_group *group)
{
	return __atomic_load_n(&group->error, __ATOMIC_RELAXED);
}

int wyn_group_wait_until(struct wyn_group *group, uint64_t deadline_ns)
{
	struct wyn_goal goal = goal_of(group);
	int r = wyn_await_until(group->pool, &goal, deadline_ns);

	return r < 0 ? r : group_error(group);
}

int wyn_group_wait(struct wyn_group *group)
{
	struct wyn_goal goal = goal_of(group);
	int r;

	wyn_await_help(group->pool, &goal);
	r = wyn_await_until(group->pool, &goal, WYN_DEADLINE_NONE);
	return r < 0 ? r : group_error(group);
}

void wyn_group_cancel(struct wyn_group *group)
{
	/* [cancel] looked at by each task before it starts. */
	__atomic_store_n(&group->cancelled, 1, __ATOMIC_RELAXED);
}
