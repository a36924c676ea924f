// SPDX-License-Identifier: MIT
/*
 * listener.h - a socket that is listened on, with the rules that come with it.
 *
 * A Unix socket is guarded by a lock file beside it, PATH.lock, held as long
 * as we live: whoever holds it may decide that a socket file is stale. TCP is
 * plain text, so an address that is not loopback has to be allowed. What opens
 * one may block, and no loop does it. No libuv: acceptor.c polls the
 * descriptor.
 */
#pragma once

#include "base/compiler.h"
#include "daemon/engine/engine.h"
#include "daemon/io/listener_kind.h"

/*
 * wyn_listener_open - resolves, binds and listens.
 *
 * Thread: boot, aux. Owns: gives the descriptors, closed by
 * wyn_listener_close().
 * Returns: 0; a -errno with the line and the exit code in *ret_fault, and
 * *ret_listener is not written. Exit codes: 69 in use, 77 not allowed, 75 no
 * descriptors, 78 everything else. Blocks: while names are resolved, and a
 * quarter of a second for a Unix socket that is in use.
 */
WYN_NODISCARD
int wyn_listener_open(const struct wyn_endpoint *endpoint,
	const struct wyn_listener_config *config,
	struct wyn_listener *ret_listener, struct wyn_fault *ret_fault);

/*
 * wyn_listener_adopt - a socket that the service manager listens on already.
 *
 * It must be a stream socket that listens, on a path, IPv4 or IPv6, and
 * plain text beyond loopback is as much to be allowed as on our own. It is made
 * not blocking and closed on exec. Its file, its rights and its queue are the
 * service manager's: nothing is locked, and nothing removed when it is closed.
 *
 * `name` is what the service manager calls it, for *ret_fault. Thread: boot.
 * Owns: takes the descriptor if 0. Returns: 0; a -errno with exit code 78.
 */
WYN_NODISCARD
int wyn_listener_adopt(int fd, const char *name,
	const struct wyn_listener_config *config,
	struct wyn_listener *ret_listener, struct wyn_fault *ret_fault);

/*
 * wyn_listener_accept - the next connection that waits.
 *
 * Thread: loop. Owns: gives the descriptor, not blocking, closed on exec.
 * Returns: 0; -EAGAIN when none waits; what accept4(2) said.
 */
WYN_NODISCARD
int wyn_listener_accept(const struct wyn_listener *listener, int *ret_fd,
	struct wyn_peer *ret_peer);

/*
 * wyn_listener_close - closes, and removes the socket file if it is still
 * ours, which that of an adopted one never is. Closing twice is a no-op.
 * Thread: boot, aux, loop.
 */
void wyn_listener_close(struct wyn_listener *listener);
