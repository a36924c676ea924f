// SPDX-License-Identifier: MIT
/*
 * test_command_refused.c - commands that a session does not send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/command.h"
#include "client/submit.h"
#include "tests/support/session_rig.h"

#define ARGV(...) ((char *const[]){__VA_ARGS__, NULL})

static const struct wyn_bytes nothing;

static int submit_with(const struct wyn_client_command *command,
	struct wyn_bytes input, struct wyn_client_options options,
	uint64_t *ret_seq)
{
	return wyn_session_submit_command(
		&rig_session, command, input, NULL, &options, ret_seq);
}

static void command_is_refused_when_it_would_cost_the_connection(void **state)
{
	struct wyn_client_options quiet = {.quiet = true};
	struct wyn_client_command command = {.argv = ARGV(NULL)};
	uint64_t seq;

	(void)state;
	assert_int_equal(
		-EINVAL, submit_with(&command, nothing, RIG_NO_OPTIONS, &seq));
	command.argv = NULL;
	assert_int_equal(
		-EINVAL, submit_with(&command, nothing, RIG_NO_OPTIONS, &seq));
	command.argv = ARGV("true");
	command.run_as = "\xff";
	assert_int_equal(
		-EINVAL, submit_with(&command, nothing, RIG_NO_OPTIONS, &seq));
	assert_string_equal("COMMAND_INVALID", rig_session.error.reason);
	command.run_as = NULL;
	command.input_stream = true;
	assert_int_equal(-EINVAL, submit_with(&command, nothing, quiet, &seq));
	assert_int_equal(0, wyn_table_pending(&rig_session.table));
}

static void command_is_refused_when_it_is_larger_than_a_frame(void **state)
{
	char *large = malloc((1u << 20) + 1);
	const struct wyn_client_command command = {.argv = ARGV("echo", large)};
	uint64_t seq;

	(void)state;
	assert_non_null(large);
	memset(large, 'x', 1u << 20);
	large[1u << 20] = '\0';
	assert_int_equal(
		-E2BIG, submit_with(&command, nothing, RIG_NO_OPTIONS, &seq));
	assert_string_equal("COMMAND_TOO_LARGE", rig_session.error.reason);
	free(large);
}

static void command_is_refused_when_it_has_too_many_strings(void **state)
{
	enum {
		MOST = 65000
	};
	static char word[] = "x";
	static char variable[] = "A=1";
	char *words[MOST + 1];
	char *env[] = {variable, NULL};
	struct wyn_client_command command = {.argv = words};
	uint64_t seq;

	(void)state;
	for (size_t i = 0; i < MOST; i++) {
		words[i] = word;
	}
	words[MOST] = NULL;
	assert_int_equal(
		0, submit_with(&command, nothing, RIG_NO_OPTIONS, &seq));
	command.env = env;
	assert_int_equal(
		-E2BIG, submit_with(&command, nothing, RIG_NO_OPTIONS, &seq));
	assert_string_equal("COMMAND_TOO_LARGE", rig_session.error.reason);
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(command_is_refused_when_it_would_cost_the_connection),
		CASE(command_is_refused_when_it_is_larger_than_a_frame),
		CASE(command_is_refused_when_it_has_too_many_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
