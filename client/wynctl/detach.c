// SPDX-License-Identifier: MIT
/*
 * detach.c - see detach.h.
 */
#include "client/wynctl/detach.h"

#include <errno.h>
#include <inttypes.h>

#include "client/wynctl/here.h"
#include "client/wynctl/json.h"
#include "client/wynctl/outcome.h"

static bool is_command(const struct wyn_ctl *ctl)
{
	return ctl->arguments->command == WYN_COMMAND_RUN;
}

/* The connection's end, or a refusal before there was a task. */
static int detach_failed(const struct wyn_ctl *ctl)
{
	int code = wyn_ctl_fail(ctl);

	return is_command(ctl) ? WYN_EXIT_COMMAND_FAILED : code;
}

static int detach_refused(
	const struct wyn_ctl *ctl, const struct wyn_client_event *event)
{
	wyn_ctl_say(
		"%s: %s", ctl->arguments->operands[0], wyn_ctl_reason(event));
	return is_command(ctl) ? wyn_outcome_exit_code(event, 0)
			       : wyn_exit_status(event->code);
}

static void detach_print(struct wyn_ctl *ctl, uint64_t id)
{
	if (ctl->arguments->json) {
		wyn_json_print(&ctl->output,
			json_pack("{s:o}", "id", json_sprintf("%" PRIu64, id)));
	} else {
		wyn_stdout_print(&ctl->output, "%" PRIu64 "\n", id);
	}
}

int wyn_detach(struct wyn_ctl *ctl, uint64_t seq)
{
	struct wyn_client_event event = {0};
	uint64_t id;
	uint64_t ns;
	int err = 0;

	while (err == 0 && event.kind != WYN_CLIENT_ACCEPTED) {
		err = wyn_client_next(ctl->client, WYN_CLIENT_FOREVER, &event);
		if (err == 0 && event.kind == WYN_CLIENT_RESULT) {
			return detach_refused(ctl, &event);
		}
		err = err == -EINTR ? 0 : err;
	}
	id = event.id + (seq - event.seq);
	if (err == 0) {
		err = wyn_client_flush(ctl->client, WYN_CLIENT_FOREVER);
	}
	/* What is answered after it has arrived. */
	if (err == 0) {
		err = wyn_client_ping(ctl->client, WYN_CLIENT_FOREVER, &ns);
	}
	if (err != 0) {
		return detach_failed(ctl);
	}
	detach_print(ctl, id);
	return WYN_EXIT_OK;
}

static int detach_submit(
	struct wyn_ctl *ctl, const struct wyn_client_command *command)
{
	const struct wyn_client_options options =
		wyn_ctl_options(ctl->arguments);
	uint64_t seq = 0;
	int err;

	if (wyn_ctl_connect(ctl, 1) != WYN_EXIT_OK) {
		return WYN_EXIT_COMMAND_FAILED;
	}
	err = wyn_client_submit_command(ctl->client, command,
		(struct wyn_bytes){NULL, 0}, &options, &seq);
	if (err == -E2BIG) {
		(void)wyn_ctl_fail(ctl);
		return WYN_EXIT_COMMAND_REFUSED;
	}
	return err == 0 ? wyn_detach(ctl, seq) : detach_failed(ctl);
}

int wyn_detach_command(struct wyn_ctl *ctl)
{
	struct wyn_client_command command;
	struct wyn_here here = {0};
	int code = WYN_EXIT_COMMAND_FAILED;

	if (wyn_here_command(&here, ctl->arguments, &command)) {
		code = detach_submit(ctl, &command);
	}
	wyn_here_fini(&here);
	return code;
}
