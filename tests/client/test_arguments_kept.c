// SPDX-License-Identifier: MIT
/*
 * test_arguments_kept.c - the command lines that leave tasks behind, and that
 * ask for them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tests/support/arguments_rig.h"

static void arguments_leave_a_task_behind(void **state)
{
	(void)state;
	assert_int_equal(0, parse("run --detach -l a make --detach"));
	assert_true(arguments.detach);
	assert_string_equal("a", arguments.label);
	assert_int_equal(2, arguments.operand_count);
	assert_int_equal(0, parse("call echo --detach x --label b"));
	assert_true(arguments.detach);
	assert_string_equal("b", arguments.label);
	assert_int_equal(0, parse("run make --detach"));
	assert_false(arguments.detach);
	assert_null(arguments.label);
	assert_refused("call echo -l \xff",
		"--label: it is UTF-8 of at most 63 bytes");
	assert_refused(
		"xargs --detach true", "--detach is no option of this command");
	assert_refused("call --detach -s count 3",
		"--stream goes not with --detach: it is for wynctl logs");
	assert_refused("call --detach -r echo",
		"--raw goes not with --detach: it is for wynctl logs");
}

static void arguments_are_ids_when_tasks_are_asked_for(void **state)
{
	(void)state;
	assert_int_equal(0, parse("wait 7 18446744073709551615"));
	assert_int_equal(2, arguments.operand_count);
	assert_int_equal(7, wyn_arguments_id(arguments.operands[0]));
	assert_true(UINT64_MAX == wyn_arguments_id(arguments.operands[1]));
	assert_int_equal(0, parse("logs -f 7"));
	assert_true(arguments.follow);
	assert_false(arguments.files);
	assert_int_equal(0, parse("cancel --grace 2s 7 8"));
	assert_int_equal(2000, arguments.grace_ms);
	assert_int_equal(-EINVAL, parse("wait 7 x"));
	/* For its exit code. */
	assert_int_equal(WYN_COMMAND_WAIT, arguments.command);
	assert_int_equal(-EINVAL, parse("cancel 0"));
	assert_int_equal(-EINVAL, parse("show -- -1"));
	assert_int_equal(-EINVAL, parse("show 18446744073709551616"));
	assert_refused("show 1 2", "usage: wynctl show ID");
	assert_refused("wait", "usage: wynctl wait ID...");
}

static void arguments_name_a_signal_before_the_ids(void **state)
{
	(void)state;
	assert_int_equal(0, parse("signal TERM 7 8"));
	assert_int_equal(SIGTERM, arguments.number);
	assert_int_equal(3, arguments.operand_count);
	assert_refused("signal 7", "usage: wynctl signal SIG ID...");
	assert_refused("signal FOO 7",
		"signal FOO: must be a name as TERM, or a number up to 64");
	assert_int_equal(-EINVAL, parse("signal TERM 7 x"));
}

static void arguments_have_a_list_by_label(void **state)
{
	(void)state;
	assert_int_equal(0, parse("list --label nightly --state ended"));
	assert_string_equal("nightly", arguments.label);
	assert_int_equal(6, arguments.state);
	assert_refused("list --state none",
		"--state none: must be uploading, queued, next, running, "
		"output or ended");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_leave_a_task_behind),
		cmocka_unit_test(arguments_are_ids_when_tasks_are_asked_for),
		cmocka_unit_test(arguments_name_a_signal_before_the_ids),
		cmocka_unit_test(arguments_have_a_list_by_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
