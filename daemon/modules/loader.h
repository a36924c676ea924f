// SPDX-License-Identifier: MIT
/*
 * loader.h - task modules from a directory, again and again.
 *
 * Loads every *.so of a directory, in the order of their names, and publishes
 * what there is then (catalog.h). One that cannot be had is refused with one
 * line that says why; the rest load. Told again, it loads what changed beside
 * what was there: new calls run the new version, old ones end on the old, and
 * what has no call any more is unloaded by the next that comes by here.
 *
 * Called by one thread at a time, the loader's: boot, then aux; never a loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "daemon/limits.h"
#include "daemon/modules/module.h"

#define WYN_LOADER_FILE_BYTES 256u /* a file's name, with a NUL */

struct wyn_loader;

enum wyn_loader_verb {
	WYN_LOADER_LOADED,   /* it was not there before */
	WYN_LOADER_REPLACED, /* another version of it was */
	WYN_LOADER_KEPT,     /* its file has not changed */
	WYN_LOADER_REMOVED,  /* its file is gone */
	WYN_LOADER_REFUSED,  /* see why; what was there before stays */
};

/* What became of one file. */
struct wyn_loader_change {
	enum wyn_loader_verb verb;
	bool old_kept; /* REFUSED: the version before is in use still */
	char file[WYN_LOADER_FILE_BYTES]; /* its name in the directory */
	char module[WYN_MODULE_NAME_BYTES_MAX + 1];  /* "" = not known */
	char version[WYN_MODULE_NAME_BYTES_MAX + 1]; /* likewise; cut */
	char before[WYN_MODULE_NAME_BYTES_MAX + 1];  /* REPLACED: its version */
	size_t functions;
	char why[WYN_WHY_BYTES_MAX];
};

struct wyn_loader_report {
	size_t count;
	/* Each file of the directory, and each that is there no more. */
	struct wyn_loader_change changes[2 * WYN_MODULES_MAX];
};

/*
 * wyn_loader_create - one that has loaded nothing.
 *
 * Thread: boot. Owns: borrows the catalog. Returns: 0, -ENOMEM.
 */
WYN_NODISCARD
int wyn_loader_create(
	struct wyn_catalog *catalog, struct wyn_loader **ret_loader);

/*
 * wyn_loader_reload - makes the functions those of the modules in a directory.
 *
 * Unloads first what has no call any more. Constructors, init and fini of
 * modules run here. Thread: boot, aux. Owns: the report is the caller's and
 * filled in on success. Returns: 0, also when modules were refused; and then
 * all is as before: -errno of opening or reading the directory; -E2BIG when it
 * has more than WYN_MODULES_MAX modules; -ENOMEM. Blocks: reads files.
 */
WYN_NODISCARD
int wyn_loader_reload(struct wyn_loader *loader, const char *directory,
	struct wyn_loader_report *ret_report);

/* wyn_loader_tell - logs what the report has that is new. Thread: any. */
void wyn_loader_tell(const struct wyn_loader_report *report);

/*
 * wyn_loader_load_file - loads one more, wherever it is; to look at it.
 *
 * Thread: boot, aux. Returns: 0; -errno, and *ret_why is one line of text.
 * Blocks: reads files.
 */
WYN_NODISCARD
int wyn_loader_load_file(struct wyn_loader *loader, const char *path,
	char ret_why[WYN_WHY_BYTES_MAX]);

/*
 * wyn_loader_sweep - unloads what has no call any more.
 *
 * Thread: boot, aux, now and then after a reload. Returns: how many old
 * versions are left.
 */
size_t wyn_loader_sweep(struct wyn_loader *loader);

/* wyn_loader_count - modules whose functions can be called. Thread: boot,
 * aux. */
size_t wyn_loader_count(const struct wyn_loader *loader);

/*
 * wyn_loader_destroy - unloads everything, last loaded first.
 *
 * Thread: boot, when no worker is left that could run a function and no loop
 * that reads the catalog, which has no functions then. NULL is a no-op.
 */
void wyn_loader_destroy(struct wyn_loader *loader);
