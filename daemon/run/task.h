// SPDX-License-Identifier: MIT
/*
 * task.h - one task between its dispatch and its answer.
 *
 * A loop takes it from its pool, fills it and hands it to the executor; the
 * worker writes the outcome; the completion sink brings it back. The loop
 * writes nothing but the two atomics while the executor has it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <wyn/module.h>
#include <wyn/pool.h>

#include "base/list.h"
#include "daemon/run/batch.h"
#include "daemon/run/charge.h"
#include "daemon/limits.h"
#include "daemon/run/outcome.h"
#include "daemon/run/timers.h"

struct wyn_batch;
struct wyn_kept;
struct wyn_partial;
struct wyn_process;
struct wyn_stream;
struct wyn_function_entry;

struct wyn_task {
	struct wyn_job job;
	struct wyn_context context; /* what its function is given */

	/* [I] set by dispatch before it is started */
	const struct wyn_function_entry *function;
	struct wyn_element element;  /* its argument */
	struct wyn_stream *stream;   /* of its loop */
	uint32_t partial_bytes_max;  /* one partial value; 0 = none wanted */
	uint64_t partial_unsent_max; /* limits.stream_bytes_max */
	bool timed;    /* it has a timeout: the time of its start is wanted */
	bool measured; /* run_ns is wanted */

	struct wyn_partial *progress; /* [W] the last report */
	uint64_t progress_take;	      /* [W] of the stream, when it was made */
	uint64_t run_ns; /* [W] then [L] what the body took; 0 = not measured */

	struct wyn_outcome outcome;
	uint8_t small_value[WYN_INLINE_VALUE_BYTES]; /* the outcome's */
	/* [W] then [L] */
	bool ran;	  /* the body was entered */
	bool handed_back; /* it was not, for it was recalled */
	bool waited;	  /* for room for a partial value */

	atomic_bool cancelled;	     /* [A unwanted] by the loop */
	atomic_bool recalled;	     /* [A recall] by the loop */
	_Atomic uint64_t started_ns; /* [A start] 0 = not yet; 1 = who knows */
	_Atomic uint64_t partial_unsent_bytes; /* [A partial] */

	/* [L] */
	struct wyn_list link;	  /* its owner's running, then done tasks */
	struct wyn_list of_batch; /* its tasks */
	struct wyn_batch *batch;
	struct wyn_timer timer; /* its timeout_ms */
	uint64_t seq;
	uint64_t owner; /* (generation, slot) */
	uint64_t received_ns;
	uint64_t partial_offset;    /* of the next PARTIAL or OUTPUT chunk */
	uint64_t error_offset;	    /* of the next ERROR chunk */
	uint64_t value_sent;	    /* bytes of a value that goes in chunks */
	struct wyn_charge charge;   /* to the executor's budget */
	uint32_t partials_queued;   /* of its partial values, not sent yet */
	struct wyn_partial *report; /* of these, the one of progress */
	bool answered; /* its row was sent; what comes back is dropped */
	bool waiting;  /* it is back, and its partial values go first */
	bool watched;  /* it was running when the executor stalled */
	struct wyn_kept *kept;	  /* what stays of it; NULL = nothing */
	uint64_t grace_ms;	  /* a command's, when it is cancelled */
	enum wyn_refusal stopped; /* why a command was cancelled; NONE = not */
	struct wyn_process *process; /* its executor's; NULL = not a command */
};

/* Its result is not wanted any more. Thread: worker. */
static inline bool wyn_task_is_cancelled(const struct wyn_task *task)
{
	/* [unwanted] pairs with the release in wyn_stream_cancel(). */
	return atomic_load_explicit(&task->cancelled, memory_order_acquire);
}
