// SPDX-License-Identifier: MIT
/*
 * messages.h - made-up hot messages by seed, and deep comparison.
 *
 * For the tests and the fuzzer of proto/. A sample carries all the memory that
 * its message views, so it must not be moved once it is made.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prng.h"
#include "proto/message.h"

#define WYN_SAMPLE_TASKS_MAX 40
#define WYN_SAMPLE_BYTES     (8 << 10)
#define WYN_SAMPLE_WORDS_MAX 12

/* More than any sample takes when encoded, in whatever form. */
#define WYN_SAMPLE_FRAME_BYTES (64 << 10)

struct wyn_sample {
	struct wyn_message message;
	/* Submit: its arguments. Results: its rows. */
	struct wyn_slice args[WYN_SAMPLE_TASKS_MAX];
	struct wyn_result rows[WYN_SAMPLE_TASKS_MAX];
	size_t count;
	uint64_t sizes[WYN_SAMPLE_TASKS_MAX];
	struct wyn_detail details[WYN_SAMPLE_TASKS_MAX];
	struct wyn_usage usages[WYN_SAMPLE_TASKS_MAX];
	Wyn__V1__Command command;
	Wyn__V1__CommandLimits limits;
	ProtobufCBinaryData argv[WYN_SAMPLE_WORDS_MAX];
	ProtobufCBinaryData env[WYN_SAMPLE_WORDS_MAX];
	char run_as[32];
	uint8_t bytes[WYN_SAMPLE_BYTES];
	size_t used;
};

/*
 * wyn_sample_make - fills `sample` with a message of `kind` (a hot one).
 *
 * In message only what the encoders read is set; a Submit's args and a Results'
 * rows stand beside it.
 */
void wyn_sample_make(struct wyn_sample *sample, enum wyn_message_kind kind,
	struct wyn_prng *prng);

/*
 * wyn_sample_commands - makes it a sample of commands: a Submit runs one
 * instead of a function, and Results whose rows have details say how each
 * ended.
 *
 * The walker leaves such to unpack.h.
 */
void wyn_sample_commands(struct wyn_sample *sample, struct wyn_prng *prng);

/*
 * wyn_sample_encode - the hot encoders over a sample, whole frame.
 *
 * Returns: bytes written to `out` (WYN_SAMPLE_FRAME_BYTES).
 */
size_t wyn_sample_encode(const struct wyn_sample *sample, uint8_t *out);

/* wyn_sample_results - a Results frame of these rows. Returns: its bytes. */
size_t wyn_sample_results(const struct wyn_result *rows, size_t n,
	uint64_t quiet_done, uint8_t *out);

/*
 * wyn_message_equal - the same in each field, argument and row; for messages
 * that are not hot, the same bytes when packed.
 */
bool wyn_message_equal(
	const struct wyn_message *a, const struct wyn_message *b);
