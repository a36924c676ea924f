// SPDX-License-Identifier: MIT
/*
 * meter_socket.h - blocking Unix and loopback sockets of the benchmarks.
 *
 * An address is unix:PATH or tcp:PORT, the latter on 127.0.0.1 with
 * TCP_NODELAY. The programs are started with a private path or port, so that
 * whatever does not work is an error.
 */
#pragma once

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench/meter.h"

union meter_address {
	struct sockaddr any;
	struct sockaddr_un unix_;
	struct sockaddr_in in;
};

/* Returns the size of the address. */
static inline socklen_t meter_address_parse(
	union meter_address *address, const char *text)
{
	memset(address, 0, sizeof(*address));
	if (strncmp(text, "unix:", 5) == 0) {
		size_t length = strlen(text + 5);

		meter_require(length < sizeof(address->unix_.sun_path));
		address->unix_.sun_family = AF_UNIX;
		memcpy(address->unix_.sun_path, text + 5, length + 1);
		return sizeof(address->unix_);
	}
	meter_require(strncmp(text, "tcp:", 4) == 0);
	address->in.sin_family = AF_INET;
	address->in.sin_port = htons((uint16_t)strtoul(text + 4, NULL, 10));
	address->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(address->in);
}

static inline void meter_nodelay(int fd)
{
	int on = 1;

	/* Fails on a Unix socket, which has no delay. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static inline int meter_connect(const char *text)
{
	union meter_address address;
	socklen_t size = meter_address_parse(&address, text);
	int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	meter_require(fd >= 0);
	meter_require(connect(fd, &address.any, size) == 0);
	meter_nodelay(fd);
	return fd;
}

/* Whoever is gone ends his connection, not the server. */
static inline int meter_listen(const char *text)
{
	union meter_address address;
	socklen_t size = meter_address_parse(&address, text);
	int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	meter_require(fd >= 0);
	meter_require(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	meter_require(bind(fd, &address.any, size) == 0);
	meter_require(listen(fd, 1024) == 0);
	return fd;
}

static inline int meter_accept(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	meter_require(fd >= 0);
	meter_nodelay(fd);
	return fd;
}

/* False when the other end is gone. */
static inline bool meter_write(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n <= 0) {
			return false;
		}
		at += n;
		size -= (size_t)n;
	}
	return true;
}

static inline bool meter_read(int fd, void *data, size_t size)
{
	char *at = data;

	while (size > 0) {
		ssize_t n = read(fd, at, size);

		if (n <= 0) {
			return false;
		}
		at += n;
		size -= (size_t)n;
	}
	return true;
}
