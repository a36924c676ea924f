// SPDX-License-Identifier: MIT
/*
 * stream.c - partial values on their way from workers to their loop.
 *
 * One mutex for all tasks of a loop, held for a few instructions: neither the
 * copy nor the wake nor the creation of a spare thread happens under it. A
 * partial value counts with its header, so that empty ones are bounded too.
 * One condition for all waiters: they are few, and each is woken only when
 * something of its loop was sent or cancelled.
 */
#include "daemon/run/stream.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <wyn/pool.h>

#include "base/assert.h"
#include "daemon/run/task.h"
#include "proto/message.h"

int wyn_stream_init(
	struct wyn_stream *stream, void (*wake)(struct wyn_stream *stream))
{
	int rc = pthread_mutex_init(&stream->lock, NULL);

	if (rc != 0) {
		return -rc;
	}
	rc = pthread_cond_init(&stream->room, NULL);
	if (rc != 0) {
		pthread_mutex_destroy(&stream->lock);
		return -rc;
	}
	stream->head = NULL;
	stream->tail = &stream->head;
	stream->takes = 1;
	atomic_init(&stream->waiting, 0);
	stream->wake = wake;
	return 0;
}

void wyn_stream_fini(struct wyn_stream *stream)
{
	struct wyn_partial *partial = stream->head;

	wyn_assert(wyn_stream_waiting(stream) == 0);
	while (partial != NULL) {
		struct wyn_partial *next = partial->next;

		free(partial);
		partial = next;
	}
	pthread_cond_destroy(&stream->room);
	pthread_mutex_destroy(&stream->lock);
}

static size_t charge(size_t bytes)
{
	return sizeof(struct wyn_partial) + bytes;
}

/*
 * A partial value larger than the bound still goes, alone. Only this worker
 * adds to the sum, so what fits here fits later.
 */
static bool fits(const struct wyn_task *task, size_t bytes, size_t unsent_max)
{
	/* [partial] pairs with the release in wyn_stream_sent(). */
	uint64_t unsent = atomic_load_explicit(
		&task->partial_unsent_bytes, memory_order_acquire);

	return unsent == 0 ||
	       (unsent <= unsent_max && charge(bytes) <= unsent_max - unsent);
}

/* Returns: 0 when there is room, -ECANCELED, -EAGAIN. */
static int wait_for_room(struct wyn_stream *stream, struct wyn_task *task,
	size_t bytes, size_t unsent_max)
{
	task->waited = true;
	if (wyn_block_begin() < 0) {
		return -EAGAIN;
	}
	/* [partial] before the look under the lock: whoever makes room after
	 * that look sees it there, and the loop when it comes around. */
	atomic_fetch_add_explicit(&stream->waiting, 1, memory_order_relaxed);
	stream->wake(stream);
	pthread_mutex_lock(&stream->lock);
	while (!wyn_task_is_cancelled(task) && !fits(task, bytes, unsent_max)) {
		pthread_cond_wait(&stream->room, &stream->lock);
	}
	pthread_mutex_unlock(&stream->lock);
	atomic_fetch_sub_explicit(&stream->waiting, 1, memory_order_relaxed);
	wyn_block_end();
	return wyn_task_is_cancelled(task) ? -ECANCELED : 0;
}

struct wyn_partial *wyn_stream_partial(
	struct wyn_task *task, uint8_t kind, size_t bytes)
{
	struct wyn_partial *partial = malloc(charge(bytes));

	if (partial != NULL) {
		partial->next = NULL;
		partial->task = task;
		partial->stream = kind;
		partial->given = false;
		partial->bytes = bytes;
		partial->at = 0;
	}
	return partial;
}

static struct wyn_partial *partial_create(
	struct wyn_task *task, uint8_t kind, const void *data, size_t bytes)
{
	struct wyn_partial *partial = wyn_stream_partial(task, kind, bytes);

	if (partial != NULL && bytes > 0) {
		memcpy(partial->data, data, bytes);
	}
	return partial;
}

/* Under the lock. Returns: whether it is the first, so that the loop is to be
 * woken, once for all until they are taken. */
static bool append(struct wyn_stream *stream, struct wyn_partial *partial)
{
	bool first = stream->head == NULL;

	*stream->tail = partial;
	stream->tail = &partial->next;
	atomic_fetch_add_explicit(&partial->task->partial_unsent_bytes,
		charge(partial->bytes), memory_order_relaxed);
	return first;
}

int wyn_stream_emit(struct wyn_stream *stream, struct wyn_task *task,
	const void *data, size_t bytes, size_t unsent_max)
{
	struct wyn_partial *partial;
	bool first;
	int rc = 0;

	if (wyn_task_is_cancelled(task)) {
		return -ECANCELED;
	}
	if (bytes > task->partial_bytes_max) {
		return -EMSGSIZE;
	}
	if (!fits(task, bytes, unsent_max)) {
		rc = wait_for_room(stream, task, bytes, unsent_max);
	}
	if (rc < 0) {
		return rc;
	}
	partial = partial_create(
		task, WYN__V1__STREAM__STREAM_PARTIAL, data, bytes);
	if (partial == NULL) {
		return -ENOMEM;
	}
	pthread_mutex_lock(&stream->lock);
	first = append(stream, partial);
	pthread_mutex_unlock(&stream->lock);
	if (first) {
		stream->wake(stream);
	}
	return 0;
}

void wyn_stream_put(
	struct wyn_stream *stream, struct wyn_partial *partial, size_t bytes)
{
	wyn_assert(bytes <= partial->bytes);
	partial->bytes = bytes;
	/* The loop, which is awake, looks at it in this turn: no wake. */
	pthread_mutex_lock(&stream->lock);
	(void)append(stream, partial);
	pthread_mutex_unlock(&stream->lock);
}

int wyn_stream_push(struct wyn_stream *stream, struct wyn_task *task,
	uint8_t kind, const void *data, size_t bytes)
{
	struct wyn_partial *partial = partial_create(task, kind, data, bytes);

	if (partial == NULL) {
		return -ENOMEM;
	}
	wyn_stream_put(stream, partial, bytes);
	return 0;
}

size_t wyn_stream_room(const struct wyn_task *task)
{
	/* [partial] relaxed: the loop alone adds and subtracts here. */
	uint64_t unsent = atomic_load_explicit(
		&task->partial_unsent_bytes, memory_order_relaxed);

	return unsent < task->partial_unsent_max ? task->partial_bytes_max : 0;
}

static void number_put(uint8_t *out, uint64_t number)
{
	for (unsigned i = 0; i < 8; i++) {
		out[i] = (uint8_t)(number >> (56 - 8 * i));
	}
}

/* It counts like a partial value, and may be over the bound: there is one here
 * and one in the loop of each task at most (wyn_reply_partial_add()). */
int wyn_stream_progress(struct wyn_stream *stream, struct wyn_task *task,
	uint64_t done, uint64_t total)
{
	uint8_t data[WYN_PROGRESS_BYTES];
	struct wyn_partial *fresh;
	bool first = false;

	number_put(data, done);
	number_put(data + 8, total);
	fresh = partial_create(
		task, WYN__V1__STREAM__STREAM_PROGRESS, data, sizeof(data));
	if (fresh == NULL) {
		return -ENOMEM;
	}
	pthread_mutex_lock(&stream->lock);
	if (task->progress_take == stream->takes) {
		memcpy(task->progress->data, data, sizeof(data));
	} else {
		task->progress = fresh;
		task->progress_take = stream->takes;
		first = append(stream, fresh);
		fresh = NULL;
	}
	pthread_mutex_unlock(&stream->lock);
	free(fresh);
	if (first) {
		stream->wake(stream);
	}
	return 0;
}

unsigned wyn_stream_waiting(const struct wyn_stream *stream)
{
	/* [partial] relaxed: under the lock its holder orders it, elsewhere it
	 * is a number that the wake after it brings somebody to look at. */
	return atomic_load_explicit(&stream->waiting, memory_order_relaxed);
}

struct wyn_partial *wyn_stream_take(struct wyn_stream *stream)
{
	struct wyn_partial *first;

	pthread_mutex_lock(&stream->lock);
	first = stream->head;
	stream->head = NULL;
	stream->tail = &stream->head;
	stream->takes++;
	pthread_mutex_unlock(&stream->lock);
	return first;
}

void wyn_stream_sent(struct wyn_stream *stream, struct wyn_partial *partial)
{
	size_t bytes = charge(partial->bytes);
	_Atomic uint64_t *unsent = &partial->task->partial_unsent_bytes;
	uint64_t before;

	pthread_mutex_lock(&stream->lock);
	/* [partial] pairs with the acquire in fits(). Under the lock for the
	 * waiter's sake: between its look and its wait the sum may not fall. */
	before = atomic_fetch_sub_explicit(unsent, bytes, memory_order_release);
	if (wyn_stream_waiting(stream) > 0) {
		pthread_cond_broadcast(&stream->room);
	}
	pthread_mutex_unlock(&stream->lock);
	wyn_assert(before >= bytes);
	if (!partial->given) {
		free(partial);
	}
}

void wyn_stream_cancel(struct wyn_stream *stream, struct wyn_task *task)
{
	pthread_mutex_lock(&stream->lock);
	/* [unwanted] pairs with the acquire in wyn_task_is_cancelled(). Under
	 * the lock for the same reason as in wyn_stream_sent(). */
	atomic_store_explicit(&task->cancelled, true, memory_order_release);
	if (wyn_stream_waiting(stream) > 0) {
		pthread_cond_broadcast(&stream->room);
	}
	pthread_mutex_unlock(&stream->lock);
}
