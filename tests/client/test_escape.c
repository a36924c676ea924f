// SPDX-License-Identifier: MIT
/*
 * test_escape.c - file names as sha256sum writes them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "client/wynctl/escape.h"

static void assert_escaped(const char *name, const char *expected)
{
	char out[64];

	assert_int_equal(strlen(expected), wyn_escape(name, out));
	assert_string_equal(expected, out);
}

static void escape_leaves_name_when_nothing_is_special(void **state)
{
	(void)state;
	assert_false(wyn_escape_needed("plain name\t\xff"));
	assert_escaped("plain name\t\xff", "plain name\t\xff");
	assert_false(wyn_escape_needed(""));
}

static void escape_replaces_when_name_has_special_bytes(void **state)
{
	(void)state;
	assert_true(wyn_escape_needed("a\\b"));
	assert_escaped("a\\b", "a\\\\b");
	assert_true(wyn_escape_needed("a\nb"));
	assert_escaped("a\nb", "a\\nb");
	assert_true(wyn_escape_needed("a\rb"));
	assert_escaped("a\rb", "a\\rb");
	assert_escaped("\\\n\r", "\\\\\\n\\r");
}

static void escape_hides_controls_when_a_server_wrote_the_text(void **state)
{
	char out[16];

	(void)state;
	assert_string_equal("?[2Ja?b?",
		wyn_escape_text("\033[2Ja\nb\x7f", out, sizeof(out)));
	assert_string_equal("?31m\xc3\xa9", wyn_escape_text("\xc2\x9b"
							    "31m\xc3\xa9",
						    out, sizeof(out)));
	assert_string_equal("abc", wyn_escape_text("abcdef", out, 4));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escape_leaves_name_when_nothing_is_special),
		cmocka_unit_test(escape_replaces_when_name_has_special_bytes),
		cmocka_unit_test(
			escape_hides_controls_when_a_server_wrote_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
