// SPDX-License-Identifier: MIT
/*
 * receive_task.c - rows and chunks: what the server says of one task.
 *
 * Rows of a Results are handed out by a cursor over the frame, so a result
 * that its caller takes at once is never copied.
 */
#include "client/receive_task.h"

#include <errno.h>
#include <string.h>

#include "client/reason.h"

int wyn_receive_broken(struct wyn_session *session, const char *what)
{
	/* Before its Welcome it is no server of ours at all. */
	wyn_session_end(session, -EPROTO,
		session->state == WYN_SESSION_NEW ? WYN_STATUS_UNAVAILABLE
						  : WYN_STATUS_INTERNAL,
		WYN_REASON_PROTOCOL_VIOLATION,
		"the server broke the protocol: %s; is it wynd that listens "
		"there?",
		what);
	return WYN_SESSION_NOTED;
}

/* Copies as much of `from` as fits, as a string. Returns: its size, NUL too. */
static size_t text_put(char *out, size_t room, struct wyn_slice from)
{
	size_t size = from.len < room ? from.len : room - 1;

	if (size > 0) {
		memcpy(out, from.data, size);
	}
	out[size] = '\0';
	return size + 1;
}

void wyn_receive_text(struct wyn_session *session, struct wyn_slice reason,
	struct wyn_slice message, struct wyn_client_event *event)
{
	size_t used = text_put(session->text, 64, reason);

	event->reason = session->text;
	event->message = session->text + used;
	(void)text_put(
		session->text + used, sizeof(session->text) - used, message);
}

/* What the table holds of the task: its value's parts, or why it failed. */
static int receive_kept(struct wyn_session *session,
	struct wyn_table_slot *slot, struct wyn_client_event *event)
{
	const struct wyn_kept *kept = wyn_table_kept(&session->table, slot);

	if (kept->text != NULL) {
		event->code = WYN_STATUS_ABORTED;
		event->ran = WYN_CLIENT_RAN_NO;
		event->value = (struct wyn_bytes){NULL, 0};
		event->reason = kept->text;
		event->message = kept->text + strlen(kept->text) + 1;
		return 0;
	}
	if (event->code != WYN_STATUS_OK) {
		return 0;
	}
	if (!slot->ended) {
		return wyn_receive_broken(session, "a value without its end");
	}
	event->value = (struct wyn_bytes){kept->heap, kept->heap_size};
	return 0;
}

/* Field by field: a literal of this size is cleared by an instruction that
 * takes longer than all the rest of a row. */
static void row_event(
	const struct wyn_result *row, struct wyn_client_event *event)
{
	event->kind = WYN_CLIENT_RESULT;
	event->ran = WYN_CLIENT_RAN_UNKNOWN;
	event->code = row->code;
	event->seq = row->seq;
	event->tag = 0;
	event->count = 0;
	event->total = 0;
	event->id = 0;
	event->retry_after_ms = 0;
	event->value.data = row->value.data;
	event->value.size = row->value.len;
	event->reason = "";
	event->message = "";
	event->offset = 0;
	event->exit_status = 0;
	event->signal = 0;
	event->usage = NULL;
}

/* What a row has beside its columns. */
static void row_detail(struct wyn_session *session,
	const struct wyn_detail *detail, struct wyn_client_event *event)
{
	event->ran = (enum wyn_client_ran)detail->ran;
	event->retry_after_ms = detail->retry_after_ms;
	event->exit_status = detail->exit_status;
	event->signal = detail->signal;
	if (detail->usage != NULL) {
		session->usage = (struct wyn_client_usage){
			.wall_ns = detail->usage->wall_ns,
			.user_ns = detail->usage->user_ns,
			.system_ns = detail->usage->system_ns,
			.peak_rss_bytes = detail->usage->peak_rss_bytes,
			.stdout_bytes = detail->usage->output_bytes,
			.stderr_bytes = detail->usage->error_bytes,
		};
		event->usage = &session->usage;
	}
	wyn_receive_text(session, detail->reason, detail->message, event);
}

/* No task in the table has its seq: one of the quiet ones has failed. */
static int row_of_quiet(struct wyn_session *session, uint64_t seq)
{
	if (session->quiet == 0) {
		session->rows.count = 0;
		return wyn_receive_broken(
			session, "a result that nobody waits for");
	}
	session->quiet--;
	wyn_uploads_drop(&session->uploads, seq);
	return 0;
}

/* A task that was submitted or answered in parts, or took input. */
static int row_of_parts(struct wyn_session *session,
	struct wyn_table_slot *slot, struct wyn_client_event *event)
{
	if (slot->uploading) {
		wyn_uploads_drop(&session->uploads, slot->seq);
		slot->uploading = false;
	}
	if (slot->input) {
		wyn_inputs_drop(&session->inputs, slot->seq);
		slot->input = false;
	}
	return slot->has_kept ? receive_kept(session, slot, event) : 0;
}

int wyn_receive_row(
	struct wyn_session *session, bool done, struct wyn_client_event *event)
{
	struct wyn_table_slot *slot;
	struct wyn_result row;
	int result = 0;

	if (!wyn_results_next(&session->rows, &row)) {
		return wyn_receive_broken(session, "a row that is not there");
	}
	row_event(&row, event);
	if (WYN_UNLIKELY(row.detail != NULL)) {
		row_detail(session, row.detail, event);
	}
	slot = wyn_table_find(&session->table, row.seq);
	if (slot == NULL || slot->state != WYN_TABLE_PENDING) {
		return row_of_quiet(session, row.seq);
	}
	event->tag = slot->tag;
	if (WYN_UNLIKELY(slot->uploading || slot->has_kept || slot->input)) {
		result = row_of_parts(session, slot, event);
	}
	if (done && result == 0) {
		wyn_table_end(&session->table, slot);
	}
	return result;
}

int wyn_receive_results(struct wyn_session *session,
	const struct wyn_results *results, struct wyn_client_event *event)
{
	uint64_t quiet = results->quiet_done;

	session->rows = *results;
	if (quiet == 0) {
		return WYN_SESSION_NOTED;
	}
	if (quiet > session->quiet) {
		return wyn_receive_broken(
			session, "more quiet tasks than there are");
	}
	session->quiet -= quiet;
	*event = (struct wyn_client_event){
		.kind = WYN_CLIENT_QUIET,
		.code = WYN_STATUS_OK,
		.count = quiet,
		.reason = "",
		.message = "",
	};
	return 0;
}

static int receive_value_part(struct wyn_session *session,
	struct wyn_table_slot *slot, const struct wyn_chunk *chunk)
{
	const struct wyn_kept *kept;

	if (slot == NULL || slot->state != WYN_TABLE_PENDING) {
		return wyn_receive_broken(
			session, "a value that nobody waits for");
	}
	kept = wyn_table_kept(&session->table, slot);
	if (slot->ended || chunk->offset != kept->heap_size) {
		return wyn_receive_broken(session, "a gap in a value");
	}
	if (chunk->data.len >
		session->server.value_bytes_max - kept->heap_size) {
		return wyn_receive_broken(session, "a value over its limit");
	}
	if (chunk->data.len >
		session->table.parts_bytes_max - session->table.parts_bytes) {
		wyn_session_end(session, -EPROTO, WYN_STATUS_RESOURCE_EXHAUSTED,
			WYN_REASON_VALUE_PARTS,
			"the server sent more than %llu MiB of large values at "
			"once: have fewer tasks in flight",
			(unsigned long long)(session->table.parts_bytes_max >>
					     20));
		return WYN_SESSION_NOTED;
	}
	if (wyn_table_part(&session->table, slot, chunk->data.data,
		    chunk->data.len) != 0) {
		(void)wyn_session_no_memory(session, "a value");
	}
	slot->ended = chunk->eof;
	return WYN_SESSION_NOTED;
}

static uint64_t number_at(const uint8_t *data)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < 8; i++) {
		number = number << 8 | data[i];
	}
	return number;
}

/* What it says becomes numbers, and is no value. */
static int receive_progress(struct wyn_session *session,
	const struct wyn_chunk *chunk, struct wyn_client_event *event)
{
	if (chunk->data.len != 16) {
		return wyn_receive_broken(
			session, "a report of progress that is none");
	}
	event->kind = WYN_CLIENT_PROGRESS;
	event->count = number_at(chunk->data.data);
	event->total = number_at((const uint8_t *)chunk->data.data + 8);
	event->value = (struct wyn_bytes){NULL, 0};
	return 0;
}

/* Returns: the kind of event; 0 = it is passed over. */
static unsigned chunk_kind(const struct wyn_chunk *chunk)
{
	switch (chunk->stream) {
	case WYN__V1__STREAM__STREAM_PARTIAL:
		return WYN_CLIENT_PARTIAL;
	case WYN__V1__STREAM__STREAM_PROGRESS:
		return WYN_CLIENT_PROGRESS;
	case WYN__V1__STREAM__STREAM_OUTPUT:
		return chunk->data.len > 0 ? WYN_CLIENT_STDOUT : 0;
	case WYN__V1__STREAM__STREAM_ERROR:
		return chunk->data.len > 0 ? WYN_CLIENT_STDERR : 0;
	default:
		return 0;
	}
}

int wyn_receive_chunk(struct wyn_session *session,
	const struct wyn_chunk *chunk, struct wyn_client_event *event)
{
	struct wyn_table_slot *slot =
		wyn_table_find(&session->table, chunk->seq);
	unsigned kind;

	session->stream_received += chunk->data.len;
	if (!session->unbounded &&
		session->stream_received > session->stream_granted) {
		return wyn_receive_broken(
			session, "more chunks than were granted");
	}
	if (chunk->stream == WYN__V1__STREAM__STREAM_VALUE) {
		return receive_value_part(session, slot, chunk);
	}
	kind = chunk_kind(chunk);
	if (kind == 0) {
		return WYN_SESSION_NOTED;
	}
	if (slot == NULL && session->quiet == 0) {
		return wyn_receive_broken(
			session, "a partial value that nobody waits for");
	}
	*event = (struct wyn_client_event){
		.kind = (enum wyn_client_event_kind)kind,
		.seq = chunk->seq,
		.tag = slot != NULL ? slot->tag : 0,
		.value = {chunk->data.data, chunk->data.len},
		.reason = "",
		.message = "",
		.offset = chunk->offset,
	};
	return kind == WYN_CLIENT_PROGRESS
		       ? receive_progress(session, chunk, event)
		       : 0;
}
