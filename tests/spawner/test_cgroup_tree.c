// SPDX-License-Identifier: MIT
/*
 * test_cgroup_tree.c - real processes in real cgroups, where we may make some.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "spawner/cgroup.h"
#include "spawner/cgroup_place.h"
#include "spawner/cgroup_tree.h"
#include "tests/support/family.h"

static const struct wyn_cgroup_limits no_limits;

static struct wyn_cgroups cgroups;
static char path[PATH_MAX + 32];

/* A base below our own cgroup, or nothing is tested. */
static int find_base(void **state)
{
	char own[PATH_MAX];

	(void)state;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (wyn_cgroup_place_own(own) == 0) {
		snprintf(path, sizeof(path), "%s/wyn-test-%d", own, getpid());
		if (mkdir(path, 0755) == 0) {
			return rmdir(path);
		}
	}
	print_message("[  NOTE    ] no cgroup may be made here\n");
	path[0] = '\0';
	return 0;
}

static int set_up(void **state)
{
	unsigned killed = 99;

	(void)state;
	if (path[0] != '\0') {
		assert_int_equal(wyn_cgroups_init(&cgroups, path, &killed), 0);
		assert_int_equal(killed, 0);
		assert_string_equal(cgroups.path, path);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (path[0] != '\0') {
		assert_int_equal(wyn_cgroups_tidy(&cgroups), 0);
		wyn_cgroups_fini(&cgroups);
		assert_int_equal(rmdir(path), 0);
	}
	return 0;
}

static struct wyn_cgroup *acquire(void)
{
	struct wyn_cgroup *cgroup = NULL;

	if (path[0] == '\0') {
		skip();
	}
	assert_int_equal(wyn_cgroup_acquire(&cgroups, &no_limits, &cgroup), 0);
	return cgroup;
}

/* All that were in it are our children by and by. */
static void await_gone(struct wyn_family *family)
{
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
	}
	assert_true(wyn_family_is_gone(family));
	wyn_family_end(family);
}

static void kill_and_release(
	struct wyn_cgroup *cgroup, struct wyn_family *family)
{
	assert_false(wyn_cgroup_is_empty(cgroup));
	assert_int_equal(wyn_cgroup_kill(cgroup), 0);
	await_gone(family);
	assert_true(wyn_cgroup_is_empty(cgroup));
	wyn_cgroup_release(&cgroups, cgroup, true);
}

static void cgroup_is_empty_when_a_command_has_ended(void **state)
{
	struct wyn_family family;

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct wyn_cgroup *cgroup = acquire();
		wyn_family_start(&family, "x", NULL, cgroup->directory, NULL);
		assert_int_equal(waitpid(family.pid, NULL, 0), family.pid);
		assert_true(wyn_cgroup_is_empty(cgroup));
		wyn_cgroup_release(&cgroups, cgroup, true);
		wyn_family_end(&family);
	}
}

static void cgroup_kills_all_when_they_hide_and_ignore_it(void **state)
{
	struct wyn_cgroup *cgroup = acquire();
	struct wyn_family family;

	(void)state;
	wyn_family_start(&family, "i2(r(rp)irp)(rt)(s(r(erp)p)x)rx", NULL,
		cgroup->directory, NULL);
	wyn_family_await(&family, 8);
	kill_and_release(cgroup, &family);
}

static void cgroup_kills_all_when_it_is_still_forking(void **state)
{
	struct wyn_cgroup *cgroup = acquire();
	struct wyn_family family;

	(void)state;
	wyn_family_start(&family, "600b", NULL, cgroup->directory, NULL);
	wyn_family_await(&family, 50);
	kill_and_release(cgroup, &family);
}

static void cgroup_kills_all_when_the_kernel_cannot_kill_it_whole(void **state)
{
	struct wyn_cgroup *cgroup = acquire();
	struct wyn_family family;
	char name[64];
	int error;

	(void)state;
	snprintf(name, sizeof(name), "%s%llu", WYN_CGROUP_PREFIX,
		(unsigned long long)cgroup->number);
	wyn_family_start(
		&family, "(s20000c)600b", NULL, cgroup->directory, NULL);
	wyn_family_await(&family, 50);
	do {
		error = wyn_cgroup_tree_kill_frozen(cgroup->directory, name);
	} while (error == -EAGAIN);
	assert_int_equal(error, 0);
	await_gone(&family);
	assert_true(wyn_cgroup_is_empty(cgroup));
	/* it is frozen, and must not be kept */
	wyn_cgroup_release(&cgroups, cgroup, true);
	assert_int_equal(cgroups.kept_count, 0);
}

static void cgroup_signals_all_when_asked(void **state)
{
	struct wyn_cgroup *cgroup = acquire();
	struct wyn_family family;
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	wyn_family_start(
		&family, "(s(rp)(rt)rp)rx", NULL, cgroup->directory, NULL);
	wyn_family_await(&family, 4);
	assert_int_equal(wyn_cgroup_signal(cgroup, proc, SIGTERM, SIGCONT), 0);
	await_gone(&family);
	assert_int_equal(wyn_cgroup_signal(cgroup, proc, SIGTERM, 0), -ESRCH);
	wyn_cgroup_release(&cgroups, cgroup, true);
	close(proc);
}

static void make_below(
	const struct wyn_cgroup *cgroup, const char *name, pid_t pid)
{
	char file[64];
	char text[16];

	assert_int_equal(mkdirat(cgroup->directory, name, 0755), 0);
	snprintf(file, sizeof(file), "%s/cgroup.procs", name);
	snprintf(text, sizeof(text), "%d", pid);
	int fd = openat(cgroup->directory, file, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void cgroup_is_killed_and_removed_with_those_below_it(void **state)
{
	struct wyn_cgroup *cgroup = acquire();
	struct wyn_family family;

	(void)state;
	wyn_family_start(&family, "2(rp)rp", NULL, cgroup->directory, NULL);
	wyn_family_await(&family, 3);
	make_below(cgroup, "a", family.pid);
	assert_int_equal(wyn_cgroup_tree_count(cgroup->directory), 3);
	kill_and_release(cgroup, &family);
	assert_int_equal(cgroups.kept_count, 0);
}

/* What a spawner does that was killed: nothing, but its lock is free. */
static void cgroups_sweep_when_an_earlier_run_was_killed(void **state)
{
	struct wyn_cgroup *cgroup = acquire();
	struct wyn_family family;
	struct wyn_cgroups next;
	unsigned killed = 0;

	(void)state;
	wyn_family_start(&family, "i2(srp)rp", NULL, cgroup->directory, NULL);
	wyn_family_await(&family, 3);
	make_below(cgroup, "a", family.pid);
	close(cgroups.base);
	close(cgroups.lock);
	assert_int_equal(wyn_cgroups_init(&next, path, &killed), 0);
	assert_int_equal(killed, 3);
	await_gone(&family);
	cgroups.base = dup(next.base);
	cgroups.lock = -1;
	wyn_cgroups_fini(&next);
	wyn_cgroup_release(&cgroups, cgroup, false);
}

/* Everybody can open a directory, and so could lock it for ever. */
static void cgroups_begin_when_somebody_has_locked_the_directory(void **state)
{
	unsigned killed = 99;
	int stranger;

	(void)state;
	if (path[0] == '\0' || cgroups.lock < 0) {
		skip();
	}
	wyn_cgroups_fini(&cgroups);
	stranger = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(stranger >= 0);
	assert_int_equal(flock(stranger, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(wyn_cgroups_init(&cgroups, path, &killed), 0);
	close(stranger);
}

/* In a cgroup of its own, which says that it was delegated. Returns: whether
 * commands have theirs below it. */
static int have_where_the_owner_is(const char *own, uid_t owner)
{
	struct wyn_cgroups found;
	unsigned killed = 99;
	char procs[PATH_MAX + 64];

	snprintf(procs, sizeof(procs), "%s/cgroup.procs", own);
	int fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1 || chown(own, owner, 0) != 0 ||
		setxattr(own, "user.delegate", "1", 1, 0) != 0 ||
		wyn_cgroups_init(&found, "", &killed) != 0) {
		return 2;
	}
	int have = wyn_cgroups_have(&found);
	wyn_cgroups_fini(&found);
	return have;
}

/* Who owns it can say what he likes of it, and move whom he likes. */
static void cgroups_need_an_own_cgroup_when_it_is_delegated(void **state)
{
	static const uid_t owners[] = {0, 65534};
	char own[PATH_MAX + 48];
	char leaf[PATH_MAX + 64];

	(void)state;
	if (path[0] == '\0' || geteuid() != 0) {
		skip();
	}
	snprintf(own, sizeof(own), "%s/own", path);
	snprintf(leaf, sizeof(leaf), "%s/" WYN_CGROUP_LEAF, own);
	for (size_t i = 0; i < 2; i++) {
		int status;

		assert_int_equal(mkdir(own, 0755), 0);
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			_exit(have_where_the_owner_is(own, owners[i]));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		(void)rmdir(leaf);
		assert_int_equal(rmdir(own), 0);
		assert_int_equal(status, W_EXITCODE(owners[i] == 0, 0));
	}
}

#define CASE(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(int argc, char **argv)
{
	wyn_family_main(argc, argv);
	const struct CMUnitTest tests[] = {
		CASE(cgroup_is_empty_when_a_command_has_ended),
		CASE(cgroup_kills_all_when_they_hide_and_ignore_it),
		CASE(cgroup_kills_all_when_it_is_still_forking),
		CASE(cgroup_kills_all_when_the_kernel_cannot_kill_it_whole),
		CASE(cgroup_signals_all_when_asked),
		CASE(cgroup_is_killed_and_removed_with_those_below_it),
		CASE(cgroups_sweep_when_an_earlier_run_was_killed),
		CASE(cgroups_begin_when_somebody_has_locked_the_directory),
		CASE(cgroups_need_an_own_cgroup_when_it_is_delegated),
	};

	return cmocka_run_group_tests(tests, find_base, NULL);
}
