// SPDX-License-Identifier: MIT
/*
 * test_words.c - numbers of the library and their names.
 */
#include "client/wynctl/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <wyn/client.h>

static void words_name_each_number_that_there_is(void **state)
{
	(void)state;
	assert_string_equal("queued", wyn_word_state(WYN_CLIENT_STATE_QUEUED));
	assert_string_equal(
		"high", wyn_word_priority(WYN_CLIENT_PRIORITY_HIGH));
	assert_string_equal("turn", wyn_word_why(WYN_CLIENT_WHY_TURN));
	for (unsigned i = 0; i <= WYN_CLIENT_STATE_ENDED; i++) {
		assert_non_null(wyn_word_state(i));
	}
	for (unsigned i = 0; i <= WYN_CLIENT_WHY_OUTPUT; i++) {
		assert_non_null(wyn_word_why(i));
	}
}

static void words_are_none_when_a_server_is_newer(void **state)
{
	(void)state;
	assert_null(wyn_word_state(WYN_CLIENT_STATE_ENDED + 1));
	assert_null(wyn_word_priority(WYN_CLIENT_PRIORITY_HIGH + 1));
	assert_null(wyn_word_why(UINT32_MAX));
	assert_string_equal("unknown", wyn_word_or_unknown(wyn_word_why(999)));
	assert_string_equal("a", wyn_word_or_unknown("a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_name_each_number_that_there_is),
		cmocka_unit_test(words_are_none_when_a_server_is_newer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
