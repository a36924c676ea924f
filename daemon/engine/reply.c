// SPDX-License-Identifier: MIT
/*
 * reply.c - see reply.h. The loop's thread only.
 */
#include "daemon/engine/reply.h"

#include <stdlib.h>

#include "daemon/engine/conn_command.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/conn_strip.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/keeper.h"
#include "daemon/engine/reply_chunks.h"
#include "daemon/run/command.h"

/* What is beyond this starts the next Results; one larger value goes alone. */
#define WYN_RESULTS_BYTES (24u << 10)

#define WYN_USAGE_BYTES 80u /* of a Detail: what a command took */

/* Rows on their way into one frame, and what is let go once they are in it. */
struct rows {
	size_t n;
	size_t bytes;
	size_t bytes_max;
	struct wyn_list tasks;
	struct wyn_list strips;	  /* ended ones */
	struct wyn_list verdicts; /* likewise */
	uint64_t credit_tasks;
	uint64_t credit_bytes;
};

static struct wyn_task *task_of(struct wyn_list *link)
{
	return wyn_list_entry(link, struct wyn_task, link);
}

static uint64_t results_bytes_max(const struct wyn_conn *conn)
{
	uint64_t most =
		conn->engine->limits.frame_bytes_max - WYN_RESULTS_HEAD_BYTES;

	return most < WYN_RESULTS_BYTES ? most : WYN_RESULTS_BYTES;
}

void wyn_reply_add(struct wyn_conn *conn, struct wyn_task *task)
{
	conn->unsent_bytes += wyn_task_weight(task);
	task->waiting = task->partials_queued > 0;
	if (task->waiting) {
		wyn_list_push_back(&conn->waiting, &task->link);
		conn->stream_bytes += wyn_task_weight(task);
	} else {
		wyn_reply_place(conn, task);
	}
	wyn_engine_activate(conn);
}

static void verdict_rows(struct wyn_conn *conn, struct rows *rows)
{
	struct wyn_engine *engine = conn->engine;
	struct wyn_verdict *verdict = wyn_list_entry(
		wyn_list_first(&conn->verdicts), struct wyn_verdict, link);

	while (verdict->count > 0 && rows->n < WYN_ROWS_MAX &&
		rows->bytes < rows->bytes_max) {
		engine->rows[rows->n++] = (struct wyn_result){
			.seq = verdict->next_seq++,
			.code = wyn_refusal_of(verdict->refusal)->status,
			.detail = &verdict->detail,
		};
		rows->bytes += verdict->row_bytes;
		conn->unsent_bytes -= verdict->row_bytes;
		verdict->count--;
		conn->unanswered--;
		wyn_stats_ended(&engine->stats,
			wyn_refusal_of(verdict->refusal)->status, true, 1);
	}
	if (verdict->count == 0) {
		rows->credit_tasks += verdict->tasks;
		rows->credit_bytes += verdict->bytes;
		conn->unsent_bytes -= verdict->memory_bytes;
		wyn_list_remove(&verdict->link);
		wyn_list_push_back(&rows->verdicts, &verdict->link);
	}
}

static void detail_fill(struct wyn_detail *detail, const struct wyn_task *task)
{
	const struct wyn_outcome *outcome = &task->outcome;
	const struct wyn_refusal_entry *entry =
		wyn_refusal_of(outcome->refusal);

	*detail = (struct wyn_detail){
		.ran = task->ran ? WYN__V1__RAN__RAN_YES : WYN__V1__RAN__RAN_NO,
	};
	if (entry->ran == WYN__V1__RAN__RAN_MAYBE) {
		detail->ran = entry->ran;
	}
	if (outcome->refusal != WYN_REFUSAL_NONE) {
		detail->reason = wyn_slice_of(entry->word);
	}
	if (!task->ran) {
		detail->retry_after_ms = entry->retry_after_ms;
	}
	if (outcome->message != NULL) {
		detail->message = wyn_slice_of(outcome->message);
	} else if (task->batch->command != NULL && entry->text != NULL) {
		detail->message = wyn_slice_of(entry->text);
	}
	if (outcome->end != NULL) {
		detail->exit_status = outcome->end->exit_status;
		detail->signal = outcome->end->signal;
		detail->usage = &outcome->end->usage;
	}
}

static void task_row(
	struct wyn_conn *conn, struct wyn_task *task, struct rows *rows)
{
	struct wyn_engine *engine = conn->engine;
	const struct wyn_outcome *outcome = &task->outcome;
	struct wyn_result *row = &engine->rows[rows->n];

	wyn_list_remove(&task->link);
	wyn_list_push_back(&rows->tasks, &task->link);
	conn->unsent_bytes -= wyn_task_weight(task);
	conn->unanswered--;
	rows->credit_tasks++;
	rows->credit_bytes += task->element.argument.len;
	wyn_stats_ended(&engine->stats, outcome->code, false, 1);
	wyn_stats_refused(&engine->stats, outcome->refusal, 1);
	wyn_histogram_record(
		&engine->stats.latency_ns, engine->now_ns - task->received_ns);
	if (wyn_task_is_quiet(task)) {
		conn->quiet_done++;
		return;
	}
	*row = (struct wyn_result){.seq = task->seq, .code = outcome->code};
	if (outcome->code != WYN_STATUS_OK || outcome->end != NULL) {
		row->detail = &engine->details[rows->n];
		detail_fill(&engine->details[rows->n], task);
		rows->bytes += row->detail->message.len +
			       row->detail->reason.len + WYN_USAGE_BYTES;
	} else if (task->value_sent == 0) {
		row->value = (struct wyn_slice){
			outcome->value, outcome->value_bytes};
		rows->bytes += row->value.len;
	}
	rows->bytes += WYN_ROW_BYTES;
	rows->n++;
}

/* All that was due of it is in. */
static void strip_sent(
	struct wyn_conn *conn, struct wyn_strip *strip, struct rows *rows)
{
	struct wyn_engine *engine = conn->engine;
	uint32_t tasks = strip->due_tasks;

	wyn_list_remove(&strip->rows);
	conn->unsent_bytes -= sizeof(*strip);
	conn->unanswered -= tasks;
	rows->credit_tasks += tasks;
	rows->credit_bytes += strip->due_bytes;
	wyn_engine_unhold(engine, tasks, 0);
	WYN_STATS_ADD(&engine->stats, tasks_ok, tasks);
	wyn_histogram_record_n(&engine->stats.latency_ns,
		engine->now_ns - strip->received_ns, tasks);
	strip->due_tasks = 0;
	strip->due_bytes = 0;
	if (strip->returned) {
		wyn_list_push_back(&rows->strips, &strip->link);
	}
}

static void strip_rows(
	struct wyn_conn *conn, struct wyn_strip *strip, struct rows *rows)
{
	struct wyn_result *row = &conn->engine->rows[rows->n];

	if (strip->batch->options.quiet) {
		conn->quiet_done += strip->due_tasks;
		strip->sent = strip->due;
	}
	for (; strip->sent < strip->due && rows->n < WYN_ROWS_MAX &&
		rows->bytes < rows->bytes_max;
		strip->sent++) {
		size_t bytes = strip->lengths[strip->sent];

		if (strip->ends[strip->sent] != WYN_STRIP_PLAIN) {
			continue;
		}
		*row++ = (struct wyn_result){
			.seq = strip->first_seq + strip->sent,
			.value = {strip->values + strip->sent_bytes, bytes},
		};
		strip->sent_bytes += wyn_strip_value_room(bytes);
		rows->bytes += WYN_ROW_BYTES + bytes;
		rows->n++;
	}
	if (strip->sent == strip->due) {
		strip_sent(conn, strip, rows);
	}
}

/* Takes rows off the connection's lists until the frame is full. */
static void rows_collect(struct wyn_conn *conn, struct rows *rows)
{
	while (rows->n < WYN_ROWS_MAX && rows->bytes < rows->bytes_max) {
		struct wyn_list *first = wyn_list_first(&conn->done);

		if (!wyn_list_empty(&conn->verdicts)) {
			verdict_rows(conn, rows);
			continue;
		}
		if (!wyn_list_empty(&conn->strips_due)) {
			strip_rows(conn,
				wyn_list_entry(
					wyn_list_first(&conn->strips_due),
					struct wyn_strip, rows),
				rows);
			continue;
		}
		/* What does not fit beside others goes into the next frame. */
		if (first == NULL ||
			(rows->n > 0 &&
				rows->bytes + task_of(first)
							->outcome.value_bytes >
					rows->bytes_max)) {
			return;
		}
		task_row(conn, task_of(first), rows);
	}
}

static void rows_encode(struct wyn_conn *conn, const struct rows *rows)
{
	const struct wyn_result *first = conn->engine->rows;
	struct wyn_results_sizes sizes;
	uint8_t *room;

	if (rows->n == 0 && conn->quiet_done == 0) {
		return;
	}
	wyn_results_measure(first, rows->n, conn->quiet_done, &sizes);
	room = wyn_output_reserve(&conn->output, sizes.frame);
	if (room == NULL) {
		wyn_conn_abort(conn);
		return;
	}
	wyn_results_encode(first, rows->n, conn->quiet_done, &sizes, room);
	wyn_output_commit(&conn->output, sizes.frame);
	conn->quiet_done = 0;
}

static void rows_release(struct wyn_conn *conn, struct rows *rows)
{
	struct wyn_list *link;

	while ((link = wyn_list_first(&rows->tasks)) != NULL) {
		wyn_engine_task_release(conn->engine, task_of(link));
	}
	while ((link = wyn_list_first(&rows->strips)) != NULL) {
		wyn_conn_strip_release(conn->engine,
			wyn_list_entry(link, struct wyn_strip, link));
	}
	while ((link = wyn_list_pop_front(&rows->verdicts)) != NULL) {
		free(wyn_list_entry(link, struct wyn_verdict, link));
	}
	wyn_credit_return(&conn->tasks, rows->credit_tasks);
	wyn_credit_return(&conn->bytes, rows->credit_bytes);
}

static bool has_rows(const struct wyn_conn *conn)
{
	return !wyn_list_empty(&conn->strips_due) ||
	       !wyn_list_empty(&conn->done) || !wyn_list_empty(&conn->verdicts);
}

static void results_send(struct wyn_conn *conn)
{
	while (wyn_reply_has_room(conn) && has_rows(conn)) {
		struct rows rows = {.bytes_max = results_bytes_max(conn)};

		wyn_list_init(&rows.tasks);
		wyn_list_init(&rows.strips);
		wyn_list_init(&rows.verdicts);
		rows_collect(conn, &rows);
		rows_encode(conn, &rows);
		rows_release(conn, &rows);
	}
}

/* Behind the rows that free it, so the client cannot use it before it has read
 * them: the same as returning it when they are written. */
static void credit_send(struct wyn_conn *conn)
{
	uint64_t largest = conn->engine->limits.argument_bytes_max;
	Wyn__V1__Credit credit = WYN__V1__CREDIT__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	if (conn->phase != WYN_CONN_OPEN ||
		(!wyn_credit_due(&conn->tasks, 1) &&
			!wyn_credit_due(&conn->bytes, largest) &&
			conn->input_untold < WYN_INPUT_UNTOLD_BYTES)) {
		return;
	}
	conn->input_untold = 0;
	credit.tasks = wyn_credit_tell(&conn->tasks);
	credit.argument_bytes = wyn_credit_tell(&conn->bytes);
	frame.body_case = WYN__V1__FRAME__BODY_CREDIT;
	frame.credit = &credit;
	wyn_conn_send(conn, &frame);
}

bool wyn_reply_is_due(const struct wyn_conn *conn)
{
	return conn->partials != NULL || !wyn_list_empty(&conn->large) ||
	       has_rows(conn);
}

void wyn_reply_fill(struct wyn_conn *conn)
{
	size_t before = conn->output.bytes;

	if (wyn_keeper_is(conn)) {
		wyn_keeper_fill(conn);
		return;
	}
	if (conn->phase >= WYN_CONN_CLOSING) {
		return;
	}
	wyn_conn_accepted_flush(conn);
	wyn_reply_partials(conn);
	wyn_reply_large_values(conn);
	results_send(conn);
	credit_send(conn);
	wyn_conn_relieve(conn);
	wyn_conn_settle(conn);
	if (conn->output.bytes != before) {
		wyn_engine_touch(conn);
	}
}
