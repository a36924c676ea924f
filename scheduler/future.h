// SPDX-License-Identifier: MIT
/*
 * future.h - what a future is made of, for the room.
 *
 * The worker has a trampoline here, and combine.c the steps of a future that
 * ends otherwise than by running. The handle's side is public, in wyn/future.h.
 */
#pragma once

#include <stdatomic.h>

#include <wyn/future.h>

#include "base/compiler.h"

enum wyn_future_flags {
	WYN_FUTURE_RAN = 1 << 0,
	WYN_FUTURE_DONE = 1 << 1,
	WYN_FUTURE_CANCEL = 1 << 2,
	WYN_FUTURE_CONSUMED = 1 << 3,
	WYN_FUTURE_DROPPED = 1 << 4,
	WYN_FUTURE_READ = 1 << 5,     /* somebody has the value */
	WYN_FUTURE_NEXT = 1 << 6,     /* `next` waits for the end */
	WYN_FUTURE_HELD = 1 << 7,     /* it waits for others, in no queue yet */
	WYN_FUTURE_COMBINED = 1 << 8, /* it is made of others, for life */
};

struct wyn_combination;

struct wyn_future {
	union {
		struct {
			wyn_task_fn *fn;
			void *arg;
		} call;			/* until it runs */
		struct wyn_value value; /* [A done] from DONE on */
	};
	void (*value_destroy)(struct wyn_value value); /* [I] */
	union {
		struct wyn_group *group;	     /* [I] or NULL */
		struct wyn_combination *combination; /* [I] if COMBINED */
	};
	struct wyn_future *next; /* [A continue] if NEXT */
	_Atomic uint32_t state;	 /* [A done] [A cancel] [A continue] */
	int32_t result;		 /* [A done] if RAN */
};

/*
 * wyn_future_combination - what it is made of, or NULL.
 *
 * Thread: any. Blocks: never.
 */
static inline struct wyn_combination *wyn_future_combination(
	struct wyn_future *future)
{
	return (atomic_load_explicit(&future->state, memory_order_relaxed) &
		       WYN_FUTURE_COMBINED) != 0
		       ? future->combination
		       : NULL;
}

/*
 * wyn_future_run - consumes a future's place in the queue: runs it, or not.
 *
 * Thread: worker. Takes `arg`, a struct wyn_future. Blocks: as the body does.
 */
void wyn_future_run(void *arg);

/*
 * wyn_future_discard - the same without running it: it ends as cancelled.
 *
 * Thread: any. Takes the future. Blocks: never.
 */
void wyn_future_discard(struct wyn_future *future);

/*
 * wyn_future_pool - the pool that it belongs to.
 *
 * Thread: any. Blocks: never.
 */
struct wyn_pool *wyn_future_pool(const struct wyn_future *future);

/*
 * wyn_future_make - a future in no queue, in its group, with `state`.
 *
 * Thread: any. Gives: a future for wyn_future_unmake, or with a consumer and
 * a handle. Returns: NULL if memory is out. Blocks: never.
 */
struct wyn_future *wyn_future_make(struct wyn_pool *pool,
	const struct wyn_spawn_options *options, uint32_t state);

/*
 * wyn_future_unmake - takes back one that nobody else has seen.
 *
 * Thread: any. Blocks: never.
 */
void wyn_future_unmake(struct wyn_future *future);

/*
 * wyn_future_attach - lets `next` be told of the end of `future`.
 *
 * Thread: any. Returns: false if it has ended: tell it yourself. Blocks: never.
 */
bool wyn_future_attach(struct wyn_future *future, struct wyn_future *next);

/*
 * wyn_future_begin - decides that a held future ends now, and by whom.
 *
 * Thread: any. Returns: false if it was cancelled, or somebody else does.
 * Blocks: never.
 */
WYN_NODISCARD
bool wyn_future_begin(struct wyn_future *future);

/*
 * wyn_future_settle - ends one that was begun.
 *
 * `flags` may say CONSUMED beside DONE.
 *
 * Thread: any. Returns: who waits for it, to be told, or NULL. Blocks: never.
 */
WYN_NODISCARD
struct wyn_future *wyn_future_settle(struct wyn_future *future, int result,
	struct wyn_value value, uint32_t flags);

/*
 * wyn_future_consume - nothing but its handle needs it any more.
 *
 * Thread: any. Returns: the state before. Blocks: never.
 */
uint32_t wyn_future_consume(struct wyn_future *future);

/*
 * wyn_future_stop - ends one that has not begun, or asks it to stop.
 *
 * Whoever waits for it is told before the return. Not for what it waits for.
 *
 * Thread: any. Returns: whether it ended by this call. Blocks: never.
 */
bool wyn_future_stop(struct wyn_future *future);

/*
 * wyn_future_outcome - what an await of a done future gives, without reading.
 *
 * Thread: any. Blocks: never.
 */
int wyn_future_outcome(struct wyn_future *future);

/*
 * wyn_future_keep - keeps a done future's value from its destructor.
 *
 * Thread: any. Blocks: never.
 */
void wyn_future_keep(struct wyn_future *future);

/*
 * wyn_future_let_go - drops the handle, but frees nothing.
 *
 * Thread: any. Returns: whether the caller is to free it. Blocks: never.
 */
WYN_NODISCARD
bool wyn_future_let_go(struct wyn_future *future);
