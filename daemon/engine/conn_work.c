// SPDX-License-Identifier: MIT
/*
 * conn_work.c - see conn_work.h.
 */
#include "daemon/engine/conn_work.h"

#include <stdlib.h>

#include "base/assert.h"
#include "daemon/engine/conn_command.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/conn_stream.h"
#include "daemon/engine/conn_strips.h"
#include "daemon/engine/conn_upload.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/keeper.h"
#include "daemon/run/command.h"
#include "daemon/run/invoke.h"

/* They lie behind one another: see wyn_conn_work(). */
#define WYN_ARGUMENTS_PER_LOOK 8u

static void rows_answer(struct wyn_conn *conn, const struct wyn_answer *answer,
	uint64_t first_seq, uint64_t count, uint64_t tasks, uint64_t bytes)
{
	struct wyn_list *last = wyn_list_last(&conn->verdicts);
	struct wyn_verdict *verdict =
		last == NULL ? NULL
			     : wyn_list_entry(last, struct wyn_verdict, link);

	if (verdict == NULL ||
		!wyn_verdict_extend(verdict, answer, first_seq, count)) {
		verdict = wyn_verdict_create(answer, first_seq, count);
		if (verdict == NULL) {
			wyn_conn_abort(conn);
			return;
		}
		wyn_list_push_back(&conn->verdicts, &verdict->link);
		conn->unsent_bytes += verdict->memory_bytes;
	}
	/* Not that its rows take memory yet; but a client that sends on and on
	 * what is refused, and reads nothing, would be read for ever. */
	conn->unsent_bytes += count * verdict->row_bytes;
	verdict->tasks += tasks;
	verdict->bytes += bytes;
	wyn_stats_refused(&conn->engine->stats, answer->refusal, count);
	wyn_engine_activate(conn);
}

void wyn_conn_answer(struct wyn_conn *conn, const struct wyn_answer *answer,
	uint64_t first_seq, uint64_t count, uint64_t tasks, uint64_t bytes)
{
	if (wyn_keeper_is(conn)) {
		/* Nobody reads rows; it may have been the last of them. */
		wyn_stats_refused(&conn->engine->stats, answer->refusal, count);
		wyn_stats_ended(&conn->engine->stats,
			wyn_refusal_of(answer->refusal)->status, true, count);
		wyn_engine_activate(conn);
		return;
	}
	rows_answer(conn, answer, first_seq, count, tasks, bytes);
}

/* Commands wait apart. */
static struct wyn_ready *ready_of(
	struct wyn_engine *engine, const struct wyn_span *span)
{
	return span->batch->command != NULL ? &engine->commands
					    : &engine->ready;
}

static struct wyn_ready_owner *owner_of(
	struct wyn_conn *conn, const struct wyn_span *span)
{
	return span->batch->command != NULL ? &conn->commands : &conn->ready;
}

void wyn_conn_queue(struct wyn_conn *conn, struct wyn_span *span)
{
	/* From the wire's 1..3, normalised by the codec, to 0..2. */
	unsigned priority = span->batch->options.priority - 1u;

	wyn_ready_push(ready_of(conn->engine, span), owner_of(conn, span),
		priority, span);
}

void wyn_conn_unqueue(struct wyn_conn *conn, struct wyn_span *span)
{
	wyn_ready_remove(
		ready_of(conn->engine, span), owner_of(conn, span), span);
}

/* Takes a whole span out of the ready queue and answers its tasks. */
static void span_cancel(struct wyn_conn *conn, struct wyn_span *span,
	const struct wyn_answer *answer)
{
	struct wyn_engine *engine = conn->engine;
	uint64_t first = span->next_seq;
	uint64_t count = span->args.count;
	uint64_t bytes = span->args.bytes_total;

	wyn_conn_unqueue(conn, span);
	wyn_keeper_verdict(conn, span->batch, first, count, answer);
	wyn_engine_unhold(engine, count, wyn_span_drop(span));
	wyn_conn_answer(conn, answer, first, count, count, bytes);
}

/* Splits a queued span so that one begins at seq. Returns it; NULL when there
 * is no memory. */
static struct wyn_span *span_cut(
	struct wyn_conn *conn, struct wyn_span *span, uint64_t seq)
{
	uint64_t looks = 0;
	struct wyn_span *rest;

	if (seq <= span->next_seq) {
		return span;
	}
	rest = wyn_span_split(span, seq - span->next_seq, &looks);
	wyn_conn_work(conn, looks / WYN_ARGUMENTS_PER_LOOK);
	if (rest != NULL) {
		wyn_ready_insert_after(span, rest);
	}
	return rest;
}

/*
 * Cancels what of one queued span is in the ranges. False: there was no memory
 * to split it.
 */
static bool span_cancel_parts(struct wyn_conn *conn, struct wyn_span *span,
	const struct wyn_ranges *ranges, enum wyn_work_key key,
	const struct wyn_answer *answer)
{
	uint64_t end = span->next_seq + span->args.count;
	struct wyn_range part;

	while (span != NULL) {
		uint64_t first_key =
			wyn_work_key_of(span->batch, span->next_seq, key);
		uint64_t end_key = wyn_work_key_of(span->batch, end, key);
		uint64_t first = span->next_seq;
		uint64_t after;
		struct wyn_span *rest = NULL;

		if (!wyn_ranges_meet(ranges, first_key, end_key - 1, &part)) {
			return true;
		}
		after = first + (part.last - first_key) + 1;
		first += part.first - first_key;
		span = span_cut(conn, span, first);
		if (span != NULL && after < end) {
			rest = span_cut(conn, span, after);
		}
		if (span == NULL || (after < end && rest == NULL)) {
			return false;
		}
		span_cancel(conn, span, answer);
		span = rest;
	}
	return true;
}

static void queued_cancel(struct wyn_conn *conn, struct wyn_list *spans,
	const struct wyn_ranges *ranges, enum wyn_work_key key,
	const struct wyn_answer *answer)
{
	struct wyn_list *link = spans->next;

	while (link != spans) {
		struct wyn_span *span =
			wyn_list_entry(link, struct wyn_span, link);

		/* What is split off goes between this one and the next. */
		link = link->next;
		wyn_conn_work(conn, 1);
		if (!span_cancel_parts(conn, span, ranges, key, answer)) {
			wyn_conn_abort(conn);
			return;
		}
	}
}

/* What it comes back with is not wanted, or only how it ended. */
static void task_stop(struct wyn_engine *engine, struct wyn_task *task,
	enum wyn_refusal refusal, uint64_t grace_ms)
{
	if (task->batch->command != NULL) {
		wyn_conn_command_stop(engine, task, refusal, grace_ms);
	} else {
		engine->executor->ops->cancel(engine->executor, task);
	}
}

static void running_cancel(struct wyn_conn *conn,
	const struct wyn_ranges *ranges, enum wyn_work_key key,
	uint64_t grace_ms)
{
	struct wyn_list *link;
	struct wyn_range part;

	wyn_list_for_each (link, &conn->running) {
		struct wyn_task *task =
			wyn_list_entry(link, struct wyn_task, link);
		uint64_t at;

		wyn_conn_work(conn, 1);
		at = wyn_work_key_of(task->batch, task->seq, key);

		if (wyn_ranges_meet(ranges, at, at, &part)) {
			task_stop(conn->engine, task,
				WYN_REFUSAL_CANCELLED_BY_CLIENT, grace_ms);
		}
	}
}

static void waiting_cancel(struct wyn_conn *conn,
	const struct wyn_ranges *ranges, enum wyn_work_key key,
	const struct wyn_answer *answer)
{
	wyn_conn_uploads_cancel(conn, ranges, key, answer);
	for (unsigned i = 0; i < WYN_PRIORITIES; i++) {
		queued_cancel(conn, &conn->ready.queues[i].spans, ranges, key,
			answer);
		queued_cancel(conn, &conn->commands.queues[i].spans, ranges,
			key, answer);
	}
}

void wyn_conn_cancel(struct wyn_conn *conn, const struct wyn_ranges *ranges,
	enum wyn_work_key key, const struct wyn_answer *answer,
	uint64_t grace_ms)
{
	running_cancel(conn, ranges, key, grace_ms);
	wyn_conn_strips_cancel(conn, ranges, key);
	waiting_cancel(conn, ranges, key, answer);
}

/* Answers a running task now; what it comes back with is dropped. */
static void task_answer(struct wyn_conn *conn, struct wyn_task *task,
	const struct wyn_answer *answer, uint64_t grace_ms)
{
	bool started = atomic_load_explicit(
			       &task->started_ns, memory_order_relaxed) != 0;
	struct wyn_answer told = *answer;

	if (task->answered) {
		return;
	}
	/* It may begin at this very moment. */
	told.ran = started ? WYN__V1__RAN__RAN_YES : WYN__V1__RAN__RAN_MAYBE;
	task->answered = true;
	task_stop(conn->engine, task, told.refusal, grace_ms);
	wyn_keeper_refuse(conn->engine, task, &told);
	wyn_conn_answer(conn, &told, task->seq, 1, 0, 0);
}

/* The same, but that a command is answered when it has ended. */
static void task_end(struct wyn_conn *conn, struct wyn_task *task,
	const struct wyn_answer *answer)
{
	if (task->batch->command != NULL) {
		wyn_conn_command_stop(
			conn->engine, task, answer->refusal, WYN_GRACE_USUAL);
	} else {
		task_answer(conn, task, answer, WYN_GRACE_USUAL);
	}
}

/* A command gets no more grace than the drain has left. */
static uint64_t last_grace(const struct wyn_task *task)
{
	const struct wyn_command *command = task->batch->command;

	return command != NULL && command->grace_ms > WYN_DRAIN_GRACE_MS
		       ? WYN_DRAIN_GRACE_MS
		       : WYN_GRACE_USUAL;
}

void wyn_conn_task_expired(
	struct wyn_engine *engine, struct wyn_task *task, const char *text)
{
	struct wyn_conn *conn = wyn_engine_owner(engine, task->owner);
	const struct wyn_answer answer = {
		.refusal = WYN_REFUSAL_RUN_TIMEOUT,
		.text = text,
	};

	if (conn != NULL) {
		task_end(conn, task, &answer);
	}
}

void wyn_conn_give_up(struct wyn_conn *conn)
{
	static const struct wyn_answer waiting = {
		.refusal = WYN_REFUSAL_DRAIN_TIMEOUT,
	};
	static const struct wyn_answer running = {
		.refusal = WYN_REFUSAL_DRAIN_TIMEOUT,
		.text = "the server shut down before the task ended",
	};
	struct wyn_list *link;

	waiting_cancel(conn, &WYN_RANGES_ALL, WYN_WORK_SEQ, &waiting);
	wyn_list_for_each (link, &conn->running) {
		struct wyn_task *task =
			wyn_list_entry(link, struct wyn_task, link);

		task_answer(conn, task, &running, last_grace(task));
	}
	wyn_conn_strips_give_up(conn, &waiting, &running);
}

/* Its tasks in the executor. */
static void batch_expire_running(
	struct wyn_conn *conn, const struct wyn_batch *batch)
{
	static const struct wyn_answer answer = {
		.refusal = WYN_REFUSAL_QUEUE_DEADLINE,
		.text = "the deadline passed while the task ran",
	};
	struct wyn_list *link;

	wyn_list_for_each (link, &batch->tasks) {
		task_end(conn, wyn_list_entry(link, struct wyn_task, of_batch),
			&answer);
	}
}

void wyn_conn_batch_expired(struct wyn_engine *engine, struct wyn_batch *batch)
{
	static const struct wyn_answer answer = {
		.refusal = WYN_REFUSAL_QUEUE_DEADLINE,
	};
	struct wyn_conn *conn = wyn_engine_owner(engine, batch->owner);
	struct wyn_list *link;
	struct wyn_list *after;

	if (conn == NULL) {
		return;
	}
	/* What follows may let go of the last holder but this one. */
	wyn_batch_hold(batch);
	wyn_list_for_each_safe (link, after, &batch->spans) {
		struct wyn_span *span =
			wyn_list_entry(link, struct wyn_span, of_batch);

		if (batch->upload != NULL) {
			wyn_conn_upload_cancel(conn, batch->upload, &answer);
		} else {
			span_cancel(conn, span, &answer);
		}
	}
	batch_expire_running(conn, batch);
	wyn_engine_unhold(engine, 0, wyn_batch_release(batch));
}

static void queued_streams_end(struct wyn_conn *conn, struct wyn_list *spans,
	const struct wyn_answer *answer)
{
	struct wyn_list *link;
	struct wyn_list *after;

	wyn_list_for_each_safe (link, after, spans) {
		struct wyn_span *span =
			wyn_list_entry(link, struct wyn_span, link);

		if (span->batch->options.stream) {
			span_cancel(conn, span, answer);
		}
	}
}

bool wyn_conn_streams_end(struct wyn_conn *conn)
{
	static const struct wyn_answer answer = {
		.refusal = WYN_REFUSAL_STREAM_STALLED,
	};
	struct wyn_list *link;
	bool some = false;

	wyn_list_for_each (link, &conn->running) {
		struct wyn_task *task =
			wyn_list_entry(link, struct wyn_task, link);

		if (wyn_conn_takes_place(task->batch) &&
			task->batch->options.stream && !task->answered) {
			task_end(conn, task, &answer);
			some = true;
		}
	}
	for (unsigned i = 0; some && i < WYN_PRIORITIES; i++) {
		queued_streams_end(conn, &conn->ready.queues[i].spans, &answer);
	}
	return some;
}

static void queue_drop(struct wyn_conn *conn, struct wyn_list *spans)
{
	static const struct wyn_answer given_up = {
		.refusal = WYN_REFUSAL_CANCELLED_BY_CLIENT,
		.text = "there was no room to keep it without its client",
	};
	struct wyn_engine *engine = conn->engine;
	struct wyn_list *link;

	while ((link = wyn_list_first(spans)) != NULL) {
		struct wyn_span *span =
			wyn_list_entry(link, struct wyn_span, link);
		uint64_t count = span->args.count;

		wyn_conn_unqueue(conn, span);
		wyn_keeper_verdict(
			conn, span->batch, span->next_seq, count, &given_up);
		WYN_STATS_ADD(&engine->stats, tasks_discarded, count);
		wyn_engine_unhold(engine, count, wyn_span_drop(span));
	}
}

static void waiting_drop(struct wyn_conn *conn)
{
	struct wyn_list *link;

	while ((link = wyn_list_first(&conn->uploads)) != NULL) {
		wyn_conn_upload_drop(
			conn, wyn_list_entry(link, struct wyn_upload, link));
	}
	for (unsigned i = 0; i < WYN_PRIORITIES; i++) {
		queue_drop(conn, &conn->ready.queues[i].spans);
		queue_drop(conn, &conn->commands.queues[i].spans);
	}
}

static void done_drop(struct wyn_conn *conn, struct wyn_list *tasks)
{
	struct wyn_list *link;

	while ((link = wyn_list_first(tasks)) != NULL) {
		WYN_STATS_ADD(&conn->engine->stats, tasks_discarded, 1);
		wyn_engine_task_release(conn->engine,
			wyn_list_entry(link, struct wyn_task, link));
	}
}

void wyn_conn_abandon(struct wyn_conn *conn)
{
	struct wyn_list *link;

	wyn_keeper_take(conn);
	wyn_list_remove(&conn->starved);
	wyn_list_remove(&conn->stalled);
	wyn_conn_inputs_forget(conn);
	running_cancel(conn, &WYN_RANGES_ALL, WYN_WORK_SEQ, WYN_GRACE_USUAL);
	while ((link = wyn_list_pop_front(&conn->running)) != NULL) {
		/* The engine's table no longer leads from it to here. */
		wyn_list_entry(link, struct wyn_task, link)->owner = 0;
	}
	wyn_conn_strips_abandon(conn);
	waiting_drop(conn);
	while (conn->partials != NULL) {
		struct wyn_partial *partial = conn->partials;

		conn->partials = partial->next;
		partial->task->partials_queued--;
		wyn_engine_partial_sent(conn->engine, partial);
	}
	conn->partials_tail = &conn->partials;
	done_drop(conn, &conn->waiting);
	done_drop(conn, &conn->done);
	done_drop(conn, &conn->large);
	while ((link = wyn_list_pop_front(&conn->verdicts)) != NULL) {
		free(wyn_list_entry(link, struct wyn_verdict, link));
	}
	conn->unsent_bytes = 0;
	conn->stream_bytes = 0;
}
