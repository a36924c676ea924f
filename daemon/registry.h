// SPDX-License-Identifier: MIT
/*
 * registry.h - the functions that tasks can name.
 *
 * Filled by boot from the modules, then read-only: any thread looks up without
 * a lock. Who loads modules is loader.c.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <wyn/module.h>

#include "base/compiler.h"
#include "base/slice.h"

/* [I] all of it */
struct wyn_function_entry {
	const char *name;
	const char *summary;
	const char *module;
	wyn_function_run *run;
};

struct wyn_registry;

/* wyn_registry_create - an empty one. Thread: boot. Returns: 0, -ENOMEM. */
WYN_NODISCARD
int wyn_registry_create(struct wyn_registry **ret_registry);

/* wyn_registry_destroy - NULL is a no-op. Thread: boot. */
void wyn_registry_destroy(struct wyn_registry *registry);

/*
 * wyn_registry_name_valid - [a-z0-9_.-], 1 to WYN_MODULE_NAME_BYTES_MAX bytes.
 *
 * Thread: any. NULL is none.
 */
bool wyn_registry_name_valid(const char *name);

/*
 * wyn_registry_add - adds a module's functions, all or none.
 *
 * Thread: boot, before any loop runs. Owns: borrows the module as long as the
 * registry lives. Returns: 0; -EEXIST (a name is taken), -EINVAL (a name or a
 * body is missing or malformed), -ENOSPC (over WYN_FUNCTIONS_MAX), -ENOMEM; on
 * -EEXIST and -EINVAL *ret_culprit is the name, or "" when it has none.
 */
WYN_NODISCARD
int wyn_registry_add(struct wyn_registry *registry,
	const struct wyn_module *module, const char **ret_culprit);

/*
 * wyn_registry_find - by exact name.
 *
 * Thread: any. Returns: the entry, which lives as long as the registry; NULL.
 */
const struct wyn_function_entry *wyn_registry_find(
	const struct wyn_registry *registry, struct wyn_slice name);

/*
 * wyn_registry_nearest - the name that was perhaps meant.
 *
 * Thread: any. Returns: a name, or NULL when none is near.
 */
const char *wyn_registry_nearest(
	const struct wyn_registry *registry, struct wyn_slice name);

/*
 * wyn_registry_at - entries in the order of their names.
 *
 * Thread: any. Returns: the index-th, NULL past the end.
 */
const struct wyn_function_entry *wyn_registry_at(
	const struct wyn_registry *registry, size_t index);

/* wyn_registry_count - how many entries there are. Thread: any. */
size_t wyn_registry_count(const struct wyn_registry *registry);

/*
 * wyn_registry_after - the index of the first name that sorts after `name`.
 *
 * Thread: any. An empty name gives 0.
 */
size_t wyn_registry_after(
	const struct wyn_registry *registry, struct wyn_slice name);

/*
 * wyn_registry_index - the index at which wyn_registry_at() gives `entry`.
 *
 * Thread: any. The entry is the registry's.
 */
size_t wyn_registry_index(const struct wyn_registry *registry,
	const struct wyn_function_entry *entry);
