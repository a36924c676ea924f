// SPDX-License-Identifier: MIT
/*
 * test_write.c - everything goes out, or it is said why not.
 *
 * A limit on the size of files is what makes write(2) take a part.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/write.h"

static int file_make(void)
{
	int fd = memfd_create("write", MFD_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void write_puts_all_when_there_is_room(void **state)
{
	char text[8] = {0};
	int fd = file_make();

	(void)state;
	assert_int_equal(wyn_write_all(fd, "all", 3), 0);
	assert_int_equal(wyn_write_all(fd, " of it", 6), 0);
	assert_int_equal(pread(fd, text, sizeof(text), 1), 8);
	assert_memory_equal(text, "ll of it", 8);
	close(fd);
}

static void write_does_nothing_when_there_are_no_bytes(void **state)
{
	(void)state;
	assert_int_equal(wyn_write_all(-1, "", 0), 0);
}

static void write_goes_on_and_says_why_when_a_part_is_taken(void **state)
{
	struct rlimit before, limit;
	char text[8];
	int fd = file_make();
	int error;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 4;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	error = wyn_write_all(fd, "too much", 8);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);

	assert_int_equal(error, -EFBIG);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 4);
	assert_memory_equal(text, "too ", 4);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(write_puts_all_when_there_is_room),
		cmocka_unit_test(write_does_nothing_when_there_are_no_bytes),
		cmocka_unit_test(
			write_goes_on_and_says_why_when_a_part_is_taken),
	};

	return cmocka_run_group_tests_name("write", tests, NULL, NULL);
}
