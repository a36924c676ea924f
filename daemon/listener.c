// SPDX-License-Identifier: MIT
/*
 * listener.c - what both kinds of listening sockets share.
 *
 * Accepting, telling who is at the other end, and closing. accept4(2) is ours
 * because libuv cannot hand a stream that it accepted to another loop.
 */
#include "daemon/listener.h"

#include <errno.h>
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

/* The credentials of who connected, taken by the kernel at connect(2). */
static bool is_administrator(int fd)
{
	struct ucred credentials;
	socklen_t bytes = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes)) {
		return false;
	}
	return credentials.uid == 0 || credentials.uid == geteuid();
}

int wyn_listener_accept(const struct wyn_listener *listener, int *ret_fd,
	struct wyn_peer *ret_peer)
{
	int fd =
		accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0) {
		return -errno;
	}
	*ret_fd = fd;
	*ret_peer = (struct wyn_peer){
		.administrator = listener->endpoint.kind == WYN_ENDPOINT_UNIX &&
				 is_administrator(fd),
	};
	return 0;
}

void wyn_listener_close(struct wyn_listener *listener)
{
	if (listener->fd < 0) {
		return;
	}
	/* The file goes first, so that nobody finds one without a listener. */
	if (listener->endpoint.kind == WYN_ENDPOINT_UNIX) {
		wyn_unix_listener_unlink(listener);
	}
	close(listener->fd);
	listener->fd = -1;
}
