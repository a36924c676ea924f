// SPDX-License-Identifier: MIT
/*
 * test_lock.c - a lock that another has, and one that it lets go of.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "spawner/lock.h"

static char path[] = "/tmp/wyn-lock-XXXXXX";

static int open_it(void)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void lock_is_refused_when_another_has_it_all_the_time(void **state)
{
	int first = open_it();
	int second = open_it();

	(void)state;
	assert_int_equal(wyn_lock_wait(first, 0), 0);
	assert_int_equal(wyn_lock_wait(second, 20), -EWOULDBLOCK);
	close(first);
	assert_int_equal(wyn_lock_wait(second, 0), 0);
	close(second);
}

static void lock_is_given_when_its_holder_is_killed_meanwhile(void **state)
{
	int ready[2];
	char byte;

	(void)state;
	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid_t holder = fork();
	if (holder == 0) {
		_exit(wyn_lock_wait(open_it(), 0) != 0 ||
			write(ready[1], "r", 1) != 1 || pause() != 0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	int mine = open_it();
	assert_int_equal(wyn_lock_wait(mine, 0), -EWOULDBLOCK);
	kill(holder, SIGKILL);
	assert_int_equal(wyn_lock_wait(mine, 60000), 0);
	assert_int_equal(waitpid(holder, NULL, 0), holder);
	close(mine);
	close(ready[0]);
	close(ready[1]);
}

static void lock_is_refused_when_it_is_no_descriptor(void **state)
{
	(void)state;
	assert_int_equal(wyn_lock_wait(-1, 1000), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			lock_is_refused_when_another_has_it_all_the_time),
		cmocka_unit_test(
			lock_is_given_when_its_holder_is_killed_meanwhile),
		cmocka_unit_test(lock_is_refused_when_it_is_no_descriptor),
	};

	close(mkstemp(path));
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
