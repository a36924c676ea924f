// SPDX-License-Identifier: MIT
/*
 * search.h - how long a worker that found nothing goes on looking.
 *
 * The patience of one search: how many looks, what they leave to others, when
 * the searcher yields its CPU between two of them. It looks at counts of tasks
 * only; the queues, and what the parking word has to know of a searcher, are
 * worker.c's, which calls it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "scheduler/pool.h"

/* One search, on the stack of the searcher. */
struct wyn_search {
	uint64_t seen;	 /* tasks that others had finished at the last look */
	unsigned looks;	 /* that are left */
	unsigned leaves; /* looks in a row that left work to others */
	unsigned pauses; /* so far */
};

/*
 * wyn_search_begin - before the first look.
 *
 * Looks are few for one who was woken for a task or two, or a trickle of them
 * would cost more in looks than in work.
 *
 * Thread: worker. Blocks: never.
 */
void wyn_search_begin(struct wyn_search *search, struct wyn_thread *thread);

/*
 * wyn_search_leaves - at a look: whether what waits is left to others.
 *
 * They have run so many tasks since the last look that they will have run this,
 * too, before it could be moved here: it is left to them until they slow down.
 * Not for ever, because they may never come to it: it may lie in the deque of
 * one that is in a long task, or in the injector while they help inside one.
 *
 * Thread: worker. Blocks: never.
 */
bool wyn_search_leaves(struct wyn_search *search, struct wyn_thread *thread);

/*
 * wyn_search_pause - between two looks.
 *
 * Each look takes the producers' lines from them; what comes in a burst is
 * better taken by the dozen. `left`: the last look has left work to others.
 * Nobody sleeps beside work that they may yet leave to us, so that look does
 * not count.
 *
 * Thread: worker. Returns: false, at once, if that was the last look.
 * Blocks: for a microsecond, or a yield.
 */
bool wyn_search_pause(struct wyn_search *search, bool left);

/*
 * wyn_search_rest - the worker sleeps now: from here the next search counts.
 *
 * Thread: worker. Blocks: never.
 */
void wyn_search_rest(struct wyn_thread *thread);
