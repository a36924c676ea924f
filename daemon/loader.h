// SPDX-License-Identifier: MIT
/*
 * loader.h - task modules from a directory.
 *
 * Loads every *.so of a directory into the registry, in the order of their
 * names. One that cannot be had is refused with one line that says why; the
 * rest load. Modules run with all rights of the daemon, so only what root or
 * the daemon's own user wrote, and nobody else can change, is loaded.
 */
#pragma once

#include <stddef.h>

#include <wyn/module.h>

#include "base/compiler.h"

#define WYN_LOADER_MODULES_MAX	 64u  /* loaded at the same time */
#define WYN_LOADER_WHY_BYTES_MAX 256u /* of a refusal's text */

struct wyn_loader;
struct wyn_registry;

/* `file` is a name in the directory. Thread: boot. Borrowed for the call. */
typedef void wyn_loader_refused(
	void *context, const char *file, const char *why);

/*
 * wyn_loader_create - one that has loaded nothing.
 *
 * Thread: boot. Owns: borrows the registry, which gets the functions; borrows
 * context for `refused`. Returns: 0, -ENOMEM.
 */
WYN_NODISCARD
int wyn_loader_create(struct wyn_registry *registry,
	wyn_loader_refused *refused, void *context,
	struct wyn_loader **ret_loader);

/*
 * wyn_loader_load - loads a directory.
 *
 * Several directories can be loaded one after the other. A module's
 * constructors run here. Its dependencies are found as for any library, but
 * not by $ORIGIN: it is opened first, checked, and loaded by its descriptor.
 *
 * Thread: boot. Returns: 0, also when modules were refused; -errno of opening
 * or reading the directory; -E2BIG, and nothing of it is loaded, when it has
 * more modules than WYN_LOADER_MODULES_MAX leaves room for; -ENOMEM.
 * Blocks: reads files.
 */
WYN_NODISCARD
int wyn_loader_load(struct wyn_loader *loader, const char *directory);

/* wyn_loader_count - modules loaded. Thread: boot. */
size_t wyn_loader_count(const struct wyn_loader *loader);

/*
 * wyn_loader_destroy - unloads everything, last loaded first.
 *
 * Thread: boot, when no worker is left that could run a function; the registry
 * is not asked any more but by its destroy. NULL is a no-op.
 */
void wyn_loader_destroy(struct wyn_loader *loader);

/*
 * wyn_loader_check - whether a module's table is one that we understand.
 *
 * Its functions are the registry's business. Thread: any. Returns: 0; -EINVAL,
 * and *ret_why is one line of text.
 */
WYN_NODISCARD
int wyn_loader_check(const struct wyn_module *module,
	char ret_why[WYN_LOADER_WHY_BYTES_MAX]);
