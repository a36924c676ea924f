// SPDX-License-Identifier: MIT
/*
 * strip.h - small tasks of one Submit that a job runs, one after the other.
 *
 * A task that takes less than a cache line takes to travel is not worth a job:
 * what the loop and a worker pass to each other costs more than the call. So
 * tasks of a function that was measured as tiny go in strips: the arguments
 * are read where they stand in their batch, small values are written one
 * behind the other. Whatever ends otherwise than OK with a small value, or
 * without one, is noted beside them, as odd. Strips that are small themselves
 * share a job: each but the last leads to the one after it.
 *
 * Every task is claimed before it is begun. So when one turns out slow, the
 * loop can take back those that wait behind it, and answer those that ended
 * before. Knows neither connections nor queues; conn_strip.h does.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <wyn/module.h>
#include <wyn/pool.h>

#include "base/list.h"
#include "daemon/run/charge.h"
#include "daemon/limits.h"
#include "daemon/run/outcome.h"
#include "proto/message.h"

#define WYN_STRIP_TASKS_MAX 32u		   /* one bit each of a mask */
#define WYN_STRIP_NS	    UINT64_C(4000) /* of estimated work, at most */
#define WYN_STRIP_ALIGN	    16u		   /* of each value */

struct wyn_batch;
struct wyn_function_entry;

/* How a task ended. */
enum wyn_strip_end {
	WYN_STRIP_PLAIN,   /* OK, its value is in values[] */
	WYN_STRIP_ODD,	   /* otherwise: see odd[] */
	WYN_STRIP_DROPPED, /* unwanted before it was begun */
	WYN_STRIP_LOST,	   /* there was no memory to note how */
};

struct wyn_strip {
	struct wyn_job job;	    /* the first's runs all of them */
	struct wyn_context context; /* what the functions are given */

	/* [I] set by dispatch before it is started */
	const struct wyn_function_entry *function;
	struct wyn_args args;	 /* of all its tasks: a view of the batch */
	uint32_t count;		 /* of them */
	bool measured;		 /* run_ns is wanted */
	struct wyn_strip *after; /* of the same job; NULL = none */

	_Atomic uint32_t next;	   /* [A claim] the first that nobody has */
	_Atomic uint32_t unwanted; /* [A unwanted] a bit for each */

	/* [W] then [L] */
	uint32_t at;		/* the one that runs */
	uint32_t runs;		/* calls that were made */
	uint32_t odds;		/* of all, those that did not end plainly */
	uint32_t value_bytes;	/* used of values[] */
	uint64_t run_ns;	/* all calls together; 0 = not measured */
	struct wyn_outcome now; /* of the one that runs */

	/* [W] then [L], of each task by itself: see wyn_strip_ended(). */
	uint8_t ends[WYN_STRIP_TASKS_MAX];    /* enum wyn_strip_end */
	uint8_t lengths[WYN_STRIP_TASKS_MAX]; /* of the values of plain ones */
	struct wyn_outcome *odd[WYN_STRIP_TASKS_MAX]; /* malloc'd, owned */

	/* [L] */
	struct wyn_list link; /* its owner's strips in the executor */
	struct wyn_list rows; /* its owner's strips with rows to send */
	struct wyn_batch *batch;
	uint64_t first_seq;
	uint64_t owner;
	uint64_t received_ns;
	struct wyn_charge charge; /* of each */
	uint64_t argument_bytes;  /* of its own tasks that are not due */
	uint32_t kept;		  /* the first so many are its own */
	uint32_t due;		  /* of these, so many have ended */
	uint32_t sent;		  /* of these, so many are in the output */
	uint32_t sent_bytes;	  /* of values[] */
	uint32_t due_tasks;	  /* what the rows to send give back */
	uint64_t due_bytes;	  /* likewise, of arguments */
	struct wyn_strip *first;  /* of the same job */
	uint32_t watched; /* what was begun when it was last looked at */
	bool stalled;	  /* one of its job stands still: the first's */
	bool returned;	  /* the executor has it no more */
	bool answered;	  /* what was not due was answered early */

	_Alignas(WYN_STRIP_ALIGN)
		uint8_t values[WYN_STRIP_TASKS_MAX * WYN_INLINE_VALUE_BYTES];
};

static_assert(WYN_INLINE_VALUE_BYTES % WYN_STRIP_ALIGN == 0,
	"values[] has room for all");

/*
 * wyn_strip_run - the body of the job of one or more strips.
 *
 * Thread: worker. Blocks: as long as its functions do.
 */
void wyn_strip_run(struct wyn_job *job);

/*
 * wyn_strip_begun - how many were claimed by the worker so far.
 *
 * Thread: loop, while the executor has it.
 */
uint32_t wyn_strip_begun(const struct wyn_strip *strip);

/*
 * wyn_strip_ended - how many have ended, and what is noted of each is there.
 *
 * Thread: loop, while the executor has it.
 */
uint32_t wyn_strip_ended(const struct wyn_strip *strip);

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

/* wyn_strip_args_from - the arguments of its tasks from there on, as they stand
 * in the batch. Thread: loop. */
struct wyn_args wyn_strip_args_from(
	const struct wyn_strip *strip, uint32_t first);

/* wyn_strip_value_room - what a value of so many bytes takes of values[]. */
static inline uint32_t wyn_strip_value_room(size_t bytes)
{
	return (uint32_t)(bytes + WYN_STRIP_ALIGN - 1) & ~(WYN_STRIP_ALIGN - 1);
}
