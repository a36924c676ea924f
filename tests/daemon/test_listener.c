// SPDX-License-Identifier: MIT
/*
 * test_listener.c - which addresses are taken, which are refused, what stays
 * behind. Real sockets, in a directory of each test's own.
 */
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
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/io/listener.h"

struct fixture {
	char directory[64];
	struct wyn_endpoint endpoint; /* "s" in the directory */
	char lock_path[128];
	struct wyn_fault fault;
};

static const struct wyn_listener_config config = {
	.socket_mode = 0660,
	.socket_group = WYN_NO_GROUP,
};

/* What a child has, of those who are dead: closed when the lock is asked for
 * the first and the third time. 0 = it has none. */
static int childs_lock_fd;
static int childs_socket_fd;
static unsigned locks_asked;

int flock(int fd, int operation)
{
	int result = (int)syscall(SYS_flock, fd, operation);
	int *closed = locks_asked == 0 ? &childs_lock_fd : &childs_socket_fd;

	if (*closed != 0 && locks_asked++ != 1) {
		close(*closed);
		*closed = 0;
	}
	return result;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	snprintf(fixture->directory, sizeof(fixture->directory),
		"/tmp/wynd-test-XXXXXX");
	assert_non_null(mkdtemp(fixture->directory));
	fixture->endpoint.kind = WYN_ENDPOINT_UNIX;
	snprintf(fixture->endpoint.path, sizeof(fixture->endpoint.path), "%s/s",
		fixture->directory);
	snprintf(fixture->lock_path, sizeof(fixture->lock_path), "%s.lock",
		fixture->endpoint.path);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->endpoint.path);
	unlink(fixture->lock_path);
	rmdir(fixture->directory);
	free(fixture);
	return 0;
}

static int open_it(struct fixture *fixture, struct wyn_listener *ret)
{
	return wyn_listener_open(
		&fixture->endpoint, &config, ret, &fixture->fault);
}

static void assert_refused(
	struct fixture *fixture, int error, int exit_code, const char *words)
{
	struct wyn_listener never;

	assert_int_equal(open_it(fixture, &never), error);
	assert_int_equal(fixture->fault.exit_code, exit_code);
	assert_non_null(strstr(fixture->fault.text, words));
	assert_non_null(strstr(fixture->fault.text, fixture->endpoint.path));
}

static int socket_at(const struct fixture *fixture, bool listening, int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, type, 0);

	memcpy(address.sun_path, fixture->endpoint.path,
		sizeof(address.sun_path));
	assert_int_equal(
		bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	if (listening) {
		assert_int_equal(listen(fd, 1), 0);
	}
	return fd;
}

static int connect_to(const struct fixture *fixture)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(address.sun_path, fixture->endpoint.path,
		sizeof(address.sun_path));
	assert_int_equal(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static void unix_listener_accepts_and_names_its_own_user(void **state)
{
	struct fixture *fixture = *state;
	struct wyn_peer peer = {0};
	struct wyn_listener listener;
	int client;
	int fd;

	assert_int_equal(open_it(fixture, &listener), 0);
	assert_int_equal(wyn_listener_accept(&listener, &fd, &peer), -EAGAIN);
	client = connect_to(fixture);
	assert_int_equal(wyn_listener_accept(&listener, &fd, &peer), 0);
	assert_true(peer.administrator);
	assert_true(peer.local);
	assert_int_equal(peer.uid, getuid());
	assert_int_equal(peer.gid, getgid());
	assert_int_equal(peer.pid, getpid());
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	close(fd);
	close(client);
	wyn_listener_close(&listener);
}

static void unix_listener_removes_both_files_when_closed(void **state)
{
	struct fixture *fixture = *state;
	struct wyn_listener listener;

	assert_int_equal(open_it(fixture, &listener), 0);
	assert_true(exists(fixture->endpoint.path));
	assert_true(exists(fixture->lock_path));
	wyn_listener_close(&listener);
	wyn_listener_close(&listener);
	assert_false(exists(fixture->endpoint.path));
	assert_false(exists(fixture->lock_path));
}

static void unix_listener_has_its_mode(void **state)
{
	struct fixture *fixture = *state;
	struct wyn_listener listener;
	struct stat made;

	assert_int_equal(open_it(fixture, &listener), 0);
	assert_int_equal(stat(fixture->endpoint.path, &made), 0);
	assert_int_equal(made.st_mode & 0777, 0660);
	wyn_listener_close(&listener);
}

static void unix_listener_is_refused_when_another_holds_the_lock(void **state)
{
	struct fixture *fixture = *state;
	struct wyn_listener first;

	assert_int_equal(open_it(fixture, &first), 0);
	assert_refused(fixture, -EADDRINUSE, WYN_EXIT_UNAVAILABLE,
		"in use by another wynd");
	close(connect_to(fixture));
	wyn_listener_close(&first);
}

static void unix_listener_waits_when_the_dead_have_a_child(void **state)
{
	struct fixture *fixture = *state;
	struct wyn_listener first;
	struct wyn_listener second;

	assert_int_equal(open_it(fixture, &first), 0);
	locks_asked = 0;
	childs_lock_fd = dup(first.lock_fd);
	childs_socket_fd = dup(first.fd);
	close(first.lock_fd);
	close(first.fd);
	assert_int_equal(open_it(fixture, &second), 0);
	assert_int_equal(locks_asked, 3);
	wyn_listener_close(&second);
}

static void unix_listener_is_refused_when_somebody_answers(void **state)
{
	struct fixture *fixture = *state;
	int other = socket_at(fixture, true, SOCK_STREAM);

	assert_refused(
		fixture, -EADDRINUSE, WYN_EXIT_UNAVAILABLE, "answers there");
	assert_true(exists(fixture->endpoint.path));
	assert_false(exists(fixture->lock_path));
	close(other);
}

static void unix_listener_is_refused_when_the_socket_is_no_stream(void **state)
{
	struct fixture *fixture = *state;
	int other = socket_at(fixture, false, SOCK_DGRAM);

	assert_refused(
		fixture, -EADDRINUSE, WYN_EXIT_UNAVAILABLE, "answers there");
	assert_true(exists(fixture->endpoint.path));
	close(other);
}

static void unix_listener_takes_over_when_nobody_answers(void **state)
{
	struct fixture *fixture = *state;
	struct wyn_listener listener;

	close(socket_at(fixture, true, SOCK_STREAM));
	assert_true(exists(fixture->endpoint.path));
	assert_int_equal(open_it(fixture, &listener), 0);
	close(connect_to(fixture));
	wyn_listener_close(&listener);
}

static void unix_listener_is_refused_when_a_file_is_there(void **state)
{
	struct fixture *fixture = *state;

	close(open(fixture->endpoint.path, O_CREAT | O_WRONLY, 0600));
	assert_refused(fixture, -EEXIST, WYN_EXIT_CONFIGURATION,
		"is there and not a socket");
	assert_true(exists(fixture->endpoint.path));
}

static void unix_listener_is_refused_when_the_directory_is_missing(void **state)
{
	struct fixture *fixture = *state;
	struct fixture other = *fixture;

	snprintf(other.endpoint.path, sizeof(other.endpoint.path), "%s/no/s",
		fixture->directory);
	assert_refused(&other, -ENOENT, WYN_EXIT_CONFIGURATION,
		"create its directory first");
}

static void unix_listener_leaves_a_socket_when_it_is_not_its_own(void **state)
{
	struct fixture *fixture = *state;
	struct wyn_listener listener;
	int other;

	assert_int_equal(open_it(fixture, &listener), 0);
	unlink(fixture->endpoint.path);
	other = socket_at(fixture, true, SOCK_STREAM);
	wyn_listener_close(&listener);
	assert_true(exists(fixture->endpoint.path));
	assert_false(exists(fixture->lock_path));
	close(other);
}

static struct wyn_endpoint tcp(const char *text)
{
	struct wyn_endpoint endpoint;
	const char *why;

	assert_int_equal(wyn_endpoint_parse(text, &endpoint, &why), 0);
	return endpoint;
}

static void tcp_listener_names_the_port_when_it_was_0(void **state)
{
	const struct wyn_endpoint asked = tcp("tcp:127.0.0.1:0");
	struct fixture *fixture = *state;
	struct wyn_listener listener;

	assert_int_equal(
		wyn_listener_open(&asked, &config, &listener, &fixture->fault),
		0);
	assert_int_not_equal(listener.endpoint.port, 0);
	assert_string_equal(listener.endpoint.host, "127.0.0.1");
	wyn_listener_close(&listener);
}

static void tcp_listener_names_the_address_of_the_peer(void **state)
{
	const struct wyn_endpoint asked = tcp("tcp:127.0.0.1:0");
	struct fixture *fixture = *state;
	struct wyn_peer peer = {.administrator = true};
	struct wyn_listener listener;
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t bytes = sizeof(address);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	char own[32];
	int fd;

	assert_int_equal(
		wyn_listener_open(&asked, &config, &listener, &fixture->fault),
		0);
	assert_int_equal(
		getsockname(listener.fd, (struct sockaddr *)&address, &bytes),
		0);
	assert_int_equal(
		connect(client, (struct sockaddr *)&address, bytes), 0);
	assert_int_equal(
		getsockname(client, (struct sockaddr *)&address, &bytes), 0);
	assert_int_equal(wyn_listener_accept(&listener, &fd, &peer), 0);
	snprintf(own, sizeof(own), "127.0.0.1:%u", ntohs(address.sin_port));
	assert_string_equal(peer.address, own);
	assert_false(peer.local);
	assert_false(peer.administrator);
	close(fd);
	close(client);
	wyn_listener_close(&listener);
}

static void tcp_listener_is_refused_when_the_port_is_taken(void **state)
{
	const struct wyn_endpoint asked = tcp("tcp:127.0.0.1:0");
	struct fixture *fixture = *state;
	struct wyn_listener first;
	struct wyn_listener second;

	assert_int_equal(
		wyn_listener_open(&asked, &config, &first, &fixture->fault), 0);
	assert_int_equal(wyn_listener_open(&first.endpoint, &config, &second,
				 &fixture->fault),
		-EADDRINUSE);
	assert_int_equal(fixture->fault.exit_code, WYN_EXIT_UNAVAILABLE);
	wyn_listener_close(&first);
}

static void tcp_listener_is_refused_when_it_is_not_loopback(void **state)
{
	static const char *const addresses[] = {
		"tcp:0.0.0.0:0", "tcp:[::]:0", "tcp:[::ffff:192.0.2.1]:0"};
	struct fixture *fixture = *state;
	struct wyn_listener never;

	for (size_t i = 0; i < WYN_COUNT_OF(addresses); i++) {
		const struct wyn_endpoint asked = tcp(addresses[i]);

		assert_int_equal(wyn_listener_open(&asked, &config, &never,
					 &fixture->fault),
			-EPERM);
		assert_int_equal(
			fixture->fault.exit_code, WYN_EXIT_CONFIGURATION);
		assert_non_null(
			strstr(fixture->fault.text, "--allow-plaintext"));
	}
}

static void tcp_listener_binds_any_address_when_plaintext_is_allowed(
	void **state)
{
	const struct wyn_listener_config allowed = {
		.allow_plaintext = true, .socket_group = WYN_NO_GROUP};
	const struct wyn_endpoint asked = tcp("tcp:0.0.0.0:0");
	struct fixture *fixture = *state;
	struct wyn_listener listener;

	assert_int_equal(
		wyn_listener_open(&asked, &allowed, &listener, &fixture->fault),
		0);
	assert_string_equal(listener.endpoint.host, "0.0.0.0");
	wyn_listener_close(&listener);
}

/* As somebody who is not root. */
static int open_unprivileged(const struct wyn_endpoint *endpoint,
	const struct wyn_listener_config *as, struct wyn_listener *ret,
	struct wyn_fault *fault)
{
	bool root = geteuid() == 0;
	int error;

	if (root) {
		assert_int_equal(seteuid(65534), 0);
	}
	error = wyn_listener_open(endpoint, as, ret, fault);
	if (root) {
		assert_int_equal(seteuid(0), 0);
	}
	return error;
}

static void unix_listener_advises_when_the_directory_is_not_its_own(
	void **state)
{
	struct fixture *fixture = *state;
	struct wyn_listener never;

	assert_int_equal(chmod(fixture->directory, 0555), 0);
	assert_int_equal(open_unprivileged(&fixture->endpoint, &config, &never,
				 &fixture->fault),
		-EACCES);
	assert_int_equal(fixture->fault.exit_code, WYN_EXIT_PERMISSION);
	assert_non_null(strstr(
		fixture->fault.text, "a directory that this user may write"));
}

static void unix_listener_advises_when_the_group_is_not_its_own(void **state)
{
	const struct wyn_listener_config as = {
		.socket_mode = 0660, .socket_group = 654321};
	struct fixture *fixture = *state;
	struct wyn_listener never;

	assert_int_equal(chmod(fixture->directory, 0777), 0);
	assert_int_equal(open_unprivileged(&fixture->endpoint, &as, &never,
				 &fixture->fault),
		-EPERM);
	assert_non_null(
		strstr(fixture->fault.text, "as a member of that group"));
	assert_false(exists(fixture->endpoint.path));
}

static void tcp_listener_advises_when_the_port_is_privileged(void **state)
{
	const struct wyn_endpoint asked = tcp("tcp:127.0.0.1:1");
	struct fixture *fixture = *state;
	struct wyn_listener listener;
	int error =
		open_unprivileged(&asked, &config, &listener, &fixture->fault);

	if (error != -EACCES) {
		if (!error) {
			wyn_listener_close(&listener);
		}
		skip(); /* here such ports are for everybody */
	}
	assert_int_equal(fixture->fault.exit_code, WYN_EXIT_PERMISSION);
	assert_non_null(strstr(fixture->fault.text, "a port from 1024 on"));
}

static void tcp_listener_advises_when_the_address_is_elsewhere(void **state)
{
	const struct wyn_listener_config allowed = {
		.allow_plaintext = true, .socket_group = WYN_NO_GROUP};
	const struct wyn_endpoint asked = tcp("tcp:192.0.2.1:0");
	struct fixture *fixture = *state;
	struct wyn_listener never;

	assert_int_equal(
		wyn_listener_open(&asked, &allowed, &never, &fixture->fault),
		-EADDRNOTAVAIL);
	assert_non_null(strstr(fixture->fault.text, "`ip address` lists"));
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unix_listener_accepts_and_names_its_own_user),
		TEST(unix_listener_removes_both_files_when_closed),
		TEST(unix_listener_has_its_mode),
		TEST(unix_listener_is_refused_when_another_holds_the_lock),
		TEST(unix_listener_waits_when_the_dead_have_a_child),
		TEST(unix_listener_is_refused_when_somebody_answers),
		TEST(unix_listener_is_refused_when_the_socket_is_no_stream),
		TEST(unix_listener_takes_over_when_nobody_answers),
		TEST(unix_listener_is_refused_when_a_file_is_there),
		TEST(unix_listener_is_refused_when_the_directory_is_missing),
		TEST(unix_listener_leaves_a_socket_when_it_is_not_its_own),
		TEST(unix_listener_advises_when_the_directory_is_not_its_own),
		TEST(unix_listener_advises_when_the_group_is_not_its_own),
		TEST(tcp_listener_advises_when_the_port_is_privileged),
		TEST(tcp_listener_advises_when_the_address_is_elsewhere),
		TEST(tcp_listener_names_the_port_when_it_was_0),
		TEST(tcp_listener_names_the_address_of_the_peer),
		TEST(tcp_listener_is_refused_when_the_port_is_taken),
		TEST(tcp_listener_is_refused_when_it_is_not_loopback),
		TEST(tcp_listener_binds_any_address_when_plaintext_is_allowed),
	};

	return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
