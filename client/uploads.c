// SPDX-License-Identifier: MIT
/*
 * uploads.c - sends arguments piece by piece.
 *
 * A piece is read straight into the outbox, behind the chunk's head, whose
 * length is known before because a piece is always full or the last one.
 */
#include "client/uploads.h"

#include <errno.h>
#include <stdlib.h>

#include "proto/codec.h"

struct upload {
	struct wyn_list link;
	struct wyn_client_source source;
	uint64_t seq;
	uint64_t offset;
};

static void upload_destroy(struct wyn_uploads *uploads, struct upload *upload)
{
	wyn_list_remove(&upload->link);
	uploads->count--;
	if (upload->source.release != NULL) {
		upload->source.release(upload->source.context);
	}
	free(upload);
}

void wyn_uploads_init(struct wyn_uploads *uploads)
{
	wyn_list_init(&uploads->list);
	uploads->count = 0;
}

void wyn_uploads_fini(struct wyn_uploads *uploads)
{
	while (!wyn_list_empty(&uploads->list)) {
		upload_destroy(uploads, wyn_list_entry(uploads->list.next,
						struct upload, link));
	}
}

int wyn_uploads_add(struct wyn_uploads *uploads, uint64_t seq,
	const struct wyn_client_source *source)
{
	struct upload *upload = malloc(sizeof(*upload));

	if (upload == NULL) {
		return -ENOMEM;
	}
	*upload = (struct upload){.source = *source, .seq = seq};
	wyn_list_push_back(&uploads->list, &upload->link);
	uploads->count++;
	return 0;
}

/* Fills `size` bytes. Returns: what came before the end, or -errno. */
static ssize_t upload_read(
	const struct wyn_client_source *source, uint8_t *buffer, size_t size)
{
	size_t filled = 0;
	ssize_t got;

	while (filled < size) {
		got = source->read(
			source->context, buffer + filled, size - filled);
		if (got < 0) {
			return got;
		}
		if (got == 0 || (size_t)got > size - filled) {
			break;
		}
		filled += (size_t)got;
	}
	return (ssize_t)filled;
}

static size_t upload_piece_bytes(
	const struct upload *upload, uint64_t frame_bytes_max)
{
	uint64_t bytes = upload->source.size - upload->offset;

	if (bytes > WYN_UPLOAD_PIECE_BYTES) {
		bytes = WYN_UPLOAD_PIECE_BYTES;
	}
	if (bytes > frame_bytes_max - WYN_CHUNK_HEAD_BYTES_MAX) {
		bytes = frame_bytes_max - WYN_CHUNK_HEAD_BYTES_MAX;
	}
	return (size_t)bytes;
}

enum wyn_upload_step wyn_uploads_step(struct wyn_uploads *uploads,
	struct wyn_outbox *outbox, uint64_t frame_bytes_max,
	struct wyn_upload_report *ret_report)
{
	struct upload *upload;
	struct wyn_chunk chunk;
	uint8_t *room;
	size_t head;
	size_t bytes;
	ssize_t got;

	if (wyn_list_empty(&uploads->list)) {
		return WYN_UPLOAD_IDLE;
	}
	upload = wyn_list_entry(uploads->list.next, struct upload, link);
	bytes = upload_piece_bytes(upload, frame_bytes_max);
	room = wyn_outbox_reserve(outbox, WYN_CHUNK_HEAD_BYTES_MAX + bytes);
	if (room == NULL) {
		return WYN_UPLOAD_NOMEM;
	}
	chunk = (struct wyn_chunk){
		.seq = upload->seq,
		.stream = WYN__V1__STREAM__STREAM_ARGUMENT,
		.offset = upload->offset,
		.eof = upload->offset + bytes == upload->source.size,
		.data = {NULL, bytes},
	};
	head = wyn_chunk_head_encode(&chunk, room);
	got = upload_read(&upload->source, room + head, bytes);
	*ret_report = (struct wyn_upload_report){
		.seq = upload->seq,
		.offset = upload->offset + (got > 0 ? (uint64_t)got : 0),
		.size = upload->source.size,
		.error = got < 0 ? (int)got : 0,
	};
	if (got < 0 || (size_t)got < bytes) {
		upload_destroy(uploads, upload);
		return WYN_UPLOAD_FAILED;
	}
	wyn_outbox_commit(outbox, head + bytes);
	upload->offset += bytes;
	if (chunk.eof) {
		upload_destroy(uploads, upload);
		return WYN_UPLOAD_DONE;
	}
	wyn_list_remove(&upload->link);
	wyn_list_push_back(&uploads->list, &upload->link);
	return WYN_UPLOAD_SENT;
}

void wyn_uploads_drop(struct wyn_uploads *uploads, uint64_t seq)
{
	struct wyn_list *link;
	struct wyn_list *after;
	struct upload *upload;

	wyn_list_for_each_safe (link, after, &uploads->list) {
		upload = wyn_list_entry(link, struct upload, link);
		if (upload->seq == seq) {
			upload_destroy(uploads, upload);
			return;
		}
	}
}
