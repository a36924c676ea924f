// SPDX-License-Identifier: MIT
/*
 * test_diag.c - the functions of module diag, one call at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "tests/support/module_host.h"

static struct wyn_module_host host;

static int open_module(void **state)
{
	(void)state;
	return wyn_module_host_open(&host, "diag") ? 0 : -1;
}

static int close_module(void **state)
{
	(void)state;
	wyn_module_host_close(&host);
	return 0;
}

static int begin(void **state)
{
	static struct wyn_host_call call;

	wyn_host_call_init(&call);
	*state = &call;
	return 0;
}

static int end(void **state)
{
	wyn_host_call_fini(*state);
	return 0;
}

static int call_text(
	struct wyn_host_call *call, const char *function, const char *argument)
{
	return wyn_module_host_call(
		&host, call, function, argument, strlen(argument));
}

static uint64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void diag_describes_itself_when_loaded(void **state)
{
	(void)state;
	assert_int_equal(host.module->abi, WYN_MODULE_ABI);
	assert_int_equal(host.module->size_bytes, sizeof(struct wyn_module));
	assert_string_equal(host.module->name, "diag");
	assert_int_equal(host.module->functions_count, 9);
}

static void echo_returns_its_argument_when_it_holds_any_bytes(void **state)
{
	struct wyn_host_call *call = *state;
	static const char argument[] = "a\0b\xff";

	assert_int_equal(wyn_module_host_call(&host, call, "echo", argument,
				 sizeof(argument)),
		WYN_STATUS_OK);

	assert_int_equal(call->value_bytes, sizeof(argument));
	assert_memory_equal(call->value, argument, sizeof(argument));
}

static void echo_returns_an_empty_value_when_its_argument_is_empty(void **state)
{
	struct wyn_host_call *call = *state;

	assert_int_equal(wyn_module_host_call(&host, call, "echo", NULL, 0),
		WYN_STATUS_OK);

	assert_int_equal(call->value_bytes, 0);
}

static void echo_is_exhausted_when_its_value_is_over_the_limit(void **state)
{
	struct wyn_host_call *call = *state;

	call->value_bytes_max = 3;

	assert_int_equal(
		call_text(call, "echo", "four"), WYN_STATUS_RESOURCE_EXHAUSTED);
}

static void noop_returns_no_value_when_called(void **state)
{
	struct wyn_host_call *call = *state;

	assert_int_equal(call_text(call, "noop", "ignored"), WYN_STATUS_OK);

	assert_null(call->value);
}

static void sleep_ms_takes_its_time_when_left_alone(void **state)
{
	struct wyn_host_call *call = *state;
	uint64_t start_us = now_us();

	assert_int_equal(call_text(call, "sleep_ms", "15"), WYN_STATUS_OK);

	assert_true(now_us() - start_us >= 15000);
	assert_true(call->looks >= 1);
}

static void sleep_ms_ends_early_when_cancelled(void **state)
{
	struct wyn_host_call *call = *state;

	call->cancelled_after = 2;

	assert_int_equal(
		call_text(call, "sleep_ms", "86400000"), WYN_STATUS_CANCELLED);

	assert_int_equal(call->looks, 3);
	assert_non_null(strstr(call->message, "cancelled after sleeping"));
}

static void spin_us_takes_its_time_when_left_alone(void **state)
{
	struct wyn_host_call *call = *state;
	uint64_t start_us = now_us();

	assert_int_equal(call_text(call, "spin_us", "500"), WYN_STATUS_OK);

	assert_true(now_us() - start_us >= 500);
}

static void spin_us_ends_early_when_cancelled(void **state)
{
	struct wyn_host_call *call = *state;

	call->cancelled_after = 10;

	assert_int_equal(call_text(call, "spin_us", "86400000000"),
		WYN_STATUS_CANCELLED);
}

static void spin_us_goes_on_when_deaf_and_cancelled(void **state)
{
	struct wyn_host_call *call = *state;
	uint64_t start_us = now_us();

	call->cancelled_after = 0;

	assert_int_equal(
		call_text(call, "spin_us", "2000 deaf"), WYN_STATUS_OK);

	assert_true(now_us() - start_us >= 2000);
	assert_int_equal(call->looks, 0);
}

static void fail_gives_code_and_message_when_both_are_said(void **state)
{
	struct wyn_host_call *call = *state;

	assert_int_equal(call_text(call, "fail", "5 no such %s thing"),
		WYN_STATUS_NOT_FOUND);

	assert_string_equal(call->message, "no such %s thing");
	assert_null(call->value);
}

static void fail_gives_no_message_when_only_the_code_is_said(void **state)
{
	struct wyn_host_call *call = *state;

	assert_int_equal(
		call_text(call, "fail", "16"), WYN_STATUS_UNAUTHENTICATED);

	assert_string_equal(call->message, "");
}

static void fail_cuts_its_message_when_it_is_too_long(void **state)
{
	struct wyn_host_call *call = *state;
	char argument[1000];

	memset(argument, 'x', sizeof(argument));
	memcpy(argument, "2 ", 2);

	assert_int_equal(wyn_module_host_call(&host, call, "fail", argument,
				 sizeof(argument)),
		WYN_STATUS_UNKNOWN);

	assert_int_equal(strlen(call->message), WYN_MODULE_MESSAGE_BYTES_MAX);
}

static void count_emits_every_number_when_left_alone(void **state)
{
	struct wyn_host_call *call = *state;

	assert_int_equal(call_text(call, "count", "11"), WYN_STATUS_OK);

	assert_string_equal(call->partials, "1 2 3 4 5 6 7 8 9 10 11 ");
	assert_string_equal(call->value, "11");
}

static void count_emits_nothing_when_it_is_zero(void **state)
{
	struct wyn_host_call *call = *state;

	assert_int_equal(call_text(call, "count", "0"), WYN_STATUS_OK);

	assert_int_equal(call->emits, 0);
	assert_string_equal(call->value, "0");
}

static void count_stops_when_emitting_says_cancelled(void **state)
{
	struct wyn_host_call *call = *state;

	call->cancelled_after = 3;

	assert_int_equal(
		call_text(call, "count", "1000000000"), WYN_STATUS_CANCELLED);

	assert_string_equal(call->partials, "1 2 3 ");
	assert_string_equal(call->message, "cancelled after 3 of 1000000000");
}

static void count_fails_when_a_partial_value_is_refused(void **state)
{
	struct wyn_host_call *call = *state;

	call->refused_after = 2;

	assert_int_equal(
		call_text(call, "count", "5"), WYN_STATUS_RESOURCE_EXHAUSTED);

	assert_non_null(strstr(call->message, "partial value 3 was refused"));
}

static void size_returns_its_pattern_when_it_has_room(void **state)
{
	struct wyn_host_call *call = *state;

	assert_int_equal(call_text(call, "size", "28"), WYN_STATUS_OK);

	assert_string_equal(call->value, "abcdefghijklmnopqrstuvwxyzab");
}

static void size_is_exhausted_when_over_the_limit(void **state)
{
	struct wyn_host_call *call = *state;

	call->value_bytes_max = 1000;

	assert_int_equal(
		call_text(call, "size", "1001"), WYN_STATUS_RESOURCE_EXHAUSTED);
}

static void fib_adds_what_nested_calls_give(void **state)
{
	static const char *const expected[] = {"0", "1", "1", "2", "3", "5"};
	struct wyn_host_call *call = *state;

	for (size_t n = 0; n < WYN_COUNT_OF(expected); n++) {
		const char text[2] = {(char)('0' + n), '\0'};

		wyn_host_call_fini(call);
		wyn_host_call_init(call);
		assert_int_equal(call_text(call, "fib", text), WYN_STATUS_OK);
		assert_string_equal(call->value, expected[n]);
	}
}

static void fib_ends_when_it_is_cancelled(void **state)
{
	struct wyn_host_call *call = *state;

	call->cancelled_after = 0;

	assert_int_equal(call_text(call, "fib", "9"), WYN_STATUS_CANCELLED);
}

static void functions_say_what_is_right_when_their_argument_is_wrong(
	void **state)
{
	static const struct {
		const char *function;
		const char *argument;
	} wrong[] = {
		{"sleep_ms", ""},
		{"sleep_ms", "-1"},
		{"sleep_ms", "1 "},
		{"sleep_ms", " 1"},
		{"sleep_ms", "1.5"},
		{"sleep_ms", "86400001"},
		{"sleep_ms", "18446744073709551617"},
		{"spin_us", "deaf"},
		{"spin_us", "5 blind"},
		{"spin_us", "5  deaf"},
		{"spin_us", "5deaf"},
		{"fail", ""},
		{"fail", "0"},
		{"fail", "17"},
		{"fail", "3x"},
		{"count", "many"},
		{"count", "1000000001"},
		{"size", "0x10"},
		{"size", "99999999999999999999999"},
	};
	struct wyn_host_call *call = *state;

	for (size_t i = 0; i < WYN_COUNT_OF(wrong); i++) {
		wyn_host_call_fini(call);
		wyn_host_call_init(call);
		assert_int_equal(
			call_text(call, wrong[i].function, wrong[i].argument),
			WYN_STATUS_INVALID_ARGUMENT);
		assert_non_null(strstr(call->message, "the argument must be "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CASE(diag_describes_itself_when_loaded),
		CASE(echo_returns_its_argument_when_it_holds_any_bytes),
		CASE(echo_returns_an_empty_value_when_its_argument_is_empty),
		CASE(echo_is_exhausted_when_its_value_is_over_the_limit),
		CASE(noop_returns_no_value_when_called),
		CASE(sleep_ms_takes_its_time_when_left_alone),
		CASE(sleep_ms_ends_early_when_cancelled),
		CASE(spin_us_takes_its_time_when_left_alone),
		CASE(spin_us_ends_early_when_cancelled),
		CASE(spin_us_goes_on_when_deaf_and_cancelled),
		CASE(fail_gives_code_and_message_when_both_are_said),
		CASE(fail_gives_no_message_when_only_the_code_is_said),
		CASE(fail_cuts_its_message_when_it_is_too_long),
		CASE(count_emits_every_number_when_left_alone),
		CASE(count_emits_nothing_when_it_is_zero),
		CASE(count_stops_when_emitting_says_cancelled),
		CASE(count_fails_when_a_partial_value_is_refused),
		CASE(size_returns_its_pattern_when_it_has_room),
		CASE(size_is_exhausted_when_over_the_limit),
		CASE(fib_adds_what_nested_calls_give),
		CASE(fib_ends_when_it_is_cancelled),
		CASE(functions_say_what_is_right_when_their_argument_is_wrong),
#undef CASE
	};

	return cmocka_run_group_tests(tests, open_module, close_module);
}
