// SPDX-License-Identifier: MIT
/*
 * loader_rig.h - a loader, a catalog, and a directory for modules of a test.
 *
 * For tests of cmocka: state is the rig, and what fails here fails the test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/modules/catalog.h"
#include "daemon/modules/loader.h"

#define LOADER_RIG_PATH_BYTES 256u

struct loader_rig {
	char directory[64];
	struct wyn_catalog *catalog;
	struct wyn_loader *loader;
	struct wyn_loader_report report;
	char diag[LOADER_RIG_PATH_BYTES]; /* of the module that is replaced */
};

/* Setup and teardown. */
int loader_rig_begin(void **state);
int loader_rig_end(void **state);

/* Where a file of the directory is. */
void loader_rig_path(const struct loader_rig *rig, const char *name,
	char path[LOADER_RIG_PATH_BYTES]);

/* A file of the directory: these bytes, a copy of another file, a module that
 * was built, a shared object that is no module. */
void loader_rig_put_bytes(const struct loader_rig *rig, const char *name,
	const void *bytes, size_t count);
void loader_rig_put_copy(
	const struct loader_rig *rig, const char *name, const char *original);
void loader_rig_put_module(
	const struct loader_rig *rig, const char *name, const char *module);
void loader_rig_put_library(const struct loader_rig *rig, const char *name);

/* Reloads; and then so many are loaded, and so many were refused. */
void loader_rig_reload(struct loader_rig *rig);
void loader_rig_load(struct loader_rig *rig, size_t loaded, size_t refused);

/* How many changes of that kind the last reload reported. */
size_t loader_rig_count(
	const struct loader_rig *rig, enum wyn_loader_verb verb);

/* The index-th refusal; and that it is of this file and says this. */
const struct wyn_loader_change *loader_rig_refusal(
	const struct loader_rig *rig, size_t index);
void loader_rig_check_refusal(const struct loader_rig *rig, size_t index,
	const char *file, const char *why);

/* Can that function be called? */
bool loader_rig_has(const struct loader_rig *rig, const char *function);
