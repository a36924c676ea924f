// SPDX-License-Identifier: MIT
/*
 * control.c - what a client asks beside tasks: cancel, ping, calls, finish.
 *
 * None of it needs credit, and all but calls may follow Finish. Answers are
 * matched by call_id in receive.c; the ids of pings and calls come from one
 * counter, so none is taken for another.
 */
#include "client/control.h"

#include <errno.h>

#include "client/reason.h"

static int control_check(struct wyn_session *session)
{
	if (session->state == WYN_SESSION_NEW) {
		return wyn_session_not_connected(session);
	}
	return 0;
}

int wyn_session_cancel(struct wyn_session *session, uint64_t first,
	uint64_t count, uint64_t grace_ms)
{
	Wyn__V1__SeqRange range = WYN__V1__SEQ_RANGE__INIT;
	Wyn__V1__SeqRange *ranges[] = {&range};
	Wyn__V1__Cancel cancel = WYN__V1__CANCEL__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	int err = control_check(session);

	if (err != 0) {
		return err;
	}
	range.first = first;
	range.count = count;
	cancel.seqs = ranges;
	cancel.n_seqs = 1;
	cancel.grace_ms = grace_ms;
	frame.body_case = WYN__V1__FRAME__BODY_CANCEL;
	frame.cancel = &cancel;
	return wyn_session_put(session, &frame);
}

static int control_ping(struct wyn_session *session, uint64_t token)
{
	Wyn__V1__Ping ping = WYN__V1__PING__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	ping.token = token;
	frame.body_case = WYN__V1__FRAME__BODY_PING;
	frame.ping = &ping;
	return wyn_session_put(session, &frame);
}

int wyn_session_ping(struct wyn_session *session)
{
	int err = control_check(session);

	if (err != 0) {
		return err;
	}
	session->ponged = false;
	return control_ping(session, ++session->call_id);
}

int wyn_session_probe(struct wyn_session *session)
{
	return control_ping(session, 0);
}

static int control_call(struct wyn_session *session, Wyn__V1__Call *call)
{
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	int err = control_check(session);

	if (err != 0) {
		return err;
	}
	if (session->finishing) {
		return wyn_session_fail(session, -ESHUTDOWN,
			WYN_STATUS_FAILED_PRECONDITION, WYN_REASON_FINISHED,
			"nothing can be asked after finish");
	}
	session->reply = NULL;
	call->call_id = ++session->call_id;
	frame.body_case = WYN__V1__FRAME__BODY_CALL;
	frame.call = call;
	return wyn_session_put(session, &frame);
}

int wyn_session_functions(struct wyn_session *session, const char *after)
{
	Wyn__V1__FunctionsCall functions = WYN__V1__FUNCTIONS_CALL__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;

	functions.after = wyn_message_text(after);
	call.what_case = WYN__V1__CALL__WHAT_FUNCTIONS;
	call.functions = &functions;
	return control_call(session, &call);
}

int wyn_session_stats(struct wyn_session *session)
{
	Wyn__V1__StatsCall stats = WYN__V1__STATS_CALL__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;

	call.what_case = WYN__V1__CALL__WHAT_STATS;
	call.stats = &stats;
	return control_call(session, &call);
}

int wyn_session_drain(struct wyn_session *session)
{
	Wyn__V1__DrainCall drain = WYN__V1__DRAIN_CALL__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;

	call.what_case = WYN__V1__CALL__WHAT_DRAIN;
	call.drain = &drain;
	return control_call(session, &call);
}

int wyn_session_list(
	struct wyn_session *session, const struct wyn_client_filter *filter)
{
	Wyn__V1__ListCall list = WYN__V1__LIST_CALL__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;

	list.after = filter->after;
	list.limit = filter->limit < UINT32_MAX ? (uint32_t)filter->limit
						: UINT32_MAX;
	list.function = wyn_message_text(
		filter->function != NULL ? filter->function : "");
	list.state = (Wyn__V1__TaskState)filter->state;
	list.connection = filter->connection;
	list.label =
		wyn_message_text(filter->label != NULL ? filter->label : "");
	call.what_case = WYN__V1__CALL__WHAT_LIST;
	call.list = &list;
	return control_call(session, &call);
}

int wyn_session_explain(
	struct wyn_session *session, const struct wyn_client_which *which)
{
	Wyn__V1__ExplainCall explain = WYN__V1__EXPLAIN_CALL__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;

	explain.id = which->id;
	explain.seq = which->seq;
	explain.connection = which->connection;
	call.what_case = WYN__V1__CALL__WHAT_EXPLAIN;
	call.explain = &explain;
	return control_call(session, &call);
}

int wyn_session_modules(struct wyn_session *session, const char *after)
{
	Wyn__V1__ModulesCall modules = WYN__V1__MODULES_CALL__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;

	modules.after = wyn_message_text(after);
	call.what_case = WYN__V1__CALL__WHAT_MODULES;
	call.modules = &modules;
	return control_call(session, &call);
}

int wyn_session_reload(struct wyn_session *session)
{
	Wyn__V1__ReloadCall reload = WYN__V1__RELOAD_CALL__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;

	call.what_case = WYN__V1__CALL__WHAT_RELOAD;
	call.reload = &reload;
	return control_call(session, &call);
}

int wyn_session_outcome(struct wyn_session *session, uint64_t id,
	uint64_t wait_ms, uint64_t value_from)
{
	Wyn__V1__OutcomeCall outcome = WYN__V1__OUTCOME_CALL__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;

	outcome.id = id;
	outcome.wait_ms = wait_ms;
	outcome.value_from = value_from;
	call.what_case = WYN__V1__CALL__WHAT_OUTCOME;
	call.outcome = &outcome;
	return control_call(session, &call);
}

int wyn_session_logs(struct wyn_session *session, uint64_t id, uint64_t from,
	uint64_t wait_ms)
{
	Wyn__V1__LogsCall logs = WYN__V1__LOGS_CALL__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;

	logs.id = id;
	logs.from = from;
	logs.wait_ms = wait_ms;
	call.what_case = WYN__V1__CALL__WHAT_LOGS;
	call.logs = &logs;
	return control_call(session, &call);
}

int wyn_session_end_task(struct wyn_session *session, uint64_t id,
	unsigned signal, uint64_t grace_ms)
{
	Wyn__V1__EndCall end = WYN__V1__END_CALL__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;

	end.id = id;
	end.signal = signal;
	end.grace_ms = grace_ms;
	call.what_case = WYN__V1__CALL__WHAT_END;
	call.end = &end;
	return control_call(session, &call);
}

int wyn_session_finish(struct wyn_session *session)
{
	Wyn__V1__Finish finish = WYN__V1__FINISH__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	int err = control_check(session);

	if (err != 0 || session->finishing) {
		return err;
	}
	frame.body_case = WYN__V1__FRAME__BODY_FINISH;
	frame.finish = &finish;
	err = wyn_session_put(session, &frame);
	session->finishing = err == 0;
	return err;
}
