// SPDX-License-Identifier: MIT
/*
 * test_signals.c - signals that are read and do nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "client/wynctl/signals.h"

static volatile sig_atomic_t handled;

static void handle(int number)
{
	handled = number;
}

static void signals_are_read_when_they_are_taken(void **state)
{
	struct wyn_signals signals;

	(void)state;
	assert_int_equal(0, wyn_signals_take(&signals));
	assert_int_equal(0, wyn_signals_next(&signals));
	assert_int_equal(0, raise(SIGTERM));
	assert_int_equal(0, raise(SIGTERM));
	assert_int_equal(0, raise(SIGINT));
	assert_int_equal(SIGINT, wyn_signals_next(&signals));
	assert_int_equal(SIGTERM, wyn_signals_next(&signals));
	assert_int_equal(0, wyn_signals_next(&signals));
	wyn_signals_leave(&signals);
}

static void signals_do_what_they_did_when_they_are_left(void **state)
{
	struct wyn_signals signals;

	(void)state;
	(void)signal(SIGHUP, handle);
	assert_int_equal(0, wyn_signals_take(&signals));
	assert_int_equal(0, raise(SIGHUP));
	assert_int_equal(0, handled);
	wyn_signals_leave(&signals);
	assert_int_equal(SIGHUP, handled);
	(void)signal(SIGHUP, SIG_DFL);
}

static void signals_are_left_alone_when_they_were_ignored(void **state)
{
	struct wyn_signals signals;

	(void)state;
	(void)signal(SIGQUIT, SIG_IGN);
	assert_int_equal(0, wyn_signals_take(&signals));
	assert_int_equal(0, raise(SIGQUIT));
	assert_int_equal(0, wyn_signals_next(&signals));
	wyn_signals_leave(&signals);
	(void)signal(SIGQUIT, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_are_read_when_they_are_taken),
		cmocka_unit_test(signals_do_what_they_did_when_they_are_left),
		cmocka_unit_test(signals_are_left_alone_when_they_were_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
