// SPDX-License-Identifier: MIT
/*
 * ctl.c - connecting, waiting and complaining, for every command.
 */
#include "client/wynctl/ctl.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client/wynctl/escape.h"
#include "client/wynctl/interrupt.h"
#include "client/wynctl/progress.h"

#define WYN_CTL_WAITS_PER_LOOK 256u
#define WYN_CTL_SAY_BYTES      4096u

void wyn_ctl_say(const char *format, ...)
{
	char said[WYN_CTL_SAY_BYTES];
	char text[WYN_CTL_SAY_BYTES];
	va_list arguments;

	wyn_progress_clear();
	va_start(arguments, format);
	(void)vsnprintf(said, sizeof(said), format, arguments);
	va_end(arguments);
	/* Parts of it a server may have written. */
	(void)fprintf(stderr, "wynctl: %s\n",
		wyn_escape_text(said, text, sizeof(text)));
}

/* Returns: WYN_EXIT_OK, else the exit code after it has said why. */
static int ctl_create(struct wyn_ctl *ctl, uint64_t in_flight)
{
	const struct wyn_client_config config = {
		.name = "wynctl",
		.in_flight_max = (uint32_t)in_flight,
		/* Where partial values come, the output's pace is theirs. */
		.stream_unbounded =
			!ctl->arguments->stream &&
			(ctl->arguments->command & WYN_COMMANDS_PROGRAM) == 0,
	};
	int err = wyn_client_create(&config, &ctl->client);

	if (err != 0) {
		wyn_ctl_say("%s", strerror(-err));
		return WYN_EXIT_TRY_AGAIN;
	}
	return WYN_EXIT_OK;
}

/* Says why there is no connection. Returns: the exit code. */
static int ctl_not_connected(const struct wyn_ctl *ctl)
{
	const struct wyn_client_error *error = wyn_client_error(ctl->client);

	if (strcmp(error->reason, "CANNOT_CONNECT") == 0 &&
		error->status == WYN_STATUS_UNAVAILABLE) {
		wyn_ctl_say("%s give --connect ADDR or set WYN_CONNECT",
			error->message);
		return wyn_exit_status(error->status);
	}
	if (strcmp(error->reason, "CANNOT_CONNECT") == 0 &&
		error->status == WYN_STATUS_INVALID_ARGUMENT) {
		(void)wyn_ctl_fail(ctl);
		return WYN_EXIT_USAGE;
	}
	return wyn_ctl_fail(ctl);
}

static int ctl_await_connection(struct wyn_ctl *ctl)
{
	return wyn_client_connect(ctl->client, ctl->arguments->connect,
		       wyn_client_deadline_in_ms(WYN_CTL_REQUEST_MS)) == 0
		       ? WYN_EXIT_OK
		       : ctl_not_connected(ctl);
}

int wyn_ctl_connect(struct wyn_ctl *ctl, uint64_t in_flight)
{
	int code = ctl_create(ctl, in_flight);

	return code == WYN_EXIT_OK ? ctl_await_connection(ctl) : code;
}

int wyn_ctl_connect_start(struct wyn_ctl *ctl)
{
	int code = ctl_create(ctl, 1);
	int err;

	if (code != WYN_EXIT_OK) {
		return code;
	}
	err = wyn_client_connect_start(ctl->client, ctl->arguments->connect);
	if (err == -EHOSTUNREACH || err == -EAGAIN) {
		return ctl_await_connection(ctl);
	}
	return err == 0 ? WYN_EXIT_OK : ctl_not_connected(ctl);
}

int wyn_ctl_fail(const struct wyn_ctl *ctl)
{
	return wyn_ctl_failed(ctl->client);
}

int wyn_ctl_failed(const struct wyn_client *client)
{
	const struct wyn_client_error *error = wyn_client_error(client);

	wyn_ctl_say("%s", error->message);
	/* A failed call is a failure, however its connection ended. */
	return error->status == WYN_STATUS_OK ? WYN_EXIT_FAILED
					      : wyn_exit_status(error->status);
}

int wyn_ctl_serve(struct wyn_client *client)
{
	struct wyn_client_event event;
	int err;

	do {
		err = wyn_client_next(client, WYN_CLIENT_AT_ONCE, &event);
	} while (err == 0);
	return err == -EAGAIN || err == -ENODATA ? 0 : err;
}

int wyn_ctl_lost(const struct wyn_ctl *ctl)
{
	return wyn_ctl_serve(ctl->client) == 0 ? WYN_EXIT_OK
					       : wyn_ctl_fail(ctl);
}

struct wyn_client_options wyn_ctl_options(const struct wyn_arguments *arguments)
{
	return (struct wyn_client_options){
		.priority = (enum wyn_client_priority)arguments->priority,
		.timeout_ms = arguments->timeout_ms,
		.deadline_ms = arguments->deadline_ms,
		.label = arguments->label,
		.keep = arguments->detach,
		.accept = arguments->detach,
	};
}

/* Returns: 1 = watch_fd is ready; 0 = something else is; -errno. */
static int ctl_poll(struct wyn_ctl *ctl, int watch_fd)
{
	/* One that is -1 is passed over. */
	struct pollfd fds[] = {
		{.fd = wyn_client_fd(ctl->client), .events = POLLIN},
		{.fd = wyn_stdout_waits_fd(&ctl->output), .events = POLLOUT},
		{.fd = watch_fd, .events = POLLIN},
		{.fd = ctl->error != NULL ? wyn_stdout_waits_fd(ctl->error)
					  : -1,
			.events = POLLOUT},
	};
	int ready;

	if (wyn_client_wants_write(ctl->client)) {
		fds[0].events |= POLLOUT;
	}
	ready = wyn_interrupt_poll(fds, WYN_COUNT_OF(fds), wyn_progress_idle());
	if (ready < 0) {
		return ready;
	}
	return fds[2].revents != 0 ? 1 : 0;
}

static bool ctl_is_full(const struct wyn_ctl *ctl)
{
	return wyn_stdout_full(&ctl->output) ||
	       (ctl->error != NULL && wyn_stdout_full(ctl->error));
}

/* Returns: whether one of them has failed by that. */
static bool ctl_flush(struct wyn_ctl *ctl)
{
	bool failed = ctl->output.error == 0;

	wyn_stdout_flush(&ctl->output);
	failed = failed && ctl->output.error != 0;
	if (ctl->error != NULL && ctl->error->error == 0) {
		wyn_stdout_flush(ctl->error);
		failed = failed || ctl->error->error != 0;
	}
	return failed;
}

static uint64_t ctl_kept_bytes(const struct wyn_ctl *ctl)
{
	return wyn_stdout_kept_bytes(&ctl->output) +
	       (ctl->error != NULL ? wyn_stdout_kept_bytes(ctl->error) : 0);
}

int wyn_ctl_wait(
	struct wyn_ctl *ctl, int watch_fd, struct wyn_client_event *ret_event)
{
	bool full = ctl_is_full(ctl);
	bool other = watch_fd >= 0 || full;
	int result;

	/* While events come faster than they are taken, nothing below sleeps,
	 * and SIGINT would never be let in. */
	if (++ctl->waits % WYN_CTL_WAITS_PER_LOOK == 0) {
		result = wyn_interrupt_poll(NULL, 0, 0);
		if (result < 0) {
			return result;
		}
	}
	for (;;) {
		wyn_client_hold(ctl->client, ctl_kept_bytes(ctl));
		result = wyn_client_next(
			ctl->client, WYN_CLIENT_AT_ONCE, ret_event);
		if (result != -EAGAIN && !(result == -ENODATA && other)) {
			return result;
		}
		/* Before it may sleep for long, what there is goes out. */
		if (ctl_flush(ctl)) {
			return -EINTR;
		}
		wyn_client_hold(ctl->client, ctl_kept_bytes(ctl));
		if (full && !ctl_is_full(ctl)) {
			return 1;
		}
		result = ctl_poll(ctl, watch_fd);
		if (result != 0) {
			return result;
		}
	}
}

const char *wyn_ctl_reason(const struct wyn_client_event *event)
{
	static const char *const meanings[] = {
#define WYN_CTL_MEANING(name, number, text) [number] = text,
		WYN_STATUS_TABLE(WYN_CTL_MEANING)
#undef WYN_CTL_MEANING
	};

	if (event->message[0] != '\0') {
		return event->message;
	}
	return event->code < WYN_COUNT_OF(meanings) ? meanings[event->code]
						    : "unknown status";
}
