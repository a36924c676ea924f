// SPDX-License-Identifier: MIT
/*
 * test_nearest.c - what counts as a slip of the finger, and what does not.
 */
#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"

static const char *const names[] = {"echo", "noop", NULL, "sleep_ms", "sha256",
	"sha512", "blake2b512", "map"};

static const char *nearest(const char *name)
{
	return wyn_nearest(name, names, WYN_COUNT_OF(names));
}

static void nearest_is_found_when_one_edit_away(void **state)
{
	(void)state;
	assert_string_equal(nearest("ecko"), "echo");
	assert_string_equal(nearest("ech"), "echo");
	assert_string_equal(nearest("nooop"), "noop");
}

static void nearest_is_found_when_neighbours_are_swapped(void **state)
{
	(void)state;
	assert_string_equal(nearest("ehco"), "echo");
	assert_string_equal(nearest("mpa"), "map");
}

static void nearest_is_the_closer_when_two_are_near(void **state)
{
	(void)state;
	assert_string_equal(nearest("sha215"), "sha256");
	assert_string_equal(nearest("sha511"), "sha512");
}

static void nearest_is_the_first_when_equally_near(void **state)
{
	static const char *const two[] = {"cat", "car"};

	(void)state;
	assert_string_equal(wyn_nearest("caw", two, 2), "cat");
}

static void nearest_is_none_when_all_are_far(void **state)
{
	(void)state;
	assert_null(nearest("transcode"));
	assert_null(nearest("x"));
	assert_null(nearest(""));
	assert_null(wyn_nearest("echo", NULL, 0));
}

static void nearest_is_none_when_name_is_very_long(void **state)
{
	char name[WYN_NEAREST_NAME_MAX + 2] = "";
	const char *const same[] = {name};

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	assert_null(wyn_nearest(name, same, 1));
	name[WYN_NEAREST_NAME_MAX] = '\0';
	assert_ptr_equal(wyn_nearest(name, same, 1), name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nearest_is_found_when_one_edit_away),
		cmocka_unit_test(nearest_is_found_when_neighbours_are_swapped),
		cmocka_unit_test(nearest_is_the_closer_when_two_are_near),
		cmocka_unit_test(nearest_is_the_first_when_equally_near),
		cmocka_unit_test(nearest_is_none_when_all_are_far),
		cmocka_unit_test(nearest_is_none_when_name_is_very_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
