// SPDX-License-Identifier: MIT
/*
 * test_policy_make.c - settings as a policy, and what cannot be one.
 */
#include "daemon/policy_make.h"

#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/engine/policy.h"

static struct wyn_settings settings;
static struct wyn_policy *policy;
static struct wyn_fault fault;

static int begin(void **state)
{
	(void)state;
	wyn_settings_init(&settings);
	policy = NULL;
	return 0;
}

static int end(void **state)
{
	(void)state;
	wyn_policy_release(policy);
	return 0;
}

static void set(const char *flag, const char *text)
{
	static const struct wyn_place command_line = {.file = NULL};
	const struct wyn_setting *setting;

	for (size_t i = 0; (setting = wyn_setting_at(i)) != NULL; i++) {
		if (strcmp(wyn_setting_flag(setting), flag) == 0) {
			assert_int_equal(wyn_setting_take(&settings, setting,
						 text, &command_line, &fault),
				0);
			return;
		}
	}
	fail();
}

static void make(void)
{
	assert_int_equal(wyn_policy_make(&settings, &policy, &fault), 0);
}

static void refused(int error, const char *text)
{
	assert_int_equal(wyn_policy_make(&settings, &policy, &fault), error);
	assert_int_equal(fault.exit_code, WYN_EXIT_CONFIGURATION);
	assert_string_equal(fault.text, text);
	assert_null(policy);
}

static void policy_make_has_no_commands_when_nothing_is_said(void **state)
{
	(void)state;
	make();
	assert_false(policy->commands);
	assert_int_equal(policy->own_uid, geteuid());
	assert_int_equal(policy->own_gid, getegid());
	assert_int_equal(policy->users_count, 0);
	assert_int_equal(policy->programs_count, 0);
	assert_int_equal(policy->names_count, 0);
	assert_int_equal(policy->run_as_count, 0);
	assert_int_equal(policy->umask, 0022);
	assert_false(policy->private_tmp);
	assert_string_equal(policy->cgroup, "");
	assert_int_equal(policy->rlimits_count, 1);
}

static void policy_make_sets_limits_as_high_as_they_may_be(void **state)
{
	struct rlimit ours;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &ours), 0);
	set("spawner", "/bin/true");
	set("command-files", "7");
	set("command-processes", "9");
	make();
	assert_int_equal(policy->rlimits_count, 2);
	assert_int_equal(policy->rlimits[0].resource, RLIMIT_NOFILE);
	assert_int_equal(policy->rlimits[0].soft, 7);
	assert_int_equal(policy->rlimits[0].hard, ours.rlim_max);
	assert_int_equal(policy->rlimits[1].resource, RLIMIT_NPROC);
	assert_int_equal(policy->rlimits[1].soft, 9);
	assert_int_equal(policy->rlimits[1].hard, 9);
}

static void policy_make_sets_no_limit_when_it_is_zero(void **state)
{
	(void)state;
	set("command-files", "0");
	make();
	assert_int_equal(policy->rlimits_count, 0);
}

static void policy_make_goes_no_higher_where_it_may_not(void **state)
{
	struct rlimit ours;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &ours), 0);
	if (geteuid() == 0 || ours.rlim_max >= 1 << 20) {
		skip();
	}
	set("spawner", "/bin/true");
	set("command-files", "1048576");
	make();
	assert_int_equal(policy->rlimits[0].soft, ours.rlim_max);
	assert_int_equal(policy->rlimits[0].hard, ours.rlim_max);
}

static void policy_make_takes_all_that_is_said(void **state)
{
	(void)state;
	set("commands", NULL);
	set("command-users", "root");
	set("command-users", "4000000000");
	set("command-programs", "/bin/true");
	set("command-programs", "/bin/a b");
	set("command-env", "FOO_*");
	set("command-umask", "077");
	set("command-private-tmp", NULL);
	set("command-cgroup", "/sys/fs/cgroup/x");
	set("spawner", "/nowhere/s");
	make();
	assert_true(policy->commands);
	assert_int_equal(policy->users_count, 2);
	assert_int_equal(policy->users[0], 0);
	assert_int_equal(policy->users[1], 4000000000);
	assert_int_equal(policy->programs_count, 2);
	assert_string_equal(policy->programs[1], "/bin/a b");
	assert_int_equal(policy->names_count, 1);
	assert_string_equal(policy->names[0], "FOO_*");
	assert_int_equal(policy->umask, 0077);
	assert_true(policy->private_tmp);
	assert_string_equal(policy->cgroup, "/sys/fs/cgroup/x");
	assert_string_equal(policy->spawner, "/nowhere/s");
}

static void policy_make_refuses_a_user_that_is_nobody(void **state)
{
	(void)state;
	set("command-users", "root");
	set("command-users", "no-such-user");
	refused(-ENOENT, "command_users: there is no user no-such-user; name "
			 "one, or its number");
	begin(NULL);
	set("command-users", "4294967295");
	refused(-ENOENT, "command_users: there is no user 4294967295; name "
			 "one, or its number");
	begin(NULL);
	set("command-run-as", "root=3999999999");
	refused(-ENOENT, "command_run_as: there is no user 3999999999; name "
			 "one, or its number");
	begin(NULL);
	set("command-run-as", "no-such-user=root");
	refused(-ENOENT, "command_run_as: there is no user no-such-user; name "
			 "one, or its number");
}

static void policy_make_finds_name_and_group_of_whom_to_run_as(void **state)
{
	const struct passwd *own = getpwuid(geteuid());
	char row[128];

	(void)state;
	if (own == NULL) {
		skip();
	}
	(void)snprintf(row, sizeof(row), "7=%u", (unsigned)geteuid());
	set("command-run-as", row);
	(void)snprintf(row, sizeof(row), "root=%s", own->pw_name);
	set("command-run-as", row);
	make();
	assert_int_equal(policy->run_as_count, 2);
	assert_int_equal(policy->run_as[0].uid, 7);
	assert_int_equal(policy->run_as[1].uid, 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(policy->run_as[i].as_uid, own->pw_uid);
		assert_int_equal(policy->run_as[i].as_gid, own->pw_gid);
		assert_string_equal(policy->run_as[i].as, own->pw_name);
	}
}

static void policy_make_knows_a_spawner_that_may_be_anybody(void **state)
{
	(void)state;
	set("spawner", "/bin/true");
	make();
	assert_int_equal(policy->root, geteuid() == 0);
	wyn_policy_release(policy);
	policy = NULL;
	/* Not there yet, as a service's socket may be when we start. */
	set("spawner", "/nowhere/s");
	make();
	assert_true(policy->root);
}

static void policy_make_knows_the_socket_of_a_service(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char directory[] = "/tmp/wynd-test-XXXXXX";
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	(void)state;
	assert_true(fd >= 0);
	assert_non_null(mkdtemp(directory));
	(void)snprintf(
		address.sun_path, sizeof(address.sun_path), "%s/s", directory);
	assert_int_equal(
		bind(fd, (const struct sockaddr *)&address, sizeof(address)),
		0);
	set("spawner", address.sun_path);
	make();
	assert_true(policy->root);
	assert_string_equal(policy->spawner, address.sun_path);
	assert_int_equal(unlink(address.sun_path), 0);
	assert_int_equal(rmdir(directory), 0);
	assert_int_equal(close(fd), 0);
}

static void policy_make_refuses_another_user_where_it_cannot_be_had(
	void **state)
{
	(void)state;
	if (geteuid() == 0) {
		skip();
	}
	set("spawner", "/bin/true");
	set("command-run-as", "7=root");
	refused(-EPERM, "command_run_as = 7=root: needs a spawner that is "
			"root; start wynd as root, or set spawner to the "
			"socket of its service");
}

/* Whoever is our user can connect to the service's socket, and be root. */
static void policy_make_refuses_our_own_user_of_a_service(void **state)
{
	bool was_root = geteuid() == 0;
	char row[32];
	char text[200];

	(void)state;
	if (was_root) {
		assert_int_equal(seteuid(65534), 0);
	}
	(void)snprintf(row, sizeof(row), "7=%u", (unsigned)geteuid());
	(void)snprintf(text, sizeof(text),
		"command_run_as = %s: is the user that wynd runs as, who could "
		"have anything run by the service of the spawner",
		row);
	set("spawner", "/nowhere/s");
	set("command-run-as", row);
	refused(-EPERM, text);
	if (was_root) {
		assert_int_equal(seteuid(0), 0);
	}
}

static void policy_make_takes_the_spawner_beside_its_own_program(void **state)
{
	char path[WYN_SETTING_TEXT_BYTES];
	ssize_t bytes = readlink("/proc/self/exe", path, sizeof(path) - 1);
	FILE *file;

	(void)state;
	assert_true(bytes > 0);
	path[bytes] = '\0';
	(void)snprintf(strrchr(path, '/'), 32, "/wynd-spawner");
	make();
	assert_string_equal(policy->spawner, WYN_SPAWNER);
	wyn_policy_release(policy);
	policy = NULL;
	file = fopen(path, "wx");
	if (file == NULL && errno == EACCES) {
		skip(); /* somebody else has built this */
	}
	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0755), 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(wyn_policy_make(&settings, &policy, &fault), 0);
	assert_int_equal(unlink(path), 0);
	assert_string_equal(policy->spawner, path);
}

static void policy_make_refuses_too_many_names(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WYN_POLICY_NAMES_MAX; i++) {
		set("command-env", "A");
	}
	make();
	wyn_policy_release(policy);
	policy = NULL;
	set("command-env", "A");
	refused(-E2BIG, "command_env: has 65 names, and may have 64");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(policy_make_has_no_commands_when_nothing_is_said),
		TEST(policy_make_takes_all_that_is_said),
		TEST(policy_make_sets_limits_as_high_as_they_may_be),
		TEST(policy_make_sets_no_limit_when_it_is_zero),
		TEST(policy_make_goes_no_higher_where_it_may_not),
		TEST(policy_make_refuses_a_user_that_is_nobody),
		TEST(policy_make_finds_name_and_group_of_whom_to_run_as),
		TEST(policy_make_knows_a_spawner_that_may_be_anybody),
		TEST(policy_make_knows_the_socket_of_a_service),
		TEST(policy_make_refuses_another_user_where_it_cannot_be_had),
		TEST(policy_make_refuses_our_own_user_of_a_service),
		TEST(policy_make_takes_the_spawner_beside_its_own_program),
		TEST(policy_make_refuses_too_many_names),
	};

	return cmocka_run_group_tests_name("policy_make", tests, NULL, NULL);
}
