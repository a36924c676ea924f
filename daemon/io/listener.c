// SPDX-License-Identifier: MIT
/*
 * listener.c - what both kinds of listening sockets share.
 *
 * Accepting, telling who is at the other end, and closing. accept4(2) is ours
 * because libuv cannot hand a stream that it accepted to another loop.
 */
#include "daemon/io/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int wyn_listener_open(const struct wyn_endpoint *endpoint,
	const struct wyn_listener_config *config,
	struct wyn_listener *ret_listener, struct wyn_fault *ret_fault)
{
	return endpoint->kind == WYN_ENDPOINT_UNIX
		       ? wyn_unix_listener_open(
				 endpoint, config, ret_listener, ret_fault)
		       : wyn_tcp_listener_open(
				 endpoint, config, ret_listener, ret_fault);
}

static bool option_is(int fd, int option, int wanted)
{
	int value;
	socklen_t bytes = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &bytes) == 0 &&
	       value == wanted;
}

/* Returns: what it is not, and the advice; NULL = it is a stream socket that
 * listens. */
static const char *why_not_adopted(int fd)
{
	int type;
	socklen_t bytes = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &bytes)) {
		return "is not a socket; pass sockets of ListenStream= only";
	}
	if (type != SOCK_STREAM) {
		return "is not a stream socket; use ListenStream= in its unit";
	}
	if (!option_is(fd, SO_ACCEPTCONN, 1)) {
		return "does not listen; use ListenStream= with Accept=no in "
		       "its unit";
	}
	return NULL;
}

static int adopt(int fd, const struct wyn_listener_config *config,
	struct wyn_listener *ret_listener, const char **ret_why)
{
	*ret_why = why_not_adopted(fd);
	if (*ret_why) {
		return -ENOTSOCK;
	}
	if (option_is(fd, SO_DOMAIN, AF_UNIX)) {
		return wyn_unix_listener_adopt(fd, ret_listener, ret_why);
	}
	if (option_is(fd, SO_DOMAIN, AF_INET) ||
		option_is(fd, SO_DOMAIN, AF_INET6)) {
		return wyn_tcp_listener_adopt(
			fd, config, ret_listener, ret_why);
	}
	*ret_why = "is neither a Unix socket nor TCP; give ListenStream= a "
		   "path, or an address and a port";
	return -EAFNOSUPPORT;
}

int wyn_listener_adopt(int fd, const char *name,
	const struct wyn_listener_config *config,
	struct wyn_listener *ret_listener, struct wyn_fault *ret_fault)
{
	struct wyn_listener made = {.lock_fd = -1, .adopted = true, .fd = fd};
	const char *why;
	int error = adopt(fd, config, &made, &why);
	int flags;

	if (error) {
		goto refuse;
	}
	/* The flag is the socket's, so the service manager sees it as well;
	 * it only polls what it listens on. */
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) ||
		fcntl(fd, F_SETFD, FD_CLOEXEC)) {
		error = -errno;
		why = "cannot be made not blocking";
		goto refuse;
	}
	*ret_listener = made;
	return 0;
refuse:
	return wyn_fault_set(ret_fault, error, WYN_EXIT_CONFIGURATION,
		"descriptor %d (%.100s) of the service manager: %s", fd, name,
		why);
}

/* The credentials of who connected, taken by the kernel at connect(2). */
static void name_local(int fd, struct wyn_peer *peer)
{
	struct ucred credentials;
	socklen_t bytes = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes)) {
		return;
	}
	peer->local = true;
	peer->uid = credentials.uid;
	peer->gid = credentials.gid;
	/* 0 = in no namespace that we can see */
	peer->pid = (uint32_t)credentials.pid;
	peer->administrator =
		credentials.uid == 0 || credentials.uid == geteuid();
}

/* For the log alone: anybody can have any address. */
static void name_remote(
	const struct sockaddr_storage *from, struct wyn_peer *peer)
{
	char host[INET6_ADDRSTRLEN] = "";
	const struct sockaddr_in *v4 = (const void *)from;
	const struct sockaddr_in6 *v6 = (const void *)from;

	if (from->ss_family == AF_INET) {
		(void)inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host));
		snprintf(peer->address, sizeof(peer->address), "%s:%u", host,
			ntohs(v4->sin_port));
	} else if (from->ss_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host));
		snprintf(peer->address, sizeof(peer->address), "[%s]:%u", host,
			ntohs(v6->sin6_port));
	}
}

int wyn_listener_accept(const struct wyn_listener *listener, int *ret_fd,
	struct wyn_peer *ret_peer)
{
	struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
	socklen_t bytes = sizeof(from);
	int fd = accept4(listener->fd, (struct sockaddr *)&from, &bytes,
		SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		return -errno;
	}
	*ret_fd = fd;
	*ret_peer = (struct wyn_peer){0};
	if (listener->endpoint.kind == WYN_ENDPOINT_UNIX) {
		name_local(fd, ret_peer);
	} else {
		name_remote(&from, ret_peer);
	}
	return 0;
}

void wyn_listener_close(struct wyn_listener *listener)
{
	if (listener->fd < 0) {
		return;
	}
	/* The file goes first, so that nobody finds one without a listener. */
	if (listener->endpoint.kind == WYN_ENDPOINT_UNIX &&
		!listener->adopted) {
		wyn_unix_listener_unlink(listener);
	}
	close(listener->fd);
	listener->fd = -1;
}
