// SPDX-License-Identifier: MIT
/*
 * loader_rig.c - see loader_rig.h.
 */
#include "tests/support/loader_rig.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/modules/registry.h"
#include "tests/support/module_host.h"

int loader_rig_begin(void **state)
{
	struct loader_rig *rig = calloc(1, sizeof(*rig));

	if (rig == NULL) {
		return -1;
	}
	strcpy(rig->directory, "/tmp/wyn-test-loader-XXXXXX");
	if (mkdtemp(rig->directory) == NULL ||
		wyn_catalog_create(&rig->catalog) < 0 ||
		wyn_loader_create(rig->catalog, &rig->loader) < 0) {
		return -1;
	}
	*state = rig;
	return 0;
}

void loader_rig_path(const struct loader_rig *rig, const char *name,
	char path[LOADER_RIG_PATH_BYTES])
{
	(void)snprintf(
		path, LOADER_RIG_PATH_BYTES, "%s/%s", rig->directory, name);
}

int loader_rig_end(void **state)
{
	struct loader_rig *rig = *state;
	DIR *directory = opendir(rig->directory);
	const struct dirent *entry;

	wyn_loader_destroy(rig->loader);
	wyn_catalog_destroy(rig->catalog);
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2) {
			(void)unlinkat(dirfd(directory), entry->d_name, 0);
		}
	}
	(void)closedir(directory);
	if (rmdir(rig->directory) < 0) {
		return -1;
	}
	free(rig);
	return 0;
}

void loader_rig_put_bytes(const struct loader_rig *rig, const char *name,
	const void *bytes, size_t count)
{
	char path[LOADER_RIG_PATH_BYTES];
	FILE *file;

	loader_rig_path(rig, name, path);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, count, file), count);
	assert_int_equal(fclose(file), 0);
	/* Whatever the umask says. */
	assert_int_equal(chmod(path, 0644), 0);
}

void loader_rig_put_copy(
	const struct loader_rig *rig, const char *name, const char *original)
{
	FILE *file = fopen(original, "rb");
	char *bytes;
	long count;

	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	count = ftell(file);
	assert_true(count > 0);
	rewind(file);
	bytes = malloc((size_t)count);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, (size_t)count, file), count);
	(void)fclose(file);
	loader_rig_put_bytes(rig, name, bytes, (size_t)count);
	free(bytes);
}

void loader_rig_put_module(
	const struct loader_rig *rig, const char *name, const char *module)
{
	char path[WYN_HOST_PATH_BYTES];

	wyn_module_host_path(module, path);
	loader_rig_put_copy(rig, name, path);
}

/* A shared object that everything is right with, but that is no module. */
void loader_rig_put_library(const struct loader_rig *rig, const char *name)
{
	Dl_info info;

	assert_true(dladdr((void *)(uintptr_t)_cmocka_run_group_tests, &info));
	loader_rig_put_copy(rig, name, info.dli_fname);
}

void loader_rig_reload(struct loader_rig *rig)
{
	assert_int_equal(
		wyn_loader_reload(rig->loader, rig->directory, &rig->report),
		0);
}

size_t loader_rig_count(const struct loader_rig *rig, enum wyn_loader_verb verb)
{
	size_t count = 0;

	for (size_t i = 0; i < rig->report.count; i++) {
		count += rig->report.changes[i].verb == verb;
	}
	return count;
}

void loader_rig_load(struct loader_rig *rig, size_t loaded, size_t refused)
{
	const struct wyn_loader_report *report = &rig->report;

	loader_rig_reload(rig);
	for (size_t i = 0; i < report->count; i++) {
		print_message("%s: %s\n", report->changes[i].file,
			report->changes[i].why);
	}
	assert_int_equal(loader_rig_count(rig, WYN_LOADER_REFUSED), refused);
	assert_int_equal(wyn_loader_count(rig->loader), loaded);
}

/* The index-th of those that were refused. */
const struct wyn_loader_change *loader_rig_refusal(
	const struct loader_rig *rig, size_t index)
{
	for (size_t i = 0; i < rig->report.count; i++) {
		const struct wyn_loader_change *change =
			&rig->report.changes[i];

		if (change->verb == WYN_LOADER_REFUSED && index-- == 0) {
			return change;
		}
	}
	fail_msg("so many were not refused");
	return NULL;
}

void loader_rig_check_refusal(const struct loader_rig *rig, size_t index,
	const char *file, const char *why)
{
	const struct wyn_loader_change *change = loader_rig_refusal(rig, index);

	assert_string_equal(change->file, file);
	if (strstr(change->why, why) == NULL) {
		fail_msg("\"%s\" does not say \"%s\"", change->why, why);
	}
	assert_null(strchr(change->why, '\n'));
	assert_null(strstr(change->why, "/proc/self/fd"));
}

bool loader_rig_has(const struct loader_rig *rig, const char *function)
{
	return wyn_registry_find(wyn_catalog_now(rig->catalog),
		       wyn_slice_of(function)) != NULL;
}
