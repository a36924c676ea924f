// SPDX-License-Identifier: MIT
/*
 * test_handover.c - sockets in order, a full box, and what is left in it.
 */
#include "daemon/io/handover.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static struct wyn_handed taken[WYN_HANDOVER_MAX];

static void handover_gives_in_order_what_was_put(void **state)
{
	struct wyn_handover handover;

	(void)state;
	assert_int_equal(wyn_handover_init(&handover), 0);
	for (int fd = 100; fd < 103; fd++) {
		const struct wyn_handed socket = {
			.fd = fd, .kind = WYN_ENDPOINT_TCP};

		assert_true(wyn_handover_put(&handover, &socket));
	}
	assert_int_equal(wyn_handover_take(&handover, taken), 3);
	assert_int_equal(taken[0].fd, 100);
	assert_int_equal(taken[2].fd, 102);
	assert_int_equal(wyn_handover_take(&handover, taken), 0);
	wyn_handover_fini(&handover);
}

static void handover_has_no_room_when_it_is_full(void **state)
{
	const struct wyn_handed socket = {.fd = 100};
	struct wyn_handover handover;

	(void)state;
	assert_int_equal(wyn_handover_init(&handover), 0);
	for (size_t i = 0; i < WYN_HANDOVER_MAX; i++) {
		assert_true(wyn_handover_room(&handover));
		assert_true(wyn_handover_put(&handover, &socket));
	}
	assert_false(wyn_handover_room(&handover));
	assert_false(wyn_handover_put(&handover, &socket));
	assert_int_equal(wyn_handover_take(&handover, taken), WYN_HANDOVER_MAX);
	assert_true(wyn_handover_room(&handover));
	wyn_handover_fini(&handover);
}

static void handover_closes_what_was_never_taken(void **state)
{
	struct wyn_handed socket = {.fd = open("/dev/null", O_RDONLY)};
	struct wyn_handover handover;

	(void)state;
	assert_true(socket.fd >= 0);
	assert_int_equal(wyn_handover_init(&handover), 0);
	assert_true(wyn_handover_put(&handover, &socket));
	wyn_handover_fini(&handover);
	assert_int_equal(fcntl(socket.fd, F_GETFD), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(handover_gives_in_order_what_was_put),
		cmocka_unit_test(handover_has_no_room_when_it_is_full),
		cmocka_unit_test(handover_closes_what_was_never_taken),
	};

	return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
