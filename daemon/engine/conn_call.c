// SPDX-License-Identifier: MIT
/*
 * conn_call.c - unary requests: which is which, functions, drain, reload.
 *
 * Only an administrator may change anything.
 */
#include "daemon/engine/conn_call.h"

#include <string.h>

#include "daemon/engine/conn_later.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/inquiry_answer.h"

#define WYN_CALL_FUNCTIONS_MAX	   256u /* of one Reply */
#define WYN_CALL_SUMMARY_BYTES_MAX 1024u
/* What they cost in looks: see wyn_conn_work(). */
#define WYN_CALL_FUNCTION_LOOKS 4u /* each */

void wyn_conn_call_refuse(struct wyn_conn *conn, uint64_t call_id,
	const struct wyn_later *later, enum wyn_status code, const char *reason,
	const char *message)
{
	Wyn__V1__Reply answer = WYN__V1__REPLY__INIT;

	answer.code = code;
	answer.reason = wyn_message_text(reason);
	answer.message = wyn_message_text(message);
	if (later != NULL) {
		wyn_later_answer(later, &answer);
	} else {
		wyn_conn_reply(conn, &answer, call_id);
	}
}

/* Says so, if it is not from one. */
static bool is_from_administrator(
	struct wyn_conn *conn, const Wyn__V1__Call *call)
{
	if (!conn->peer.administrator) {
		wyn_conn_call_refuse(conn, call->call_id, NULL,
			WYN_STATUS_PERMISSION_DENIED, "NOT_ADMINISTRATOR",
			"only root or the server's own user, over its Unix "
			"socket, may ask for that");
	}
	return conn->peer.administrator;
}

/* A summary is one line; what is longer is left out, so that any function fits
 * into the smallest frame. */
static const char *summary_of(const struct wyn_function_entry *entry)
{
	return strlen(entry->summary) <= WYN_CALL_SUMMARY_BYTES_MAX
		       ? entry->summary
		       : "";
}

/* In a Reply: three texts, and a key and a length for each and for all. */
static size_t function_bytes(const struct wyn_function_entry *entry)
{
	return strlen(entry->name) + strlen(entry->module) +
	       strlen(summary_of(entry)) + 4 * 6;
}

static void call_functions(struct wyn_conn *conn, const Wyn__V1__Call *call)
{
	const struct wyn_registry *registry =
		wyn_catalog_read(&conn->engine->functions);
	uint64_t room =
		conn->engine->limits.frame_bytes_max - WYN_REPLY_HEAD_BYTES;
	size_t limit = call->functions->limit;
	size_t at = wyn_registry_after(
		registry, wyn_slice_of(call->functions->after));
	Wyn__V1__Function functions[WYN_CALL_FUNCTIONS_MAX];
	Wyn__V1__Function *pointers[WYN_CALL_FUNCTIONS_MAX];
	Wyn__V1__FunctionsReply list = WYN__V1__FUNCTIONS_REPLY__INIT;
	Wyn__V1__Reply answer = WYN__V1__REPLY__INIT;
	const struct wyn_function_entry *entry;

	if (limit == 0 || limit > WYN_CALL_FUNCTIONS_MAX) {
		limit = WYN_CALL_FUNCTIONS_MAX;
	}
	while (list.n_functions < limit &&
		(entry = wyn_registry_at(registry, at)) != NULL &&
		function_bytes(entry) <= room) {
		Wyn__V1__Function *function = &functions[list.n_functions];

		room -= function_bytes(entry);
		wyn__v1__function__init(function);
		function->name = wyn_message_text(entry->name);
		function->module = wyn_message_text(entry->module);
		function->summary = wyn_message_text(summary_of(entry));
		pointers[list.n_functions++] = function;
		at++;
	}
	wyn_conn_work(conn, WYN_CALL_FUNCTION_LOOKS * (list.n_functions + 1));
	list.functions = pointers;
	list.more = wyn_registry_at(registry, at) != NULL;
	answer.what_case = WYN__V1__REPLY__WHAT_FUNCTIONS;
	answer.functions = &list;
	wyn_conn_reply(conn, &answer, call->call_id);
}

static void call_drain(struct wyn_conn *conn, const Wyn__V1__Call *call)
{
	struct wyn_shared *shared = conn->engine->shared;
	Wyn__V1__DrainReply drain = WYN__V1__DRAIN_REPLY__INIT;
	Wyn__V1__Reply answer = WYN__V1__REPLY__INIT;

	if (!is_from_administrator(conn, call)) {
		return;
	}
	drain.unfinished =
		atomic_load_explicit(&shared->tasks_held, memory_order_relaxed);
	answer.what_case = WYN__V1__REPLY__WHAT_DRAIN;
	answer.drain = &drain;
	wyn_conn_reply(conn, &answer, call->call_id);
	shared->drain(shared);
}

static void call_unknown(struct wyn_conn *conn, const Wyn__V1__Call *call)
{
	wyn_conn_call_refuse(conn, call->call_id, NULL,
		WYN_STATUS_UNIMPLEMENTED, "CALL_UNKNOWN",
		"this server does not know that call");
}

/* Whoever does it answers. */
static void call_reload(struct wyn_conn *conn, const Wyn__V1__Call *call)
{
	struct wyn_shared *shared = conn->engine->shared;
	struct wyn_later later;

	if (!is_from_administrator(conn, call)) {
		return;
	}
	if (shared->reload == NULL) {
		call_unknown(conn, call);
	} else if (wyn_conn_later(conn, call->call_id, &later)) {
		shared->reload(shared, &later);
	}
}

void wyn_conn_call(struct wyn_conn *conn, const Wyn__V1__Call *call)
{
	switch (call->what_case) {
	case WYN__V1__CALL__WHAT_FUNCTIONS:
		call_functions(conn, call);
		return;
	case WYN__V1__CALL__WHAT_STATS:
		wyn_conn_call_stats(conn, call);
		return;
	case WYN__V1__CALL__WHAT_DRAIN:
		call_drain(conn, call);
		return;
	case WYN__V1__CALL__WHAT_LIST:
		wyn_conn_call_list(conn, call);
		return;
	case WYN__V1__CALL__WHAT_EXPLAIN:
		wyn_conn_call_explain(conn, call);
		return;
	case WYN__V1__CALL__WHAT_RELOAD:
		call_reload(conn, call);
		return;
	case WYN__V1__CALL__WHAT_OUTCOME:
		wyn_conn_call_outcome(conn, call);
		return;
	case WYN__V1__CALL__WHAT_LOGS:
		wyn_conn_call_logs(conn, call);
		return;
	case WYN__V1__CALL__WHAT_END:
		wyn_conn_call_end(conn, call);
		return;
	case WYN__V1__CALL__WHAT_MODULES:
		wyn_conn_call_modules(conn, call);
		return;
	default:
		call_unknown(conn, call);
	}
}
