// SPDX-License-Identifier: MIT
/*
 * test_loader.c - directories of good modules and of all kinds of bad ones.
 */
#include "daemon/modules/loader.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/limits.h"
#include "tests/support/loader_rig.h"

static void loader_loads_every_module_when_all_are_good(void **state)
{
	struct loader_rig *rig = *state;

	loader_rig_put_module(rig, "one.so", "digest");
	loader_rig_put_module(rig, "two.so", "diag");

	loader_rig_load(rig, 2, 0);

	assert_true(loader_rig_has(rig, "echo"));
	assert_true(loader_rig_has(rig, "sha256"));
}

static void loader_reports_each_module_that_it_loaded(void **state)
{
	struct loader_rig *rig = *state;
	const struct wyn_loader_change *changes = rig->report.changes;

	loader_rig_put_module(rig, "one.so", "digest");
	loader_rig_put_module(rig, "two.so", "diag");
	loader_rig_load(rig, 2, 0);
	assert_int_equal(changes[0].verb, WYN_LOADER_LOADED);
	assert_string_equal(changes[0].file, "one.so");
	assert_string_equal(changes[0].module, "digest");
	assert_int_equal(changes[0].functions, 3);
	assert_true(changes[0].version[0] != '\0');
	assert_string_equal(changes[1].module, "diag");
}

static void loader_takes_files_of_root_and_ours_when_linked(void **state)
{
	struct loader_rig *rig = *state;
	char original[LOADER_RIG_PATH_BYTES];
	char path[LOADER_RIG_PATH_BYTES];

	loader_rig_put_module(rig, "diag.module", "diag");
	loader_rig_path(rig, "diag.module", original);
	loader_rig_path(rig, "link.so", path);
	assert_int_equal(symlink(original, path), 0);

	loader_rig_load(rig, 1, 0);
}

static void loader_passes_over_files_when_they_are_not_named_so(void **state)
{
	struct loader_rig *rig = *state;

	loader_rig_put_bytes(rig, "README", "text", 4);
	loader_rig_put_bytes(rig, "diag.so.old", "text", 4);
	loader_rig_put_bytes(rig, ".hidden.so", "text", 4);
	loader_rig_put_bytes(rig, "so", "text", 4);

	loader_rig_load(rig, 0, 0);
}

static void loader_gives_errno_when_the_directory_is_missing(void **state)
{
	struct loader_rig *rig = *state;

	assert_int_equal(wyn_loader_reload(rig->loader,
				 "/proc/self/no-such-directory", &rig->report),
		-ENOENT);
	assert_int_equal(wyn_loader_reload(rig->loader, "/proc/self/status",
				 &rig->report),
		-ENOTDIR);
}

static void loader_loads_the_rest_when_some_are_no_modules(void **state)
{
	struct loader_rig *rig = *state;

	/* Each before a good one that gets the same descriptor number. */
	loader_rig_put_bytes(rig, "1.so", "not ELF at all", 14);
	loader_rig_put_module(rig, "2.so", "diag");
	loader_rig_put_library(rig, "3.so");
	loader_rig_put_module(rig, "4.so", "digest");
	loader_rig_put_bytes(rig, "5.so", "", 0);

	loader_rig_load(rig, 2, 3);

	loader_rig_check_refusal(rig, 0, "1.so", "");
	loader_rig_check_refusal(rig, 1, "3.so", "no symbol wyn_module");
	loader_rig_check_refusal(rig, 2, "5.so", "");
	assert_true(loader_rig_has(rig, "echo"));
	assert_true(loader_rig_has(rig, "sha256"));
}

static void loader_refuses_a_module_when_others_may_write_it(void **state)
{
	struct loader_rig *rig = *state;
	char path[LOADER_RIG_PATH_BYTES];

	loader_rig_put_module(rig, "a.so", "diag");
	loader_rig_path(rig, "a.so", path);
	assert_int_equal(chmod(path, 0664), 0);
	loader_rig_put_module(rig, "b.so", "diag");
	loader_rig_path(rig, "b.so", path);
	assert_int_equal(chmod(path, 0646), 0);

	loader_rig_load(rig, 0, 2);

	loader_rig_check_refusal(rig, 0, "a.so",
		"writable by its group or by others (mode 0664)");
	loader_rig_check_refusal(rig, 1, "b.so",
		"writable by its group or by others (mode 0646)");
}

static void loader_refuses_a_module_when_another_user_owns_it(void **state)
{
	struct loader_rig *rig = *state;
	char path[LOADER_RIG_PATH_BYTES];

	/* Giving it to oneself needs no right, and shows nothing. */
	if (geteuid() != 0) {
		skip(); /* only root can give files away */
	}
	loader_rig_put_module(rig, "a.so", "diag");
	loader_rig_path(rig, "a.so", path);
	assert_int_equal(chown(path, 65534, 65534), 0);

	loader_rig_load(rig, 0, 1);

	loader_rig_check_refusal(rig, 0, "a.so", "owned by uid 65534");
}

static void loader_refuses_what_is_no_file_when_named_so(void **state)
{
	struct loader_rig *rig = *state;
	char path[LOADER_RIG_PATH_BYTES];

	loader_rig_path(rig, "fifo.so", path);
	assert_int_equal(mkfifo(path, 0600), 0);
	loader_rig_path(rig, "nowhere.so", path);
	assert_int_equal(symlink("nowhere", path), 0);

	loader_rig_load(rig, 0, 2);

	loader_rig_check_refusal(rig, 0, "fifo.so", "not a regular file");
	loader_rig_check_refusal(rig, 1, "nowhere.so", "No such file");
}

static void loader_refuses_the_second_when_a_module_is_there_twice(void **state)
{
	struct loader_rig *rig = *state;

	loader_rig_put_module(rig, "b.so", "diag");
	loader_rig_put_module(rig, "a.so", "diag");

	loader_rig_load(rig, 1, 1);

	loader_rig_check_refusal(
		rig, 0, "b.so", "a module of its name is loaded already");
}

static void loader_loads_nothing_when_there_are_too_many(void **state)
{
	struct loader_rig *rig = *state;
	char name[16];

	for (unsigned i = 0; i <= WYN_MODULES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%u.so", i);
		loader_rig_put_bytes(rig, name, "", 0);
	}

	assert_int_equal(
		wyn_loader_reload(rig->loader, rig->directory, &rig->report),
		-E2BIG);
	assert_int_equal(wyn_loader_count(rig->loader), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, loader_rig_begin, loader_rig_end)
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
		CASE(loader_loads_nothing_when_there_are_too_many),
#undef CASE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
