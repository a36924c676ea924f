// SPDX-License-Identifier: MIT
/*
 * dispatch.h - from the ready queues to the executor, a little at a time.
 *
 * The executor's queue is plain FIFO, so whatever waits there is out of reach
 * of fairness, priority and cancellation. Hence it is given only about a
 * millisecond of work beyond what runs: what a function costs is measured
 * (every 16th call) and averaged; one that was never measured counts as
 * expensive. Tiny ones go in strips (conn_strip.h). At least two tasks per
 * worker, so that none runs dry, and executor_tasks_max at most. One submit per
 * turn. What turns out slower than that is asked back: recall.h.
 */
#pragma once

#include <stdint.h>

#include "base/list.h"
#include "daemon/run/charge.h"
#include "daemon/run/timers.h"

struct wyn_batch;
struct wyn_conn;
struct wyn_engine;
struct wyn_span;
struct wyn_task;

#define WYN_DISPATCH_AHEAD_NS	  UINT64_C(1000000) /* of work, per worker */
#define WYN_DISPATCH_PER_WORKER	  2u
#define WYN_DISPATCH_SAMPLE_EVERY 16u
#define WYN_DISPATCH_SLOW_NS	  UINT64_C(50000) /* from here: every call */
#define WYN_DISPATCH_SHORT_NS	  UINT64_C(250)	  /* before it is measured */
#define WYN_DISPATCH_FLOOR_NS	  UINT64_C(100)
#define WYN_DISPATCH_SOON_NS	  UINT64_C(20000) /* all that is out */

/* How much the executor holds, and how much it may. [L] */
struct wyn_dispatch {
	uint64_t in_flight;	/* tasks */
	uint64_t strips;	/* in which some may be behind others */
	uint64_t emptied;	/* strips in it whose tasks were taken back */
	struct wyn_list lone;	/* strips in it whose owner is gone */
	uint64_t blocking;	/* tasks that lend their worker's seat */
	uint64_t cost_ns;	/* estimated, of what is in flight */
	uint64_t *estimate_ns;	/* per name of a function; 0 = unknown */
	uint32_t *starts;	/* likewise; wraps */
	struct wyn_timer watch; /* see recall.h */
	uint64_t watched_left;	/* of those in flight when it was armed */
};

/* wyn_dispatch_floor - so many tasks the executor may hold however slow they
 * are. Thread: loop. */
uint64_t wyn_dispatch_floor(const struct wyn_engine *engine);

/* wyn_dispatch_room - so many tasks of the span the executor has room for.
 * Thread: loop. */
uint64_t wyn_dispatch_room(
	const struct wyn_engine *engine, const struct wyn_span *span);

/* wyn_dispatch_run - starts what may start now. Thread: loop. */
void wyn_dispatch_run(struct wyn_engine *engine);

/*
 * wyn_dispatch_task - a task of the batch, with all that is not its own.
 *
 * Thread: loop. Owns: the caller's, on no list; it holds the batch and the
 * account of the connection's values. Returns: NULL when there is no memory.
 */
struct wyn_task *wyn_dispatch_task(
	struct wyn_conn *conn, struct wyn_batch *batch);

/* wyn_dispatch_timeout_arm - if it has a timeout, now. Thread: loop. */
void wyn_dispatch_timeout_arm(struct wyn_engine *engine, struct wyn_task *task);

/*
 * wyn_dispatch_done - `tasks` with the same charge came back from the executor.
 *
 * run_ns: what one took; 0 = not measured. Thread: loop.
 */
void wyn_dispatch_done(struct wyn_engine *engine, const struct wyn_charge *each,
	uint64_t tasks, uint64_t run_ns);

/* wyn_dispatch_slow - one of its function is seen to take for ever. Thread:
 * loop. */
void wyn_dispatch_slow(
	struct wyn_engine *engine, const struct wyn_charge *each);
