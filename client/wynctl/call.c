// SPDX-License-Identifier: MIT
/*
 * call.c - `wynctl call FUNC [ARG|-]`: one task.
 *
 * The value is printed and a newline after it, as most values are text; --raw
 * leaves the newline out, for bytes. A file as standard input is sent piece by
 * piece; anything else is read to its end first, as its size must be known.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/wynctl/ctl.h"
#include "client/wynctl/detach.h"
#include "client/wynctl/interrupt.h"
#include "client/wynctl/json.h"
#include "client/wynctl/progress.h"

#define READ_BYTES (64u << 10)

/* Reads standard input whole. Returns: 0 or -errno; *ret_data is malloc'ed. */
static int call_read_all(uint64_t limit, uint8_t **ret_data, size_t *ret_size)
{
	uint8_t *data = NULL;
	uint8_t *larger;
	size_t capacity = 0;
	size_t size = 0;
	ssize_t got;

	for (;;) {
		if (capacity - size < READ_BYTES) {
			capacity = capacity * 2 + READ_BYTES;
			larger = realloc(data, capacity);
			if (larger == NULL) {
				free(data);
				return -ENOMEM;
			}
			data = larger;
		}
		got = read(STDIN_FILENO, data + size, capacity - size);
		if (got == 0) {
			break;
		}
		if (got < 0 && errno == EINTR) {
			continue;
		}
		size += got > 0 ? (size_t)got : 0;
		if (got < 0 || size > limit) {
			free(data);
			return got < 0 ? -errno : -E2BIG;
		}
	}
	*ret_data = data;
	*ret_size = size;
	return 0;
}

/* Returns: the exit code; OK = *ret_seq is the task. */
static int call_submit_stdin(struct wyn_ctl *ctl,
	const struct wyn_client_options *options, uint64_t *ret_seq)
{
	const char *function = ctl->arguments->operands[0];
	struct wyn_client_source source;
	uint8_t *data = NULL;
	struct stat stat;
	size_t size = 0;
	off_t at;
	int fd;
	int err;

	at = lseek(STDIN_FILENO, 0, SEEK_CUR);
	if (fstat(STDIN_FILENO, &stat) == 0 && S_ISREG(stat.st_mode) &&
		at >= 0 && at < stat.st_size) {
		fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
		if (fd < 0) {
			wyn_ctl_say("standard input: %s", strerror(errno));
			return WYN_EXIT_FAILED;
		}
		source =
			wyn_client_source_fd(fd, (uint64_t)(stat.st_size - at));
		err = wyn_client_submit_source(
			ctl->client, function, &source, options, ret_seq);
		return err == 0 ? WYN_EXIT_OK : wyn_ctl_fail(ctl);
	}
	err = call_read_all(wyn_client_server(ctl->client)->argument_bytes_max,
		&data, &size);
	if (err != 0) {
		wyn_ctl_say("standard input: %s",
			err == -E2BIG ? "larger than the daemon's limit of an "
					"argument"
				      : strerror(-err));
		return WYN_EXIT_FAILED;
	}
	err = wyn_client_submit(ctl->client, function,
		(struct wyn_bytes){data, size}, options, ret_seq);
	free(data);
	return err == 0 ? WYN_EXIT_OK : wyn_ctl_fail(ctl);
}

static int call_submit(struct wyn_ctl *ctl, uint64_t *ret_seq)
{
	const struct wyn_arguments *arguments = ctl->arguments;
	struct wyn_client_options options = wyn_ctl_options(arguments);
	const char *text =
		arguments->operand_count > 1 ? arguments->operands[1] : "";

	/* Nobody takes them now, and they are kept. */
	options.stream = arguments->stream || arguments->detach;
	if (strcmp(text, "-") == 0) {
		return call_submit_stdin(ctl, &options, ret_seq);
	}
	return wyn_client_submit(ctl->client, arguments->operands[0],
		       (struct wyn_bytes){text, strlen(text)}, &options,
		       ret_seq) == 0
		       ? WYN_EXIT_OK
		       : wyn_ctl_fail(ctl);
}

static void call_print(
	struct wyn_ctl *ctl, const struct wyn_client_event *event)
{
	json_t *object;

	if (ctl->arguments->json) {
		object = json_object();
		if (event->kind == WYN_CLIENT_PARTIAL) {
			(void)json_object_set_new(
				object, "partial", json_true());
		} else {
			wyn_json_end(object, event);
		}
		if (event->code == WYN_STATUS_OK) {
			wyn_json_bytes(object, "value", event->value);
		}
		wyn_json_print(&ctl->output, object);
	} else if (event->code == WYN_STATUS_OK) {
		wyn_stdout_write(
			&ctl->output, event->value.data, event->value.size);
		if (!ctl->arguments->raw) {
			wyn_stdout_write(&ctl->output, "\n", 1);
		}
	}
	if (event->kind == WYN_CLIENT_PARTIAL) {
		wyn_stdout_flush(&ctl->output);
	}
}

/* A number that is past what JSON's integers can be is their largest. */
static json_t *call_number(uint64_t number)
{
	return json_integer(
		number < INT64_MAX ? (json_int_t)number : INT64_MAX);
}

/* How far the function says that it is: a line, or a bar for a terminal. */
static void call_progress(
	struct wyn_ctl *ctl, const struct wyn_client_event *event, bool first)
{
	json_t *object;

	if (first) {
		wyn_progress_start(event->total);
	}
	wyn_progress_update(event->count);
	if (!ctl->arguments->json) {
		return;
	}
	object = json_object();
	(void)json_object_set_new(
		object, "progress", call_number(event->count));
	(void)json_object_set_new(object, "total",
		event->total > 0 ? call_number(event->total) : json_null());
	wyn_json_print(&ctl->output, object);
	wyn_stdout_flush(&ctl->output);
}

/* What comes before the result, none of which need come. */
static void call_early(struct wyn_ctl *ctl,
	const struct wyn_client_event *event, bool *reported)
{
	if (event->kind == WYN_CLIENT_PROGRESS) {
		call_progress(ctl, event, !*reported);
		*reported = true;
	} else if (event->kind == WYN_CLIENT_PARTIAL) {
		wyn_progress_clear();
		call_print(ctl, event);
	}
}

int wyn_command_call(struct wyn_ctl *ctl)
{
	struct wyn_client_event event;
	uint64_t seq = 0;
	bool reported = false;
	int code = wyn_ctl_connect(ctl, 0);
	int err;

	if (code == WYN_EXIT_OK) {
		code = call_submit(ctl, &seq);
	}
	if (code == WYN_EXIT_OK && ctl->arguments->detach) {
		return wyn_detach(ctl, seq);
	}
	if (code != WYN_EXIT_OK) {
		return code;
	}
	wyn_interrupt_init();
	for (;;) {
		err = wyn_ctl_wait(ctl, -1, &event);
		if (err == 1) {
			continue;
		}
		if (err == -EINTR) {
			err = wyn_interrupted()
				      ? wyn_client_cancel(ctl->client, seq, 1)
				      : 0;
		} else if (err == 0 && event.kind == WYN_CLIENT_RESULT) {
			break;
		} else if (err == 0) {
			call_early(ctl, &event, &reported);
		}
		if (err != 0) {
			return wyn_ctl_fail(ctl);
		}
	}
	wyn_progress_end();
	call_print(ctl, &event);
	if (event.code != WYN_STATUS_OK) {
		wyn_ctl_say("%s: %s", ctl->arguments->operands[0],
			wyn_ctl_reason(&event));
	}
	return wyn_interrupted() ? WYN_EXIT_INTERRUPTED
				 : wyn_exit_status(event.code);
}
