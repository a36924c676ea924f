// SPDX-License-Identifier: MIT
/*
 * outcome.c - goes by the reason, for codes are shared by reasons.
 *
 * What a newer daemon calls by words that are not known here is taken by its
 * numbers: a signal, an exit status, else a failure of the daemon.
 */
#include "client/wynctl/outcome.h"

#include <signal.h>
#include <string.h>

static bool reason_is(const struct wyn_client_event *event, const char *reason)
{
	return strcmp(event->reason, reason) == 0;
}

static int outcome_not_started(const struct wyn_client_event *event)
{
	switch (event->code) {
	case WYN_STATUS_NOT_FOUND:
		return WYN_EXIT_COMMAND_NOT_FOUND;
	case WYN_STATUS_RESOURCE_EXHAUSTED:
		return WYN_EXIT_COMMAND_FAILED; /* of the daemon's */
	default:
		return WYN_EXIT_COMMAND_REFUSED;
	}
}

int wyn_outcome_exit_code(
	const struct wyn_client_event *event, int cancelled_by)
{
	if (event->code == WYN_STATUS_OK) {
		return WYN_EXIT_OK;
	}
	if (reason_is(event, "RUN_TIMEOUT") ||
		reason_is(event, "QUEUE_DEADLINE")) {
		return WYN_EXIT_TIMED_OUT;
	}
	if (reason_is(event, "NOT_STARTED")) {
		return outcome_not_started(event);
	}
	if (reason_is(event, "PROGRAM_NOT_LISTED") ||
		reason_is(event, "COMMAND_TOO_LARGE")) {
		return WYN_EXIT_COMMAND_REFUSED;
	}
	if (reason_is(event, "CANCELLED_BY_CLIENT")) {
		return WYN_EXIT_SIGNALLED +
		       (cancelled_by != 0 ? cancelled_by : SIGTERM);
	}
	if (reason_is(event, "OUT_OF_MEMORY") && event->signal == 0) {
		return WYN_EXIT_SIGNALLED + SIGKILL;
	}
	if (event->signal != 0) {
		return WYN_EXIT_SIGNALLED + (int)(event->signal & 0x7f);
	}
	return event->exit_status != 0 ? (int)(event->exit_status & 0xff)
				       : WYN_EXIT_COMMAND_FAILED;
}

bool wyn_outcome_names_what(const struct wyn_client_event *event)
{
	return event->message[0] != '\0' &&
	       (reason_is(event, "NOT_STARTED") ||
		       reason_is(event, "PROGRAM_NOT_LISTED"));
}

bool wyn_outcome_is_silent(const struct wyn_client_event *event)
{
	return event->code == WYN_STATUS_OK ||
	       reason_is(event, "EXIT_STATUS") ||
	       reason_is(event, "SIGNALLED") ||
	       reason_is(event, "RUN_TIMEOUT") ||
	       reason_is(event, "CANCELLED_BY_CLIENT");
}
