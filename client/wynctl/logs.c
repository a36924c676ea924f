// SPDX-License-Identifier: MIT
/*
 * logs.c - `wynctl logs [-f] ID`: what a detached task wrote, and its value.
 *
 * What its outputs were goes to ours, as far as it is kept; of a function each
 * partial value with a newline after it, and the value at the end, as `call`
 * prints them. The connection is served while somebody reads slowly.
 */
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

#include "client/wynctl/interrupt.h"
#include "client/wynctl/json.h"
#include "client/wynctl/kept.h"

struct logs {
	struct wyn_ctl *ctl;
	struct wyn_stdout errors; /* standard error */
	uint64_t id;
	uint64_t next; /* byte of all streams */
};

static void piece_json(struct logs *logs, const struct wyn_client_piece *piece)
{
	json_t *object = json_object();

	if (piece->kind == WYN_CLIENT_PARTIAL) {
		(void)json_object_set_new(object, "partial", json_true());
		wyn_json_bytes(object, "value", piece->bytes);
	} else {
		wyn_json_bytes(object,
			piece->kind == WYN_CLIENT_STDOUT ? "stdout" : "stderr",
			piece->bytes);
	}
	wyn_json_print(&logs->ctl->output, object);
}

static void value_print(struct wyn_stdout *output, struct wyn_bytes bytes)
{
	wyn_stdout_write(output, bytes.data, bytes.size);
}

static int piece_print(void *context, const struct wyn_client_piece *piece)
{
	struct logs *logs = context;
	struct wyn_stdout *output = &logs->ctl->output;
	bool error = piece->kind == WYN_CLIENT_STDERR;

	if (piece->at > logs->next) {
		wyn_stdout_flush(output);
		wyn_ctl_say("%" PRIu64 " bytes are no longer kept",
			piece->at - logs->next);
	}
	logs->next = piece->at + piece->bytes.size;
	if ((unsigned)piece->kind == 0) {
		return 0;
	}
	if (logs->ctl->arguments->json) {
		piece_json(logs, piece);
		return 0;
	}
	/* In the order in which it was written, where both are one file. */
	wyn_stdout_flush(error ? output : &logs->errors);
	value_print(error ? &logs->errors : output, piece->bytes);
	if (piece->kind == WYN_CLIENT_PARTIAL) {
		wyn_stdout_write(output, "\n", 1);
	}
	return 0;
}

static size_t logs_unprinted(const struct logs *logs)
{
	return wyn_stdout_kept_bytes(&logs->ctl->output) +
	       wyn_stdout_kept_bytes(&logs->errors);
}

/* Until all is out, and the connection is served. */
static void logs_flush(struct logs *logs)
{
	struct wyn_ctl *ctl = logs->ctl;
	struct wyn_client_event event;

	wyn_stdout_flush(&ctl->output);
	wyn_stdout_flush(&logs->errors);
	while (logs_unprinted(logs) > 0) {
		struct pollfd fds[] = {
			{.fd = wyn_stdout_waits_fd(&ctl->output),
				.events = POLLOUT},
			{.fd = wyn_stdout_waits_fd(&logs->errors),
				.events = POLLOUT},
			{.fd = wyn_client_fd(ctl->client),
				.events =
					(short)wyn_client_events(ctl->client)},
		};

		if (fds[2].events == 0) {
			fds[2].fd =
				-1; /* it has ended, as the next call says */
		}
		(void)!wyn_interrupt_poll(fds, WYN_COUNT_OF(fds), -1);
		(void)!wyn_client_process(ctl->client, &event);
		wyn_stdout_flush(&ctl->output);
		wyn_stdout_flush(&logs->errors);
	}
}

/* Whether nobody takes what is printed. */
static bool logs_broken(const struct logs *logs)
{
	return logs->ctl->output.error != 0;
}

/*
 * What it wrote, up to `until` or its end. One that writes faster than we read
 * would else be read for ever. Returns: TOLD, REFUSED or LOST.
 */
static enum wyn_kept_answer logs_output(struct logs *logs, uint64_t until)
{
	struct wyn_ctl *ctl = logs->ctl;
	uint64_t wait_ms = ctl->arguments->follow ? WYN_CLIENT_WAIT_MS_MAX : 0;
	struct wyn_client_logs told = {.next = 0};
	enum wyn_kept_answer answer;
	int err;

	while (!told.ended && told.next < until && !logs_broken(logs)) {
		uint64_t from = told.next;

		err = wyn_client_logs(ctl->client,
			wyn_client_deadline_in_ms(wait_ms + WYN_CTL_REQUEST_MS),
			logs->id, from, wait_ms, piece_print, logs, &told);
		logs_flush(logs);
		if (err == 0 && (told.ended || told.next > from)) {
			continue;
		}
		if (err == 0 && wait_ms == 0) {
			break;
		}
		answer = wyn_kept_again(ctl, err);
		if (answer != WYN_KEPT_TOLD) {
			return answer;
		}
	}
	return WYN_KEPT_TOLD;
}

static void value_json(struct wyn_ctl *ctl, const struct wyn_client_event *end)
{
	json_t *object = json_object();

	wyn_json_bytes(object, "value", end->value);
	wyn_json_print(&ctl->output, object);
}

/* The value of a function that has ended, part by part. With --json each part
 * is an object. */
static enum wyn_kept_answer logs_value(
	struct logs *logs, struct wyn_client_outcome *outcome)
{
	struct wyn_ctl *ctl = logs->ctl;
	enum wyn_kept_answer answer = WYN_KEPT_TOLD;
	uint64_t from = 0;

	if (outcome->value_lost) {
		wyn_ctl_say("the value was not kept");
		return answer;
	}
	while (answer == WYN_KEPT_TOLD && !logs_broken(logs)) {
		from += outcome->result.value.size;
		if (ctl->arguments->json) {
			value_json(ctl, &outcome->result);
		} else {
			value_print(&ctl->output, outcome->result.value);
		}
		logs_flush(logs);
		if (outcome->result.value.size == 0 ||
			from >= outcome->value_bytes) {
			break;
		}
		answer = wyn_kept_ask(ctl, logs->id, false, from, outcome);
	}
	if (!ctl->arguments->raw && !ctl->arguments->json) {
		wyn_stdout_write(&ctl->output, "\n", 1);
	}
	return answer;
}

static enum wyn_kept_answer logs_print(struct logs *logs)
{
	bool follow = logs->ctl->arguments->follow;
	struct wyn_client_outcome outcome;
	enum wyn_kept_answer answer =
		wyn_kept_ask(logs->ctl, logs->id, false, 0, &outcome);

	if (answer == WYN_KEPT_TOLD) {
		answer = logs_output(
			logs, follow ? UINT64_MAX : outcome.output_bytes);
	}
	if (answer == WYN_KEPT_TOLD && follow) {
		answer = wyn_kept_ask(logs->ctl, logs->id, true, 0, &outcome);
	} else if (answer == WYN_KEPT_TOLD) {
		answer = wyn_kept_ask(logs->ctl, logs->id, false, 0, &outcome);
	}
	if (answer != WYN_KEPT_TOLD || !outcome.ended ||
		wyn_kept_is_command(&outcome)) {
		return answer;
	}
	if (outcome.result.code == WYN_STATUS_OK) {
		return logs_value(logs, &outcome);
	}
	wyn_kept_complain(&outcome);
	return answer;
}

int wyn_command_logs(struct wyn_ctl *ctl)
{
	struct logs logs = {
		.ctl = ctl,
		.id = wyn_arguments_id(ctl->arguments->operands[0]),
	};
	enum wyn_kept_answer answer;
	int code = wyn_ctl_connect(ctl, 0);

	if (code != WYN_EXIT_OK) {
		return code;
	}
	wyn_stdout_init(&logs.errors, STDERR_FILENO);
	answer = logs_print(&logs);
	if (answer == WYN_KEPT_REFUSED) {
		code = wyn_ctl_fail(ctl);
	} else if (answer == WYN_KEPT_LOST) {
		code = wyn_client_error(ctl->client)->status == WYN_STATUS_OK
			       ? WYN_EXIT_TRY_AGAIN
			       : wyn_exit_status(
					 wyn_client_error(ctl->client)->status);
	}
	(void)!wyn_stdout_end(&logs.errors);
	return code;
}
