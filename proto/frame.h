// SPDX-License-Identifier: MIT
/*
 * frame.h - the outermost layer of the wire: the preface and the frames.
 *
 * u8 flags, u32 big-endian length, body. Works over the caller's bytes without
 * copying and without memory of its own, so a reader that has half of a frame
 * simply calls again when it has more.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define WYN_PREFACE	       "WYND/1\r\n"
#define WYN_PREFACE_BYTES      8u
#define WYN_FRAME_HEADER_BYTES 5u

/* max_frame, in bytes of the body: what it is unless said, and its range. The
 * least leaves room for a name, options and an argument. */
#define WYN_FRAME_BYTES_DEFAULT (1u << 20)
#define WYN_FRAME_BYTES_LEAST	(4u << 10)
#define WYN_FRAME_BYTES_HARD	(16u << 20)

/* Bit 0 is kept for compression. Any other bit is a broken frame. */
#define WYN_FRAME_FLAG_OPTIONAL \
	0x02u /* skip the frame if its body is unknown */

enum wyn_frame_state {
	WYN_FRAME_READY,
	WYN_FRAME_PARTIAL,   /* more bytes are needed */
	WYN_FRAME_TOO_LARGE, /* the length is over body_max */
	WYN_FRAME_BAD_FLAGS, /* a flag that this version does not know */
};

enum wyn_preface_state {
	WYN_PREFACE_READY,   /* all eight bytes are right */
	WYN_PREFACE_PARTIAL, /* right as far as they go */
	WYN_PREFACE_FOREIGN, /* this is not a client of ours */
};

struct wyn_frame {
	uint8_t flags;
	struct wyn_slice body; /* view into the caller's bytes */
};

/*
 * wyn_frame_next - finds the frame at the start of `data`.
 *
 * The header alone decides TOO_LARGE and BAD_FLAGS, so both show before any of
 * the body has come. On READY *ret_frame views `data`, and *ret_bytes is the
 * size of the frame with its header. On PARTIAL *ret_bytes is the least number
 * of bytes with which to call again (5, or the whole frame's size once its
 * header is there); *ret_frame is left alone. On the other two neither is
 * written.
 *
 * Thread: any. Owns: nothing. Returns: see above.
 */
enum wyn_frame_state wyn_frame_next(struct wyn_slice data, size_t body_max,
	struct wyn_frame *ret_frame, size_t *ret_bytes);

/*
 * wyn_frame_header_put - writes the five bytes before a body.
 *
 * Thread: any. body_bytes is at most WYN_FRAME_BYTES_HARD (asserted).
 */
void wyn_frame_header_put(
	uint8_t out[WYN_FRAME_HEADER_BYTES], uint8_t flags, size_t body_bytes);

/*
 * wyn_preface_check - compares what came first with the preface.
 *
 * Thread: any. Returns: see above.
 */
enum wyn_preface_state wyn_preface_check(struct wyn_slice data);
