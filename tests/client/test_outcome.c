// SPDX-License-Identifier: MIT
/*
 * test_outcome.c - how commands end, and the exit code of each end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "base/compiler.h"
#include "client/wynctl/outcome.h"

struct end {
	const char *reason;
	uint32_t code;
	uint32_t exit_status;
	uint32_t signal;
	int expected;
	bool silent;
};

static const struct end ends[] = {
	{"", WYN_STATUS_OK, 0, 0, 0, true},
	{"EXIT_STATUS", WYN_STATUS_UNKNOWN, 1, 0, 1, true},
	{"EXIT_STATUS", WYN_STATUS_UNKNOWN, 255, 0, 255, true},
	{"SIGNALLED", WYN_STATUS_ABORTED, 0, SIGSEGV, 139, true},
	{"OUT_OF_MEMORY", WYN_STATUS_RESOURCE_EXHAUSTED, 0, SIGKILL, 137,
		false},
	{"OUT_OF_MEMORY", WYN_STATUS_RESOURCE_EXHAUSTED, 0, 0, 137, false},
	{"NOT_STARTED", WYN_STATUS_NOT_FOUND, 0, 0, 127, false},
	{"NOT_STARTED", WYN_STATUS_PERMISSION_DENIED, 0, 0, 126, false},
	{"NOT_STARTED", WYN_STATUS_INVALID_ARGUMENT, 0, 0, 126, false},
	{"NOT_STARTED", WYN_STATUS_RESOURCE_EXHAUSTED, 0, 0, 125, false},
	{"NOT_STARTED", WYN_STATUS_FAILED_PRECONDITION, 0, 0, 126, false},
	{"NOT_PREPARED", WYN_STATUS_NOT_FOUND, 0, 0, 125, false},
	{"NOT_PREPARED", WYN_STATUS_RESOURCE_EXHAUSTED, 0, 0, 125, false},
	{"PROGRAM_NOT_LISTED", WYN_STATUS_PERMISSION_DENIED, 0, 0, 126, false},
	{"COMMAND_TOO_LARGE", WYN_STATUS_INVALID_ARGUMENT, 0, 0, 126, false},
	{"RUN_TIMEOUT", WYN_STATUS_DEADLINE_EXCEEDED, 0, SIGTERM, 124, true},
	{"QUEUE_DEADLINE", WYN_STATUS_DEADLINE_EXCEEDED, 0, 0, 124, false},
	{"CANCELLED_BY_CLIENT", WYN_STATUS_CANCELLED, 0, 0, 130, true},
	{"CANCELLED_BY_CLIENT", WYN_STATUS_CANCELLED, 0, SIGKILL, 130, true},
	{"DRAIN_TIMEOUT", WYN_STATUS_CANCELLED, 0, 0, 125, false},
	{"COMMANDS_OFF", WYN_STATUS_PERMISSION_DENIED, 0, 0, 125, false},
	{"SPAWNER_LOST", WYN_STATUS_UNAVAILABLE, 0, 0, 125, false},
	{"CONNECTION_LOST", WYN_STATUS_UNAVAILABLE, 0, 0, 125, false},
	{"A_NEW_ONE", WYN_STATUS_ABORTED, 0, SIGHUP, 129, false},
	{"A_NEW_ONE", WYN_STATUS_ABORTED, 9, 0, 9, false},
};

static void outcome_is_as_a_shell_says_when_a_command_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(ends); i++) {
		const struct wyn_client_event event = {
			.kind = WYN_CLIENT_RESULT,
			.code = ends[i].code,
			.reason = ends[i].reason,
			.message = "",
			.exit_status = ends[i].exit_status,
			.signal = ends[i].signal,
		};

		assert_int_equal(ends[i].expected,
			wyn_outcome_exit_code(&event, SIGINT));
		assert_int_equal(ends[i].silent, wyn_outcome_is_silent(&event));
	}
}

static void outcome_is_sigterm_when_nobody_knows_who_cancelled(void **state)
{
	const struct wyn_client_event event = {
		.code = WYN_STATUS_CANCELLED,
		.reason = "CANCELLED_BY_CLIENT",
		.message = "",
	};

	(void)state;
	assert_int_equal(143, wyn_outcome_exit_code(&event, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			outcome_is_as_a_shell_says_when_a_command_ends),
		cmocka_unit_test(
			outcome_is_sigterm_when_nobody_knows_who_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
