// SPDX-License-Identifier: MIT
/*
 * future.c - the life of a future.
 *
 * One word says everything: RAN once a worker decided to run it, DONE at the
 * end, CANCEL when asked, CONSUMED when its place in the queue is gone,
 * DROPPED when the handle is. Cancellation and start race for one bit each
 * by compare-exchange, so exactly one of them wins. The memory goes back
 * when both CONSUMED and DROPPED are set, by whoever set the second.
 */
#include "scheduler/future.h"

#include <errno.h>
#include <stdatomic.h>

#include "base/assert.h"
#include "scheduler/await.h"
#include "scheduler/group.h"
#include "scheduler/slab.h"
#include "scheduler/spawn.h"
#include "scheduler/thread.h"
#include "scheduler/worker.h"

enum future_flags {
	FUTURE_RAN = 1 << 0,
	FUTURE_DONE = 1 << 1,
	FUTURE_CANCEL = 1 << 2,
	FUTURE_CONSUMED = 1 << 3,
	FUTURE_DROPPED = 1 << 4,
	FUTURE_READ = 1 << 5, /* somebody has the value */
};

struct wyn_future {
	union {
		struct {
			wyn_task_fn *fn;
			void *arg;
		} call;			/* until it runs */
		struct wyn_value value; /* [A done] from DONE on */
	};
	void (*value_destroy)(struct wyn_value value); /* [I] */
	struct wyn_group *group; /* [I] not touched after its leave */
	_Atomic uint32_t state;	 /* [A done] [A cancel] */
	int32_t result;		 /* [A done] if RAN */
};

static_assert(sizeof(struct wyn_future) <= WYN_SLAB_SLOT_BYTES,
	"a future fits its slot");
/* What a pending future costs: its slot, and its place in a queue. */
static_assert(WYN_SLAB_SLOT_BYTES + sizeof(struct wyn_item) <= 72,
	"the bound that wyn/future.h and the README name");
static_assert(sizeof(struct wyn_value) == 16, "a value is two words");

static struct wyn_pool *pool_of(const struct wyn_future *future)
{
	return wyn_slab_owner(future);
}

static struct wyn_goal goal_of(const struct wyn_future *future)
{
	return (struct wyn_goal){
		.word = (_Atomic uint32_t *)&future->state,
		.mask = FUTURE_DONE,
		.when_set = true,
	};
}

static void slot_release(struct wyn_future *future)
{
	struct wyn_pool *pool = pool_of(future);

	wyn_slab_release(future, wyn_pool_producer(pool)->magazine);
}

/* Both sides are through with it. */
static void future_free(struct wyn_future *future, uint32_t state)
{
	if ((state & (FUTURE_RAN | FUTURE_READ)) == FUTURE_RAN &&
		future->result == 0 && future->value_destroy != NULL) {
		future->value_destroy(future->value);
	}
	slot_release(future);
}

/* One RMW ends the task. After it the future is touched only if the handle
 * was dropped before, which makes it ours. `flags` say what ends with it. */
static void future_end(struct wyn_future *future, uint32_t flags)
{
	/* [done] publishes the value; sees every mark left before. */
	uint32_t before = atomic_fetch_or_explicit(
		&future->state, flags, memory_order_acq_rel);

	wyn_assert((before & FUTURE_DONE) == 0);
	if ((before & FUTURE_DROPPED) != 0) {
		future_free(future, before);
		return;
	}
	wyn_await_wake(&future->state, before);
}

/* Consumes the place in the queue of one that was cancelled or run by who
 * awaits it. Returns: the state before. */
static uint32_t future_consume(struct wyn_future *future)
{
	/* [cancel] with the canceller's or the dropper's RMW. */
	uint32_t before = atomic_fetch_or_explicit(
		&future->state, FUTURE_CONSUMED, memory_order_acq_rel);

	if ((before & FUTURE_DROPPED) != 0) {
		future_free(future, before);
	}
	return before;
}

/* Decides who runs it. False: somebody else, or nobody, since it was
 * cancelled. */
static bool future_start(struct wyn_future *future)
{
	uint32_t state =
		atomic_load_explicit(&future->state, memory_order_relaxed);

	do {
		if ((state & (FUTURE_RAN | FUTURE_DONE)) != 0) {
			return false;
		}
		/* [cancel] whoever sets the first of RAN and DONE decides. */
	} while (!atomic_compare_exchange_weak_explicit(&future->state, &state,
		state | FUTURE_RAN, memory_order_acquire,
		memory_order_relaxed));
	return true;
}

/* Sets DONE unless it has started. True: it will never run. */
static bool future_stop(struct wyn_future *future, uint32_t flags)
{
	struct wyn_group *group = future->group;
	uint32_t state =
		atomic_load_explicit(&future->state, memory_order_relaxed);

	do {
		if ((state & (FUTURE_RAN | FUTURE_DONE)) != 0) {
			return false;
		}
		/* [cancel] the other side of future_start's. */
	} while (!atomic_compare_exchange_weak_explicit(&future->state, &state,
		state | FUTURE_CANCEL | FUTURE_DONE | flags,
		memory_order_acq_rel, memory_order_relaxed));
	wyn_await_wake(&future->state, state);
	if (group != NULL) {
		wyn_group_leave(group, -ECANCELED);
	}
	if ((state & FUTURE_DROPPED) != 0 && (flags & FUTURE_CONSUMED) != 0) {
		future_free(future, state);
	}
	return true;
}

void wyn_future_discard(struct wyn_future *future)
{
	wyn_pool_leave(pool_of(future), 1);
	if (!future_stop(future, FUTURE_CONSUMED)) {
		(void)future_consume(future);
	}
}

/* Runs the body, unless its group was cancelled meanwhile. The group may be
 * looked at from the start to the leave; before that a canceller may have
 * left it for us, and after it, it is gone. */
static void future_body(struct wyn_thread *thread, struct wyn_future *future)
{
	struct wyn_future *outer = thread->task;
	struct wyn_value value = {.u64 = {0, 0}};

	if (future->group != NULL && wyn_group_is_cancelled(future->group)) {
		wyn_counter_add(&thread->counters.cancelled_approx, 1);
		future->result = -ECANCELED;
		return;
	}
	thread->task = future;
	future->result = future->call.fn(future->call.arg, &value);
	thread->task = outer;
	future->value = value;
}

/* Ends a future that has run, and its membership. */
static void future_finish(struct wyn_future *future, uint32_t flags)
{
	struct wyn_group *group = future->group;
	int r = future->result;

	future_end(future, flags);
	if (group != NULL) {
		wyn_group_leave(group, r);
	}
}

void wyn_future_run(void *arg)
{
	struct wyn_future *future = arg;
	struct wyn_thread *thread = wyn_thread_self();

	if (!future_start(future)) {
		wyn_thread_leave(thread);
		if ((future_consume(future) & FUTURE_RAN) == 0) {
			wyn_counter_add(&thread->counters.cancelled_approx, 1);
		}
		return;
	}
	future_body(thread, future);
	wyn_thread_leave(thread);
	future_finish(future, FUTURE_DONE | FUTURE_CONSUMED);
}

/* Runs an awaited future here and now if nobody has begun with it. It still
 * has its place in a queue, where it counts and where it is consumed. */
static void future_claim(struct wyn_future *future)
{
	struct wyn_thread *thread = wyn_thread_self();
	int64_t outer_floor;

	if (wyn_future_ready(future) || !wyn_await_may_claim(pool_of(future)) ||
		!future_start(future)) {
		return;
	}
	wyn_counter_add(&thread->counters.helped_approx, 1);
	outer_floor = wyn_worker_floor(thread);
	thread->help_depth++;
	future_body(thread, future);
	thread->help_depth--;
	thread->floor = outer_floor;
	future_finish(future, FUTURE_DONE);
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
	future = wyn_slab_acquire(
		&pool->slabs, wyn_pool_producer(pool)->magazine);
	if (future == NULL) {
		return -ENOMEM;
	}
	future->call.fn = fn;
	future->call.arg = arg;
	future->value_destroy = options != NULL ? options->value_destroy : NULL;
	future->group = group;
	future->result = 0;
	atomic_init(&future->state, 0);
	if (group != NULL) {
		wyn_group_enter(group);
	}
	item.arg = future;
	r = wyn_pool_inject_one(pool, item);
	if (r < 0) {
		if (group != NULL) {
			wyn_group_leave(group, 0);
		}
		slot_release(future);
		return r;
	}
	*ret_future = future;
	return 0;
}

/* What an await gives once the future is done. */
static int future_read(struct wyn_future *future, struct wyn_value *ret_value)
{
	/* [done] acquires the value. */
	uint32_t state =
		atomic_load_explicit(&future->state, memory_order_acquire);

	if ((state & FUTURE_RAN) == 0) {
		return -ECANCELED;
	}
	if (future->result < 0 || ret_value == NULL) {
		return future->result;
	}
	*ret_value = future->value;
	if ((state & FUTURE_READ) == 0) {
		atomic_fetch_or_explicit(
			&future->state, FUTURE_READ, memory_order_relaxed);
	}
	return future->result;
}

int wyn_future_await(struct wyn_future *future, struct wyn_value *ret_value)
{
	struct wyn_pool *pool = pool_of(future);
	struct wyn_goal goal = goal_of(future);
	int r;

	wyn_await_help(pool, &goal);
	future_claim(future);
	r = wyn_await_until(pool, &goal, WYN_DEADLINE_NONE);
	return r < 0 ? r : future_read(future, ret_value);
}

int wyn_future_await_until(struct wyn_future *future, uint64_t deadline_ns,
	struct wyn_value *ret_value)
{
	struct wyn_goal goal = goal_of(future);
	int r = wyn_await_until(pool_of(future), &goal, deadline_ns);

	return r < 0 ? r : future_read(future, ret_value);
}

bool wyn_future_ready(const struct wyn_future *future)
{
	struct wyn_goal goal = goal_of(future);

	return wyn_goal_reached(&goal);
}

bool wyn_future_cancel(struct wyn_future *future)
{
	if (future_stop(future, 0)) {
		return true;
	}
	/* [cancel] polled by the running task. */
	return (atomic_fetch_or_explicit(
			&future->state, FUTURE_CANCEL, memory_order_relaxed) &
		       FUTURE_RAN) == 0;
}

void wyn_future_drop(struct wyn_future *future)
{
	uint32_t before;

	/* A forked child's locks may be held by threads it does not have. */
	if (future == NULL || wyn_pool_is_dead(pool_of(future))) {
		return;
	}
	/* [done] Its task has ended and nobody else has it: no RMW needed. */
	before = atomic_load_explicit(&future->state, memory_order_acquire);
	if (WYN_LIKELY((before & FUTURE_CONSUMED) != 0)) {
		wyn_assert((before & FUTURE_DROPPED) == 0);
		future_free(future, before);
		return;
	}
	/* [done] acquires what the end wrote, for the destructor; releases
	 * the awaits of this thread to whoever frees it. */
	before = atomic_fetch_or_explicit(
		&future->state, FUTURE_DROPPED, memory_order_acq_rel);
	wyn_assert((before & FUTURE_DROPPED) == 0);
	if ((before & FUTURE_CONSUMED) != 0) {
		future_free(future, before);
	}
}

bool wyn_task_cancelled(void)
{
	struct wyn_thread *thread = wyn_thread_self();
	struct wyn_future *task = thread != NULL ? thread->task : NULL;

	if (task == NULL) {
		return false;
	}
	/* [cancel] a request carries no data, so relaxed is enough. */
	return (atomic_load_explicit(&task->state, memory_order_relaxed) &
		       FUTURE_CANCEL) != 0 ||
	       (task->group != NULL && wyn_group_is_cancelled(task->group));
}
