// SPDX-License-Identifier: MIT
/*
 * test_options.c - the command line of wynd-spawner.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "spawner/options.h"

static struct wyn_options options;
static char why[WYN_OPTIONS_WHY_BYTES];

static int parse(char *first, char *second)
{
	char *argv[] = {(char *)"wynd-spawner", first, second, NULL};

	return wyn_options_parse(
		first ? second ? 3 : 2 : 1, argv, &options, why);
}

static void options_have_no_link_when_nothing_is_given(void **state)
{
	(void)state;
	assert_int_equal(parse(NULL, NULL), 0);
	assert_int_equal(options.link, -1);
	assert_int_equal(options.peer, geteuid());
	assert_false(options.help || options.version);
}

static void options_have_the_link_when_it_is_given(void **state)
{
	(void)state;
	assert_int_equal(parse((char *)"--link", (char *)"7"), 0);
	assert_int_equal(options.link, 7);
	assert_int_equal(parse((char *)"--link=8", NULL), 0);
	assert_int_equal(options.link, 8);
}

static void options_know_users_by_name_and_by_number(void **state)
{
	(void)state;
	assert_int_equal(parse((char *)"--user", (char *)"root"), 0);
	assert_int_equal(options.peer, 0);
	assert_int_equal(parse((char *)"--user=12345", NULL), 0);
	assert_int_equal(options.peer, 12345);
}

static void options_say_what_is_wrong_when_they_are(void **state)
{
	static const struct {
		const char *first;
		const char *why;
	} cases[] = {
		{"--link=x", "--link x: must be a whole number"},
		{"--link=-1", "--link -1: must be a whole number"},
		{"--link=99999999999", "--link 99999999999: must be 0 to "
				       "2147483647"},
		{"--link", "--link: wants a value"},
		{"-xh", "there is no flag -xh; wynd-spawner --help lists "
			"them"},
		{"--user=no such user",
			"--user no such user: there is no such user"},
		{"--lnik", "there is no flag --lnik; did you mean --link?"},
		{"--zzzzzzzz", "there is no flag --zzzzzzzz; wynd-spawner "
			       "--help lists them"},
		{"-x", "there is no flag -x; wynd-spawner --help lists them"},
		{"word", "word: wynd-spawner takes flags alone"},
	};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(cases); i++) {
		assert_int_equal(parse((char *)cases[i].first, NULL), -EINVAL);
		assert_string_equal(why, cases[i].why);
	}
}

static void options_know_help_and_version(void **state)
{
	(void)state;
	assert_int_equal(parse((char *)"-h", NULL), 0);
	assert_true(options.help);
	assert_int_equal(parse((char *)"--version", NULL), 0);
	assert_true(options.version);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_have_no_link_when_nothing_is_given),
		cmocka_unit_test(options_have_the_link_when_it_is_given),
		cmocka_unit_test(options_know_users_by_name_and_by_number),
		cmocka_unit_test(options_say_what_is_wrong_when_they_are),
		cmocka_unit_test(options_know_help_and_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
