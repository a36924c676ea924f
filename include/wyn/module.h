// SPDX-License-Identifier: MIT
/*
 * wyn/module.h - what a task module is: native functions for wynd.
 *
 * A module is a shared object that defines one symbol, `wyn_module`, a
 * constant struct wyn_module that names its functions. wynd loads it at start
 * and again when its file has changed, and runs a function inside a worker
 * thread for each task that names it. A module built today runs under a later
 * wynd.
 *
 * Modules are trusted code: a crash in one is a crash of wynd.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <wyn/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* wynd loads modules built for this one and for those before it. Within an
 * ABI only struct wyn_module grows, which says its size, and the context's
 * table. */
#define WYN_MODULE_ABI		  2u
#define WYN_MODULE_FUNCTIONS_MAX  1024u
#define WYN_MODULE_NAME_BYTES_MAX 63u /* of a function or a module */

/* How a function is, at most one of both. */
enum wyn_function_flags {
	/* Takes less than a microsecond or two, so that wynd need not find out:
	 * many calls may share a trip to a worker from the first on. */
	WYN_FUNCTION_SHORT = 1,
	/* Waits for something else for most of its time: it runs in a thread
	 * beside the workers, which go on with other tasks. */
	WYN_FUNCTION_BLOCKING = 2,
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
	uint64_t flags; /* of wyn_function_flags; since ABI 2 */
};

struct wyn_module {
	uint32_t abi;	     /* WYN_MODULE_ABI */
	uint32_t size_bytes; /* sizeof(struct wyn_module) */
	const char *name;
	const char *version;
	const struct wyn_function *functions;
	size_t functions_count;
	/* Since ABI 2; each may be NULL. A new version of a module begins
	 * before the one that it replaces has ended. */

	/* Once, before any function runs. Returns: 0, else the module is not
	 * loaded, for the reason that it wrote down, one line with a NUL. */
	int (*init)(char *ret_why, size_t why_bytes);
	/* Once, when no call is left and none will come. */
	void (*fini)(void);
	/* What calls need and may not share: made when a call asks for it by
	 * wyn_state() and none is free, and that call's alone until it returns.
	 * So there are as many as calls that ran at once, and a few more.
	 * Returns: NULL = there is no memory. */
	void *(*state_create)(void);
	/* Before fini. Thread: any; not the one that created it. */
	void (*state_destroy)(void *state);
};

/* Puts the symbol where wynd looks for it. */
#define WYN_MODULE_EXPORT __attribute__((visibility("default")))

/* The first fields; `functions` is an array. What follows is named. */
#define WYN_MODULE_HEAD(module_name, module_version, module_functions)  \
	.abi = WYN_MODULE_ABI, .size_bytes = sizeof(struct wyn_module), \
	.name = (module_name), .version = (module_version),             \
	.functions = (module_functions),                                \
	.functions_count =                                              \
		sizeof(module_functions) / sizeof((module_functions)[0])

/* What every module defines. */
extern WYN_MODULE_EXPORT const struct wyn_module wyn_module;

#ifdef __cplusplus
}
#endif
