// SPDX-License-Identifier: MIT
/*
 * test_outcome.c - what is noted of a call, and what its value is charged.
 */
#include "daemon/run/outcome.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wyn/module.h>
#include <wyn/status.h>

#include "daemon/run/account.h"

#define VALUE_MAX 4096u
#define HELD_MAX  8500u

static _Atomic uint64_t values_held;
static struct wyn_account account = {
	.all_held = &values_held, .all_max = HELD_MAX, .holders = 1};
static uint8_t small[WYN_INLINE_VALUE_BYTES];
static struct wyn_outcome outcome;

static int begin(void **state)
{
	(void)state;
	outcome = (struct wyn_outcome){
		.account = &account,
		.value_bytes_max = VALUE_MAX,
		.small = small,
	};
	return 0;
}

static int end(void **state)
{
	(void)state;
	wyn_outcome_clear(&outcome);
	return values_held != 0 || account.held != 0;
}

/* refusal: WYN_REFUSAL_NONE = the function alone decided. */
static void check(uint32_t code, enum wyn_refusal refusal, const char *message)
{
	assert_int_equal(outcome.code, code);
	assert_int_equal(outcome.refusal, refusal);
	if (message == NULL) {
		assert_null(outcome.message);
		return;
	}
	assert_non_null(outcome.message);
	assert_string_equal(outcome.message, message);
}

static void outcome_lends_its_room_when_the_value_is_small(void **state)
{
	(void)state;
	assert_ptr_equal(wyn_outcome_reserve(&outcome, sizeof(small)), small);
	assert_int_equal(outcome.value_bytes, sizeof(small));
	assert_int_equal(values_held, 0);
	assert_true(wyn_outcome_is_plain(&outcome));
}

static void outcome_charges_its_account_when_the_value_is_large(void **state)
{
	(void)state;
	assert_non_null(wyn_outcome_reserve(&outcome, sizeof(small) + 1));
	assert_int_equal(values_held, sizeof(small) + 1);
	assert_int_equal(account.held, sizeof(small) + 1);
	assert_false(wyn_outcome_is_plain(&outcome));
	wyn_outcome_clear(&outcome);
	assert_int_equal(values_held, 0);
	assert_null(outcome.value);
}

/* Together they are over what the account has: the first is given back. */
static void outcome_keeps_the_last_value_when_reserved_again(void **state)
{
	(void)state;
	assert_non_null(wyn_outcome_reserve(&outcome, VALUE_MAX));
	assert_non_null(wyn_outcome_reserve(&outcome, VALUE_MAX - 1));
	assert_int_equal(values_held, VALUE_MAX - 1);
	assert_non_null(wyn_outcome_reserve(&outcome, 5));
	wyn_outcome_conclude(&outcome, WYN_STATUS_OK, false, "f");
	check(WYN_STATUS_OK, WYN_REFUSAL_NONE, NULL);
	assert_int_equal(outcome.value_bytes, 5);
	assert_int_equal(values_held, 0);
}

static void outcome_is_exhausted_when_the_value_is_too_large(void **state)
{
	(void)state;
	assert_null(wyn_outcome_reserve(&outcome, VALUE_MAX + 1));
	wyn_outcome_conclude(
		&outcome, WYN_STATUS_RESOURCE_EXHAUSTED, false, "f");
	check(WYN_STATUS_RESOURCE_EXHAUSTED, WYN_REFUSAL_VALUE_TOO_LARGE,
		"no room for a value of 4097 bytes");
	assert_null(outcome.value);
}

static void outcome_is_exhausted_when_the_account_is(void **state)
{
	(void)state;
	values_held = HELD_MAX - 99;
	assert_null(wyn_outcome_reserve(&outcome, 100));
	wyn_outcome_conclude(
		&outcome, WYN_STATUS_RESOURCE_EXHAUSTED, false, "f");
	check(WYN_STATUS_RESOURCE_EXHAUSTED, WYN_REFUSAL_DAEMON_BYTES_MAX,
		"no room for a value of 100 bytes");
	assert_int_equal(values_held, HELD_MAX - 99);
	values_held = 0;
}

static void outcome_is_exhausted_when_the_function_ignores_it(void **state)
{
	(void)state;
	assert_null(wyn_outcome_reserve(&outcome, VALUE_MAX + 1));
	wyn_outcome_conclude(&outcome, WYN_STATUS_OK, false, "f");
	assert_int_equal(outcome.code, WYN_STATUS_RESOURCE_EXHAUSTED);
	assert_false(wyn_outcome_is_plain(&outcome));
}

static void outcome_is_ok_when_a_smaller_value_fits_after_all(void **state)
{
	(void)state;
	assert_null(wyn_outcome_reserve(&outcome, VALUE_MAX + 1));
	assert_non_null(wyn_outcome_reserve(&outcome, 100));
	wyn_outcome_conclude(&outcome, WYN_STATUS_OK, false, "f");
	check(WYN_STATUS_OK, WYN_REFUSAL_NONE, NULL);
	assert_int_equal(outcome.value_bytes, 100);
}

static void outcome_has_the_functions_code_when_it_failed(void **state)
{
	for (int code = 1; code < WYN_STATUS_COUNT; code++) {
		begin(state);
		wyn_outcome_conclude(&outcome, code, true, "f");
		check((uint32_t)code,
			code == WYN_STATUS_CANCELLED
				? WYN_REFUSAL_CANCELLED_BY_CLIENT
				: WYN_REFUSAL_FUNCTION_FAILED,
			NULL);
	}
}

static void outcome_is_the_functions_when_nobody_cancelled_it(void **state)
{
	(void)state;
	wyn_outcome_conclude(&outcome, WYN_STATUS_CANCELLED, false, "f");
	check(WYN_STATUS_CANCELLED, WYN_REFUSAL_FUNCTION_FAILED, NULL);
}

static void outcome_has_no_value_when_it_failed_after_setting_one(void **state)
{
	(void)state;
	assert_non_null(wyn_outcome_reserve(&outcome, VALUE_MAX));
	wyn_outcome_conclude(&outcome, WYN_STATUS_ABORTED, false, "f");
	check(WYN_STATUS_ABORTED, WYN_REFUSAL_FUNCTION_FAILED, NULL);
	assert_null(outcome.value);
	assert_int_equal(values_held, 0);
}

static void outcome_has_no_words_when_they_are_followed_by_ok(void **state)
{
	(void)state;
	wyn_outcome_say(&outcome, "never mind");
	wyn_outcome_conclude(&outcome, WYN_STATUS_OK, false, "f");
	check(WYN_STATUS_OK, WYN_REFUSAL_NONE, NULL);
	assert_true(wyn_outcome_is_plain(&outcome));
}

static void outcome_is_internal_when_the_return_is_no_status(void **state)
{
	(void)state;
	wyn_outcome_say(&outcome, "lost");
	wyn_outcome_conclude(&outcome, -ENOENT, false, "f");
	check(WYN_STATUS_INTERNAL, WYN_REFUSAL_FUNCTION_FAILED,
		"f returned -2, which is no status");
	wyn_outcome_conclude(&outcome, WYN_STATUS_COUNT, false, "f");
	check(WYN_STATUS_INTERNAL, WYN_REFUSAL_FUNCTION_FAILED,
		"f returned 17, which is no status");
}

static void outcome_keeps_words_when_they_are_utf8(void **state)
{
	(void)state;
	wyn_outcome_say(&outcome, "caf\xc3\xa9");
	assert_string_equal(outcome.message, "caf\xc3\xa9");
	wyn_outcome_say(&outcome, "caf\xe9");
	assert_string_equal(outcome.message, "caf?");
}

/* Says so many blanks and then characters of two, three or four bytes, until
 * it is too long, and expects whole ones. */
static void cut_expected(size_t blanks, const char *character)
{
	char message[2 * WYN_MODULE_MESSAGE_BYTES_MAX] = "";
	size_t bytes = strlen(character);
	size_t whole = (WYN_MODULE_MESSAGE_BYTES_MAX - blanks) / bytes;

	memset(message, ' ', blanks);
	for (size_t at = blanks; at < WYN_MODULE_MESSAGE_BYTES_MAX;
		at += bytes) {
		memcpy(message + at, character, bytes + 1);
	}
	wyn_outcome_say(&outcome, message);
	message[blanks + whole * bytes] = '\0';
	assert_string_equal(outcome.message, message);
}

static void outcome_cuts_words_between_characters_when_they_are_long(
	void **state)
{
	(void)state;
	for (size_t blanks = 0; blanks < 4; blanks++) {
		cut_expected(blanks, "\xc3\xa9");
		cut_expected(blanks, "\xe2\x82\xac");
		cut_expected(blanks, "\xf0\x9f\x90\xa2");
	}
}

static void append_many(size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char byte = (char)('a' + i % 26);

		assert_true(wyn_outcome_append(&outcome, &byte, 1));
	}
}

static void check_letters(size_t count)
{
	assert_int_equal(outcome.value_bytes, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(outcome.value[i], 'a' + i % 26);
	}
}

static void outcome_grows_when_it_is_appended_to(void **state)
{
	(void)state;
	append_many(sizeof(small));
	assert_ptr_equal(outcome.value, small);
	check_letters(sizeof(small));
	wyn_outcome_clear(&outcome);

	append_many(1000);
	check_letters(1000);
	/* Some is taken in advance, and given back. */
	assert_in_range(values_held, 1000, 2000);
	wyn_outcome_conclude(&outcome, WYN_STATUS_OK, false, "f");

	check_letters(1000);
	assert_int_equal(values_held, 1000);
	assert_int_equal(account.held, 1000);
}

static void outcome_appends_behind_what_was_reserved(void **state)
{
	(void)state;
	memcpy(wyn_outcome_reserve(&outcome, 3), "abc", 3);
	assert_true(wyn_outcome_append(&outcome, "", 0));
	assert_true(wyn_outcome_append(&outcome, "de", 2));

	check_letters(5);
}

static void outcome_fills_the_largest_value_when_it_is_appended_to(void **state)
{
	(void)state;
	append_many(VALUE_MAX);
	check_letters(VALUE_MAX);

	assert_false(wyn_outcome_append(&outcome, "x", 1));
	assert_false(wyn_outcome_append(&outcome, "x", 1));

	wyn_outcome_conclude(&outcome, WYN_STATUS_OK, false, "f");
	check(WYN_STATUS_RESOURCE_EXHAUSTED, WYN_REFUSAL_VALUE_TOO_LARGE,
		"no room for a value of 4097 bytes");
	assert_int_equal(values_held, 0);
}

static void outcome_is_exhausted_when_appending_finds_no_room(void **state)
{
	(void)state;
	values_held = HELD_MAX - 100;
	account.held = 0;
	append_many(sizeof(small));

	/* 100 are left, of which one owner may have half. */
	assert_false(wyn_outcome_append(&outcome, small, sizeof(small)));

	check(WYN_STATUS_RESOURCE_EXHAUSTED, WYN_REFUSAL_DAEMON_BYTES_MAX,
		"no room for a value of 128 bytes");
	values_held = 0;
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(outcome_lends_its_room_when_the_value_is_small),
		CASE(outcome_charges_its_account_when_the_value_is_large),
		CASE(outcome_keeps_the_last_value_when_reserved_again),
		CASE(outcome_is_exhausted_when_the_value_is_too_large),
		CASE(outcome_is_exhausted_when_the_account_is),
		CASE(outcome_is_exhausted_when_the_function_ignores_it),
		CASE(outcome_is_ok_when_a_smaller_value_fits_after_all),
		CASE(outcome_has_the_functions_code_when_it_failed),
		CASE(outcome_is_the_functions_when_nobody_cancelled_it),
		CASE(outcome_has_no_value_when_it_failed_after_setting_one),
		CASE(outcome_has_no_words_when_they_are_followed_by_ok),
		CASE(outcome_is_internal_when_the_return_is_no_status),
		CASE(outcome_keeps_words_when_they_are_utf8),
		CASE(outcome_cuts_words_between_characters_when_they_are_long),
		CASE(outcome_grows_when_it_is_appended_to),
		CASE(outcome_appends_behind_what_was_reserved),
		CASE(outcome_fills_the_largest_value_when_it_is_appended_to),
		CASE(outcome_is_exhausted_when_appending_finds_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
