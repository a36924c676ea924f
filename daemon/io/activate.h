// SPDX-License-Identifier: MIT
/*
 * activate.h - what the service manager gives us, and what it is told.
 *
 * Sockets come at boot; readiness, reload, stop, status and signs of life go
 * as messages to NOTIFY_SOCKET. Without a service manager the first are none
 * and the others go nowhere. The only unit that knows libsystemd, which alone
 * reads these variables of the environment. When to say what: notifier.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "daemon/fault.h"
#include "daemon/settings.h"

#define WYN_ACTIVATE_NAME_BYTES	   64u	/* a longer name is cut */
#define WYN_ACTIVATE_MESSAGE_BYTES 512u /* a longer message is cut */

/* What was passed, in the order of the unit's lines. */
struct wyn_activation {
	size_t count;
	struct {
		int fd;
		char name[WYN_ACTIVATE_NAME_BYTES];
	} sockets[WYN_LISTEN_MAX];
};

/*
 * wyn_activate_sockets - takes what was passed to this process.
 *
 * What they are is not looked at: wyn_listener_adopt() does. The variables that
 * speak of them are removed, so that nobody else takes them. Thread: boot,
 * before there are other threads. Owns: gives the descriptors, closed on exec.
 * Returns: 0, also when there are none; a -errno with exit code 78, when the
 * variables are wrong or there are more than WYN_LISTEN_MAX.
 */
WYN_NODISCARD
int wyn_activate_sockets(
	struct wyn_activation *ret_activation, struct wyn_fault *ret_fault);

/* wyn_activate_has - was that descriptor passed? Thread: boot. */
bool wyn_activate_has(const struct wyn_activation *activation, int fd);

/* wyn_activate_listened - is there somebody to tell? Thread: boot. */
bool wyn_activate_listened(void);

/*
 * The messages. `status` is one line for people, without a newline.
 *
 * Thread: any but a loop's, which has messenger.h for it. Returns: 1; 0 when
 * nobody listens; -errno, and it is lost. Blocks: while the queue of the
 * service manager is full.
 */

/* wyn_activate_ready - everything listens; or a reload is over. */
int wyn_activate_ready(const char *status);

/* wyn_activate_reloading - a reload began at that time of CLOCK_MONOTONIC; it
 * ends with wyn_activate_ready(). */
int wyn_activate_reloading(uint64_t monotonic_ns);

/* wyn_activate_stopping - a drain began. */
int wyn_activate_stopping(const char *status);

/* wyn_activate_status - how things are. */
int wyn_activate_status(const char *status);

/* wyn_activate_feed - feeds the watchdog. */
int wyn_activate_feed(void);

/*
 * wyn_activate_watchdog_ns - so long may pass between two feeds.
 *
 * Thread: boot. Returns: 0 when no watchdog watches this process.
 */
uint64_t wyn_activate_watchdog_ns(void);
