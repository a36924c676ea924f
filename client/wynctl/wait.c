// SPDX-License-Identifier: MIT
/*
 * wait.c - `wynctl wait ID...`: until all of them have ended.
 *
 * As wait of a shell: the exit code is that of the last one. Who waits in vain
 * hears so, and what a command would have said where it was run.
 */
#include <inttypes.h>

#include "client/wynctl/json.h"
#include "client/wynctl/kept.h"

static void wait_print(
	struct wyn_ctl *ctl, const struct wyn_client_outcome *outcome)
{
	json_t *object;

	if (!ctl->arguments->json) {
		wyn_kept_complain(outcome);
		return;
	}
	object = json_pack(
		"{s:o}", "id", json_sprintf("%" PRIu64, outcome->task.id));
	wyn_kept_json_end(object, outcome);
	wyn_json_print(&ctl->output, object);
	wyn_stdout_flush(&ctl->output);
}

/* Returns: its exit code. *ret_lost: and that of all that follow. */
static int wait_one(struct wyn_ctl *ctl, uint64_t id, bool *ret_lost)
{
	struct wyn_client_outcome outcome;

	switch (wyn_kept_ask(ctl, id, true, 0, &outcome)) {
	case WYN_KEPT_TOLD:
		wait_print(ctl, &outcome);
		return wyn_kept_exit_code(&outcome);
	case WYN_KEPT_REFUSED:
		wyn_ctl_say("%" PRIu64 ": %s", id,
			wyn_client_error(ctl->client)->message);
		if (ctl->arguments->json) {
			wyn_json_print(
				&ctl->output, wyn_kept_json_refused(ctl, id));
		}
		break;
	case WYN_KEPT_LOST:
		*ret_lost = true;
		break;
	}
	return WYN_EXIT_COMMAND_FAILED;
}

int wyn_command_wait(struct wyn_ctl *ctl)
{
	const struct wyn_arguments *arguments = ctl->arguments;
	bool lost = wyn_ctl_connect(ctl, 0) != WYN_EXIT_OK;
	int code = WYN_EXIT_COMMAND_FAILED;

	for (size_t i = 0; i < arguments->operand_count && !lost; i++) {
		code = wait_one(
			ctl, wyn_arguments_id(arguments->operands[i]), &lost);
	}
	return code;
}
