// SPDX-License-Identifier: MIT
/*
 * test_arguments.c - the command line of wynctl.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include <wyn/client.h>

#include "tests/support/arguments_rig.h"

static void arguments_has_operands_when_command_takes_some(void **state)
{
	(void)state;
	assert_int_equal(0, parse("call sha256 abc"));
	assert_int_equal(WYN_COMMAND_CALL, arguments.command);
	assert_int_equal(2, arguments.operand_count);
	assert_string_equal("sha256", arguments.operands[0]);
	assert_string_equal("abc", arguments.operands[1]);
}

static void arguments_takes_options_when_anywhere(void **state)
{
	(void)state;
	assert_int_equal(0, parse("--json -c unix:/a map --jobs 7 f -u x -0"));
	assert_true(arguments.json);
	assert_true(arguments.unordered);
	assert_true(arguments.null);
	assert_int_equal(7, arguments.jobs);
	assert_string_equal("unix:/a", arguments.connect);
	assert_int_equal(2, arguments.operand_count);
	assert_string_equal("x", arguments.operands[1]);
}

static void arguments_takes_dash_when_it_is_an_operand(void **state)
{
	(void)state;
	assert_int_equal(0, parse("call echo -"));
	assert_string_equal("-", arguments.operands[1]);
	assert_int_equal(0, parse("call -- echo --json"));
	assert_false(arguments.json);
	assert_string_equal("--json", arguments.operands[1]);
}

static void arguments_reads_times_when_they_have_units(void **state)
{
	(void)state;
	assert_int_equal(0, parse("call -t 500ms -d 2s --priority high echo"));
	assert_int_equal(500, arguments.timeout_ms);
	assert_int_equal(2000, arguments.deadline_ms);
	assert_int_equal(WYN_CLIENT_PRIORITY_HIGH, arguments.priority);
}

static void arguments_uses_environment_when_no_address_is_given(void **state)
{
	(void)state;
	assert_int_equal(0, parse_in("ping", "unix:/env"));
	assert_string_equal("unix:/env", arguments.connect);
	assert_int_equal(0, parse_in("ping -c unix:/option", "unix:/env"));
	assert_string_equal("unix:/option", arguments.connect);
	assert_int_equal(0, parse_in("ping", ""));
	assert_null(arguments.connect);
}

static void arguments_reads_count_when_command_is_repeat(void **state)
{
	(void)state;
	assert_int_equal(0, parse("repeat echo 1000000 --in-flight 64"));
	assert_int_equal(1000000, arguments.count);
	assert_int_equal(64, arguments.jobs);
	assert_refused("repeat echo many",
		"number of tasks many: must be a whole number");
}

static void arguments_names_the_nearest_when_word_is_unknown(void **state)
{
	(void)state;
	assert_refused(
		"cal echo", "unknown command \"cal\"; did you mean \"call\"?");
	assert_refused("map echo --jbs 3",
		"unknown option --jbs; did you mean --jobs?");
	assert_refused("ping -x",
		"unknown option -x; if it is an argument, put -- "
		"before it; see wynctl COMMAND --help");
}

static void arguments_refuses_when_option_is_of_another_command(void **state)
{
	(void)state;
	assert_refused(
		"call --files f", "--files is no option of this command");
}

static void arguments_refuses_when_value_is_wrong(void **state)
{
	(void)state;
	assert_refused("ping -n", "option -n needs a value");
	assert_refused("stats --json=1", "option --json takes no value");
	assert_refused("call -p urgent f",
		"--priority urgent: must be low, normal or high");
	assert_int_equal(-EINVAL, parse("map -j 0 f"));
	assert_int_equal(-EINVAL, parse("ping -c nowhere"));
}

static void arguments_refuses_when_operands_are_missing(void **state)
{
	(void)state;
	assert_refused("call", "usage: wynctl call FUNC [ARG | -]");
	assert_refused("functions x", "usage: wynctl functions");
	assert_refused("", "unknown command \"\"; see wynctl --help");
	assert_refused("--json", "no command given; see wynctl --help");
}

static void arguments_needs_no_operands_when_help_is_wanted(void **state)
{
	(void)state;
	assert_int_equal(0, parse("call --help"));
	assert_true(arguments.help);
	assert_int_equal(WYN_COMMAND_CALL, arguments.command);
	assert_int_equal(0, parse("-h"));
	assert_int_equal(WYN_COMMAND_NONE, arguments.command);
}

static void arguments_filter_a_list(void **state)
{
	(void)state;
	assert_int_equal(0, parse("list --function echo --state running "
				  "--connection 7 --after 18446744073709551614 "
				  "--limit 3"));
	assert_string_equal("echo", arguments.function);
	assert_int_equal(WYN_CLIENT_STATE_RUNNING, arguments.state);
	assert_int_equal(7, arguments.connection);
	assert_true(arguments.after == UINT64_MAX - 1);
	assert_int_equal(3, arguments.limit);
	assert_refused("list --state busy",
		"--state busy: must be uploading, queued, next, running, "
		"output or ended");
	assert_refused("list --state any",
		"--state any: must be uploading, queued, "
		"next, running, output or ended");
}

static void arguments_explain_a_number(void **state)
{
	(void)state;
	assert_int_equal(0, parse("explain 18446744073709551615"));
	assert_true(arguments.number == UINT64_MAX);
	assert_int_equal(-EINVAL, parse("explain -- -1"));
	assert_int_equal(0, parse("explain 5 --connection 2"));
	assert_int_equal(5, arguments.number);
	assert_int_equal(-EINVAL, parse("explain 0"));
}

static void arguments_watch_at_an_interval(void **state)
{
	(void)state;
	assert_int_equal(0, parse("stats --watch"));
	assert_int_equal(1000, arguments.interval_ms);
	assert_int_equal(0, parse("stats -w 250ms -n 3"));
	assert_int_equal(250, arguments.interval_ms);
	assert_int_equal(3, arguments.count);
	assert_refused("stats 5s", "TIME and --count are for stats --watch");
	assert_refused("stats -n 5", "TIME and --count are for stats --watch");
	assert_int_equal(-EINVAL, parse("stats --watch 0"));
}

static void arguments_know_what_a_module_can(void **state)
{
	(void)state;
	assert_int_equal(0, parse("module list"));
	assert_int_equal(0, parse("module check m.so"));
	for (size_t i = 0; i < 3; i++) {
		static const char *const wrong[] = {
			"module lost", "module check", "module list m.so"};

		assert_refused(wrong[i],
			"usage: wynctl module list | module check FILE");
	}
}

static void arguments_ends_ours_when_a_program_is_named(void **state)
{
	(void)state;
	assert_int_equal(0, parse("run -m --cpu 50 ls -l --json -- x"));
	assert_int_equal(WYN_COMMAND_RUN, arguments.command);
	assert_true(arguments.merge);
	assert_false(arguments.json);
	assert_int_equal(50, arguments.cpu_percent);
	assert_int_equal(5, arguments.operand_count);
	assert_string_equal("ls", arguments.operands[0]);
	assert_string_equal("--", arguments.operands[3]);
	assert_int_equal(0, parse("run -- --odd -x"));
	assert_int_equal(2, arguments.operand_count);
	assert_string_equal("--odd", arguments.operands[0]);
	assert_refused("run", "usage: wynctl run [--] CMD [ARG...]");
	assert_int_equal(WYN_COMMAND_RUN, arguments.command);
}

static void arguments_keeps_all_texts_when_an_option_comes_again(void **state)
{
	char line[8 * (WYN_ARGUMENTS_LIST_MAX + 4)] = "run";
	char *many[2 * WYN_ARGUMENTS_LIST_MAX + 8];
	char text[] = "--env=A";
	int count = 0;

	(void)state;
	assert_int_equal(0, parse("run -e A=1 --env B -e A=2 x"));
	assert_int_equal(3, arguments.env.count);
	assert_string_equal("A=1", arguments.env.texts[0]);
	assert_string_equal("B", arguments.env.texts[1]);
	assert_string_equal("A=2", arguments.env.texts[2]);

	many[count++] = text;
	many[count++] = line;
	while (count < (int)WYN_ARGUMENTS_LIST_MAX + 3) {
		many[count++] = text;
	}
	many[count] = NULL;
	assert_int_equal(-EINVAL,
		wyn_arguments_parse(count, many, NULL, &arguments, why));
	assert_string_equal("--env: more than 256 of them", why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments_ends_ours_when_a_program_is_named),
		cmocka_unit_test(
			arguments_keeps_all_texts_when_an_option_comes_again),
		cmocka_unit_test(arguments_filter_a_list),
		cmocka_unit_test(arguments_explain_a_number),
		cmocka_unit_test(arguments_watch_at_an_interval),
		cmocka_unit_test(arguments_know_what_a_module_can),
		cmocka_unit_test(
			arguments_has_operands_when_command_takes_some),
		cmocka_unit_test(arguments_takes_options_when_anywhere),
		cmocka_unit_test(arguments_takes_dash_when_it_is_an_operand),
		cmocka_unit_test(arguments_reads_times_when_they_have_units),
		cmocka_unit_test(
			arguments_uses_environment_when_no_address_is_given),
		cmocka_unit_test(arguments_reads_count_when_command_is_repeat),
		cmocka_unit_test(
			arguments_names_the_nearest_when_word_is_unknown),
		cmocka_unit_test(
			arguments_refuses_when_option_is_of_another_command),
		cmocka_unit_test(arguments_refuses_when_value_is_wrong),
		cmocka_unit_test(arguments_refuses_when_operands_are_missing),
		cmocka_unit_test(
			arguments_needs_no_operands_when_help_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
