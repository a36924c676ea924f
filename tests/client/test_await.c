// SPDX-License-Identifier: MIT
/*
 * test_await.c - the first of several results.
 *
 * What waits for one, or for a call, is in test_client.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include <wyn/client.h>

#include "tests/support/peer.h"

static uint64_t seqs[3];
static struct wyn_client_event event;

static int setup(void **state)
{
	(void)peer_setup(state);
	for (size_t i = 0; i < 3; i++) {
		seqs[i] = peer_submit();
	}
	return 0;
}

static void await_any_gives_the_first_when_others_come_before(void **state)
{
	(void)state;
	script_value(&peer_script, seqs[1], "other");
	script_value(&peer_script, seqs[2], "first");
	script_value(&peer_script, seqs[0], "late");
	peer_send();
	assert_int_equal(0, wyn_client_await_any(peer_client,
				    (uint64_t[]){seqs[0], seqs[2]}, 2,
				    WYN_CLIENT_FOREVER, &event));
	peer_assert_value(&event, seqs[2], "first");
	assert_int_equal(
		0, wyn_client_next(peer_client, WYN_CLIENT_FOREVER, &event));
	peer_assert_value(&event, seqs[1], "other");
}

static void await_any_passes_over_when_results_were_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < 3; i++) {
		script_value(&peer_script, seqs[i], "value");
	}
	peer_send();
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(0, wyn_client_await_any(peer_client, seqs, 3,
					    WYN_CLIENT_FOREVER, &event));
		peer_assert_value(&event, seqs[i], "value");
	}
	assert_int_equal(-ENOENT, wyn_client_await_any(peer_client, seqs, 3,
					  WYN_CLIENT_FOREVER, &event));
}

static void await_any_takes_kept_ones_when_they_are_there(void **state)
{
	(void)state;
	script_value(&peer_script, seqs[1], "kept");
	script_value(&peer_script, seqs[2], "last");
	peer_send();
	assert_int_equal(0, wyn_client_await(peer_client, seqs[2],
				    WYN_CLIENT_FOREVER, &event));
	assert_int_equal(0, wyn_client_await_any(peer_client, seqs, 2,
				    WYN_CLIENT_AT_ONCE, &event));
	peer_assert_value(&event, seqs[1], "kept");
}

static void await_any_wants_no_more_when_its_time_is_over(void **state)
{
	(void)state;
	assert_int_equal(-ETIMEDOUT,
		wyn_client_await_any(peer_client, seqs, 1, 1, &event));
	script_value(&peer_script, seqs[0], "kept");
	script_value(&peer_script, seqs[1], "wanted");
	peer_send();
	assert_int_equal(0, wyn_client_await_any(peer_client, seqs + 1, 2,
				    WYN_CLIENT_FOREVER, &event));
	peer_assert_value(&event, seqs[1], "wanted");
}

static void await_any_fails_when_none_is_given(void **state)
{
	(void)state;
	assert_int_equal(-ENOENT, wyn_client_await_any(peer_client, NULL, 0,
					  WYN_CLIENT_FOREVER, &event));
}

static void await_any_gives_the_end_when_the_connection_breaks(void **state)
{
	(void)state;
	peer_close();
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(0, wyn_client_await_any(peer_client, seqs + 1,
					    2, WYN_CLIENT_FOREVER, &event));
		assert_int_equal(WYN_STATUS_UNAVAILABLE, event.code);
		assert_true(event.seq == seqs[1] || event.seq == seqs[2]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			await_any_gives_the_first_when_others_come_before,
			setup, peer_teardown),
		cmocka_unit_test_setup_teardown(
			await_any_passes_over_when_results_were_taken, setup,
			peer_teardown),
		cmocka_unit_test_setup_teardown(
			await_any_takes_kept_ones_when_they_are_there, setup,
			peer_teardown),
		cmocka_unit_test_setup_teardown(
			await_any_wants_no_more_when_its_time_is_over, setup,
			peer_teardown),
		cmocka_unit_test_setup_teardown(
			await_any_fails_when_none_is_given, setup,
			peer_teardown),
		cmocka_unit_test_setup_teardown(
			await_any_gives_the_end_when_the_connection_breaks,
			setup, peer_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
