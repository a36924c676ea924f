// SPDX-License-Identifier: MIT
/*
 * strip.h - small tasks of one Submit that one job runs, one after the other.
 *
 * A task that takes less than a cache line takes to travel is not worth a job:
 * what the loop and a worker pass to each other costs more than the call. So
 * tasks of a function that was measured as tiny go in strips: the arguments
 * are read where they stand in their batch, small values are written one
 * behind the other. Whatever ends otherwise than OK with a small value, or
 * without one, is noted beside them, as odd.
 *
 * Every task is claimed before it is begun, so that the loop can take back
 * those that wait behind one that turns out slow. Knows neither connections nor
 * queues; conn_strip.h does.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <wyn/module.h>
#include <wyn/pool.h>

#include "base/list.h"
#include "daemon/dispatch.h"
#include "daemon/limits.h"
#include "daemon/outcome.h"
#include "proto/message.h"

#define WYN_STRIP_TASKS_MAX 32u		   /* one bit each of a mask */
#define WYN_STRIP_NS	    UINT64_C(4000) /* of estimated work, at most */
#define WYN_STRIP_ALIGN	    16u		   /* of each value */

struct wyn_batch;
struct wyn_function_entry;

/* The outcome of a task that is not plain (outcome.h). */
struct wyn_odd {
	struct wyn_odd *next;
	uint32_t index;
	struct wyn_outcome outcome;
};

struct wyn_strip {
	struct wyn_job job;
	struct wyn_context context; /* what the functions are given */

	/* [I] set by dispatch before it is started */
	const struct wyn_function_entry *function;
	struct wyn_args args; /* of all its tasks: a view of the batch */
	uint32_t count;	      /* of them */
	bool measured;	      /* run_ns is wanted */

	_Atomic uint32_t next;	   /* [A claim] the first that nobody has */
	_Atomic uint32_t unwanted; /* [A unwanted] a bit for each */

	/* [W] then [L] */
	uint32_t at;		/* the one that runs */
	uint32_t plain;		/* a bit for each: OK, its value is below */
	uint32_t dropped;	/* likewise: unwanted before it was begun */
	uint32_t lost;		/* likewise: no memory to note how it ended */
	uint32_t runs;		/* calls that were made */
	uint32_t value_bytes;	/* used of values[] */
	uint64_t run_ns;	/* all calls together; 0 = not measured */
	struct wyn_odd *odd;	/* the latest first */
	struct wyn_outcome now; /* of the one that runs */
	uint8_t lengths[WYN_STRIP_TASKS_MAX]; /* of the values of plain ones */

	/* [L] */
	struct wyn_list link; /* its owner's strips, in the executor or done */
	struct wyn_batch *batch;
	uint64_t first_seq;
	uint64_t owner;
	uint64_t received_ns;
	uint64_t argument_bytes;  /* of the tasks that it answers for */
	struct wyn_charge charge; /* of each */
	/* Tasks that it answers for. In the executor: its first so many. */
	uint32_t kept;
	uint32_t watched;    /* `next`, when the executor stalled */
	uint32_t sent;	     /* rows that are in the output */
	uint32_t sent_bytes; /* of values[] */
	bool answered;	     /* its rows were sent; what it says is late */

	_Alignas(WYN_STRIP_ALIGN)
		uint8_t values[WYN_STRIP_TASKS_MAX * WYN_INLINE_VALUE_BYTES];
};

static_assert(WYN_INLINE_VALUE_BYTES % WYN_STRIP_ALIGN == 0,
	"values[] has room for all");

/*
 * wyn_strip_run - the body of every strip's job.
 *
 * Thread: worker. Blocks: as long as its functions do.
 */
void wyn_strip_run(struct wyn_job *job);

/*
 * wyn_strip_begun - how many were claimed by the worker so far.
 *
 * Thread: loop, while the executor has it or after.
 */
uint32_t wyn_strip_begun(const struct wyn_strip *strip);

/*
 * wyn_strip_take_back - those that nobody has claimed are the loop's again.
 *
 * Thread: loop, while the executor has it. Returns: how many the worker has
 * claimed; it claims no more.
 */
uint32_t wyn_strip_take_back(struct wyn_strip *strip);

/*
 * wyn_strip_unwant - asks the tasks of that mask to end: what was not begun is
 * dropped, what runs sees that it is cancelled.
 *
 * Thread: loop, while the executor has it.
 */
void wyn_strip_unwant(struct wyn_strip *strip, uint32_t mask);

/* wyn_strip_value_room - what a value of so many bytes takes of values[]. */
static inline uint32_t wyn_strip_value_room(size_t bytes)
{
	return (uint32_t)(bytes + WYN_STRIP_ALIGN - 1) & ~(WYN_STRIP_ALIGN - 1);
}

/* wyn_strip_clear - frees the odd ones that are left. Thread: loop. */
void wyn_strip_clear(struct wyn_strip *strip);
