// SPDX-License-Identifier: MIT
/*
 * script.h - the server's side of the wire, for tests of the client.
 *
 * Puts frames that a server would send into a buffer, and reads what a client
 * has sent frame by frame. No sockets, no threads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "proto/codec.h"

#define WYN_SCRIPT_BYTES (4u << 20)

/* Frames on their way to the client. All zero bytes are an empty script. */
struct wyn_script {
	size_t len;
	uint8_t data[WYN_SCRIPT_BYTES];
};

/* What Welcome says. */
struct wyn_script_limits {
	uint64_t max_frame;
	uint64_t max_batch;
	uint64_t max_argument;
	uint64_t max_value;
	uint64_t tasks;
	uint64_t argument_bytes;
};

#define WYN_SCRIPT_LIMITS                                          \
	{                                                          \
		.max_frame = 1u << 20, .max_batch = 65536,         \
		.max_argument = 64u << 20, .max_value = 64u << 20, \
		.tasks = 1000, .argument_bytes = 64u << 20         \
	}

void script_frame(
	struct wyn_script *script, const Wyn__V1__Frame *frame, uint8_t flags);
void script_welcome(
	struct wyn_script *script, const struct wyn_script_limits *limits);
void script_rows(struct wyn_script *script, const struct wyn_result *rows,
	size_t n, uint64_t quiet_done);
/* One row that ended OK. */
void script_value(struct wyn_script *script, uint64_t seq, const char *value);
/* One row that failed. */
void script_failure(struct wyn_script *script, uint64_t seq, uint32_t code,
	const char *reason, const char *message);
void script_chunk(struct wyn_script *script, uint64_t seq, uint8_t stream,
	uint64_t offset, struct wyn_slice data, bool eof);
void script_credit(
	struct wyn_script *script, uint64_t tasks, uint64_t argument_bytes);
void script_go_away(struct wyn_script *script, uint64_t last_seq);
void script_error(
	struct wyn_script *script, const char *reason, const char *message);
void script_ping(struct wyn_script *script, uint64_t token);
void script_pong(struct wyn_script *script, uint64_t token);

/* Reads what a client sent. */
struct wyn_script_reader {
	struct wyn_slice left; /* the caller's bytes */
	struct wyn_arena arena;
	_Alignas(16) uint8_t memory[256u << 10];
};

/*
 * script_read - begins to read; takes the preface off if `preface`.
 *
 * Aborts the program when the preface is wrong. The bytes are borrowed.
 */
void script_read(
	struct wyn_script_reader *reader, struct wyn_slice bytes, bool preface);

/*
 * script_next - the next message. Valid until the next one.
 *
 * Returns: false when no whole frame is left. Aborts on a malformed one.
 */
bool script_next(
	struct wyn_script_reader *reader, struct wyn_message *ret_message);
