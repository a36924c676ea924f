// SPDX-License-Identifier: MIT
/*
 * test_frame.c - framing over whole, split, oversized and broken input, and the
 * preface.
 */
#include "proto/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "tests/support/bytes.h"

#define UNTOUCHED ((size_t)0x5a5a)

static void frame_is_ready_when_whole(void **state)
{
	struct wyn_slice data = BYTES("\x00\x00\x00\x00\x03"
				      "abcd");
	struct wyn_frame frame;
	size_t bytes;

	(void)state;
	assert_int_equal(
		wyn_frame_next(data, 3, &frame, &bytes), WYN_FRAME_READY);

	assert_int_equal(bytes, 8);
	assert_int_equal(frame.flags, 0);
	assert_ptr_equal(frame.body.data, data.data + 5);
	assert_int_equal(frame.body.len, 3);
}

static void frame_is_ready_when_its_body_is_empty(void **state)
{
	struct wyn_frame frame;
	size_t bytes;

	(void)state;
	assert_int_equal(wyn_frame_next(BYTES_OF("\x02\x00\x00\x00\x00"), 0,
				 &frame, &bytes),
		WYN_FRAME_READY);

	assert_int_equal(bytes, 5);
	assert_int_equal(frame.flags, WYN_FRAME_FLAG_OPTIONAL);
	assert_int_equal(frame.body.len, 0);
}

static void frame_asks_for_what_is_missing_when_split_anywhere(void **state)
{
	struct wyn_slice data = BYTES("\x00\x00\x00\x00\x07one two");
	struct wyn_frame frame = {.flags = 0xee};
	size_t bytes;

	(void)state;
	for (size_t n = 0; n < data.len; n++) {
		struct wyn_slice part = {data.data, n};

		bytes = 0;
		assert_int_equal(wyn_frame_next(part, 100, &frame, &bytes),
			WYN_FRAME_PARTIAL);
		assert_int_equal(bytes, n < 5 ? 5 : 12);
		assert_int_equal(frame.flags, 0xee);
	}
	assert_int_equal(
		wyn_frame_next(data, 100, &frame, &bytes), WYN_FRAME_READY);
}

static void frame_is_partial_when_there_is_no_data(void **state)
{
	struct wyn_frame frame;
	size_t bytes;

	(void)state;
	assert_int_equal(
		wyn_frame_next((struct wyn_slice){NULL, 0}, 10, &frame, &bytes),
		WYN_FRAME_PARTIAL);

	assert_int_equal(bytes, 5);
}

static void frame_decides_by_the_header_when_broken(void **state)
{
	static const struct {
		struct wyn_slice header;
		size_t body_max;
		enum wyn_frame_state expected;
	} rows[] = {
		{BYTES("\x00\x00\x10\x00\x00"), 1 << 20, WYN_FRAME_PARTIAL},
		{BYTES("\x00\x00\x10\x00\x01"), 1 << 20, WYN_FRAME_TOO_LARGE},
		{BYTES("\x00\x01\x00\x00\x00"), 16 << 20, WYN_FRAME_PARTIAL},
		{BYTES("\x00\x01\x00\x00\x01"), 16 << 20, WYN_FRAME_TOO_LARGE},
		{BYTES("\x00\xff\xff\xff\xff"), 16 << 20, WYN_FRAME_TOO_LARGE},
		{BYTES("\x00\x00\x00\x00\x01"), 0, WYN_FRAME_TOO_LARGE},
		{BYTES("\x01\x00\x00\x00\x01"), 9, WYN_FRAME_BAD_FLAGS},
		{BYTES("\x03\x00\x00\x00\x01"), 9, WYN_FRAME_BAD_FLAGS},
		{BYTES("\x04\x00\x00\x00\x00"), 9, WYN_FRAME_BAD_FLAGS},
		{BYTES("\x80\x00\x00\x00\x00"), 9, WYN_FRAME_BAD_FLAGS},
		{BYTES("\x80\xff\xff\xff\xff"), 9, WYN_FRAME_BAD_FLAGS},
		{BYTES("\x02\x00\x00\x00\x01"), 9, WYN_FRAME_PARTIAL},
	};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(rows); i++) {
		struct wyn_frame frame = {.flags = 0xee};
		size_t bytes = UNTOUCHED;

		assert_int_equal(wyn_frame_next(rows[i].header,
					 rows[i].body_max, &frame, &bytes),
			rows[i].expected);
		assert_int_equal(frame.flags, 0xee);
		if (rows[i].expected != WYN_FRAME_PARTIAL) {
			assert_int_equal(bytes, UNTOUCHED);
		}
	}
}

static void frame_is_ready_when_as_large_as_it_may_be(void **state)
{
	size_t total = WYN_FRAME_HEADER_BYTES + WYN_FRAME_BYTES_HARD;
	uint8_t *data = calloc(1, total);
	struct wyn_frame frame;
	size_t bytes;

	(void)state;
	assert_non_null(data);
	wyn_frame_header_put(data, 0, WYN_FRAME_BYTES_HARD);

	assert_int_equal(wyn_frame_next((struct wyn_slice){data, total},
				 WYN_FRAME_BYTES_HARD, &frame, &bytes),
		WYN_FRAME_READY);
	assert_int_equal(bytes, total);
	assert_int_equal(frame.body.len, WYN_FRAME_BYTES_HARD);
	free(data);
}

static void frame_header_reads_back_when_put(void **state)
{
	static const size_t lengths[] = {0, 1, 255, 256, 65535, 65536, 1 << 20,
		0x123456, WYN_FRAME_BYTES_HARD};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(lengths); i++) {
		uint8_t header[WYN_FRAME_HEADER_BYTES];
		struct wyn_frame frame;
		size_t bytes = 0;

		wyn_frame_header_put(
			header, WYN_FRAME_FLAG_OPTIONAL, lengths[i]);

		(void)wyn_frame_next((struct wyn_slice){header, sizeof(header)},
			WYN_FRAME_BYTES_HARD, &frame, &bytes);
		assert_int_equal(bytes, lengths[i] + 5);
		assert_int_equal(header[0], WYN_FRAME_FLAG_OPTIONAL);
	}
}

static void preface_is_known_when_it_comes_byte_by_byte(void **state)
{
	(void)state;
	for (size_t n = 0; n < WYN_PREFACE_BYTES; n++) {
		struct wyn_slice part = {(const uint8_t *)WYN_PREFACE, n};

		assert_int_equal(wyn_preface_check(part), WYN_PREFACE_PARTIAL);
	}
	assert_int_equal(
		wyn_preface_check(BYTES_OF(WYN_PREFACE)), WYN_PREFACE_READY);
	assert_int_equal(wyn_preface_check(BYTES_OF(WYN_PREFACE "more")),
		WYN_PREFACE_READY);
}

static void preface_is_refused_when_any_byte_differs(void **state)
{
	uint8_t bytes[WYN_PREFACE_BYTES];

	(void)state;
	for (size_t i = 0; i < WYN_PREFACE_BYTES; i++) {
		memcpy(bytes, WYN_PREFACE, WYN_PREFACE_BYTES);
		bytes[i] ^= 0x20;
		/* As soon as the wrong byte is there. */
		assert_int_equal(
			wyn_preface_check((struct wyn_slice){bytes, i + 1}),
			WYN_PREFACE_FOREIGN);
		assert_int_equal(wyn_preface_check((struct wyn_slice){
					 bytes, WYN_PREFACE_BYTES}),
			WYN_PREFACE_FOREIGN);
	}
}

static void preface_is_refused_when_it_is_tls_or_http(void **state)
{
	(void)state;
	assert_int_equal(wyn_preface_check(BYTES_OF("\x16\x03\x01")),
		WYN_PREFACE_FOREIGN);
	assert_int_equal(wyn_preface_check(BYTES_OF("GET / HTTP/1.1\r\n")),
		WYN_PREFACE_FOREIGN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_is_ready_when_whole),
		cmocka_unit_test(frame_is_ready_when_its_body_is_empty),
		cmocka_unit_test(
			frame_asks_for_what_is_missing_when_split_anywhere),
		cmocka_unit_test(frame_is_partial_when_there_is_no_data),
		cmocka_unit_test(frame_decides_by_the_header_when_broken),
		cmocka_unit_test(frame_is_ready_when_as_large_as_it_may_be),
		cmocka_unit_test(frame_header_reads_back_when_put),
		cmocka_unit_test(preface_is_known_when_it_comes_byte_by_byte),
		cmocka_unit_test(preface_is_refused_when_any_byte_differs),
		cmocka_unit_test(preface_is_refused_when_it_is_tls_or_http),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
