// SPDX-License-Identifier: MIT
/*
 * future.c - the life of a future.
 *
 * One word says everything: RAN once a worker decided to run it, DONE at the
 * end, CANCEL when asked, CONSUMED when its place in the queue is gone,
 * DROPPED when the handle is, NEXT when another future waits for the end.
 * Cancellation and start race for one bit each by compare-exchange, so exactly
 * one of them wins. The memory goes back when both CONSUMED and DROPPED are
 * set, by whoever set the second.
 */
#include "scheduler/future.h"

#include <errno.h>
#include <stdatomic.h>

#include "base/assert.h"
#include "scheduler/await.h"
#include "scheduler/combination.h"
#include "scheduler/combine.h"
#include "scheduler/group.h"
#include "scheduler/perturb.h"
#include "scheduler/slab.h"
#include "scheduler/spawn.h"
#include "scheduler/thread.h"
#include "scheduler/worker.h"

static_assert(sizeof(struct wyn_future) <= WYN_SLAB_SLOT_BYTES,
	"a future fits its slot");
/* What a pending future costs: its slot, and its place in a queue. */
static_assert(WYN_SLAB_SLOT_BYTES + sizeof(struct wyn_item) <= 64,
	"the bound that the README names");
static_assert(sizeof(struct wyn_value) == 16, "a value is two words");

struct wyn_pool *wyn_future_pool(const struct wyn_future *future)
{
	return wyn_slab_owner(future);
}

static struct wyn_goal goal_of(const struct wyn_future *future)
{
	return (struct wyn_goal){
		.word = (_Atomic uint32_t *)&future->state,
		.mask = WYN_FUTURE_DONE,
		.when_set = true,
	};
}

static void slot_release(struct wyn_pool *pool, struct wyn_future *future)
{
	wyn_slab_release(future, wyn_pool_producer(pool)->magazine);
}

/* Both sides are through with it: frees it and what it alone kept. A loop,
 * since combinations of combinations may be deep. */
static void future_free(struct wyn_pool *pool, struct wyn_future *future)
{
	struct wyn_future *garbage = NULL;

	while (future != NULL) {
		/* Final: both sides are through. */
		uint32_t state = atomic_load_explicit(
			&future->state, memory_order_relaxed);
		bool read = (state & WYN_FUTURE_READ) != 0;
		struct wyn_combination *combination =
			wyn_future_combination(future);

		if ((state & WYN_FUTURE_RAN) != 0 && !read &&
			future->result == 0 && future->value_destroy != NULL) {
			future->value_destroy(future->value);
		}
		if (combination != NULL) {
			wyn_combination_fini(pool, combination, read, &garbage);
		}
		slot_release(pool, future);
		future = garbage;
		garbage = future != NULL ? future->next : NULL;
	}
}

/* One RMW ends the task. After it the future is touched only if the handle
 * was dropped before, which makes it ours, or if another future waits for it
 * and so keeps it. `flags` say what ends with it. Returns: that other. */
static struct wyn_future *future_end(struct wyn_future *future, uint32_t flags)
{
	uint32_t before;

	WYN_STEP();
	/* [done] publishes the value; sees every mark left before.
	 * [continue] sees that somebody attached, or is seen there. */
	before = atomic_fetch_or_explicit(
		&future->state, flags, memory_order_acq_rel);

	wyn_assert((before & WYN_FUTURE_DONE) == 0);
	wyn_await_wake(&future->state, before);
	if ((before & WYN_FUTURE_NEXT) != 0) {
		return future->next;
	}
	if ((before & WYN_FUTURE_DROPPED) != 0 &&
		((before | flags) & WYN_FUTURE_CONSUMED) != 0) {
		future_free(wyn_future_pool(future), future);
	}
	return NULL;
}

/* Consumes the place in the queue of one that was cancelled or run by who
 * awaits it. */
uint32_t wyn_future_consume(struct wyn_future *future)
{
	uint32_t before;

	WYN_STEP();
	/* [cancel] with the canceller's or the dropper's RMW. */
	before = atomic_fetch_or_explicit(
		&future->state, WYN_FUTURE_CONSUMED, memory_order_acq_rel);

	if ((before & WYN_FUTURE_DROPPED) != 0) {
		future_free(wyn_future_pool(future), future);
	}
	return before;
}

/* Decides who runs it, or ends it without a run. False: somebody else, or
 * nobody, since it was cancelled or one of `others` is set. */
static bool future_start(struct wyn_future *future, uint32_t others)
{
	uint32_t state =
		atomic_load_explicit(&future->state, memory_order_relaxed);

	do {
		if ((state & (WYN_FUTURE_RAN | WYN_FUTURE_DONE | others)) !=
			0) {
			return false;
		}
		WYN_STEP();
		/* [cancel] whoever sets the first of RAN and DONE decides. */
	} while (!atomic_compare_exchange_weak_explicit(&future->state, &state,
		state | WYN_FUTURE_RAN, memory_order_acquire,
		memory_order_relaxed));
	return true;
}

bool wyn_future_begin(struct wyn_future *future)
{
	return future_start(future, 0);
}

/* Sets DONE unless it has started. True: it will never run. */
static bool future_stop(struct wyn_future *future, uint32_t flags)
{
	struct wyn_group *group = wyn_future_group(future);
	uint32_t state =
		atomic_load_explicit(&future->state, memory_order_relaxed);

	do {
		if ((state & (WYN_FUTURE_RAN | WYN_FUTURE_DONE)) != 0) {
			return false;
		}
		WYN_STEP();
		/* [cancel] the other side of future_start's. [continue] */
	} while (!atomic_compare_exchange_weak_explicit(&future->state, &state,
		state | WYN_FUTURE_CANCEL | WYN_FUTURE_DONE | flags,
		memory_order_acq_rel, memory_order_relaxed));
	wyn_await_wake(&future->state, state);
	if (group != NULL) {
		wyn_group_leave(group, -ECANCELED);
	}
	if ((state & WYN_FUTURE_NEXT) != 0) {
		wyn_combine_tell(future->next, future);
	} else if ((state & WYN_FUTURE_DROPPED) != 0 &&
		   (flags & WYN_FUTURE_CONSUMED) != 0) {
		future_free(wyn_future_pool(future), future);
	}
	return true;
}

void wyn_future_discard(struct wyn_future *future)
{
	wyn_pool_leave(wyn_future_pool(future), 1);
	if (!future_stop(future, WYN_FUTURE_CONSUMED)) {
		(void)wyn_future_consume(future);
	}
}

/* Runs the body, unless its group was cancelled meanwhile. The group may be
 * looked at from the start to the leave; before that a canceller may have
 * left it for us, and after it, it is gone. */
static void future_body(struct wyn_thread *thread, struct wyn_future *future)
{
	struct wyn_group *group = wyn_future_group(future);
	struct wyn_future *outer = thread->task;
	struct wyn_value value = {.u64 = {0, 0}};

	if (group != NULL && wyn_group_is_cancelled(group)) {
		wyn_counter_add(&thread->counters.cancelled_approx, 1);
		future->result = -ECANCELED;
		return;
	}
	thread->task = future;
	future->result = future->call.fn(future->call.arg, &value);
	thread->task = outer;
	future->value = value;
}

/* Ends a future that has run, and its membership. Returns: who waits for it
 * and keeps it until told, or NULL. */
static struct wyn_future *future_finish(
	struct wyn_future *future, uint32_t flags)
{
	struct wyn_group *group = wyn_future_group(future);
	int r = future->result;
	struct wyn_future *next = future_end(future, flags);

	if (group != NULL) {
		wyn_group_leave(group, r);
	}
	return next;
}

static void future_finish_and_tell(struct wyn_future *future, uint32_t flags)
{
	struct wyn_future *next = future_finish(future, flags);

	if (WYN_UNLIKELY(next != NULL)) {
		wyn_combine_tell(next, future);
	}
}

struct wyn_future *wyn_future_settle(struct wyn_future *future, int result,
	struct wyn_value value, uint32_t flags)
{
	future->result = result;
	future->value = value;
	return future_finish(future, flags);
}

void wyn_future_run(void *arg)
{
	struct wyn_future *future = arg;
	struct wyn_thread *thread = wyn_thread_self();

	if (!future_start(future, 0)) {
		wyn_thread_leave(thread);
		if ((wyn_future_consume(future) & WYN_FUTURE_RAN) == 0) {
			wyn_counter_add(&thread->counters.cancelled_approx, 1);
		}
		return;
	}
	future_body(thread, future);
	wyn_thread_leave(thread);
	future_finish_and_tell(future, WYN_FUTURE_DONE | WYN_FUTURE_CONSUMED);
}

/* Runs an awaited future here and now if nobody has begun with it. It still
 * has its place in a queue, where it counts and where it is consumed. */
static void future_claim(struct wyn_future *future)
{
	struct wyn_thread *thread = wyn_thread_self();
	int64_t outer_floor;

	/* One that is held for others is in no queue, and not to be started. */
	if ((atomic_load_explicit(&future->state, memory_order_relaxed) &
		    (WYN_FUTURE_DONE | WYN_FUTURE_HELD)) != 0 ||
		!wyn_await_may_claim(wyn_future_pool(future)) ||
		!future_start(future, WYN_FUTURE_HELD)) {
		return;
	}
	wyn_counter_add(&thread->counters.helped_approx, 1);
	outer_floor = wyn_worker_floor(thread);
	thread->help_depth++;
	future_body(thread, future);
	thread->help_depth--;
	thread->floor = outer_floor;
	future_finish_and_tell(future, WYN_FUTURE_DONE);
}

struct wyn_future *wyn_future_make(struct wyn_pool *pool,
	const struct wyn_spawn_options *options, uint32_t state)
{
	struct wyn_group *group = options != NULL ? options->group : NULL;
	struct wyn_future *future = wyn_slab_acquire(
		&pool->slabs, wyn_pool_producer(pool)->magazine);

	if (future == NULL) {
		return NULL;
	}
	future->value_destroy = options != NULL ? options->value_destroy : NULL;
	future->group = group;
	future->result = 0;
	atomic_init(&future->state, state);
	if (group != NULL) {
		wyn_group_enter(group);
	}
	return future;
}

void wyn_future_unmake(struct wyn_future *future)
{
	struct wyn_group *group = wyn_future_group(future);

	if (group != NULL) {
		wyn_group_leave(group, 0);
	}
	slot_release(wyn_future_pool(future), future);
}

int wyn_pool_spawn(struct wyn_pool *pool, wyn_task_fn *fn, void *arg,
	const struct wyn_spawn_options *options, struct wyn_future **ret_future)
{
	struct wyn_group *group = options != NULL ? options->group : NULL;
	struct wyn_item item = {.fn = wyn_future_run};
	struct wyn_future *future;
	int r;

	if (wyn_pool_is_dead(pool)) {
		return -ESHUTDOWN;
	}
	if (group != NULL && wyn_group_is_cancelled(group)) {
		return -ECANCELED;
	}
	future = wyn_future_make(pool, options, 0);
	if (future == NULL) {
		return -ENOMEM;
	}
	future->call.fn = fn;
	future->call.arg = arg;
	item.arg = future;
	r = wyn_pool_inject_one(pool, item);
	if (r < 0) {
		wyn_future_unmake(future);
		return r;
	}
	*ret_future = future;
	return 0;
}

bool wyn_future_attach(struct wyn_future *future, struct wyn_future *next)
{
	uint32_t state =
		atomic_load_explicit(&future->state, memory_order_relaxed);

	do {
		/* A combinator takes its inputs, so there is one at most. */
		wyn_assert((state & WYN_FUTURE_NEXT) == 0);
		if ((state & WYN_FUTURE_DONE) != 0) {
			/* [done] acquires the outcome, as an await does. */
			(void)atomic_load_explicit(
				&future->state, memory_order_acquire);
			return false;
		}
		future->next = next;
		/* [continue] publishes `next` to whoever ends it. */
	} while (!atomic_compare_exchange_weak_explicit(&future->state, &state,
		state | WYN_FUTURE_NEXT, memory_order_release,
		memory_order_relaxed));
	return true;
}

int wyn_future_outcome(struct wyn_future *future)
{
	/* [done] acquires the value. */
	uint32_t state =
		atomic_load_explicit(&future->state, memory_order_acquire);

	return (state & WYN_FUTURE_RAN) != 0 ? future->result : -ECANCELED;
}

void wyn_future_keep(struct wyn_future *future)
{
	if ((atomic_load_explicit(&future->state, memory_order_relaxed) &
		    WYN_FUTURE_READ) == 0) {
		/* Whoever frees it is ordered behind us by what it frees it
		 * for. */
		atomic_fetch_or_explicit(
			&future->state, WYN_FUTURE_READ, memory_order_relaxed);
	}
}

/* What an await gives once the future is done. */
static int future_read(struct wyn_future *future, struct wyn_value *ret_value)
{
	int r = wyn_future_outcome(future);

	if (r < 0 || ret_value == NULL) {
		return r;
	}
	*ret_value = future->value;
	if (future->value_destroy != NULL ||
		wyn_future_combination(future) != NULL) {
		wyn_future_keep(future);
	}
	return r;
}

int wyn_future_await(struct wyn_future *future, struct wyn_value *ret_value)
{
	struct wyn_goal goal = goal_of(future);
	struct wyn_pool *pool;
	int r;

	if (wyn_goal_reached(&goal)) {
		return future_read(future, ret_value);
	}
	pool = wyn_future_pool(future);
	wyn_await_help(pool, &goal);
	future_claim(future);
	r = wyn_await_until(pool, &goal, WYN_DEADLINE_NONE);
	return r < 0 ? r : future_read(future, ret_value);
}

int wyn_future_await_until(struct wyn_future *future, uint64_t deadline_ns,
	struct wyn_value *ret_value)
{
	struct wyn_goal goal = goal_of(future);
	int r = wyn_await_until(wyn_future_pool(future), &goal, deadline_ns);

	return r < 0 ? r : future_read(future, ret_value);
}

bool wyn_future_ready(const struct wyn_future *future)
{
	struct wyn_goal goal = goal_of(future);

	return wyn_goal_reached(&goal);
}

bool wyn_future_stop(struct wyn_future *future)
{
	if (future_stop(future, 0)) {
		return true;
	}
	WYN_STEP();
	/* [cancel] polled by the running task. */
	atomic_fetch_or_explicit(
		&future->state, WYN_FUTURE_CANCEL, memory_order_relaxed);
	return false;
}

bool wyn_future_cancel(struct wyn_future *future)
{
	if (!wyn_future_stop(future)) {
		return (atomic_load_explicit(
				&future->state, memory_order_relaxed) &
			       WYN_FUTURE_RAN) == 0;
	}
	if (wyn_future_combination(future) != NULL) {
		wyn_combine_cancel(future);
	}
	return true;
}

bool wyn_future_let_go(struct wyn_future *future)
{
	/* [done] Its task has ended and nobody else has it: no RMW needed. */
	uint32_t before =
		atomic_load_explicit(&future->state, memory_order_acquire);

	if (WYN_UNLIKELY((before & WYN_FUTURE_CONSUMED) == 0)) {
		WYN_STEP();
		/* [done] acquires what the end wrote, for the destructor;
		 * releases the awaits of this thread to whoever frees it. */
		before = atomic_fetch_or_explicit(&future->state,
			WYN_FUTURE_DROPPED, memory_order_acq_rel);
	}
	wyn_assert((before & WYN_FUTURE_DROPPED) == 0);
	return (before & WYN_FUTURE_CONSUMED) != 0;
}

void wyn_future_drop(struct wyn_future *future)
{
	struct wyn_pool *pool = future != NULL ? wyn_future_pool(future) : NULL;

	/* A forked child's locks may be held by threads it does not have. */
	if (pool == NULL || wyn_pool_is_dead(pool)) {
		return;
	}
	if (wyn_future_let_go(future)) {
		future_free(pool, future);
	}
}

bool wyn_task_cancelled(void)
{
	struct wyn_thread *thread = wyn_thread_self();
	struct wyn_future *task = thread != NULL ? thread->task : NULL;
	struct wyn_group *group;

	if (task == NULL) {
		return false;
	}
	group = wyn_future_group(task);
	/* [cancel] a request carries no data, so relaxed is enough. */
	return (atomic_load_explicit(&task->state, memory_order_relaxed) &
		       WYN_FUTURE_CANCEL) != 0 ||
	       (group != NULL && wyn_group_is_cancelled(group));
}
