// SPDX-License-Identifier: MIT
/*
 * test_codec.c - decoding as its callers see it: round trips, reasons, and
 * frames as large as they get.
 */
#include "proto/codec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/prng.h"
#include "tests/support/bytes.h"
#include "tests/support/messages.h"

#define ROUNDS 2000
#define SEED   0x636f64

static _Alignas(16) uint8_t memory[1 << 20];
static struct wyn_sample sample;
static uint8_t out[WYN_SAMPLE_FRAME_BYTES];

static int decode(struct wyn_slice body, size_t arena_bytes,
	struct wyn_message *message, const char **reason)
{
	struct wyn_frame frame = {.body = body};
	struct wyn_arena arena;

	wyn_arena_init(&arena, memory, arena_bytes);
	return wyn_codec_decode(&frame, &arena, message, reason);
}

static void decode_sample(struct wyn_message *message)
{
	const char *reason = "none";
	size_t bytes = wyn_sample_encode(&sample, out);
	struct wyn_frame frame;
	size_t frame_bytes;

	assert_int_equal(wyn_frame_next((struct wyn_slice){out, bytes}, bytes,
				 &frame, &frame_bytes),
		WYN_FRAME_READY);
	assert_int_equal(frame_bytes, bytes);
	assert_int_equal(
		decode(frame.body, sizeof(memory), message, &reason), 0);
	assert_string_equal(reason, "none");
	assert_int_equal(message->kind, sample.message.kind);
}

/* What a decoder makes of what was left unspecified. */
static uint8_t or_default(uint8_t number, uint8_t value)
{
	return number == 0 ? value : number;
}

static void codec_gives_back_a_submit_when_encoded(void **state)
{
	const struct wyn_submit *made = &sample.message.submit;
	struct wyn_prng prng;

	(void)state;
	print_message("seed %d\n", SEED);
	wyn_prng_init(&prng, SEED);
	for (int i = 0; i < ROUNDS; i++) {
		struct wyn_message message;
		struct wyn_submit *submit = &message.submit;
		uint64_t bytes_total = 0;
		struct wyn_slice arg;

		wyn_sample_make(&sample, WYN_MESSAGE_SUBMIT, &prng);
		decode_sample(&message);
		assert_int_equal(submit->first_seq, made->first_seq);
		assert_true(wyn_slice_equal(submit->function, made->function));
		assert_int_equal(submit->options.priority,
			or_default(made->options.priority, 2));
		assert_int_equal(submit->options.on_disconnect,
			or_default(made->options.on_disconnect, 1));
		assert_int_equal(
			submit->options.timeout_ms, made->options.timeout_ms);
		assert_int_equal(
			submit->options.deadline_ms, made->options.deadline_ms);
		assert_int_equal(submit->options.stream, made->options.stream);
		assert_int_equal(submit->options.accept, made->options.accept);
		assert_int_equal(submit->options.quiet, made->options.quiet);
		assert_true(wyn_slice_equal(
			submit->options.label, made->options.label));
		assert_int_equal(
			submit->arg_sizes_count, made->arg_sizes_count);
		for (size_t j = 0; j < made->arg_sizes_count; j++) {
			assert_int_equal(
				submit->arg_sizes[j], made->arg_sizes[j]);
		}
		assert_int_equal(submit->args.count, sample.count);
		for (size_t j = 0; j < sample.count; j++) {
			assert_true(wyn_args_next(&submit->args, &arg));
			assert_true(wyn_slice_equal(arg, sample.args[j]));
			bytes_total += arg.len;
		}
		assert_int_equal(submit->args.bytes_total, bytes_total);
	}
}

static void commands_expected_equal(
	const Wyn__V1__Command *a, const Wyn__V1__Command *b)
{
	static uint8_t packed[2][WYN_SAMPLE_FRAME_BYTES];
	size_t bytes = wyn__v1__command__pack(a, packed[0]);

	assert_int_equal(wyn__v1__command__pack(b, packed[1]), bytes);
	assert_memory_equal(packed[0], packed[1], bytes);
}

static void codec_gives_back_a_command_when_encoded(void **state)
{
	const struct wyn_submit *made = &sample.message.submit;
	struct wyn_prng prng;

	(void)state;
	print_message("seed %d\n", SEED);
	wyn_prng_init(&prng, SEED);
	for (int i = 0; i < ROUNDS; i++) {
		struct wyn_message message;
		struct wyn_slice arg;

		wyn_sample_make(&sample, WYN_MESSAGE_SUBMIT, &prng);
		wyn_sample_commands(&sample, &prng);
		decode_sample(&message);
		assert_int_equal(message.submit.first_seq, made->first_seq);
		assert_int_equal(message.submit.function.len, 0);
		assert_int_equal(
			message.submit.arg_sizes_count, made->arg_sizes_count);
		assert_int_equal(message.submit.args.count, sample.count);
		for (size_t j = 0; j < sample.count; j++) {
			assert_true(wyn_args_next(&message.submit.args, &arg));
			assert_true(wyn_slice_equal(arg, sample.args[j]));
		}
		assert_non_null(message.submit.command);
		commands_expected_equal(message.submit.command, made->command);
	}
}

static void usage_expected(
	const struct wyn_usage *usage, const struct wyn_usage *made)
{
	assert_int_equal(usage == NULL, made == NULL);
	if (usage != NULL) {
		assert_memory_equal(usage, made, sizeof(*usage));
	}
}

static void codec_gives_back_how_commands_ended_when_encoded(void **state)
{
	struct wyn_prng prng;

	(void)state;
	print_message("seed %d\n", SEED);
	wyn_prng_init(&prng, SEED);
	for (int i = 0; i < ROUNDS; i++) {
		struct wyn_message message;
		struct wyn_result row;

		wyn_sample_make(&sample, WYN_MESSAGE_RESULTS, &prng);
		wyn_sample_commands(&sample, &prng);
		decode_sample(&message);
		assert_int_equal(message.results.count, sample.count);
		for (size_t j = 0; j < sample.count; j++) {
			const struct wyn_detail *made = sample.rows[j].detail;

			assert_true(wyn_results_next(&message.results, &row));
			assert_int_equal(!row.detail, !made);
			if (made == NULL) {
				continue;
			}
			assert_int_equal(
				row.detail->exit_status, made->exit_status);
			assert_int_equal(row.detail->signal, made->signal);
			assert_true(wyn_slice_equal(
				row.detail->message, made->message));
			usage_expected(row.detail->usage, made->usage);
		}
	}
}

static void codec_gives_back_results_when_encoded(void **state)
{
	struct wyn_prng prng;

	(void)state;
	print_message("seed %d\n", SEED);
	wyn_prng_init(&prng, SEED);
	for (int i = 0; i < ROUNDS; i++) {
		struct wyn_message message;
		struct wyn_result row;

		wyn_sample_make(&sample, WYN_MESSAGE_RESULTS, &prng);
		decode_sample(&message);
		assert_int_equal(message.results.quiet_done,
			sample.message.results.quiet_done);
		assert_int_equal(message.results.count, sample.count);
		for (size_t j = 0; j < sample.count; j++) {
			const struct wyn_result *made = &sample.rows[j];

			assert_true(wyn_results_next(&message.results, &row));
			assert_int_equal(row.seq, made->seq);
			assert_int_equal(row.code, made->code);
			assert_true(wyn_slice_equal(row.value, made->value));
			assert_int_equal(!row.detail, !made->detail);
			if (row.detail == NULL) {
				continue;
			}
			assert_true(wyn_slice_equal(
				row.detail->message, made->detail->message));
			assert_true(wyn_slice_equal(
				row.detail->reason, made->detail->reason));
			assert_int_equal(row.detail->retry_after_ms,
				made->detail->retry_after_ms);
			assert_int_equal(row.detail->ran, made->detail->ran);
		}
	}
}

static void codec_gives_back_a_chunk_when_encoded(void **state)
{
	struct wyn_prng prng;

	(void)state;
	print_message("seed %d\n", SEED);
	wyn_prng_init(&prng, SEED);
	for (int i = 0; i < ROUNDS; i++) {
		struct wyn_message message;

		wyn_sample_make(&sample, WYN_MESSAGE_CHUNK, &prng);
		decode_sample(&message);
		assert_true(wyn_message_equal(&message, &sample.message));
	}
}

static void codec_says_why_when_it_refuses(void **state)
{
	static const struct {
		struct wyn_slice body;
		size_t arena_bytes;
		int err;
		const char *reason;
	} rows[] = {
		{{NULL, 0}, 4096, -ENOMSG, "UNKNOWN_BODY"},
		{BYTES("\x8a\x01\x00"), 4096, -ENOMSG, "UNKNOWN_BODY"},
		{BYTES("garbage!"), 4096, -EBADMSG, "MALFORMED_FRAME"},
		{BYTES("\x0a\x00"), 4096, -EBADMSG, "MALFORMED_FRAME"},
		/* A command beside a function. */
		{BYTES("\x0a\x07\x12\x01"
		       "f\x22\x00\x32\x00"),
			4096, -EBADMSG, "MALFORMED_FRAME"},
		{BYTES("\x5a\x00"), 0, -ENOBUFS, "FRAME_TOO_COMPLEX"},
		{BYTES("\x0a\x03\x2a\x01\x05"), 0, -ENOBUFS,
			"FRAME_TOO_COMPLEX"},
	};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(rows); i++) {
		struct wyn_message message;
		const char *reason = NULL;

		assert_int_equal(decode(rows[i].body, rows[i].arena_bytes,
					 &message, &reason),
			rows[i].err);
		assert_string_equal(reason, rows[i].reason);
	}
}

/* A frame of nothing but empty strings costs far more than its bytes. */
static void codec_stays_within_the_arena_when_a_frame_is_a_bomb(void **state)
{
	static uint8_t bomb[1 << 20];
	struct wyn_message message;
	const char *reason = NULL;
	size_t n = sizeof(bomb) - 4;

	(void)state;
	for (size_t i = 4; i < sizeof(bomb); i += 2) {
		bomb[i] = 0x1a;
		bomb[i + 1] = 0x00;
	}
	/* Hello with features; its length as three bytes. */
	bomb[0] = 0x4a;
	bomb[1] = (uint8_t)(n | 0x80);
	bomb[2] = (uint8_t)(n >> 7 | 0x80);
	bomb[3] = (uint8_t)(n >> 14);

	assert_int_equal(decode((struct wyn_slice){bomb, sizeof(bomb)},
				 sizeof(memory), &message, &reason),
		-ENOBUFS);
	assert_string_equal(reason, "FRAME_TOO_COMPLEX");
}

static void codec_needs_no_arena_when_a_submit_is_large(void **state)
{
	size_t arg_bytes = WYN_FRAME_BYTES_HARD - 32;
	uint8_t *arg = calloc(1, arg_bytes);
	uint8_t *bytes = malloc(WYN_FRAME_HEADER_BYTES + WYN_FRAME_BYTES_HARD);
	const struct wyn_submit submit = {.first_seq = 1};
	struct wyn_slice args = {arg, arg_bytes};
	struct wyn_message message;
	const char *reason;
	size_t n;

	(void)state;
	assert_non_null(arg);
	assert_non_null(bytes);
	n = wyn_submit_encode(&submit, &args, 1, bytes);

	assert_int_equal(decode((struct wyn_slice){bytes + 5, n - 5}, 0,
				 &message, &reason),
		0);
	assert_int_equal(message.submit.args.bytes_total, arg_bytes);
	free(bytes);
	free(arg);
}

static void codec_refuses_when_a_valid_frame_is_cut_anywhere(void **state)
{
	struct wyn_prng prng;

	(void)state;
	print_message("seed %d\n", SEED);
	wyn_prng_init(&prng, SEED);
	for (enum wyn_message_kind kind = WYN_MESSAGE_SUBMIT;
		kind <= WYN_MESSAGE_CHUNK; kind++) {
		size_t bytes;

		wyn_sample_make(&sample, kind, &prng);
		bytes = wyn_sample_encode(&sample, out);
		for (size_t n = 6; n < bytes; n++) {
			struct wyn_message message;
			const char *reason;

			assert_int_equal(
				decode((struct wyn_slice){out + 5, n - 5},
					sizeof(memory), &message, &reason),
				-EBADMSG);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codec_gives_back_a_submit_when_encoded),
		cmocka_unit_test(codec_gives_back_results_when_encoded),
		cmocka_unit_test(codec_gives_back_a_command_when_encoded),
		cmocka_unit_test(
			codec_gives_back_how_commands_ended_when_encoded),
		cmocka_unit_test(codec_gives_back_a_chunk_when_encoded),
		cmocka_unit_test(codec_says_why_when_it_refuses),
		cmocka_unit_test(
			codec_stays_within_the_arena_when_a_frame_is_a_bomb),
		cmocka_unit_test(codec_needs_no_arena_when_a_submit_is_large),
		cmocka_unit_test(
			codec_refuses_when_a_valid_frame_is_cut_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
