// SPDX-License-Identifier: MIT
/*
 * conn_message.c - what a message means in which phase.
 *
 * One table says in which phases a kind is taken; everything else is an error
 * of the peer's. Submit and Chunk go on in conn_submit.c, Call in conn_call.c.
 */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "base/version.h"
#include "daemon/engine/conn_command.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/conn_upload.h"
#include "daemon/engine/engine_state.h"

#define WYN_PROTOCOL_VERSION 1u

/* What a frame costs that is unpacked, and not walked over: see
 * wyn_conn_work(). */
#define WYN_UNPACK_LOOKS 4u

static void credit_fill(struct wyn_conn *conn, Wyn__V1__Credit *credit)
{
	credit->tasks = wyn_credit_tell(&conn->tasks);
	credit->argument_bytes = wyn_credit_tell(&conn->bytes);
}

/* Those that fit into a frame; a client that wants all of them calls. Returns:
 * how many. */
static size_t names_fill(
	struct wyn_engine *engine, char *names[WYN_FUNCTIONS_MAX])
{
	const struct wyn_registry *registry =
		wyn_catalog_read(&engine->functions);
	uint64_t room = engine->limits.frame_bytes_max - WYN_REPLY_HEAD_BYTES;
	const struct wyn_function_entry *entry;
	size_t n = 0;

	while ((entry = wyn_registry_at(registry, n)) != NULL) {
		size_t bytes = strlen(entry->name) + 2; /* key and length */

		if (bytes > room) {
			break;
		}
		room -= bytes;
		names[n++] = wyn_message_text(entry->name);
	}
	return n;
}

static void welcome_send(struct wyn_conn *conn)
{
	const struct wyn_limits *limits = &conn->engine->limits;
	char *names[WYN_FUNCTIONS_MAX];
	Wyn__V1__Limits told = WYN__V1__LIMITS__INIT;
	Wyn__V1__Credit credit = WYN__V1__CREDIT__INIT;
	Wyn__V1__Welcome welcome = WYN__V1__WELCOME__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	told.max_frame = limits->frame_bytes_max;
	told.max_batch = limits->batch_max;
	told.max_argument = limits->argument_bytes_max;
	told.max_value = limits->value_bytes_max;
	credit_fill(conn, &credit);
	welcome.n_functions = names_fill(conn->engine, names);
	welcome.version = WYN_PROTOCOL_VERSION;
	welcome.limits = &told;
	welcome.credit = &credit;
	welcome.functions = names;
	welcome.server_name = wyn_message_text("wynd/" WYN_VERSION);
	frame.body_case = WYN__V1__FRAME__BODY_WELCOME;
	frame.welcome = &welcome;
	wyn_conn_send(conn, &frame);
}

static void on_hello(struct wyn_conn *conn, const Wyn__V1__Hello *hello)
{
	if (hello->version_min > WYN_PROTOCOL_VERSION ||
		hello->version_max < WYN_PROTOCOL_VERSION) {
		wyn_conn_fail(conn, WYN_STATUS_UNIMPLEMENTED,
			"VERSION_UNSUPPORTED",
			"this server speaks version 1 only");
		return;
	}
	wyn_text_copy(conn->client_name, sizeof(conn->client_name),
		hello->client_name);
	conn->stream_granted =
		hello->stream_bytes == 0 ? UINT64_MAX : hello->stream_bytes;
	conn->phase = WYN_CONN_OPEN;
	wyn_conn_keepalive(conn, conn->heard_ns);
	welcome_send(conn);
	if (conn->engine->draining) {
		wyn_conn_go_away(conn);
	}
}

static void on_ping(struct wyn_conn *conn, const Wyn__V1__Ping *ping)
{
	Wyn__V1__Pong pong = WYN__V1__PONG__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	pong.token = ping->token;
	frame.body_case = WYN__V1__FRAME__BODY_PONG;
	frame.pong = &pong;
	wyn_conn_send(conn, &frame);
}

static void on_credit(struct wyn_conn *conn, const Wyn__V1__Credit *credit)
{
	if (conn->stream_granted == UINT64_MAX || credit->stream_bytes == 0) {
		return; /* it asked not to be bounded, or grants nothing */
	}
	if (credit->stream_bytes < conn->stream_granted) {
		wyn_conn_fail(conn, WYN_STATUS_INVALID_ARGUMENT,
			"CREDIT_INVALID", "stream_bytes went down");
		return;
	}
	conn->stream_granted = credit->stream_bytes;
	wyn_engine_activate(conn);
}

static const struct wyn_answer cancelled_by_client = {
	.refusal = WYN_REFUSAL_CANCELLED_BY_CLIENT,
};

/* Returns: whether there are any. */
static bool ranges_settle(struct wyn_conn *conn, struct wyn_ranges *ranges)
{
	/* What came, for it has to be sorted, and not what is left of it. */
	wyn_conn_work(conn, ranges->count);
	if (ranges->count > 0) {
		wyn_ranges_settle(ranges);
	}
	return ranges->count > 0;
}

/* Room for ranges of seqs, and then of ids. Without memory it fails. */
static bool ranges_alloc(struct wyn_conn *conn, size_t n_seqs, size_t n_ids,
	struct wyn_ranges *ret_ranges)
{
	size_t n = n_seqs > n_ids ? n_seqs : n_ids;

	*ret_ranges = (struct wyn_ranges){
		.items = wyn_arena_alloc(
			&conn->engine->arena, n * sizeof(struct wyn_range))};
	if (ret_ranges->items == NULL) {
		wyn_conn_fail(conn, WYN_STATUS_INVALID_ARGUMENT,
			"FRAME_TOO_COMPLEX", "more ranges than fit in memory");
		return false;
	}
	return true;
}

static void seqs_add(
	struct wyn_ranges *ranges, Wyn__V1__SeqRange *const *seqs, size_t n)
{
	ranges->count = 0;
	for (size_t i = 0; i < n; i++) {
		wyn_ranges_add(ranges, seqs[i]->first, seqs[i]->count);
	}
}

static void ids_add(struct wyn_ranges *ranges, const uint64_t *ids, size_t n)
{
	ranges->count = 0;
	for (size_t i = 0; i < n; i++) {
		wyn_ranges_add(ranges, ids[i], 1);
	}
}

static void cancel_ranges(struct wyn_conn *conn, struct wyn_ranges *ranges,
	enum wyn_work_key key, uint64_t grace_ms)
{
	if (ranges_settle(conn, ranges)) {
		wyn_conn_cancel(conn, ranges, key, &cancelled_by_client,
			grace_ms == 0 ? WYN_GRACE_USUAL : grace_ms);
	}
}

static void on_cancel(struct wyn_conn *conn, const Wyn__V1__Cancel *cancel)
{
	struct wyn_ranges ranges;

	if (!ranges_alloc(conn, cancel->n_seqs, cancel->n_ids, &ranges)) {
		return;
	}
	seqs_add(&ranges, cancel->seqs, cancel->n_seqs);
	cancel_ranges(conn, &ranges, WYN_WORK_SEQ, cancel->grace_ms);
	ids_add(&ranges, cancel->ids, cancel->n_ids);
	cancel_ranges(conn, &ranges, WYN_WORK_ID, cancel->grace_ms);
}

static void on_signal(struct wyn_conn *conn, const Wyn__V1__Signal *signal)
{
	struct wyn_ranges ranges;

	if (signal->number == 0 || signal->number > WYN_SIGNAL_MAX) {
		wyn_conn_fail(conn, WYN_STATUS_INVALID_ARGUMENT,
			"SIGNAL_INVALID", "number is no signal's");
		return;
	}
	if (!ranges_alloc(conn, signal->n_seqs, signal->n_ids, &ranges)) {
		return;
	}
	seqs_add(&ranges, signal->seqs, signal->n_seqs);
	if (ranges_settle(conn, &ranges)) {
		wyn_conn_signal(conn, &ranges, WYN_WORK_SEQ, signal->number);
	}
	ids_add(&ranges, signal->ids, signal->n_ids);
	if (ranges_settle(conn, &ranges)) {
		wyn_conn_signal(conn, &ranges, WYN_WORK_ID, signal->number);
	}
}

static void on_finish(struct wyn_conn *conn)
{
	conn->phase = WYN_CONN_FINISHED;
	wyn_conn_inputs_end(conn);
	wyn_conn_settle(conn);
}

static void on_unexpected(struct wyn_conn *conn, enum wyn_message_kind kind)
{
	if (conn->phase == WYN_CONN_HELLO) {
		wyn_conn_fail(conn, WYN_STATUS_FAILED_PRECONDITION,
			"HELLO_EXPECTED", "the first message is Hello");
	} else if (kind == WYN_MESSAGE_HELLO) {
		wyn_conn_fail(conn, WYN_STATUS_FAILED_PRECONDITION,
			"HELLO_REPEATED", "Hello comes once");
	} else if (conn->phase == WYN_CONN_FINISHED) {
		wyn_conn_fail(conn, WYN_STATUS_FAILED_PRECONDITION, "FINISHED",
			"nothing new comes after Finish");
	} else {
		wyn_conn_fail(conn, WYN_STATUS_INVALID_ARGUMENT,
			"UNEXPECTED_MESSAGE", "only servers send this message");
	}
}

/* In which phases a message is taken. */
static bool is_expected(enum wyn_conn_phase phase, enum wyn_message_kind kind)
{
	switch (kind) {
	case WYN_MESSAGE_HELLO:
		return phase == WYN_CONN_HELLO;
	case WYN_MESSAGE_SUBMIT:
	case WYN_MESSAGE_CALL:
	case WYN_MESSAGE_FINISH:
		return phase == WYN_CONN_OPEN;
	case WYN_MESSAGE_CHUNK:
	case WYN_MESSAGE_CANCEL:
	case WYN_MESSAGE_SIGNAL:
	case WYN_MESSAGE_CREDIT:
	case WYN_MESSAGE_PING:
	case WYN_MESSAGE_PONG:
		return phase == WYN_CONN_OPEN || phase == WYN_CONN_FINISHED;
	default:
		return false;
	}
}

static void on_message(struct wyn_conn *conn, const struct wyn_message *message)
{
	if (!is_expected(conn->phase, message->kind)) {
		on_unexpected(conn, message->kind);
		return;
	}
	switch (message->kind) {
	case WYN_MESSAGE_HELLO:
		on_hello(conn, message->frame->hello);
		return;
	case WYN_MESSAGE_SUBMIT:
		if (message->submit.arg_sizes_count > 0) {
			conn->upload_ns = conn->engine->now_ns;
		}
		wyn_conn_submit(conn, &message->submit);
		return;
	case WYN_MESSAGE_CHUNK:
		wyn_conn_chunk(conn, &message->chunk);
		return;
	case WYN_MESSAGE_CANCEL:
		on_cancel(conn, message->frame->cancel);
		return;
	case WYN_MESSAGE_SIGNAL:
		on_signal(conn, message->frame->signal);
		return;
	case WYN_MESSAGE_CREDIT:
		on_credit(conn, message->frame->credit);
		return;
	case WYN_MESSAGE_CALL:
		wyn_conn_call(conn, message->frame->call);
		return;
	case WYN_MESSAGE_PING:
		on_ping(conn, message->frame->ping);
		return;
	case WYN_MESSAGE_FINISH:
		on_finish(conn);
		return;
	default:
		return; /* a Pong: that it came is all it says */
	}
}

static bool is_walked(enum wyn_message_kind kind)
{
	return kind == WYN_MESSAGE_SUBMIT || kind == WYN_MESSAGE_CHUNK;
}

void wyn_conn_frame(struct wyn_conn *conn, const struct wyn_frame *frame)
{
	struct wyn_engine *engine = conn->engine;
	struct wyn_message message;
	const char *reason;
	int result;

	WYN_STATS_ADD(&engine->stats, frames_received, 1);
	wyn_arena_reset(&engine->arena);
	result = wyn_codec_decode(frame, &engine->arena, &message, &reason);
	wyn_conn_work(conn,
		result == 0 && is_walked(message.kind) ? 1 : WYN_UNPACK_LOOKS);
	if (result == -ENOMSG && (frame->flags & WYN_FRAME_FLAG_OPTIONAL)) {
		return;
	}
	if (result < 0) {
		wyn_conn_fail(conn, WYN_STATUS_INVALID_ARGUMENT, reason,
			result == -ENOMSG
				? "a body that this server does not know"
				: "the frame cannot be read");
		return;
	}
	on_message(conn, &message);
}
