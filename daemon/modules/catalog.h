// SPDX-License-Identifier: MIT
/*
 * catalog.h - which functions there are now: the current snapshot.
 *
 * One thread at a time, the loader's (loader.h), publishes snapshots; each loop
 * reads the current one at what costs it a relaxed load as long as it is the
 * same. An old one is freed when every loop is known to have gone on to a later
 * one. It also gives each function's name a number that the loops count by.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/slice.h"
#include "daemon/modules/module.h"
#include "daemon/modules/registry.h"

struct wyn_pool;

/* What begins every catalog; the rest is in catalog.c. */
struct wyn_catalog {
	/* [A functions] never NULL while somebody reads. */
	const struct wyn_registry *_Atomic current;
	struct wyn_pool *pool; /* [I] for nested calls; NULL = none */
};

/* One loop's view. [L] but `seen`. */
struct wyn_catalog_reader {
	struct wyn_list link; /* [M catalog's] */
	struct wyn_catalog *catalog;
	const struct wyn_registry *registry;
	_Atomic uint64_t seen; /* [A seen] publications it knows of */
};

/*
 * wyn_catalog_create - with a snapshot that has no functions.
 *
 * Thread: boot. Returns: 0, -ENOMEM, what pthreads said.
 */
WYN_NODISCARD
int wyn_catalog_create(struct wyn_catalog **ret_catalog);

/* wyn_catalog_destroy - nobody reads, every version is gone. NULL is a no-op.
 * Thread: boot. */
void wyn_catalog_destroy(struct wyn_catalog *catalog);

/* wyn_catalog_watch - `published` is called after each publication, so that
 * loops that sleep can be woken. Thread: boot; it is called in boot, aux. */
void wyn_catalog_watch(struct wyn_catalog *catalog,
	void (*published)(void *context), void *context);

/*
 * wyn_catalog_version_create - a version of the module with this table.
 *
 * Every name has an index below WYN_FUNCTIONS_MAX that all versions share; it
 * stays the name's own while a version has it, and after that until there is no
 * other left. Thread: boot, aux. Owns: borrows the table. Returns: 0;
 * -EINVAL (a name or a body is missing or malformed), -ENOTSUP (flags that we
 * do not know, or that exclude each other), -EEXIST (a name is there twice),
 * and *ret_culprit is the name, or "" when it has none; -ENOSPC (over
 * WYN_FUNCTIONS_MAX names), -ENOMEM.
 */
WYN_NODISCARD
int wyn_catalog_version_create(struct wyn_catalog *catalog,
	const struct wyn_module *module,
	struct wyn_module_version **ret_version, const char **ret_culprit);

/* wyn_catalog_version_destroy - nobody holds it. NULL is a no-op. Thread: boot,
 * aux. */
void wyn_catalog_version_destroy(struct wyn_module_version *version);

/*
 * wyn_catalog_publish - this is the current snapshot from now on.
 *
 * Thread: boot, aux. Owns: takes the registry.
 */
void wyn_catalog_publish(
	struct wyn_catalog *catalog, struct wyn_registry *registry);

/*
 * wyn_catalog_sweep - frees the snapshots that no loop can be reading.
 *
 * Thread: boot, aux. Returns: how many old ones are left.
 */
size_t wyn_catalog_sweep(struct wyn_catalog *catalog);

/* wyn_catalog_clear - there are no functions any more, nor holds on versions.
 * Nobody reads. Thread: boot. */
void wyn_catalog_clear(struct wyn_catalog *catalog);

/* wyn_catalog_now - the current snapshot. Thread: boot, aux. */
const struct wyn_registry *wyn_catalog_now(const struct wyn_catalog *catalog);

/*
 * wyn_catalog_hold - finds a function and holds its version.
 *
 * For those that read now and then. Thread: any. Returns: NULL when there is
 * none of that name. Blocks: a few instructions under a mutex.
 */
const struct wyn_function_entry *wyn_catalog_hold(
	struct wyn_catalog *catalog, struct wyn_slice name);

/* wyn_catalog_join, wyn_catalog_leave - a loop reads from here on, or no more.
 * Thread: boot, loop. */
void wyn_catalog_join(
	struct wyn_catalog *catalog, struct wyn_catalog_reader *reader);
void wyn_catalog_leave(struct wyn_catalog_reader *reader);

/* What wyn_catalog_read() does when there is a new one. Thread: loop. */
void wyn_catalog_move(struct wyn_catalog_reader *reader);

/*
 * wyn_catalog_read - the current snapshot.
 *
 * Thread: loop. The snapshot is there until the next call, in its later turns
 * too; what is found in it as long as it is held (module.h).
 */
static inline const struct wyn_registry *wyn_catalog_read(
	struct wyn_catalog_reader *reader)
{
	/* [functions] relaxed: a look whether there is another. That it is the
	 * same one is sure, for it is not freed before this loop has moved. */
	if (atomic_load_explicit(&reader->catalog->current,
		    memory_order_relaxed) != reader->registry) {
		wyn_catalog_move(reader);
	}
	return reader->registry;
}
