// SPDX-License-Identifier: MIT
/*
 * session.c - the life of a session, its ends, and what passes through it.
 *
 * Frames are read in receive*.c, tasks go out in submit.c, the rest in
 * control.c. Here is what they share: errors, output, what is kept.
 */
#include "client/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/control.h"
#include "client/reason.h"
#include "proto/codec.h"

static void error_set(struct wyn_client_error *out, int error, uint32_t status,
	const char *reason, const char *format, va_list arguments)
{
	out->status = status;
	out->error = error;
	(void)snprintf(out->reason, sizeof(out->reason), "%s", reason);
	(void)vsnprintf(out->message, sizeof(out->message), format, arguments);
}

int wyn_session_fail(struct wyn_session *session, int error, uint32_t status,
	const char *reason, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	error_set(&session->error, error, status, reason, format, arguments);
	va_end(arguments);
	return error;
}

void wyn_session_end(struct wyn_session *session, int error, uint32_t status,
	const char *reason, const char *format, ...)
{
	va_list arguments;

	if (session->state == WYN_SESSION_ENDED) {
		return;
	}
	va_start(arguments, format);
	error_set(&session->end, error, status, reason, format, arguments);
	va_end(arguments);
	/* One that never came about has lost nothing. */
	if (session->state == WYN_SESSION_OPEN &&
		session->loss.error.error == 0) {
		session->loss.error = session->end;
	}
	session->state = WYN_SESSION_ENDED;
	session->end_error = error;
	wyn_uploads_fini(&session->uploads);
	wyn_inputs_fini(&session->inputs);
	wyn_outbox_fini(&session->outbox);
}

int wyn_session_not_connected(struct wyn_session *session)
{
	return wyn_session_fail(session, -ENOTCONN,
		WYN_STATUS_FAILED_PRECONDITION, WYN_REASON_NOT_CONNECTED,
		"the client is not connected");
}

int wyn_session_no_memory(struct wyn_session *session, const char *what)
{
	wyn_session_end(session, -ENOMEM, WYN_STATUS_RESOURCE_EXHAUSTED,
		WYN_REASON_CLIENT_NO_MEMORY, "no memory for %s", what);
	session->error = session->end;
	return -ENOMEM;
}

void wyn_session_eof(struct wyn_session *session)
{
	bool answered =
		wyn_table_pending(&session->table) == 0 && session->quiet == 0;

	if (session->state == WYN_SESSION_NEW) {
		wyn_session_end(session, -EPIPE, WYN_STATUS_UNAVAILABLE,
			WYN_REASON_CONNECTION_CLOSED,
			"the server closed the connection before its Welcome; "
			"is it wynd that listens there?");
	} else if (session->finishing && answered) {
		wyn_session_end(session, -ENODATA, WYN_STATUS_OK,
			WYN_REASON_FINISHED, "every task is answered");
	} else if (session->going_away && answered) {
		wyn_session_end(session, -ESHUTDOWN,
			WYN_STATUS_FAILED_PRECONDITION, WYN_REASON_DRAINING,
			"the server has shut down, all that it took is "
			"answered; try again when it is back");
	} else {
		wyn_session_end(session, -EPIPE, WYN_STATUS_UNAVAILABLE,
			WYN_REASON_CONNECTION_CLOSED,
			"the server closed the connection; what was not "
			"answered may have run");
	}
}

static int session_hello(struct wyn_session *session)
{
	Wyn__V1__Hello hello = WYN__V1__HELLO__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	uint8_t *room = wyn_outbox_reserve(&session->outbox, WYN_PREFACE_BYTES);

	if (room == NULL) {
		return -ENOMEM;
	}
	memcpy(room, WYN_PREFACE, WYN_PREFACE_BYTES);
	wyn_outbox_commit(&session->outbox, WYN_PREFACE_BYTES);
	hello.version_min = WYN_SESSION_PROTOCOL;
	hello.version_max = WYN_SESSION_PROTOCOL;
	hello.client_name = wyn_message_text(session->client_name);
	hello.stream_bytes = session->stream_granted;
	frame.body_case = WYN__V1__FRAME__BODY_HELLO;
	frame.hello = &hello;
	return wyn_session_put(session, &frame);
}

/* What a connection begins with; all that counts since Hello counts anew. */
static int session_begin(struct wyn_session *session)
{
	session->state = WYN_SESSION_NEW;
	session->announces = false;
	session->finishing = false;
	session->going_away = false;
	session->end_error = 0;
	session->server = (struct wyn_client_server){
		.frame_bytes_max = WYN_FRAME_BYTES_DEFAULT};
	session->tasks_granted = 0;
	session->tasks_used = 0;
	session->bytes_granted = 0;
	session->bytes_used = 0;
	session->bytes_window = 0;
	session->inputs.bytes = 0;
	session->stream_window = session->stream_asked;
	session->stream_granted =
		session->unbounded ? 0 : session->stream_window;
	session->stream_received = 0;
	session->stream_held = 0;
	/* Who waits for room hears of the Welcome's credit. */
	session->relieved = false;
	session->rows.count = 0;
	session->accepted = NULL;
	session->reply = NULL;
	session->ponged = false;
	session->table.swept = 0;
	wyn_inbox_fini(&session->inbox);
	return session_hello(session);
}

int wyn_session_restart(struct wyn_session *session)
{
	int err;

	wyn_assert(wyn_table_pending(&session->table) == 0);
	wyn_assert(session->quiet == 0);
	wyn_outbox_fini(&session->outbox);
	err = session_begin(session);
	if (err != 0) {
		return wyn_session_no_memory(session, "the output");
	}
	return 0;
}

int wyn_session_init(
	struct wyn_session *session, const struct wyn_client_config *config)
{
	static const struct wyn_client_config defaults;
	uint32_t in_flight;
	const char *name;
	void *memory;
	int err;

	memset(session, 0, sizeof(*session));
	wyn_notices_init(&session->notices);
	wyn_uploads_init(&session->uploads);
	wyn_inputs_init(&session->inputs);
	if (config == NULL) {
		config = &defaults;
	}
	in_flight = config->in_flight_max != 0 ? config->in_flight_max
					       : WYN_CLIENT_IN_FLIGHT_DEFAULT;
	name = config->name != NULL ? config->name : "libwynclient";
	if (in_flight > WYN_CLIENT_IN_FLIGHT_MAX ||
		!wyn_text_valid(wyn_slice_of(name))) {
		return -EINVAL;
	}
	session->stream_asked = config->stream_bytes != 0
					? config->stream_bytes
					: WYN_CLIENT_STREAM_BYTES_DEFAULT;
	if (session->stream_asked < 4 * WYN_FRAME_BYTES_DEFAULT) {
		session->stream_asked = 4 * WYN_FRAME_BYTES_DEFAULT;
	}
	session->unbounded = config->stream_unbounded;
	session->client_name = strdup(name);
	memory = malloc(WYN_SESSION_ARENA_BYTES);
	err = session->client_name != NULL && memory != NULL ? 0 : -ENOMEM;
	if (memory != NULL) {
		wyn_arena_init(
			&session->arena, memory, WYN_SESSION_ARENA_BYTES);
	}
	if (err == 0) {
		err = wyn_table_init(&session->table, in_flight);
	}
	if (err == 0) {
		err = session_begin(session);
	}
	if (err != 0) {
		wyn_session_fini(session);
	}
	return err;
}

void wyn_session_fini(struct wyn_session *session)
{
	wyn_uploads_fini(&session->uploads);
	wyn_inputs_fini(&session->inputs);
	wyn_notices_fini(&session->notices);
	wyn_table_fini(&session->table);
	wyn_outbox_fini(&session->outbox);
	wyn_inbox_fini(&session->inbox);
	free(session->arena.base);
	session->arena = (struct wyn_arena){0};
	free(session->client_name);
	session->client_name = NULL;
	free(session->packed.strings);
	session->packed.strings = NULL;
}

int wyn_session_put(struct wyn_session *session, const Wyn__V1__Frame *frame)
{
	uint8_t *room;

	if (session->state == WYN_SESSION_ENDED) {
		session->error = session->end;
		return session->end_error;
	}
	room = wyn_outbox_reserve(
		&session->outbox, wyn_frame_encoded_bytes(frame));
	if (room == NULL) {
		return wyn_session_no_memory(session, "the output");
	}
	wyn_outbox_commit(&session->outbox, wyn_frame_encode(frame, 0, room));
	return 0;
}

/* The total that the server may have by now. */
static uint64_t session_target(const struct wyn_session *session)
{
	uint64_t kept = session->notices.bytes + session->stream_held;
	uint64_t target = session->stream_received + session->stream_window;

	/* A caller may say that it holds more than ever came. */
	return target > kept ? target - kept : 0;
}

/* Now and then, not for each event that was taken. */
bool wyn_session_owes(const struct wyn_session *session)
{
	return !session->unbounded && session->state == WYN_SESSION_OPEN &&
	       session_target(session) >=
		       session->stream_granted + session->stream_window / 4;
}

/* Tells the server of the room that reading has made. */
static void session_grant(struct wyn_session *session)
{
	Wyn__V1__Credit credit = WYN__V1__CREDIT__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	uint64_t target;

	if (!wyn_session_owes(session)) {
		return;
	}
	target = session_target(session);
	credit.stream_bytes = target;
	frame.body_case = WYN__V1__FRAME__BODY_CREDIT;
	frame.credit = &credit;
	if (wyn_session_put(session, &frame) == 0) {
		session->stream_granted = target;
	}
}

/* Its argument will never be whole: the task is to end, and to say why. */
static void session_upload_failed(
	struct wyn_session *session, const struct wyn_upload_report *report)
{
	struct wyn_table_slot *slot =
		wyn_table_find(&session->table, report->seq);
	char message[160];

	if (report->error != 0) {
		(void)snprintf(message, sizeof(message),
			"cannot read the argument: %s",
			strerror(-report->error));
	} else {
		(void)snprintf(message, sizeof(message),
			"the argument ended after %llu of %llu bytes",
			(unsigned long long)report->offset,
			(unsigned long long)report->size);
	}
	if (slot != NULL) {
		slot->uploading = false;
		wyn_table_fail_here(&session->table, slot,
			WYN_REASON_ARGUMENT_INCOMPLETE, message);
	}
	/* Without memory the session has ended, and the task with it. */
	(void)!wyn_session_cancel(session, report->seq, 1, 0);
}

/* One piece of one upload. Returns: whether to go on. */
static bool session_upload(struct wyn_session *session)
{
	struct wyn_upload_report report;
	struct wyn_table_slot *slot;

	switch (wyn_uploads_step(&session->uploads, &session->outbox,
		session->server.frame_bytes_max, &report)) {
	case WYN_UPLOAD_SENT:
		return true;
	case WYN_UPLOAD_DONE:
		slot = wyn_table_find(&session->table, report.seq);
		if (slot != NULL) {
			slot->uploading = false;
		}
		wyn_session_relieve(session);
		return true;
	case WYN_UPLOAD_FAILED:
		session_upload_failed(session, &report);
		wyn_session_relieve(session);
		return true;
	case WYN_UPLOAD_NOMEM:
		(void)wyn_session_no_memory(session, "the output");
		return false;
	case WYN_UPLOAD_IDLE:
		break;
	}
	return false;
}

struct wyn_slice wyn_session_output(struct wyn_session *session)
{
	session_grant(session);
	while (session->uploads.count > 0 &&
		!wyn_outbox_full(&session->outbox) && session_upload(session)) {
	}
	return wyn_outbox_pending(&session->outbox);
}

void wyn_session_sent(struct wyn_session *session, size_t bytes)
{
	bool full = wyn_outbox_full(&session->outbox);

	wyn_outbox_sent(&session->outbox, bytes);
	if (full && !wyn_outbox_full(&session->outbox)) {
		wyn_session_relieve(session);
	}
}

void wyn_session_starve(struct wyn_session *session)
{
	session->starved = true;
	session->relieved = false;
}

void wyn_session_relieve(struct wyn_session *session)
{
	session->relieved = true;
}

bool wyn_session_take_room(
	struct wyn_session *session, struct wyn_client_event *ret_event)
{
	if (!session->starved || !session->relieved) {
		return false;
	}
	session->starved = false;
	*ret_event = (struct wyn_client_event){
		.kind = WYN_CLIENT_ROOM,
		.reason = "",
		.message = "",
	};
	return true;
}

int wyn_session_room(
	struct wyn_session *session, uint8_t **ret_room, size_t *ret_bytes)
{
	if (wyn_inbox_room(&session->inbox, ret_room, ret_bytes) != 0) {
		return wyn_session_no_memory(session, "the input");
	}
	return 0;
}

void wyn_session_received(struct wyn_session *session, size_t bytes)
{
	wyn_inbox_received(&session->inbox, bytes);
}

static struct wyn_table_slot *session_pending(
	struct wyn_session *session, const struct wyn_client_event *event)
{
	struct wyn_table_slot *slot =
		wyn_table_find(&session->table, event->seq);

	return slot != NULL && slot->state == WYN_TABLE_PENDING ? slot : NULL;
}

int wyn_session_keep(
	struct wyn_session *session, const struct wyn_client_event *event)
{
	struct wyn_table_slot *slot = NULL;

	/* It would be old when it is taken, and fill what others need. */
	if (event->kind == WYN_CLIENT_PROGRESS) {
		return 0;
	}
	if (event->kind == WYN_CLIENT_RESULT) {
		slot = session_pending(session, event);
	}
	if (slot != NULL) {
		wyn_table_keep(&session->table, slot, event);
		return 0;
	}
	if (wyn_notices_keep(&session->notices, event) != 0) {
		return wyn_session_no_memory(session, "an event");
	}
	return 0;
}

void wyn_session_done(
	struct wyn_session *session, const struct wyn_client_event *event)
{
	struct wyn_table_slot *slot;

	if (event->kind != WYN_CLIENT_RESULT) {
		return;
	}
	slot = session_pending(session, event);
	if (slot != NULL) {
		wyn_table_end(&session->table, slot);
	}
}

bool wyn_session_take(
	struct wyn_session *session, struct wyn_client_event *ret_event)
{
	return wyn_notices_take(&session->notices, ret_event) ||
	       wyn_table_take(&session->table, NULL, ret_event);
}

bool wyn_session_keeps_too_much(const struct wyn_session *session)
{
	return session->notices.memory_bytes > session->stream_window / 2;
}
