// SPDX-License-Identifier: MIT
/*
 * test_signal_name.c - names and numbers of signals.
 */
#include "client/wynctl/signal_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

static void signal_is_found_by_name_or_number(void **state)
{
	(void)state;
	assert_int_equal(SIGTERM, wyn_signal_number("TERM"));
	assert_int_equal(SIGTERM, wyn_signal_number("SIGTERM"));
	assert_int_equal(SIGUSR1, wyn_signal_number("sigusr1"));
	assert_int_equal(SIGKILL, wyn_signal_number("9"));
	assert_int_equal(64, wyn_signal_number("64"));
}

static void signal_is_none_when_nothing_is_called_so(void **state)
{
	static const char *const texts[] = {
		"", "0", "65", "-9", "SIG", "TERM ", "NONE", "9x", "SIG9"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(0, wyn_signal_number(texts[i]));
	}
}

static void signal_has_a_name_when_it_is_known(void **state)
{
	(void)state;
	assert_string_equal("KILL", wyn_signal_name(SIGKILL));
	assert_null(wyn_signal_name(0));
	assert_null(wyn_signal_name(65));
	assert_null(wyn_signal_name(UINT32_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signal_is_found_by_name_or_number),
		cmocka_unit_test(signal_is_none_when_nothing_is_called_so),
		cmocka_unit_test(signal_has_a_name_when_it_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
