// SPDX-License-Identifier: MIT
/*
 * test_tags.c - the tags written by hand are those of wyn.proto.
 */
#include "proto/tags.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "proto/message.h"

struct row {
	const ProtobufCMessageDescriptor *type;
	const char *field;
	uint8_t tag;
};

#define SUBMIT(field, tag)                               \
	{                                                \
		&wyn__v1__submit__descriptor, field, tag \
	}
#define OPTIONS(field, tag)                               \
	{                                                 \
		&wyn__v1__options__descriptor, field, tag \
	}
#define RESULTS(field, tag)                               \
	{                                                 \
		&wyn__v1__results__descriptor, field, tag \
	}
#define DETAIL(field, tag)                               \
	{                                                \
		&wyn__v1__detail__descriptor, field, tag \
	}
#define USAGE(field, tag)                               \
	{                                               \
		&wyn__v1__usage__descriptor, field, tag \
	}
#define CHUNK(field, tag)                               \
	{                                               \
		&wyn__v1__chunk__descriptor, field, tag \
	}
#define FRAME(field, kind)                                              \
	{                                                               \
		&wyn__v1__frame__descriptor, field, WYN_TAG_BYTES(kind) \
	}

static const struct row rows[] = {
	FRAME("submit", WYN_MESSAGE_SUBMIT),
	FRAME("results", WYN_MESSAGE_RESULTS),
	FRAME("chunk", WYN_MESSAGE_CHUNK),
	FRAME("credit", WYN_MESSAGE_CREDIT),
	FRAME("accepted", WYN_MESSAGE_ACCEPTED),
	FRAME("cancel", WYN_MESSAGE_CANCEL),
	FRAME("call", WYN_MESSAGE_CALL),
	FRAME("reply", WYN_MESSAGE_REPLY),
	FRAME("hello", WYN_MESSAGE_HELLO),
	FRAME("welcome", WYN_MESSAGE_WELCOME),
	FRAME("ping", WYN_MESSAGE_PING),
	FRAME("pong", WYN_MESSAGE_PONG),
	FRAME("finish", WYN_MESSAGE_FINISH),
	FRAME("go_away", WYN_MESSAGE_GO_AWAY),
	FRAME("error", WYN_MESSAGE_ERROR),
	FRAME("signal", WYN_MESSAGE_SIGNAL),
	SUBMIT("first_seq", WYN_TAG_SUBMIT_FIRST_SEQ),
	SUBMIT("function", WYN_TAG_SUBMIT_FUNCTION),
	SUBMIT("options", WYN_TAG_SUBMIT_OPTIONS),
	SUBMIT("args", WYN_TAG_SUBMIT_ARGS),
	SUBMIT("arg_sizes", WYN_TAG_SUBMIT_ARG_SIZES),
	SUBMIT("command", WYN_TAG_SUBMIT_COMMAND),
	OPTIONS("priority", WYN_TAG_OPTIONS_PRIORITY),
	OPTIONS("timeout_ms", WYN_TAG_OPTIONS_TIMEOUT_MS),
	OPTIONS("deadline_ms", WYN_TAG_OPTIONS_DEADLINE_MS),
	OPTIONS("stream", WYN_TAG_OPTIONS_STREAM),
	OPTIONS("on_disconnect", WYN_TAG_OPTIONS_ON_DISCONNECT),
	OPTIONS("accept", WYN_TAG_OPTIONS_ACCEPT),
	OPTIONS("quiet", WYN_TAG_OPTIONS_QUIET),
	OPTIONS("label", WYN_TAG_OPTIONS_LABEL),
	RESULTS("seq", WYN_TAG_RESULTS_SEQ),
	RESULTS("code", WYN_TAG_RESULTS_CODE),
	RESULTS("value", WYN_TAG_RESULTS_VALUE),
	RESULTS("details", WYN_TAG_RESULTS_DETAILS),
	RESULTS("quiet_done", WYN_TAG_RESULTS_QUIET_DONE),
	DETAIL("index", WYN_TAG_DETAIL_INDEX),
	DETAIL("message", WYN_TAG_DETAIL_MESSAGE),
	DETAIL("reason", WYN_TAG_DETAIL_REASON),
	DETAIL("ran", WYN_TAG_DETAIL_RAN),
	DETAIL("retry_after_ms", WYN_TAG_DETAIL_RETRY_AFTER_MS),
	DETAIL("exit_status", WYN_TAG_DETAIL_EXIT_STATUS),
	DETAIL("signal", WYN_TAG_DETAIL_SIGNAL),
	DETAIL("usage", WYN_TAG_DETAIL_USAGE),
	USAGE("wall_ns", WYN_TAG_USAGE_WALL_NS),
	USAGE("user_ns", WYN_TAG_USAGE_USER_NS),
	USAGE("system_ns", WYN_TAG_USAGE_SYSTEM_NS),
	USAGE("peak_rss_bytes", WYN_TAG_USAGE_PEAK_RSS_BYTES),
	USAGE("output_bytes", WYN_TAG_USAGE_OUTPUT_BYTES),
	USAGE("error_bytes", WYN_TAG_USAGE_ERROR_BYTES),
	CHUNK("seq", WYN_TAG_CHUNK_SEQ),
	CHUNK("stream", WYN_TAG_CHUNK_STREAM),
	CHUNK("offset", WYN_TAG_CHUNK_OFFSET),
	CHUNK("eof", WYN_TAG_CHUNK_EOF),
	CHUNK("data", WYN_TAG_CHUNK_DATA),
};

/* As the encoders write it: numbers that repeat are packed. */
static uint8_t tag_of(const ProtobufCFieldDescriptor *field)
{
	switch (field->type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return WYN_TAG_BYTES(field->id);
	default:
		return field->label == PROTOBUF_C_LABEL_REPEATED
			       ? WYN_TAG_BYTES(field->id)
			       : WYN_TAG_VARINT(field->id);
	}
}

static void tags_are_those_of_the_schema_when_compared(void **state)
{
	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(rows); i++) {
		const ProtobufCFieldDescriptor *field =
			protobuf_c_message_descriptor_get_field_by_name(
				rows[i].type, rows[i].field);

		assert_non_null(field);
		assert_int_equal(rows[i].tag, tag_of(field));
	}
}

/* A field that is new in the schema is one that the walker must learn. */
static void tags_are_all_of_a_message_when_counted(void **state)
{
	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(rows); i++) {
		size_t count = 0;

		for (size_t j = 0; j < WYN_COUNT_OF(rows); j++) {
			count += rows[j].type == rows[i].type;
		}
		assert_int_equal(rows[i].type->n_fields, count);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_are_those_of_the_schema_when_compared),
		cmocka_unit_test(tags_are_all_of_a_message_when_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
