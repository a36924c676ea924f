// SPDX-License-Identifier: MIT
/*
 * test_quote.c - words as a line that a shell reads as the same words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "client/wynctl/quote.h"

static void assert_quoted(const char *expected, const char *word)
{
	char *words[] = {(char *)(uintptr_t)word};
	char *line = wyn_quote_words(words, 1);

	assert_non_null(line);
	assert_string_equal(expected, line);
	free(line);
}

static void quote_leaves_word_when_it_is_harmless(void **state)
{
	(void)state;
	assert_quoted("gzip", "gzip");
	assert_quoted("-9n", "-9n");
	assert_quoted("/usr/a_b+c,d.e:f@g%h", "/usr/a_b+c,d.e:f@g%h");
}

static void quote_uses_quotes_when_a_shell_would_see_more(void **state)
{
	(void)state;
	assert_quoted("''", "");
	assert_quoted("'a b'", "a b");
	assert_quoted("'$(x)'", "$(x)");
	assert_quoted("'a\nb'", "a\nb");
	assert_quoted("'~'", "~");
	assert_quoted("'\xc3\xa4'", "\xc3\xa4");
	assert_quoted("''\\''a'\\'''\\'''", "'a''");
}

static void quote_puts_blanks_between_when_there_are_more(void **state)
{
	char sh[] = "sh";
	char c[] = "-c";
	char text[] = "echo \"$1\"";
	char *words[] = {sh, c, text};
	char *line = wyn_quote_words(words, 3);

	(void)state;
	assert_string_equal("sh -c 'echo \"$1\"'", line);
	free(line);
	line = wyn_quote_words(words, 0);
	assert_string_equal("", line);
	free(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quote_leaves_word_when_it_is_harmless),
		cmocka_unit_test(quote_uses_quotes_when_a_shell_would_see_more),
		cmocka_unit_test(quote_puts_blanks_between_when_there_are_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
