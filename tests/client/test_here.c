// SPDX-License-Identifier: MIT
/*
 * test_here.c - the environment and the directory that commands get.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/wynctl/here.h"

#define LIST(...) ((char *const[]){__VA_ARGS__, NULL})

static void assert_environment(char *const *environment,
	const struct wyn_arguments_list *more, char *const *expected)
{
	char **got = NULL;
	const char *wrong;
	size_t i = 0;

	assert_int_equal(
		0, wyn_here_environment(environment, more, &got, &wrong));
	for (; expected[i] != NULL; i++) {
		assert_non_null(got[i]);
		assert_string_equal(expected[i], got[i]);
	}
	assert_null(got[i]);
	free(got);
}

static void environment_has_what_says_who_and_where_when_set(void **state)
{
	const struct wyn_arguments_list none = {0};

	(void)state;
	assert_environment(LIST("PATH=/bin", "SECRET=1", "HOME=", "LC_ALL=C",
				   "LCX=1", "TZ=UTC", "PATHS=/", "odd",
				   "TERM=x", "USER=me", "LANG=C"),
		&none,
		LIST("PATH=/bin", "HOME=", "LC_ALL=C", "TZ=UTC", "TERM=x",
			"USER=me", "LANG=C"));
	assert_environment(LIST(NULL), &none, LIST(NULL));
}

static void environment_has_more_when_it_is_named(void **state)
{
	const struct wyn_arguments_list more = {
		.count = 6,
		.texts = {"A=1", "PATH=/x", "SECRET", "ABSENT", "A=2", "E="},
	};

	(void)state;
	assert_environment(LIST("PATH=/bin", "SECRET=s=s", "SECRETS=1"), &more,
		LIST("PATH=/x", "A=2", "SECRET=s=s", "E="));
}

static void environment_is_refused_when_a_text_has_no_name(void **state)
{
	struct wyn_arguments_list more = {.count = 1, .texts = {"=x"}};
	const char *wrong = NULL;
	char **got = NULL;

	(void)state;
	assert_int_equal(
		-EINVAL, wyn_here_environment(LIST(NULL), &more, &got, &wrong));
	assert_string_equal("=x", wrong);
	more.texts[0] = "";
	assert_int_equal(
		-EINVAL, wyn_here_environment(LIST(NULL), &more, &got, &wrong));
	assert_null(got);
}

static void assert_directory(const char *directory, const char *expected)
{
	char *path = NULL;

	assert_int_equal(0, wyn_here_directory(directory, &path));
	assert_string_equal(expected, path);
	free(path);
}

static void directory_is_absolute_when_it_is_of_here(void **state)
{
	(void)state;
	assert_int_equal(0, chdir("/usr"));
	assert_directory(NULL, "/usr");
	assert_directory("lib", "/usr/lib");
	assert_directory("/etc", "/etc");
	assert_int_equal(0, chdir("/"));
	assert_directory("usr", "/usr");
}

static void directory_fails_when_this_one_is_gone(void **state)
{
	char name[] = "/tmp/wyn-here-XXXXXX";
	char *path = NULL;

	(void)state;
	assert_non_null(mkdtemp(name));
	assert_int_equal(0, chdir(name));
	assert_int_equal(0, rmdir(name));
	assert_int_equal(-ENOENT, wyn_here_directory(NULL, &path));
	assert_int_equal(-ENOENT, wyn_here_directory("x", &path));
	assert_directory("/etc", "/etc");
	assert_int_equal(0, chdir("/"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			environment_has_what_says_who_and_where_when_set),
		cmocka_unit_test(environment_has_more_when_it_is_named),
		cmocka_unit_test(
			environment_is_refused_when_a_text_has_no_name),
		cmocka_unit_test(directory_is_absolute_when_it_is_of_here),
		cmocka_unit_test(directory_fails_when_this_one_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
