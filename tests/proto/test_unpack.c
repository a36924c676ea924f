// SPDX-License-Identifier: MIT
/*
 * test_unpack.c - the strict way gives what the walker gives, for the canonical
 * form and for the oddest form of the same message.
 */
#include "proto/unpack.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/prng.h"
#include "proto/field.h"
#include "proto/frame.h"
#include "proto/walk.h"
#include "tests/support/bytes.h"
#include "tests/support/messages.h"

#define ROUNDS 2000
#define SEED   0x7779

static _Alignas(16) uint8_t memory[1 << 20];
static _Alignas(16) uint8_t other_memory[1 << 20];
static struct wyn_sample sample;
static uint8_t frame[WYN_SAMPLE_FRAME_BYTES];
static uint8_t odd[2 * WYN_SAMPLE_FRAME_BYTES];

/* Ten bytes for any number below 2^63, most of them for nothing. */
static uint8_t *long_varint_put(uint8_t *out, uint64_t value, size_t bytes)
{
	for (size_t i = 0; i + 1 < bytes; i++) {
		*out++ = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	*out++ = (uint8_t)value;
	return out;
}

/* A column, one field per number. */
static uint8_t *unpacked_put(
	uint8_t *out, uint8_t number, struct wyn_slice packed)
{
	struct wyn_reader in = wyn_reader_of(packed);
	uint64_t value;

	while (in.at < in.end) {
		assert_true(wyn_varint_read(&in, &value) > 0);
		out = long_varint_put(out, WYN_TAG_VARINT(number), 3);
		out = long_varint_put(out, value, 10);
	}
	return out;
}

static bool is_column(enum wyn_message_kind kind, uint8_t number)
{
	return (kind == WYN_MESSAGE_SUBMIT && number == 5) ||
	       (kind == WYN_MESSAGE_RESULTS && number <= 2);
}

/* Copies the fields `number` of a canonical message, in long forms. */
static uint8_t *fields_put(uint8_t *out, enum wyn_message_kind kind,
	uint8_t number, struct wyn_slice inner)
{
	struct wyn_reader in = wyn_reader_of(inner);

	while (in.at < in.end) {
		struct wyn_slice bytes = {NULL, 0};
		uint64_t value = 0;
		uint8_t tag = *in.at;
		bool wanted = tag >> 3 == number;

		assert_true((tag & 7) == 2
				    ? wyn_field_take_bytes(&in, tag, &bytes)
				    : wyn_field_take_u64(&in, tag, &value));
		if (!wanted) {
			continue;
		}
		if (is_column(kind, number)) {
			out = unpacked_put(out, number, bytes);
			continue;
		}
		out = long_varint_put(out, tag, 2);
		if ((tag & 7) == 0) {
			out = long_varint_put(out, value, 10);
			continue;
		}
		out = long_varint_put(out, bytes.len, 5);
		memcpy(out, bytes.data, bytes.len);
		out += bytes.len;
	}
	return out;
}

/* The same message: fields descending, numbers long, columns unpacked, and
 * fields of the future in between. */
static struct wyn_slice oddly(enum wyn_message_kind kind, struct wyn_slice body)
{
	struct wyn_reader in = wyn_reader_of(body);
	struct wyn_slice inner = {NULL, 0};
	uint8_t *start = odd + 16;
	uint8_t *out = start;
	uint8_t *head = odd;

	assert_true(wyn_field_take_bytes(&in, WYN_TAG_BYTES(kind), &inner));
	for (uint8_t number = 5; number > 0; number--) {
		out = fields_put(out, kind, number, inner);
		memcpy(out, "\xfa\x01\x02??", 5);
		out += 5;
	}
	head = long_varint_put(head, WYN_TAG_BYTES(kind), 5);
	head = long_varint_put(head, (uint64_t)(out - start), 5);
	memmove(head, start, (size_t)(out - start));
	return (struct wyn_slice){odd, (size_t)(head - odd + (out - start))};
}

static enum wyn_message_kind hot_kind(unsigned i)
{
	return (enum wyn_message_kind)(WYN_MESSAGE_SUBMIT + i % 3);
}

static struct wyn_slice body_make(
	enum wyn_message_kind kind, struct wyn_prng *prng)
{
	size_t bytes;

	wyn_sample_make(&sample, kind, prng);
	bytes = wyn_sample_encode(&sample, frame);
	return (struct wyn_slice){
		frame + WYN_FRAME_HEADER_BYTES, bytes - WYN_FRAME_HEADER_BYTES};
}

static void agree(struct wyn_slice walked, struct wyn_slice unpacked)
{
	struct wyn_arena arena;
	struct wyn_arena other;
	struct wyn_message a;
	struct wyn_message b;

	wyn_arena_init(&arena, memory, sizeof(memory));
	wyn_arena_init(&other, other_memory, sizeof(other_memory));
	assert_int_equal(wyn_walk_message(walked, &arena, &a), 0);
	assert_int_equal(wyn_unpack_message(unpacked, &other, &b), 0);
	assert_true(wyn_message_equal(&a, &b));
}

static void unpack_agrees_with_the_walker_when_canonical(void **state)
{
	struct wyn_prng prng;

	(void)state;
	print_message("seed %d\n", SEED);
	wyn_prng_init(&prng, SEED);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct wyn_slice body = body_make(hot_kind(i), &prng);

		agree(body, body);
	}
}

static void unpack_agrees_with_the_walker_when_written_oddly(void **state)
{
	struct wyn_prng prng;

	(void)state;
	print_message("seed %d\n", SEED);
	wyn_prng_init(&prng, SEED);
	for (unsigned i = 0; i < ROUNDS; i++) {
		enum wyn_message_kind kind = hot_kind(i);
		struct wyn_slice body = body_make(kind, &prng);
		struct wyn_slice strange = oddly(kind, body);
		struct wyn_arena arena;
		struct wyn_message message;

		wyn_arena_init(&arena, memory, sizeof(memory));
		assert_int_equal(
			wyn_walk_message(strange, &arena, &message), -EINVAL);
		agree(body, strange);
	}
}

static void unpack_gives_the_struct_when_not_hot(void **state)
{
	struct wyn_arena arena;
	struct wyn_message message;

	(void)state;
	wyn_arena_init(&arena, memory, sizeof(memory));
	assert_int_equal(wyn_unpack_message(BYTES_OF("\x5a\x02\x08\x07"),
				 &arena, &message),
		0);

	assert_int_equal(message.kind, WYN_MESSAGE_PING);
	assert_int_equal(message.frame->ping->token, 7);
}

static void unpack_narrows_enums_when_negative_or_unknown(void **state)
{
	struct wyn_arena arena;
	struct wyn_message message;

	(void)state;
	wyn_arena_init(&arena, memory, sizeof(memory));
	assert_int_equal(
		wyn_unpack_message(BYTES_OF("\x1a\x0b\x10\xff\xff\xff\xff\xff"
					    "\xff\xff\xff\xff\x01"),
			&arena, &message),
		0);
	assert_int_equal(message.chunk.stream, 255);
	assert_int_equal(wyn_unpack_message(BYTES_OF("\x1a\x03\x10\x86\x02"),
				 &arena, &message),
		0);
	assert_int_equal(message.chunk.stream, 255);
}

/* Cut the arena at every size: it must be refused or right, never wrong. */
static void unpack_refuses_when_the_arena_is_too_small(void **state)
{
	struct wyn_prng prng;
	struct wyn_slice body;
	size_t bytes = 0;
	int err = -ENOBUFS;

	(void)state;
	wyn_prng_init(&prng, SEED);
	for (enum wyn_message_kind kind = WYN_MESSAGE_SUBMIT;
		kind <= WYN_MESSAGE_CHUNK; kind++) {
		body = oddly(kind, body_make(kind, &prng));
		for (bytes = 0, err = -ENOBUFS; err; bytes += 16) {
			struct wyn_arena arena;
			struct wyn_message message;

			assert_true(bytes < sizeof(memory));
			wyn_arena_init(&arena, memory, bytes);
			err = wyn_unpack_message(body, &arena, &message);
			assert_true(err == 0 || err == -ENOBUFS);
			assert_int_equal(arena.exhausted, err != 0);
		}
		assert_true(bytes > 64);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unpack_agrees_with_the_walker_when_canonical),
		cmocka_unit_test(
			unpack_agrees_with_the_walker_when_written_oddly),
		cmocka_unit_test(unpack_gives_the_struct_when_not_hot),
		cmocka_unit_test(unpack_narrows_enums_when_negative_or_unknown),
		cmocka_unit_test(unpack_refuses_when_the_arena_is_too_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
