// SPDX-License-Identifier: MIT
/*
 * test_cpus.c - the quota of fake cgroup trees.
 */
#include "scheduler/cpus.h"

#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char root[64];

static int root_setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/wyn-test-cpus-XXXXXX");
	return mkdtemp(root) != NULL ? 0 : -1;
}

/* Writes a file below the root and makes the directories on the way. */
static void put(const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')) != NULL;
		at++) {
		*at = '\0';
		mkdir(path, 0700);
		*at = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int root_teardown(void **state)
{
	char command[PATH_MAX];

	(void)state;
	snprintf(command, sizeof(command), "rm -r '%s'", root);
	return system(command);
}

static void cpus_has_no_quota_when_nothing_there(void **state)
{
	(void)state;
	assert_int_equal(wyn_cpus_quota(root), 0);
	assert_true(wyn_cpus_allowed(root) >= 1);
}

static void cpus_has_no_quota_when_max(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/a\n");
	put("sys/fs/cgroup/a/cpu.max", "max 100000\n");

	assert_int_equal(wyn_cpus_quota(root), 0);
}

static void cpus_reads_quota_when_own_group(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/a/b\n");
	put("sys/fs/cgroup/a/b/cpu.max", "300000 100000\n");

	assert_int_equal(wyn_cpus_quota(root), 3);
}

static void cpus_takes_least_when_ancestor_is_smaller(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/a/b/c\n");
	put("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
	put("sys/fs/cgroup/a/b/cpu.max", "800000 100000\n");
	put("sys/fs/cgroup/a/cpu.max", "200000 100000\n");

	assert_int_equal(wyn_cpus_quota(root), 2);
}

static void cpus_reads_mount_when_path_is_outside(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/../../elsewhere\n");
	put("sys/fs/cgroup/cpu.max", "400000 100000\n");

	assert_int_equal(wyn_cpus_quota(root), 4);
}

static void cpus_rounds_up_when_quota_is_a_fraction(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/\n");
	put("sys/fs/cgroup/cpu.max", "150000 100000\n");

	assert_int_equal(wyn_cpus_quota(root), 2);
}

static void cpus_allows_one_when_quota_is_tiny(void **state)
{
	(void)state;
	put("proc/self/cgroup", "0::/\n");
	put("sys/fs/cgroup/cpu.max", "1000 100000\n");

	assert_int_equal(wyn_cpus_allowed(root), 1);
}

static void cpus_reads_unified_mount_when_hybrid(void **state)
{
	(void)state;
	put("proc/self/cgroup", "4:memory:/m\n0::/a\n");
	put("sys/fs/cgroup/unified/a/cpu.max", "500000 100000\n");

	assert_int_equal(wyn_cpus_quota(root), 5);
}

static void cpus_reads_cfs_quota_when_version_1(void **state)
{
	(void)state;
	put("proc/self/cgroup", "5:cpuset:/x\n3:cpu,cpuacct:/a/b\n0::/\n");
	put("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_quota_us", "-1\n");
	put("sys/fs/cgroup/cpu,cpuacct/a/b/cpu.cfs_period_us", "100000\n");
	put("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us", "600000\n");
	put("sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");

	assert_int_equal(wyn_cpus_quota(root), 6);
}

static void cpus_has_no_quota_when_files_are_garbage(void **state)
{
	(void)state;
	put("proc/self/cgroup", "\n::\nno colon\n0::/a\n1:cpu\n2:cpu:/c\n");
	put("sys/fs/cgroup/a/cpu.max", "lots\n");
	put("sys/fs/cgroup/cpu.max", "0 0\n");
	put("sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", "");

	assert_int_equal(wyn_cpus_quota(root), 0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, root_setup, root_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(cpus_has_no_quota_when_nothing_there),
		TEST(cpus_has_no_quota_when_max),
		TEST(cpus_reads_quota_when_own_group),
		TEST(cpus_takes_least_when_ancestor_is_smaller),
		TEST(cpus_reads_mount_when_path_is_outside),
		TEST(cpus_rounds_up_when_quota_is_a_fraction),
		TEST(cpus_allows_one_when_quota_is_tiny),
		TEST(cpus_reads_unified_mount_when_hybrid),
		TEST(cpus_reads_cfs_quota_when_version_1),
		TEST(cpus_has_no_quota_when_files_are_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
