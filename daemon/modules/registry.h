// SPDX-License-Identifier: MIT
/*
 * registry.h - a snapshot of the functions that tasks can name.
 *
 * Filled by the loader from versions of modules, then published (catalog.h) and
 * from there on read-only: any thread looks up without a lock. It holds the
 * versions, so what is found in it is loaded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/slice.h"
#include "daemon/modules/module.h"

struct wyn_registry;

/* Its place among those that were published: the catalog's. */
struct wyn_publication {
	struct wyn_registry *next; /* published after it */
	uint64_t number;
};

struct wyn_publication *wyn_registry_publication(struct wyn_registry *registry);
uint64_t wyn_registry_number(const struct wyn_registry *registry);

/* wyn_registry_create - an empty one. Thread: any. Returns: 0, -ENOMEM. */
WYN_NODISCARD
int wyn_registry_create(struct wyn_registry **ret_registry);

/* wyn_registry_destroy - lets go of its versions. NULL is a no-op. Thread: its
 * owner's. */
void wyn_registry_destroy(struct wyn_registry *registry);

/* wyn_registry_clear - without functions again. Thread: its owner's, and nobody
 * reads it. */
void wyn_registry_clear(struct wyn_registry *registry);

/*
 * wyn_registry_name_valid - [a-z0-9_.-], 1 to WYN_MODULE_NAME_BYTES_MAX bytes.
 *
 * Thread: any. NULL is none.
 */
bool wyn_registry_name_valid(const char *name);

/*
 * wyn_registry_check - whether a module's functions could be added.
 *
 * Thread: its owner's, before it is published. Returns: as wyn_registry_add().
 */
WYN_NODISCARD
int wyn_registry_check(const struct wyn_registry *registry,
	const struct wyn_module_version *version, const char **ret_culprit);

/*
 * wyn_registry_add - adds a module's functions, all or none.
 *
 * Thread: its owner's, before it is published. Owns: holds the version.
 * Returns: 0; -EEXIST (a name is taken, and *ret_culprit is it; "" is the
 * module's own), -ENOSPC (over WYN_FUNCTIONS_MAX).
 */
WYN_NODISCARD
int wyn_registry_add(struct wyn_registry *registry,
	struct wyn_module_version *version, const char **ret_culprit);

/*
 * wyn_registry_find - by exact name.
 *
 * Thread: any. Returns: the entry, which is there as long as the registry or
 * another hold of its version; NULL.
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

/* wyn_registry_module - the index-th of its modules, in the order in which they
 * were added; NULL past the end. Thread: any. */
const struct wyn_module_version *wyn_registry_module(
	const struct wyn_registry *registry, size_t index);

/*
 * wyn_registry_after - the index of the first name that sorts after `name`.
 *
 * Thread: any. An empty name gives 0.
 */
size_t wyn_registry_after(
	const struct wyn_registry *registry, struct wyn_slice name);
