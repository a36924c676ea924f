// SPDX-License-Identifier: MIT
/*
 * test_joblog.c - a log of commands, in GNU parallel's columns, and what is
 * read of it again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/wynctl/joblog.h"

#define HEAD                                                                 \
	"Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\t" \
	"Command\n"
#define ROW(seq) seq "\t:\t1.000\t     0.001\t0\t0\t0\t0\ttrue"

static char directory[] = "/tmp/wynctl-joblog-XXXXXX";
static char path[64];
static struct wyn_joblog joblog;
static struct wyn_ranges done;

static int group_setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/log", directory);
	return 0;
}

static int group_teardown(void **state)
{
	(void)state;
	return rmdir(directory);
}

static int setup(void **state)
{
	(void)state;
	joblog.fd = -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(0, wyn_joblog_close(&joblog));
	wyn_ranges_fini(&done);
	return unlink(path);
}

static void have(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(0, fclose(file));
}

static void assert_content(const char *expected, size_t size)
{
	char content[1024];
	int fd = open(path, O_RDONLY);

	assert_int_equal(size, read(fd, content, sizeof(content)));
	assert_memory_equal(expected, content, size);
	close(fd);
}

static void joblog_writes_columns_when_a_command_ends(void **state)
{
	const struct wyn_joblog_row rows[] = {
		{1, UINT64_C(1700000000123999999), 8999999, 17, 0, 0,
			"gzip -9n a"},
		{2, UINT64_C(1700000001000000000), UINT64_C(3723004000000), 0,
			-1, 15, "sh -c 'a\nb'"},
	};
	static const char expected[] =
		HEAD "1\t:\t1700000000.123\t     0.008\t0\t17\t0\t0\t"
		     "gzip -9n a\n"
		     "2\t:\t1700000001.000\t  3723.004\t0\t0\t-1\t15\t"
		     "sh -c 'a\0b'\n";

	(void)state;
	have("what was there before");
	assert_int_equal(0, wyn_joblog_open(&joblog, path, NULL));
	assert_int_equal(0, wyn_joblog_write(&joblog, &rows[0]));
	assert_int_equal(0, wyn_joblog_write(&joblog, &rows[1]));
	assert_content(expected, sizeof(expected) - 1);
}

static void joblog_knows_what_is_done_when_resumed(void **state)
{
	static const char text[] =
		HEAD ROW("1") "\n" ROW("3") "\n" ROW("2") "\n" ROW("7") "\n";

	(void)state;
	have(text);
	assert_int_equal(0, wyn_joblog_open(&joblog, path, &done));
	assert_true(wyn_ranges_have(&done, 1));
	assert_true(wyn_ranges_have(&done, 3));
	assert_true(wyn_ranges_have(&done, 7));
	assert_false(wyn_ranges_have(&done, 4));
	assert_int_equal(2, done.count);
	assert_content(text, sizeof(text) - 1);
}

static void joblog_passes_over_last_line_when_it_was_cut(void **state)
{
	static const char text[] = HEAD ROW("1") "\n" ROW("2");

	(void)state;
	have(text);
	assert_int_equal(0, wyn_joblog_open(&joblog, path, &done));
	assert_true(wyn_ranges_have(&done, 1));
	assert_false(wyn_ranges_have(&done, 2));
	assert_content(HEAD ROW("1") "\n" ROW("2") "\n", sizeof(text));
}

static void joblog_passes_over_lines_when_they_are_none(void **state)
{
	(void)state;
	have(HEAD "\n5\t:\n6 x\n-" ROW("7") "\n" ROW(
		"99999999999999999999") "\n" ROW("8") "\n" ROW("184467440737095"
							       "51615") "\n");
	assert_int_equal(0, wyn_joblog_open(&joblog, path, &done));
	assert_int_equal(1, done.count);
	assert_true(wyn_ranges_have(&done, 8));
}

static void joblog_begins_when_there_is_none_to_resume(void **state)
{
	(void)state;
	assert_int_equal(0, wyn_joblog_open(&joblog, path, &done));
	assert_content(HEAD, strlen(HEAD));
	assert_int_equal(0, done.count);
}

static void joblog_is_refused_when_it_cannot_be_written(void **state)
{
	struct wyn_joblog none;

	(void)state;
	have("");
	assert_int_equal(-EISDIR, wyn_joblog_open(&none, directory, NULL));
	assert_int_equal(-ENOSPC, wyn_joblog_open(&none, "/dev/full", NULL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(joblog_writes_columns_when_a_command_ends),
		TEST(joblog_knows_what_is_done_when_resumed),
		TEST(joblog_passes_over_last_line_when_it_was_cut),
		TEST(joblog_passes_over_lines_when_they_are_none),
		TEST(joblog_begins_when_there_is_none_to_resume),
		TEST(joblog_is_refused_when_it_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
