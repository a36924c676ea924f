// SPDX-License-Identifier: MIT
/*
 * receive.c - what the server says, frame by frame.
 *
 * What is about one task is read in receive_task.c. What breaks the protocol
 * ends the session: a server that is wrong once cannot be trusted with the
 * rest.
 */
#include "client/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/reason.h"
#include "client/receive_task.h"
#include "proto/codec.h"

/* No wynd can be told to give larger ones; a server that says so is none. */
#define VALUE_BYTES_HARD (UINT64_C(1) << 30)

static int receive_range(
	struct wyn_session *session, struct wyn_client_event *event)
{
	const Wyn__V1__Accepted *accepted = session->accepted;
	const Wyn__V1__AcceptedRange *range =
		accepted->ranges[session->next_range];

	session->next_range++;
	if (session->next_range == accepted->n_ranges) {
		session->accepted = NULL;
	}
	*event = (struct wyn_client_event){
		.kind = WYN_CLIENT_ACCEPTED,
		.seq = range->first_seq,
		.id = range->first_id,
		.count = range->count,
		.reason = "",
		.message = "",
	};
	return 0;
}

static void receive_credit(
	struct wyn_session *session, const Wyn__V1__Credit *credit)
{
	if (credit->tasks > session->tasks_granted) {
		session->tasks_granted = credit->tasks;
		wyn_session_relieve(session);
	}
	if (credit->argument_bytes > session->bytes_granted) {
		session->bytes_granted = credit->argument_bytes;
		wyn_session_relieve(session);
	}
}

static uint64_t limit_or(uint64_t limit, uint64_t otherwise)
{
	return limit != 0 ? limit : otherwise;
}

static int receive_welcome(struct wyn_session *session,
	const Wyn__V1__Welcome *welcome, struct wyn_client_event *event)
{
	const Wyn__V1__Limits none = WYN__V1__LIMITS__INIT;
	const Wyn__V1__Limits *limits =
		welcome->limits != NULL ? welcome->limits : &none;
	struct wyn_client_server *server = &session->server;

	if (session->state != WYN_SESSION_NEW) {
		return wyn_receive_broken(session, "a second Welcome");
	}
	if (welcome->version != WYN_SESSION_PROTOCOL) {
		wyn_session_end(session, -EPROTO, WYN_STATUS_UNIMPLEMENTED,
			WYN_REASON_VERSION_MISMATCH,
			"the server speaks version %u of the protocol, this "
			"client version %u: update the older one",
			welcome->version, WYN_SESSION_PROTOCOL);
		return WYN_SESSION_NOTED;
	}
	server->version = welcome->version;
	(void)snprintf(
		server->name, sizeof(server->name), "%s", welcome->server_name);
	server->frame_bytes_max =
		limit_or(limits->max_frame, WYN_FRAME_BYTES_DEFAULT);
	server->batch_max = limit_or(limits->max_batch, UINT64_MAX);
	server->argument_bytes_max = limit_or(limits->max_argument, UINT64_MAX);
	server->value_bytes_max = limit_or(limits->max_value, UINT64_MAX);
	if (server->value_bytes_max > VALUE_BYTES_HARD) {
		server->value_bytes_max = VALUE_BYTES_HARD;
	}
	if (server->frame_bytes_max < WYN_FRAME_BYTES_LEAST ||
		server->frame_bytes_max > WYN_FRAME_BYTES_HARD) {
		return wyn_receive_broken(session, "an impossible frame limit");
	}
	if (session->stream_window < 4 * server->frame_bytes_max) {
		session->stream_window = 4 * server->frame_bytes_max;
	}
	session->state = WYN_SESSION_OPEN;
	if (welcome->credit != NULL) {
		receive_credit(session, welcome->credit);
	}
	if (session->tasks_used > session->tasks_granted) {
		return wyn_receive_broken(session, "no credit at first");
	}
	session->bytes_window = session->bytes_granted;
	if (!session->announces) {
		return WYN_SESSION_NOTED;
	}
	*event = (struct wyn_client_event){
		.kind = WYN_CLIENT_CONNECTED,
		.reason = "",
		.message = "",
	};
	return 0;
}

static int receive_go_away(struct wyn_session *session,
	const Wyn__V1__GoAway *go_away, struct wyn_client_event *event)
{
	session->going_away = true;
	session->going_last_seq = go_away->last_seq;
	*event = (struct wyn_client_event){
		.kind = WYN_CLIENT_GO_AWAY,
		.seq = go_away->last_seq,
	};
	wyn_receive_text(session, wyn_slice_of(go_away->reason),
		wyn_slice_of(go_away->message), event);
	return 0;
}

static int receive_ping(struct wyn_session *session, const Wyn__V1__Ping *ping)
{
	uint64_t unsent_max =
		WYN_OUTBOX_HIGH_BYTES + 2 * session->server.frame_bytes_max;
	Wyn__V1__Pong pong = WYN__V1__PONG__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	/* Nothing else puts that much into the outbox. */
	if (wyn_outbox_pending(&session->outbox).len > unsent_max) {
		return wyn_receive_broken(
			session, "Pings whose answers it does not read");
	}
	pong.token = ping->token;
	frame.body_case = WYN__V1__FRAME__BODY_PONG;
	frame.pong = &pong;
	/* Without memory the session has ended, which the next pull tells. */
	(void)!wyn_session_put(session, &frame);
	return WYN_SESSION_NOTED;
}

static int receive_message(struct wyn_session *session,
	const struct wyn_message *message, struct wyn_client_event *event)
{
	const Wyn__V1__Frame *frame = message->frame;

	if (session->state == WYN_SESSION_NEW &&
		message->kind != WYN_MESSAGE_WELCOME &&
		message->kind != WYN_MESSAGE_PING &&
		message->kind != WYN_MESSAGE_ERROR) {
		return wyn_receive_broken(session, "no Welcome at first");
	}
	switch (message->kind) {
	case WYN_MESSAGE_RESULTS:
		return wyn_receive_results(session, &message->results, event);
	case WYN_MESSAGE_CHUNK:
		return wyn_receive_chunk(session, &message->chunk, event);
	case WYN_MESSAGE_CREDIT:
		receive_credit(session, frame->credit);
		return WYN_SESSION_NOTED;
	case WYN_MESSAGE_ACCEPTED:
		session->accepted =
			frame->accepted->n_ranges > 0 ? frame->accepted : NULL;
		session->next_range = 0;
		return WYN_SESSION_NOTED;
	case WYN_MESSAGE_WELCOME:
		return receive_welcome(session, frame->welcome, event);
	case WYN_MESSAGE_PING:
		return receive_ping(session, frame->ping);
	case WYN_MESSAGE_PONG:
		/* A keepalive's is another token, and answers nobody. */
		session->ponged |= frame->pong->token == session->call_id;
		return WYN_SESSION_NOTED;
	case WYN_MESSAGE_REPLY:
		if (frame->reply->call_id == session->call_id) {
			session->reply = frame->reply;
		}
		return WYN_SESSION_NOTED;
	case WYN_MESSAGE_GO_AWAY:
		return receive_go_away(session, frame->go_away, event);
	case WYN_MESSAGE_ERROR:
		wyn_session_end(session, -EPROTO, frame->error->code,
			frame->error->reason,
			"the server ended the connection: %s",
			frame->error->message);
		return WYN_SESSION_NOTED;
	default:
		return wyn_receive_broken(session, "a message of the client's");
	}
}

/* Doubles the arena within its bound. Returns: whether it grew. */
static bool receive_grow_arena(struct wyn_session *session)
{
	size_t size = session->arena.size_bytes * 2;
	void *memory;

	if (size > WYN_SESSION_ARENA_BYTES_MAX) {
		return false;
	}
	memory = malloc(size);
	if (memory == NULL) {
		return false;
	}
	free(session->arena.base);
	wyn_arena_init(&session->arena, memory, size);
	return true;
}

static int receive_frame(struct wyn_session *session,
	const struct wyn_frame *frame, struct wyn_client_event *event)
{
	struct wyn_message message;
	const char *reason = "";
	int err;

	do {
		wyn_arena_reset(&session->arena);
		err = wyn_codec_decode(
			frame, &session->arena, &message, &reason);
	} while (err == -ENOBUFS && receive_grow_arena(session));
	if (err == -ENOMSG && (frame->flags & WYN_FRAME_FLAG_OPTIONAL) != 0) {
		return WYN_SESSION_NOTED;
	}
	if (err != 0) {
		return wyn_receive_broken(session, reason);
	}
	return receive_message(session, &message, event);
}

static void receive_count_lost(
	struct wyn_client_loss *loss, const struct wyn_client_event *event)
{
	if (event->kind == WYN_CLIENT_QUIET) {
		loss->quiet += event->count;
		return;
	}
	if (event->ran == WYN_CLIENT_RAN_NO) {
		loss->ran_no++;
	} else {
		loss->ran_maybe++;
	}
	if (loss->first_seq == 0 || event->seq < loss->first_seq) {
		loss->first_seq = event->seq;
	}
	if (event->seq > loss->last_seq) {
		loss->last_seq = event->seq;
	}
}

/* After the end: what has no result gets one. */
static int receive_rest(
	struct wyn_session *session, struct wyn_client_event *event)
{
	const struct wyn_table_slot *slot = wyn_table_sweep(&session->table);

	*event = (struct wyn_client_event){
		.kind = WYN_CLIENT_RESULT,
		.code = WYN_STATUS_UNAVAILABLE,
		.ran = WYN_CLIENT_RAN_MAYBE,
		.reason = session->end.reason,
		.message = session->end.message,
	};
	if (slot != NULL) {
		event->seq = slot->seq;
		event->tag = slot->tag;
		if (session->going_away &&
			slot->seq > session->going_last_seq) {
			/* As the server would have answered it. */
			event->code = WYN_STATUS_FAILED_PRECONDITION;
			event->ran = WYN_CLIENT_RAN_NO;
			event->reason = WYN_REASON_DRAINING;
			event->message = "the server shut down before it took "
					 "the task; try again";
		}
		receive_count_lost(&session->loss, event);
		return 0;
	}
	if (session->quiet > 0) {
		event->kind = WYN_CLIENT_QUIET;
		event->count = session->quiet;
		session->quiet = 0;
		receive_count_lost(&session->loss, event);
		return 0;
	}
	session->error = session->end;
	return session->end_error;
}

int wyn_session_pull(
	struct wyn_session *session, struct wyn_client_event *ret_event)
{
	struct wyn_frame frame;

	wyn_table_release(&session->table);
	session->reply = NULL;
	if (session->rows.count > 0) {
		return wyn_receive_row(session, false, ret_event);
	}
	if (session->accepted != NULL) {
		return receive_range(session, ret_event);
	}
	if (session->state == WYN_SESSION_ENDED) {
		return receive_rest(session, ret_event);
	}
	switch (wyn_inbox_next(
		&session->inbox, session->server.frame_bytes_max, &frame)) {
	case WYN_FRAME_READY:
		return receive_frame(session, &frame, ret_event);
	case WYN_FRAME_PARTIAL:
		return -EAGAIN;
	case WYN_FRAME_TOO_LARGE:
		return wyn_receive_broken(session, "a frame over its limit");
	case WYN_FRAME_BAD_FLAGS:
		break;
	}
	return wyn_receive_broken(session, "bytes that are no frame");
}
