// SPDX-License-Identifier: MIT
/*
 * walk.c - the walker over canonical Submit and Chunk.
 *
 * Each field is asked for once, in the order of its number, and taken if it
 * stands there. Fields out of order, repeated or unknown therefore leave bytes
 * over, which is the one test for them at the end.
 */
#include "proto/walk.h"

#include <errno.h>

#include "base/text.h"
#include "proto/field.h"
#include "proto/rules.h"
#include "proto/tags.h"

#define FRAME_SUBMIT  WYN_TAG_BYTES(WYN_MESSAGE_SUBMIT)
#define FRAME_RESULTS WYN_TAG_BYTES(WYN_MESSAGE_RESULTS)
#define FRAME_CHUNK   WYN_TAG_BYTES(WYN_MESSAGE_CHUNK)

/* A number over 31 bits is left to the strict way, which knows the signs. */
static bool take_enum(struct wyn_reader *in, uint8_t tag, uint8_t *ret_value)
{
	uint64_t number = 0;

	if (!wyn_field_take_u64(in, tag, &number) || number > INT32_MAX) {
		return false;
	}
	*ret_value = wyn_rules_enum_narrow((int64_t)number);
	return true;
}

static bool take_bool(struct wyn_reader *in, uint8_t tag, bool *ret_value)
{
	uint64_t number = 0;

	if (!wyn_field_take_u64(in, tag, &number)) {
		return false;
	}
	*ret_value = number != 0;
	return true;
}

static bool walk_options(
	struct wyn_slice bytes, struct wyn_submit_options *options)
{
	struct wyn_reader in = wyn_reader_of(bytes);

	return take_enum(&in, WYN_TAG_OPTIONS_PRIORITY, &options->priority) &&
	       wyn_field_take_u64(
		       &in, WYN_TAG_OPTIONS_TIMEOUT_MS, &options->timeout_ms) &&
	       wyn_field_take_u64(&in, WYN_TAG_OPTIONS_DEADLINE_MS,
		       &options->deadline_ms) &&
	       take_bool(&in, WYN_TAG_OPTIONS_STREAM, &options->stream) &&
	       take_enum(&in, WYN_TAG_OPTIONS_ON_DISCONNECT,
		       &options->on_disconnect) &&
	       take_bool(&in, WYN_TAG_OPTIONS_ACCEPT, &options->accept) &&
	       take_bool(&in, WYN_TAG_OPTIONS_QUIET, &options->quiet) &&
	       wyn_field_take_bytes(
		       &in, WYN_TAG_OPTIONS_LABEL, &options->label) &&
	       in.at == in.end && wyn_text_valid(options->label);
}

static bool walk_args(struct wyn_reader *in, struct wyn_args *args)
{
	const uint8_t *start = in->at;
	uint64_t count = 0;
	uint64_t bytes_total = 0;

	while (wyn_field_is_next(in, WYN_TAG_SUBMIT_ARGS)) {
		struct wyn_slice arg = {NULL, 0};

		if (!wyn_field_take_bytes(in, WYN_TAG_SUBMIT_ARGS, &arg)) {
			return false;
		}
		count++;
		bytes_total += arg.len;
	}
	if (count > 0) {
		args->region =
			(struct wyn_slice){start, (size_t)(in->at - start)};
		args->count = count;
		args->bytes_total = bytes_total;
	}
	return true;
}

/* Each varint ends in one byte below 0x80. */
static size_t varints_count(struct wyn_slice packed)
{
	size_t count = 0;

	for (size_t i = 0; i < packed.len; i++) {
		count += packed.data[i] < 0x80;
	}
	return count;
}

/* Returns: 0; -EINVAL; -ENOBUFS. */
static int walk_arg_sizes(struct wyn_slice packed, struct wyn_arena *arena,
	struct wyn_submit *submit)
{
	struct wyn_reader in = wyn_reader_of(packed);
	size_t count = varints_count(packed);
	uint64_t *sizes;

	if (packed.len == 0) {
		return 0;
	}
	sizes = wyn_arena_alloc(arena, count * sizeof(*sizes));
	if (sizes == NULL) {
		return -ENOBUFS;
	}
	for (size_t i = 0; i < count; i++) {
		if (!wyn_varint_read_minimal(&in, &sizes[i])) {
			return -EINVAL;
		}
	}
	if (in.at != in.end) {
		return -EINVAL;
	}
	submit->arg_sizes = sizes;
	submit->arg_sizes_count = count;
	return 0;
}

/* Field by field, in place: zeroing and copying the whole would take as long as
 * reading a Submit of one task. */
static void submit_clear(struct wyn_submit *submit)
{
	struct wyn_submit_options *options = &submit->options;

	submit->first_seq = 0;
	submit->function = (struct wyn_slice){NULL, 0};
	options->timeout_ms = 0;
	options->deadline_ms = 0;
	options->priority = 0;
	options->on_disconnect = 0;
	options->stream = false;
	options->accept = false;
	options->quiet = false;
	options->label = (struct wyn_slice){NULL, 0};
	submit->args.region = (struct wyn_slice){NULL, 0};
	submit->args.count = 0;
	submit->args.bytes_total = 0;
	submit->arg_sizes = NULL;
	submit->arg_sizes_count = 0;
	submit->command = NULL;
}

static int walk_submit(struct wyn_slice bytes, struct wyn_arena *arena,
	struct wyn_submit *submit)
{
	struct wyn_reader in = wyn_reader_of(bytes);
	struct wyn_slice options = {NULL, 0};
	struct wyn_slice arg_sizes = {NULL, 0};
	int err;

	submit_clear(submit);
	if (!wyn_field_take_u64(
		    &in, WYN_TAG_SUBMIT_FIRST_SEQ, &submit->first_seq) ||
		!wyn_field_take_bytes(
			&in, WYN_TAG_SUBMIT_FUNCTION, &submit->function) ||
		!wyn_field_take_bytes(&in, WYN_TAG_SUBMIT_OPTIONS, &options) ||
		!walk_args(&in, &submit->args) ||
		!wyn_field_take_bytes(
			&in, WYN_TAG_SUBMIT_ARG_SIZES, &arg_sizes) ||
		in.at != in.end) {
		return -EINVAL;
	}
	if (!wyn_text_valid(submit->function) ||
		(options.len > 0 && !walk_options(options, &submit->options))) {
		return -EINVAL;
	}
	wyn_rules_options_default(&submit->options);
	err = walk_arg_sizes(arg_sizes, arena, submit);
	return err != 0 ? err : wyn_rules_submit_check(submit);
}

static int walk_chunk(struct wyn_slice bytes, struct wyn_chunk *ret_chunk)
{
	struct wyn_reader in = wyn_reader_of(bytes);
	struct wyn_chunk chunk = {0};

	if (!wyn_field_take_u64(&in, WYN_TAG_CHUNK_SEQ, &chunk.seq) ||
		!take_enum(&in, WYN_TAG_CHUNK_STREAM, &chunk.stream) ||
		!wyn_field_take_u64(&in, WYN_TAG_CHUNK_OFFSET, &chunk.offset) ||
		!take_bool(&in, WYN_TAG_CHUNK_EOF, &chunk.eof) ||
		!wyn_field_take_bytes(&in, WYN_TAG_CHUNK_DATA, &chunk.data) ||
		in.at != in.end) {
		return -EINVAL;
	}
	*ret_chunk = chunk;
	return 0;
}

int wyn_walk_message(struct wyn_slice body, struct wyn_arena *arena,
	struct wyn_message *ret_message)
{
	struct wyn_reader in = wyn_reader_of(body);
	struct wyn_slice inner = {NULL, 0};
	uint8_t tag;
	int err;

	if (body.len == 0) {
		return -EINVAL;
	}
	tag = body.data[0];
	if (tag > FRAME_CHUNK || !wyn_field_take_bytes(&in, tag, &inner) ||
		in.at != in.end) {
		return -EINVAL;
	}
	switch (tag) {
	case FRAME_SUBMIT:
		err = walk_submit(inner, arena, &ret_message->submit);
		break;
	case FRAME_RESULTS:
		err = wyn_walk_results(inner, arena, &ret_message->results);
		break;
	case FRAME_CHUNK:
		err = walk_chunk(inner, &ret_message->chunk);
		break;
	default:
		return -EINVAL;
	}
	if (err) {
		return err;
	}
	ret_message->kind = (enum wyn_message_kind)(tag >> 3);
	return 0;
}
