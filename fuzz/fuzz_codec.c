// SPDX-License-Identifier: MIT
/*
 * fuzz_codec.c - the two ways of decoding must agree, and encoding must undo
 * what decoding did.
 *
 * The input is a frame's body. Where the walker has an opinion, the strict way
 * has the same one and the same fields; what either accepts is encoded again
 * and decodes to the same message, for hot messages through the walker.
 */
#include "proto/codec.h"

#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"
#include "proto/unpack.h"
#include "proto/walk.h"
#include "tests/support/messages.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Room for an input of libFuzzer's usual 4 KiB with all its structs. */
#define ARENA_BYTES (2u << 20)

static _Alignas(16) uint8_t walk_memory[ARENA_BYTES];
static _Alignas(16) uint8_t unpack_memory[ARENA_BYTES];
static _Alignas(16) uint8_t again_memory[ARENA_BYTES];

static void *array_make(size_t n, size_t bytes)
{
	void *array = calloc(n > 0 ? n : 1, bytes);

	wyn_assert(array != NULL);
	return array;
}

static struct wyn_slice submit_encode(const struct wyn_submit *submit)
{
	struct wyn_args cursor = submit->args;
	struct wyn_slice *args = array_make(cursor.count, sizeof(*args));
	size_t n = 0;
	size_t bytes;
	uint8_t *out;

	while (wyn_args_next(&cursor, &args[n])) {
		n++;
	}
	bytes = wyn_submit_encoded_bytes(submit, args, n);
	out = array_make(bytes, 1);
	wyn_assert(wyn_submit_encode(submit, args, n, out) == bytes);
	free(args);
	return (struct wyn_slice){out, bytes};
}

static struct wyn_slice results_encode(const struct wyn_results *results)
{
	struct wyn_results cursor = *results;
	struct wyn_result *rows = array_make(cursor.count, sizeof(*rows));
	size_t n = 0;
	struct wyn_results_sizes sizes;
	uint8_t *out;

	while (wyn_results_next(&cursor, &rows[n])) {
		n++;
	}
	wyn_results_measure(rows, n, results->quiet_done, &sizes);
	out = array_make(sizes.frame, 1);
	wyn_results_encode(rows, n, results->quiet_done, &sizes, out);
	free(rows);
	return (struct wyn_slice){out, sizes.frame};
}

static struct wyn_slice chunk_encode(const struct wyn_chunk *chunk)
{
	uint8_t head[WYN_CHUNK_HEAD_BYTES_MAX];
	size_t head_bytes = wyn_chunk_head_encode(chunk, head);
	uint8_t *out = array_make(head_bytes + chunk->data.len, 1);

	memcpy(out, head, head_bytes);
	if (chunk->data.len > 0) {
		memcpy(out + head_bytes, chunk->data.data, chunk->data.len);
	}
	return (struct wyn_slice){out, head_bytes + chunk->data.len};
}

static struct wyn_slice frame_encode(const Wyn__V1__Frame *frame)
{
	size_t bytes = wyn_frame_encoded_bytes(frame);
	uint8_t *out = array_make(bytes, 1);

	wyn_assert(wyn_frame_encode(frame, 0, out) == bytes);
	return (struct wyn_slice){out, bytes};
}

static struct wyn_slice message_encode(const struct wyn_message *message)
{
	switch (message->kind) {
	case WYN_MESSAGE_SUBMIT:
		return submit_encode(&message->submit);
	case WYN_MESSAGE_RESULTS:
		return results_encode(&message->results);
	case WYN_MESSAGE_CHUNK:
		return chunk_encode(&message->chunk);
	default:
		return frame_encode(message->frame);
	}
}

/* What takes a process is left to the strict way. */
static bool is_of_commands(const struct wyn_message *message)
{
	struct wyn_results rows;
	struct wyn_result row;

	if (message->kind == WYN_MESSAGE_SUBMIT) {
		return message->submit.command != NULL;
	}
	if (message->kind != WYN_MESSAGE_RESULTS) {
		return false;
	}
	rows = message->results;
	while (wyn_results_next(&rows, &row)) {
		if (row.detail != NULL &&
			(row.detail->usage != NULL ||
				row.detail->exit_status != 0 ||
				row.detail->signal != 0)) {
			return true;
		}
	}
	return false;
}

/* Encoded and decoded again it is what it was. */
static void message_turn_round(const struct wyn_message *message)
{
	struct wyn_slice bytes = message_encode(message);
	struct wyn_message again;
	struct wyn_arena arena;
	struct wyn_frame frame;
	size_t frame_bytes = 0;
	const char *reason;

	wyn_arena_init(&arena, again_memory, sizeof(again_memory));
	wyn_assert(wyn_frame_next(bytes, bytes.len, &frame, &frame_bytes) ==
		   WYN_FRAME_READY);
	wyn_assert(frame_bytes == bytes.len);
	if (message->kind <= WYN_MESSAGE_CHUNK && !is_of_commands(message)) {
		/* What our encoders write is for the walker. */
		wyn_assert(wyn_walk_message(frame.body, &arena, &again) == 0);
	} else {
		wyn_assert(
			wyn_codec_decode(&frame, &arena, &again, &reason) == 0);
	}
	wyn_assert(wyn_message_equal(message, &again));
	free((uint8_t *)bytes.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wyn_slice body = {data, size};
	struct wyn_message walked;
	struct wyn_message unpacked;
	struct wyn_arena walk_arena;
	struct wyn_arena unpack_arena;
	int walk_err;
	int unpack_err;

	wyn_arena_init(&walk_arena, walk_memory, sizeof(walk_memory));
	wyn_arena_init(&unpack_arena, unpack_memory, sizeof(unpack_memory));
	walk_err = wyn_walk_message(body, &walk_arena, &walked);
	unpack_err = wyn_unpack_message(body, &unpack_arena, &unpacked);
	if (walk_err == -ENOBUFS || unpack_err == -ENOBUFS) {
		return 0;
	}
	if (walk_err != -EINVAL) {
		wyn_assert(walk_err == unpack_err);
	}
	if (walk_err == 0) {
		wyn_assert(wyn_message_equal(&walked, &unpacked));
		message_turn_round(&walked);
	}
	if (unpack_err == 0) {
		message_turn_round(&unpacked);
	}
	return 0;
}
