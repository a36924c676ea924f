// SPDX-License-Identifier: MIT
/*
 * test_adopt.c - which sockets of a service manager are taken, and what of
 * them stays: their files are not ours to remove.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/io/acceptor.h"
#include "daemon/io/listener.h"
#include "daemon/options.h"

struct fixture {
	char directory[64];
	struct sockaddr_un address; /* "s" in the directory */
	struct wyn_fault fault;
};

static const struct wyn_listener_config config = {
	.socket_mode = 0660,
	.socket_group = WYN_NO_GROUP,
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	snprintf(fixture->directory, sizeof(fixture->directory),
		"/tmp/wynd-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	fixture->address.sun_family = AF_UNIX;
	snprintf(fixture->address.sun_path, sizeof(fixture->address.sun_path),
		"%s/s", fixture->directory);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->address.sun_path);
	rmdir(fixture->directory);
	free(fixture);
	return 0;
}

static int bound_unix(const struct fixture *fixture, int type)
{
	int fd = socket(AF_UNIX, type, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&fixture->address,
				 sizeof(fixture->address)),
		0);
	return fd;
}

static int listening_unix(const struct fixture *fixture)
{
	int fd = bound_unix(fixture, SOCK_STREAM);

	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static int listening_tcp(uint32_t host)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(
		bind(fd, (const struct sockaddr *)&address, sizeof(address)),
		0);
	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static void assert_refused(
	struct fixture *fixture, int fd, int error, const char *words)
{
	struct wyn_listener never;

	assert_int_equal(wyn_listener_adopt(fd, "wynd.socket", &config, &never,
				 &fixture->fault),
		error);
	assert_int_equal(fixture->fault.exit_code, WYN_EXIT_CONFIGURATION);
	assert_non_null(strstr(fixture->fault.text, "(wynd.socket)"));
	assert_non_null(strstr(fixture->fault.text, words));
	close(fd);
}

static void adopt_takes_a_unix_socket_and_knows_its_peer(void **state)
{
	struct fixture *fixture = *state;
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	struct wyn_listener listener;
	struct wyn_peer peer = {0};
	int fd = listening_unix(fixture);

	assert_int_equal(wyn_listener_adopt(
				 fd, "x", &config, &listener, &fixture->fault),
		0);
	assert_int_equal(listener.endpoint.kind, WYN_ENDPOINT_UNIX);
	assert_string_equal(listener.endpoint.path, fixture->address.sun_path);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(wyn_listener_accept(&listener, &fd, &peer), -EAGAIN);
	assert_int_equal(connect(client, (struct sockaddr *)&fixture->address,
				 sizeof(fixture->address)),
		0);
	assert_int_equal(wyn_listener_accept(&listener, &fd, &peer), 0);
	assert_true(peer.administrator);
	close(fd);
	close(client);
	wyn_listener_close(&listener);
}

static void adopt_leaves_the_file_when_it_closes(void **state)
{
	struct fixture *fixture = *state;
	struct wyn_listener listener;
	char lock_path[128];

	assert_int_equal(wyn_listener_adopt(listening_unix(fixture), "x",
				 &config, &listener, &fixture->fault),
		0);
	snprintf(lock_path, sizeof(lock_path), "%s.lock",
		fixture->address.sun_path);
	assert_int_equal(access(lock_path, F_OK), -1);
	wyn_listener_close(&listener);
	wyn_listener_close(&listener);
	assert_int_equal(access(fixture->address.sun_path, F_OK), 0);
}

static void adopt_takes_loopback_tcp_that_is_never_an_administrator(
	void **state)
{
	struct fixture *fixture = *state;
	int client = socket(AF_INET, SOCK_STREAM, 0);
	int fd = listening_tcp(INADDR_LOOPBACK);
	struct wyn_peer peer = {.administrator = true};
	struct sockaddr_in address;
	socklen_t bytes = sizeof(address);
	struct wyn_listener listener;

	assert_int_equal(
		getsockname(fd, (struct sockaddr *)&address, &bytes), 0);
	assert_int_equal(wyn_listener_adopt(
				 fd, "x", &config, &listener, &fixture->fault),
		0);
	assert_int_equal(listener.endpoint.kind, WYN_ENDPOINT_TCP);
	assert_string_equal(listener.endpoint.host, "127.0.0.1");
	assert_int_equal(listener.endpoint.port, ntohs(address.sin_port));
	assert_int_equal(
		connect(client, (struct sockaddr *)&address, bytes), 0);
	assert_int_equal(wyn_listener_accept(&listener, &fd, &peer), 0);
	assert_false(peer.administrator);
	close(fd);
	close(client);
	wyn_listener_close(&listener);
}

static void adopt_refuses_tcp_when_it_is_not_loopback(void **state)
{
	assert_refused(
		*state, listening_tcp(INADDR_ANY), -EPERM, "--allow-plaintext");
}

static void adopt_takes_any_address_when_plaintext_is_allowed(void **state)
{
	const struct wyn_listener_config allowed = {
		.allow_plaintext = true, .socket_group = WYN_NO_GROUP};
	struct fixture *fixture = *state;
	struct wyn_listener listener;

	assert_int_equal(wyn_listener_adopt(listening_tcp(INADDR_ANY), "x",
				 &allowed, &listener, &fixture->fault),
		0);
	assert_string_equal(listener.endpoint.host, "0.0.0.0");
	wyn_listener_close(&listener);
}

static void adopt_refuses_what_is_no_socket(void **state)
{
	assert_refused(*state, open("/dev/null", O_RDWR), -ENOTSOCK,
		"is not a socket");
}

static void adopt_refuses_a_socket_that_is_no_stream(void **state)
{
	struct fixture *fixture = *state;
	int packets;

	assert_refused(fixture, bound_unix(fixture, SOCK_DGRAM), -ENOTSOCK,
		"is not a stream socket");
	assert_int_equal(unlink(fixture->address.sun_path), 0);
	packets = bound_unix(fixture, SOCK_SEQPACKET);
	assert_int_equal(listen(packets, 1), 0);
	assert_refused(fixture, packets, -ENOTSOCK, "is not a stream socket");
}

static void adopt_refuses_a_socket_that_does_not_listen(void **state)
{
	struct fixture *fixture = *state;
	int pair[2];

	assert_refused(fixture, bound_unix(fixture, SOCK_STREAM), -ENOTSOCK,
		"does not listen");
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_refused(fixture, pair[0], -ENOTSOCK, "Accept=no");
	close(pair[1]);
}

static void adopt_refuses_a_unix_socket_that_has_no_path(void **state)
{
	const struct sockaddr_un unnamed = {.sun_family = AF_UNIX};
	struct fixture *fixture = *state;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	/* The kernel then gives it an abstract name. */
	assert_int_equal(bind(fd, (const struct sockaddr *)&unnamed,
				 sizeof(unnamed.sun_family)),
		0);
	assert_int_equal(listen(fd, 1), 0);
	assert_refused(fixture, fd, -EINVAL, "has no path");
}

static void acceptor_listens_once_when_the_address_was_adopted(void **state)
{
	struct fixture *fixture = *state;
	struct wyn_endpoint endpoint = {.kind = WYN_ENDPOINT_UNIX};
	struct wyn_acceptor *acceptor;

	memcpy(endpoint.path, fixture->address.sun_path, sizeof(endpoint.path));
	assert_int_equal(wyn_acceptor_create(NULL, 0, &acceptor), 0);
	assert_int_equal(wyn_acceptor_adopt(acceptor, listening_unix(fixture),
				 "x", &config, &fixture->fault),
		0);
	assert_int_equal(wyn_acceptor_listen(
				 acceptor, &endpoint, &config, &fixture->fault),
		0);
	assert_non_null(wyn_acceptor_endpoint(acceptor, 0));
	assert_null(wyn_acceptor_endpoint(acceptor, 1));
	wyn_acceptor_stop(acceptor);
	wyn_acceptor_destroy(acceptor);
}

static void acceptor_refuses_when_there_are_too_many(void **state)
{
	struct fixture *fixture = *state;
	struct wyn_acceptor *acceptor;
	int fd;

	assert_int_equal(wyn_acceptor_create(NULL, 0, &acceptor), 0);
	for (size_t i = 0; i < WYN_LISTEN_MAX; i++) {
		assert_int_equal(wyn_acceptor_adopt(acceptor,
					 listening_tcp(INADDR_LOOPBACK), "x",
					 &config, &fixture->fault),
			0);
	}
	fd = listening_tcp(INADDR_LOOPBACK);
	assert_int_equal(
		wyn_acceptor_adopt(acceptor, fd, "x", &config, &fixture->fault),
		-EMFILE);
	assert_int_equal(fixture->fault.exit_code, WYN_EXIT_CONFIGURATION);
	close(fd);
	wyn_acceptor_stop(acceptor);
	wyn_acceptor_destroy(acceptor);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(adopt_takes_a_unix_socket_and_knows_its_peer),
		TEST(adopt_leaves_the_file_when_it_closes),
		TEST(adopt_takes_loopback_tcp_that_is_never_an_administrator),
		TEST(adopt_refuses_tcp_when_it_is_not_loopback),
		TEST(adopt_takes_any_address_when_plaintext_is_allowed),
		TEST(adopt_refuses_what_is_no_socket),
		TEST(adopt_refuses_a_socket_that_is_no_stream),
		TEST(adopt_refuses_a_socket_that_does_not_listen),
		TEST(adopt_refuses_a_unix_socket_that_has_no_path),
		TEST(acceptor_listens_once_when_the_address_was_adopted),
		TEST(acceptor_refuses_when_there_are_too_many),
	};

	return cmocka_run_group_tests_name("adopt", tests, NULL, NULL);
}
