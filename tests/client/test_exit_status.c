// SPDX-License-Identifier: MIT
/*
 * test_exit_status.c - the table from wire status to exit code, whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <wyn/status.h>

#include "client/wynctl/exit_status.h"

static void exit_status_is_as_documented_when_code_is_known(void **state)
{
	static const int codes[WYN_STATUS_COUNT] = {
		[WYN_STATUS_OK] = 0,
		[WYN_STATUS_CANCELLED] = 1,
		[WYN_STATUS_UNKNOWN] = 1,
		[WYN_STATUS_INVALID_ARGUMENT] = 1,
		[WYN_STATUS_DEADLINE_EXCEEDED] = 124,
		[WYN_STATUS_NOT_FOUND] = 1,
		[WYN_STATUS_ALREADY_EXISTS] = 1,
		[WYN_STATUS_PERMISSION_DENIED] = 77,
		[WYN_STATUS_RESOURCE_EXHAUSTED] = 75,
		[WYN_STATUS_FAILED_PRECONDITION] = 75,
		[WYN_STATUS_ABORTED] = 1,
		[WYN_STATUS_OUT_OF_RANGE] = 1,
		[WYN_STATUS_UNIMPLEMENTED] = 1,
		[WYN_STATUS_INTERNAL] = 1,
		[WYN_STATUS_UNAVAILABLE] = 69,
		[WYN_STATUS_DATA_LOSS] = 1,
		[WYN_STATUS_UNAUTHENTICATED] = 77,
	};

	(void)state;
	for (uint32_t i = 0; i < WYN_STATUS_COUNT; i++) {
		assert_int_equal(codes[i], wyn_exit_status(i));
	}
}

static void exit_status_is_failed_when_code_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(1, wyn_exit_status(WYN_STATUS_COUNT));
	assert_int_equal(1, wyn_exit_status(UINT32_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			exit_status_is_as_documented_when_code_is_known),
		cmocka_unit_test(exit_status_is_failed_when_code_is_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
