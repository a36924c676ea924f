// SPDX-License-Identifier: MIT
/*
 * call.h - what every running function may ask, whoever runs it.
 *
 * A task (invoke.c), one of a strip (strip.c) and a nested call (nested.c) have
 * tables of their own, for they know different things; what they have in common
 * is here.
 */
#pragma once

#include <stddef.h>

#include "daemon/modules/module.h"
#include "daemon/run/outcome.h"

/*
 * wyn_call_run - runs a function, beside the workers if it is one that blocks.
 *
 * Thread: worker. Returns: what it returned. Blocks: as long as it does.
 */
static inline int wyn_call_run(const struct wyn_function_entry *function,
	struct wyn_context *context, const void *argument,
	size_t argument_bytes);

/* wyn_call_blocking - the same for WYN_FUNCTION_BLOCKING. Thread: worker. */
int wyn_call_blocking(const struct wyn_function_entry *function,
	struct wyn_context *context, const void *argument,
	size_t argument_bytes);

/* wyn_call_append - value_append. Thread: worker. */
int wyn_call_append(
	struct wyn_outcome *outcome, const void *data, size_t bytes);

/* wyn_call_state - state. Thread: worker. */
void *wyn_call_state(
	const struct wyn_function_entry *function, struct wyn_outcome *outcome);

/* wyn_call_log - log. Thread: worker. Blocks: while the log does. */
void wyn_call_log(
	const struct wyn_function_entry *function, int level, const char *text);

/* wyn_call_state_give - the call that may have asked for it is over. Thread:
 * worker. */
void wyn_call_state_give(
	const struct wyn_function_entry *function, struct wyn_outcome *outcome);

static inline int wyn_call_run(const struct wyn_function_entry *function,
	struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	if (WYN_UNLIKELY((function->flags & WYN_FUNCTION_BLOCKING) != 0)) {
		return wyn_call_blocking(
			function, context, argument, argument_bytes);
	}
	return function->run(context, argument, argument_bytes);
}
