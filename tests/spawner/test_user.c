// SPDX-License-Identifier: MIT
/*
 * test_user.c - whom a command may become.
 */
#include <errno.h>
#include <linux/keyctl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "spawner/user.h"
#include "tests/support/spawner_rig.h"

#define NOBODY 65534u

static struct wyn_users users;

static int tear_down(void **state)
{
	(void)state;
	wyn_users_fini(&users);
	return 0;
}

static void user_is_nobody_else_when_we_are_not_root(void **state)
{
	const struct wyn_user *user = NULL;

	(void)state;
	if (geteuid() == 0) {
		skip();
	}
	assert_int_equal(
		wyn_users_get(&users, geteuid(), getegid(), 0, &user), 0);
	assert_null(user);
	assert_int_equal(wyn_users_get(&users, 0, 0, 0, &user), -EPERM);
}

static void user_has_one_group_when_no_data_base_knows_him(void **state)
{
	const struct wyn_user *user = NULL;

	(void)state;
	if (geteuid() != 0) {
		skip();
	}
	assert_int_equal(
		wyn_users_get(&users, 3999999999u, NOBODY, 0, &user), 0);
	assert_int_equal(user->groups_count, 1);
	assert_int_equal(user->groups[0], NOBODY);
}

/* setresuid(2) and setresgid(2) take it for "as it is": root. */
static void user_is_refused_when_the_number_means_none(void **state)
{
	const struct wyn_user *user = NULL;

	(void)state;
	assert_int_equal(
		wyn_users_get(&users, UINT32_MAX, NOBODY, 0, &user), -EINVAL);
	assert_int_equal(
		wyn_users_get(&users, NOBODY, UINT32_MAX, 0, &user), -EINVAL);
	assert_null(user);
}

/* Whoever has a session's keyring may use all keys in it, whoever he is. */
static void user_has_no_keys_of_ours_when_he_is_another(void **state)
{
	const char *const argv[] = {
		"/bin/sh", "-c", "! grep -q test_user.key /proc/keys", NULL};
	struct spawner_rig *rig;

	if (geteuid() != 0 ||
		syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0) {
		skip();
	}
	assert_true(syscall(SYS_add_key, "user", "test_user.key", "x", 1,
			    KEY_SPEC_SESSION_KEYRING) >= 0);
	spawner_rig_set_up_ready(state);
	rig = *state;
	spawner_rig_start(rig, 1,
		&(struct spawner_command){
			.argv = argv, .uid = NOBODY, .gid = NOBODY});
	spawner_rig_exited(rig, 1, 0);
	spawner_rig_tear_down(state);
}

#define CASE(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(user_is_nobody_else_when_we_are_not_root),
		CASE(user_has_one_group_when_no_data_base_knows_him),
		CASE(user_is_refused_when_the_number_means_none),
		CASE(user_has_no_keys_of_ours_when_he_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
