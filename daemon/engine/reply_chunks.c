// SPDX-License-Identifier: MIT
/*
 * reply_chunks.c - see reply_chunks.h. The loop's thread only.
 */
#include "daemon/engine/reply_chunks.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "daemon/engine/conn_state.h"
#include "daemon/engine/conn_stream.h"
#include "daemon/limits.h"

/* Of a partial value that need not be copied. Less fits beside others. */
#define WYN_GIVEN_BYTES_MIN (WYN_SEGMENT_BYTES / 2)

static bool is_large(const struct wyn_conn *conn, const struct wyn_task *task)
{
	return !wyn_task_is_quiet(task) &&
	       task->outcome.value_bytes + WYN_RESULTS_HEAD_BYTES >
		       conn->engine->limits.frame_bytes_max;
}

void wyn_reply_place(struct wyn_conn *conn, struct wyn_task *task)
{
	if (is_large(conn, task)) {
		wyn_list_push_back(&conn->large, &task->link);
		conn->stream_bytes += wyn_task_weight(task);
	} else {
		wyn_list_push_back(&conn->done, &task->link);
	}
}

bool wyn_reply_has_room(const struct wyn_conn *conn)
{
	return conn->phase < WYN_CONN_CLOSING &&
	       conn->output.bytes < WYN_OUTPUT_HIGH_BYTES;
}

static uint64_t stream_left(const struct wyn_conn *conn)
{
	return conn->stream_granted == UINT64_MAX
		       ? UINT64_MAX
		       : conn->stream_granted - conn->stream_used;
}

/* False: no memory. */
static bool chunk_copy(struct wyn_conn *conn, const struct wyn_chunk *chunk)
{
	uint8_t *room;
	size_t head;

	room = wyn_output_reserve(
		&conn->output, WYN_CHUNK_HEAD_BYTES_MAX + chunk->data.len);
	if (room == NULL) {
		return false;
	}
	head = wyn_chunk_head_encode(chunk, room);
	if (chunk->data.len > 0) {
		memcpy(room + head, chunk->data.data, chunk->data.len);
	}
	wyn_output_commit(&conn->output, head + chunk->data.len);
	return true;
}

/* All of a partial value, from where it is. False: no memory. */
static bool chunk_give(struct wyn_conn *conn, const struct wyn_chunk *chunk,
	struct wyn_partial *partial)
{
	size_t head = wyn_chunk_head_encode(chunk, partial->head);
	uint8_t *frame = partial->head + sizeof(partial->head) - head;

	static_assert(offsetof(struct wyn_partial, data) ==
			      offsetof(struct wyn_partial, head) +
				      WYN_CHUNK_HEAD_BYTES_MAX,
		"the head of a frame is followed by its data");
	memmove(frame, partial->head, head);
	partial->given = wyn_output_give(
		&conn->output, partial, frame, head + chunk->data.len);
	return partial->given;
}

/* One Chunk, maybe of a partial value. False: over the client's stream credit,
 * or no memory. */
static bool chunk_send(struct wyn_conn *conn, const struct wyn_chunk *chunk,
	struct wyn_partial *partial)
{
	bool sent;

	if (chunk->data.len > stream_left(conn)) {
		return false;
	}
	if (partial != NULL && chunk->data.len == partial->bytes &&
		chunk->data.len >= WYN_GIVEN_BYTES_MIN) {
		sent = chunk_give(conn, chunk, partial);
	} else {
		sent = chunk_copy(conn, chunk);
	}
	if (!sent) {
		wyn_conn_abort(conn);
		return false;
	}
	conn->stream_used += chunk->data.len;
	return true;
}

/* The last partial value of a task that is back has gone. */
static void waiting_end(struct wyn_conn *conn, struct wyn_task *task)
{
	wyn_list_remove(&task->link);
	conn->stream_bytes -= wyn_task_weight(task);
	if (task->answered) {
		conn->unsent_bytes -= wyn_task_weight(task);
		wyn_engine_task_unwanted(conn->engine, conn, task);
	} else {
		wyn_reply_place(conn, task);
	}
}

static bool is_progress(const struct wyn_partial *partial)
{
	return partial->stream == WYN__V1__STREAM__STREAM_PROGRESS;
}

void wyn_reply_partial_add(struct wyn_conn *conn, struct wyn_partial *partial)
{
	struct wyn_task *task = partial->task;

	bool progress = is_progress(partial);

	if (progress && task->report != NULL) {
		memcpy(task->report->data, partial->data, partial->bytes);
		wyn_engine_partial_sent(conn->engine, partial);
		return;
	}
	if (progress) {
		task->report = partial;
	}
	partial->next = NULL;
	*conn->partials_tail = partial;
	conn->partials_tail = &partial->next;
	conn->unsent_bytes += sizeof(*partial) + partial->bytes;
	conn->stream_bytes += sizeof(*partial) + partial->bytes;
	task->partials_queued++;
	wyn_engine_activate(conn);
}

/* How far the stream is that it belongs to. NULL: reports of progress are in
 * none. */
static uint64_t *offset_of(const struct wyn_partial *partial)
{
	struct wyn_task *task = partial->task;

	switch (partial->stream) {
	case WYN__V1__STREAM__STREAM_PROGRESS:
		return NULL;
	case WYN__V1__STREAM__STREAM_ERROR:
		return &task->error_offset;
	default:
		return &task->partial_offset;
	}
}

/* A partial value goes whole, what a command wrote as far as is granted. */
static size_t piece_of(
	const struct wyn_conn *conn, const struct wyn_partial *partial)
{
	size_t left = partial->bytes - partial->at;
	uint64_t granted = stream_left(conn);

	return partial->task->batch->command != NULL && granted < left
		       ? (size_t)granted
		       : left;
}

/* False: the rest of it, or all, has to wait. */
static bool pieces_send(struct wyn_conn *conn, struct wyn_partial *partial)
{
	uint64_t *offset = offset_of(partial);
	struct wyn_chunk chunk = {
		.seq = partial->task->seq,
		.stream = partial->stream,
		.offset = offset == NULL ? 0 : *offset,
		.data = {partial->data + partial->at, piece_of(conn, partial)},
	};

	if (partial->at + chunk.data.len < partial->bytes &&
		chunk.data.len == 0) {
		return false;
	}
	if (!chunk_send(conn, &chunk, partial)) {
		return false;
	}
	if (offset != NULL) {
		*offset += chunk.data.len;
	}
	partial->at += chunk.data.len;
	return partial->at == partial->bytes;
}

/* False: it has to wait. */
static bool partial_send(struct wyn_conn *conn, struct wyn_partial *partial)
{
	struct wyn_task *task = partial->task;

	/* After a task's row nothing more of it may go out. */
	if (!task->answered && !pieces_send(conn, partial)) {
		return false;
	}
	if (is_progress(partial)) {
		task->report = NULL;
	} else if (!task->answered) {
		WYN_STATS_ADD(&conn->engine->stats, partial_values, 1);
	}
	conn->partials = partial->next;
	if (conn->partials == NULL) {
		conn->partials_tail = &conn->partials;
	}
	conn->unsent_bytes -= sizeof(*partial) + partial->bytes;
	conn->stream_bytes -= sizeof(*partial) + partial->bytes;
	task->partials_queued--;
	wyn_engine_partial_sent(conn->engine, partial);
	if (task->waiting && task->partials_queued == 0) {
		waiting_end(conn, task);
	}
	return true;
}

void wyn_reply_partials(struct wyn_conn *conn)
{
	bool moved = false;

	while (conn->partials != NULL && wyn_reply_has_room(conn) &&
		partial_send(conn, conn->partials)) {
		moved = true;
	}
	wyn_conn_streams_moved(conn, moved);
}

/* The next piece of one large value. False: it has to wait. */
static bool large_send(struct wyn_conn *conn, struct wyn_task *task)
{
	const struct wyn_outcome *outcome = &task->outcome;
	uint64_t left = outcome->value_bytes - task->value_sent;
	uint64_t most =
		conn->engine->limits.frame_bytes_max - WYN_CHUNK_HEAD_BYTES_MAX;
	uint64_t granted = stream_left(conn);
	struct wyn_chunk chunk = {
		.seq = task->seq,
		.stream = WYN__V1__STREAM__STREAM_VALUE,
		.offset = task->value_sent,
		.data = {outcome->value + task->value_sent, WYN_CHUNK_BYTES},
	};

	if (granted == 0) {
		return false;
	}
	/* As much as is granted, were it less than a piece: a client that waits
	 * for more before it grants more would wait for ever. */
	most = granted < most ? granted : most;
	if (chunk.data.len > most) {
		chunk.data.len = most;
	}
	if (chunk.data.len >= left) {
		chunk.data.len = left;
		chunk.eof = true;
	}
	if (!chunk_send(conn, &chunk, NULL)) {
		return false;
	}
	task->value_sent += chunk.data.len;
	wyn_list_remove(&task->link);
	/* Values take turns, a piece each. */
	wyn_list_push_back(chunk.eof ? &conn->done : &conn->large, &task->link);
	if (chunk.eof) {
		conn->stream_bytes -= wyn_task_weight(task);
	}
	return true;
}

void wyn_reply_large_values(struct wyn_conn *conn)
{
	struct wyn_list *first;

	while ((first = wyn_list_first(&conn->large)) != NULL &&
		wyn_reply_has_room(conn) &&
		large_send(
			conn, wyn_list_entry(first, struct wyn_task, link))) {
	}
}
