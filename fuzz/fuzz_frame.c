// SPDX-License-Identifier: MIT
/*
 * fuzz_frame.c - framing must not depend on how the bytes arrive.
 *
 * The input is a size of pieces, a bound for bodies, and a stream. The stream
 * is framed whole and then again as it would come from a socket, each state of
 * the buffer in memory of exactly its size, so that a sanitizer sees a read
 * past its end.
 */
#include "proto/frame.h"

#include <stdlib.h>

#include "base/assert.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct stream {
	struct wyn_slice bytes;
	size_t body_max;
	size_t taken; /* by frames so far */
};

/* A buffer of its own with the stream from `taken` up to `end`. */
static struct wyn_slice window_make(const struct stream *stream, size_t end)
{
	size_t len = end - stream->taken;
	uint8_t *copy = malloc(len > 0 ? len : 1);

	wyn_assert(copy != NULL);
	if (len > 0) {
		memcpy(copy, stream->bytes.data + stream->taken, len);
	}
	return (struct wyn_slice){copy, len};
}

/*
 * Frames what has come until more is needed. Each frame must be the one that
 * stands at the same place of the whole stream.
 */
static enum wyn_frame_state feed(struct stream *stream, size_t end)
{
	enum wyn_frame_state state = WYN_FRAME_READY;

	while (state == WYN_FRAME_READY) {
		struct wyn_slice window = window_make(stream, end);
		struct wyn_slice whole = {stream->bytes.data + stream->taken,
			stream->bytes.len - stream->taken};
		struct wyn_frame frame = {0};
		struct wyn_frame expected = {0};
		size_t bytes = 0;
		size_t expected_bytes = 0;

		state = wyn_frame_next(
			window, stream->body_max, &frame, &bytes);
		if (state == WYN_FRAME_PARTIAL) {
			/* Calling again with as much must make a difference. */
			wyn_assert(bytes > window.len);
		} else {
			wyn_assert(
				wyn_frame_next(whole, stream->body_max,
					&expected, &expected_bytes) == state);
		}
		if (state == WYN_FRAME_READY) {
			wyn_assert(bytes == expected_bytes);
			wyn_assert(frame.flags == expected.flags);
			wyn_assert(wyn_slice_equal(frame.body, expected.body));
			wyn_assert(frame.body.len <= stream->body_max);
			wyn_assert(bytes ==
				   frame.body.len + WYN_FRAME_HEADER_BYTES);
			stream->taken += bytes;
		}
		free((uint8_t *)window.data);
	}
	return state;
}

static void preface_feed(struct wyn_slice bytes)
{
	enum wyn_preface_state last = WYN_PREFACE_PARTIAL;

	for (size_t n = 0; n <= bytes.len && n <= WYN_PREFACE_BYTES; n++) {
		struct wyn_slice part = {bytes.data, n};
		enum wyn_preface_state state = wyn_preface_check(part);

		/* Once decided it stays so. */
		wyn_assert(last == WYN_PREFACE_PARTIAL || state == last);
		last = state;
	}
	wyn_assert(last == wyn_preface_check(bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stream whole;
	struct stream pieces;
	enum wyn_frame_state state = WYN_FRAME_PARTIAL;
	size_t step;

	if (size < 2) {
		return 0;
	}
	step = (size_t)data[0] + 1;
	whole = (struct stream){
		.bytes = {data + 2, size - 2},
		.body_max = (size_t)data[1] * 16,
	};
	pieces = whole;
	preface_feed(whole.bytes);
	for (size_t end = 0;
		end < whole.bytes.len && state == WYN_FRAME_PARTIAL;) {
		end = whole.bytes.len - end > step ? end + step
						   : whole.bytes.len;
		state = feed(&pieces, end);
	}
	wyn_assert(state == feed(&whole, whole.bytes.len));
	wyn_assert(whole.taken == pieces.taken);
	return 0;
}
