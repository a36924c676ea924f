// SPDX-License-Identifier: MIT
/*
 * test_mark.c - a mark in the environment of a real process.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "spawner/mark.h"
#include "tests/support/family.h"

#define TRIES_MAX 1000000

static int proc;
static struct wyn_mark mark;

static int find(const char *variable, uint64_t *ret_serial)
{
	struct wyn_family family;

	wyn_family_start(&family, "rp", variable, -1, NULL);
	wyn_family_await(&family, 1);
	int result = wyn_mark_find(proc, family.pid, &mark, ret_serial);
	kill(family.pid, SIGKILL);
	waitpid(family.pid, NULL, 0);
	wyn_family_end(&family);
	return result;
}

static void mark_is_another_when_it_is_drawn_again(void **state)
{
	struct wyn_mark other;

	(void)state;
	assert_int_equal(wyn_mark_draw(&other), 0);
	assert_int_equal(strlen(other.digits), 32);
	assert_int_equal(strspn(other.digits, "0123456789abcdef"), 32);
	assert_string_not_equal(other.digits, mark.digits);
}

static void mark_is_found_when_a_process_has_it(void **state)
{
	static const uint64_t serials[] = {0, 7, UINT64_MAX};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char text[WYN_MARK_TEXT_BYTES];
		uint64_t serial = 99;
		wyn_mark_text(&mark, serials[i], text);
		assert_int_equal(find(text, &serial), 0);
		assert_true(serial == serials[i]);
	}
}

static void mark_is_found_when_it_comes_late(void **state)
{
	char text[WYN_MARK_TEXT_BYTES];
	char other[20000];
	uint64_t serial = 99;
	pid_t pid;
	char *arguments[] = {(char *)"sleep", (char *)"1000", NULL};
	char *environment[] = {
		other, (char *)"WYND_TASK=other.1", text, (char *)"A=b", NULL};

	(void)state;
	memset(other, 'x', sizeof(other) - 1);
	other[sizeof(other) - 1] = '\0';
	memcpy(other, "OTHER=", 6);
	wyn_mark_text(&mark, 12, text);
	assert_int_equal(posix_spawn(&pid, "/bin/sleep", NULL, NULL, arguments,
				 environment),
		0);
	/* It has executed, but /proc may not know yet where that begins. */
	int error = wyn_mark_find(proc, pid, &mark, &serial);
	for (int i = 0; i < TRIES_MAX && error == -ENOENT; i++) {
		error = wyn_mark_find(proc, pid, &mark, &serial);
	}
	assert_int_equal(error, 0);
	assert_true(serial == 12);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(wyn_mark_find(proc, pid, &mark, &serial), -ESRCH);
}

/* Thousands of processes may have a long one, and all are looked at. */
static void mark_is_not_found_when_it_is_behind_too_much(void **state)
{
	static char other[2][100000];
	char first[WYN_MARK_TEXT_BYTES];
	char last[WYN_MARK_TEXT_BYTES];
	struct wyn_mark early;
	uint64_t serial = 99;
	pid_t pid;
	char *arguments[] = {(char *)"sleep", (char *)"1000", NULL};
	char *environment[] = {first, other[0], other[1], last, NULL};

	(void)state;
	assert_int_equal(wyn_mark_draw(&early), 0);
	wyn_mark_text(&early, 1, first);
	wyn_mark_text(&mark, 2, last);
	for (size_t i = 0; i < 2; i++) {
		memset(other[i], 'x', sizeof(other[i]) - 1);
		memcpy(other[i], "OTHER=", 6);
	}
	assert_int_equal(posix_spawn(&pid, "/bin/sleep", NULL, NULL, arguments,
				 environment),
		0);
	int error = wyn_mark_find(proc, pid, &early, &serial);
	for (int i = 0; i < TRIES_MAX && error == -ENOENT; i++) {
		error = wyn_mark_find(proc, pid, &early, &serial);
	}
	assert_int_equal(error, 0);
	assert_int_equal(wyn_mark_find(proc, pid, &mark, &serial), -ENOENT);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void mark_is_not_found_when_it_is_another(void **state)
{
	static const char *const formats[] = {"WYND_TASK=%.31s0.1",
		"WYND_TASK=%s", "WYND_TASK=%s.", "WYND_TASK=%s.1x",
		"WYND_TASK=%s.18446744073709551616", "XWYND_TASK=%s.1",
		"WYND_TASK=%sx.1", "A=WYND_TASK=%s.1", "A=%s"};

	(void)state;
	mark.digits[31] = '1';
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		char text[100];
		uint64_t serial = 99;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof(text), formats[i], mark.digits);
#pragma GCC diagnostic pop
		assert_int_equal(find(text, &serial), -ENOENT);
		assert_true(serial == 99);
	}
}

static int set_up(void **state)
{
	(void)state;
	proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return wyn_mark_draw(&mark);
}

int main(int argc, char **argv)
{
	wyn_family_main(argc, argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mark_is_another_when_it_is_drawn_again),
		cmocka_unit_test(mark_is_found_when_a_process_has_it),
		cmocka_unit_test(mark_is_found_when_it_comes_late),
		cmocka_unit_test(mark_is_not_found_when_it_is_behind_too_much),
		cmocka_unit_test(mark_is_not_found_when_it_is_another),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
