// SPDX-License-Identifier: MIT
/*
 * wyn/module.h - what a task module is: native functions for wynd.
 *
 * A module is a shared object that defines one symbol, `wyn_module`, a
 * constant struct wyn_module that names its functions. wynd loads it at start,
 * and runs a function inside a worker thread for each task that names it. A
 * module links against nothing of wynd: it reaches its caller through the
 * context's table, so that a module built today runs under a later wynd.
 *
 * Modules are trusted code: a crash in one is a crash of wynd.
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

#define WYN_MODULE_ABI		     1u
#define WYN_MODULE_FUNCTIONS_MAX     1024u
#define WYN_MODULE_NAME_BYTES_MAX    63u  /* of a function or a module */
#define WYN_MODULE_MESSAGE_BYTES_MAX 255u /* of an error's message */

struct wyn_context;

/*
 * What a running function can ask of its caller. Use the functions below, not
 * the table. [I] all of it.
 */
struct wyn_context_ops {
	uint32_t size_bytes; /* of this table: a later one is only longer */
	void *(*value_reserve)(struct wyn_context *context, size_t bytes);
	int (*fail)(
		struct wyn_context *context, int status, const char *message);
	int (*emit)(
		struct wyn_context *context, const void *data, size_t bytes);
	bool (*cancelled)(const struct wyn_context *context);
};

/* One call of one function. Lives until the function returns. */
struct wyn_context {
	const struct wyn_context_ops *ops;
};

/*
 * The body of a function.
 *
 * Thread: worker; calls of the same function run in several threads at once.
 * Owns: nothing; `argument` is a view that is valid until it returns, at any
 * alignment, not NUL-terminated. Returns: 0, and the value that was set (empty
 * if none was); or what wyn_fail() returned, or any other code of wyn_status.
 * Blocks: as long as it likes; its worker is occupied meanwhile.
 */
typedef int wyn_function_run(struct wyn_context *context, const void *argument,
	size_t argument_bytes);

struct wyn_function {
	const char *name; /* [a-z0-9_.-], at most WYN_MODULE_NAME_BYTES_MAX */
	const char *summary; /* one line for `wynctl functions` */
	wyn_function_run *run;
};

struct wyn_module {
	uint32_t abi;	     /* WYN_MODULE_ABI */
	uint32_t size_bytes; /* sizeof(struct wyn_module) */
	const char *name;
	const char *version;
	const struct wyn_function *functions;
	size_t functions_count;
};

/* Puts the symbol where wynd looks for it. */
#define WYN_MODULE_EXPORT __attribute__((visibility("default")))

/* What every module defines. */
extern WYN_MODULE_EXPORT const struct wyn_module wyn_module;

/*
 * wyn_value_reserve - makes room for the value and gives it to the function to
 * fill.
 *
 * A second call replaces the first. Thread: the worker in which the function
 * runs. Owns: the caller's; the room is valid until the function returns or
 * reserves again. Returns: the room; NULL when `bytes` is over the daemon's
 * limits, and then the task's status is RESOURCE_EXHAUSTED already:
 * return wyn_fail() or WYN_STATUS_RESOURCE_EXHAUSTED.
 */
static inline void *wyn_value_reserve(struct wyn_context *context, size_t bytes)
{
	return context->ops->value_reserve(context, bytes);
}

/*
 * wyn_value_set - copies the value.
 *
 * Thread: as wyn_value_reserve(). Returns: 0, or RESOURCE_EXHAUSTED, to be
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

/*
 * wyn_fail - says why the task failed.
 *
 * Thread: as wyn_value_reserve(). status is a code of wyn_status other than OK;
 * the message is cut at WYN_MODULE_MESSAGE_BYTES_MAX. Returns: status, to be
 * returned by the function.
 */
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
 *
 * Thread: as wyn_value_reserve(). Owns: nothing, the data is copied. Returns:
 * 0, also when the client did not ask for partial values (they are dropped);
 * -ECANCELED when the task was cancelled or its client has gone; -EMSGSIZE when
 * it is larger than one frame; -EAGAIN when the client is slow and the daemon
 * has no thread left to wait in; -ENOMEM. Blocks: while more than the daemon's
 * bound of this task's partial values is unsent; other tasks run meanwhile.
 */
static inline int wyn_emit(
	struct wyn_context *context, const void *data, size_t bytes)
{
	return context->ops->emit(context, data, bytes);
}

/*
 * wyn_cancelled - whether the result is still wanted.
 *
 * A long function asks now and then, and returns WYN_STATUS_CANCELLED when it
 * is not. Thread: as wyn_value_reserve(). Blocks: no.
 */
static inline bool wyn_cancelled(const struct wyn_context *context)
{
	return context->ops->cancelled(context);
}

#ifdef __cplusplus
}
#endif
