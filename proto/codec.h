// SPDX-License-Identifier: MIT
/*
 * codec.h - frames to messages and back.
 *
 * Decoding is strict (one body, no singular field twice, strings valid UTF-8
 * without NUL, columns of one length) and stays within the arena. There are two
 * ways, of which proto/README.md tells: the hot messages in the form that all
 * write are walked over; all else is checked against the schema and unpacked.
 * Encoding is in two steps, size and write, so that the caller finds room
 * first. No memory of its own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "proto/arena.h"
#include "proto/frame.h"
#include "proto/message.h"

/* Enough for the frame header and all of a Chunk before its data. */
#define WYN_CHUNK_HEAD_BYTES_MAX 48u

/*
 * wyn_codec_decode - turns one frame's body into a message.
 *
 * Thread: any, one per arena. Owns: nothing; the message views the frame's
 * bytes and the arena. Returns: 0; -EBADMSG when it is malformed; -ENOMSG when
 * its body is none that we know (skip it if its optional flag is set);
 * -ENOBUFS when it does not fit the arena. On error *ret_reason is a stable
 * UPPER_CASE word for Error.reason (MALFORMED_FRAME, UNKNOWN_BODY,
 * FRAME_TOO_COMPLEX), and *ret_message, written or not, means nothing.
 */
WYN_NODISCARD
int wyn_codec_decode(const struct wyn_frame *frame, struct wyn_arena *arena,
	struct wyn_message *ret_message, const char **ret_reason);

/*
 * wyn_frame_encoded_bytes, wyn_frame_encode - any message by its generated
 * struct, header included.
 *
 * Thread: any. `out` has room for wyn_frame_encoded_bytes(). The encoder
 * returns the bytes written. flags: WYN_FRAME_FLAG_*.
 */
size_t wyn_frame_encoded_bytes(const Wyn__V1__Frame *frame);
size_t wyn_frame_encode(
	const Wyn__V1__Frame *frame, uint8_t flags, uint8_t *out);

/* What wyn_results_measure() found out of a frame's rows. */
struct wyn_results_sizes {
	size_t frame;	/* all of it, header included */
	size_t results; /* the message alone */
	size_t seqs;
	size_t codes; /* 0 = no such column */
	bool has_values;
};

/*
 * wyn_results_measure, wyn_results_encode - one Results frame of `n` rows,
 * columnar, header included.
 *
 * Thread: any. `out` has room for sizes->frame bytes; the encoder, which is
 * given the same rows, writes as many.
 */
void wyn_results_measure(const struct wyn_result *rows, size_t n,
	uint64_t quiet_done, struct wyn_results_sizes *ret_sizes);
void wyn_results_encode(const struct wyn_result *rows, size_t n,
	uint64_t quiet_done, const struct wyn_results_sizes *sizes,
	uint8_t *out);

/*
 * wyn_submit_encoded_bytes, wyn_submit_encode - one Submit frame, header
 * included.
 *
 * Thread: any. submit->args is not read: the arguments are args[0..n). With
 * submit->arg_sizes_count > 0 n is 0.
 */
size_t wyn_submit_encoded_bytes(const struct wyn_submit *submit,
	const struct wyn_slice *args, size_t n);
size_t wyn_submit_encode(const struct wyn_submit *submit,
	const struct wyn_slice *args, size_t n, uint8_t *out);

/*
 * wyn_chunk_head_encode - a Chunk frame up to its data, which the caller puts
 * behind it (data is the last field, so nothing follows).
 *
 * Thread: any. Returns: bytes written to `out`; the frame is these and
 * chunk->data.len bytes of data.
 */
size_t wyn_chunk_head_encode(
	const struct wyn_chunk *chunk, uint8_t out[WYN_CHUNK_HEAD_BYTES_MAX]);
