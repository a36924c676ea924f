// SPDX-License-Identifier: MIT
/*
 * unpack.c - protobuf-c over the arena, and its structs turned into views.
 *
 * protobuf-c copies each argument into memory of its own; they are packed into
 * one region again, because whoever keeps a batch keeps it as a region. That
 * costs two copies on a path that only unusual encoders take.
 */
#include "proto/unpack.h"

#include <errno.h>

#include "proto/field.h"
#include "proto/rules.h"
#include "proto/tags.h"
#include "proto/validate.h"

static void *arena_alloc(void *arena, size_t bytes)
{
	return wyn_arena_alloc(arena, bytes);
}

/* protobuf-c frees what it has built when the arena is out. */
static void arena_free(void *arena, void *memory)
{
	(void)arena;
	(void)memory;
}

static struct wyn_slice slice_of_bytes(const ProtobufCBinaryData *bytes)
{
	return (struct wyn_slice){bytes->data, bytes->len};
}

/* Packs `n` elements as fields `tag`. Returns: 0; -ENOBUFS. */
static int elements_pack(const ProtobufCBinaryData *elements, size_t n,
	uint8_t tag, struct wyn_arena *arena, struct wyn_slice *ret_region)
{
	size_t bytes = 0;
	uint8_t *region;
	uint8_t *out;

	for (size_t i = 0; i < n; i++) {
		bytes += wyn_field_len_bytes(elements[i].len);
	}
	region = wyn_arena_alloc(arena, bytes);
	if (region == NULL) {
		return -ENOBUFS;
	}
	out = region;
	for (size_t i = 0; i < n; i++) {
		out = wyn_field_put_element(
			out, tag, slice_of_bytes(&elements[i]));
	}
	*ret_region = (struct wyn_slice){region, bytes};
	return 0;
}

/* Number i of a column whose elements are of `width` bytes, 4 or 8. */
static uint64_t column_get(const void *column, size_t width, size_t i)
{
	return width == sizeof(uint64_t) ? ((const uint64_t *)column)[i]
					 : ((const uint32_t *)column)[i];
}

/* Packs `n` numbers as shortest varints. Returns: 0; -ENOBUFS. */
static int column_pack(const void *column, size_t width, size_t n,
	struct wyn_arena *arena, struct wyn_slice *ret_packed)
{
	size_t bytes = 0;
	uint8_t *packed;
	uint8_t *out;

	for (size_t i = 0; i < n; i++) {
		bytes += wyn_varint_bytes(column_get(column, width, i));
	}
	packed = wyn_arena_alloc(arena, bytes);
	if (packed == NULL) {
		return -ENOBUFS;
	}
	out = packed;
	for (size_t i = 0; i < n; i++) {
		out = wyn_varint_put(out, column_get(column, width, i));
	}
	*ret_packed = (struct wyn_slice){packed, bytes};
	return 0;
}

static void options_view(
	const Wyn__V1__Options *from, struct wyn_submit_options *options)
{
	if (from != NULL) {
		*options = (struct wyn_submit_options){
			.timeout_ms = from->timeout_ms,
			.deadline_ms = from->deadline_ms,
			.priority =
				wyn_rules_enum_narrow((int32_t)from->priority),
			.on_disconnect = wyn_rules_enum_narrow(
				(int32_t)from->on_disconnect),
			.stream = from->stream,
			.accept = from->accept,
			.quiet = from->quiet,
			.label = wyn_slice_of(from->label),
		};
	}
	wyn_rules_options_default(options);
}

static int submit_view(const Wyn__V1__Submit *from, struct wyn_arena *arena,
	struct wyn_submit *ret_submit)
{
	struct wyn_submit submit = {
		.first_seq = from->first_seq,
		.function = wyn_slice_of(from->function),
		.arg_sizes = from->arg_sizes,
		.arg_sizes_count = from->n_arg_sizes,
		.command = from->command,
	};
	int err;

	options_view(from->options, &submit.options);
	submit.args.count = from->n_args;
	for (size_t i = 0; i < from->n_args; i++) {
		submit.args.bytes_total += from->args[i].len;
	}
	err = wyn_rules_submit_check(&submit);
	if (err) {
		return err;
	}
	if (from->n_args > 0) {
		err = elements_pack(from->args, from->n_args,
			WYN_TAG_SUBMIT_ARGS, arena, &submit.args.region);
		if (err) {
			return err;
		}
	}
	*ret_submit = submit;
	return 0;
}

/* Returns: false when there is no memory for it. */
static bool usage_view(const Wyn__V1__Usage *from, struct wyn_arena *arena,
	const struct wyn_usage **ret_usage)
{
	struct wyn_usage *usage;

	if (from == NULL) {
		return true;
	}
	usage = wyn_arena_alloc(arena, sizeof(*usage));
	if (usage == NULL) {
		return false;
	}
	*usage = (struct wyn_usage){
		.wall_ns = from->wall_ns,
		.user_ns = from->user_ns,
		.system_ns = from->system_ns,
		.peak_rss_bytes = from->peak_rss_bytes,
		.output_bytes = from->output_bytes,
		.error_bytes = from->error_bytes,
	};
	*ret_usage = usage;
	return true;
}

static int details_view(const Wyn__V1__Results *from, struct wyn_arena *arena,
	struct wyn_results *results)
{
	size_t n = from->n_details;
	struct wyn_detail *details;
	uint32_t *rows;

	if (n == 0) {
		return 0;
	}
	details = wyn_arena_alloc(arena, n * sizeof(*details));
	rows = wyn_arena_alloc(arena, n * sizeof(*rows));
	if (details == NULL || rows == NULL) {
		return -ENOBUFS;
	}
	for (size_t i = 0; i < n; i++) {
		const Wyn__V1__Detail *detail = from->details[i];

		rows[i] = detail->index;
		details[i] = (struct wyn_detail){
			.message = wyn_slice_of(detail->message),
			.reason = wyn_slice_of(detail->reason),
			.retry_after_ms = detail->retry_after_ms,
			.ran = wyn_rules_enum_narrow((int32_t)detail->ran),
			.exit_status = detail->exit_status,
			.signal = detail->signal,
		};
		if (!usage_view(detail->usage, arena, &details[i].usage)) {
			return -ENOBUFS;
		}
	}
	results->details = details;
	results->detail_rows = rows;
	results->detail_count = n;
	return 0;
}

static int results_view(const Wyn__V1__Results *from, struct wyn_arena *arena,
	struct wyn_results *ret_results)
{
	struct wyn_results results = {
		.count = from->n_seq,
		.has_codes = from->n_code > 0,
		.has_values = from->n_value > 0,
		.quiet_done = from->quiet_done,
	};
	int err = details_view(from, arena, &results);

	if (!err) {
		err = wyn_rules_results_check(
			&results, from->n_code, from->n_value);
	}
	if (!err) {
		err = column_pack(from->seq, sizeof(*from->seq), from->n_seq,
			arena, &results.seqs);
	}
	if (!err) {
		err = column_pack(from->code, sizeof(*from->code), from->n_code,
			arena, &results.codes);
	}
	if (!err) {
		err = elements_pack(from->value, from->n_value,
			WYN_TAG_RESULTS_VALUE, arena, &results.values);
	}
	if (err) {
		return err;
	}
	*ret_results = results;
	return 0;
}

static void chunk_view(const Wyn__V1__Chunk *from, struct wyn_chunk *ret_chunk)
{
	*ret_chunk = (struct wyn_chunk){
		.seq = from->seq,
		.offset = from->offset,
		.stream = wyn_rules_enum_narrow((int32_t)from->stream),
		.eof = from->eof,
		.data = slice_of_bytes(&from->data),
	};
}

int wyn_unpack_any(const ProtobufCMessageDescriptor *type,
	struct wyn_slice bytes, struct wyn_arena *arena,
	ProtobufCMessage **ret_message)
{
	ProtobufCAllocator allocator = {arena_alloc, arena_free, arena};
	int err = wyn_validate_message(type, bytes);

	if (err) {
		return err;
	}
	*ret_message = protobuf_c_message_unpack(
		type, &allocator, bytes.len, bytes.data);
	if (*ret_message == NULL) {
		return arena->exhausted ? -ENOBUFS : -EBADMSG;
	}
	return 0;
}

int wyn_unpack_message(struct wyn_slice body, struct wyn_arena *arena,
	struct wyn_message *ret_message)
{
	ProtobufCAllocator allocator = {arena_alloc, arena_free, arena};
	Wyn__V1__Frame *frame;
	int err = wyn_validate_frame(body);

	if (err) {
		return err;
	}
	frame = wyn__v1__frame__unpack(&allocator, body.len, body.data);
	if (frame == NULL) {
		return arena->exhausted ? -ENOBUFS : -EBADMSG;
	}
	switch (frame->body_case) {
	case WYN__V1__FRAME__BODY_SUBMIT:
		err = submit_view(frame->submit, arena, &ret_message->submit);
		break;
	case WYN__V1__FRAME__BODY_RESULTS:
		err = results_view(
			frame->results, arena, &ret_message->results);
		break;
	case WYN__V1__FRAME__BODY_CHUNK:
		chunk_view(frame->chunk, &ret_message->chunk);
		break;
	default:
		ret_message->frame = frame;
		break;
	}
	if (err) {
		return err;
	}
	/* The two enums hold the tags of the same schema. */
	ret_message->kind = (enum wyn_message_kind)frame->body_case;
	return 0;
}
