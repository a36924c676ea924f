// SPDX-License-Identifier: MIT
/*
 * test_loader_again.c - a directory that is loaded again: what stays, what is
 * replaced, what goes.
 */
#include "daemon/modules/loader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/modules/catalog.h"
#include "daemon/modules/registry.h"
#include "tests/support/loader_rig.h"

static void loader_keeps_all_when_the_directory_has_gone(void **state)
{
	struct loader_rig *rig = *state;

	loader_rig_put_module(rig, "a.so", "diag");
	loader_rig_load(rig, 1, 0);

	assert_int_equal(
		wyn_loader_reload(rig->loader, "/proc/self/none", &rig->report),
		-ENOENT);

	assert_true(loader_rig_has(rig, "echo"));
	assert_int_equal(wyn_loader_count(rig->loader), 1);
}

static void loader_keeps_a_version_when_its_file_is_the_same(void **state)
{
	struct loader_rig *rig = *state;
	const struct wyn_module_version *version;

	loader_rig_put_module(rig, "a.so", "diag");
	loader_rig_load(rig, 1, 0);
	version = wyn_registry_module(wyn_catalog_now(rig->catalog), 0);
	loader_rig_reload(rig);
	assert_int_equal(loader_rig_count(rig, WYN_LOADER_KEPT), 1);

	/* Another file with another time, and the same in it. */
	loader_rig_put_module(rig, "a.so", "diag");
	loader_rig_reload(rig);

	assert_int_equal(loader_rig_count(rig, WYN_LOADER_KEPT), 1);
	assert_int_equal(rig->report.count, 1);
	assert_string_equal(rig->report.changes[0].module, "diag");
	assert_ptr_equal(
		version, wyn_registry_module(wyn_catalog_now(rig->catalog), 0));
	assert_int_equal(wyn_loader_sweep(rig->loader), 0);
}

static const struct wyn_function_entry *hold(
	const struct loader_rig *rig, const char *function)
{
	return wyn_catalog_hold(rig->catalog, wyn_slice_of(function));
}

static void loader_keeps_the_old_version_while_it_is_held(void **state)
{
	struct loader_rig *rig = *state;
	const struct wyn_function_entry *echo;

	loader_rig_put_module(rig, "a.so", "diag");
	loader_rig_load(rig, 1, 0);
	echo = hold(rig, "echo");
	assert_non_null(echo);

	/* Written over in place. */
	loader_rig_put_module(rig, "a.so", "digest");
	loader_rig_reload(rig);

	assert_int_equal(loader_rig_count(rig, WYN_LOADER_REPLACED), 1);
	assert_false(loader_rig_has(rig, "echo"));
	assert_true(loader_rig_has(rig, "sha256"));
	assert_int_equal(wyn_loader_sweep(rig->loader), 1);
	/* It is there still. */
	assert_string_equal(echo->name, "echo");
	assert_string_equal(echo->version->module->name, "diag");
	wyn_module_release(echo->version);
	assert_int_equal(wyn_loader_sweep(rig->loader), 0);
}

static void loader_keeps_the_old_version_when_the_new_one_is_bad(void **state)
{
	struct loader_rig *rig = *state;

	loader_rig_put_module(rig, "a.so", "diag");
	loader_rig_load(rig, 1, 0);
	loader_rig_put_bytes(rig, "a.so", "not ELF at all", 14);

	loader_rig_load(rig, 1, 1);

	assert_true(loader_rig_refusal(rig, 0)->old_kept);
	assert_string_equal(loader_rig_refusal(rig, 0)->module, "diag");
	assert_true(loader_rig_has(rig, "echo"));
}

static void loader_removes_what_is_no_more_in_the_directory(void **state)
{
	struct loader_rig *rig = *state;
	char path[LOADER_RIG_PATH_BYTES];

	loader_rig_put_module(rig, "a.so", "diag");
	loader_rig_put_module(rig, "b.so", "digest");
	loader_rig_load(rig, 2, 0);
	loader_rig_path(rig, "a.so", path);
	assert_int_equal(unlink(path), 0);

	loader_rig_load(rig, 1, 0);

	assert_int_equal(loader_rig_count(rig, WYN_LOADER_REMOVED), 1);
	assert_string_equal(rig->report.changes[1].file, "a.so");
	assert_false(loader_rig_has(rig, "echo"));
	assert_true(loader_rig_has(rig, "sha256"));
	assert_int_equal(wyn_loader_sweep(rig->loader), 0);
}

static void loader_refuses_a_changed_file_when_its_name_is_taken(void **state)
{
	struct loader_rig *rig = *state;

	loader_rig_put_module(rig, "a.so", "diag");
	loader_rig_put_module(rig, "b.so", "digest");
	loader_rig_load(rig, 2, 0);
	loader_rig_put_module(rig, "a.so", "digest");

	loader_rig_load(rig, 2, 1);

	loader_rig_check_refusal(
		rig, 0, "a.so", "a module of its name is loaded already");
	assert_true(loader_rig_refusal(rig, 0)->old_kept);
	assert_true(loader_rig_has(rig, "echo"));
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
	struct loader_rig *rig = *state;
	size_t before;

	loader_rig_put_module(rig, "a.so", "diag");
	loader_rig_put_library(rig, "b.so");
	loader_rig_reload(rig);
	before = descriptors();

	for (unsigned i = 0; i < 100; i++) {
		loader_rig_put_module(
			rig, "a.so", i % 2 == 0 ? "digest" : "diag");
		loader_rig_reload(rig);
		assert_int_equal(loader_rig_count(rig, WYN_LOADER_REPLACED), 1);
		assert_int_equal(loader_rig_count(rig, WYN_LOADER_REFUSED), 1);
		assert_int_equal(wyn_loader_sweep(rig->loader), 0);
	}

	assert_true(loader_rig_has(rig, "echo"));
	assert_int_equal(descriptors(), before);
}

#define CALLERS 4u
#define RELOADS 100u

struct caller {
	struct loader_rig *rig;
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
			hold(caller->rig, "noop");

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
static void diag_replace(struct loader_rig *rig, unsigned round)
{
	char path[LOADER_RIG_PATH_BYTES];
	FILE *file;

	loader_rig_put_module(rig, "next", "diag");
	loader_rig_path(rig, "next", path);
	file = fopen(path, "ab");
	assert_non_null(file);
	for (unsigned i = 0; i <= round; i++) {
		assert_int_equal(fputc('x', file), 'x');
	}
	assert_int_equal(fclose(file), 0);
	assert_int_equal(rename(path, rig->diag), 0);
}

static void loader_fails_no_call_when_it_reloads_meanwhile(void **state)
{
	static struct caller callers[CALLERS];
	static _Atomic bool over;
	struct loader_rig *rig = *state;

	loader_rig_put_module(rig, "a.so", "diag");
	loader_rig_path(rig, "a.so", rig->diag);
	loader_rig_reload(rig);
	for (size_t i = 0; i < CALLERS; i++) {
		callers[i] = (struct caller){.rig = rig, .over = &over};
		assert_int_equal(pthread_create(&callers[i].thread, NULL,
					 call_on, &callers[i]),
			0);
	}
	for (unsigned i = 0; i < RELOADS; i++) {
		diag_replace(rig, i);
		loader_rig_reload(rig);
		assert_int_equal(loader_rig_count(rig, WYN_LOADER_REPLACED), 1);
	}
	atomic_store_explicit(&over, true, memory_order_relaxed);
	for (size_t i = 0; i < CALLERS; i++) {
		assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
		assert_int_equal(callers[i].missed, 0);
	}

	assert_int_equal(wyn_loader_sweep(rig->loader), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, loader_rig_begin, loader_rig_end)
		CASE(loader_keeps_all_when_the_directory_has_gone),
		CASE(loader_keeps_a_version_when_its_file_is_the_same),
		CASE(loader_keeps_the_old_version_while_it_is_held),
		CASE(loader_keeps_the_old_version_when_the_new_one_is_bad),
		CASE(loader_removes_what_is_no_more_in_the_directory),
		CASE(loader_refuses_a_changed_file_when_its_name_is_taken),
		CASE(loader_does_not_grow_when_it_reloads_again_and_again),
		CASE(loader_fails_no_call_when_it_reloads_meanwhile),
#undef CASE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
