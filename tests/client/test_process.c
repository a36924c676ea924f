// SPDX-License-Identifier: MIT
/*
 * test_process.c - a client in an event loop: never a call that waits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <wyn/client.h>

#include "base/compiler.h"
#include "tests/support/peer.h"

static struct wyn_client_event event;

/* Polls as the client says, until it has an event or an error. */
static int run(void)
{
	struct pollfd pollfd;
	int result;

	while ((result = wyn_client_process(peer_client, &event)) == 0) {
		pollfd.fd = wyn_client_fd(peer_client);
		pollfd.events = (short)wyn_client_events(peer_client);
		assert_true(poll(&pollfd, 1,
				    wyn_client_timeout_ms(peer_client)) >= 0);
	}
	return result;
}

static void welcome(void)
{
	const struct wyn_script_limits limits = WYN_SCRIPT_LIMITS;

	script_welcome(&peer_script, &limits);
	peer_send();
}

static int submit_now(uint64_t *ret_seq)
{
	const struct wyn_client_options options = {.nonblock = true};

	return wyn_client_submit(peer_client, "echo",
		(struct wyn_bytes){"argument", 8}, &options, ret_seq);
}

static int setup(void **state)
{
	(void)state;
	peer_create(PEER_NO_CONFIG);
	return 0;
}

static void process_tells_of_the_welcome_when_it_was_started(void **state)
{
	int fd = peer_pair();
	uint64_t seq;

	(void)state;
	assert_int_equal(-1, wyn_client_fd(peer_client));
	assert_int_equal(0, wyn_client_events(peer_client));
	assert_int_equal(0, wyn_client_connect_fd_start(peer_client, fd));
	assert_int_equal(fd, wyn_client_fd(peer_client));
	assert_int_equal(POLLIN | POLLOUT, wyn_client_events(peer_client));
	assert_int_equal(-EAGAIN, submit_now(&seq));
	assert_int_equal(0, wyn_client_process(peer_client, &event));
	assert_int_equal(POLLIN, wyn_client_events(peer_client));
	assert_int_equal(-1, wyn_client_timeout_ms(peer_client));
	welcome();
	assert_int_equal(1, run());
	assert_int_equal(WYN_CLIENT_CONNECTED, event.kind);
	/* The submit that was refused may be tried again. */
	assert_int_equal(0, wyn_client_timeout_ms(peer_client));
	assert_int_equal(1, run());
	assert_int_equal(WYN_CLIENT_ROOM, event.kind);
	assert_int_equal(0, submit_now(&seq));
	assert_int_equal(POLLIN | POLLOUT, wyn_client_events(peer_client));
	assert_int_equal(0, wyn_client_process(peer_client, &event));
	script_value(&peer_script, seq, "value");
	peer_send();
	assert_int_equal(1, run());
	peer_assert_value(&event, seq, "value");
	assert_int_equal(0, wyn_client_process(peer_client, &event));
}

static void process_says_nothing_new_when_the_call_waited(void **state)
{
	(void)state;
	peer_connect();
	assert_int_equal(0, wyn_client_process(peer_client, &event));
}

static void process_is_called_at_once_when_events_are_kept(void **state)
{
	uint64_t first;
	uint64_t second;

	(void)state;
	peer_connect();
	first = peer_submit();
	second = peer_submit();
	assert_int_equal(0, wyn_client_process(peer_client, &event));
	assert_int_equal(-1, wyn_client_timeout_ms(peer_client));
	script_value(&peer_script, first, "kept");
	script_value(&peer_script, second, "awaited");
	peer_send();
	assert_int_equal(0, wyn_client_await(peer_client, second,
				    WYN_CLIENT_FOREVER, &event));
	assert_int_equal(0, wyn_client_timeout_ms(peer_client));
	assert_int_equal(1, wyn_client_process(peer_client, &event));
	peer_assert_value(&event, first, "kept");
	assert_int_equal(0, wyn_client_process(peer_client, &event));
	assert_int_equal(-1, wyn_client_timeout_ms(peer_client));
}

/* The second frame came with the first, so the fd will not announce it. */
static void process_is_called_at_once_when_a_frame_is_unread(void **state)
{
	uint64_t first;
	uint64_t second;

	(void)state;
	peer_connect();
	first = peer_submit();
	second = peer_submit();
	script_value(&peer_script, first, "awaited");
	script_value(&peer_script, second, "unread");
	peer_send();
	assert_int_equal(0, wyn_client_await(peer_client, first,
				    WYN_CLIENT_FOREVER, &event));
	assert_int_equal(0, wyn_client_timeout_ms(peer_client));
	assert_int_equal(1, wyn_client_process(peer_client, &event));
	peer_assert_value(&event, second, "unread");
}

/* Nothing comes before it is granted, so the fd would announce nothing. */
static void process_wants_to_write_when_a_grant_is_due(void **state)
{
	static const uint8_t data[64u << 10];
	struct wyn_message message;
	uint64_t held = 0;
	uint64_t seq;

	(void)state;
	peer_connect();
	seq = peer_submit();
	assert_int_equal(0, wyn_client_process(peer_client, &event));
	peer_read(true);
	while (held <= WYN_CLIENT_STREAM_BYTES_DEFAULT / 4) {
		script_chunk(&peer_script, seq, WYN__V1__STREAM__STREAM_PARTIAL,
			held, (struct wyn_slice){data, sizeof(data)}, false);
		peer_send();
		held += sizeof(data);
		wyn_client_hold(peer_client, held);
		assert_int_equal(1, run());
	}
	assert_int_equal(0, wyn_client_process(peer_client, &event));
	assert_int_equal(POLLIN, wyn_client_events(peer_client));
	wyn_client_hold(peer_client, 0);
	assert_int_equal(POLLIN | POLLOUT, wyn_client_events(peer_client));
	assert_int_equal(0, wyn_client_process(peer_client, &event));
	assert_int_equal(POLLIN, wyn_client_events(peer_client));
	peer_read(false);
	assert_true(script_next(&peer_reader, &message));
	assert_int_equal(WYN_MESSAGE_CREDIT, message.kind);
}

static void process_gives_each_end_when_the_server_has_gone(void **state)
{
	struct wyn_client_loss loss;
	uint64_t seq;

	(void)state;
	peer_connect();
	seq = peer_submit();
	peer_close();
	assert_int_equal(1, run());
	assert_int_equal(seq, event.seq);
	assert_int_equal(WYN_STATUS_UNAVAILABLE, event.code);
	assert_int_equal(0, wyn_client_timeout_ms(peer_client));
	assert_int_equal(-ECONNRESET, run());
	/* Nothing is left to wait for, and the loop must not spin. */
	assert_int_equal(0, wyn_client_events(peer_client));
	assert_int_equal(-1, wyn_client_timeout_ms(peer_client));
	assert_int_equal(0, wyn_client_disconnect(peer_client, &loss));
	assert_int_equal(1, loss.ran_maybe);
	assert_int_equal(
		0, wyn_client_connect_fd_start(peer_client, peer_pair()));
	welcome();
	assert_int_equal(1, run());
	assert_int_equal(WYN_CLIENT_CONNECTED, event.kind);
}

static void process_returns_when_only_pings_come(void **state)
{
	(void)state;
	peer_connect();
	for (uint64_t i = 0; i < 3000; i++) {
		script_ping(&peer_script, i);
	}
	peer_send();
	assert_int_equal(0, wyn_client_process(peer_client, &event));
	assert_int_equal(0, wyn_client_timeout_ms(peer_client));
	while (wyn_client_timeout_ms(peer_client) == 0) {
		assert_int_equal(0, wyn_client_process(peer_client, &event));
	}
}

#define UPLOAD_BYTES (64u << 20)

/* As a server that reads faster than the client can write. */
static ssize_t read_and_drain(void *context, void *buffer, size_t size)
{
	static uint8_t drained[1u << 20];

	(void)buffer;
	while (recv(peer_fd, drained, sizeof(drained), MSG_DONTWAIT) > 0) {
	}
	*(uint64_t *)context += size;
	return (ssize_t)size;
}

static void process_returns_when_the_socket_takes_all(void **state)
{
	uint64_t taken = 0;
	const struct wyn_client_source source = {
		.size = UPLOAD_BYTES,
		.read = read_and_drain,
		.context = &taken,
	};
	uint64_t seq;

	(void)state;
	peer_connect();
	assert_int_equal(0, wyn_client_submit_source(
				    peer_client, "echo", &source, NULL, &seq));
	assert_int_equal(0, wyn_client_process(peer_client, &event));
	assert_true(taken < UPLOAD_BYTES);
	while (wyn_client_uploads(peer_client) > 0) {
		assert_true((wyn_client_events(peer_client) & POLLOUT) != 0);
		assert_int_equal(0, wyn_client_process(peer_client, &event));
	}
	assert_int_equal(UPLOAD_BYTES, taken);
}

static void process_gives_the_welcome_when_a_submit_waited_for_it(void **state)
{
	uint64_t seq;

	(void)state;
	assert_int_equal(
		0, wyn_client_connect_fd_start(peer_client, peer_pair()));
	welcome();
	seq = peer_submit();
	assert_int_equal(1, wyn_client_process(peer_client, &event));
	assert_int_equal(WYN_CLIENT_CONNECTED, event.kind);
	assert_int_equal(1, wyn_client_in_flight(peer_client));
	script_value(&peer_script, seq, "value");
	peer_send();
	assert_int_equal(1, run());
	peer_assert_value(&event, seq, "value");
}

static void process_fails_when_there_is_no_connection(void **state)
{
	(void)state;
	assert_int_equal(-ENOTCONN, wyn_client_process(peer_client, &event));
	assert_int_equal(-1, wyn_client_timeout_ms(peer_client));
}

/* However slow this test is, the server is silent for longer. */
static void keepalive_asks_and_gives_up_when_the_server_is_silent(void **state)
{
	const struct wyn_client_config config = {.keepalive_ms = 1};
	struct wyn_message message;

	(void)state;
	peer_create(&config);
	peer_connect();
	peer_read(true);
	assert_int_equal(-ECONNRESET, run());
	assert_string_equal(
		"CONNECTION_LOST", wyn_client_error(peer_client)->reason);
	peer_read(false);
	assert_true(script_next(&peer_reader, &message));
	assert_int_equal(WYN_MESSAGE_PING, message.kind);
	assert_int_equal(0, message.frame->ping->token);
	assert_false(script_next(&peer_reader, &message));
}

static void keepalive_ends_a_wait_when_the_server_is_silent(void **state)
{
	const struct wyn_client_config config = {.keepalive_ms = 1};
	uint64_t seq;

	(void)state;
	peer_create(&config);
	peer_connect();
	seq = peer_submit();
	assert_int_equal(0,
		wyn_client_await(peer_client, seq, WYN_CLIENT_FOREVER, &event));
	assert_int_equal(WYN_STATUS_UNAVAILABLE, event.code);
}

static void keepalive_is_due_when_nothing_has_come(void **state)
{
	const struct wyn_client_config config = {.keepalive_ms = 3600000};
	int timeout_ms;

	(void)state;
	peer_create(&config);
	peer_connect();
	assert_int_equal(0, wyn_client_process(peer_client, &event));
	timeout_ms = wyn_client_timeout_ms(peer_client);
	assert_in_range(timeout_ms, 1, 3600000);
}

static char address[64];

/* A TCP socket on a port of the kernel's choice, and its address. */
static int tcp_socket(bool listens)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t size = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(0, bind(fd, (const struct sockaddr *)&in, size));
	assert_int_equal(0, getsockname(fd, (struct sockaddr *)&in, &size));
	if (listens) {
		assert_int_equal(0, listen(fd, 1));
	}
	(void)snprintf(address, sizeof(address), "tcp:127.0.0.1:%u",
		ntohs(in.sin_port));
	return fd;
}

static void start_connects_when_an_address_is_given(void **state)
{
	int listener = tcp_socket(true);

	(void)state;
	assert_int_equal(0, wyn_client_connect_start(peer_client, address));
	assert_int_equal(
		-EISCONN, wyn_client_connect_start(peer_client, address));
	peer_close();
	peer_fd = accept(listener, NULL, NULL);
	assert_true(peer_fd >= 0);
	welcome();
	assert_int_equal(1, run());
	assert_int_equal(WYN_CLIENT_CONNECTED, event.kind);
	(void)close(listener);
}

static void start_names_the_address_when_it_is_refused(void **state)
{
	int fd = tcp_socket(false);
	int err;

	(void)state;
	err = wyn_client_connect_start(peer_client, address);
	/* The loopback may refuse before connect(2) returns. */
	assert_int_equal(-ECONNREFUSED, err == 0 ? run() : err);
	assert_string_equal(
		"CANNOT_CONNECT", wyn_client_error(peer_client)->reason);
	assert_non_null(
		strstr(wyn_client_error(peer_client)->message, address));
	(void)close(fd);
}

static void start_says_try_again_when_too_many_wait(void **state)
{
	struct wyn_client *clients[8];
	char directory[] = "/tmp/wyn-process-XXXXXX";
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t n = 0;
	int err = 0;

	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(address, sizeof(address), "unix:%s/s", directory);
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/s", directory);
	assert_int_equal(
		0, bind(listener, (const struct sockaddr *)&un, sizeof(un)));
	assert_int_equal(0, listen(listener, 0));
	while (err == 0 && n < WYN_COUNT_OF(clients)) {
		assert_int_equal(0, wyn_client_create(NULL, &clients[n]));
		err = wyn_client_connect_start(clients[n++], address);
	}
	assert_int_equal(-EAGAIN, err);
	while (n > 0) {
		wyn_client_destroy(clients[--n]);
	}
	(void)close(listener);
	(void)unlink(un.sun_path);
	(void)rmdir(directory);
}

static void start_refuses_when_a_name_would_have_to_be_looked_up(void **state)
{
	(void)state;
	assert_int_equal(-EHOSTUNREACH,
		wyn_client_connect_start(peer_client, "tcp:localhost:1"));
	assert_non_null(strstr(
		wyn_client_error(peer_client)->message, "look up a name"));
	assert_int_equal(
		-EINVAL, wyn_client_connect_start(peer_client, "nonsense"));
	assert_int_equal(-1, wyn_client_fd(peer_client));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, peer_teardown)
/* With a configuration of its own. */
#define CASE_OWN(name) cmocka_unit_test_teardown(name, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(process_tells_of_the_welcome_when_it_was_started),
		CASE(process_says_nothing_new_when_the_call_waited),
		CASE(process_is_called_at_once_when_events_are_kept),
		CASE(process_is_called_at_once_when_a_frame_is_unread),
		CASE(process_wants_to_write_when_a_grant_is_due),
		CASE(process_gives_each_end_when_the_server_has_gone),
		CASE(process_returns_when_only_pings_come),
		CASE(process_returns_when_the_socket_takes_all),
		CASE(process_gives_the_welcome_when_a_submit_waited_for_it),
		CASE(process_fails_when_there_is_no_connection),
		CASE_OWN(keepalive_asks_and_gives_up_when_the_server_is_silent),
		CASE_OWN(keepalive_ends_a_wait_when_the_server_is_silent),
		CASE_OWN(keepalive_is_due_when_nothing_has_come),
		CASE(start_connects_when_an_address_is_given),
		CASE(start_names_the_address_when_it_is_refused),
		CASE(start_says_try_again_when_too_many_wait),
		CASE(start_refuses_when_a_name_would_have_to_be_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
