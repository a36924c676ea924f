// SPDX-License-Identifier: MIT
/*
 * test_arguments_xargs.c - the command line of `xargs`: what is its own, and
 * what is the command's that it runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "client/wynctl/options.h"
#include "tests/support/arguments_rig.h"

static void xargs_refused(const char *line, const char *because)
{
	assert_refused(line, because);
	/* For its exit code. */
	assert_int_equal(WYN_COMMAND_XARGS, arguments.command);
}

static void arguments_end_options_when_the_command_begins(void **state)
{
	(void)state;
	assert_int_equal(0, parse("xargs -k gzip -9n -k --nonsense"));
	assert_true(arguments.keep_order);
	assert_int_equal(4, arguments.operand_count);
	assert_string_equal("gzip", arguments.operands[0]);
	assert_string_equal("-9n", arguments.operands[1]);
	assert_int_equal(0, parse("xargs -- -k {}"));
	assert_false(arguments.keep_order);
	assert_string_equal("-k", arguments.operands[0]);
	assert_int_equal(0, parse("xargs env -- a"));
	assert_int_equal(3, arguments.operand_count);
}

static void arguments_have_own_meaning_when_letters_are_shared(void **state)
{
	(void)state;
	assert_int_equal(0, parse("-n 3 -u xargs -j 0 true"));
	assert_int_equal(3, arguments.max_args);
	assert_true(arguments.ungroup);
	assert_int_equal(0, arguments.slots);
	assert_int_equal(0, arguments.count);
	assert_false(arguments.unordered);
	assert_int_equal(0, parse("-u map -j 7 echo"));
	assert_true(arguments.unordered);
	assert_false(arguments.ungroup);
	assert_int_equal(7, arguments.jobs);
	assert_int_equal(0, parse("--jobs=5 xargs true"));
	assert_int_equal(5, arguments.slots);
	assert_int_equal(0, arguments.jobs);
	assert_int_equal(0, parse("xargs true"));
	assert_int_equal(WYN_ARGUMENTS_UNSET, arguments.slots);
}

static void arguments_are_refused_when_of_another_command(void **state)
{
	(void)state;
	xargs_refused(
		"xargs --files true", "--files is no option of this command");
	xargs_refused("xargs", "usage: wynctl xargs [--] CMD [ARG...]");
	assert_int_equal(-EINVAL, parse("map -k echo"));
	assert_string_equal("--keep-order is no option of this command", why);
	assert_int_equal(-EINVAL, parse("map -j 0 echo"));
}

static void arguments_are_refused_when_they_contradict(void **state)
{
	(void)state;
	xargs_refused("xargs -k -u true",
		"only one of --keep-order, --line-buffer and --ungroup");
	xargs_refused("xargs --tag -u true",
		"--tag goes neither with --ungroup nor with --json");
	xargs_refused("xargs --json --tag true",
		"--tag goes neither with --ungroup nor with --json");
	xargs_refused("xargs --resume true", "--resume needs --joblog");
	xargs_refused("xargs --halt now true",
		"--halt now: must be never, or as now,fail=1 or "
		"soon,success=10%");
	assert_int_equal(
		0, parse("xargs --halt soon,fail=5% --joblog x --resume true"));
	assert_string_equal("soon,fail=5%", arguments.halt);
}

static void options_take_a_value_or_none_when_they_share_a_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < wyn_options_count; i++) {
		for (size_t j = 0; j < i; j++) {
			const struct wyn_option *one = &wyn_options[i];
			const struct wyn_option *other = &wyn_options[j];

			if (strcmp(one->name, other->name) != 0 &&
				(one->letter == 0 ||
					one->letter != other->letter)) {
				continue;
			}
			assert_int_equal(one->kind == WYN_OPTION_FLAG,
				other->kind == WYN_OPTION_FLAG);
			assert_int_equal(0, one->commands & other->commands);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_end_options_when_the_command_begins),
		cmocka_unit_test(
			arguments_have_own_meaning_when_letters_are_shared),
		cmocka_unit_test(arguments_are_refused_when_of_another_command),
		cmocka_unit_test(arguments_are_refused_when_they_contradict),
		cmocka_unit_test(
			options_take_a_value_or_none_when_they_share_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
