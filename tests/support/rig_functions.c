// SPDX-License-Identifier: MIT
/*
 * rig_functions.c - see rig_functions.h. They run in the test's own thread.
 */
#include "tests/support/rig_functions.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"
#include "daemon/run/stream.h"
#include "daemon/run/task.h"

/* Numbers in arguments are decimal; what follows them is ignored. */
static uint64_t number_of(const void *argument, size_t argument_bytes)
{
	const char *text = argument;
	uint64_t number = 0;

	for (size_t i = 0; i < argument_bytes && i < 9; i++) {
		if (text[i] < '0' || text[i] > '9') {
			break;
		}
		number = number * 10 + (uint64_t)(text[i] - '0');
	}
	return number;
}

static int echo(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	return wyn_value_set(context, argument, argument_bytes);
}

static int noop(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	(void)context;
	(void)argument;
	(void)argument_bytes;
	return WYN_STATUS_OK;
}

static int failing(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	return wyn_fail(context, WYN_STATUS_ABORTED, "%.*s",
		(int)(argument_bytes < 1000 ? argument_bytes : 1000),
		argument_bytes > 0 ? (const char *)argument : "");
}

bool rig_emit_waits(const struct wyn_task *task, size_t bytes)
{
	uint64_t unsent = atomic_load_explicit(
		&task->partial_unsent_bytes, memory_order_relaxed);

	return task->partial_bytes_max > 0 && unsent > 0 &&
	       unsent + sizeof(struct wyn_partial) + bytes >
		       task->partial_unsent_max;
}

static int emit(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	const struct wyn_task *task =
		WYN_CONTAINER_OF(context, struct wyn_task, context);
	uint64_t n = number_of(argument, argument_bytes);
	char text[24];

	for (uint64_t i = 0; i < n; i++) {
		int bytes = snprintf(text, sizeof(text), "%ju;", (uintmax_t)i);

		if (rig_emit_waits(task, (size_t)bytes) ||
			wyn_emit(context, text, (size_t)bytes) < 0) {
			return wyn_fail(context, WYN_STATUS_ABORTED,
				"%ju went out", (uintmax_t)i);
		}
	}
	return wyn_value_set(context, "done", 4);
}

uint8_t rig_big_byte(uint64_t offset)
{
	return (uint8_t)(offset * 131 + (offset >> 8));
}

static int big(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	uint64_t n = number_of(argument, argument_bytes);
	uint8_t *room = wyn_value_reserve(context, n);

	if (room == NULL) {
		return WYN_STATUS_RESOURCE_EXHAUSTED;
	}
	for (uint64_t i = 0; i < n; i++) {
		room[i] = rig_big_byte(i);
	}
	return WYN_STATUS_OK;
}

static int ask(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	(void)argument;
	(void)argument_bytes;
	return wyn_cancelled(context) ? WYN_STATUS_CANCELLED
				      : wyn_value_set(context, "ran", 3);
}

static int tiny(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	const char *text = argument;

	if (argument_bytes == 0) {
		return WYN_STATUS_OK;
	}
	switch (text[0]) {
	case '!':
		return failing(context, text + 1, argument_bytes - 1);
	case '+':
		return big(context, text + 1, argument_bytes - 1);
	case '?':
		return ask(context, text + 1, argument_bytes - 1);
	default:
		return echo(context, argument, argument_bytes);
	}
}

/* Its argument's number of reports, then a partial value. */
static int report(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	uint64_t n = number_of(argument, argument_bytes);

	for (uint64_t i = 1; i <= n; i++) {
		if (wyn_progress(context, i, n) < 0) {
			return WYN_STATUS_CANCELLED;
		}
	}
	return wyn_emit(context, "end", 3) < 0 ? WYN_STATUS_CANCELLED
					       : WYN_STATUS_OK;
}

static const struct wyn_function functions[] = {
	{"echo", "its argument", echo, 0},
	{"noop", "nothing", noop, 0},
	{"slow", "nothing, slowly", noop, 0},
	{"fail", "an error", failing, 0},
	{"emit", "partial values", emit, 0},
	{"big", "a large value", big, 0},
	{"ask", "whether it is wanted", ask, 0},
	{"short", "nothing, at once", noop, WYN_FUNCTION_SHORT},
	{"nap", "nothing, beside the workers", noop, WYN_FUNCTION_BLOCKING},
	{"report", "how far it is", report, 0},
	{"tiny", "its argument, fast", tiny, 0},
};

const struct wyn_module rig_module = {
	.abi = WYN_MODULE_ABI,
	.size_bytes = sizeof(struct wyn_module),
	.name = "rig",
	.version = "1",
	.functions = functions,
	.functions_count = sizeof(functions) / sizeof(functions[0]),
};

uint64_t rig_cost_ns(const char *function)
{
	if (strcmp(function, "slow") == 0) {
		return RIG_SLOW_NS;
	}
	return strcmp(function, "tiny") == 0 ? RIG_TINY_NS : RIG_FAST_NS;
}
