// SPDX-License-Identifier: MIT
/*
 * test_cgroup.c - what is made, limited, kept and removed, on ordinary files;
 * test_cgroup_tree.c has real ones.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "spawner/cgroup.h"
#include "tests/support/fake_cgroup.h"
#include "tests/support/sys_faults.h"

static const struct wyn_cgroup_limits no_limits;

static struct wyn_cgroups cgroups;
static char path[] = "/tmp/wyn-cgroup-XXXXXX";
static int base;

static void remove_base(void)
{
	static const char *const names[] = {"cgroup.controllers",
		"cgroup.subtree_control", "cgroup.procs", "cgroup.events"};

	for (size_t i = 0; i < WYN_COUNT_OF(names); i++) {
		(void)unlinkat(base, names[i], 0);
	}
	wyn_fake_cgroup_remove(base, WYN_CGROUP_LEAF);
	/* nothing else is left in it */
	assert_int_equal(rmdir(path), 0);
	close(base);
}

static int set_up(void **state)
{
	(void)state;
	memset(path + sizeof(path) - 7, 'X', 6);
	assert_non_null(mkdtemp(path));
	base = open(path, O_RDONLY | O_DIRECTORY);
	assert_true(base >= 0);
	wyn_cgroups_none(&cgroups);
	cgroups.make = wyn_fake_cgroup_make;
	cgroups.remove = wyn_fake_cgroup_remove;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	wyn_cgroups_fini(&cgroups);
	remove_base();
	return 0;
}

static unsigned begin(bool own)
{
	unsigned killed = 99;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(
		wyn_cgroups_init_at(&cgroups, fd, path, own, &killed), 0);
	return killed;
}

/* Words behind what our writes put over the first bytes. */
static void begin_with_controllers(void)
{
	wyn_fake_cgroup_write(
		base, "cgroup.controllers", "cpuset cpu io memory pids\n");
	wyn_fake_cgroup_write(
		base, "cgroup.subtree_control", "-------- cpu memory pids\n");
	begin(false);
}

static struct wyn_cgroup *acquire(const struct wyn_cgroup_limits *limits)
{
	struct wyn_cgroup *cgroup = NULL;

	assert_int_equal(wyn_cgroup_acquire(&cgroups, limits, &cgroup), 0);
	assert_non_null(cgroup);
	return cgroup;
}

static void assert_text(
	const struct wyn_cgroup *cgroup, const char *file, const char *expected)
{
	char text[WYN_FAKE_CGROUP_BYTES];

	/* The kernel takes what is written; a file keeps what is behind. */
	wyn_fake_cgroup_read(cgroup->directory, file, text);
	assert_memory_equal(text, expected, strlen(expected));
}

static bool is_there(uint64_t number)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%llu", WYN_CGROUP_PREFIX,
		(unsigned long long)number);
	return faccessat(base, name, F_OK, 0) == 0;
}

static void cgroup_is_used_again_when_it_is_as_new(void **state)
{
	(void)state;
	begin(false);
	struct wyn_cgroup *one = acquire(&no_limits);
	struct wyn_cgroup *two = acquire(&no_limits);
	assert_true(is_there(one->number));
	assert_int_not_equal(one->number, two->number);
	wyn_cgroup_release(&cgroups, one, true);
	assert_ptr_equal(acquire(&no_limits), one);
	wyn_cgroup_release(&cgroups, one, true);
	wyn_cgroup_release(&cgroups, two, true);
	assert_int_equal(cgroups.kept_count, 2);
}

static void cgroup_is_removed_when_the_caller_says_so(void **state)
{
	(void)state;
	begin(false);
	struct wyn_cgroup *one = acquire(&no_limits);
	uint64_t number = one->number;
	wyn_cgroup_release(&cgroups, one, false);
	assert_false(is_there(number));
	assert_int_equal(cgroups.kept_count, 0);
}

static void cgroup_is_removed_when_enough_are_kept(void **state)
{
	struct wyn_cgroup *many[WYN_CGROUPS_KEPT_MAX + 3];

	(void)state;
	begin(false);
	for (size_t i = 0; i < WYN_COUNT_OF(many); i++) {
		many[i] = acquire(&no_limits);
	}
	for (size_t i = 0; i < WYN_COUNT_OF(many); i++) {
		wyn_cgroup_release(&cgroups, many[i], true);
	}
	assert_int_equal(cgroups.kept_count, WYN_CGROUPS_KEPT_MAX);
	assert_int_equal(wyn_cgroups_tidy(&cgroups), 0);
	assert_false(is_there(WYN_COUNT_OF(many)));
}

static void cgroup_is_removed_when_it_is_frozen(void **state)
{
	(void)state;
	begin(false);
	struct wyn_cgroup *one = acquire(&no_limits);
	uint64_t number = one->number;
	wyn_fake_cgroup_write(
		one->directory, "cgroup.events", "populated 0\nfrozen 1\n");
	wyn_cgroup_release(&cgroups, one, true);
	assert_false(is_there(number));
}

/* Linux kills whoever is cloned into one that cgroup.kill was written to. */
static void cgroup_is_removed_when_it_was_killed(void **state)
{
	(void)state;
	begin(false);
	struct wyn_cgroup *one = acquire(&no_limits);
	uint64_t number = one->number;
	assert_int_equal(wyn_cgroup_kill(one), 0);
	wyn_cgroup_release(&cgroups, one, true);
	assert_false(is_there(number));
	assert_int_equal(cgroups.kept_count, 0);
}

static void cgroup_is_removed_when_its_command_has_limited_it(void **state)
{
	static const char *const files[] = {
		"memory.max", "pids.max", "cpu.max"};

	(void)state;
	begin_with_controllers();
	for (size_t i = 0; i < WYN_COUNT_OF(files); i++) {
		struct wyn_cgroup *one = acquire(&no_limits);
		uint64_t number = one->number;
		wyn_fake_cgroup_write(one->directory, files[i], "1 2\n");
		wyn_cgroup_release(&cgroups, one, true);
		assert_false(is_there(number));
	}
}

static void cgroup_is_removed_whole_when_others_were_made_in_it(void **state)
{
	(void)state;
	begin(false);
	struct wyn_cgroup *one = acquire(&no_limits);
	uint64_t number = one->number;
	wyn_fake_cgroup_make(one->directory, "a", 0700);
	wyn_fake_cgroup_make(one->directory, "b", 0700);
	wyn_fake_cgroup_make(one->directory, "b/c", 0700);
	wyn_fake_cgroup_make(one->directory, "b/c/d", 0700);
	wyn_cgroup_release(&cgroups, one, true);
	assert_false(is_there(number));
}

static void cgroup_waits_when_it_is_not_empty_yet(void **state)
{
	(void)state;
	begin(false);
	struct wyn_cgroup *one = acquire(&no_limits);
	uint64_t number = one->number;
	int directory = dup(one->directory);
	wyn_fake_cgroup_write(
		directory, "cgroup.events", "populated 1\nfrozen 0\n");
	wyn_cgroup_release(&cgroups, one, true);
	assert_int_equal(wyn_cgroups_tidy(&cgroups), 1);
	struct wyn_cgroup *two = acquire(&no_limits);
	assert_int_not_equal(two->number, number);
	wyn_fake_cgroup_write(
		directory, "cgroup.events", "populated 0\nfrozen 0\n");
	assert_int_equal(wyn_cgroups_tidy(&cgroups), 0);
	assert_false(is_there(number));
	close(directory);
	wyn_cgroup_release(&cgroups, two, true);
}

static void cgroup_is_empty_when_only_the_dying_are_counted(void **state)
{
	(void)state;
	begin(false);
	struct wyn_cgroup *one = acquire(&no_limits);
	assert_true(wyn_cgroup_is_empty(one));
	wyn_fake_cgroup_write(
		one->directory, "cgroup.events", "populated 1\nfrozen 0\n");
	assert_true(wyn_cgroup_is_empty(one));
	wyn_fake_cgroup_write(one->directory, "cgroup.procs", "4711\n");
	assert_false(wyn_cgroup_is_empty(one));
	wyn_fake_cgroup_write(one->directory, "cgroup.procs", "");
	wyn_fake_cgroup_make(one->directory, "a", 0700);
	assert_false(wyn_cgroup_is_empty(one));
	wyn_fake_cgroup_write(
		one->directory, "cgroup.events", "populated 0\nfrozen 0\n");
	wyn_cgroup_release(&cgroups, one, true);
}

static void cgroup_has_its_limits_when_there_are_controllers(void **state)
{
	const struct wyn_cgroup_limits limits = {
		.memory_bytes = 64u << 20,
		.processes = 12,
		.cpu_percent = 150,
	};

	(void)state;
	begin_with_controllers();
	assert_int_equal(cgroups.controllers,
		WYN_CGROUP_MEMORY | WYN_CGROUP_PIDS | WYN_CGROUP_CPU);
	struct wyn_cgroup *one = acquire(&limits);
	uint64_t number = one->number;
	assert_text(one, "memory.max", "67108864");
	assert_text(one, "memory.swap.max", "0");
	assert_text(one, "memory.oom.group", "1");
	assert_text(one, "pids.max", "12");
	assert_text(one, "cpu.max", "150000 100000");
	wyn_cgroup_release(&cgroups, one, true);
	assert_false(is_there(number));
}

static void cgroup_has_no_limits_when_there_are_no_controllers(void **state)
{
	const struct wyn_cgroup_limits limits = {.memory_bytes = 1};

	(void)state;
	begin(false);
	assert_int_equal(cgroups.controllers, 0);
	struct wyn_cgroup *one = acquire(&limits);
	assert_text(one, "memory.max", "max");
	assert_false(wyn_cgroup_out_of_memory(one));
	wyn_cgroup_release(&cgroups, one, true);
	assert_int_equal(cgroups.kept_count, 1);
}

static void cgroup_is_limited_when_one_that_was_kept_is_taken(void **state)
{
	const struct wyn_cgroup_limits limits = {.processes = 3};

	(void)state;
	begin_with_controllers();
	struct wyn_cgroup *one = acquire(&no_limits);
	wyn_cgroup_release(&cgroups, one, true);
	assert_ptr_equal(acquire(&limits), one);
	assert_text(one, "pids.max", "3");
	wyn_cgroup_release(&cgroups, one, true);
	assert_int_equal(cgroups.kept_count, 0);
}

static void cgroup_needs_no_swap_file_when_the_kernel_has_none(void **state)
{
	const struct wyn_cgroup_limits limits = {.memory_bytes = 4096};

	(void)state;
	begin_with_controllers();
	struct wyn_cgroup *one = acquire(&no_limits);
	unlinkat(one->directory, "memory.swap.max", 0);
	wyn_cgroup_release(&cgroups, one, true);
	assert_ptr_equal(acquire(&limits), one);
	assert_text(one, "memory.max", "4096");
	wyn_fake_cgroup_write(one->directory, "memory.swap.max", "max\n");
	wyn_cgroup_release(&cgroups, one, true);
}

static void cgroup_is_refused_when_a_limit_cannot_be_set(void **state)
{
	const struct wyn_cgroup_limits limits = {.memory_bytes = 4096};
	struct wyn_cgroup *none = NULL;

	(void)state;
	begin_with_controllers();
	struct wyn_cgroup *one = acquire(&no_limits);
	uint64_t number = one->number;
	int directory = dup(one->directory);
	wyn_cgroup_release(&cgroups, one, true);
	unlinkat(directory, "memory.max", 0);
	wyn_fake_cgroup_write(
		directory, "cgroup.events", "populated 1\nfrozen 0\n");
	assert_int_equal(wyn_cgroup_acquire(&cgroups, &limits, &none), -ENOENT);
	assert_null(none);
	wyn_fake_cgroup_write(directory, "memory.max", "max\n");
	wyn_fake_cgroup_write(
		directory, "cgroup.events", "populated 0\nfrozen 0\n");
	assert_int_equal(wyn_cgroups_tidy(&cgroups), 0);
	assert_false(is_there(number));
	close(directory);
}

static void cgroup_tells_out_of_memory_when_its_own_limit_killed(void **state)
{
	const struct wyn_cgroup_limits limits = {.memory_bytes = 4096};

	(void)state;
	begin_with_controllers();
	struct wyn_cgroup *one = acquire(&no_limits);
	/* one of an earlier command, which the machine's want killed */
	wyn_fake_cgroup_write(
		one->directory, "memory.events", "oom 0\noom_kill 3\n");
	assert_false(wyn_cgroup_out_of_memory(one));
	wyn_cgroup_release(&cgroups, one, true);
	assert_ptr_equal(acquire(&limits), one);
	assert_false(wyn_cgroup_out_of_memory(one));
	wyn_fake_cgroup_write(
		one->directory, "memory.events", "oom 5\noom_kill 4\n");
	assert_true(wyn_cgroup_out_of_memory(one));
	wyn_cgroup_release(&cgroups, one, true);
}

static int make_none(int directory, const char *name, mode_t mode)
{
	(void)directory;
	(void)name;
	(void)mode;
	errno = EAGAIN;
	return -1;
}

static int make_without_files(int directory, const char *name, mode_t mode)
{
	(void)mkdirat(directory, name, mode);
	return 0;
}

static int remove_without_files(int directory, const char *name)
{
	return unlinkat(directory, name, AT_REMOVEDIR);
}

static void cgroup_is_refused_when_it_cannot_be_made(void **state)
{
	struct wyn_cgroup *none = NULL;

	(void)state;
	begin(false);
	cgroups.make = make_none;
	assert_int_equal(
		wyn_cgroup_acquire(&cgroups, &no_limits, &none), -EAGAIN);
	cgroups.make = make_without_files;
	cgroups.remove = remove_without_files;
	assert_int_equal(
		wyn_cgroup_acquire(&cgroups, &no_limits, &none), -ENOENT);
	assert_null(none);
}

static void cgroup_leaves_nothing_when_a_call_fails(void **state)
{
	const struct wyn_cgroup_limits limits = {
		.memory_bytes = 4096,
		.processes = 4,
		.cpu_percent = 50,
	};
	bool has_failed = true;

	(void)state;
	begin_with_controllers();
	sys_faults_begin();
	for (unsigned call = 0; has_failed; call++) {
		struct wyn_cgroup *one = NULL;

		sys_faults_arm(call);
		int error = wyn_cgroup_acquire(&cgroups, &limits, &one);

		has_failed = sys_faults_disarm();
		if (error != 0) {
			assert_true(error == -EMFILE || error == -ENOMEM);
			assert_true(has_failed);
			assert_null(one);
		} else {
			wyn_cgroup_release(&cgroups, one, true);
		}
		assert_int_equal(wyn_cgroups_tidy(&cgroups), 0);
		assert_false(is_there(cgroups.number));
	}
	sys_faults_end();
}

static void cgroups_sweep_what_is_ours_when_they_begin(void **state)
{
	(void)state;
	assert_int_equal(wyn_fake_cgroup_make(base, "wynd-command.7", 0755), 0);
	wyn_fake_cgroup_make(base, "wynd-command.7/a", 0755);
	wyn_fake_cgroup_make(base, "wynd-command.7/a/b", 0755);
	wyn_fake_cgroup_write(base, "wynd-command.7/a/cgroup.procs",
		"2147483646\n2147483647\n");
	wyn_fake_cgroup_make(base, "wynd-command.1", 0755);
	wyn_fake_cgroup_make(base, "other", 0755);
	wyn_fake_cgroup_write(base, "other/cgroup.procs", "2147483645\n");
	assert_int_equal(begin(false), 2);
	assert_false(is_there(7));
	assert_false(is_there(1));
	assert_int_equal(wyn_fake_cgroup_remove(base, "other"), 0);
}

static void cgroups_move_their_own_processes_when_asked(void **state)
{
	char text[WYN_FAKE_CGROUP_BYTES];

	(void)state;
	wyn_fake_cgroup_write(base, "cgroup.controllers", "memory\n");
	wyn_fake_cgroup_write(base, "cgroup.subtree_control", "");
	wyn_fake_cgroup_write(base, "cgroup.events", "populated 1\n");
	wyn_fake_cgroup_write(base, "cgroup.procs", "71\n72\n");
	begin(true);
	assert_string_equal(wyn_fake_cgroup_read(base,
				    WYN_CGROUP_LEAF "/cgroup.procs", text),
		"72");
	assert_string_equal(
		wyn_fake_cgroup_read(base, "cgroup.subtree_control", text),
		"+memory");
}

static void cgroups_have_no_base_when_there_are_to_be_none(void **state)
{
	unsigned killed = 99;

	(void)state;
	begin(false);
	wyn_cgroups_fini(&cgroups);
	assert_int_equal(wyn_cgroups_init(&cgroups, "none", &killed), 0);
	assert_false(wyn_cgroups_have(&cgroups));
	assert_int_equal(killed, 0);
}

static void cgroups_refuse_a_directory_when_it_is_no_cgroup(void **state)
{
	unsigned killed = 99;
	char below[64];

	(void)state;
	assert_int_equal(wyn_cgroups_init(&cgroups, path, &killed), -EINVAL);
	assert_int_equal(wyn_cgroups_init(&cgroups, "a", &killed), -EINVAL);
	snprintf(below, sizeof(below), "%s/below", path);
	assert_int_equal(wyn_cgroups_init(&cgroups, below, &killed), -EINVAL);
	assert_int_not_equal(access(below, F_OK), 0);
	snprintf(below, sizeof(below), "%s/below/it", path);
	assert_int_equal(wyn_cgroups_init(&cgroups, below, &killed), -ENOENT);
	assert_false(wyn_cgroups_have(&cgroups));
	assert_int_equal(killed, 99);
}

#define CASE(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(cgroup_is_used_again_when_it_is_as_new),
		CASE(cgroup_is_removed_when_the_caller_says_so),
		CASE(cgroup_is_removed_when_enough_are_kept),
		CASE(cgroup_is_removed_when_it_is_frozen),
		CASE(cgroup_is_removed_when_it_was_killed),
		CASE(cgroup_is_removed_when_its_command_has_limited_it),
		CASE(cgroup_is_removed_whole_when_others_were_made_in_it),
		CASE(cgroup_waits_when_it_is_not_empty_yet),
		CASE(cgroup_is_empty_when_only_the_dying_are_counted),
		CASE(cgroup_has_its_limits_when_there_are_controllers),
		CASE(cgroup_has_no_limits_when_there_are_no_controllers),
		CASE(cgroup_is_limited_when_one_that_was_kept_is_taken),
		CASE(cgroup_needs_no_swap_file_when_the_kernel_has_none),
		CASE(cgroup_is_refused_when_a_limit_cannot_be_set),
		CASE(cgroup_tells_out_of_memory_when_its_own_limit_killed),
		CASE(cgroup_is_refused_when_it_cannot_be_made),
		CASE(cgroup_leaves_nothing_when_a_call_fails),
		CASE(cgroups_sweep_what_is_ours_when_they_begin),
		CASE(cgroups_move_their_own_processes_when_asked),
		CASE(cgroups_have_no_base_when_there_are_to_be_none),
		CASE(cgroups_refuse_a_directory_when_it_is_no_cgroup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
