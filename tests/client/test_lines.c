// SPDX-License-Identifier: MIT
/*
 * test_lines.c - the items of `map`, from pipes and from operands.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/wynctl/lines.h"

static struct wyn_lines lines;
static int pipe_fds[2];

static void open_pipe(char end)
{
	assert_int_equal(0, pipe(pipe_fds));
	wyn_lines_init_fd(&lines, pipe_fds[0], end);
}

static void put(const char *data, size_t size)
{
	assert_int_equal(size, write(pipe_fds[1], data, size));
	assert_int_equal(0, wyn_lines_fill(&lines));
}

static void put_end(void)
{
	close(pipe_fds[1]);
	assert_int_equal(0, wyn_lines_fill(&lines));
	close(pipe_fds[0]);
}

static void assert_line(const char *expected)
{
	struct wyn_slice line;

	assert_int_equal(0, wyn_lines_next(&lines, &line));
	assert_int_equal(strlen(expected), line.len);
	assert_string_equal(expected, (const char *)line.data);
}

static int teardown(void **state)
{
	(void)state;
	wyn_lines_fini(&lines);
	return 0;
}

static void lines_waits_when_line_is_not_whole(void **state)
{
	struct wyn_slice line;

	(void)state;
	open_pipe('\n');
	assert_int_equal(-EAGAIN, wyn_lines_next(&lines, &line));
	put("one\ntw", 6);
	assert_line("one");
	assert_int_equal(-EAGAIN, wyn_lines_next(&lines, &line));
	put("o\n\n", 3);
	assert_line("two");
	assert_line("");
	put_end();
	assert_int_equal(-ENODATA, wyn_lines_next(&lines, &line));
}

static void lines_gives_the_last_when_it_has_no_end(void **state)
{
	struct wyn_slice line;

	(void)state;
	open_pipe('\n');
	put("one\ntwo", 7);
	put_end();
	assert_line("one");
	assert_line("two");
	assert_int_equal(-ENODATA, wyn_lines_next(&lines, &line));
}

static void lines_keeps_newlines_when_ends_are_nul(void **state)
{
	struct wyn_slice line;

	(void)state;
	open_pipe('\0');
	put("a\nb\0c\0", 6);
	put_end();
	assert_line("a\nb");
	assert_line("c");
	assert_int_equal(-ENODATA, wyn_lines_next(&lines, &line));
}

static void lines_are_operands_when_there_are_some(void **state)
{
	char one[] = "one";
	char two[] = "";
	char *operands[] = {one, two};
	struct wyn_slice line;

	(void)state;
	wyn_lines_init_operands(&lines, operands, 2);
	assert_line("one");
	assert_line("");
	assert_int_equal(-ENODATA, wyn_lines_next(&lines, &line));
}

static void lines_counts_what_is_left_when_it_is_a_file(void **state)
{
	static const char text[] = "1\n22\n\n4";
	FILE *file = tmpfile();
	uint64_t count = 0;

	(void)state;
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(0, fflush(file));
	assert_int_equal(0, fseek(file, 0, SEEK_SET));
	wyn_lines_init_fd(&lines, fileno(file), '\n');
	assert_int_equal(0, wyn_lines_count(&lines, &count));
	assert_int_equal(4, count);
	assert_int_equal(0, lseek(fileno(file), 0, SEEK_CUR));
	assert_int_equal(0, fseek(file, 2, SEEK_SET));
	assert_int_equal(0, ftruncate(fileno(file), 200000));
	assert_int_equal(0, wyn_lines_count(&lines, &count));
	assert_int_equal(3, count);
	fclose(file);
}

static void lines_counts_nothing_when_it_is_a_pipe(void **state)
{
	uint64_t count = 0;

	(void)state;
	open_pipe('\n');
	assert_int_equal(-ESPIPE, wyn_lines_count(&lines, &count));
	close(pipe_fds[0]);
	close(pipe_fds[1]);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_waits_when_line_is_not_whole),
		TEST(lines_gives_the_last_when_it_has_no_end),
		TEST(lines_keeps_newlines_when_ends_are_nul),
		TEST(lines_are_operands_when_there_are_some),
		TEST(lines_counts_what_is_left_when_it_is_a_file),
		TEST(lines_counts_nothing_when_it_is_a_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
