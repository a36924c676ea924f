// SPDX-License-Identifier: MIT
/*
 * dispatch.h - from the ready queues to the executor, a little at a time.
 *
 * The executor's queue is plain FIFO, so whatever waits there is out of reach
 * of fairness, priority and cancellation. Hence it is given only about a
 * millisecond of work beyond what runs: what a function costs is measured
 * (every 16th call) and averaged; one that was never measured counts as
 * expensive. At least two tasks per worker, so that none runs dry, and
 * executor_tasks_max at most. One submit per turn. What turns out slower than
 * that is asked back: recall.h.
 */
#pragma once

#include <stdint.h>

#include "daemon/timers.h"

struct wyn_engine;
struct wyn_task;

#define WYN_DISPATCH_AHEAD_NS	  UINT64_C(1000000) /* of work, per worker */
#define WYN_DISPATCH_PER_WORKER	  2u
#define WYN_DISPATCH_SAMPLE_EVERY 16u
#define WYN_DISPATCH_SLOW_NS	  UINT64_C(50000) /* from here: every call */
#define WYN_DISPATCH_FLOOR_NS	  UINT64_C(100)

/* How much the executor holds, and how much it may. [L] */
struct wyn_dispatch {
	uint64_t in_flight;
	uint64_t cost_ns;	/* estimated, of what is in flight */
	uint64_t *estimate_ns;	/* per function of the registry; 0 = unknown */
	uint32_t *starts;	/* likewise; wraps */
	struct wyn_timer watch; /* see recall.h */
	uint64_t watched_left;	/* of those in flight when it was armed */
};

/* wyn_dispatch_floor - so many tasks the executor may hold however slow they
 * are. Thread: loop. */
uint64_t wyn_dispatch_floor(const struct wyn_engine *engine);

/* wyn_dispatch_run - starts what may start now. Thread: loop. */
void wyn_dispatch_run(struct wyn_engine *engine);

/* wyn_dispatch_done - the task came back from the executor. Thread: loop. */
void wyn_dispatch_done(struct wyn_engine *engine, struct wyn_task *task);
