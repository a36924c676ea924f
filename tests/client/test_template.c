// SPDX-License-Identifier: MIT
/*
 * test_template.c - what `xargs` makes of its words and the input's lines.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "client/wynctl/template.h"

#define WORDS_MAX 8

static struct wyn_argv argv;
static char made[1024];

/* Words with single blanks between them. Returns: how many. */
static size_t split(char *text, char **words)
{
	size_t count = 0;
	char *word;

	while ((word = strsep(&text, " ")) != NULL) {
		assert_true(count < WORDS_MAX);
		words[count++] = word;
	}
	return count;
}

/* The words that are made, each in <>. */
static const char *fill(const char *command, const char *lines, uint64_t seq)
{
	char command_text[256];
	char line_text[256];
	char *words[WORDS_MAX];
	char *line_words[WORDS_MAX];
	struct wyn_template template;

	(void)snprintf(command_text, sizeof(command_text), "%s", command);
	(void)snprintf(line_text, sizeof(line_text), "%s", lines);
	wyn_template_init(&template, words, split(command_text, words));
	assert_int_equal(0, wyn_template_fill(&template, line_words,
				    split(line_text, line_words), seq, &argv));
	made[0] = '\0';
	for (size_t i = 0; i < argv.count; i++) {
		size_t size = strlen(made);

		(void)snprintf(made + size, sizeof(made) - size, "<%s>",
			argv.words[i]);
	}
	assert_null(argv.words[argv.count]);
	return made;
}

static int teardown(void **state)
{
	(void)state;
	wyn_argv_fini(&argv);
	return 0;
}

static void template_appends_line_when_no_word_asks_for_it(void **state)
{
	(void)state;
	assert_string_equal("<gzip><-9n><a>", fill("gzip -9n", "a", 1));
	assert_string_equal("<gzip><a><b>", fill("gzip", "a b", 1));
	assert_string_equal("<gzip><>", fill("gzip", "", 1));
}

static void template_puts_line_in_when_word_asks_for_it(void **state)
{
	(void)state;
	assert_string_equal("<cp><a><x/a.c>", fill("cp {} x/{}.c", "a", 1));
	assert_string_equal("<aa{a}>", fill("{}{}{{}}", "a", 1));
	assert_string_equal("<{a><{><{x}>", fill("{{} { {x}", "a", 1));
}

static void template_leaves_line_alone_when_it_looks_like_a_string(void **state)
{
	(void)state;
	assert_string_equal("<echo><{#}><7>", fill("echo {} {#}", "{#}", 7));
	assert_string_equal("<echo><{.}>", fill("echo", "{.}", 1));
	assert_string_equal("<$(x);y>", fill("{}", "$(x);y", 1));
}

static void template_knows_parts_of_path_when_asked(void **state)
{
	(void)state;
	assert_string_equal("<d.e/a.tar><a.tar.gz><d.e><a.tar>",
		fill("{.} {/} {//} {/.}", "d.e/a.tar.gz", 1));
	assert_string_equal(
		"<d.e/a><a><d.e><a>", fill("{.} {/} {//} {/.}", "d.e/a", 1));
	assert_string_equal("<a><a><.><a>", fill("{.} {/} {//} {/.}", "a", 1));
	assert_string_equal(
		"</a><a></><a>", fill("{.} {/} {//} {/.}", "/a", 1));
	assert_string_equal(
		"<a/b/><><a><>", fill("{.} {/} {//} {/.}", "a/b/", 1));
	assert_string_equal("</><></><>", fill("{.} {/} {//} {/.}", "/", 1));
	assert_string_equal("<><><.><>", fill("{.} {/} {//} {/.}", "", 1));
	assert_string_equal("<a//><a>", fill("{.} {//}", "a//.b", 1));
}

static void template_counts_commands_when_asked(void **state)
{
	(void)state;
	assert_string_equal(
		"<n18446744073709551615>", fill("n{#}", "a", UINT64_MAX));
	assert_string_equal("<echo><7>", fill("echo {#}", "a b", 7));
	assert_string_equal("<echo><7a><7b>", fill("echo {#}{}", "a b", 7));
}

static void template_repeats_word_when_there_are_more_lines(void **state)
{
	(void)state;
	assert_string_equal(
		"<mv><a><b><to><-xa><-xb>", fill("mv {} to -x{}", "a b", 1));
}

static void template_keeps_nothing_when_it_is_filled_again(void **state)
{
	char text[200];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	(void)fill("{} {} {} {}", text, 1);
	assert_int_equal(4, argv.count);
	assert_int_equal(199, strlen(argv.words[3]));
	assert_string_equal("<a>", fill("{}", "a", 1));
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(template_appends_line_when_no_word_asks_for_it),
		TEST(template_puts_line_in_when_word_asks_for_it),
		TEST(template_leaves_line_alone_when_it_looks_like_a_string),
		TEST(template_knows_parts_of_path_when_asked),
		TEST(template_counts_commands_when_asked),
		TEST(template_repeats_word_when_there_are_more_lines),
		TEST(template_keeps_nothing_when_it_is_filled_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
