// SPDX-License-Identifier: MIT
/*
 * test_inbox.c - the receive buffer: frames out of whatever pieces come in.
 */
#include "client/inbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#define BODY_MAX (4u << 20)

static struct wyn_inbox inbox;

static int teardown(void **state)
{
	(void)state;
	wyn_inbox_fini(&inbox);
	return 0;
}

static void put(const void *data, size_t size)
{
	const uint8_t *from = data;

	while (size > 0) {
		uint8_t *room;
		size_t bytes;

		assert_int_equal(0, wyn_inbox_room(&inbox, &room, &bytes));
		assert_true(bytes > 0);
		bytes = bytes < size ? bytes : size;
		memcpy(room, from, bytes);
		wyn_inbox_received(&inbox, bytes);
		from += bytes;
		size -= bytes;
	}
}

static void assert_frame(const void *body, size_t size)
{
	struct wyn_frame frame;

	assert_int_equal(
		WYN_FRAME_READY, wyn_inbox_next(&inbox, BODY_MAX, &frame));
	assert_int_equal(size, frame.body.len);
	assert_memory_equal(body, frame.body.data, size);
}

static void assert_partial(void)
{
	struct wyn_frame frame;

	assert_int_equal(
		WYN_FRAME_PARTIAL, wyn_inbox_next(&inbox, BODY_MAX, &frame));
}

static void inbox_waits_when_it_is_empty(void **state)
{
	(void)state;
	assert_partial();
}

static void inbox_gives_the_frame_when_its_last_byte_comes(void **state)
{
	static const uint8_t bytes[] = {0, 0, 0, 0, 3, 'o', 'n', 'e'};

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		assert_partial();
		put(bytes + i, 1);
	}
	assert_frame("one", 3);
	assert_partial();
}

static void inbox_gives_both_when_two_came_at_once(void **state)
{
	static const uint8_t bytes[] = {
		0, 0, 0, 0, 1, 'a', 0, 0, 0, 0, 2, 'b', 'c', 0, 0};

	(void)state;
	put(bytes, sizeof(bytes));
	assert_frame("a", 1);
	assert_frame("bc", 2);
	assert_partial();
}

static void inbox_grows_when_a_frame_is_larger_than_it(void **state)
{
	static uint8_t body[3 * WYN_INBOX_BYTES];
	const uint8_t header[] = {0, (uint8_t)(sizeof(body) >> 24),
		(uint8_t)(sizeof(body) >> 16), (uint8_t)(sizeof(body) >> 8),
		(uint8_t)sizeof(body)};

	(void)state;
	memset(body, 'x', sizeof(body));
	put(header, sizeof(header));
	assert_partial();
	put(body, sizeof(body));
	assert_frame(body, sizeof(body));
}

/* What is left of a frame is moved when more is read: it is to be little. */
static void inbox_cuts_no_piece_of_a_stream_when_much_is_there(void **state)
{
	enum {
		BODY = (64u << 10) + 20,
		FRAME = 5 + BODY
	};
	static uint8_t piece[FRAME] = {
		0, 0, BODY >> 16, BODY >> 8 & 0xff, BODY & 0xff};
	struct wyn_frame frame;
	size_t at = 0;

	(void)state;
	for (unsigned reads = 0; reads < 10; reads++) {
		uint8_t *room;
		size_t bytes;

		assert_int_equal(0, wyn_inbox_room(&inbox, &room, &bytes));
		for (size_t i = 0; i < bytes; i++, at++) {
			room[i] = piece[at % FRAME];
		}
		wyn_inbox_received(&inbox, bytes);
		while (wyn_inbox_next(&inbox, BODY_MAX, &frame) ==
			WYN_FRAME_READY) {
			assert_int_equal(frame.body.len, BODY);
		}
		assert_in_range(inbox.tail - inbox.head, 0, FRAME / 8);
	}
}

static void inbox_tells_by_the_header_when_a_frame_is_too_large(void **state)
{
	static const uint8_t header[] = {0, 0xff, 0xff, 0xff, 0xff};
	struct wyn_frame frame;

	(void)state;
	put(header, sizeof(header));
	assert_int_equal(
		WYN_FRAME_TOO_LARGE, wyn_inbox_next(&inbox, BODY_MAX, &frame));
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(inbox_waits_when_it_is_empty),
		TEST(inbox_gives_the_frame_when_its_last_byte_comes),
		TEST(inbox_gives_both_when_two_came_at_once),
		TEST(inbox_grows_when_a_frame_is_larger_than_it),
		TEST(inbox_cuts_no_piece_of_a_stream_when_much_is_there),
		TEST(inbox_tells_by_the_header_when_a_frame_is_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
