// SPDX-License-Identifier: MIT
/*
 * test_activate.c - sockets that were passed, and messages that are sent.
 *
 * The test is the service manager: it puts descriptors from 3 on in place and
 * says so in the environment.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/time.h"
#include "daemon/io/activate.h"
#include "tests/support/manager.h"

#define FIRST 3

static int manager;
static struct wyn_fault fault;

static void set_number(const char *name, long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", number);
	assert_int_equal(setenv(name, text, 1), 0);
}

/* Descriptors of no matter what kind: activate.c does not look. */
static void pass(int count, const char *names)
{
	int null = open("/dev/null", O_RDWR);

	for (int i = 0; i < count; i++) {
		assert_int_equal(dup2(null, FIRST + i), FIRST + i);
	}
	if (null >= FIRST + count) {
		close(null);
	}
	set_number("LISTEN_PID", getpid());
	set_number("LISTEN_FDS", count);
	if (names) {
		assert_int_equal(setenv("LISTEN_FDNAMES", names, 1), 0);
	}
}

static int set_up(void **state)
{
	(void)state;
	/* Away from the descriptors that are passed. */
	manager = manager_start();
	assert_int_equal(dup2(manager, 100), 100);
	close(manager);
	manager = 100;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	manager_stop(manager);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	for (int fd = FIRST; fd < 32; fd++) {
		close(fd);
	}
	return 0;
}

static void activate_takes_none_when_nothing_is_passed(void **state)
{
	struct wyn_activation passed = {.count = 9};

	(void)state;
	assert_int_equal(wyn_activate_sockets(&passed, &fault), 0);
	assert_int_equal(passed.count, 0);
	assert_false(wyn_activate_has(&passed, FIRST));
}

static void activate_takes_none_when_another_process_is_meant(void **state)
{
	struct wyn_activation passed;

	(void)state;
	pass(1, NULL);
	set_number("LISTEN_PID", getpid() + 1);
	assert_int_equal(wyn_activate_sockets(&passed, &fault), 0);
	assert_int_equal(passed.count, 0);
}

static void activate_takes_what_is_passed_with_its_names(void **state)
{
	struct wyn_activation passed;

	(void)state;
	pass(2, "wynd.socket:other");
	assert_int_equal(wyn_activate_sockets(&passed, &fault), 0);
	assert_int_equal(passed.count, 2);
	assert_int_equal(passed.sockets[0].fd, FIRST);
	assert_int_equal(passed.sockets[1].fd, FIRST + 1);
	assert_string_equal(passed.sockets[0].name, "wynd.socket");
	assert_string_equal(passed.sockets[1].name, "other");
	assert_true(wyn_activate_has(&passed, FIRST + 1));
	assert_false(wyn_activate_has(&passed, FIRST + 2));
	assert_true(fcntl(FIRST, F_GETFD) & FD_CLOEXEC);
}

static void activate_leaves_nothing_for_others_when_it_took(void **state)
{
	struct wyn_activation passed;

	(void)state;
	pass(1, "a");
	assert_int_equal(wyn_activate_sockets(&passed, &fault), 0);
	assert_null(getenv("LISTEN_FDS"));
	assert_null(getenv("LISTEN_PID"));
	assert_null(getenv("LISTEN_FDNAMES"));
}

static void activate_refuses_when_the_variables_are_wrong(void **state)
{
	static const char *const counts[] = {"x", "-1", "99999999999"};
	struct wyn_activation never;

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(counts); i++) {
		pass(1, NULL);
		assert_int_equal(setenv("LISTEN_FDS", counts[i], 1), 0);
		assert_true(wyn_activate_sockets(&never, &fault) < 0);
		assert_int_equal(fault.exit_code, WYN_EXIT_CONFIGURATION);
		assert_non_null(strstr(fault.text, "LISTEN_FDS"));
	}
}

static void activate_refuses_when_a_descriptor_is_not_open(void **state)
{
	struct wyn_activation never;

	(void)state;
	pass(1, NULL);
	close(FIRST);
	assert_int_equal(wyn_activate_sockets(&never, &fault), -EBADF);
	assert_int_equal(fault.exit_code, WYN_EXIT_CONFIGURATION);
}

static void activate_refuses_when_there_are_too_many(void **state)
{
	struct wyn_activation never;

	(void)state;
	pass(WYN_LISTEN_MAX + 1, NULL);
	assert_int_equal(wyn_activate_sockets(&never, &fault), -E2BIG);
	assert_int_equal(fault.exit_code, WYN_EXIT_CONFIGURATION);
	assert_non_null(strstr(fault.text, "16 sockets at most"));
}

static void activate_tells_what_it_is_asked_to(void **state)
{
	(void)state;
	assert_int_equal(wyn_activate_ready("here"), 1);
	assert_string_equal(manager_look(manager, 0), "READY=1\nSTATUS=here");
	assert_int_equal(wyn_activate_reloading(12345678), 1);
	assert_string_equal(
		manager_look(manager, 0), "RELOADING=1\nMONOTONIC_USEC=12345");
	assert_int_equal(wyn_activate_stopping("bye"), 1);
	assert_string_equal(manager_look(manager, 0), "STOPPING=1\nSTATUS=bye");
	assert_int_equal(wyn_activate_status("100%s"), 1);
	assert_string_equal(manager_look(manager, 0), "STATUS=100%s");
	assert_int_equal(wyn_activate_feed(), 1);
	assert_string_equal(manager_look(manager, 0), "WATCHDOG=1");
}

static void activate_tells_nobody_when_nobody_listens(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(wyn_activate_ready("here"), 0);
	assert_int_equal(wyn_activate_feed(), 0);
	assert_string_equal(manager_look(manager, MSG_DONTWAIT), "");
}

static void activate_says_so_when_it_cannot_tell(void **state)
{
	(void)state;
	assert_int_equal(setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1), 0);
	assert_int_equal(wyn_activate_ready("here"), -ENOENT);
}

static void activate_knows_its_watchdog(void **state)
{
	(void)state;
	assert_int_equal(wyn_activate_watchdog_ns(), 0);
	set_number("WATCHDOG_USEC", 30000000);
	assert_int_equal(wyn_activate_watchdog_ns(), 30 * WYN_NS_PER_S);
	set_number("WATCHDOG_PID", getpid());
	assert_int_equal(wyn_activate_watchdog_ns(), 30 * WYN_NS_PER_S);
	set_number("WATCHDOG_PID", getpid() + 1);
	assert_int_equal(wyn_activate_watchdog_ns(), 0);
	unsetenv("WATCHDOG_PID");
	assert_int_equal(setenv("WATCHDOG_USEC", "soon", 1), 0);
	assert_int_equal(wyn_activate_watchdog_ns(), 0);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(activate_takes_none_when_nothing_is_passed),
		TEST(activate_takes_none_when_another_process_is_meant),
		TEST(activate_takes_what_is_passed_with_its_names),
		TEST(activate_leaves_nothing_for_others_when_it_took),
		TEST(activate_refuses_when_the_variables_are_wrong),
		TEST(activate_refuses_when_a_descriptor_is_not_open),
		TEST(activate_refuses_when_there_are_too_many),
		TEST(activate_tells_what_it_is_asked_to),
		TEST(activate_tells_nobody_when_nobody_listens),
		TEST(activate_says_so_when_it_cannot_tell),
		TEST(activate_knows_its_watchdog),
	};

	return cmocka_run_group_tests_name("activate", tests, NULL, NULL);
}
