// SPDX-License-Identifier: MIT
/*
 * kept.c - what the server keeps of tasks that outlive their connection, and an
 * end for tasks of any connection.
 */
#include <errno.h>

#include "client/client.h"
#include "client/control.h"
#include "client/reason.h"
#include "client/report.h"

#define SIGNAL_MAX 64u

static struct wyn_client_event result_of(
	struct wyn_session *session, const Wyn__V1__OutcomeReply *outcome)
{
	struct wyn_client_event event = {
		.kind = WYN_CLIENT_RESULT,
		.ran = (enum wyn_client_ran)outcome->ran,
		.code = outcome->code,
		.seq = outcome->task->seq,
		.id = outcome->task->id,
		.value = {outcome->value.data, outcome->value.len},
		.reason = outcome->reason,
		.message = outcome->message,
		.exit_status = outcome->exit_status,
		.signal = outcome->signal,
	};

	if (outcome->usage != NULL) {
		session->usage = (struct wyn_client_usage){
			.wall_ns = outcome->usage->wall_ns,
			.user_ns = outcome->usage->user_ns,
			.system_ns = outcome->usage->system_ns,
			.peak_rss_bytes = outcome->usage->peak_rss_bytes,
			.stdout_bytes = outcome->usage->output_bytes,
			.stderr_bytes = outcome->usage->error_bytes,
		};
		event.usage = &session->usage;
	}
	return event;
}

int wyn_client_outcome(struct wyn_client *client, uint64_t deadline_ns,
	uint64_t id, uint64_t wait_ms, uint64_t value_from,
	struct wyn_client_outcome *ret_outcome)
{
	const Wyn__V1__OutcomeReply *outcome;
	const Wyn__V1__Reply *reply;
	int err =
		wyn_session_outcome(&client->session, id, wait_ms, value_from);

	if (err == 0) {
		err = wyn_client_reply(client, deadline_ns,
			WYN__V1__REPLY__WHAT_OUTCOME, &reply);
	}
	if (err != 0) {
		return err;
	}
	outcome = reply->outcome;
	if (outcome->task == NULL) {
		return wyn_report_broken(client, "an outcome of no task");
	}
	*ret_outcome = (struct wyn_client_outcome){
		.task = wyn_report_task(outcome->task),
		.ended = outcome->ended,
		.result = result_of(&client->session, outcome),
		.output_bytes = outcome->output_bytes,
		.ended_ns = outcome->ended_ns,
		.left_ns = outcome->left_ns,
		.value_bytes = outcome->value_bytes,
		.value_lost = outcome->value_lost,
	};
	return 0;
}

static enum wyn_client_event_kind kind_of(Wyn__V1__Stream stream)
{
	switch (stream) {
	case WYN__V1__STREAM__STREAM_OUTPUT:
		return WYN_CLIENT_STDOUT;
	case WYN__V1__STREAM__STREAM_ERROR:
		return WYN_CLIENT_STDERR;
	case WYN__V1__STREAM__STREAM_PARTIAL:
		return WYN_CLIENT_PARTIAL;
	default:
		return (enum wyn_client_event_kind)0;
	}
}

/* Whether they go on from where they were asked for: else there is no end. */
static bool logs_ascend(const Wyn__V1__LogsReply *logs, uint64_t from)
{
	for (size_t i = 0; i < logs->n_pieces; i++) {
		const Wyn__V1__Piece *piece = logs->pieces[i];

		if (piece->at < from ||
			piece->data.len > UINT64_MAX - piece->at) {
			return false;
		}
		from = piece->at + piece->data.len;
	}
	return logs->next >= from;
}

int wyn_client_logs(struct wyn_client *client, uint64_t deadline_ns,
	uint64_t id, uint64_t from, uint64_t wait_ms,
	int (*each)(void *context, const struct wyn_client_piece *piece),
	void *context, struct wyn_client_logs *ret_logs)
{
	const Wyn__V1__LogsReply *logs;
	const Wyn__V1__Reply *reply;
	int err = wyn_session_logs(&client->session, id, from, wait_ms);

	if (err == 0) {
		err = wyn_client_reply(
			client, deadline_ns, WYN__V1__REPLY__WHAT_LOGS, &reply);
	}
	if (err != 0) {
		return err;
	}
	logs = reply->logs;
	if (!logs_ascend(logs, from)) {
		return wyn_report_broken(client, "output that does not ascend");
	}
	for (size_t i = 0; err == 0 && i < logs->n_pieces; i++) {
		const Wyn__V1__Piece *told = logs->pieces[i];
		const struct wyn_client_piece piece = {
			.kind = kind_of(told->stream),
			.at = told->at,
			.bytes = {told->data.data, told->data.len},
		};

		err = each(context, &piece);
	}
	if (err == 0) {
		*ret_logs = (struct wyn_client_logs){logs->next, logs->ended};
	}
	return err;
}

int wyn_client_end(struct wyn_client *client, uint64_t deadline_ns, uint64_t id,
	unsigned signal, uint64_t grace_ms)
{
	const Wyn__V1__Reply *reply;
	int err;

	if (signal > SIGNAL_MAX) {
		return wyn_session_fail(&client->session, -EINVAL,
			WYN_STATUS_INVALID_ARGUMENT, WYN_REASON_COMMAND_INVALID,
			"a signal has a number from 1 to %u", SIGNAL_MAX);
	}
	err = wyn_session_end_task(&client->session, id, signal, grace_ms);
	if (err == 0) {
		err = wyn_client_reply(
			client, deadline_ns, WYN__V1__REPLY__WHAT_END, &reply);
	}
	return err;
}
