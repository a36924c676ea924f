// SPDX-License-Identifier: MIT
/*
 * conn_work.h - a connection's accepted tasks, wherever they are.
 *
 * Private to the engine. Ends tasks that wait or run: cancelled by the client,
 * expired, given up by the drain, or without a client any more. All of it runs
 * on the connection's loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/run/batch.h"
#include "daemon/engine/ranges.h"
#include "daemon/engine/verdict.h"

struct wyn_conn;
struct wyn_engine;
struct wyn_task;

/*
 * wyn_conn_answer - rows of the same words for `count` tasks.
 *
 * tasks and bytes are the credit that comes back with them. Without memory the
 * connection ends: a task must not go unanswered on one that lives.
 */
void wyn_conn_answer(struct wyn_conn *conn, const struct wyn_answer *answer,
	uint64_t first_seq, uint64_t count, uint64_t tasks, uint64_t bytes);

/* wyn_conn_queue - puts a span into the ready queue by its batch's priority. */
void wyn_conn_queue(struct wyn_conn *conn, struct wyn_span *span);

/* wyn_conn_unqueue - takes one out of it; it stays the caller's. */
void wyn_conn_unqueue(struct wyn_conn *conn, struct wyn_span *span);

/* What the numbers of a set of ranges are. */
enum wyn_work_key {
	WYN_WORK_SEQ,
	WYN_WORK_ID,
};

/* By what a set of ranges names the task of the batch that has this seq. */
static inline uint64_t wyn_work_key_of(
	const struct wyn_batch *batch, uint64_t seq, enum wyn_work_key key)
{
	return key == WYN_WORK_SEQ ? seq
				   : batch->first_id + (seq - batch->first_seq);
}

/*
 * wyn_conn_cancel - of the tasks in the ranges (settled ones), those that wait
 * are answered, those that run are asked to end.
 *
 * grace_ms: what a command gets from SIGTERM to SIGKILL; WYN_GRACE_USUAL = its
 * own. Costs one look at each task that runs and each span and upload that
 * waits, however many ranges there are.
 */
void wyn_conn_cancel(struct wyn_conn *conn, const struct wyn_ranges *ranges,
	enum wyn_work_key key, const struct wyn_answer *answer,
	uint64_t grace_ms);

/* wyn_conn_give_up - the drain took too long: every task is answered
 * CANCELLED, DRAIN_TIMEOUT now, and what runs is asked to end. */
void wyn_conn_give_up(struct wyn_conn *conn);

/*
 * wyn_conn_batch_expired - the batch's deadline: all its tasks are answered
 * DEADLINE_EXCEEDED, running ones too.
 */
void wyn_conn_batch_expired(struct wyn_engine *engine, struct wyn_batch *batch);

/*
 * wyn_conn_task_expired - a running task is answered RUN_TIMEOUT now, with this
 * text (NULL = the usual one); it keeps its place in the executor, its argument
 * and its credit until it comes back. A command is ended, and answered then.
 */
void wyn_conn_task_expired(
	struct wyn_engine *engine, struct wyn_task *task, const char *text);

/*
 * wyn_conn_streams_end - its tasks that may emit are answered STREAM_STALLED.
 *
 * Those that wait too, or they would take the places again. Returns: false when
 * none was in the executor but such as were answered before.
 */
bool wyn_conn_streams_end(struct wyn_conn *conn);

/*
 * wyn_conn_abandon - there is nobody to answer: what waits is dropped, what
 * runs is asked to end and belongs to nobody.
 */
void wyn_conn_abandon(struct wyn_conn *conn);
