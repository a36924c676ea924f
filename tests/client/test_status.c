// SPDX-License-Identifier: MIT
/*
 * test_status.c - codes keep the numbers and names of google.rpc.Code.
 */
#include "client/wynctl/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/compiler.h"

/* As google/rpc/code.proto has them, not as our table does. */
static const char *const canonical[] = {"OK", "CANCELLED", "UNKNOWN",
	"INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
	"ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
	"DATA_LOSS", "UNAUTHENTICATED"};

static void status_has_its_name_when_in_the_table(void **state)
{
	(void)state;
	assert_int_equal(WYN_COUNT_OF(canonical), WYN_STATUS_COUNT);
	for (uint32_t code = 0; code < WYN_STATUS_COUNT; code++) {
		assert_string_equal(wyn_status_name(code), canonical[code]);
	}
}

static void status_is_unknown_when_not_in_the_table(void **state)
{
	(void)state;
	assert_string_equal(wyn_status_name(WYN_STATUS_COUNT), "UNKNOWN");
	assert_string_equal(wyn_status_name(UINT32_MAX), "UNKNOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_has_its_name_when_in_the_table),
		cmocka_unit_test(status_is_unknown_when_not_in_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
