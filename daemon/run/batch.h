// SPDX-License-Identifier: MIT
/*
 * batch.h - accepted Submits, and the spans of them that still wait.
 *
 * A batch keeps what its tasks share, and a copy of their arguments as they
 * stood in the frame: one copy per Submit, none per task; an argument is a view
 * into it. Submits that say the same of tasks that follow one another share
 * one. A span is a run of seqs of a batch with a cursor at its next argument.
 * What holds a batch is counted: its spans and its tasks.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "daemon/run/memory.h"
#include "daemon/run/timers.h"
#include "proto/message.h"

#define WYN_BATCH_STRIDE 256u /* arguments from one mark to the next */

struct wyn_command;
struct wyn_function_entry;
struct wyn_input;
struct wyn_upload;

/* [L] all of it */
struct wyn_span {
	struct wyn_list link; /* its owner's ready queue of one priority */
	struct wyn_list of_batch;
	struct wyn_batch *batch;
	uint64_t next_seq;
	struct wyn_args args;
	bool slow; /* each is known to be: see recall.h */
};

/* Where one of its arguments is, and the bytes of those before it. */
struct wyn_batch_mark {
	const uint8_t *at;
	uint64_t bytes;
};

struct wyn_batch {
	uint32_t holders;			   /* spans and tasks */
	const struct wyn_function_entry *function; /* its version is held */
	struct wyn_command *command; /* NULL = they call the function; owned */
	char *label;		     /* owned; NULL = none */
	struct wyn_input *input;     /* of its one task; NULL = none; owned */
	struct wyn_submit_options options;
	struct wyn_timers *timers; /* of its loop, for the deadline */
	uint64_t owner;
	uint64_t first_seq;
	uint64_t first_id;
	uint64_t ids_count;	      /* kept for it, from first_id on */
	uint64_t count;		      /* at first, and what was appended */
	struct wyn_batch_mark *marks; /* NULL = none yet; see batch.c */
	uint64_t received_ns;
	struct wyn_timer deadline;
	struct wyn_list tasks;	   /* in the executor; with a deadline only */
	struct wyn_upload *upload; /* NULL = its arguments are whole */
	struct wyn_list spans;	   /* all that are left, by their of_batch */
	struct wyn_span span;	   /* the first; splitting makes more */
	struct wyn_memory *memory; /* of its loop, whose memory it is */
	size_t bytes;		   /* of the whole, as charged */
	size_t region_bytes;	   /* that are used */
	uint8_t region[];
};

/* wyn_batch_bytes - what a batch with such a region is charged as. */
static inline size_t wyn_batch_bytes(size_t region_bytes)
{
	return wyn_memory_rounded(sizeof(struct wyn_batch) + region_bytes);
}

/*
 * wyn_batch_create - with one span over `args`, whose bytes are copied, and at
 * least `spare_bytes` of room for more.
 *
 * Thread: loop. Owns: the caller's, held once, by the span. The caller fills in
 * the rest. Returns: NULL when there is no memory.
 */
struct wyn_batch *wyn_batch_create(struct wyn_memory *memory,
	const struct wyn_args *args, size_t spare_bytes);

/* wyn_batch_spare - bytes of its memory that nothing uses. */
static inline size_t wyn_batch_spare(const struct wyn_batch *batch)
{
	return batch->bytes - sizeof(*batch) - batch->region_bytes;
}

/*
 * wyn_batch_room - bytes of arguments that can be appended; 0 also when its one
 * span is not whole and queued any more.
 *
 * Thread: loop.
 */
size_t wyn_batch_room(const struct wyn_batch *batch);

/*
 * wyn_batch_append - adds tasks behind its last, for which there is room.
 *
 * Thread: loop. The ready queue is to be told.
 */
void wyn_batch_append(struct wyn_batch *batch, const struct wyn_args *args);

/*
 * wyn_batch_create_upload - for one task whose argument is on its way.
 *
 * Thread: loop. *ret_argument is the room for its `argument_bytes` bytes.
 * Returns: NULL when there is no memory.
 */
struct wyn_batch *wyn_batch_create_upload(struct wyn_memory *memory,
	uint64_t argument_bytes, uint8_t **ret_argument);

/* wyn_batch_function_set - what its tasks run; once. Thread: loop. */
void wyn_batch_function_set(
	struct wyn_batch *batch, const struct wyn_function_entry *function);

/* wyn_batch_hold - one holder more. Thread: loop. */
void wyn_batch_hold(struct wyn_batch *batch);

/*
 * wyn_batch_release - one holder less; the last one frees it.
 *
 * Thread: loop. Returns: the bytes freed, 0 while others hold it.
 */
size_t wyn_batch_release(struct wyn_batch *batch);

/* A task's place in its batch, as views into it. */
struct wyn_element {
	struct wyn_slice whole; /* as it stood in the frame */
	struct wyn_slice argument;
};

/* Tasks of a batch that follow one another, as they were before they were
 * taken out of a span. */
struct wyn_part {
	struct wyn_batch *batch;
	uint64_t first_seq;
	struct wyn_args args;
	bool slow; /* each is known to be */
};

/*
 * wyn_element_take - the next of some arguments.
 *
 * Thread: loop. Returns: false when none is left.
 */
bool wyn_element_take(struct wyn_args *args, struct wyn_element *ret_element);

/*
 * wyn_span_take - the next task of the span.
 *
 * Thread: loop. Returns: false when none is left.
 */
bool wyn_span_take(struct wyn_span *span, uint64_t *ret_seq,
	struct wyn_element *ret_element);

/* wyn_span_take_run - the next `count` tasks of the span, which has as many.
 * Thread: loop. */
void wyn_span_take_run(struct wyn_span *span, uint64_t count,
	uint64_t *ret_first_seq, struct wyn_args *ret_args);

/*
 * wyn_span_again - a span of tasks that were taken.
 *
 * Thread: loop. Owns: the caller's, on no list of an owner; it is a holder of
 * the batch. Returns: NULL when there is no memory.
 */
struct wyn_span *wyn_span_again(const struct wyn_part *part);

/*
 * wyn_span_prepend - puts tasks back before the others of a span.
 *
 * Thread: loop. Returns: false when they were not those before them, or are
 * slow and the others are not.
 */
bool wyn_span_prepend(struct wyn_span *span, const struct wyn_part *part);

/*
 * wyn_span_split - moves all but the first `count` tasks to a new one.
 *
 * It looks at a few hundred arguments, and once for each batch at all of them;
 * *looks is raised by how many. Thread: loop. 0 < count < span->args.count.
 * Returns: NULL without memory; the span is then as it was.
 */
struct wyn_span *wyn_span_split(
	struct wyn_span *span, uint64_t count, uint64_t *looks);

/*
 * wyn_span_drop - takes it off its list and lets go of its batch.
 *
 * Thread: loop. Returns: as wyn_batch_release().
 */
size_t wyn_span_drop(struct wyn_span *span);
