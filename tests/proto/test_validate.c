// SPDX-License-Identifier: MIT
/*
 * test_validate.c - one row per way of being malformed, or just strange.
 */
#include "proto/validate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "proto/wyn.pb-c.h"
#include "tests/support/bytes.h"

struct row {
	const char *what;
	struct wyn_slice bytes;
	int expected;
};

static void run(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int err = wyn_validate_frame(rows[i].bytes);

		if (err != rows[i].expected) {
			fail_msg("%s: %d, not %d", rows[i].what, err,
				rows[i].expected);
		}
	}
}

static void validate_takes_one_body_when_well_formed(void **state)
{
	static const struct row rows[] = {
		{"empty Ping", BYTES("\x5a\x00"), 0},
		{"Ping", BYTES("\x5a\x02\x08\x07"), 0},
		{"unknown field before the body", BYTES("\xf8\x01\x05\x5a\x00"),
			0},
		{"unknown field after the body",
			BYTES("\x5a\x00\xfa\x01\x02zz"), 0},
		{"unknown fixed64 in the body",
			BYTES("\x5a\x09\x79"
			      "12345678"),
			0},
		{"unknown fixed32 in the body",
			BYTES("\x5a\x05\x7d"
			      "1234"),
			0},
		{"tag and length longer than needed",
			BYTES("\xda\x80\x00\x82\x80\x00\x08"
			      "\x07"),
			0},
		{"enum of the future", BYTES("\x1a\x03\x10\xff\x01"), 0},
		{"negative enum",
			BYTES("\x1a\x0b\x10\xff\xff\xff\xff\xff"
			      "\xff\xff\xff\xff\x01"),
			0},
		{"packed in two pieces and one unpacked",
			BYTES("\x12\x08\x0a\x01\x01\x08\x02\x0a"
			      "\x01\x03"),
			0},
		{"repeated strings",
			BYTES("\x4a\x06\x1a\x01"
			      "a\x1a\x01"
			      "b"),
			0},
		{"four levels deep",
			BYTES("\x42\x09\x2a\x07\x0a\x05\x0a\x03"
			      "abc"),
			0},
	};

	(void)state;
	run(rows, WYN_COUNT_OF(rows));
}

static void validate_knows_no_body_when_there_is_none_of_ours(void **state)
{
	static const struct row rows[] = {
		{"nothing at all", {NULL, 0}, -ENOMSG},
		{"a number that no body has", BYTES("\x8a\x01\x00"), -ENOMSG},
		{"a number", BYTES("\xf8\x01\x05"), -ENOMSG},
		{"highest field number", BYTES("\xfa\xff\xff\xff\x0f\x00"),
			-ENOMSG},
		{"unknown and malformed", BYTES("\x8a\x01\x05"), -EBADMSG},
	};

	(void)state;
	run(rows, WYN_COUNT_OF(rows));
}

static void validate_refuses_what_is_there_twice_when_singular(void **state)
{
	static const struct row rows[] = {
		{"two bodies", BYTES("\x5a\x00\x62\x00"), -EBADMSG},
		{"the same body twice", BYTES("\x5a\x00\x5a\x00"), -EBADMSG},
		{"number twice", BYTES("\x5a\x04\x08\x01\x08\x01"), -EBADMSG},
		{"string twice",
			BYTES("\x4a\x06\x22\x01"
			      "a\x22\x01"
			      "b"),
			-EBADMSG},
		{"bytes twice",
			BYTES("\x1a\x06\x2a\x01"
			      "a\x2a\x01"
			      "b"),
			-EBADMSG},
		{"message twice", BYTES("\x0a\x04\x1a\x00\x1a\x00"), -EBADMSG},
		{"number twice, two levels down",
			BYTES("\x0a\x06\x1a\x04\x20\x01\x20"
			      "\x01"),
			-EBADMSG},
		{"two of Call.what", BYTES("\x3a\x04\x1a\x00\x22\x00"),
			-EBADMSG},
		{"two of Reply.what", BYTES("\x42\x04\x2a\x00\x3a\x00"),
			-EBADMSG},
	};

	(void)state;
	run(rows, WYN_COUNT_OF(rows));
}

static void validate_refuses_wire_types_when_they_do_not_match(void **state)
{
	static const struct row rows[] = {
		{"body as a number", BYTES("\x58\x01"), -EBADMSG},
		{"number as bytes", BYTES("\x5a\x02\x0a\x00"), -EBADMSG},
		{"number as fixed64",
			BYTES("\x5a\x09\x09"
			      "12345678"),
			-EBADMSG},
		{"number as fixed32",
			BYTES("\x5a\x05\x0d"
			      "1234"),
			-EBADMSG},
		{"string as a number", BYTES("\x4a\x02\x20\x01"), -EBADMSG},
		{"packed column as fixed32",
			BYTES("\x12\x05\x0d"
			      "1234"),
			-EBADMSG},
		{"group in the frame", BYTES("\x83\x01\x84\x01"), -EBADMSG},
		{"unknown group in the body", BYTES("\x5a\x02\x7b\x7c"),
			-EBADMSG},
		{"end of a group", BYTES("\x5a\x01\x7c"), -EBADMSG},
		{"wire type 6", BYTES("\x5a\x01\x7e"), -EBADMSG},
		{"wire type 7", BYTES("\x5a\x01\x7f"), -EBADMSG},
	};

	(void)state;
	run(rows, WYN_COUNT_OF(rows));
}

static void validate_refuses_numbers_when_broken(void **state)
{
	static const struct row rows[] = {
		{"field number 0", BYTES("\x00\x00"), -EBADMSG},
		{"field number 0, long", BYTES("\x82\x00\x00"), -EBADMSG},
		{"tag of six bytes", BYTES("\xda\x80\x80\x80\x80\x00\x00"),
			-EBADMSG},
		{"tag over 32 bits", BYTES("\xda\x80\x80\x80\x10\x00"),
			-EBADMSG},
		{"length of six bytes", BYTES("\x5a\x80\x80\x80\x80\x80\x00"),
			-EBADMSG},
		{"varint of eleven bytes",
			BYTES("\x5a\x0c\x08\x80\x80\x80\x80\x80"
			      "\x80\x80\x80\x80\x80\x00"),
			-EBADMSG},
		{"varint over 64 bits",
			BYTES("\x5a\x0b\x08\x80\x80\x80\x80\x80"
			      "\x80\x80\x80\x80\x02"),
			-EBADMSG},
		{"uint32 over 32 bits",
			BYTES("\x4a\x06\x08\x80\x80\x80\x80"
			      "\x10"),
			-EBADMSG},
		{"packed uint32 over 32 bits",
			BYTES("\x12\x07\x12\x05\x80\x80\x80\x80"
			      "\x10"),
			-EBADMSG},
		{"enum over 31 bits",
			BYTES("\x1a\x06\x10\x80\x80\x80\x80"
			      "\x08"),
			-EBADMSG},
		{"packed varint cut", BYTES("\x12\x03\x0a\x01\x80"), -EBADMSG},
		{"unknown varint of eleven bytes",
			BYTES("\xf8\x01\x80\x80\x80\x80\x80\x80"
			      "\x80\x80\x80\x80\x00"),
			-EBADMSG},
	};

	(void)state;
	run(rows, WYN_COUNT_OF(rows));
}

static void validate_refuses_lengths_when_past_their_end(void **state)
{
	static const struct row rows[] = {
		{"tag cut", BYTES("\xda"), -EBADMSG},
		{"no length", BYTES("\x5a"), -EBADMSG},
		{"body cut", BYTES("\x5a\x02\x08"), -EBADMSG},
		{"value missing", BYTES("\x5a\x01\x08"), -EBADMSG},
		{"string past its message",
			BYTES("\x4a\x03\x22\x02"
			      "a"),
			-EBADMSG},
		{"string past its message, inside the frame",
			BYTES("\x4a\x03\x22\x02"
			      "a\xf8\x01\x00"),
			-EBADMSG},
		{"packed past its message", BYTES("\x12\x03\x0a\x02\x01"),
			-EBADMSG},
		{"length of 2^32 - 1", BYTES("\x5a\xff\xff\xff\xff\x0f"),
			-EBADMSG},
		{"unknown bytes cut",
			BYTES("\xfa\x01\x03"
			      "ab"),
			-EBADMSG},
		{"unknown fixed64 cut",
			BYTES("\xf9\x01"
			      "1234567"),
			-EBADMSG},
		{"unknown fixed32 cut",
			BYTES("\xfd\x01"
			      "123"),
			-EBADMSG},
	};

	(void)state;
	run(rows, WYN_COUNT_OF(rows));
}

static void validate_refuses_strings_when_not_text(void **state)
{
	static const struct row rows[] = {
		{"NUL in Submit.function", BYTES("\x0a\x05\x12\x03a\0b"),
			-EBADMSG},
		{"not UTF-8 in Hello.client_name",
			BYTES("\x4a\x03\x22\x01\xff"), -EBADMSG},
		{"NUL in a repeated string", BYTES("\x4a\x03\x1a\x01\x00"),
			-EBADMSG},
		{"surrogate in a Detail",
			BYTES("\x12\x07\x22\x05\x12\x03\xed\xa0"
			      "\x80"),
			-EBADMSG},
		{"NUL four levels deep",
			BYTES("\x42\x07\x2a\x05\x0a\x03\x0a\x01"
			      "\x00"),
			-EBADMSG},
		{"any bytes in an argument", BYTES("\x0a\x04\x22\x02\x00\xff"),
			0},
	};

	(void)state;
	run(rows, WYN_COUNT_OF(rows));
}

static size_t depth_of(const ProtobufCMessageDescriptor *type, size_t depth)
{
	size_t deepest = depth;

	assert_true(depth < 10);
	assert_true(type->n_fields <= 64);
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		size_t below = depth;

		if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
			below = depth_of(field->descriptor, depth + 1);
		}
		deepest = below > deepest ? below : deepest;
	}
	return deepest;
}

/* The stack of validate.c has six levels; a deeper schema needs more. */
static void validate_has_levels_enough_when_the_schema_is_walked(void **state)
{
	(void)state;
	assert_in_range(depth_of(&wyn__v1__frame__descriptor, 1), 4, 6);
}

/* A type that validate.c does not handle would end in its assertion. */
static void check_types(const ProtobufCMessageDescriptor *type)
{
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];

		switch (field->type) {
		case PROTOBUF_C_TYPE_UINT32:
		case PROTOBUF_C_TYPE_UINT64:
		case PROTOBUF_C_TYPE_BOOL:
		case PROTOBUF_C_TYPE_ENUM:
		case PROTOBUF_C_TYPE_STRING:
		case PROTOBUF_C_TYPE_BYTES:
			break;
		case PROTOBUF_C_TYPE_MESSAGE:
			check_types(field->descriptor);
			break;
		default:
			fail_msg("%s.%s has a type that is not handled",
				type->name, field->name);
		}
	}
}

static void validate_handles_each_type_when_the_schema_has_it(void **state)
{
	(void)state;
	check_types(&wyn__v1__frame__descriptor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(validate_takes_one_body_when_well_formed),
		cmocka_unit_test(
			validate_knows_no_body_when_there_is_none_of_ours),
		cmocka_unit_test(
			validate_refuses_what_is_there_twice_when_singular),
		cmocka_unit_test(
			validate_refuses_wire_types_when_they_do_not_match),
		cmocka_unit_test(validate_refuses_numbers_when_broken),
		cmocka_unit_test(validate_refuses_lengths_when_past_their_end),
		cmocka_unit_test(validate_refuses_strings_when_not_text),
		cmocka_unit_test(
			validate_has_levels_enough_when_the_schema_is_walked),
		cmocka_unit_test(
			validate_handles_each_type_when_the_schema_has_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
