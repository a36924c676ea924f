// SPDX-License-Identifier: MIT
/*
 * conn_call_list.c - list and explain: a survey is sent off, and answers.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/engine/conn_call.h"
#include "daemon/engine/conn_command.h"
#include "daemon/engine/conn_later.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/survey.h"

/* What sending one off costs in looks: see wyn_conn_work(). */
#define SURVEY_LOOKS 64u

/* A row in a Reply, at most: four texts, numbers, keys and lengths. */
#define ROW_BYTES_MAX                                    \
	(WYN_SURVEY_NAME_BYTES + WYN_CLIENT_NAME_BYTES + \
		WYN_COMMAND_LINE_BYTES + WYN_LABEL_BYTES + 19 * (2 + 10))

/* Beside the rows. */
#define HEAD_BYTES_MAX 64u

void wyn_survey_task_fill(
	const struct wyn_survey_row *row, Wyn__V1__Task *ret_task)
{
	wyn__v1__task__init(ret_task);
	ret_task->id = row->id;
	ret_task->seq = row->seq;
	ret_task->connection = row->conn;
	ret_task->client_name = wyn_message_text(row->client_name);
	ret_task->function = wyn_message_text(row->function);
	ret_task->command = wyn_message_text(row->command);
	ret_task->state = (Wyn__V1__TaskState)row->state;
	ret_task->age_ns = row->age_ns;
	ret_task->run_ns = row->run_ns;
	ret_task->priority = (Wyn__V1__Priority)row->priority;
	ret_task->argument_bytes = row->argument_bytes;
	ret_task->loop = row->loop;
	ret_task->timeout_ms = row->timeout_ms;
	ret_task->deadline_ms = row->deadline_ms;
	ret_task->answered = row->answered;
	ret_task->label = wyn_message_text(row->label);
	ret_task->code = row->code;
	ret_task->exit_status = row->exit_status;
	ret_task->signal = row->signal;
}

static void list_answer(const struct wyn_survey *survey)
{
	Wyn__V1__Task tasks[WYN_SURVEY_ROWS_MAX];
	Wyn__V1__Task *pointers[WYN_SURVEY_ROWS_MAX];
	Wyn__V1__ListReply list = WYN__V1__LIST_REPLY__INIT;
	Wyn__V1__Reply answer = WYN__V1__REPLY__INIT;

	for (size_t i = 0; i < survey->count; i++) {
		wyn_survey_task_fill(wyn_survey_row(survey, i), &tasks[i]);
		pointers[i] = &tasks[i];
	}
	list.n_tasks = survey->count;
	list.tasks = pointers;
	list.more = survey->more;
	answer.what_case = WYN__V1__REPLY__WHAT_LIST;
	answer.list = &list;
	wyn_later_answer(&survey->later, &answer);
}

static void explain_answer(const struct wyn_survey *survey)
{
	const struct wyn_survey_why *why = &survey->why;
	Wyn__V1__Task task;
	Wyn__V1__ExplainReply explain = WYN__V1__EXPLAIN_REPLY__INIT;
	Wyn__V1__Reply answer = WYN__V1__REPLY__INIT;

	if (survey->count == 0) {
		wyn_conn_call_refuse(NULL, 0, &survey->later,
			WYN_STATUS_NOT_FOUND, "TASK_UNKNOWN",
			"no task of that number waits or runs that you may "
			"see");
		return;
	}
	wyn_survey_task_fill(wyn_survey_row(survey, 0), &task);
	explain.task = &task;
	explain.why = (Wyn__V1__Why)why->why;
	explain.message = wyn_message_text(why->text);
	explain.ahead = why->ahead;
	explain.connections = why->conns;
	explain.executor = why->executor;
	explain.have_bytes = why->have_bytes;
	answer.what_case = WYN__V1__REPLY__WHAT_EXPLAIN;
	answer.explain = &explain;
	wyn_later_answer(&survey->later, &answer);
}

static void survey_send(struct wyn_conn *conn, const Wyn__V1__Call *call,
	const struct wyn_survey_query *query,
	void (*answer)(const struct wyn_survey *survey))
{
	struct wyn_later later;
	int error;

	wyn_conn_work(conn, SURVEY_LOOKS);
	if (!wyn_conn_later(conn, call->call_id, &later)) {
		return;
	}
	error = wyn_survey_start(conn, &later, query, answer);
	if (error == -EBUSY) {
		WYN_STATS_ADD(&conn->engine->stats, calls_over_max, 1);
		wyn_conn_call_refuse(conn, 0, &later,
			WYN_STATUS_RESOURCE_EXHAUSTED, "CALLS_MAX",
			"too many others look at the tasks");
	} else if (error < 0) {
		wyn_conn_call_refuse(conn, 0, &later,
			WYN_STATUS_RESOURCE_EXHAUSTED, "CALLS_MAX",
			"the server has no memory for it");
	}
}

/* As many as the Call wants and a frame holds. */
static size_t rows_max(const struct wyn_conn *conn, size_t wanted)
{
	uint64_t frame = conn->engine->shared->limits.frame_bytes_max;
	size_t most = (frame - HEAD_BYTES_MAX) / ROW_BYTES_MAX;

	most = most < WYN_SURVEY_ROWS_MAX ? most : WYN_SURVEY_ROWS_MAX;
	return wanted > 0 && wanted < most ? wanted : most;
}

void wyn_conn_call_list(struct wyn_conn *conn, const Wyn__V1__Call *call)
{
	const Wyn__V1__ListCall *list = call->list;
	struct wyn_survey_query query = {
		.after = list->after,
		.conn = list->connection,
		.rows_max = rows_max(conn, list->limit),
	};

	if ((unsigned)list->state > WYN__V1__TASK_STATE__TASK_STATE_ENDED) {
		wyn_conn_call_refuse(conn, call->call_id, NULL,
			WYN_STATUS_INVALID_ARGUMENT, "CALL_INVALID",
			"a state that this server does not know");
		return;
	}
	if (strlen(list->function) >= sizeof(query.function)) {
		wyn_conn_call_refuse(conn, call->call_id, NULL,
			WYN_STATUS_INVALID_ARGUMENT, "CALL_INVALID",
			"longer than any name of a function");
		return;
	}
	if (strlen(list->label) >= sizeof(query.label)) {
		wyn_conn_call_refuse(conn, call->call_id, NULL,
			WYN_STATUS_INVALID_ARGUMENT, "CALL_INVALID",
			"longer than any label");
		return;
	}
	(void)snprintf(query.label, sizeof(query.label), "%s", list->label);
	query.state = (uint8_t)list->state;
	(void)snprintf(
		query.function, sizeof(query.function), "%s", list->function);
	survey_send(conn, call, &query, list_answer);
}

void wyn_conn_call_explain(struct wyn_conn *conn, const Wyn__V1__Call *call)
{
	const Wyn__V1__ExplainCall *explain = call->explain;
	struct wyn_survey_query query = {
		.explain = true,
		.id = explain->id,
		.seq = explain->seq,
		.rows_max = 1,
	};

	if ((explain->id == 0) == (explain->seq == 0)) {
		wyn_conn_call_refuse(conn, call->call_id, NULL,
			WYN_STATUS_INVALID_ARGUMENT, "CALL_INVALID",
			"either an id or a seq");
		return;
	}
	if (explain->id == 0) {
		query.conn = explain->connection != 0 ? explain->connection
						      : conn->number;
	}
	survey_send(conn, call, &query, explain_answer);
}

static void end_answer(const struct wyn_survey *survey)
{
	Wyn__V1__EndReply end = WYN__V1__END_REPLY__INIT;
	Wyn__V1__Reply answer = WYN__V1__REPLY__INIT;

	if (survey->count == 0) {
		wyn_conn_call_refuse(NULL, 0, &survey->later,
			WYN_STATUS_NOT_FOUND, "TASK_UNKNOWN",
			"no task of that id waits or runs that you may see");
		return;
	}
	answer.what_case = WYN__V1__REPLY__WHAT_END;
	answer.end = &end;
	wyn_later_answer(&survey->later, &answer);
}

void wyn_conn_call_end(struct wyn_conn *conn, const Wyn__V1__Call *call)
{
	const Wyn__V1__EndCall *end = call->end;
	const struct wyn_survey_query query = {
		.explain = true,
		.end = true,
		.id = end->id,
		.signal = end->signal,
		.grace_ms = end->grace_ms,
		.rows_max = 1,
	};

	if (end->id == 0 || end->signal > WYN_SIGNAL_MAX) {
		wyn_conn_call_refuse(conn, call->call_id, NULL,
			WYN_STATUS_INVALID_ARGUMENT, "CALL_INVALID",
			"no id, or no signal's number");
		return;
	}
	survey_send(conn, call, &query, end_answer);
}
