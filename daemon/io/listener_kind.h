// SPDX-License-Identifier: MIT
/*
 * listener_kind.h - what a listener is made of, and its two kinds.
 *
 * For listener.c, which asks the kind, and the two that answer it:
 * unix_listener.c and tcp_listener.c. All others include listener.h.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/endpoint.h"
#include "daemon/fault.h"

#define WYN_LISTEN_BACKLOG 4096 /* the kernel cuts it to somaxconn */
#define WYN_NO_GROUP	   ((gid_t)-1)

struct wyn_listener_config {
	bool allow_plaintext;
	mode_t socket_mode;
	gid_t socket_group; /* WYN_NO_GROUP = leave it */
};

/* [I] once it is open, but for the descriptors, which close takes back. */
struct wyn_listener {
	struct wyn_endpoint endpoint; /* as bound: with the real port */
	int fd;			      /* not blocking */
	int lock_fd;		      /* UNIX of our own, else -1 */
	bool adopted;		      /* its file is the service manager's */
	dev_t device;		      /* UNIX: which file is ours */
	ino_t inode;
};

/*
 * wyn_unix_listener_open, wyn_tcp_listener_open - as wyn_listener_open().
 *
 * Thread: boot, aux.
 */
WYN_NODISCARD
int wyn_unix_listener_open(const struct wyn_endpoint *endpoint,
	const struct wyn_listener_config *config,
	struct wyn_listener *ret_listener, struct wyn_fault *ret_fault);
WYN_NODISCARD
int wyn_tcp_listener_open(const struct wyn_endpoint *endpoint,
	const struct wyn_listener_config *config,
	struct wyn_listener *ret_listener, struct wyn_fault *ret_fault);

/*
 * wyn_unix_listener_adopt, wyn_tcp_listener_adopt - the second half of
 * wyn_listener_adopt(): a listening socket of that kind.
 *
 * Thread: boot. Returns: 0, and fd and flags are the caller's to fill in;
 * -errno with *ret_why.
 */
WYN_NODISCARD
int wyn_unix_listener_adopt(
	int fd, struct wyn_listener *ret_listener, const char **ret_why);
WYN_NODISCARD
int wyn_tcp_listener_adopt(int fd, const struct wyn_listener_config *config,
	struct wyn_listener *ret_listener, const char **ret_why);

/*
 * wyn_unix_listener_unlink - removes the socket file if it is still ours, and
 * gives back the lock. The descriptor of the socket stays open.
 *
 * Thread: boot, aux, loop.
 */
void wyn_unix_listener_unlink(struct wyn_listener *listener);
