// SPDX-License-Identifier: MIT
/*
 * inquiry_answer.c - see inquiry_answer.h.
 */
#include "daemon/engine/inquiry_answer.h"

#include <errno.h>

#include "daemon/engine/conn_call.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/inquiry.h"

#define INQUIRY_LOOKS 64u /* see wyn_conn_work() */

static void usage_fill(const struct wyn_usage *usage, Wyn__V1__Usage *ret_usage)
{
	wyn__v1__usage__init(ret_usage);
	ret_usage->wall_ns = usage->wall_ns;
	ret_usage->user_ns = usage->user_ns;
	ret_usage->system_ns = usage->system_ns;
	ret_usage->peak_rss_bytes = usage->peak_rss_bytes;
	ret_usage->output_bytes = usage->output_bytes;
	ret_usage->error_bytes = usage->error_bytes;
}

static const char *message_of(const struct wyn_inquiry *inquiry)
{
	const char *text = wyn_refusal_of(inquiry->refusal)->text;

	return inquiry->message[0] != '\0' || text == NULL ? inquiry->message
							   : text;
}

static void outcome_answer(const struct wyn_inquiry *inquiry)
{
	const char *reason = wyn_refusal_of(inquiry->refusal)->word;
	Wyn__V1__OutcomeReply outcome = WYN__V1__OUTCOME_REPLY__INIT;
	Wyn__V1__Reply answer = WYN__V1__REPLY__INIT;
	Wyn__V1__Usage usage;
	Wyn__V1__Task task;

	wyn_survey_task_fill(&inquiry->row, &task);
	outcome.task = &task;
	outcome.ended = inquiry->ended;
	outcome.output_bytes = inquiry->output_bytes;
	if (inquiry->ended) {
		outcome.code = inquiry->code;
		outcome.reason = wyn_message_text(
			inquiry->refusal == WYN_REFUSAL_NONE ? "" : reason);
		outcome.message = wyn_message_text(message_of(inquiry));
		outcome.ran = (Wyn__V1__Ran)inquiry->ran;
		outcome.value.data = (uint8_t *)(uintptr_t)inquiry->bytes;
		outcome.value.len = inquiry->used;
		outcome.value_bytes = inquiry->value_bytes;
		outcome.value_lost = inquiry->value_lost;
		outcome.ended_ns = inquiry->ended_ns;
		outcome.left_ns = inquiry->left_ns;
	}
	if (inquiry->has_end) {
		outcome.exit_status = inquiry->end.exit_status;
		outcome.signal = inquiry->end.signal;
		usage_fill(&inquiry->end.usage, &usage);
		outcome.usage = &usage;
	}
	answer.what_case = WYN__V1__REPLY__WHAT_OUTCOME;
	answer.outcome = &outcome;
	wyn_later_answer(&inquiry->later, &answer);
}

static void logs_answer(const struct wyn_inquiry *inquiry)
{
	Wyn__V1__Piece pieces[WYN_INQUIRY_PIECES_MAX];
	Wyn__V1__Piece *pointers[WYN_INQUIRY_PIECES_MAX];
	Wyn__V1__LogsReply logs = WYN__V1__LOGS_REPLY__INIT;
	Wyn__V1__Reply answer = WYN__V1__REPLY__INIT;

	for (size_t i = 0; i < inquiry->pieces_count; i++) {
		const struct wyn_inquiry_piece *from = &inquiry->pieces[i];

		wyn__v1__piece__init(&pieces[i]);
		pieces[i].stream = (Wyn__V1__Stream)from->stream;
		pieces[i].at = from->at;
		pieces[i].data.data =
			(uint8_t *)(uintptr_t)inquiry->bytes + from->offset;
		pieces[i].data.len = from->len;
		pointers[i] = &pieces[i];
	}
	logs.n_pieces = inquiry->pieces_count;
	logs.pieces = pointers;
	logs.next = inquiry->next;
	logs.ended = inquiry->ended;
	answer.what_case = WYN__V1__REPLY__WHAT_LOGS;
	answer.logs = &logs;
	wyn_later_answer(&inquiry->later, &answer);
}

void wyn_inquiry_answer(const struct wyn_inquiry *inquiry)
{
	if (!inquiry->found) {
		wyn_conn_call_refuse(NULL, 0, &inquiry->later,
			WYN_STATUS_NOT_FOUND, "TASK_UNKNOWN",
			"no task of that id is kept that you may see");
	} else if (inquiry->query.kind == WYN_INQUIRY_OUTCOME) {
		outcome_answer(inquiry);
	} else {
		logs_answer(inquiry);
	}
}

/* Why there is none: what wyn_inquiry_start() returned. */
static const char *refusal_text(int error)
{
	switch (error) {
	case -EBUSY:
		return "too many others ask for tasks";
	case -EDQUOT:
		return "this user asks for too many tasks at a time";
	default:
		return "the server has no memory for it";
	}
}

static void inquiry_send(struct wyn_conn *conn, const Wyn__V1__Call *call,
	const struct wyn_inquiry_query *query)
{
	struct wyn_later later;
	int error;

	wyn_conn_work(conn, INQUIRY_LOOKS);
	if (!conn->peer.local) {
		wyn_conn_call_refuse(conn, call->call_id, NULL,
			WYN_STATUS_NOT_FOUND, "TASK_UNKNOWN",
			"what is kept is for clients on a Unix socket, whose "
			"user is known");
		return;
	}
	if (!wyn_conn_later(conn, call->call_id, &later)) {
		return;
	}
	error = wyn_inquiry_start(conn, &later, query);
	if (error < 0) {
		WYN_STATS_ADD(&conn->engine->stats, calls_over_max, 1);
		wyn_conn_call_refuse(conn, 0, &later,
			WYN_STATUS_RESOURCE_EXHAUSTED, "CALLS_MAX",
			refusal_text(error));
	}
}

void wyn_conn_call_outcome(struct wyn_conn *conn, const Wyn__V1__Call *call)
{
	const struct wyn_inquiry_query query = {
		.kind = WYN_INQUIRY_OUTCOME,
		.id = call->outcome->id,
		.from = call->outcome->value_from,
		.wait_ms = call->outcome->wait_ms,
	};

	inquiry_send(conn, call, &query);
}

void wyn_conn_call_logs(struct wyn_conn *conn, const Wyn__V1__Call *call)
{
	const struct wyn_inquiry_query query = {
		.kind = WYN_INQUIRY_LOGS,
		.id = call->logs->id,
		.from = call->logs->from,
		.wait_ms = call->logs->wait_ms,
	};

	inquiry_send(conn, call, &query);
}
