// SPDX-License-Identifier: MIT
/*
 * test_attach.c - what a break leaves behind, and the connection after it.
 *
 * Over pairs of sockets; where an address is needed, a listener in a directory
 * of the test's own, with a thread that welcomes whoever comes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <wyn/client.h>

#include "tests/support/peer.h"

static struct wyn_client_event event;
static struct wyn_client_loss loss;

static void assert_lost(uint64_t seq, enum wyn_client_ran ran)
{
	assert_int_equal(
		0, wyn_client_next(peer_client, WYN_CLIENT_AT_ONCE, &event));
	assert_int_equal(WYN_CLIENT_RESULT, event.kind);
	assert_int_equal(seq, event.seq);
	assert_int_equal(ran, event.ran);
	assert_int_equal(ran == WYN_CLIENT_RAN_NO
				 ? WYN_STATUS_FAILED_PRECONDITION
				 : WYN_STATUS_UNAVAILABLE,
		event.code);
}

static void attach_reports_the_lost_when_the_server_has_gone(void **state)
{
	const struct wyn_client_options quiet = {.quiet = true};
	uint64_t first = peer_submit();
	uint64_t second = peer_submit();
	uint64_t ignored;

	(void)state;
	assert_int_equal(
		0, wyn_client_submit(peer_client, "echo",
			   (struct wyn_bytes){"quiet", 5}, &quiet, &ignored));
	script_value(&peer_script, first, "answered");
	script_go_away(&peer_script, second - 1);
	peer_send();
	peer_close();
	assert_int_equal(0, wyn_client_await(peer_client, first,
				    WYN_CLIENT_FOREVER, &event));
	assert_int_equal(0, wyn_client_disconnect(peer_client, &loss));
	assert_int_equal(0, loss.ran_maybe);
	assert_int_equal(1, loss.ran_no);
	assert_int_equal(1, loss.quiet);
	assert_int_equal(second, loss.first_seq);
	assert_int_equal(second, loss.last_seq);
	assert_int_equal(-1, wyn_client_fd(peer_client));
	assert_int_equal(0, wyn_client_in_flight(peer_client));
}

static void attach_keeps_the_ends_when_it_disconnects(void **state)
{
	uint64_t first = peer_submit();
	uint64_t second = peer_submit();

	(void)state;
	assert_int_equal(0, wyn_client_disconnect(peer_client, &loss));
	assert_int_equal(2, loss.ran_maybe);
	assert_int_equal(first, loss.first_seq);
	assert_int_equal(second, loss.last_seq);
	assert_string_equal("CONNECTION_CLOSED", loss.error.reason);
	assert_lost(first, WYN_CLIENT_RAN_MAYBE);
	assert_lost(second, WYN_CLIENT_RAN_MAYBE);
	assert_int_equal(-ENOTCONN,
		wyn_client_next(peer_client, WYN_CLIENT_FOREVER, &event));
}

static void attach_counts_the_lost_when_they_were_told_before(void **state)
{
	uint64_t seq = peer_submit();

	(void)state;
	peer_close();
	assert_int_equal(
		0, wyn_client_next(peer_client, WYN_CLIENT_FOREVER, &event));
	assert_int_equal(seq, event.seq);
	assert_int_equal(-ECONNRESET,
		wyn_client_next(peer_client, WYN_CLIENT_FOREVER, &event));
	assert_int_equal(0, wyn_client_disconnect(peer_client, &loss));
	assert_int_equal(1, loss.ran_maybe);
	assert_int_equal(-ECONNRESET, loss.error.error);
	assert_int_equal(-ENOTCONN,
		wyn_client_next(peer_client, WYN_CLIENT_AT_ONCE, &event));
	assert_int_equal(0, wyn_client_disconnect(peer_client, &loss));
	assert_int_equal(0, loss.ran_maybe);
	assert_int_equal(0, loss.error.error);
}

static void attach_goes_on_with_seqs_when_it_connects_again(void **state)
{
	uint64_t lost = peer_submit();
	uint64_t seq;

	(void)state;
	assert_int_equal(0, wyn_client_disconnect(peer_client, &loss));
	peer_connect();
	seq = peer_submit();
	assert_true(seq > lost);
	assert_int_equal(1, wyn_client_in_flight(peer_client));
	script_value(&peer_script, seq, "new");
	peer_send();
	assert_int_equal(0,
		wyn_client_await(peer_client, seq, WYN_CLIENT_FOREVER, &event));
	peer_assert_value(&event, seq, "new");
	assert_lost(lost, WYN_CLIENT_RAN_MAYBE);
	assert_int_equal(-ENODATA,
		wyn_client_next(peer_client, WYN_CLIENT_FOREVER, &event));
}

static void attach_gives_results_when_they_came_before_the_end(void **state)
{
	uint64_t first = peer_submit();
	uint64_t second = peer_submit();
	uint64_t third = peer_submit();

	(void)state;
	script_value(&peer_script, first, "one");
	script_value(&peer_script, second, "two");
	peer_send();
	assert_int_equal(0, wyn_client_await(peer_client, first,
				    WYN_CLIENT_FOREVER, &event));
	assert_int_equal(0, wyn_client_disconnect(peer_client, &loss));
	assert_int_equal(1, loss.ran_maybe);
	assert_int_equal(third, loss.first_seq);
	assert_int_equal(
		0, wyn_client_next(peer_client, WYN_CLIENT_AT_ONCE, &event));
	peer_assert_value(&event, second, "two");
	assert_lost(third, WYN_CLIENT_RAN_MAYBE);
}

static void attach_counts_credit_anew_when_it_connects_again(void **state)
{
	struct wyn_script_limits limits = WYN_SCRIPT_LIMITS;
	const struct wyn_client_options options = {.nonblock = true};
	uint64_t seq;
	int fd;

	(void)state;
	assert_int_equal(0, wyn_client_disconnect(peer_client, &loss));
	fd = peer_pair();
	limits.tasks = 1;
	script_welcome(&peer_script, &limits);
	peer_send();
	assert_int_equal(
		0, wyn_client_connect_fd(peer_client, fd, WYN_CLIENT_FOREVER));
	(void)peer_submit();
	assert_int_equal(
		-EAGAIN, wyn_client_submit(peer_client, "echo",
				 (struct wyn_bytes){"a", 1}, &options, &seq));
}

static void attach_may_be_tried_again_when_a_handshake_failed(void **state)
{
	int fd = peer_pair();

	(void)state;
	peer_close();
	peer_create(PEER_NO_CONFIG);
	assert_int_equal(-EPIPE,
		wyn_client_connect_fd(peer_client, fd, WYN_CLIENT_FOREVER));
	assert_string_equal(
		"CONNECTION_CLOSED", wyn_client_error(peer_client)->reason);
	peer_connect();
	(void)peer_submit();
}

static void attach_blames_the_break_when_attempts_failed_before(void **state)
{
	int fd = peer_pair();

	(void)state;
	peer_close();
	peer_create(PEER_NO_CONFIG);
	assert_int_equal(-EPIPE,
		wyn_client_connect_fd(peer_client, fd, WYN_CLIENT_FOREVER));
	peer_connect();
	peer_read(true);
	script_error(&peer_script, "TEST_REASON", "because");
	peer_send();
	assert_int_equal(-EPROTO,
		wyn_client_next(peer_client, WYN_CLIENT_FOREVER, &event));
	assert_int_equal(0, wyn_client_disconnect(peer_client, &loss));
	assert_string_equal("TEST_REASON", loss.error.reason);
}

static char path[64];
static int listener;
static pthread_t welcomer;

/* Welcomes as many as come, until the listener is shut down. */
static void *welcome_all(void *unused)
{
	static struct wyn_script script;
	const struct wyn_script_limits limits = WYN_SCRIPT_LIMITS;
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		script.len = 0;
		script_welcome(&script, &limits);
		(void)send(fd, script.data, script.len, MSG_NOSIGNAL);
		(void)shutdown(fd, SHUT_WR);
	}
	return unused;
}

static void welcome_start(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
		path + strlen("unix:"));
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(listener >= 0);
	assert_int_equal(0, bind(listener, (const struct sockaddr *)&address,
				    sizeof(address)));
	assert_int_equal(0, listen(listener, 8));
	assert_int_equal(0, pthread_create(&welcomer, NULL, welcome_all, NULL));
}

static void welcome_stop(void)
{
	(void)shutdown(listener, SHUT_RDWR);
	assert_int_equal(0, pthread_join(welcomer, NULL));
	(void)close(listener);
	(void)unlink(path + strlen("unix:"));
}

static void attach_finds_its_address_when_it_reconnects(void **state)
{
	char directory[] = "/tmp/wyn-attach-XXXXXX";
	uint64_t lost;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "unix:%s/s", directory);
	peer_create(PEER_NO_CONFIG);
	welcome_start();
	assert_int_equal(
		0, wyn_client_connect(peer_client, path, WYN_CLIENT_FOREVER));
	lost = peer_submit();
	assert_int_equal(0, wyn_client_await(peer_client, lost,
				    WYN_CLIENT_FOREVER, &event));
	assert_int_equal(WYN_STATUS_UNAVAILABLE, event.code);
	welcome_stop();
	/* What a failed attempt has seen is told by the one that succeeds. */
	assert_int_equal(-ENOENT,
		wyn_client_reconnect(peer_client, WYN_CLIENT_FOREVER, &loss));
	welcome_start();
	assert_int_equal(0,
		wyn_client_reconnect(peer_client, WYN_CLIENT_FOREVER, &loss));
	assert_int_equal(1, loss.ran_maybe);
	assert_int_equal(lost, loss.first_seq);
	assert_int_equal(-EISCONN,
		wyn_client_reconnect(peer_client, WYN_CLIENT_FOREVER, &loss));
	assert_true(peer_submit() > lost);
	welcome_stop();
	(void)rmdir(directory);
}

static void attach_has_no_address_when_it_was_given_an_fd(void **state)
{
	(void)state;
	assert_int_equal(-EISCONN,
		wyn_client_reconnect(peer_client, WYN_CLIENT_FOREVER, &loss));
	assert_int_equal(0, wyn_client_disconnect(peer_client, &loss));
	assert_int_equal(-ENOTCONN,
		wyn_client_reconnect(peer_client, WYN_CLIENT_FOREVER, &loss));
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, peer_setup, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(attach_reports_the_lost_when_the_server_has_gone),
		CASE(attach_keeps_the_ends_when_it_disconnects),
		CASE(attach_counts_the_lost_when_they_were_told_before),
		CASE(attach_goes_on_with_seqs_when_it_connects_again),
		CASE(attach_gives_results_when_they_came_before_the_end),
		CASE(attach_counts_credit_anew_when_it_connects_again),
		cmocka_unit_test_teardown(
			attach_may_be_tried_again_when_a_handshake_failed,
			peer_teardown),
		cmocka_unit_test_teardown(
			attach_blames_the_break_when_attempts_failed_before,
			peer_teardown),
		cmocka_unit_test_teardown(
			attach_finds_its_address_when_it_reconnects,
			peer_teardown),
		CASE(attach_has_no_address_when_it_was_given_an_fd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
