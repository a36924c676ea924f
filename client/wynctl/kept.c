// SPDX-License-Identifier: MIT
/*
 * kept.c - see kept.h.
 *
 * While the daemon shuts down it answers at once: to ask again and again would
 * keep it busy to no end, so its GoAway ends the wait.
 */
#include "client/wynctl/kept.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "client/wynctl/interrupt.h"
#include "client/wynctl/json.h"
#include "client/wynctl/outcome.h"
#include "client/wynctl/status.h"
#include "client/wynctl/task_text.h"

#define PAUSE_MS 250

static bool is_refused_for(const struct wyn_ctl *ctl, const char *reason)
{
	return strcmp(wyn_client_error(ctl->client)->reason, reason) == 0;
}

/* Whether the daemon has said that it ends. */
static bool goes_away(struct wyn_ctl *ctl)
{
	struct wyn_client_event event;

	while (wyn_client_next(ctl->client, WYN_CLIENT_AT_ONCE, &event) == 0) {
		if (event.kind == WYN_CLIENT_GO_AWAY) {
			return true;
		}
	}
	return false;
}

enum wyn_kept_answer wyn_kept_again(struct wyn_ctl *ctl, int err)
{
	if (err == -EINTR) {
		return WYN_KEPT_TOLD; /* a stop and SIGCONT */
	}
	if (err == -EREMOTEIO && !is_refused_for(ctl, "CALLS_MAX")) {
		return WYN_KEPT_REFUSED;
	}
	if (err != 0 && err != -EREMOTEIO) {
		(void)wyn_ctl_fail(ctl);
		return WYN_KEPT_LOST;
	}
	if (goes_away(ctl)) {
		wyn_ctl_say("the server is shutting down, and no longer says "
			    "how tasks end");
		return WYN_KEPT_LOST;
	}
	if (err != 0) {
		(void)!wyn_interrupt_poll(NULL, 0, PAUSE_MS);
	}
	return WYN_KEPT_TOLD;
}

enum wyn_kept_answer wyn_kept_ask(struct wyn_ctl *ctl, uint64_t id, bool waits,
	uint64_t value_from, struct wyn_client_outcome *ret_outcome)
{
	uint64_t wait_ms = waits ? WYN_CLIENT_WAIT_MS_MAX : 0;
	enum wyn_kept_answer answer;
	int err;

	for (;;) {
		err = wyn_client_outcome(ctl->client,
			wyn_client_deadline_in_ms(wait_ms + WYN_CTL_REQUEST_MS),
			id, wait_ms, value_from, ret_outcome);
		if (err == 0 && (ret_outcome->ended || !waits)) {
			return WYN_KEPT_TOLD;
		}
		answer = wyn_kept_again(ctl, err);
		if (answer != WYN_KEPT_TOLD) {
			return answer;
		}
	}
}

bool wyn_kept_is_command(const struct wyn_client_outcome *outcome)
{
	return outcome->task.function[0] == '\0';
}

int wyn_kept_exit_code(const struct wyn_client_outcome *outcome)
{
	return wyn_kept_is_command(outcome)
		       ? wyn_outcome_exit_code(&outcome->result, 0)
		       : wyn_exit_status(outcome->result.code);
}

void wyn_kept_complain(const struct wyn_client_outcome *outcome)
{
	char what[WYN_TASK_TEXT_BYTES];

	if (outcome->result.code == WYN_STATUS_OK ||
		(wyn_kept_is_command(outcome) &&
			wyn_outcome_is_silent(&outcome->result))) {
		return;
	}
	if (wyn_outcome_names_what(&outcome->result)) {
		wyn_ctl_say("%s", outcome->result.message);
	} else {
		wyn_ctl_say("%s: %s", wyn_task_what(&outcome->task, what),
			wyn_ctl_reason(&outcome->result));
	}
}

void wyn_kept_json_end(json_t *object, const struct wyn_client_outcome *outcome)
{
	wyn_json_end(object, &outcome->result);
	if (wyn_kept_is_command(outcome)) {
		wyn_json_command(object, &outcome->result);
	} else {
		(void)json_object_set_new(object, "exit_status", json_null());
		(void)json_object_set_new(object, "signal", json_null());
		(void)json_object_set_new(object, "usage", json_null());
	}
}

json_t *wyn_kept_json_refused(const struct wyn_ctl *ctl, uint64_t id)
{
	const struct wyn_client_error *error = wyn_client_error(ctl->client);

	return json_pack("{s:o, s:s, s:s, s:s}", "id",
		json_sprintf("%" PRIu64, id), "status",
		wyn_status_name(error->status), "reason", error->reason,
		"message", error->message);
}
