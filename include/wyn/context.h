// SPDX-License-Identifier: MIT
/*
 * wyn/context.h - what a running function can ask of wynd.
 *
 * Included by wyn/module.h. All are called in the thread that runs the function
 * and none after it has returned. A module links against nothing of wynd: it
 * reaches its caller through the context's table. Codes are those of
 * wyn/status.h.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <wyn/status.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WYN_MODULE_MESSAGE_BYTES_MAX \
	255u /* of an error's message, of a log's */

struct wyn_context;
struct wyn_spawned;

enum wyn_module_log_level {
	WYN_MODULE_LOG_ERROR,
	WYN_MODULE_LOG_WARNING,
	WYN_MODULE_LOG_INFO,
	WYN_MODULE_LOG_DEBUG,
};

/* Use the functions below, not the table. [I] all of it. */
struct wyn_context_ops {
	uint32_t size_bytes; /* of this table: a later one is only longer */
	void *(*value_reserve)(struct wyn_context *context, size_t bytes);
	int (*fail)(
		struct wyn_context *context, int status, const char *message);
	int (*emit)(
		struct wyn_context *context, const void *data, size_t bytes);
	bool (*cancelled)(const struct wyn_context *context);
	/* since ABI 2 */
	int (*value_append)(
		struct wyn_context *context, const void *data, size_t bytes);
	int (*progress)(
		struct wyn_context *context, uint64_t done, uint64_t total);
	uint64_t (*deadline_ns)(const struct wyn_context *context);
	void (*log)(
		const struct wyn_context *context, int level, const char *text);
	void *(*state)(struct wyn_context *context);
	int (*spawn)(struct wyn_context *context, const char *name,
		const void *argument, size_t argument_bytes,
		struct wyn_spawned **ret_spawned);
	int (*await)(struct wyn_context *context, struct wyn_spawned *spawned,
		const void **ret_value, size_t *ret_bytes);
};

/* One call of one function. Lives until the function returns. */
struct wyn_context {
	const struct wyn_context_ops *ops;
};

/*
 * wyn_value_reserve - makes room for the value and gives it to the function to
 * fill; a second call replaces the first. Returns: the room, valid until the
 * function returns, reserves or appends; NULL when `bytes` is over the daemon's
 * limits: return wyn_fail() or WYN_STATUS_RESOURCE_EXHAUSTED.
 */
static inline void *wyn_value_reserve(struct wyn_context *context, size_t bytes)
{
	return context->ops->value_reserve(context, bytes);
}

/*
 * wyn_value_set - copies the value. Returns: 0, or RESOURCE_EXHAUSTED, to be
 * returned by the function: `return wyn_value_set(context, data, bytes);`.
 */
static inline int wyn_value_set(
	struct wyn_context *context, const void *data, size_t bytes)
{
	void *room = wyn_value_reserve(context, bytes);

	if (room == NULL) {
		return WYN_STATUS_RESOURCE_EXHAUSTED;
	}
	if (bytes > 0) {
		memcpy(room, data, bytes);
	}
	return WYN_STATUS_OK;
}

/* wyn_value_append - copies a piece behind what the value has already, for one
 * whose size is not known before. Returns: as wyn_value_set(). */
static inline int wyn_value_append(
	struct wyn_context *context, const void *data, size_t bytes)
{
	return context->ops->value_append(context, data, bytes);
}

/* wyn_fail - says why the task failed; cut at WYN_MODULE_MESSAGE_BYTES_MAX.
 * status is none but OK. Returns: status, to be returned by the function. */
__attribute__((format(printf, 3, 4))) static inline int wyn_fail(
	struct wyn_context *context, int status, const char *format, ...)
{
	char message[WYN_MODULE_MESSAGE_BYTES_MAX + 1];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	/* In parentheses: test frameworks have a macro of this name. */
	return (context->ops->fail)(context, status, message);
}

/*
 * wyn_emit - sends a partial value to the client, in order, before the result.
 * Returns: 0, also when nobody wants any; -ECANCELED when the task was
 * cancelled or its client has gone; -EMSGSIZE when it is larger than one frame;
 * -EAGAIN when the client is slow and there is no thread left to wait in;
 * -ENOMEM. Blocks: while too much of this task is unsent; other tasks run.
 */
static inline int wyn_emit(
	struct wyn_context *context, const void *data, size_t bytes)
{
	return context->ops->emit(context, data, bytes);
}

/* wyn_progress - tells the client how far it is, if it wants partial values; of
 * reports that are not sent yet the last one goes. total 0 = not known.
 * Returns: 0; -ECANCELED as wyn_emit(); -ENOMEM. Blocks: no. */
static inline int wyn_progress(
	struct wyn_context *context, uint64_t done, uint64_t total)
{
	return context->ops->progress(context, done, total);
}

/* wyn_cancelled - the result is not wanted any more. A long function asks now
 * and then, and returns WYN_STATUS_CANCELLED. */
static inline bool wyn_cancelled(const struct wyn_context *context)
{
	return context->ops->cancelled(context);
}

/* wyn_deadline_ns - when it is cancelled, of CLOCK_MONOTONIC; 0 = never. */
static inline uint64_t wyn_deadline_ns(const struct wyn_context *context)
{
	return context->ops->deadline_ns(context);
}

/* wyn_log - a line in wynd's log, level of wyn_module_log_level; of many in a
 * short time only the first are written. */
static inline void(wyn_log)(
	const struct wyn_context *context, int level, const char *text)
{
	context->ops->log(context, level, text);
}

/* wyn_state - a state of the module that no other call has meanwhile: see
 * state_create in wyn/module.h. Returns: NULL when there is none. */
static inline void *wyn_state(struct wyn_context *context)
{
	return context->ops->state(context);
}

/*
 * wyn_spawn - calls another function by name, beside this one. The argument is
 * copied. What was not awaited is cancelled when this function returns.
 * Returns: 0, and a handle for one wyn_await(); NOT_FOUND (no such function);
 * RESOURCE_EXHAUSTED (memory, too many at once or too deep); UNIMPLEMENTED.
 */
static inline int wyn_spawn(struct wyn_context *context, const char *name,
	const void *argument, size_t argument_bytes,
	struct wyn_spawned **ret_spawned)
{
	return context->ops->spawn(
		context, name, argument, argument_bytes, ret_spawned);
}

/* wyn_await - waits for a nested call, once. Hold no lock meanwhile: other
 * calls may run in this thread. Returns: its code. The value, which may be
 * NULL when it is empty, is valid until the next wyn_await() or return. */
static inline int wyn_await(struct wyn_context *context,
	struct wyn_spawned *spawned, const void **ret_value, size_t *ret_bytes)
{
	return context->ops->await(context, spawned, ret_value, ret_bytes);
}

#ifdef __cplusplus
}
#endif
