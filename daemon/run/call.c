// SPDX-License-Identifier: MIT
/*
 * call.c - see call.h.
 */
#include "daemon/run/call.h"

#include <string.h>

#include <wyn/pool.h>

#include "daemon/log.h"
#include "daemon/modules/module_state.h"

/* Without a spare thread, of which dispatch keeps one for each, it runs all the
 * same: it is the workers' then. */
int wyn_call_blocking(const struct wyn_function_entry *function,
	struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	bool lent = wyn_block_begin() == 0;
	int status = function->run(context, argument, argument_bytes);

	if (lent) {
		wyn_block_end();
	}
	return status;
}

int wyn_call_append(struct wyn_outcome *outcome, const void *data, size_t bytes)
{
	return wyn_outcome_append(outcome, data, bytes)
		       ? WYN_STATUS_OK
		       : WYN_STATUS_RESOURCE_EXHAUSTED;
}

void *wyn_call_state(
	const struct wyn_function_entry *function, struct wyn_outcome *outcome)
{
	struct wyn_module_states *states = function->version->states;

	if (outcome->state == NULL && states != NULL) {
		outcome->state = wyn_module_state_take(states);
	}
	return outcome->state == NULL ? NULL
				      : wyn_module_state_of(outcome->state);
}

void wyn_call_state_give(
	const struct wyn_function_entry *function, struct wyn_outcome *outcome)
{
	if (outcome->state != NULL) {
		wyn_module_state_give(
			function->version->states, outcome->state);
		outcome->state = NULL;
	}
}

/* A module's text is cut and escaped like a peer's. */
void wyn_call_log(
	const struct wyn_function_entry *function, int level, const char *text)
{
	static const enum wyn_log_level levels[] = {
		[WYN_MODULE_LOG_ERROR] = WYN_LOG_ERROR,
		[WYN_MODULE_LOG_WARNING] = WYN_LOG_WARNING,
		[WYN_MODULE_LOG_INFO] = WYN_LOG_INFO,
		[WYN_MODULE_LOG_DEBUG] = WYN_LOG_DEBUG,
	};
	char cut[WYN_MODULE_MESSAGE_BYTES_MAX + 1];
	size_t bytes = strnlen(text, sizeof(cut) - 1);

	memcpy(cut, text, bytes);
	cut[bytes] = '\0';
	if (level < 0 || (size_t)level >= WYN_COUNT_OF(levels)) {
		level = WYN_MODULE_LOG_INFO;
	}
	wyn_log_limited(levels[level], WYN_LOG_MODULE, "module-said",
		WYN_LOG_TEXT("module", function->module),
		WYN_LOG_TEXT("function", function->name),
		WYN_LOG_TEXT("text", cut));
}
