// SPDX-License-Identifier: MIT
/*
 * connect.c - sockets, opened.
 *
 * A Unix socket connects at once or waits for a place in the backlog, which
 * poll(2) cannot see: there the socket's own send timeout is the deadline. TCP
 * tries each address of a name in turn, all within one deadline.
 */
#include "client/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/endpoint.h"
#include "base/time.h"
#include "client/clock.h"

int wyn_connect_poll(int fd, short events, uint64_t deadline_ns)
{
	struct pollfd pollfd = {.fd = fd, .events = events};
	struct timespec left = {0};
	uint64_t now;
	int n;

	if (deadline_ns != UINT64_MAX) {
		now = wyn_client_now_ns();
		if (deadline_ns > now) {
			left.tv_sec =
				(time_t)((deadline_ns - now) / WYN_NS_PER_S);
			left.tv_nsec =
				(long)((deadline_ns - now) % WYN_NS_PER_S);
		}
	}
	n = ppoll(&pollfd, 1, deadline_ns == UINT64_MAX ? NULL : &left, NULL);
	if (n < 0) {
		return -errno;
	}
	return n == 0 ? -ETIMEDOUT : 0;
}

/* Closes the fd unless all went well. Returns: err. */
static int connect_settle(int fd, int err, int *ret_fd)
{
	if (err != 0) {
		(void)close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

/* start: the deadline does not count, and nothing is waited for. */
struct connect_how {
	uint64_t deadline_ns;
	bool start;
};

static int connect_unix(
	const char *path, const struct connect_how *how, int *ret_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct timeval timeout = {0};
	uint64_t now = wyn_client_now_ns();
	int err = 0;
	int fd = socket(AF_UNIX,
		SOCK_STREAM | SOCK_CLOEXEC | (how->start ? SOCK_NONBLOCK : 0),
		0);

	if (fd < 0) {
		return -errno;
	}
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (!how->start && how->deadline_ns != UINT64_MAX) {
		uint64_t left =
			how->deadline_ns > now ? how->deadline_ns - now : 0;

		timeout.tv_sec = (time_t)(left / WYN_NS_PER_S);
		timeout.tv_usec =
			(suseconds_t)(left % WYN_NS_PER_S / WYN_NS_PER_US) + 1;
		timeout.tv_sec += timeout.tv_usec / 1000000;
		timeout.tv_usec %= 1000000;
		(void)setsockopt(
			fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	}
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) !=
		0) {
		err = errno == EAGAIN && !how->start ? -ETIMEDOUT : -errno;
	}
	return connect_settle(fd, err, ret_fd);
}

int wyn_connect_finish(int fd)
{
	socklen_t size = sizeof(int);
	int error = 0;
	int err = wyn_connect_poll(fd, POLLOUT, 0);

	if (err != 0) {
		return err == -ETIMEDOUT || err == -EINTR ? -EINPROGRESS : err;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
		return -errno;
	}
	return -error;
}

/* The connection is on its way: waits for how it went. */
static int connect_wait(int fd, uint64_t deadline_ns)
{
	int err = wyn_connect_poll(fd, POLLOUT, deadline_ns);

	if (err == 0) {
		err = wyn_connect_finish(fd);
	}
	if (err == 0 && fcntl(fd, F_SETFL, 0) != 0) {
		err = -errno;
	}
	return err;
}

static int connect_address(const struct addrinfo *address,
	const struct connect_how *how, int *ret_fd)
{
	int on = 1;
	int err = 0;
	int fd = socket(address->ai_family,
		SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0) {
		return -errno;
	}
	/* Frames are gathered here already: each write is to go out at once. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
		err = errno == EINPROGRESS ? 0 : -errno;
	}
	if (err == 0 && !how->start) {
		err = connect_wait(fd, how->deadline_ns);
	}
	return connect_settle(fd, err, ret_fd);
}

static int connect_tcp(const struct wyn_endpoint *endpoint,
	const struct connect_how *how, const char **ret_detail, int *ret_fd)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *addresses;
	struct addrinfo *each;
	char port[8];
	int err;

	(void)snprintf(port, sizeof(port), "%u", endpoint->port);
	hints.ai_flags = how->start ? AI_NUMERICHOST : 0;
	err = getaddrinfo(endpoint->host, port, &hints, &addresses);
	if (err != 0) {
		*ret_detail = how->start
				      ? "to look up a name would block, so an "
					"address is wanted"
				      : gai_strerror(err);
		return -EHOSTUNREACH;
	}
	err = -EHOSTUNREACH;
	for (each = addresses; each != NULL; each = each->ai_next) {
		err = connect_address(each, how, ret_fd);
		if (err == 0 || err == -EINTR || err == -ETIMEDOUT) {
			break;
		}
	}
	freeaddrinfo(addresses);
	return err;
}

/* *tried: what was tried before and failed, or empty. detail: what is known
 * beyond err, or NULL. */
static void connect_explain(const struct wyn_endpoint *endpoint, int err,
	const char *tried, const char *detail, char why[WYN_CONNECT_WHY_BYTES])
{
	char text[WYN_ENDPOINT_TEXT_BYTES];
	const char *advice = "is wynd running?";

	if (detail == NULL) {
		detail = strerror(-err);
	} else {
		advice = "is the host's name right?";
	}
	if (err == -EACCES || err == -EPERM) {
		advice = "are you in the socket's group, wynd by default?";
	}
	if (err == -EAGAIN) {
		detail = "too many wait for it already";
		advice = "try again later";
	}
	wyn_endpoint_format(endpoint, text, sizeof(text));
	(void)snprintf(why, WYN_CONNECT_WHY_BYTES,
		"cannot connect to %s%s: %s; %s", tried, text, detail, advice);
}

static int connect_endpoint(const struct wyn_endpoint *endpoint,
	const struct connect_how *how, const char *tried,
	char why[WYN_CONNECT_WHY_BYTES], int *ret_fd)
{
	const char *detail = NULL;
	int err;

	if (endpoint->kind == WYN_ENDPOINT_UNIX) {
		err = connect_unix(endpoint->path, how, ret_fd);
	} else {
		err = connect_tcp(endpoint, how, &detail, ret_fd);
	}
	if (err != 0) {
		connect_explain(endpoint, err, tried, detail, why);
	}
	return err;
}

/* The user's own socket. Returns: false when there can be none. */
static bool connect_own(struct wyn_endpoint *ret_endpoint)
{
	struct wyn_endpoint endpoint = {.kind = WYN_ENDPOINT_UNIX};
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	int size;

	if (runtime == NULL || runtime[0] != '/') {
		return false;
	}
	size = snprintf(
		endpoint.path, sizeof(endpoint.path), "%s/wynd.sock", runtime);
	if (size < 0 || (size_t)size >= sizeof(endpoint.path)) {
		return false;
	}
	*ret_endpoint = endpoint;
	return true;
}

/* The user's own daemon if it answers, else the system's. */
static int connect_default(const struct connect_how *how,
	char why[WYN_CONNECT_WHY_BYTES], int *ret_fd)
{
	struct wyn_endpoint endpoint = {
		.kind = WYN_ENDPOINT_UNIX, .path = WYN_ENDPOINT_DEFAULT_PATH};
	char tried[WYN_ENDPOINT_PATH_BYTES + 64];
	struct wyn_endpoint own;
	int err;
	int second;

	if (!connect_own(&own)) {
		return connect_endpoint(&endpoint, how, "", why, ret_fd);
	}
	err = connect_endpoint(&own, how, "", why, ret_fd);
	if (err == 0 || err == -EINTR) {
		return err;
	}
	(void)snprintf(tried, sizeof(tried), "unix:%s: %s; nor to ", own.path,
		strerror(-err));
	second = connect_endpoint(&endpoint, how, tried, why, ret_fd);
	/* One that is there and refuses tells more than one that is not. */
	return second == -ENOENT ? err : second;
}

/* As wyn_endpoint_parse(), of what can be connected to. */
static int connect_parse(const char *address, struct wyn_endpoint *ret_endpoint,
	const char **ret_why)
{
	struct wyn_endpoint endpoint;
	int err = wyn_endpoint_parse(address, &endpoint, ret_why);

	if (err != 0) {
		return err;
	}
	if (endpoint.kind == WYN_ENDPOINT_TCP && endpoint.port == 0) {
		*ret_why = "port 0 is no port to connect to";
		return -EINVAL;
	}
	*ret_endpoint = endpoint;
	return 0;
}

static int connect_to(const char *address, const struct connect_how *how,
	char why[WYN_CONNECT_WHY_BYTES], int *ret_fd)
{
	struct wyn_endpoint endpoint;
	const char *wrong = "";
	int err;

	if (address == NULL) {
		return connect_default(how, why, ret_fd);
	}
	err = connect_parse(address, &endpoint, &wrong);
	if (err != 0) {
		(void)snprintf(why, WYN_CONNECT_WHY_BYTES,
			"bad address \"%s\": %s", address, wrong);
		return err;
	}
	return connect_endpoint(&endpoint, how, "", why, ret_fd);
}

int wyn_connect(const char *address, uint64_t deadline_ns,
	char why[WYN_CONNECT_WHY_BYTES], int *ret_fd)
{
	const struct connect_how how = {.deadline_ns = deadline_ns};

	return connect_to(address, &how, why, ret_fd);
}

int wyn_connect_start(
	const char *address, char why[WYN_CONNECT_WHY_BYTES], int *ret_fd)
{
	const struct connect_how how = {.start = true};

	return connect_to(address, &how, why, ret_fd);
}

void wyn_connect_why(
	const char *address, int err, char why[WYN_CONNECT_WHY_BYTES])
{
	struct wyn_endpoint endpoint;
	const char *wrong;

	if (address == NULL ||
		wyn_endpoint_parse(address, &endpoint, &wrong) != 0) {
		(void)snprintf(why, WYN_CONNECT_WHY_BYTES, "cannot connect: %s",
			strerror(-err));
		return;
	}
	connect_explain(&endpoint, err, "", NULL, why);
}
