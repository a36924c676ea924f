// SPDX-License-Identifier: MIT
/*
 * tcp_listener.c - a TCP socket: resolve, refuse what is not loopback, bind.
 *
 * What goes over it can be read and changed by whoever is on the way, so only
 * loopback is listened on unless --allow-plaintext says otherwise. A name may
 * stand for several addresses: all of them must be allowed, the first that can
 * be bound is taken.
 */
#include "daemon/io/listener_kind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int refuse(const struct wyn_endpoint *endpoint, int error,
	enum wyn_exit_code exit_code, const char *why, struct wyn_fault *fault)
{
	char text[WYN_ENDPOINT_TEXT_BYTES];

	wyn_endpoint_format(endpoint, text, sizeof(text));
	return wyn_fault_set(fault, error, exit_code, "%s: %s", text, why);
}

static bool is_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in *four = (const void *)address;
	const struct sockaddr_in6 *six = (const void *)address;

	if (address->sa_family == AF_INET) {
		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	}
	if (address->sa_family != AF_INET6) {
		return false;
	}
	if (IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) {
		return six->sin6_addr.s6_addr[12] == 127;
	}
	return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static int resolve(const struct wyn_endpoint *endpoint,
	struct addrinfo **ret_addresses, struct wyn_fault *fault)
{
	const struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	char port[8];
	int error;

	snprintf(port, sizeof(port), "%u", (unsigned)endpoint->port);
	error = getaddrinfo(endpoint->host, port, &hints, ret_addresses);
	if (!error) {
		return 0;
	}
	return error == EAI_AGAIN || error == EAI_MEMORY
		       ? refuse(endpoint, -EAGAIN, WYN_EXIT_TRY_AGAIN,
				 "the name cannot be resolved now; try again "
				 "later or write the address",
				 fault)
		       : refuse(endpoint, -EINVAL, WYN_EXIT_CONFIGURATION,
				 "there is no such host; write a name of this "
				 "machine or an address",
				 fault);
}

static int bind_socket(const struct addrinfo *at, int *ret_fd)
{
	const int on = 1;
	int fd = socket(at->ai_family,
		SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	int error;

	if (fd < 0) {
		return -errno;
	}
	/* REUSEADDR: a restart need not wait for connections of the last run
	 * to time out; a live listener still keeps its port. V6ONLY: [::] is
	 * what it says, and does not take the IPv4 port as well. */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
		(at->ai_family == AF_INET6 &&
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
				sizeof(on))) ||
		bind(fd, at->ai_addr, at->ai_addrlen) ||
		listen(fd, WYN_LISTEN_BACKLOG)) {
		error = -errno;
		close(fd);
		return error;
	}
	*ret_fd = fd;
	return 0;
}

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
};

/* The address that was really bound, as a number, with the real port. */
static int name_bound(
	int fd, union address *ret_address, struct wyn_endpoint *ret_endpoint)
{
	union address address = {.six = {0}};
	struct wyn_endpoint bound = {.kind = WYN_ENDPOINT_TCP};
	socklen_t bytes = sizeof(address);

	if (getsockname(fd, &address.any, &bytes)) {
		return -errno;
	}
	if (getnameinfo(&address.any, bytes, bound.host, sizeof(bound.host),
		    NULL, 0, NI_NUMERICHOST)) {
		return -EINVAL;
	}
	bound.port =
		ntohs(address.any.sa_family == AF_INET ? address.four.sin_port
						       : address.six.sin6_port);
	*ret_address = address;
	*ret_endpoint = bound;
	return 0;
}

static int bind_first(const struct addrinfo *addresses, int *ret_fd)
{
	int error = -EADDRNOTAVAIL;

	for (const struct addrinfo *at = addresses; at; at = at->ai_next) {
		error = bind_socket(at, ret_fd);
		if (!error) {
			return 0;
		}
	}
	return error;
}

static const char *why_not_bound(int error)
{
	switch (-error) {
	case EADDRINUSE:
		return "in use by another program; stop it or choose another "
		       "port";
	case EADDRNOTAVAIL:
		return "no interface of this machine has that address; choose "
		       "one that `ip address` lists";
	case EACCES:
		return "not permitted; choose a port from 1024 on, or give "
		       "wynd CAP_NET_BIND_SERVICE";
	case EAFNOSUPPORT:
		return "this machine does not speak that kind of address; "
		       "choose an IPv4 one";
	default:
		return strerror(-error);
	}
}

static bool all_loopback(const struct addrinfo *addresses)
{
	for (const struct addrinfo *at = addresses; at; at = at->ai_next) {
		if (!is_loopback(at->ai_addr)) {
			return false;
		}
	}
	return true;
}

int wyn_tcp_listener_open(const struct wyn_endpoint *endpoint,
	const struct wyn_listener_config *config,
	struct wyn_listener *ret_listener, struct wyn_fault *ret_fault)
{
	struct wyn_listener made = {.fd = -1, .lock_fd = -1};
	struct addrinfo *addresses;
	union address bound;
	int error = resolve(endpoint, &addresses, ret_fault);

	if (error) {
		return error;
	}
	if (!config->allow_plaintext && !all_loopback(addresses)) {
		error = refuse(endpoint, -EPERM, WYN_EXIT_CONFIGURATION,
			"is not loopback, and TCP is not encrypted; listen on "
			"127.0.0.1 or [::1], or give --allow-plaintext",
			ret_fault);
		goto free_addresses;
	}
	error = bind_first(addresses, &made.fd);
	if (!error) {
		error = name_bound(made.fd, &bound, &made.endpoint);
	}
	if (error) {
		if (made.fd >= 0) {
			close(made.fd);
		}
		refuse(endpoint, error, wyn_fault_exit_code(error),
			why_not_bound(error), ret_fault);
		goto free_addresses;
	}
	*ret_listener = made;
free_addresses:
	freeaddrinfo(addresses);
	return error;
}

int wyn_tcp_listener_adopt(int fd, const struct wyn_listener_config *config,
	struct wyn_listener *ret_listener, const char **ret_why)
{
	union address bound = {.six = {0}};
	int error = name_bound(fd, &bound, &ret_listener->endpoint);

	if (error) {
		*ret_why = "cannot be asked for its address";
		return error;
	}
	if (!config->allow_plaintext && !is_loopback(&bound.any)) {
		*ret_why = "is not loopback, and TCP is not encrypted; give "
			   "ListenStream= 127.0.0.1:PORT or [::1]:PORT, or "
			   "wynd --allow-plaintext";
		return -EPERM;
	}
	return 0;
}
