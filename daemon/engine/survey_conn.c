// SPDX-License-Identifier: MIT
/*
 * survey_conn.c - the tasks of one connection, wherever they are.
 *
 * By the table of states of the room's README. What a span or a strip has in
 * common is looked at once, and of its tasks those alone whose rows are wanted;
 * only the way to their arguments leads over those before.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/engine/conn_strip.h"
#include "daemon/engine/conn_upload.h"
#include "daemon/engine/conn_work.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/survey.h"
#include "base/text.h"
#include "daemon/engine/survey_why.h"

#define ARGUMENTS_PER_LOOK 8u

/* Where tasks of a batch are looked for. */
struct place {
	struct wyn_survey *survey;
	const struct wyn_conn *conn;
	const struct wyn_batch *batch;
	uint64_t received_ns;
};

/* Could one of them be wanted? Of `count` from first_seq on, those may be from
 * *ret_from to before *ret_end. */
static bool is_wanted(const struct place *place, uint64_t first_seq,
	uint64_t count, uint64_t *ret_from, uint64_t *ret_end)
{
	const struct wyn_survey_query *query = &place->survey->query;
	uint64_t id = wyn_work_key_of(place->batch, first_seq, WYN_WORK_ID);
	uint64_t least = query->after + 1;
	uint64_t from = 0;

	place->survey->looks++;
	if (query->function[0] != '\0' &&
		strcmp(query->function, place->batch->function->name) != 0) {
		return false;
	}
	if (query->label[0] != '\0' &&
		(place->batch->label == NULL ||
			strcmp(query->label, place->batch->label) != 0)) {
		return false;
	}
	if (query->explain) {
		from = query->id != 0 ? query->id - id : query->seq - first_seq;
		*ret_from = first_seq + from;
		*ret_end = *ret_from + 1;
		return from < count; /* one below has wrapped */
	}
	from = least > id ? least - id : 0;
	*ret_from = first_seq + from;
	*ret_end = first_seq + count;
	return from < count && query->after != UINT64_MAX;
}

/* The row of a task in this state. NULL: it is not wanted. */
static struct wyn_survey_row *note(const struct place *place, uint64_t seq,
	uint8_t state, uint64_t argument_bytes)
{
	const struct wyn_survey_query *query = &place->survey->query;
	const struct wyn_batch *batch = place->batch;
	struct wyn_survey_row *row;

	if (query->state != 0 && query->state != state) {
		return NULL;
	}
	row = wyn_survey_place(
		place->survey, wyn_work_key_of(batch, seq, WYN_WORK_ID));
	if (row == NULL) {
		return NULL;
	}
	row->seq = seq;
	row->conn = place->conn->number;
	row->age_ns = place->conn->engine->now_ns - place->received_ns;
	row->argument_bytes = argument_bytes;
	row->timeout_ms = batch->options.timeout_ms;
	row->deadline_ms = batch->options.deadline_ms;
	row->loop = (uint32_t)place->survey->loop;
	row->state = state;
	row->priority = batch->options.priority;
	(void)snprintf(row->function, sizeof(row->function), "%s",
		batch->function->name);
	if (batch->label != NULL) {
		wyn_text_copy(row->label, sizeof(row->label), batch->label);
	}
	if (batch->command != NULL) {
		memcpy(row->command, batch->command->line,
			sizeof(row->command));
	}
	(void)snprintf(row->client_name, sizeof(row->client_name), "%s",
		place->conn->client_name);
	return row;
}

static void uploads_look(struct wyn_survey *survey, struct wyn_conn *conn)
{
	struct wyn_list *link;

	wyn_list_for_each (link, &conn->uploads) {
		const struct wyn_upload *upload =
			wyn_list_entry(link, struct wyn_upload, link);
		const struct place place = {
			.survey = survey,
			.conn = conn,
			.batch = upload->batch,
			.received_ns = upload->batch->received_ns,
		};
		uint64_t seq = upload->batch->first_seq;
		uint64_t from;
		uint64_t end;

		if (is_wanted(&place, seq, 1, &from, &end) &&
			note(&place, seq,
				WYN__V1__TASK_STATE__TASK_STATE_UPLOADING,
				upload->size) != NULL &&
			survey->query.explain) {
			wyn_survey_why_upload(survey, upload);
		}
	}
}

static void span_look(struct wyn_survey *survey, struct wyn_conn *conn,
	const struct wyn_span *span)
{
	static const uint8_t state = WYN__V1__TASK_STATE__TASK_STATE_QUEUED;
	const struct place place = {
		.survey = survey,
		.conn = conn,
		.batch = span->batch,
		.received_ns = span->batch->received_ns,
	};
	struct wyn_args args = span->args;
	uint64_t seq = span->next_seq;
	struct wyn_slice argument;
	uint64_t from;
	uint64_t end;

	if (!is_wanted(&place, seq, args.count, &from, &end)) {
		return;
	}
	for (; seq < end && wyn_args_next(&args, &argument); seq++) {
		if (seq < from) {
			continue;
		}
		if (note(&place, seq, state, argument.len) == NULL) {
			seq++;
			break; /* those behind it have higher ids */
		}
		if (survey->query.explain) {
			wyn_survey_why_queued(
				survey, conn, span, seq - span->next_seq);
		}
	}
	survey->looks += (seq - span->next_seq) / ARGUMENTS_PER_LOOK;
}

static void queue_look(struct wyn_survey *survey, struct wyn_conn *conn,
	const struct wyn_list *spans)
{
	const struct wyn_list *link;

	for (link = spans->next; link != spans; link = link->next) {
		span_look(survey, conn,
			WYN_CONTAINER_OF(link, const struct wyn_span, link));
	}
}

static void queues_look(struct wyn_survey *survey, struct wyn_conn *conn)
{
	for (unsigned i = 0; i < WYN_PRIORITIES; i++) {
		queue_look(survey, conn, &conn->ready.queues[i].spans);
		queue_look(survey, conn, &conn->commands.queues[i].spans);
	}
}

/* Its row, if it is wanted. */
static struct wyn_survey_row *task_note(struct wyn_survey *survey,
	const struct wyn_conn *conn, const struct wyn_task *task, uint8_t state)
{
	const struct place place = {
		.survey = survey,
		.conn = conn,
		.batch = task->batch,
		.received_ns = task->received_ns,
	};
	uint64_t from;
	uint64_t end;

	return is_wanted(&place, task->seq, 1, &from, &end)
		       ? note(&place, task->seq, state,
				 task->element.argument.len)
		       : NULL;
}

static void running_look(struct wyn_survey *survey, struct wyn_conn *conn)
{
	uint64_t now_ns = conn->engine->now_ns;
	struct wyn_list *link;

	wyn_list_for_each (link, &conn->running) {
		struct wyn_task *task =
			wyn_list_entry(link, struct wyn_task, link);
		uint64_t started_ns = atomic_load_explicit(
			&task->started_ns, memory_order_relaxed);
		struct wyn_survey_row *row = task_note(survey, conn, task,
			started_ns == 0
				? WYN__V1__TASK_STATE__TASK_STATE_NEXT
				: WYN__V1__TASK_STATE__TASK_STATE_RUNNING);

		if (row == NULL) {
			continue;
		}
		row->answered = task->answered;
		if (started_ns > 1 && started_ns < now_ns) {
			row->run_ns = now_ns - started_ns;
		}
		if (survey->query.explain) {
			wyn_survey_why_task(survey, conn, task);
		}
	}
}

/* What one of a strip's is at; UNSPECIFIED = it has its row, or its answer. */
static uint8_t strip_state(const struct wyn_strip *strip, uint32_t index)
{
	if (index < strip->due) {
		return strip->ends[index] == WYN_STRIP_PLAIN
			       ? WYN__V1__TASK_STATE__TASK_STATE_OUTPUT
			       : WYN__V1__TASK_STATE__TASK_STATE_UNSPECIFIED;
	}
	if (index < wyn_strip_ended(strip)) {
		return strip->answered
			       ? WYN__V1__TASK_STATE__TASK_STATE_UNSPECIFIED
			       : WYN__V1__TASK_STATE__TASK_STATE_OUTPUT;
	}
	return index < wyn_strip_begun(strip)
		       ? WYN__V1__TASK_STATE__TASK_STATE_RUNNING
		       : WYN__V1__TASK_STATE__TASK_STATE_NEXT;
}

/* The index-th of a strip, whose argument is so long. */
static void strip_note(const struct place *place, const struct wyn_strip *strip,
	uint32_t index, uint64_t argument_bytes)
{
	struct wyn_survey *survey = place->survey;
	uint8_t state = strip_state(strip, index);
	struct wyn_survey_row *row;

	if (state == WYN__V1__TASK_STATE__TASK_STATE_UNSPECIFIED) {
		return;
	}
	row = note(place, strip->first_seq + index, state, argument_bytes);
	if (row == NULL) {
		return;
	}
	row->answered = index >= strip->due && strip->answered;
	if (!survey->query.explain) {
		return;
	}
	if (state == WYN__V1__TASK_STATE__TASK_STATE_OUTPUT) {
		wyn_survey_why_output(survey, place->conn, false);
	} else {
		wyn_survey_why_strip(survey, place->conn, strip, index);
	}
}

/* Its tasks from the first that is not in the output to before `end`. */
static void strip_look(struct wyn_survey *survey, struct wyn_conn *conn,
	const struct wyn_strip *strip, uint32_t end)
{
	const struct place place = {
		.survey = survey,
		.conn = conn,
		.batch = strip->batch,
		.received_ns = strip->received_ns,
	};
	struct wyn_args args = strip->args;
	struct wyn_slice argument;
	uint64_t first;
	uint64_t last;

	if (!is_wanted(&place, strip->first_seq, end, &first, &last)) {
		return;
	}
	for (uint32_t i = 0; i < end && wyn_args_next(&args, &argument); i++) {
		uint64_t seq = strip->first_seq + i;

		if (i >= strip->sent && seq >= first && seq < last) {
			strip_note(&place, strip, i, argument.len);
		}
	}
}

static void strips_look(struct wyn_survey *survey, struct wyn_conn *conn)
{
	struct wyn_list *link;

	wyn_list_for_each (link, &conn->strips) {
		const struct wyn_strip *strip =
			wyn_list_entry(link, struct wyn_strip, link);

		strip_look(survey, conn, strip, strip->kept);
	}
	/* Those that are in both lists were looked at above. */
	wyn_list_for_each (link, &conn->strips_due) {
		const struct wyn_strip *strip =
			wyn_list_entry(link, struct wyn_strip, rows);

		if (strip->returned) {
			strip_look(survey, conn, strip, strip->due);
		}
	}
}

static void ended_look(struct wyn_survey *survey, struct wyn_conn *conn,
	struct wyn_list *tasks)
{
	static const uint8_t state = WYN__V1__TASK_STATE__TASK_STATE_OUTPUT;
	struct wyn_list *link;

	wyn_list_for_each (link, tasks) {
		const struct wyn_task *task =
			wyn_list_entry(link, struct wyn_task, link);

		if (!task->answered &&
			task_note(survey, conn, task, state) != NULL &&
			survey->query.explain) {
			wyn_survey_why_output(survey, conn, task->waiting);
		}
	}
}

void wyn_survey_conn(struct wyn_survey *survey, struct wyn_conn *conn)
{
	uploads_look(survey, conn);
	queues_look(survey, conn);
	running_look(survey, conn);
	strips_look(survey, conn);
	ended_look(survey, conn, &conn->waiting);
	ended_look(survey, conn, &conn->done);
	ended_look(survey, conn, &conn->large);
}
