// SPDX-License-Identifier: MIT
/*
 * ready.h - accepted tasks that wait for the executor, and whose turn it is.
 *
 * Each owner has a queue of spans per priority. Between priorities the turns
 * are weighted, so that low is slow and never starved; within a priority the
 * owners take turns of so much estimated work, so that one with ten tasks waits
 * behind one with ten million for a quantum at most, and a quantum of slow ones
 * is one task. A held owner (its client does not read) is passed over, and so
 * is a held queue (what is first in it may not start). Pure data; the loop's
 * thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "daemon/run/batch.h"

#define WYN_PRIORITIES	      3u
#define WYN_READY_QUANTUM     32u /* tasks of one owner per turn, at most */
#define WYN_READY_QUANTUM_NS  UINT64_C(128000) /* of their estimated work */
#define WYN_READY_TURN_HIGH   16u /* turns of each priority per round */
#define WYN_READY_TURN_NORMAL 4u
#define WYN_READY_TURN_LOW    1u

/* One owner's queue of one priority. */
struct wyn_ready_queue {
	struct wyn_list turn;  /* among the owners that have something */
	struct wyn_list spans; /* oldest first */
	bool held;	       /* by what is first in it */
};

/* [L] all of it. Embedded in the owner. */
struct wyn_ready_owner {
	struct wyn_ready_queue queues[WYN_PRIORITIES];
	uint64_t tasks; /* in all of its queues */
	bool held;
};

struct wyn_ready {
	struct wyn_list turns[WYN_PRIORITIES]; /* owners, next one first */
	unsigned priority;		       /* whose turn it is */
	const struct wyn_ready_queue *turn;    /* that goes on; NULL = none */
	uint64_t quantum_left_ns;	       /* of it */
	unsigned turns_left;		       /* of that priority */
};

/* wyn_ready_init, wyn_ready_owner_init - empty. */
void wyn_ready_init(struct wyn_ready *ready);
void wyn_ready_owner_init(struct wyn_ready_owner *owner);

/*
 * wyn_ready_push - puts a span behind its owner's others of that priority.
 *
 * priority: 0 is low, 2 is high. Owns: the ready queue borrows the span until
 * it is empty or removed.
 */
void wyn_ready_push(struct wyn_ready *ready, struct wyn_ready_owner *owner,
	unsigned priority, struct wyn_span *span);

/* wyn_ready_grew - a queued span of the owner's has so many tasks more. */
void wyn_ready_grew(struct wyn_ready_owner *owner, uint64_t tasks);

/*
 * wyn_ready_pick - the span whose turn it is.
 *
 * Returns: NULL when nobody has anything that may start. The caller takes up to
 * wyn_ready_most() of its tasks and tells with wyn_ready_took() how many,
 * before it picks again.
 */
struct wyn_span *wyn_ready_pick(
	struct wyn_ready *ready, struct wyn_ready_owner **ret_owner);

/*
 * wyn_ready_most - how many tasks of the span just picked the turn has left
 * for, when each is thought to take task_ns; at least one.
 */
uint64_t wyn_ready_most(const struct wyn_ready *ready,
	const struct wyn_span *span, uint64_t task_ns);

/*
 * wyn_ready_took - `tasks` of the span just picked are gone from it, each
 * thought to take task_ns.
 *
 * Its owner's turn is over when its quantum is used up. An empty span is taken
 * off its queue; it stays the caller's to drop.
 */
void wyn_ready_took(struct wyn_ready *ready, struct wyn_ready_owner *owner,
	struct wyn_span *span, uint64_t tasks, uint64_t task_ns);

/*
 * wyn_ready_remove - takes a span with all its tasks out of the queue.
 *
 * It stays the caller's.
 */
void wyn_ready_remove(struct wyn_ready *ready, struct wyn_ready_owner *owner,
	struct wyn_span *span);

/*
 * wyn_ready_give_back - tasks that were taken wait again, before all others of
 * their owner's with that priority.
 *
 * Returns: false when there is no memory.
 */
WYN_NODISCARD
bool wyn_ready_give_back(struct wyn_ready *ready, struct wyn_ready_owner *owner,
	unsigned priority, const struct wyn_part *part);

/* wyn_ready_insert_after - `span` was split off `before`, which is queued, and
 * whose tasks are counted already. */
void wyn_ready_insert_after(struct wyn_span *before, struct wyn_span *span);

/* wyn_ready_hold - passes the owner over, or lets it take turns again. */
void wyn_ready_hold(
	struct wyn_ready *ready, struct wyn_ready_owner *owner, bool held);

/*
 * wyn_ready_hold_queue - passes one of the owner's queues over, until
 * wyn_ready_release_queues(), or until what is first in it is removed or is not
 * the first any more.
 */
void wyn_ready_hold_queue(struct wyn_ready *ready,
	struct wyn_ready_owner *owner, unsigned priority);

/* wyn_ready_release_queues - none of its queues is held any more. */
void wyn_ready_release_queues(
	struct wyn_ready *ready, struct wyn_ready_owner *owner);

/* wyn_ready_has_held_queue - at least one is. */
bool wyn_ready_has_held_queue(const struct wyn_ready_owner *owner);
