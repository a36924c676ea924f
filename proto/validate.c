// SPDX-License-Identifier: MIT
/*
 * validate.c - a walk over raw bytes along protobuf-c's descriptors.
 *
 * It keeps a stack of its own instead of recursing. The depth is that of the
 * schema, which has no cycle, so no peer can make it deeper: unknown fields are
 * skipped whole. The types of field that our schema uses are handled; adding a
 * field of another type to it trips an assertion in the first test that sends
 * one.
 */
#include "proto/validate.h"

#include <errno.h>

#include "base/assert.h"
#include "base/text.h"
#include "proto/varint.h"
#include "proto/wyn.pb-c.h"

/* Frame, Reply, FunctionsReply, Function is the deepest, and two to spare. */
#define DEPTH_MAX 6u

/* More than any message of the schema has (asserted). */
#define FIELDS_MAX 64u

#define TAG_BYTES_MAX	 5u
#define LENGTH_BYTES_MAX 5u

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_FIXED64 = 1,
	WIRE_BYTES = 2,
	WIRE_FIXED32 = 5,
};

struct level {
	const ProtobufCMessageDescriptor *type;
	const uint8_t *end;
	uint64_t seen; /* bit i: the singular field type->fields[i] was there */
};

struct walk {
	struct wyn_reader in;
	struct level levels[DEPTH_MAX];
	size_t depth;
};

static void level_push(struct walk *walk,
	const ProtobufCMessageDescriptor *type, const uint8_t *end)
{
	wyn_assert(walk->depth < DEPTH_MAX);
	wyn_assert(type->n_fields <= FIELDS_MAX);
	walk->levels[walk->depth++] = (struct level){.type = type, .end = end};
	walk->in.end = end;
}

/* Returns: false when nothing is left of the outermost message either. */
static bool level_pop_ended(struct walk *walk)
{
	while (walk->in.at == walk->levels[walk->depth - 1].end) {
		/* The outermost stays for its `seen`. */
		if (walk->depth == 1) {
			return false;
		}
		walk->depth--;
	}
	walk->in.end = walk->levels[walk->depth - 1].end;
	return true;
}

static bool tag_read(
	struct wyn_reader *in, uint32_t *ret_number, uint32_t *ret_wire)
{
	uint64_t tag;
	size_t n = wyn_varint_read(in, &tag);

	if (n == 0 || n > TAG_BYTES_MAX || tag > UINT32_MAX || tag >> 3 == 0) {
		return false;
	}
	*ret_number = (uint32_t)(tag >> 3);
	*ret_wire = tag & 7;
	return true;
}

static bool bytes_read(struct wyn_reader *in, struct wyn_slice *ret_bytes)
{
	uint64_t len;
	size_t n = wyn_varint_read(in, &len);

	return n > 0 && n <= LENGTH_BYTES_MAX &&
	       wyn_reader_take(in, len, ret_bytes);
}

static bool unknown_skip(struct wyn_reader *in, uint32_t wire)
{
	struct wyn_slice bytes;
	uint64_t value;

	switch (wire) {
	case WIRE_VARINT:
		return wyn_varint_read(in, &value) > 0;
	case WIRE_FIXED64:
		return wyn_reader_take(in, 8, &bytes);
	case WIRE_BYTES:
		return bytes_read(in, &bytes);
	case WIRE_FIXED32:
		return wyn_reader_take(in, 4, &bytes);
	default:
		return false;
	}
}

static bool scalar_check(
	struct wyn_reader *in, const ProtobufCFieldDescriptor *field)
{
	uint64_t value;

	if (wyn_varint_read(in, &value) == 0) {
		return false;
	}
	switch (field->type) {
	case PROTOBUF_C_TYPE_UINT32:
		return value <= UINT32_MAX;
	case PROTOBUF_C_TYPE_ENUM:
		/* Negative ones come with their sign on all 64 bits. */
		return value <= INT32_MAX || value >= (uint64_t)INT32_MIN;
	default:
		return true;
	}
}

static bool packed_check(
	struct wyn_slice bytes, const ProtobufCFieldDescriptor *field)
{
	struct wyn_reader in = wyn_reader_of(bytes);

	while (in.at < in.end) {
		if (!scalar_check(&in, field)) {
			return false;
		}
	}
	return true;
}

static bool type_is_scalar(ProtobufCType type)
{
	return type == PROTOBUF_C_TYPE_UINT32 ||
	       type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_BOOL ||
	       type == PROTOBUF_C_TYPE_ENUM;
}

/* Members of one oneof share the place of their case, and nothing else has a
 * place in common. */
static bool oneof_is_taken(
	const struct level *level, const ProtobufCFieldDescriptor *field)
{
	for (unsigned i = 0; i < level->type->n_fields; i++) {
		const ProtobufCFieldDescriptor *other = &level->type->fields[i];

		if ((level->seen >> i & 1) &&
			(other->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
			other->quantifier_offset == field->quantifier_offset) {
			return true;
		}
	}
	return false;
}

static bool singular_mark(
	struct level *level, const ProtobufCFieldDescriptor *field)
{
	uint64_t bit = UINT64_C(1) << (field - level->type->fields);

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		return true;
	}
	if (level->seen & bit) {
		return false;
	}
	if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) &&
		oneof_is_taken(level, field)) {
		return false;
	}
	level->seen |= bit;
	return true;
}

static bool known_check(
	struct walk *walk, const ProtobufCFieldDescriptor *field, uint32_t wire)
{
	bool scalar = type_is_scalar(field->type);
	struct wyn_slice bytes;

	if (scalar && wire == WIRE_VARINT) {
		return scalar_check(&walk->in, field);
	}
	if (wire != WIRE_BYTES || !bytes_read(&walk->in, &bytes)) {
		return false;
	}
	if (scalar) {
		return field->label == PROTOBUF_C_LABEL_REPEATED &&
		       packed_check(bytes, field);
	}
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
		return wyn_text_valid(bytes);
	case PROTOBUF_C_TYPE_MESSAGE:
		/* Its bytes come next, as a level of their own. */
		walk->in.at = bytes.data;
		level_push(walk, field->descriptor, bytes.data + bytes.len);
		return true;
	default:
		wyn_assert(field->type == PROTOBUF_C_TYPE_BYTES);
		return true;
	}
}

static bool field_check(struct walk *walk)
{
	struct level *level = &walk->levels[walk->depth - 1];
	const ProtobufCFieldDescriptor *field;
	uint32_t number;
	uint32_t wire;

	if (!tag_read(&walk->in, &number, &wire)) {
		return false;
	}
	field = protobuf_c_message_descriptor_get_field(level->type, number);
	if (field == NULL) {
		return unknown_skip(&walk->in, wire);
	}
	return singular_mark(level, field) && known_check(walk, field, wire);
}

/* Returns: which fields the outermost had; false: it is malformed. */
static bool message_check(const ProtobufCMessageDescriptor *type,
	struct wyn_slice bytes, uint64_t *ret_seen)
{
	struct walk walk = {.in = wyn_reader_of(bytes)};

	level_push(&walk, type, walk.in.end);
	while (level_pop_ended(&walk)) {
		if (!field_check(&walk)) {
			return false;
		}
	}
	*ret_seen = walk.levels[0].seen;
	return true;
}

int wyn_validate_frame(struct wyn_slice body)
{
	uint64_t seen;

	if (!message_check(&wyn__v1__frame__descriptor, body, &seen)) {
		return -EBADMSG;
	}
	/* All fields of a Frame are bodies. */
	return seen != 0 ? 0 : -ENOMSG;
}

int wyn_validate_message(
	const ProtobufCMessageDescriptor *type, struct wyn_slice bytes)
{
	uint64_t seen;

	return message_check(type, bytes, &seen) ? 0 : -EBADMSG;
}
