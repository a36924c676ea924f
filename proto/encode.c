// SPDX-License-Identifier: MIT
/*
 * encode.c - any message through protobuf-c, and the head of a Chunk.
 *
 * A Chunk's data is the last thing in it at every level, so the head is a
 * prefix of the frame and the data need not be copied next to it.
 */
#include "proto/codec.h"

#include "base/assert.h"
#include "proto/field.h"
#include "proto/tags.h"

size_t wyn_frame_encoded_bytes(const Wyn__V1__Frame *frame)
{
	return WYN_FRAME_HEADER_BYTES + wyn__v1__frame__get_packed_size(frame);
}

size_t wyn_frame_encode(
	const Wyn__V1__Frame *frame, uint8_t flags, uint8_t *out)
{
	size_t bytes =
		wyn__v1__frame__pack(frame, out + WYN_FRAME_HEADER_BYTES);

	wyn_frame_header_put(out, flags, bytes);
	return WYN_FRAME_HEADER_BYTES + bytes;
}

size_t wyn_chunk_head_encode(
	const struct wyn_chunk *chunk, uint8_t out[WYN_CHUNK_HEAD_BYTES_MAX])
{
	size_t chunk_bytes = wyn_field_u64_bytes(chunk->seq) +
			     wyn_field_u64_bytes(chunk->stream) +
			     wyn_field_u64_bytes(chunk->offset) +
			     wyn_field_u64_bytes(chunk->eof) +
			     wyn_field_bytes_bytes(chunk->data.len);
	uint8_t *at = out + WYN_FRAME_HEADER_BYTES;

	wyn_frame_header_put(out, 0, wyn_field_len_bytes(chunk_bytes));
	at = wyn_field_put_len(
		at, WYN_TAG_BYTES(WYN_MESSAGE_CHUNK), chunk_bytes);
	at = wyn_field_put_u64(at, WYN_TAG_CHUNK_SEQ, chunk->seq);
	at = wyn_field_put_u64(at, WYN_TAG_CHUNK_STREAM, chunk->stream);
	at = wyn_field_put_u64(at, WYN_TAG_CHUNK_OFFSET, chunk->offset);
	at = wyn_field_put_u64(at, WYN_TAG_CHUNK_EOF, chunk->eof);
	if (chunk->data.len > 0) {
		at = wyn_field_put_len(at, WYN_TAG_CHUNK_DATA, chunk->data.len);
	}
	wyn_assert((size_t)(at - out) <= WYN_CHUNK_HEAD_BYTES_MAX);
	return (size_t)(at - out);
}
