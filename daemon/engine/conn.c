// SPDX-License-Identifier: MIT
/*
 * conn.c - one connection as its transport and its engine see it.
 *
 * What goes out, what is wished of the transport, and when it is paused or
 * closes. conn_input.c has the bytes that come in, conn_message.c what they
 * mean, conn_life.c its beginning and end.
 */
#include "daemon/engine/conn.h"

#include "daemon/engine/conn_state.h"
#include "daemon/engine/conn_stream.h"
#include "daemon/engine/conn_upload.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/keeper.h"
#include "daemon/engine/reply.h"

void *wyn_conn_transport(const struct wyn_conn *conn)
{
	return conn->transport;
}

void wyn_conn_report(
	const struct wyn_conn *conn, struct wyn_conn_report *ret_report)
{
	*ret_report = (struct wyn_conn_report){
		.client = conn->client_name,
		.failure = conn->failure,
		.ending = conn->ending,
		.tasks = conn->accepted_tasks,
		.peer = &conn->peer,
	};
}

void wyn_conn_send(struct wyn_conn *conn, const Wyn__V1__Frame *frame)
{
	size_t bytes = wyn_frame_encoded_bytes(frame);
	uint8_t *room;

	if (conn->phase >= WYN_CONN_CLOSING) {
		return;
	}
	room = wyn_output_reserve(&conn->output, bytes);
	if (room == NULL) {
		wyn_conn_abort(conn);
		return;
	}
	wyn_output_commit(&conn->output, wyn_frame_encode(frame, 0, room));
	wyn_engine_touch(conn);
}

void wyn_conn_abort(struct wyn_conn *conn)
{
	if (wyn_keeper_is(conn)) {
		return; /* there is nobody who could come back and see */
	}
	conn->phase = WYN_CONN_CLOSED;
	wyn_engine_touch(conn);
}

void wyn_conn_fail(struct wyn_conn *conn, enum wyn_status code,
	const char *reason, const char *text)
{
	Wyn__V1__Error error = WYN__V1__ERROR__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	error.code = code;
	error.reason = wyn_message_text(reason);
	error.message = wyn_message_text(text);
	frame.body_case = WYN__V1__FRAME__BODY_ERROR;
	frame.error = &error;
	wyn_conn_send(conn, &frame);
	WYN_STATS_ADD(&conn->engine->stats, connections_failed, 1);
	wyn_conn_abandon(conn);
	if (conn->phase >= WYN_CONN_CLOSING) {
		return;
	}
	conn->phase = WYN_CONN_CLOSING;
	conn->failed = true;
	conn->failure = reason;
	if (wyn_timers_arm(&conn->engine->timers, &conn->timer,
		    conn->engine->now_ns + WYN_CLOSING_NS) < 0) {
		wyn_conn_abort(conn);
	}
	wyn_engine_touch(conn);
}

/* From the bound on until half of it is gone. */
static bool is_over(const struct wyn_conn *conn, bool was_over, uint64_t bytes)
{
	uint64_t max = conn->engine->limits.output_bytes_max;
	uint64_t share = wyn_engine_buffer_max(conn->engine);

	max = max < share ? max : share;
	return bytes >= (was_over ? max / 2 : max);
}

static void pressure_on_tasks(struct wyn_conn *conn, uint64_t unsent)
{
	bool was_over = conn->ready.held;
	bool over = is_over(conn, was_over, unsent);
	struct wyn_engine *engine = conn->engine;

	if (over == was_over) {
		return;
	}
	wyn_ready_hold(&engine->ready, &conn->ready, over);
	wyn_ready_hold(&engine->commands, &conn->commands, over);
	if (over) {
		WYN_STATS_ADD(&engine->stats, output_over_max, 1);
		WYN_STATS_ADD(&engine->stats, buffers_over_max,
			unsent < engine->limits.output_bytes_max);
	} else {
		/* Its tasks may start again, which takes a turn. */
		wyn_engine_activate(conn);
	}
}

/*
 * What waits for stream credit starts no tasks but does not stop the reading:
 * the Credit has to be read. How much of it there can be is bounded by the
 * tasks that were started before.
 */
void wyn_conn_pressure(struct wyn_conn *conn)
{
	uint64_t unsent = conn->output.bytes + conn->unsent_bytes;
	bool pause;

	pressure_on_tasks(conn, unsent);
	wyn_conn_feed(conn);
	if (conn->stream_granted != UINT64_MAX) {
		unsent -= conn->stream_bytes;
	}
	pause = is_over(conn, conn->paused, unsent);
	if (pause != conn->paused) {
		conn->paused = pause;
		wyn_engine_touch(conn);
	}
}

void wyn_conn_relieve(struct wyn_conn *conn)
{
	bool was_paused = conn->paused;

	wyn_conn_pressure(conn);
	if (was_paused && !conn->paused && conn->carry.len > 0) {
		(void)wyn_conn_carry_use(conn);
	}
}

void wyn_conn_work(struct wyn_conn *conn, uint64_t looks)
{
	struct wyn_engine *engine = conn->engine;

	conn->work += looks;
	engine->work += looks;
	if (wyn_list_empty(&conn->worked)) {
		wyn_list_push_back(&engine->worked, &conn->worked);
	}
}

bool wyn_conn_rests(const struct wyn_conn *conn)
{
	return conn->work >= WYN_CONN_WORK_MAX;
}

void wyn_conn_rested(struct wyn_conn *conn)
{
	bool rested = wyn_conn_rests(conn);

	conn->work = 0;
	if (!rested) {
		return;
	}
	if (conn->carry.len > 0) {
		(void)wyn_conn_carry_use(conn);
	}
	wyn_engine_touch(conn);
}

void wyn_conn_settle(struct wyn_conn *conn)
{
	bool leaving =
		conn->phase == WYN_CONN_FINISHED ||
		(conn->engine->draining && conn->phase < WYN_CONN_KEEPER);

	if (!leaving || conn->unanswered > 0 || conn->calls_count > 0 ||
		!wyn_list_empty(&conn->verdicts)) {
		return;
	}
	/* All of it is owed, so only who does not read it is given up. */
	conn->ending =
		conn->phase == WYN_CONN_FINISHED ? "finished" : "drained";
	conn->phase = WYN_CONN_CLOSING;
	conn->misses = 0;
	conn->heard_ns = conn->engine->now_ns;
	wyn_conn_keepalive(conn, conn->heard_ns);
	wyn_engine_touch(conn);
}

void wyn_conn_go_away(struct wyn_conn *conn)
{
	Wyn__V1__GoAway away = WYN__V1__GO_AWAY__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	if (conn->phase == WYN_CONN_OPEN) {
		away.last_seq = conn->last_seq;
		away.reason = wyn_message_text("DRAINING");
		away.message = wyn_message_text("the server is shutting down");
		frame.body_case = WYN__V1__FRAME__BODY_GO_AWAY;
		frame.go_away = &away;
		wyn_conn_send(conn, &frame);
	}
	wyn_conn_settle(conn);
}

void wyn_conn_eof(struct wyn_conn *conn, uint64_t now_ns)
{
	conn->engine->now_ns = now_ns;
	if (conn->phase == WYN_CONN_FINISHED) {
		wyn_conn_uploads_end(conn);
	} else if (conn->phase != WYN_CONN_CLOSING) {
		conn->ending = "gone";
		wyn_conn_abort(conn);
		wyn_conn_abandon(conn);
	}
}

size_t wyn_conn_output(const struct wyn_conn *conn, struct wyn_slice *pieces,
	size_t pieces_max)
{
	return wyn_output_pieces(&conn->output, pieces, pieces_max);
}

void wyn_conn_written(struct wyn_conn *conn, size_t bytes, uint64_t now_ns)
{
	conn->engine->now_ns = now_ns;
	wyn_output_written(&conn->output, bytes);
	WYN_STATS_ADD(&conn->engine->stats, sent_bytes, bytes);
	if (conn->paused || conn->phase >= WYN_CONN_FINISHED) {
		/* It reads, so it is there, although we do not hear it. */
		conn->heard_ns = now_ns;
		conn->misses = 0;
	}
	wyn_conn_relieve(conn);
	if (conn->output.bytes < WYN_OUTPUT_HIGH_BYTES &&
		wyn_reply_is_due(conn)) {
		wyn_engine_activate(conn);
	}
	if (conn->output.bytes == 0 && conn->phase == WYN_CONN_CLOSING) {
		wyn_engine_touch(conn);
	}
}

enum wyn_conn_wish wyn_conn_wish(const struct wyn_conn *conn)
{
	if (conn->phase == WYN_CONN_CLOSED) {
		return WYN_CONN_ABORT;
	}
	if (conn->phase == WYN_CONN_CLOSING && conn->output.bytes == 0) {
		return WYN_CONN_CLOSE;
	}
	return conn->paused || wyn_conn_rests(conn) ? WYN_CONN_PAUSE
						    : WYN_CONN_READ;
}
