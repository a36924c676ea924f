// SPDX-License-Identifier: MIT
/*
 * conn_upload.c - see conn_upload.h.
 */
#include "daemon/engine/conn_upload.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/engine/conn_command.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/keeper.h"

struct wyn_upload *wyn_conn_upload_find(struct wyn_conn *conn, uint64_t seq)
{
	struct wyn_upload *found = NULL;
	struct wyn_list *link;
	uint64_t looks = 0;

	wyn_list_for_each (link, &conn->uploads) {
		struct wyn_upload *upload =
			wyn_list_entry(link, struct wyn_upload, link);

		looks++;
		if (upload->batch->first_seq == seq) {
			found = upload;
			break;
		}
	}
	wyn_conn_work(conn, looks);
	return found;
}

static void upload_free(struct wyn_conn *conn, struct wyn_upload *upload)
{
	upload->batch->upload = NULL;
	wyn_list_remove(&upload->link);
	conn->uploads_count--;
	free(upload);
}

void wyn_conn_upload_drop(struct wyn_conn *conn, struct wyn_upload *upload)
{
	struct wyn_span *span = &upload->batch->span;

	upload_free(conn, upload);
	wyn_engine_unhold(conn->engine, 1, wyn_span_drop(span));
}

void wyn_conn_upload_cancel(struct wyn_conn *conn, struct wyn_upload *upload,
	const struct wyn_answer *answer)
{
	uint64_t seq = upload->batch->first_seq;
	uint64_t size = upload->size;

	wyn_keeper_verdict(conn, upload->batch, seq, 1, answer);
	wyn_conn_upload_drop(conn, upload);
	wyn_conn_answer(conn, answer, seq, 1, 1, size);
}

void wyn_conn_uploads_cancel(struct wyn_conn *conn,
	const struct wyn_ranges *ranges, enum wyn_work_key key,
	const struct wyn_answer *answer)
{
	struct wyn_list *link;
	struct wyn_list *after;
	struct wyn_range part;

	wyn_conn_work(conn, conn->uploads_count);
	wyn_list_for_each_safe (link, after, &conn->uploads) {
		struct wyn_upload *upload =
			wyn_list_entry(link, struct wyn_upload, link);
		uint64_t at = wyn_work_key_of(
			upload->batch, upload->batch->first_seq, key);

		if (wyn_ranges_meet(ranges, at, at, &part)) {
			wyn_conn_upload_cancel(conn, upload, answer);
		}
	}
}

void wyn_conn_uploads_end(struct wyn_conn *conn)
{
	static const struct wyn_answer answer = {
		.refusal = WYN_REFUSAL_CANCELLED_BY_CLIENT,
		.text = "the client closed before its argument was whole",
	};

	wyn_conn_uploads_cancel(conn, &WYN_RANGES_ALL, WYN_WORK_SEQ, &answer);
}

void wyn_conn_uploads_check(struct wyn_conn *conn, uint64_t stall_ns)
{
	static const struct wyn_answer answer = {
		.refusal = WYN_REFUSAL_UPLOAD_STALLED,
	};
	struct wyn_engine *engine = conn->engine;

	if (conn->uploads_count == 0 || conn->paused) {
		conn->upload_ns = engine->now_ns;
	} else if (engine->now_ns - conn->upload_ns >= stall_ns) {
		wyn_conn_uploads_cancel(
			conn, &WYN_RANGES_ALL, WYN_WORK_SEQ, &answer);
	}
}

void wyn_conn_upload_ready(struct wyn_conn *conn, struct wyn_upload *upload)
{
	struct wyn_span *span = &upload->batch->span;

	upload_free(conn, upload);
	wyn_conn_queue(conn, span);
}

void wyn_conn_chunk(struct wyn_conn *conn, const struct wyn_chunk *chunk)
{
	struct wyn_upload *upload;
	size_t bytes = chunk->data.len;

	if ((chunk->stream != WYN__V1__STREAM__STREAM_ARGUMENT &&
		    chunk->stream != WYN__V1__STREAM__STREAM_INPUT) ||
		chunk->seq >= conn->next_seq) {
		wyn_conn_fail(conn, WYN_STATUS_INVALID_ARGUMENT,
			"UNEXPECTED_MESSAGE",
			"a Chunk for no argument or input that was announced");
		return;
	}
	if (chunk->stream == WYN__V1__STREAM__STREAM_INPUT) {
		wyn_conn_input(conn, chunk);
		return;
	}
	upload = wyn_conn_upload_find(conn, chunk->seq);
	if (upload == NULL) {
		/* Refused, cancelled or expired while this was on its way. */
		return;
	}
	if (chunk->offset != upload->have ||
		bytes > upload->size - upload->have ||
		chunk->eof != (upload->have + bytes == upload->size)) {
		wyn_conn_fail(conn, WYN_STATUS_INVALID_ARGUMENT,
			"CHUNK_OUT_OF_ORDER",
			"a Chunk with a gap, past its size, or a wrong eof");
		return;
	}
	if (bytes > 0) {
		memcpy(upload->argument + upload->have, chunk->data.data,
			bytes);
		conn->upload_ns = conn->engine->now_ns;
	}
	upload->have += bytes;
	if (chunk->eof) {
		wyn_conn_upload_ready(conn, upload);
	}
}
