// SPDX-License-Identifier: MIT
/*
 * outcome.h - how a command ended, as a shell would say it.
 *
 * From the result of a command to the exit code that it would have had here.
 * Pure; any thread.
 */
#pragma once

#include <stdbool.h>

#include <wyn/client.h>

#include "base/exit_code.h"

/*
 * wyn_outcome_exit_code - the command's own exit status; or 128 and the signal
 * that ended it; or as of timeout(1) and env(1).
 *
 * cancelled_by: the signal for which it was cancelled, 0 = none.
 */
int wyn_outcome_exit_code(
	const struct wyn_client_event *event, int cancelled_by);

/* wyn_outcome_names_what - its message begins with what is wrong: the program,
 * or what was to run that. */
bool wyn_outcome_names_what(const struct wyn_client_event *event);

/* wyn_outcome_is_silent - the exit code says it all, as that of a command that
 * was run here would. */
bool wyn_outcome_is_silent(const struct wyn_client_event *event);
