// SPDX-License-Identifier: MIT
/*
 * connect.h - from an address to a connected socket.
 *
 * Knows addresses and sockets, nothing of what is spoken over them. Any
 * thread.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"

#define WYN_CONNECT_WHY_BYTES 480u

/*
 * wyn_connect - opens a connection to an address.
 *
 * address is text as of base/endpoint.h, or NULL for the default search. The
 * socket is blocking and close-on-exec.
 *
 * Owns: gives *ret_fd. Returns: 0; -EINVAL, -ENAMETOOLONG, -EHOSTUNREACH (the
 * name does not resolve), -ETIMEDOUT, -EINTR, or what socket(2) and connect(2)
 * say; then `why` is a sentence that names the address and what to do.
 * Blocks: until deadline_ns of CLOCK_MONOTONIC, and in the resolver.
 */
WYN_NODISCARD
int wyn_connect(const char *address, uint64_t deadline_ns,
	char why[WYN_CONNECT_WHY_BYTES], int *ret_fd);

/*
 * wyn_connect_start - begins to open a connection, without waiting.
 *
 * As wyn_connect(), but the host has to be a number, and a TCP socket is non-
 * blocking and may still be on its way: see wyn_connect_finish(). Returns: 0;
 * -EAGAIN (a Unix socket with too many waiting); else as wyn_connect().
 * Blocks: no.
 */
WYN_NODISCARD
int wyn_connect_start(
	const char *address, char why[WYN_CONNECT_WHY_BYTES], int *ret_fd);

/*
 * wyn_connect_finish - how a connection came out that was on its way.
 *
 * Returns: 0; -EINPROGRESS (it still is); what connect(2) says. Blocks: no.
 */
WYN_NODISCARD
int wyn_connect_finish(int fd);

/* wyn_connect_why - the sentence of wyn_connect() for that error; address may
 * be NULL if there was none. */
void wyn_connect_why(
	const char *address, int err, char why[WYN_CONNECT_WHY_BYTES]);

/*
 * wyn_connect_poll - waits for `events` on one fd until the deadline.
 *
 * Returns: 0; -ETIMEDOUT (also at once for deadline 0), -EINTR, -errno.
 */
WYN_NODISCARD
int wyn_connect_poll(int fd, short events, uint64_t deadline_ns);
