// SPDX-License-Identifier: MIT
/*
 * end.c - `wynctl cancel ID...` and `wynctl signal SIG ID...`.
 *
 * Tasks of any connection, by their ids. One that is not there does not keep
 * the others from it.
 */
#include <errno.h>
#include <inttypes.h>

#include "client/wynctl/json.h"
#include "client/wynctl/kept.h"

static void end_print(struct wyn_ctl *ctl, uint64_t id, bool refused)
{
	if (refused) {
		wyn_ctl_say("%" PRIu64 ": %s", id,
			wyn_client_error(ctl->client)->message);
	}
	if (!ctl->arguments->json) {
		return;
	}
	wyn_json_print(
		&ctl->output, refused ? wyn_kept_json_refused(ctl, id)
				      : json_pack("{s:o, s:s}", "id",
						json_sprintf("%" PRIu64, id),
						"status", "OK"));
}

/* From the first-th operand on. Returns: the exit code, of the last that was
 * refused. */
static int end_all(struct wyn_ctl *ctl, size_t first, unsigned signal)
{
	const struct wyn_arguments *arguments = ctl->arguments;
	int code = wyn_ctl_connect(ctl, 0);
	uint64_t id;
	int err;

	if (code != WYN_EXIT_OK) {
		return code;
	}
	for (size_t i = first; i < arguments->operand_count; i++) {
		id = wyn_arguments_id(arguments->operands[i]);
		err = wyn_client_end(ctl->client,
			wyn_client_deadline_in_ms(WYN_CTL_REQUEST_MS), id,
			signal, arguments->grace_ms);
		if (err != 0 && err != -EREMOTEIO) {
			return wyn_ctl_fail(ctl);
		}
		if (err != 0) {
			code = wyn_exit_status(
				wyn_client_error(ctl->client)->status);
		}
		end_print(ctl, id, err != 0);
	}
	return code;
}

int wyn_command_cancel(struct wyn_ctl *ctl)
{
	return end_all(ctl, 0, 0);
}

int wyn_command_signal(struct wyn_ctl *ctl)
{
	return end_all(ctl, 1, (unsigned)ctl->arguments->number);
}
