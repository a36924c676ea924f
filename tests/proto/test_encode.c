// SPDX-License-Identifier: MIT
/*
 * test_encode.c - the hot encoders write what protobuf-c writes, byte for byte.
 */
#include "proto/codec.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/prng.h"
#include "tests/support/bytes.h"
#include "tests/support/messages.h"

#define ROUNDS 3000
#define SEED   0x656e63

static struct wyn_sample sample;
static uint8_t ours[WYN_SAMPLE_FRAME_BYTES];
static uint8_t theirs[WYN_SAMPLE_FRAME_BYTES];

static ProtobufCBinaryData data_of(struct wyn_slice slice)
{
	return (ProtobufCBinaryData){slice.len, (uint8_t *)slice.data};
}

/* protobuf-c wants strings with a NUL behind them. */
static char *string_of(struct wyn_slice slice, char *buffer)
{
	memcpy(buffer, slice.data, slice.len);
	buffer[slice.len] = 0;
	return buffer;
}

static size_t submit_by_protobuf(const struct wyn_submit *submit)
{
	static ProtobufCBinaryData args[WYN_SAMPLE_TASKS_MAX];
	static char function[WYN_SAMPLE_BYTES + 1];
	static char label[WYN_SAMPLE_BYTES + 1];
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	Wyn__V1__Submit body = WYN__V1__SUBMIT__INIT;
	Wyn__V1__Options options = WYN__V1__OPTIONS__INIT;

	for (size_t i = 0; i < sample.count; i++) {
		args[i] = data_of(sample.args[i]);
	}
	options.priority =
		submit->options.priority == 2 ? 0 : submit->options.priority;
	options.on_disconnect = submit->options.on_disconnect == 1
					? 0
					: submit->options.on_disconnect;
	options.timeout_ms = submit->options.timeout_ms;
	options.deadline_ms = submit->options.deadline_ms;
	options.stream = submit->options.stream;
	options.accept = submit->options.accept;
	options.quiet = submit->options.quiet;
	options.label = string_of(submit->options.label, label);
	body.first_seq = submit->first_seq;
	body.function = string_of(submit->function, function);
	if (wyn__v1__options__get_packed_size(&options) > 0) {
		body.options = &options;
	}
	body.args = args;
	body.n_args = sample.count;
	body.arg_sizes = (uint64_t *)submit->arg_sizes;
	body.n_arg_sizes = submit->arg_sizes_count;
	if (submit->command != NULL) {
		body.command = &sample.command;
	}
	frame.body_case = WYN__V1__FRAME__BODY_SUBMIT;
	frame.submit = &body;
	return wyn_frame_encode(&frame, 0, theirs);
}

static Wyn__V1__Usage *usage_of(
	const struct wyn_usage *usage, Wyn__V1__Usage *into)
{
	wyn__v1__usage__init(into);
	into->wall_ns = usage->wall_ns;
	into->user_ns = usage->user_ns;
	into->system_ns = usage->system_ns;
	into->peak_rss_bytes = usage->peak_rss_bytes;
	into->output_bytes = usage->output_bytes;
	into->error_bytes = usage->error_bytes;
	return into;
}

static size_t results_by_protobuf(uint64_t quiet_done)
{
	static uint64_t seqs[WYN_SAMPLE_TASKS_MAX];
	static uint32_t codes[WYN_SAMPLE_TASKS_MAX];
	static ProtobufCBinaryData values[WYN_SAMPLE_TASKS_MAX];
	static Wyn__V1__Detail details[WYN_SAMPLE_TASKS_MAX];
	static Wyn__V1__Detail *detail_ptrs[WYN_SAMPLE_TASKS_MAX];
	static Wyn__V1__Usage usages[WYN_SAMPLE_TASKS_MAX];
	static char strings[WYN_SAMPLE_TASKS_MAX][2][256];
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	Wyn__V1__Results body = WYN__V1__RESULTS__INIT;

	for (size_t i = 0; i < sample.count; i++) {
		const struct wyn_result *row = &sample.rows[i];
		Wyn__V1__Detail *detail = &details[body.n_details];

		seqs[i] = row->seq;
		codes[i] = row->code;
		values[i] = data_of(row->value);
		body.n_code = row->code ? sample.count : body.n_code;
		body.n_value = row->value.len ? sample.count : body.n_value;
		if (row->detail == NULL) {
			continue;
		}
		wyn__v1__detail__init(detail);
		detail->index = (uint32_t)i;
		detail->message =
			string_of(row->detail->message, strings[i][0]);
		detail->reason = string_of(row->detail->reason, strings[i][1]);
		detail->ran = row->detail->ran;
		detail->retry_after_ms = row->detail->retry_after_ms;
		detail->exit_status = row->detail->exit_status;
		detail->signal = row->detail->signal;
		if (row->detail->usage != NULL) {
			detail->usage =
				usage_of(row->detail->usage, &usages[i]);
		}
		detail_ptrs[body.n_details++] = detail;
	}
	body.seq = seqs;
	body.n_seq = sample.count;
	body.code = codes;
	body.value = values;
	body.details = detail_ptrs;
	body.quiet_done = quiet_done;
	frame.body_case = WYN__V1__FRAME__BODY_RESULTS;
	frame.results = &body;
	return wyn_frame_encode(&frame, 0, theirs);
}

static size_t chunk_by_protobuf(const struct wyn_chunk *chunk)
{
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	Wyn__V1__Chunk body = WYN__V1__CHUNK__INIT;

	body.seq = chunk->seq;
	body.stream = chunk->stream;
	body.offset = chunk->offset;
	body.eof = chunk->eof;
	body.data = data_of(chunk->data);
	frame.body_case = WYN__V1__FRAME__BODY_CHUNK;
	frame.chunk = &body;
	return wyn_frame_encode(&frame, 0, theirs);
}

static void encode_rounds(enum wyn_message_kind kind, bool commands)
{
	const struct wyn_message *message = &sample.message;
	struct wyn_prng prng;

	print_message("seed %d\n", SEED);
	wyn_prng_init(&prng, SEED);
	for (int i = 0; i < ROUNDS; i++) {
		size_t bytes;
		size_t expected;

		wyn_sample_make(&sample, kind, &prng);
		if (commands) {
			wyn_sample_commands(&sample, &prng);
		}
		bytes = wyn_sample_encode(&sample, ours);
		switch (kind) {
		case WYN_MESSAGE_SUBMIT:
			expected = submit_by_protobuf(&message->submit);
			assert_int_equal(bytes,
				wyn_submit_encoded_bytes(&message->submit,
					sample.args, sample.count));
			break;
		case WYN_MESSAGE_RESULTS:
			expected = results_by_protobuf(
				message->results.quiet_done);
			break;
		default:
			expected = chunk_by_protobuf(&message->chunk);
			break;
		}
		assert_int_equal(bytes, expected);
		assert_memory_equal(ours, theirs, bytes);
	}
}

static void encode_submit_writes_what_protobuf_writes_of_commands(void **state)
{
	(void)state;
	encode_rounds(WYN_MESSAGE_SUBMIT, true);
}

static void encode_results_writes_what_protobuf_writes_of_commands(void **state)
{
	(void)state;
	encode_rounds(WYN_MESSAGE_RESULTS, true);
}

static void encode_submit_writes_what_protobuf_writes_when_random(void **state)
{
	(void)state;
	encode_rounds(WYN_MESSAGE_SUBMIT, false);
}

static void encode_results_writes_what_protobuf_writes_when_random(void **state)
{
	(void)state;
	encode_rounds(WYN_MESSAGE_RESULTS, false);
}

static void encode_chunk_writes_what_protobuf_writes_when_random(void **state)
{
	(void)state;
	encode_rounds(WYN_MESSAGE_CHUNK, false);
}

static void encode_leaves_columns_out_when_all_zero(void **state)
{
	const struct wyn_result rows[] = {{.seq = 1}, {.seq = 2}};

	(void)state;
	assert_int_equal(wyn_sample_results(rows, 2, 0, ours), 11);

	assert_memory_equal(
		ours, "\x00\x00\x00\x00\x06\x12\x04\x0a\x02\x01\x02", 11);
}

static void encode_keeps_columns_whole_when_one_row_has_something(void **state)
{
	const struct wyn_result rows[] = {
		{.seq = 1},
		{.seq = 2, .code = 5, .value = BYTES("v")},
	};

	(void)state;
	assert_int_equal(wyn_sample_results(rows, 2, 0, ours), 20);

	assert_memory_equal(ours,
		"\x00\x00\x00\x00\x0f\x12\x0d\x0a\x02\x01\x02\x12\x02\x00\x05"
		"\x1a\x00\x1a\x01"
		"v",
		20);
}

static void encode_leaves_defaults_out_when_options_say_them(void **state)
{
	const struct wyn_submit submit = {
		.first_seq = 1,
		.function = BYTES("f"),
		.options = {.priority = WYN__V1__PRIORITY__PRIORITY_NORMAL,
			.on_disconnect =
				WYN__V1__ON_DISCONNECT__ON_DISCONNECT_CANCEL},
	};
	const struct wyn_slice args[] = {{NULL, 0}};

	(void)state;
	assert_int_equal(wyn_submit_encode(&submit, args, 1, ours), 14);

	assert_memory_equal(ours,
		"\x00\x00\x00\x00\x09\x0a\x07\x08\x01\x12\x01"
		"f\x22\x00",
		14);
}

static void encode_chunk_head_fits_when_all_is_largest(void **state)
{
	const struct wyn_chunk chunk = {
		.seq = UINT64_MAX,
		.offset = UINT64_MAX,
		.stream = UINT8_MAX,
		.eof = true,
		.data = {NULL, WYN_FRAME_BYTES_HARD - 64},
	};
	uint8_t head[WYN_CHUNK_HEAD_BYTES_MAX];
	struct wyn_frame frame;
	size_t frame_bytes = 0;
	size_t bytes;

	(void)state;
	bytes = wyn_chunk_head_encode(&chunk, head);

	assert_in_range(bytes, 5, WYN_CHUNK_HEAD_BYTES_MAX);
	(void)wyn_frame_next((struct wyn_slice){head, bytes},
		WYN_FRAME_BYTES_HARD, &frame, &frame_bytes);
	assert_int_equal(frame_bytes, bytes + chunk.data.len);
}

static void encode_writes_flags_when_given(void **state)
{
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	Wyn__V1__Ping ping = WYN__V1__PING__INIT;

	(void)state;
	frame.body_case = WYN__V1__FRAME__BODY_PING;
	frame.ping = &ping;
	assert_int_equal(wyn_frame_encoded_bytes(&frame), 7);

	assert_int_equal(
		wyn_frame_encode(&frame, WYN_FRAME_FLAG_OPTIONAL, ours), 7);

	assert_memory_equal(ours, "\x02\x00\x00\x00\x02\x5a\x00", 7);
}

/* Each length about which an argument is copied another way. */
static void encode_copies_arguments_whole_when_of_any_length(void **state)
{
	uint8_t bytes[40];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (uint8_t)(i + 1);
	}
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		const struct wyn_submit submit = {0};
		const struct wyn_slice arg = {bytes, len};
		size_t total = wyn_submit_encode(&submit, &arg, 1, ours);

		assert_int_equal(total, 9 + len);
		assert_memory_equal(ours + 9, bytes, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			encode_submit_writes_what_protobuf_writes_of_commands),
		cmocka_unit_test(
			encode_results_writes_what_protobuf_writes_of_commands),
		cmocka_unit_test(
			encode_submit_writes_what_protobuf_writes_when_random),
		cmocka_unit_test(
			encode_results_writes_what_protobuf_writes_when_random),
		cmocka_unit_test(
			encode_chunk_writes_what_protobuf_writes_when_random),
		cmocka_unit_test(encode_leaves_columns_out_when_all_zero),
		cmocka_unit_test(
			encode_keeps_columns_whole_when_one_row_has_something),
		cmocka_unit_test(
			encode_leaves_defaults_out_when_options_say_them),
		cmocka_unit_test(encode_chunk_head_fits_when_all_is_largest),
		cmocka_unit_test(encode_writes_flags_when_given),
		cmocka_unit_test(
			encode_copies_arguments_whole_when_of_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
