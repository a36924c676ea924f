// SPDX-License-Identifier: MIT
/*
 * stream.h - partial values on their way from workers to their loop.
 *
 * A worker that emits appends here under a mutex and wakes the loop; when too
 * much of its task is unsent it waits in a blocking section of the pool. The
 * loop takes everything that has come at once, after it has drained the
 * completions, so that all partial values of a finished task are there.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "proto/codec.h"

struct wyn_task;

/* One partial value. */
struct wyn_partial {
	struct wyn_partial *next;
	struct wyn_task *task;
	uint8_t stream; /* PARTIAL, PROGRESS, OUTPUT or ERROR of wyn.proto; a
			 * report of progress may be overwritten by the next */
	bool given;	/* [L] its memory is the output's, which will free it */
	size_t bytes;
	size_t at;				/* [L] that have gone */
	uint8_t head[WYN_CHUNK_HEAD_BYTES_MAX]; /* room for its frame's */
	uint8_t data[];
};

#define WYN_PROGRESS_BYTES 16u /* done and total, each big-endian */

struct wyn_stream {
	pthread_mutex_t lock;
	pthread_cond_t room; /* some task has less unsent, or was cancelled */
	struct wyn_partial *head;  /* [M lock] oldest first */
	struct wyn_partial **tail; /* [M lock] */
	uint64_t takes; /* [M lock] by the loop; tells what is here still */
	_Atomic unsigned waiting; /* [A partial] workers that want room */
	void (*wake)(struct wyn_stream *stream); /* [I] Thread: worker */
};

/*
 * wyn_stream_init - one per loop; wake makes the loop come around.
 *
 * Thread: loop, before its first task. Returns: 0 or -errno of pthreads.
 */
WYN_NODISCARD
int wyn_stream_init(
	struct wyn_stream *stream, void (*wake)(struct wyn_stream *stream));

/* wyn_stream_fini - no task may be running. Thread: loop. */
void wyn_stream_fini(struct wyn_stream *stream);

/*
 * wyn_stream_emit - appends a copy of a partial value of a running task.
 *
 * Thread: worker. Returns: 0; -ECANCELED (the task was cancelled, before or
 * while waiting), -EMSGSIZE (over task->partial_bytes_max), -EAGAIN (too much
 * is unsent and no spare thread can take the worker's seat), -ENOMEM.
 * Blocks: while stream_bytes_max of the task are unsent.
 */
WYN_NODISCARD
int wyn_stream_emit(struct wyn_stream *stream, struct wyn_task *task,
	const void *data, size_t bytes, size_t unsent_max);

/*
 * wyn_stream_progress - appends a report of how far a running task is, or
 * overwrites the one that the loop has not taken.
 *
 * Thread: worker. Returns: 0, -ENOMEM. Blocks: never.
 */
WYN_NODISCARD
int wyn_stream_progress(struct wyn_stream *stream, struct wyn_task *task,
	uint64_t done, uint64_t total);

/*
 * wyn_stream_push - appends what a command wrote, a copy.
 *
 * The executor looks for room itself: wyn_stream_room(). Thread: loop. Returns:
 * 0, -ENOMEM. Blocks: never.
 */
WYN_NODISCARD
int wyn_stream_push(struct wyn_stream *stream, struct wyn_task *task,
	uint8_t kind, const void *data, size_t bytes);

/*
 * wyn_stream_partial - room for what a command writes, so that it need not be
 * copied; wyn_stream_put - appends it, with so many bytes of it used.
 *
 * Thread: loop. Owns: gives the first, to be put or free()d. Returns: NULL =
 * no memory.
 */
struct wyn_partial *wyn_stream_partial(
	struct wyn_task *task, uint8_t kind, size_t bytes);
void wyn_stream_put(
	struct wyn_stream *stream, struct wyn_partial *partial, size_t bytes);

/*
 * wyn_stream_room - how many bytes a task may push: up to one frame's while it
 * has less than partial_unsent_max unsent; 0 = later, after a `sent`.
 *
 * Thread: loop.
 */
size_t wyn_stream_room(const struct wyn_task *task);

/*
 * wyn_stream_take - everything that has come, oldest first.
 *
 * Thread: loop. Owns: gives the chain, each to be freed by wyn_stream_sent().
 */
struct wyn_partial *wyn_stream_take(struct wyn_stream *stream);

/*
 * wyn_stream_sent - the partial value is in the output, or is not wanted.
 *
 * Thread: loop, while the task still exists. Owns: takes the partial, unless it
 * was given to the output. Wakes the workers that wait for room.
 */
void wyn_stream_sent(struct wyn_stream *stream, struct wyn_partial *partial);

/*
 * wyn_stream_waiting - tasks whose worker waits for room, its seat lent.
 *
 * The loop is woken when there is one more, for it may start another task in
 * that one's place. Thread: loop.
 */
unsigned wyn_stream_waiting(const struct wyn_stream *stream);

/*
 * wyn_stream_cancel - sets the task's flag and wakes it if it waits for room.
 *
 * Thread: loop.
 */
void wyn_stream_cancel(struct wyn_stream *stream, struct wyn_task *task);
