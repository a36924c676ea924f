// SPDX-License-Identifier: MIT
/*
 * keeper.c - see keeper.h.
 */
#include "daemon/engine/keeper.h"

#include <stdlib.h>

#include "daemon/engine/conn_state.h"
#include "daemon/engine/conn_stream.h"
#include "daemon/engine/conn_upload.h"
#include "daemon/engine/conn_work.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/inquiry.h"
#include "daemon/engine/reply_chunks.h"
#include "daemon/run/input.h"

bool wyn_keeper_is(const struct wyn_conn *conn)
{
	return conn->phase == WYN_CONN_KEEPER;
}

bool wyn_keeper_wants(const struct wyn_batch *batch)
{
	return batch->options.on_disconnect ==
	       WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP;
}

static struct wyn_kept *entry_find(const struct wyn_engine *engine,
	const struct wyn_batch *batch, uint64_t seq)
{
	return wyn_keep_find(
		&engine->keep, wyn_work_key_of(batch, seq, WYN_WORK_ID));
}

static void entries_forget(struct wyn_engine *engine,
	const struct wyn_batch *batch, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		wyn_keep_forget(&engine->keep,
			entry_find(engine, batch, batch->first_seq + i));
	}
}

bool wyn_keeper_accept(struct wyn_conn *conn, const struct wyn_batch *batch)
{
	struct wyn_kept_origin origin = {
		.uid = conn->peer.uid,
		.conn = conn->number,
		.received_ns = batch->received_ns,
		.priority = batch->options.priority,
		.function = batch->function->name,
		.command = batch->command == NULL ? "" : batch->command->line,
		.label = batch->label == NULL ? "" : batch->label,
	};

	wyn_conn_work(conn, batch->count);
	for (uint64_t i = 0; i < batch->count; i++) {
		origin.seq = batch->first_seq + i;
		origin.id = batch->first_id + i;
		if (wyn_keep_begin(&conn->engine->keep, &origin) == NULL) {
			entries_forget(conn->engine, batch, i);
			return false;
		}
	}
	conn->keeps = true;
	WYN_STATS_ADD(&conn->engine->stats, tasks_kept, batch->count);
	return true;
}

void wyn_keeper_begin(
	struct wyn_engine *engine, struct wyn_task *task, uint64_t seq)
{
	if (wyn_keeper_wants(task->batch)) {
		task->kept = entry_find(engine, task->batch, seq);
		task->kept->started_ns = engine->now_ns;
	}
}

void wyn_keeper_wait(struct wyn_task *task)
{
	if (task->kept != NULL) {
		task->kept->started_ns = 0;
	}
}

static void evicted_count(struct wyn_engine *engine)
{
	WYN_STATS_ADD(&engine->stats, kept_evicted,
		engine->keep.evicted - engine->stats.kept_evicted_approx);
}

void wyn_keeper_output(
	struct wyn_engine *engine, const struct wyn_partial *partial)
{
	if (partial->stream == WYN__V1__STREAM__STREAM_PROGRESS) {
		return;
	}
	wyn_keep_output(&engine->keep, partial->task->kept, partial->stream,
		(struct wyn_slice){partial->data, partial->bytes});
	evicted_count(engine);
	wyn_inquiries_tell(partial->task->kept);
}

static void timer_set(struct wyn_engine *engine, uint64_t when_ns)
{
	/* Without memory for it they stay until the next one ends. */
	if (when_ns == UINT64_MAX ||
		wyn_timers_arm(&engine->timers, &engine->keep_timer, when_ns) <
			0) {
		wyn_timers_disarm(&engine->timers, &engine->keep_timer);
	}
}

static void timer_fire(struct wyn_timer *timer, uint64_t now_ns)
{
	struct wyn_engine *engine =
		WYN_CONTAINER_OF(timer, struct wyn_engine, keep_timer);
	uint64_t next_ns = wyn_keep_expire(&engine->keep, now_ns);

	/* One that somebody waits for may be due already. */
	next_ns = next_ns > now_ns ? next_ns : now_ns + WYN_NS_PER_S;
	timer_set(engine, next_ns);
}

void wyn_keepers_limit(struct wyn_engine *engine)
{
	if (engine->keep_timer.place != 0) {
		timer_fire(&engine->keep_timer, engine->now_ns);
	}
}

static void entry_end(struct wyn_engine *engine, struct wyn_kept *kept,
	const struct wyn_outcome *outcome, uint8_t ran)
{
	bool awaited = !wyn_list_empty(&kept->waiters);

	if (engine->keep_timer.place == 0) {
		engine->keep_timer.fire = timer_fire;
		timer_set(engine, engine->now_ns + engine->limits.keep_ms *
							   WYN_NS_PER_MS);
	}
	wyn_keep_end(&engine->keep, kept, outcome, ran, engine->now_ns);
	evicted_count(engine);
	/* Else it may have made room for others already. */
	if (awaited) {
		wyn_inquiries_tell(kept);
	}
}

/* Where nobody looked at the clock it is not a time. */
static void start_note(const struct wyn_engine *engine,
	const struct wyn_task *task, struct wyn_kept *kept)
{
	uint64_t started_ns =
		atomic_load_explicit(&task->started_ns, memory_order_relaxed);

	if (started_ns > 1 && started_ns <= engine->now_ns) {
		kept->started_ns = started_ns;
	}
}

void wyn_keeper_end(struct wyn_engine *engine, struct wyn_task *task)
{
	struct wyn_kept *kept = task->kept;

	if (WYN_LIKELY(kept == NULL)) {
		return;
	}
	task->kept = NULL;
	start_note(engine, task, kept);
	entry_end(engine, kept, &task->outcome,
		task->ran ? WYN__V1__RAN__RAN_YES : WYN__V1__RAN__RAN_NO);
}

/* The words of an answer as an outcome, which borrows them. */
static struct wyn_outcome outcome_of(const struct wyn_answer *answer)
{
	const struct wyn_refusal_entry *entry = wyn_refusal_of(answer->refusal);
	const char *text = answer->text != NULL ? answer->text : entry->text;

	return (struct wyn_outcome){
		.code = entry->status,
		.refusal = answer->refusal,
		.message = wyn_message_text(text),
	};
}

void wyn_keeper_refuse(struct wyn_engine *engine, struct wyn_task *task,
	const struct wyn_answer *answer)
{
	const struct wyn_outcome outcome = outcome_of(answer);
	struct wyn_kept *kept = task->kept;

	if (kept != NULL) {
		task->kept = NULL;
		entry_end(engine, kept, &outcome, (uint8_t)answer->ran);
	}
}

void wyn_keeper_verdict(struct wyn_conn *conn, const struct wyn_batch *batch,
	uint64_t first_seq, uint64_t count, const struct wyn_answer *answer)
{
	const struct wyn_outcome outcome = outcome_of(answer);

	if (!wyn_keeper_wants(batch)) {
		return;
	}
	wyn_conn_work(conn, count);
	for (uint64_t i = 0; i < count; i++) {
		entry_end(conn->engine,
			entry_find(conn->engine, batch, first_seq + i),
			&outcome, WYN__V1__RAN__RAN_NO);
	}
}

static struct wyn_conn *keeper_find(
	const struct wyn_engine *engine, uint32_t uid)
{
	struct wyn_list *link;

	wyn_list_for_each (link, &engine->keepers) {
		struct wyn_conn *keeper =
			wyn_list_entry(link, struct wyn_conn, keepers);

		if (keeper->peer.uid == uid) {
			return keeper;
		}
	}
	return NULL;
}

static struct wyn_conn *keeper_acquire(
	struct wyn_engine *engine, const struct wyn_peer *peer)
{
	struct wyn_conn *keeper = keeper_find(engine, peer->uid);

	if (keeper == NULL && engine->keepers_count < WYN_KEEPERS_MAX) {
		keeper = wyn_conn_keeper(engine, peer);
	}
	return keeper;
}

static void spans_move(
	struct wyn_conn *conn, struct wyn_conn *keeper, struct wyn_list *spans)
{
	struct wyn_list *link;
	struct wyn_list *after;

	wyn_list_for_each_safe (link, after, spans) {
		struct wyn_span *span =
			wyn_list_entry(link, struct wyn_span, link);

		if (wyn_keeper_wants(span->batch)) {
			wyn_conn_unqueue(conn, span);
			span->batch->owner = keeper->id;
			wyn_conn_queue(keeper, span);
		}
	}
}

static void running_move(struct wyn_conn *conn, struct wyn_conn *keeper)
{
	struct wyn_list *link;
	struct wyn_list *after;

	wyn_list_for_each_safe (link, after, &conn->running) {
		struct wyn_task *task =
			wyn_list_entry(link, struct wyn_task, link);

		if (!wyn_keeper_wants(task->batch)) {
			continue;
		}
		wyn_list_remove(link);
		wyn_list_push_back(&keeper->running, link);
		task->owner = keeper->id;
		task->batch->owner = keeper->id;
		if (wyn_conn_takes_place(task->batch)) {
			conn->streaming--;
			keeper->streaming++;
		}
	}
}

/* Nobody sends more of them. */
static void inputs_end(struct wyn_conn *conn)
{
	struct wyn_executor *executor = conn->engine->command_executor;
	struct wyn_list *link;
	struct wyn_list *after;

	wyn_list_for_each_safe (link, after, &conn->inputs) {
		struct wyn_input *input =
			wyn_list_entry(link, struct wyn_input, link);

		wyn_list_remove(link);
		input->eof = true;
		input->owner = 0;
		if (input->task != NULL) {
			executor->ops->input(executor, input->task);
		}
	}
}

static void partials_drop(struct wyn_conn *conn)
{
	struct wyn_partial **place = &conn->partials;

	while (*place != NULL) {
		struct wyn_partial *partial = *place;

		if (!wyn_keeper_wants(partial->task->batch)) {
			place = &partial->next;
			continue;
		}
		*place = partial->next;
		if (partial->stream == WYN__V1__STREAM__STREAM_PROGRESS) {
			partial->task->report = NULL;
		}
		partial->task->partials_queued--;
		wyn_engine_partial_sent(conn->engine, partial);
	}
	conn->partials_tail = place;
}

static void row_count(struct wyn_engine *engine, const struct wyn_task *task)
{
	const struct wyn_outcome *outcome = &task->outcome;

	if (!task->answered) {
		wyn_stats_ended(&engine->stats, outcome->code, false, 1);
		wyn_stats_refused(&engine->stats, outcome->refusal, 1);
	}
}

/* They have ended, and nobody waits for their rows. */
static void ended_keep(struct wyn_conn *conn, struct wyn_list *tasks)
{
	struct wyn_list *link;
	struct wyn_list *after;

	wyn_list_for_each_safe (link, after, tasks) {
		struct wyn_task *task =
			wyn_list_entry(link, struct wyn_task, link);

		if (wyn_keeper_wants(task->batch)) {
			row_count(conn->engine, task);
			wyn_engine_task_release(conn->engine, task);
		}
	}
}

static void uploads_refuse(struct wyn_conn *conn)
{
	static const struct wyn_answer answer = {
		.refusal = WYN_REFUSAL_CANCELLED_BY_CLIENT,
		.text = "the client closed before its argument was whole",
	};
	struct wyn_list *link;

	wyn_list_for_each (link, &conn->uploads) {
		const struct wyn_batch *batch =
			wyn_list_entry(link, struct wyn_upload, link)->batch;

		wyn_keeper_verdict(conn, batch, batch->first_seq, 1, &answer);
	}
}

void wyn_keeper_take(struct wyn_conn *conn)
{
	struct wyn_conn *keeper;

	if (!conn->keeps) {
		return;
	}
	conn->keeps = false;
	partials_drop(conn);
	ended_keep(conn, &conn->waiting);
	ended_keep(conn, &conn->done);
	ended_keep(conn, &conn->large);
	uploads_refuse(conn);
	keeper = keeper_acquire(conn->engine, &conn->peer);
	if (keeper == NULL) {
		return; /* no memory: they end as others do */
	}
	for (unsigned i = 0; i < WYN_PRIORITIES; i++) {
		spans_move(conn, keeper, &conn->ready.queues[i].spans);
		spans_move(conn, keeper, &conn->commands.queues[i].spans);
	}
	running_move(conn, keeper);
	inputs_end(conn);
	wyn_engine_activate(keeper);
}

static bool is_idle(const struct wyn_conn *keeper)
{
	return wyn_list_empty(&keeper->running) && keeper->ready.tasks == 0 &&
	       keeper->commands.tasks == 0;
}

void wyn_keeper_fill(struct wyn_conn *keeper)
{
	partials_drop(keeper);
	ended_keep(keeper, &keeper->waiting);
	ended_keep(keeper, &keeper->done);
	ended_keep(keeper, &keeper->large);
	keeper->unsent_bytes = 0;
	keeper->stream_bytes = 0;
	wyn_conn_feed(keeper);
	if (is_idle(keeper)) {
		wyn_conn_keeper_free(keeper);
	}
}

void wyn_keepers_end(struct wyn_engine *engine)
{
	struct wyn_list *link;

	while ((link = wyn_list_first(&engine->keepers)) != NULL) {
		struct wyn_conn *keeper =
			wyn_list_entry(link, struct wyn_conn, keepers);

		wyn_conn_abandon(keeper);
		wyn_conn_keeper_free(keeper);
	}
	wyn_timers_disarm(&engine->timers, &engine->keep_timer);
}
