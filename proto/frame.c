// SPDX-License-Identifier: MIT
/*
 * frame.c - finding frames in a stream of bytes, and the preface before them.
 *
 * Nothing is remembered between calls: a caller that got PARTIAL calls again
 * with the same bytes and more. Looking at a header a second time costs less
 * than state that could get out of step with the caller's buffer.
 */
#include "proto/frame.h"

#include <string.h>

#include "base/assert.h"

/* Each flag that this version understands. */
#define FLAGS_KNOWN WYN_FRAME_FLAG_OPTIONAL

static size_t length_get(const uint8_t header[WYN_FRAME_HEADER_BYTES])
{
	return (size_t)header[1] << 24 | (size_t)header[2] << 16 |
	       (size_t)header[3] << 8 | header[4];
}

enum wyn_frame_state wyn_frame_next(struct wyn_slice data, size_t body_max,
	struct wyn_frame *ret_frame, size_t *ret_bytes)
{
	size_t body_bytes;

	if (data.len < WYN_FRAME_HEADER_BYTES) {
		*ret_bytes = WYN_FRAME_HEADER_BYTES;
		return WYN_FRAME_PARTIAL;
	}
	/* Flags go first: one that we do not know may change what the length
	 * means. */
	if (data.data[0] & ~FLAGS_KNOWN) {
		return WYN_FRAME_BAD_FLAGS;
	}
	body_bytes = length_get(data.data);
	if (body_bytes > body_max) {
		return WYN_FRAME_TOO_LARGE;
	}
	*ret_bytes = WYN_FRAME_HEADER_BYTES + body_bytes;
	if (data.len - WYN_FRAME_HEADER_BYTES < body_bytes) {
		return WYN_FRAME_PARTIAL;
	}
	*ret_frame = (struct wyn_frame){
		.flags = data.data[0],
		.body = {data.data + WYN_FRAME_HEADER_BYTES, body_bytes},
	};
	return WYN_FRAME_READY;
}

void wyn_frame_header_put(
	uint8_t out[WYN_FRAME_HEADER_BYTES], uint8_t flags, size_t body_bytes)
{
	wyn_assert(body_bytes <= WYN_FRAME_BYTES_HARD);
	out[0] = flags;
	out[1] = (uint8_t)(body_bytes >> 24);
	out[2] = (uint8_t)(body_bytes >> 16);
	out[3] = (uint8_t)(body_bytes >> 8);
	out[4] = (uint8_t)body_bytes;
}

enum wyn_preface_state wyn_preface_check(struct wyn_slice data)
{
	size_t n = data.len < WYN_PREFACE_BYTES ? data.len : WYN_PREFACE_BYTES;

	if (n > 0 && memcmp(data.data, WYN_PREFACE, n)) {
		return WYN_PREFACE_FOREIGN;
	}
	return n == WYN_PREFACE_BYTES ? WYN_PREFACE_READY : WYN_PREFACE_PARTIAL;
}
