// SPDX-License-Identifier: MIT
/*
 * forkjoin.c - a fork that somebody else took, and a join that finds it gone.
 *
 * A fork waits in the deque of the worker that forked it and is never claimed
 * there by anybody but who takes it out, so its memory is the joiner's again
 * when its state says so, and no queue points to it any more. A joiner that has
 * to wait leapfrogs (Wagner and Calder, PPoPP 1993): it steals from the thief,
 * and only what lies above the mark that the fork left in the thief's deque:
 * descendants of the fork, which must not await their ancestors.
 */
#include "scheduler/forkjoin.h"

#include <stdatomic.h>

#include "base/assert.h"
#include "scheduler/await.h"
#include "scheduler/futex.h"
#include "scheduler/perturb.h"
#include "scheduler/spawn.h"
#include "scheduler/thread.h"
#include "scheduler/worker.h"

#define FORK_DONE     (UINT32_C(1) << 0)
#define FORK_RETURNED (UINT32_C(1) << 1) /* nobody will run it */

/* Looks, a microsecond apart, before a join blocks. */
#define JOIN_ROUNDS 200u
#define JOIN_PAUSES 32u

static_assert(WYN_FORK_SLOTS == WYN_DEQUE_SIZE, "one deque, two views");
static_assert(offsetof(struct wyn_fork_deque, claim) ==
		      offsetof(struct wyn_deque, claim),
	"one deque, two views");
static_assert(offsetof(struct wyn_fork_deque, lock) ==
		      offsetof(struct wyn_deque, lock),
	"one deque, two views");
static_assert(offsetof(struct wyn_fork_deque, slots) ==
		      offsetof(struct wyn_deque, slots),
	"one deque, two views");
static_assert(offsetof(struct wyn_deque, taken_seen) == 8, "the owner's line");

static struct wyn_forker forker_outside;

static _Atomic uint32_t *state_of(struct wyn_fork *fork)
{
	return (_Atomic uint32_t *)&fork->state;
}

static _Atomic uint32_t *where_of(struct wyn_fork *fork)
{
	return (_Atomic uint32_t *)&fork->where;
}

void wyn_forker_init(struct wyn_thread *thread)
{
	thread->forker = (struct wyn_forker){
		.park_word = (const uint64_t *)&thread->pool->park.word,
		.searching_mask = WYN_PARK_FIELD_MASK,
		.parked_mask = WYN_PARK_TOP_MASK,
		.full_fence = !wyn_fence_is_asymmetric,
	};
}

void wyn_forker_seat(struct wyn_thread *thread, struct wyn_seat *seat)
{
	uint32_t where = seat != NULL ? seat->index + 1 : 0;

	for (struct wyn_fork *fork = thread->fork; fork != NULL;
		fork = fork->outer) {
		WYN_STEP();
		/* [leap] before the seat's next thread pushes anything. */
		atomic_store_explicit(
			where_of(fork), where, memory_order_release);
	}
	thread->forker.deque =
		seat != NULL ? (struct wyn_fork_deque *)&seat->deque : NULL;
}

struct wyn_forker *wyn_forker_self(void)
{
	struct wyn_thread *thread = wyn_thread_self();

	return thread != NULL ? &thread->forker : &forker_outside;
}

/* Tells the owner, whose the fork is from the RMW on. */
static void fork_mark(struct wyn_fork *fork, uint32_t mark)
{
	_Atomic uint32_t *state = state_of(fork);
	uint32_t before;

	WYN_STEP();
	/* [done] publishes what the body wrote; sees a mark left before. */
	before = atomic_fetch_or_explicit(state, mark, memory_order_acq_rel);
	wyn_await_wake(state, before);
}

void wyn_fork_run_(void *arg)
{
	struct wyn_fork *fork = arg;
	struct wyn_thread *thread = wyn_thread_self();

	/* Its beginning counts where its end will: nobody else knows of it. */
	wyn_counter_add(&thread->counters.spawned, 1);
	fork->outer = thread->fork;
	fork->floor = thread->floor;
	thread->fork = fork;
	WYN_STEP();
	/* [leap] publishes the floor. */
	atomic_store_explicit(
		where_of(fork), thread->seat->index + 1, memory_order_release);
	fork->fn(&thread->forker, fork);
	thread->fork = fork->outer;
	WYN_STEP();
	/* [leap] before this thread pushes what is no descendant of it. */
	atomic_store_explicit(where_of(fork), 0, memory_order_relaxed);
	if (WYN_UNLIKELY(thread->seat == NULL)) {
		wyn_thread_offer(thread);
	}
	fork_mark(fork, FORK_DONE);
}

void wyn_fork_discard(struct wyn_fork *fork)
{
	fork_mark(fork, FORK_RETURNED);
}

void wyn_fork_full_fence_(void)
{
	wyn_fence_full();
}

void wyn_fork_notify_(struct wyn_forker *forker)
{
	struct wyn_thread *thread =
		WYN_CONTAINER_OF(forker, struct wyn_thread, forker);

	wyn_park_notify(&thread->pool->park);
}

void wyn_fork_slow_(struct wyn_forker *forker, struct wyn_fork *fork)
{
	struct wyn_item item = {.fn = wyn_fork_run_, .arg = fork};

	if (forker->deque != NULL) {
		struct wyn_thread *thread =
			WYN_CONTAINER_OF(forker, struct wyn_thread, forker);

		/* Perhaps it only seemed full. */
		if (wyn_deque_push(&thread->seat->deque, item)) {
			wyn_park_notify(&thread->pool->park);
			return;
		}
	}
	fork->fn(forker, fork);
	fork->state = FORK_DONE;
}

/* Runs what lies in the own deque above the floor, until the fork is found
 * there, or its state says that it needs nobody. True: it has been run. */
static bool join_own(struct wyn_thread *thread, struct wyn_fork *fork,
	const struct wyn_goal *goal)
{
	struct wyn_item item;

	while (!wyn_goal_reached(goal) && thread->seat != NULL &&
		wyn_worker_descendant(thread, &item)) {
		if (item.fn == wyn_fork_run_ && item.arg == fork) {
			fork->fn(&thread->forker, fork);
			return true;
		}
		wyn_counter_add(&thread->counters.helped_approx, 1);
		wyn_worker_nest(thread, item);
	}
	return false;
}

/* Takes one descendant of the fork from the thief's deque and runs it. */
static bool join_leap(struct wyn_thread *thread, struct wyn_fork *fork)
{
	/* [leap] acquires the floor. */
	uint32_t where =
		atomic_load_explicit(where_of(fork), memory_order_acquire);
	struct wyn_deque *deque;
	struct wyn_item item = {.fn = NULL};
	bool found;

	if (where == 0 || thread->seat == NULL ||
		thread->help_depth >= thread->pool->config.help_depth_max) {
		return false;
	}
	deque = &thread->pool->seats[where - 1].deque;
	if (wyn_deque_length(deque) == 0 || !wyn_deque_trylock(deque)) {
		return false;
	}
	found = wyn_deque_steal_above(
		deque, fork->floor, where_of(fork), where, &item);
	wyn_deque_unlock(deque);
	if (found) {
		wyn_counter_add(&thread->counters.stolen_approx, 1);
		wyn_worker_nest(thread, item);
	}
	return found;
}

/* Helps the thief for a while, if there is something to help with. */
static void join_help(struct wyn_thread *thread, struct wyn_fork *fork,
	const struct wyn_goal *goal)
{
	unsigned rounds = 0;

	while (!wyn_goal_reached(goal) && rounds < JOIN_ROUNDS) {
		if (join_leap(thread, fork)) {
			rounds = 0;
		} else {
			wyn_cpu_relax_for(JOIN_PAUSES);
			rounds++;
		}
	}
}

void wyn_join_slow_(struct wyn_forker *forker, struct wyn_fork *fork)
{
	struct wyn_goal goal = {
		.word = state_of(fork),
		.mask = FORK_DONE | FORK_RETURNED,
		.when_set = true,
	};
	struct wyn_thread *thread;

	/* Run when it was forked, or by a thief already. */
	if (wyn_goal_reached(&goal)) {
		goto reached;
	}
	thread = WYN_CONTAINER_OF(forker, struct wyn_thread, forker);
	do {
		/* A forked child has no thieves, and runs nothing else. */
		if (wyn_pool_is_dead(thread->pool)) {
			fork->fn(forker, fork);
			return;
		}
		if (join_own(thread, fork, &goal)) {
			return;
		}
		join_help(thread, fork, &goal);
		/* Without a spare it looks on: it cannot leave its fork. */
	} while (wyn_await_until(thread->pool, &goal, WYN_DEADLINE_NONE) < 0);
reached:
	/* The pool stops, and it was thrown out of a queue. */
	if ((atomic_load_explicit(state_of(fork), memory_order_relaxed) &
		    FORK_RETURNED) != 0) {
		fork->fn(forker, fork);
	}
}
