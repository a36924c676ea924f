// SPDX-License-Identifier: MIT
/*
 * test_wire_document.c - replays the worked exchange of docs/wire.md.
 *
 * Each frame of the document must be what our encoders write, and decode to the
 * message that is stated here. Run from the root of the tree.
 */
#include "proto/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/messages.h"
#include "tests/support/bytes.h"

#define DOCUMENT	"docs/wire.md"
#define FRAMES_MAX	16
#define FRAME_BYTES_MAX 256

struct replayed {
	char side;
	char name[32];
	uint8_t bytes[FRAME_BYTES_MAX];
	size_t len;
};

static struct replayed frames[FRAMES_MAX];
static size_t frames_count;
static _Alignas(16) uint8_t memory[4096];

/* "C Hello": a frame begins. */
static void title_parse(const char *line)
{
	struct replayed *frame = &frames[frames_count++];

	assert_true(frames_count <= FRAMES_MAX);
	assert_int_equal(sscanf(line, "%c %31s", &frame->side, frame->name), 2);
	assert_true(frame->side == 'C' || frame->side == 'S');
}

/* "    4a 0d   | hello, 13 bytes": up to the bar. */
static void hex_parse(const char *line)
{
	struct replayed *frame = &frames[frames_count - 1];
	const char *at = line;
	unsigned byte;
	int taken;

	assert_true(frames_count > 0);
	while (sscanf(at, " %2x%n", &byte, &taken) == 1) {
		assert_true(frame->len < FRAME_BYTES_MAX);
		frame->bytes[frame->len++] = (uint8_t)byte;
		at += taken;
	}
	at += strspn(at, " \t\n");
	assert_true(*at == '|' || *at == '\0');
}

static int document_read(void **state)
{
	FILE *file = fopen(DOCUMENT, "r");
	char line[256];
	bool inside = false;

	(void)state;
	if (file == NULL) {
		print_error("%s: cannot be read from here\n", DOCUMENT);
		return -1;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, "```", 3) == 0) {
			inside = !inside && strcmp(line, "```wire\n") == 0;
		} else if (inside && line[0] != ' ') {
			title_parse(line);
		} else if (inside) {
			hex_parse(line);
		}
	}
	fclose(file);
	return 0;
}

/* Our bytes are the document's, and one whole frame. */
static void compare(size_t at, const uint8_t *ours, size_t len)
{
	assert_true(at < frames_count);
	if (len != frames[at].len || memcmp(ours, frames[at].bytes, len) != 0) {
		fail_msg("frame %zu (%s) is not what we encode", at,
			frames[at].name);
	}
}

static void compare_frame(size_t at, enum wyn_message_kind kind, void *body)
{
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	uint8_t ours[FRAME_BYTES_MAX] = {0};

	frame.body_case = (Wyn__V1__Frame__BodyCase)kind;
	/* Any member of the union: all are pointers to messages. */
	frame.hello = body;
	assert_true(wyn_frame_encoded_bytes(&frame) <= sizeof(ours));
	compare(at, ours, wyn_frame_encode(&frame, 0, ours));
}

static struct wyn_message decode(size_t at)
{
	struct wyn_slice bytes = {frames[at].bytes, frames[at].len};
	struct wyn_frame frame;
	struct wyn_message message;
	struct wyn_arena arena;
	const char *reason = "";
	size_t frame_bytes = 0;

	assert_int_equal(
		wyn_frame_next(bytes, FRAME_BYTES_MAX, &frame, &frame_bytes),
		WYN_FRAME_READY);
	assert_int_equal(frame_bytes, bytes.len);
	wyn_arena_init(&arena, memory, sizeof(memory));
	assert_int_equal(
		wyn_codec_decode(&frame, &arena, &message, &reason), 0);
	return message;
}

static void document_has_the_exchange_when_read(void **state)
{
	static const char *const order[] = {"C preface", "C Hello", "S Welcome",
		"C Submit", "S Results", "C Submit", "S Results", "C Finish"};

	(void)state;
	assert_int_equal(frames_count, WYN_COUNT_OF(order));
	for (size_t i = 0; i < frames_count; i++) {
		assert_int_equal(frames[i].side, order[i][0]);
		assert_string_equal(frames[i].name, order[i] + 2);
	}
}

static void document_has_our_preface_when_replayed(void **state)
{
	(void)state;
	compare(0, (const uint8_t *)WYN_PREFACE, WYN_PREFACE_BYTES);

	assert_int_equal(wyn_preface_check((struct wyn_slice){
				 frames[0].bytes, frames[0].len}),
		WYN_PREFACE_READY);
}

static void document_has_our_hello_when_replayed(void **state)
{
	Wyn__V1__Hello hello = WYN__V1__HELLO__INIT;
	struct wyn_message message;

	(void)state;
	hello.version_min = 1;
	hello.version_max = 1;
	hello.client_name = (char *)"example";
	compare_frame(1, WYN_MESSAGE_HELLO, &hello);

	message = decode(1);
	assert_int_equal(message.kind, WYN_MESSAGE_HELLO);
	assert_int_equal(message.frame->hello->version_max, 1);
	assert_string_equal(message.frame->hello->client_name, "example");
}

static void document_has_our_welcome_when_replayed(void **state)
{
	Wyn__V1__Limits limits = WYN__V1__LIMITS__INIT;
	Wyn__V1__Credit credit = WYN__V1__CREDIT__INIT;
	Wyn__V1__Welcome welcome = WYN__V1__WELCOME__INIT;
	char *functions[] = {(char *)"echo"};
	struct wyn_message message;

	(void)state;
	limits.max_frame = 1 << 20;
	limits.max_batch = 65536;
	limits.max_argument = 64 << 20;
	limits.max_value = 64 << 20;
	credit.tasks = 65536;
	credit.argument_bytes = 128 << 20;
	welcome.version = 1;
	welcome.limits = &limits;
	welcome.credit = &credit;
	welcome.functions = functions;
	welcome.n_functions = 1;
	welcome.server_name = (char *)"wynd";
	compare_frame(2, WYN_MESSAGE_WELCOME, &welcome);

	message = decode(2);
	assert_int_equal(message.kind, WYN_MESSAGE_WELCOME);
	assert_int_equal(message.frame->welcome->limits->max_frame, 1 << 20);
	assert_int_equal(message.frame->welcome->credit->tasks, 65536);
	assert_string_equal(message.frame->welcome->functions[0], "echo");
}

static void document_has_our_submit_when_replayed(void **state)
{
	const struct wyn_submit submit = {
		.first_seq = 1,
		.function = BYTES("echo"),
	};
	const struct wyn_slice args[] = {BYTES("hello"), BYTES("world")};
	uint8_t ours[FRAME_BYTES_MAX] = {0};
	struct wyn_message message;
	struct wyn_slice arg;

	(void)state;
	compare(3, ours, wyn_submit_encode(&submit, args, 2, ours));

	message = decode(3);
	assert_int_equal(message.kind, WYN_MESSAGE_SUBMIT);
	assert_int_equal(message.submit.first_seq, 1);
	assert_true(wyn_slice_equal(message.submit.function, submit.function));
	assert_int_equal(message.submit.args.count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_true(wyn_args_next(&message.submit.args, &arg));
		assert_true(wyn_slice_equal(arg, args[i]));
	}
}

static void document_has_our_results_when_replayed(void **state)
{
	const struct wyn_result rows[] = {
		{.seq = 1, .value = BYTES("hello")},
		{.seq = 2, .value = BYTES("world")},
	};
	uint8_t ours[FRAME_BYTES_MAX] = {0};
	struct wyn_message message;
	struct wyn_result row;

	(void)state;
	compare(4, ours, wyn_sample_results(rows, 2, 0, ours));

	message = decode(4);
	assert_int_equal(message.kind, WYN_MESSAGE_RESULTS);
	for (size_t i = 0; i < 2; i++) {
		assert_true(wyn_results_next(&message.results, &row));
		assert_int_equal(row.seq, rows[i].seq);
		assert_int_equal(row.code, 0);
		assert_true(wyn_slice_equal(row.value, rows[i].value));
	}
	assert_false(wyn_results_next(&message.results, &row));
}

static void document_has_our_refused_submit_when_replayed(void **state)
{
	const struct wyn_submit submit = {
		.first_seq = 3,
		.function = BYTES("ecko"),
		.options = {.timeout_ms = 1000},
	};
	const struct wyn_slice arg = {NULL, 0};
	uint8_t ours[FRAME_BYTES_MAX] = {0};
	struct wyn_message message;

	(void)state;
	compare(5, ours, wyn_submit_encode(&submit, &arg, 1, ours));

	message = decode(5);
	assert_int_equal(message.kind, WYN_MESSAGE_SUBMIT);
	assert_int_equal(message.submit.options.timeout_ms, 1000);
	assert_int_equal(message.submit.args.count, 1);
	assert_int_equal(message.submit.args.bytes_total, 0);
}

static void document_has_our_refusal_when_replayed(void **state)
{
	const struct wyn_detail detail = {
		.message =
			BYTES("no function \"ecko\"; did you mean \"echo\"?"),
		.reason = BYTES("FUNCTION_UNKNOWN"),
		.ran = WYN__V1__RAN__RAN_NO,
	};
	const struct wyn_result expected = {
		.seq = 3, .code = 5, .detail = &detail};
	uint8_t ours[FRAME_BYTES_MAX] = {0};
	struct wyn_message message;
	struct wyn_result row;

	(void)state;
	compare(6, ours, wyn_sample_results(&expected, 1, 0, ours));

	message = decode(6);
	assert_int_equal(message.kind, WYN_MESSAGE_RESULTS);
	assert_true(wyn_results_next(&message.results, &row));
	assert_int_equal(row.seq, 3);
	assert_int_equal(row.code, 5);
	assert_non_null(row.detail);
	assert_true(wyn_slice_equal(row.detail->reason, detail.reason));
	assert_true(wyn_slice_equal(row.detail->message, detail.message));
	assert_int_equal(row.detail->ran, WYN__V1__RAN__RAN_NO);
}

static void document_has_our_finish_when_replayed(void **state)
{
	Wyn__V1__Finish finish = WYN__V1__FINISH__INIT;

	(void)state;
	compare_frame(7, WYN_MESSAGE_FINISH, &finish);

	assert_int_equal(decode(7).kind, WYN_MESSAGE_FINISH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(document_has_the_exchange_when_read),
		cmocka_unit_test(document_has_our_preface_when_replayed),
		cmocka_unit_test(document_has_our_hello_when_replayed),
		cmocka_unit_test(document_has_our_welcome_when_replayed),
		cmocka_unit_test(document_has_our_submit_when_replayed),
		cmocka_unit_test(document_has_our_results_when_replayed),
		cmocka_unit_test(document_has_our_refused_submit_when_replayed),
		cmocka_unit_test(document_has_our_refusal_when_replayed),
		cmocka_unit_test(document_has_our_finish_when_replayed),
	};

	return cmocka_run_group_tests(tests, document_read, NULL);
}
