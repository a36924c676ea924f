// SPDX-License-Identifier: MIT
/*
 * test_outbox.c - the send buffer: what is put in comes out, once, in order.
 */
#include "client/outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static struct wyn_outbox outbox;

static int teardown(void **state)
{
	(void)state;
	wyn_outbox_fini(&outbox);
	return 0;
}

static void put(int byte, size_t size)
{
	uint8_t *room = wyn_outbox_reserve(&outbox, size);

	assert_non_null(room);
	memset(room, byte, size);
	wyn_outbox_commit(&outbox, size);
}

static void outbox_has_nothing_to_send_when_new(void **state)
{
	(void)state;
	assert_int_equal(0, wyn_outbox_pending(&outbox).len);
	assert_false(wyn_outbox_full(&outbox));
}

static void outbox_sends_what_was_committed_when_more_was_reserved(void **state)
{
	(void)state;
	assert_non_null(wyn_outbox_reserve(&outbox, 100));
	wyn_outbox_commit(&outbox, 7);
	assert_int_equal(7, wyn_outbox_pending(&outbox).len);
}

static void outbox_keeps_the_rest_when_the_socket_took_a_part(void **state)
{
	struct wyn_slice rest;

	(void)state;
	put('a', 3);
	put('b', 2);
	wyn_outbox_sent(&outbox, 2);
	rest = wyn_outbox_pending(&outbox);
	assert_int_equal(3, rest.len);
	assert_memory_equal("abb", rest.data, 3);
}

static void outbox_keeps_what_is_unsent_when_it_must_grow(void **state)
{
	struct wyn_slice all;

	(void)state;
	put('a', 40000);
	wyn_outbox_sent(&outbox, 39999);
	put('b', 60000);
	put('c', 200000);
	all = wyn_outbox_pending(&outbox);
	assert_int_equal(260001, all.len);
	assert_int_equal('a', all.data[0]);
	assert_int_equal('b', all.data[1]);
	assert_int_equal('c', all.data[60001]);
	assert_int_equal('c', all.data[260000]);
}

static void outbox_is_full_when_its_high_mark_is_reached(void **state)
{
	(void)state;
	put('a', WYN_OUTBOX_HIGH_BYTES - 1);
	assert_false(wyn_outbox_full(&outbox));
	put('a', 1);
	assert_true(wyn_outbox_full(&outbox));
	wyn_outbox_sent(&outbox, 1);
	assert_false(wyn_outbox_full(&outbox));
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(outbox_has_nothing_to_send_when_new),
		TEST(outbox_sends_what_was_committed_when_more_was_reserved),
		TEST(outbox_keeps_the_rest_when_the_socket_took_a_part),
		TEST(outbox_keeps_what_is_unsent_when_it_must_grow),
		TEST(outbox_is_full_when_its_high_mark_is_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
