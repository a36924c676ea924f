// SPDX-License-Identifier: MIT
/*
 * module.h - one loaded version of a task module, and its functions.
 *
 * A version is immutable but for the count of what refers to it: snapshots of
 * the functions (registry.h) and batches. A file that changed is loaded as
 * another version beside it; calls that began with the old one end with it.
 * Whoever drops the last hold does nothing more: only the loader's thread may
 * unload code, and it looks by itself (loader.h).
 */
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wyn/module.h>

#include "base/compiler.h"

#define WYN_WHY_BYTES_MAX 256u /* of a text that says why not */

struct wyn_catalog;
struct wyn_module_info;
struct wyn_module_states;
struct wyn_module_version;

/* [I] all of it; its version's. */
struct wyn_function_entry {
	const char *name;
	const char *summary;
	const char *module;
	wyn_function_run *run;
	uint64_t flags; /* of wyn_function_flags */
	uint32_t index; /* of its name: see wyn_catalog_version_create() */
	struct wyn_module_version *version;
};

/* Of struct wyn_module; each may be NULL. */
struct wyn_module_calls {
	int (*init)(char *ret_why, size_t why_bytes);
	void (*fini)(void);
	void *(*state_create)(void);
	void (*state_destroy)(void *state);
};

struct wyn_module_version {
	/* [I] */
	const struct wyn_module *module; /* its table, in the loaded object */
	struct wyn_catalog *catalog;
	struct wyn_function_entry *functions;
	size_t functions_count;
	struct wyn_module_states *states; /* NULL: it has none */
	const char *file; /* the loader's name for it; NULL: it has none */

	/* Written by every loop: in a line of its own. */
	_Alignas(WYN_CACHE_LINE) _Atomic uint32_t holders; /* [A version] */
	char pad[WYN_CACHE_LINE - sizeof(uint32_t)];
};

static_assert(sizeof(struct wyn_module_version) == 2 * WYN_CACHE_LINE,
	"what is read does not share a line with what is written");

/* wyn_module_hold - one holder more, by somebody who is sure of another.
 * Thread: any. */
static inline void wyn_module_hold(struct wyn_module_version *version)
{
	/* [version] relaxed: another hold keeps it loaded meanwhile. */
	atomic_fetch_add_explicit(&version->holders, 1, memory_order_relaxed);
}

/* wyn_module_release - one holder less. Thread: any. */
static inline void wyn_module_release(struct wyn_module_version *version)
{
	/* [version] pairs with wyn_module_is_held(): all that was done with its
	 * code happens before it is unloaded. */
	atomic_fetch_sub_explicit(&version->holders, 1, memory_order_release);
}

/* wyn_module_is_held - false, and nobody can hold it again, once it is in no
 * snapshot. Thread: boot, aux. */
static inline bool wyn_module_is_held(const struct wyn_module_version *version)
{
	/* [version] pairs with wyn_module_release(). */
	return atomic_load_explicit(&version->holders, memory_order_acquire) >
	       0;
}

/* wyn_module_because - writes down why not. Thread: any. Returns: error, so
 * that a check can say why and return in one statement. */
int wyn_module_because(char ret_why[WYN_WHY_BYTES_MAX], int error,
	const char *format, ...) WYN_PRINTF(3, 4);

/*
 * wyn_module_check - whether a module's table is one that we understand.
 *
 * Its functions are the catalog's business. Thread: any. Returns: 0; -EINVAL,
 * and *ret_why is one line of text.
 */
WYN_NODISCARD
int wyn_module_check(
	const struct wyn_module *module, char ret_why[WYN_WHY_BYTES_MAX]);

/* wyn_module_describe - what is told of it. Thread: any, while it is held. */
void wyn_module_describe(const struct wyn_module_version *version,
	struct wyn_module_info *ret_info);

/* wyn_module_function_at - the index-th function of a table. Thread: any. */
struct wyn_function wyn_module_function_at(
	const struct wyn_module *module, size_t index);

/* wyn_module_calls - what the module has beside functions; all NULL if it was
 * built before there was any. Thread: any. */
struct wyn_module_calls wyn_module_calls(const struct wyn_module *module);
