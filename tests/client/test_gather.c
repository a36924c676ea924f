// SPDX-License-Identifier: MIT
/*
 * test_gather.c - how the outputs of commands side by side come out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/wynctl/gather.h"

#define ONES 3

static struct wyn_gather gather;
static struct wyn_stdout outputs[WYN_GATHER_STREAMS];
static int readers[WYN_GATHER_STREAMS];
static struct wyn_gathered ones[ONES];
static bool begun[ONES];
static char got[4096];

static void open_pipes(enum wyn_gather_mode mode, bool both_the_same)
{
	int fds[2];

	for (int i = 0; i < WYN_GATHER_STREAMS; i++) {
		if (i == 0 || !both_the_same) {
			assert_int_equal(0, pipe2(fds, O_CLOEXEC));
		} else {
			fds[0] = dup(readers[0]);
			fds[1] = dup(outputs[0].fd);
		}
		assert_int_equal(0, fcntl(fds[0], F_SETFL, O_NONBLOCK));
		readers[i] = fds[0];
		wyn_stdout_init(&outputs[i], fds[1]);
		/* It has a descriptor of its own. */
		assert_true(outputs[i].ours);
		close(fds[1]);
	}
	wyn_gather_init(&gather, mode, &outputs[0], &outputs[1]);
}

static void open_gather(enum wyn_gather_mode mode)
{
	open_pipes(mode, false);
}

static void begin(int which, const char *tag)
{
	wyn_gather_begin(
		&gather, &ones[which], tag != NULL ? strdup(tag) : NULL);
	begun[which] = true;
}

static void put_size(
	int which, enum wyn_gather_stream stream, const char *text, size_t size)
{
	assert_int_equal(
		0, wyn_gather_put(&gather, &ones[which], stream,
			   (struct wyn_slice){(const uint8_t *)text, size}));
}

static void put(int which, const char *text)
{
	put_size(which, WYN_GATHER_STDOUT, text, strlen(text));
}

static void put_error(int which, const char *text)
{
	put_size(which, WYN_GATHER_STDERR, text, strlen(text));
}

/* Prints what is in turn. Returns: how many commands are wholly out. */
static unsigned print(void)
{
	struct wyn_gathered *one;
	unsigned count = 0;

	for (;;) {
		assert_int_equal(0, wyn_gather_print(&gather, &one));
		if (one == NULL) {
			return count;
		}
		begun[one - ones] = false;
		count++;
	}
}

static unsigned end(int which)
{
	assert_int_equal(0, wyn_gather_end(&gather, &ones[which]));
	return print();
}

/* What came out since the last look. */
static const char *out(enum wyn_gather_stream stream)
{
	ssize_t size;

	wyn_stdout_flush(&outputs[stream]);
	size = read(readers[stream], got, sizeof(got) - 1);
	got[size > 0 ? size : 0] = '\0';
	return got;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < ONES; i++) {
		if (begun[i]) {
			wyn_gather_drop(&gather, &ones[i]);
		}
		begun[i] = false;
	}
	wyn_gather_fini(&gather);
	for (int i = 0; i < WYN_GATHER_STREAMS; i++) {
		close(readers[i]);
		(void)!wyn_stdout_end(&outputs[i]);
	}
	return 0;
}

static void gather_prints_command_when_it_has_ended(void **state)
{
	(void)state;
	open_gather(WYN_GATHER_GROUPS);
	begin(0, NULL);
	begin(1, NULL);
	put(0, "a");
	put(1, "x");
	put(0, "b\n");
	put_error(0, "e");
	put(1, "y");
	assert_string_equal("", out(WYN_GATHER_STDOUT));
	assert_int_equal(1, end(1));
	assert_string_equal("xy", out(WYN_GATHER_STDOUT));
	assert_int_equal(1, end(0));
	assert_string_equal("ab\n", out(WYN_GATHER_STDOUT));
	assert_string_equal("e", out(WYN_GATHER_STDERR));
}

static void gather_keeps_outputs_together_when_they_are_one(void **state)
{
	(void)state;
	open_pipes(WYN_GATHER_GROUPS, true);
	begin(0, NULL);
	begin(1, NULL);
	put(0, "a");
	put(1, "x");
	put_error(0, "b");
	put_error(1, "y");
	assert_int_equal(1, end(0));
	assert_int_equal(1, end(1));
	wyn_stdout_flush(&outputs[WYN_GATHER_STDERR]);
	assert_string_equal("abxy", out(WYN_GATHER_STDOUT));
}

static void gather_keeps_order_when_commands_end_in_another(void **state)
{
	(void)state;
	open_gather(WYN_GATHER_ORDER);
	for (int i = 0; i < ONES; i++) {
		begin(i, NULL);
	}
	put(1, "1\n");
	put(0, "0\n");
	assert_int_equal(0, end(2));
	assert_int_equal(0, end(1));
	assert_string_equal("", out(WYN_GATHER_STDOUT));
	assert_int_equal(3, end(0));
	assert_string_equal("0\n1\n", out(WYN_GATHER_STDOUT));
}

static void gather_prints_whole_lines_when_line_buffered(void **state)
{
	(void)state;
	open_gather(WYN_GATHER_LINES);
	begin(0, NULL);
	begin(1, NULL);
	put(0, "a\nb");
	put(1, "x");
	assert_string_equal("a\n", out(WYN_GATHER_STDOUT));
	put(1, "y\n");
	put(0, "c\nd\ne");
	assert_string_equal("xy\nbc\nd\n", out(WYN_GATHER_STDOUT));
	assert_int_equal(1, end(0));
	assert_int_equal(1, end(1));
	/* A line of its own, though it did not say so. */
	assert_string_equal("e\n", out(WYN_GATHER_STDOUT));
}

static void gather_breaks_line_up_when_it_is_too_long(void **state)
{
	char *text = calloc(1, WYN_GATHER_LINE_BYTES_MAX);

	(void)state;
	open_gather(WYN_GATHER_LINES);
	begin(0, NULL);
	put_size(0, WYN_GATHER_STDOUT, text, WYN_GATHER_LINE_BYTES_MAX);
	assert_int_equal(0, wyn_stdout_kept_bytes(&outputs[0]));
	put(0, "b");
	assert_true(wyn_stdout_kept_bytes(&outputs[0]) > 0);
	free(text);
}

static void gather_prints_pieces_when_ungrouped(void **state)
{
	(void)state;
	open_gather(WYN_GATHER_PIECES);
	begin(0, NULL);
	begin(1, NULL);
	put(0, "a");
	put(1, "b");
	put_error(1, "c");
	assert_string_equal("ab", out(WYN_GATHER_STDOUT));
	assert_string_equal("c", out(WYN_GATHER_STDERR));
	assert_int_equal(1, end(1));
	assert_int_equal(1, end(0));
}

static void gather_puts_tag_before_lines_when_there_is_one(void **state)
{
	(void)state;
	open_gather(WYN_GATHER_GROUPS);
	begin(0, "A");
	begin(1, "B");
	put(0, "1");
	put(0, "2\n\n3");
	put(1, "4\n");
	put_error(1, "5\n");
	assert_int_equal(1, end(0));
	assert_int_equal(1, end(1));
	assert_string_equal("A\t12\nA\t\nA\t3\nB\t4\n", out(WYN_GATHER_STDOUT));
	assert_string_equal("B\t5\n", out(WYN_GATHER_STDERR));
}

static void gather_tags_lines_when_line_buffered(void **state)
{
	(void)state;
	open_gather(WYN_GATHER_LINES);
	begin(0, "A");
	put(0, "1");
	put(0, "2\n3");
	assert_string_equal("A\t12\n", out(WYN_GATHER_STDOUT));
	assert_int_equal(1, end(0));
	assert_string_equal("A\t3\n", out(WYN_GATHER_STDOUT));
}

static void gather_stops_when_reader_is_slow(void **state)
{
	static const char text[100000];
	size_t all = 0;
	unsigned printed = 0;
	ssize_t size;

	(void)state;
	open_gather(WYN_GATHER_GROUPS);
	begin(0, NULL);
	for (int i = 0; i < 50; i++) {
		put_size(0, WYN_GATHER_STDOUT, text, sizeof(text));
	}
	assert_int_equal(0, end(0));
	assert_true(wyn_gather_full(&gather));
	assert_true(wyn_stdout_kept_bytes(&outputs[0]) <
		    WYN_STDOUT_BYTES_MAX + WYN_SPILL_HELD_BYTES_MAX);
	while (all < 50 * sizeof(text)) {
		size = read(readers[0], got, sizeof(got));
		all += size > 0 ? (size_t)size : 0;
		if (size < 0) {
			wyn_stdout_flush(&outputs[0]);
			printed += print();
		}
	}
	assert_int_equal(1, printed);
	assert_int_equal(50 * sizeof(text), all);
	assert_int_equal(0, wyn_stdout_kept_bytes(&outputs[0]));
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gather_prints_command_when_it_has_ended),
		TEST(gather_keeps_outputs_together_when_they_are_one),
		TEST(gather_keeps_order_when_commands_end_in_another),
		TEST(gather_prints_whole_lines_when_line_buffered),
		TEST(gather_breaks_line_up_when_it_is_too_long),
		TEST(gather_prints_pieces_when_ungrouped),
		TEST(gather_puts_tag_before_lines_when_there_is_one),
		TEST(gather_tags_lines_when_line_buffered),
		TEST(gather_stops_when_reader_is_slow),
	};

	/* Not all that is printed is read. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
