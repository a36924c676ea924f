// SPDX-License-Identifier: MIT
/*
 * activate.c - what the service manager gives us, and what it is told.
 */
#include "daemon/io/activate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include "base/time.h"

static void free_names(char **names)
{
	for (size_t i = 0; names && names[i]; i++) {
		free(names[i]);
	}
	free(names);
}

int wyn_activate_sockets(
	struct wyn_activation *ret_activation, struct wyn_fault *ret_fault)
{
	struct wyn_activation taken = {0};
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names);
	int error = 0;

	if (count < 0) {
		return wyn_fault_set(ret_fault, count, WYN_EXIT_CONFIGURATION,
			"LISTEN_FDS and LISTEN_FDNAMES do not fit the open "
			"descriptors: %s; they are for a service manager to "
			"set, so unset them if there is none",
			strerror(-count));
	}
	if ((unsigned)count > WYN_LISTEN_MAX) {
		error = wyn_fault_set(ret_fault, -E2BIG, WYN_EXIT_CONFIGURATION,
			"LISTEN_FDS=%d: wynd listens on %u sockets at most; "
			"take some out of the socket unit",
			count, WYN_LISTEN_MAX);
		goto free_names;
	}
	for (; taken.count < (size_t)count; taken.count++) {
		taken.sockets[taken.count].fd =
			SD_LISTEN_FDS_START + (int)taken.count;
		snprintf(taken.sockets[taken.count].name,
			WYN_ACTIVATE_NAME_BYTES, "%s", names[taken.count]);
	}
	*ret_activation = taken;
free_names:
	free_names(names);
	return error;
}

bool wyn_activate_has(const struct wyn_activation *activation, int fd)
{
	for (size_t i = 0; i < activation->count; i++) {
		if (activation->sockets[i].fd == fd) {
			return true;
		}
	}
	return false;
}

bool wyn_activate_listened(void)
{
	/* libsystemd tells only by sending something. */
	return getenv("NOTIFY_SOCKET") != NULL;
}

/* What sd_notifyf(3) does, without memory that is lost when the thread is
 * cancelled meanwhile. */
static int WYN_PRINTF(1, 2) notify(const char *format, ...)
{
	char message[WYN_ACTIVATE_MESSAGE_BYTES];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	return sd_notify(0, message);
}

int wyn_activate_ready(const char *status)
{
	return notify("READY=1\nSTATUS=%s", status);
}

int wyn_activate_reloading(uint64_t monotonic_ns)
{
	return notify("RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		monotonic_ns / WYN_NS_PER_US);
}

int wyn_activate_stopping(const char *status)
{
	return notify("STOPPING=1\nSTATUS=%s", status);
}

int wyn_activate_status(const char *status)
{
	return notify("STATUS=%s", status);
}

int wyn_activate_feed(void)
{
	return sd_notify(0, "WATCHDOG=1");
}

uint64_t wyn_activate_watchdog_ns(void)
{
	uint64_t interval_us;

	/* Wrong values are a service manager's bug: then nobody is fed. */
	return sd_watchdog_enabled(0, &interval_us) > 0
		       ? interval_us * WYN_NS_PER_US
		       : 0;
}
