// SPDX-License-Identifier: MIT
/*
 * conn_later.c - see conn_later.h.
 */
#include "daemon/engine/conn_later.h"

#include <stddef.h>
#include <string.h>

#include "daemon/engine/conn_state.h"
#include "daemon/engine/engine_state.h"

void wyn_conn_reply(
	struct wyn_conn *conn, Wyn__V1__Reply *reply, uint64_t call_id)
{
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	reply->call_id = call_id;
	frame.body_case = WYN__V1__FRAME__BODY_REPLY;
	frame.reply = reply;
	wyn_conn_send(conn, &frame);
}

bool wyn_conn_later(
	struct wyn_conn *conn, uint64_t call_id, struct wyn_later *ret_later)
{
	Wyn__V1__Reply answer = WYN__V1__REPLY__INIT;

	if (conn->calls_count == WYN_CALLS_PENDING_MAX) {
		WYN_STATS_ADD(&conn->engine->stats, calls_over_max, 1);
		answer.code = WYN_STATUS_RESOURCE_EXHAUSTED;
		answer.reason = wyn_message_text("CALLS_MAX");
		answer.message = wyn_message_text(
			"too many calls of this connection wait for an answer");
		wyn_conn_reply(conn, &answer, call_id);
		return false;
	}
	conn->calls[conn->calls_count++] = call_id;
	*ret_later = (struct wyn_later){
		.engine = conn->engine, .conn = conn->id, .call_id = call_id};
	return true;
}

/* Where it is among those that wait; calls_count = it is not. */
static size_t place_of(const struct wyn_conn *conn, uint64_t call_id)
{
	size_t at = 0;

	while (at < conn->calls_count && conn->calls[at] != call_id) {
		at++;
	}
	return at;
}

static void forget(struct wyn_conn *conn, size_t at)
{
	conn->calls_count--;
	memmove(&conn->calls[at], &conn->calls[at + 1],
		(conn->calls_count - at) * sizeof(conn->calls[0]));
}

void wyn_later_answer(const struct wyn_later *later, Wyn__V1__Reply *reply)
{
	struct wyn_conn *conn = wyn_engine_owner(later->engine, later->conn);
	size_t at;

	if (conn == NULL) {
		return;
	}
	at = place_of(conn, later->call_id);
	if (at == conn->calls_count) {
		return; /* it was given up */
	}
	forget(conn, at);
	wyn_conn_reply(conn, reply, later->call_id);
	wyn_conn_settle(conn);
}

void wyn_conn_later_give_up(struct wyn_conn *conn)
{
	while (conn->calls_count > 0) {
		uint64_t call_id = conn->calls[0];
		Wyn__V1__Reply answer = WYN__V1__REPLY__INIT;

		answer.code = WYN_STATUS_CANCELLED;
		answer.reason = wyn_message_text("DRAIN_TIMEOUT");
		answer.message = wyn_message_text(
			"the server shut down before it had the answer");
		forget(conn, 0);
		wyn_conn_reply(conn, &answer, call_id);
	}
	wyn_conn_settle(conn);
}
