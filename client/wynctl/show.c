// SPDX-License-Identifier: MIT
/*
 * show.c - `wynctl show ID`: what a task is, and how it goes or went.
 *
 * What is kept says how it ended; what goes on is explained, kept or not. A
 * task may end between the two questions, and then they are asked again.
 */
#include <inttypes.h>

#include "client/wynctl/escape.h"
#include "client/wynctl/json.h"
#include "client/wynctl/kept.h"
#include "client/wynctl/task_text.h"

#define LOOKS_MAX 3

static void json_merge(json_t *object, json_t *more)
{
	(void)json_object_update(object, more);
	json_decref(more);
}

static void ended_json(
	struct wyn_ctl *ctl, const struct wyn_client_outcome *outcome)
{
	json_t *object = wyn_task_json(&outcome->task);

	json_merge(object,
		json_pack("{s:b, s:I, s:I, s:I, s:I, s:b}", "kept", 1,
			"ended_ns", (json_int_t)outcome->ended_ns, "left_ns",
			(json_int_t)outcome->left_ns, "output_bytes",
			(json_int_t)outcome->output_bytes, "value_bytes",
			(json_int_t)outcome->value_bytes, "value_lost",
			(int)outcome->value_lost));
	wyn_kept_json_end(object, outcome);
	wyn_json_print(&ctl->output, object);
}

/* How it ended, in a few words. */
static void how_print(
	struct wyn_ctl *ctl, const struct wyn_client_event *result)
{
	char reason[WYN_TASK_TEXT_BYTES];
	char text[WYN_TASK_TEXT_BYTES];

	if (result->code == WYN_STATUS_OK) {
		wyn_stdout_print(&ctl->output, "well");
		return;
	}
	wyn_stdout_print(&ctl->output, "%s (%s)",
		wyn_escape_text(wyn_ctl_reason(result), text, sizeof(text)),
		wyn_escape_text(result->reason, reason, sizeof(reason)));
}

static void usage_print(
	struct wyn_ctl *ctl, const struct wyn_client_usage *usage)
{
	char wall[WYN_TASK_TIME_BYTES];
	char user[WYN_TASK_TIME_BYTES];
	char system[WYN_TASK_TIME_BYTES];

	wyn_stdout_print(&ctl->output,
		"took %s, %s of user and %s of system time, %.1f MiB\n",
		wyn_task_time(usage->wall_ns, wall),
		wyn_task_time(usage->user_ns, user),
		wyn_task_time(usage->system_ns, system),
		(double)usage->peak_rss_bytes / (1024 * 1024));
	wyn_stdout_print(&ctl->output,
		"wrote %" PRIu64 " bytes to standard output, %" PRIu64
		" to standard error\n",
		usage->stdout_bytes, usage->stderr_bytes);
}

static void ended_text(
	struct wyn_ctl *ctl, const struct wyn_client_outcome *outcome)
{
	char time[WYN_TASK_TIME_BYTES];

	wyn_task_print(ctl, &outcome->task);
	wyn_stdout_print(&ctl->output, "ended: ");
	how_print(ctl, &outcome->result);
	wyn_stdout_print(&ctl->output, ", %s ago\n",
		wyn_task_time(outcome->ended_ns, time));
	if (outcome->result.usage != NULL) {
		usage_print(ctl, outcome->result.usage);
	}
	if (outcome->value_lost) {
		wyn_stdout_print(&ctl->output, "its value was not kept\n");
	} else if (outcome->value_bytes > 0) {
		wyn_stdout_print(&ctl->output, "value of %" PRIu64 " bytes\n",
			outcome->value_bytes);
	}
	wyn_stdout_print(&ctl->output, "kept for %s more\n",
		wyn_task_time(outcome->left_ns, time));
}

static void explained(struct wyn_ctl *ctl,
	const struct wyn_client_explanation *told, bool kept)
{
	json_t *object;

	if (ctl->arguments->json) {
		object = wyn_task_explain_json(told);
		(void)json_object_set_new(object, "kept", json_boolean(kept));
		wyn_json_print(&ctl->output, object);
		return;
	}
	wyn_task_explain_text(ctl, told);
	wyn_stdout_print(&ctl->output,
		kept ? "outlives its connection, how it ends is kept\n"
		     : "ends with its connection\n");
}

/* Returns: whether it is said. */
static bool show_ended(
	struct wyn_ctl *ctl, const struct wyn_client_outcome *outcome)
{
	if (!outcome->ended) {
		return false;
	}
	if (ctl->arguments->json) {
		ended_json(ctl, outcome);
	} else {
		ended_text(ctl, outcome);
	}
	return true;
}

int wyn_command_show(struct wyn_ctl *ctl)
{
	const struct wyn_client_which which = {
		.id = wyn_arguments_id(ctl->arguments->operands[0])};
	struct wyn_client_explanation told;
	struct wyn_client_outcome outcome;
	enum wyn_kept_answer answer = WYN_KEPT_LOST;
	int code = wyn_ctl_connect(ctl, 0);

	if (code != WYN_EXIT_OK) {
		return code;
	}
	for (int looks = 0; looks < LOOKS_MAX; looks++) {
		answer = wyn_kept_ask(ctl, which.id, false, 0, &outcome);
		if (answer == WYN_KEPT_LOST) {
			return wyn_exit_status(
				wyn_client_error(ctl->client)->status);
		}
		if (answer == WYN_KEPT_TOLD && show_ended(ctl, &outcome)) {
			return WYN_EXIT_OK;
		}
		if (wyn_client_explain(ctl->client,
			    wyn_client_deadline_in_ms(WYN_CTL_REQUEST_MS),
			    &which, &told) == 0) {
			explained(ctl, &told, answer == WYN_KEPT_TOLD);
			return WYN_EXIT_OK;
		}
		if (answer == WYN_KEPT_REFUSED) {
			break;
		}
	}
	return wyn_ctl_fail(ctl);
}
