// SPDX-License-Identifier: MIT
/*
 * message.h - decoded messages.
 *
 * The three that carry tasks' bytes (Submit, Results, Chunk) have forms of
 * their own whose bytes are views into the frame; all others are the generated
 * structs, in the arena. Everything lives as long as the frame's bytes and the
 * arena: who keeps something copies it. Only proto/ calls protobuf-c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "proto/wyn.pb-c.h"

/* The tags of Frame's bodies. */
enum wyn_message_kind {
	WYN_MESSAGE_SUBMIT = 1,
	WYN_MESSAGE_RESULTS = 2,
	WYN_MESSAGE_CHUNK = 3,
	WYN_MESSAGE_CREDIT = 4,
	WYN_MESSAGE_ACCEPTED = 5,
	WYN_MESSAGE_CANCEL = 6,
	WYN_MESSAGE_CALL = 7,
	WYN_MESSAGE_REPLY = 8,
	WYN_MESSAGE_HELLO = 9,
	WYN_MESSAGE_WELCOME = 10,
	WYN_MESSAGE_PING = 11,
	WYN_MESSAGE_PONG = 12,
	WYN_MESSAGE_FINISH = 13,
	WYN_MESSAGE_GO_AWAY = 14,
	WYN_MESSAGE_ERROR = 15,
	WYN_MESSAGE_SIGNAL = 16,
};

/* The longest that stands before an argument in a region: tag and length. */
#define WYN_ARGS_HEAD_BYTES_MAX 11u

/*
 * Arguments as they stand in a Submit: field after field, so that a batch is
 * kept by copying `region` once and read by a cursor. A copy of this struct
 * over a copy of the bytes is a cursor of its own.
 */
struct wyn_args {
	struct wyn_slice region;
	uint64_t count;	      /* left in the region */
	uint64_t bytes_total; /* of them alone, as credit counts them */
};

struct wyn_submit_options {
	uint64_t timeout_ms;  /* 0 = none */
	uint64_t deadline_ms; /* 0 = none */
	uint8_t priority; /* Wyn__V1__Priority; UNSPECIFIED becomes NORMAL */
	uint8_t on_disconnect; /* UNSPECIFIED becomes CANCEL */
	bool stream;
	bool accept;
	bool quiet;
	struct wyn_slice label; /* empty = none */
};

struct wyn_submit {
	uint64_t first_seq;
	struct wyn_slice function;
	struct wyn_submit_options options;
	struct wyn_args args;
	const uint64_t *arg_sizes; /* in the arena */
	size_t arg_sizes_count;
	const Wyn__V1__Command *command; /* in the arena; NULL = none */
};

/* What a command took. */
struct wyn_usage {
	uint64_t wall_ns;
	uint64_t user_ns;
	uint64_t system_ns;
	uint64_t peak_rss_bytes;
	uint64_t output_bytes;
	uint64_t error_bytes;
};

struct wyn_detail {
	struct wyn_slice message;
	struct wyn_slice reason;
	uint64_t retry_after_ms;
	uint8_t ran; /* Wyn__V1__Ran */
	uint32_t exit_status;
	uint32_t signal;	       /* 0 = none */
	const struct wyn_usage *usage; /* NULL = none */
};

/* One row of Results. */
struct wyn_result {
	uint64_t seq;
	uint32_t code; /* enum wyn_status */
	struct wyn_slice value;
	const struct wyn_detail *detail; /* NULL = none */
};

/* Rows of a decoded Results, read by wyn_results_next(). */
struct wyn_results {
	size_t count;	    /* rows left */
	size_t row;	    /* the next one's index */
	bool in_row;	    /* each seq is one more than the one before it */
	uint64_t first_seq; /* in_row: of row 0; seqs is not read then */
	struct wyn_slice seqs;
	struct wyn_slice codes;
	struct wyn_slice values;
	bool has_codes;
	bool has_values;
	const struct wyn_detail *details; /* in the arena, by ascending row */
	const uint32_t *detail_rows;
	size_t detail_count;
	uint64_t quiet_done;
};

struct wyn_chunk {
	uint64_t seq;
	uint64_t offset;
	uint8_t stream; /* Wyn__V1__Stream */
	bool eof;
	struct wyn_slice data;
};

struct wyn_message {
	enum wyn_message_kind kind;
	union {
		struct wyn_submit submit;
		struct wyn_results results;
		struct wyn_chunk chunk;
		const Wyn__V1__Frame *frame; /* every other kind */
	};
};

/*
 * wyn_args_next - takes the next argument off the region.
 *
 * Thread: any, one per cursor. The region comes from wyn_codec_decode(), which
 * checked it. Returns: false when none is left; *ret_arg is a view into the
 * region.
 */
bool wyn_args_next(struct wyn_args *args, struct wyn_slice *ret_arg);

/*
 * wyn_args_head_put - begins a region by hand: what stands before an argument
 * of `len` bytes, which the caller puts behind it.
 *
 * Thread: any. Returns: the bytes written to `out`.
 */
size_t wyn_args_head_put(uint8_t out[WYN_ARGS_HEAD_BYTES_MAX], uint64_t len);

/*
 * wyn_results_next - takes the next row.
 *
 * Thread: any, one per cursor. Returns: false when none is left.
 */
bool wyn_results_next(struct wyn_results *results, struct wyn_result *ret_row);

/*
 * wyn_message_text - a string for a field of a message that is to be encoded.
 *
 * The generated structs hold `char *` for what decoding allocates; encoding
 * only reads it. Thread: any. Owns: borrows the string until then.
 */
static inline char *wyn_message_text(const char *text)
{
	return (char *)(uintptr_t)text;
}
