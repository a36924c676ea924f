// SPDX-License-Identifier: MIT
/*
 * test_loader.c - directories of good modules and of all kinds of bad ones.
 */
#include "daemon/loader.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/catalog.h"
#include "daemon/limits.h"
#include "daemon/registry.h"
#include "tests/support/module_host.h"

#define PATH_BYTES 256u

struct bench {
	char directory[64];
	struct wyn_catalog *catalog;
	struct wyn_loader *loader;
	struct wyn_loader_report report;
	char diag[PATH_BYTES]; /* of the module that is replaced */
};

static int begin(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	if (bench == NULL) {
		return -1;
	}
	strcpy(bench->directory, "/tmp/wyn-test-loader-XXXXXX");
	if (mkdtemp(bench->directory) == NULL ||
		wyn_catalog_create(&bench->catalog) < 0 ||
		wyn_loader_create(bench->catalog, &bench->loader) < 0) {
		return -1;
	}
	*state = bench;
	return 0;
}

static void path_of(
	const struct bench *bench, const char *name, char path[PATH_BYTES])
{
	(void)snprintf(path, PATH_BYTES, "%s/%s", bench->directory, name);
}

static int end(void **state)
{
	struct bench *bench = *state;
	DIR *directory = opendir(bench->directory);
	const struct dirent *entry;

	wyn_loader_destroy(bench->loader);
	wyn_catalog_destroy(bench->catalog);
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] != '.' || strlen(entry->d_name) > 2) {
			(void)unlinkat(dirfd(directory), entry->d_name, 0);
		}
	}
	(void)closedir(directory);
	if (rmdir(bench->directory) < 0) {
		return -1;
	}
	free(bench);
	return 0;
}

static void put_bytes(const struct bench *bench, const char *name,
	const void *bytes, size_t count)
{
	char path[PATH_BYTES];
	FILE *file;

	path_of(bench, name, path);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, count, file), count);
	assert_int_equal(fclose(file), 0);
	/* Whatever the umask says. */
	assert_int_equal(chmod(path, 0644), 0);
}

static void put_copy(
	const struct bench *bench, const char *name, const char *original)
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
	put_bytes(bench, name, bytes, (size_t)count);
	free(bytes);
}

static void put_module(
	const struct bench *bench, const char *name, const char *module)
{
	char path[WYN_HOST_PATH_BYTES];

	wyn_module_host_path(module, path);
	put_copy(bench, name, path);
}

/* A shared object that everything is right with, but that is no module. */
static void put_library(const struct bench *bench, const char *name)
{
	Dl_info info;

	assert_true(dladdr((void *)(uintptr_t)_cmocka_run_group_tests, &info));
	put_copy(bench, name, info.dli_fname);
}

static void reload(struct bench *bench)
{
	assert_int_equal(wyn_loader_reload(bench->loader, bench->directory,
				 &bench->report),
		0);
}

static void load(struct bench *bench, size_t loaded, size_t refused)
{
	const struct wyn_loader_report *report = &bench->report;

	reload(bench);
	for (size_t i = 0; i < report->count; i++) {
		print_message("%s: %s\n", report->changes[i].file,
			report->changes[i].why);
	}
	assert_int_equal(report->of[WYN_LOADER_REFUSED], refused);
	assert_int_equal(wyn_loader_count(bench->loader), loaded);
}

/* The index-th of those that were refused. */
static const struct wyn_loader_change *refusal(
	const struct bench *bench, size_t index)
{
	for (size_t i = 0; i < bench->report.count; i++) {
		const struct wyn_loader_change *change =
			&bench->report.changes[i];

		if (change->verb == WYN_LOADER_REFUSED && index-- == 0) {
			return change;
		}
	}
	fail_msg("so many were not refused");
	return NULL;
}

static void check_refusal(const struct bench *bench, size_t index,
	const char *file, const char *why)
{
	const struct wyn_loader_change *change = refusal(bench, index);

	assert_string_equal(change->file, file);
	if (strstr(change->why, why) == NULL) {
		fail_msg("\"%s\" does not say \"%s\"", change->why, why);
	}
	assert_null(strchr(change->why, '\n'));
	assert_null(strstr(change->why, "/proc/self/fd"));
}

static bool has(const struct bench *bench, const char *function)
{
	return wyn_registry_find(wyn_catalog_now(bench->catalog),
		       wyn_slice_of(function)) != NULL;
}

static void loader_loads_every_module_when_all_are_good(void **state)
{
	struct bench *bench = *state;

	put_module(bench, "one.so", "digest");
	put_module(bench, "two.so", "diag");

	load(bench, 2, 0);

	assert_true(has(bench, "echo"));
	assert_true(has(bench, "sha256"));
}

static void loader_reports_each_module_that_it_loaded(void **state)
{
	struct bench *bench = *state;
	const struct wyn_loader_change *changes = bench->report.changes;

	put_module(bench, "one.so", "digest");
	put_module(bench, "two.so", "diag");
	load(bench, 2, 0);
	assert_int_equal(changes[0].verb, WYN_LOADER_LOADED);
	assert_string_equal(changes[0].file, "one.so");
	assert_string_equal(changes[0].module, "digest");
	assert_int_equal(changes[0].functions, 3);
	assert_true(changes[0].version[0] != '\0');
	assert_string_equal(changes[1].module, "diag");
}

static void loader_takes_files_of_root_and_ours_when_linked(void **state)
{
	struct bench *bench = *state;
	char original[PATH_BYTES];
	char path[PATH_BYTES];

	put_module(bench, "diag.module", "diag");
	path_of(bench, "diag.module", original);
	path_of(bench, "link.so", path);
	assert_int_equal(symlink(original, path), 0);

	load(bench, 1, 0);
}

static void loader_passes_over_files_when_they_are_not_named_so(void **state)
{
	struct bench *bench = *state;

	put_bytes(bench, "README", "text", 4);
	put_bytes(bench, "diag.so.old", "text", 4);
	put_bytes(bench, ".hidden.so", "text", 4);
	put_bytes(bench, "so", "text", 4);

	load(bench, 0, 0);
}

static void loader_gives_errno_when_the_directory_is_missing(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(
		wyn_loader_reload(bench->loader, "/proc/self/no-such-directory",
			&bench->report),
		-ENOENT);
	assert_int_equal(wyn_loader_reload(bench->loader, "/proc/self/status",
				 &bench->report),
		-ENOTDIR);
}

static void loader_loads_the_rest_when_some_are_no_modules(void **state)
{
	struct bench *bench = *state;

	/* Each before a good one that gets the same descriptor number. */
	put_bytes(bench, "1.so", "not ELF at all", 14);
	put_module(bench, "2.so", "diag");
	put_library(bench, "3.so");
	put_module(bench, "4.so", "digest");
	put_bytes(bench, "5.so", "", 0);

	load(bench, 2, 3);

	check_refusal(bench, 0, "1.so", "");
	check_refusal(bench, 1, "3.so", "no symbol wyn_module");
	check_refusal(bench, 2, "5.so", "");
	assert_true(has(bench, "echo"));
	assert_true(has(bench, "sha256"));
}

static void loader_refuses_a_module_when_others_may_write_it(void **state)
{
	struct bench *bench = *state;
	char path[PATH_BYTES];

	put_module(bench, "a.so", "diag");
	path_of(bench, "a.so", path);
	assert_int_equal(chmod(path, 0664), 0);
	put_module(bench, "b.so", "diag");
	path_of(bench, "b.so", path);
	assert_int_equal(chmod(path, 0646), 0);

	load(bench, 0, 2);

	check_refusal(bench, 0, "a.so",
		"writable by its group or by others (mode 0664)");
	check_refusal(bench, 1, "b.so",
		"writable by its group or by others (mode 0646)");
}

static void loader_refuses_a_module_when_another_user_owns_it(void **state)
{
	struct bench *bench = *state;
	char path[PATH_BYTES];

	/* Giving it to oneself needs no right, and shows nothing. */
	if (geteuid() != 0) {
		skip(); /* only root can give files away */
	}
	put_module(bench, "a.so", "diag");
	path_of(bench, "a.so", path);
	assert_int_equal(chown(path, 65534, 65534), 0);

	load(bench, 0, 1);

	check_refusal(bench, 0, "a.so", "owned by uid 65534");
}

static void loader_refuses_what_is_no_file_when_named_so(void **state)
{
	struct bench *bench = *state;
	char path[PATH_BYTES];

	path_of(bench, "fifo.so", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	path_of(bench, "nowhere.so", path);
	assert_int_equal(symlink("nowhere", path), 0);

	load(bench, 0, 2);

	check_refusal(bench, 0, "fifo.so", "not a regular file");
	check_refusal(bench, 1, "nowhere.so", "No such file");
}

static void loader_refuses_the_second_when_a_module_is_there_twice(void **state)
{
	struct bench *bench = *state;

	put_module(bench, "b.so", "diag");
	put_module(bench, "a.so", "diag");

	load(bench, 1, 1);

	check_refusal(
		bench, 0, "b.so", "a module of its name is loaded already");
}

static void loader_keeps_all_when_the_directory_has_gone(void **state)
{
	struct bench *bench = *state;

	put_module(bench, "a.so", "diag");
	load(bench, 1, 0);

	assert_int_equal(wyn_loader_reload(bench->loader, "/proc/self/none",
				 &bench->report),
		-ENOENT);

	assert_true(has(bench, "echo"));
	assert_int_equal(wyn_loader_count(bench->loader), 1);
}

static void loader_keeps_a_version_when_its_file_is_the_same(void **state)
{
	struct bench *bench = *state;
	const struct wyn_module_version *version;

	put_module(bench, "a.so", "diag");
	load(bench, 1, 0);
	version = wyn_registry_module(wyn_catalog_now(bench->catalog), 0);
	reload(bench);
	assert_int_equal(bench->report.of[WYN_LOADER_KEPT], 1);

	/* Another file with another time, and the same in it. */
	put_module(bench, "a.so", "diag");
	reload(bench);

	assert_int_equal(bench->report.of[WYN_LOADER_KEPT], 1);
	assert_int_equal(bench->report.count, 1);
	assert_string_equal(bench->report.changes[0].module, "diag");
	assert_ptr_equal(version,
		wyn_registry_module(wyn_catalog_now(bench->catalog), 0));
	assert_int_equal(wyn_loader_sweep(bench->loader), 0);
}

static const struct wyn_function_entry *hold(
	const struct bench *bench, const char *function)
{
	return wyn_catalog_hold(bench->catalog, wyn_slice_of(function));
}

static void loader_keeps_the_old_version_while_it_is_held(void **state)
{
	struct bench *bench = *state;
	const struct wyn_function_entry *echo;

	put_module(bench, "a.so", "diag");
	load(bench, 1, 0);
	echo = hold(bench, "echo");
	assert_non_null(echo);

	/* Written over in place. */
	put_module(bench, "a.so", "digest");
	reload(bench);

	assert_int_equal(bench->report.of[WYN_LOADER_REPLACED], 1);
	assert_false(has(bench, "echo"));
	assert_true(has(bench, "sha256"));
	assert_int_equal(wyn_loader_sweep(bench->loader), 1);
	/* It is there still. */
	assert_string_equal(echo->name, "echo");
	assert_string_equal(echo->version->module->name, "diag");
	wyn_module_release(echo->version);
	assert_int_equal(wyn_loader_sweep(bench->loader), 0);
}

static void loader_keeps_the_old_version_when_the_new_one_is_bad(void **state)
{
	struct bench *bench = *state;

	put_module(bench, "a.so", "diag");
	load(bench, 1, 0);
	put_bytes(bench, "a.so", "not ELF at all", 14);

	load(bench, 1, 1);

	assert_true(refusal(bench, 0)->old_kept);
	assert_string_equal(refusal(bench, 0)->module, "diag");
	assert_true(has(bench, "echo"));
}

static void loader_removes_what_is_no_more_in_the_directory(void **state)
{
	struct bench *bench = *state;
	char path[PATH_BYTES];

	put_module(bench, "a.so", "diag");
	put_module(bench, "b.so", "digest");
	load(bench, 2, 0);
	path_of(bench, "a.so", path);
	assert_int_equal(unlink(path), 0);

	load(bench, 1, 0);

	assert_int_equal(bench->report.of[WYN_LOADER_REMOVED], 1);
	assert_string_equal(bench->report.changes[1].file, "a.so");
	assert_false(has(bench, "echo"));
	assert_true(has(bench, "sha256"));
	assert_int_equal(wyn_loader_sweep(bench->loader), 0);
}

static void loader_refuses_a_changed_file_when_its_name_is_taken(void **state)
{
	struct bench *bench = *state;

	put_module(bench, "a.so", "diag");
	put_module(bench, "b.so", "digest");
	load(bench, 2, 0);
	put_module(bench, "a.so", "digest");

	load(bench, 2, 1);

	check_refusal(
		bench, 0, "a.so", "a module of its name is loaded already");
	assert_true(refusal(bench, 0)->old_kept);
	assert_true(has(bench, "echo"));
}

static size_t descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory) != NULL) {
		count++;
	}
	(void)closedir(directory);
	return count;
}

static void loader_does_not_grow_when_it_reloads_again_and_again(void **state)
{
	struct bench *bench = *state;
	size_t before;

	put_module(bench, "a.so", "diag");
	put_library(bench, "b.so");
	reload(bench);
	before = descriptors();

	for (unsigned i = 0; i < 100; i++) {
		put_module(bench, "a.so", i % 2 == 0 ? "digest" : "diag");
		reload(bench);
		assert_int_equal(bench->report.of[WYN_LOADER_REPLACED], 1);
		assert_int_equal(bench->report.of[WYN_LOADER_REFUSED], 1);
		assert_int_equal(wyn_loader_sweep(bench->loader), 0);
	}

	assert_true(has(bench, "echo"));
	assert_int_equal(descriptors(), before);
}

#define CALLERS 4u
#define RELOADS 100u

struct caller {
	struct bench *bench;
	const _Atomic bool *over;
	size_t missed;
	pthread_t thread;
};

/* Finds a function, holds its version, calls it, lets go. */
static void *call_on(void *arg)
{
	struct caller *caller = arg;

	while (!atomic_load_explicit(caller->over, memory_order_relaxed)) {
		const struct wyn_function_entry *noop =
			hold(caller->bench, "noop");

		if (noop == NULL || noop->run(NULL, "", 0) != 0) {
			caller->missed++;
		}
		if (noop != NULL) {
			wyn_module_release(noop->version);
		}
	}
	return NULL;
}

/* Each has more behind its end than the one before. */
static void diag_replace(struct bench *bench, unsigned round)
{
	char path[PATH_BYTES];
	FILE *file;

	put_module(bench, "next", "diag");
	path_of(bench, "next", path);
	file = fopen(path, "ab");
	assert_non_null(file);
	for (unsigned i = 0; i <= round; i++) {
		assert_int_equal(fputc('x', file), 'x');
	}
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(path, bench->diag), 0);
}

static void loader_fails_no_call_when_it_reloads_meanwhile(void **state)
{
	static struct caller callers[CALLERS];
	static _Atomic bool over;
	struct bench *bench = *state;

	put_module(bench, "a.so", "diag");
	path_of(bench, "a.so", bench->diag);
	reload(bench);
	for (size_t i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller){.bench = bench, .over = &over};
		assert_int_equal(pthread_create(&callers[i].thread, NULL,
					 call_on, &callers[i]),
			0);
	}
	for (unsigned i = 0; i < RELOADS; i++) {
		diag_replace(bench, i);
		reload(bench);
		assert_int_equal(bench->report.of[WYN_LOADER_REPLACED], 1);
	}
	atomic_store_explicit(&over, true, memory_order_relaxed);
	for (size_t i = 0; i < CALLERS; i++) {
		assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
		assert_int_equal(callers[i].missed, 0);
	}

	assert_int_equal(wyn_loader_sweep(bench->loader), 0);
}

static void loader_loads_nothing_when_there_are_too_many(void **state)
{
	struct bench *bench = *state;
	char name[16];

	for (unsigned i = 0; i <= WYN_MODULES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%u.so", i);
		put_bytes(bench, name, "", 0);
	}

	assert_int_equal(wyn_loader_reload(bench->loader, bench->directory,
				 &bench->report),
		-E2BIG);

	assert_int_equal(wyn_loader_count(bench->loader), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CASE(loader_loads_every_module_when_all_are_good),
		CASE(loader_reports_each_module_that_it_loaded),
		CASE(loader_takes_files_of_root_and_ours_when_linked),
		CASE(loader_passes_over_files_when_they_are_not_named_so),
		CASE(loader_gives_errno_when_the_directory_is_missing),
		CASE(loader_loads_the_rest_when_some_are_no_modules),
		CASE(loader_refuses_a_module_when_others_may_write_it),
		CASE(loader_refuses_a_module_when_another_user_owns_it),
		CASE(loader_refuses_what_is_no_file_when_named_so),
		CASE(loader_refuses_the_second_when_a_module_is_there_twice),
		CASE(loader_keeps_all_when_the_directory_has_gone),
		CASE(loader_keeps_a_version_when_its_file_is_the_same),
		CASE(loader_keeps_the_old_version_while_it_is_held),
		CASE(loader_keeps_the_old_version_when_the_new_one_is_bad),
		CASE(loader_removes_what_is_no_more_in_the_directory),
		CASE(loader_refuses_a_changed_file_when_its_name_is_taken),
		CASE(loader_does_not_grow_when_it_reloads_again_and_again),
		CASE(loader_fails_no_call_when_it_reloads_meanwhile),
		CASE(loader_loads_nothing_when_there_are_too_many),
#undef CASE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
