// SPDX-License-Identifier: MIT
/*
 * test_admission.c - which limit says what, at it and just over it.
 */
#include "daemon/engine/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <wyn/status.h>

#include "base/compiler.h"

static const struct wyn_limits limits = {
	.batch_max = 10,
	.argument_bytes_max = 100,
	.daemon_tasks_max = 50,
	.daemon_bytes_max = 1000,
	.uploads_max = 4,
};

/* Nothing is in its way. */
static const struct wyn_admission free_way = {
	.limits = &limits,
	.function_known = true,
	.credit_tasks = 100,
	.credit_bytes = 10000,
};

static struct wyn_admission admission;
static struct wyn_submit submit;
static struct wyn_answer answer;

static int setup(void **state)
{
	(void)state;
	admission = free_way;
	submit = (struct wyn_submit){.args = {.count = 10},
		.options = {.priority = WYN__V1__PRIORITY__PRIORITY_NORMAL,
			.on_disconnect =
				WYN__V1__ON_DISCONNECT__ON_DISCONNECT_CANCEL}};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return 0;
}

static void whole_expected(const char *reason, enum wyn_status code)
{
	assert_true(wyn_admission_whole(&admission, &submit, &answer));
	assert_string_equal(wyn_refusal_of(answer.refusal)->word, reason);
	assert_int_equal(wyn_refusal_of(answer.refusal)->status, code);
	assert_int_equal(answer.ran, 0);
}

static void whole_is_let_in_when_nothing_is_wrong(void **state)
{
	(void)state;
	assert_false(wyn_admission_whole(&admission, &submit, &answer));
}

static void whole_is_refused_while_draining(void **state)
{
	(void)state;
	admission.draining = true;
	whole_expected("DRAINING", WYN_STATUS_FAILED_PRECONDITION);
}

static void whole_is_refused_when_the_batch_is_too_large(void **state)
{
	(void)state;
	submit.args.count = 11;
	whole_expected("BATCH_TOO_LARGE", WYN_STATUS_INVALID_ARGUMENT);
}

static void whole_is_refused_when_the_function_is_unknown(void **state)
{
	(void)state;
	admission.function_known = false;
	whole_expected("FUNCTION_UNKNOWN", WYN_STATUS_NOT_FOUND);
}

static void whole_is_refused_by_name_for_each_wrong_option(void **state)
{
	static const uint64_t year_ms = UINT64_C(366) * 24 * 3600 * 1000;

	(void)state;
	submit.options.priority = 4;
	whole_expected("OPTION_INVALID", WYN_STATUS_INVALID_ARGUMENT);
	assert_non_null(strstr(answer.text, "priority"));
	(void)setup(state);
	submit.options.on_disconnect = 3;
	whole_expected("OPTION_INVALID", WYN_STATUS_INVALID_ARGUMENT);
	assert_non_null(strstr(answer.text, "on_disconnect"));
	(void)setup(state);
	submit.options.timeout_ms = year_ms + 1;
	whole_expected("OPTION_INVALID", WYN_STATUS_INVALID_ARGUMENT);
	assert_non_null(strstr(answer.text, "timeout_ms"));
	(void)setup(state);
	submit.options.deadline_ms = year_ms + 1;
	whole_expected("OPTION_INVALID", WYN_STATUS_INVALID_ARGUMENT);
	assert_non_null(strstr(answer.text, "deadline_ms"));
	(void)setup(state);
	submit.options.label = (struct wyn_slice){(const uint8_t *)"", 63};
	assert_false(wyn_admission_whole(&admission, &submit, &answer));
	submit.options.label.len = 64;
	whole_expected("OPTION_INVALID", WYN_STATUS_INVALID_ARGUMENT);
	assert_non_null(strstr(answer.text, "label"));
}

static void whole_is_refused_when_it_may_not_be_kept(void **state)
{
	(void)state;
	submit.options.on_disconnect =
		WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP;
	whole_expected("KEEP_LOCAL_ONLY", WYN_STATUS_PERMISSION_DENIED);
	admission.keeps = true;
	submit.args.count = 3;
	admission.keep_room = 3;
	assert_false(wyn_admission_whole(&admission, &submit, &answer));
	admission.keep_room = 2;
	whole_expected("KEEP_TASKS_MAX", WYN_STATUS_RESOURCE_EXHAUSTED);
	submit.options.on_disconnect =
		WYN__V1__ON_DISCONNECT__ON_DISCONNECT_CANCEL;
	assert_false(wyn_admission_whole(&admission, &submit, &answer));
}

/* One task beside what was taken; NULL = it is let in. */
static const struct {
	const char *reason;
	struct wyn_admission admission;
	uint64_t taken;
	uint64_t taken_bytes;
	uint64_t bytes;
	bool upload;
} table[] = {
#define SHARED .limits = &limits, .function_known = true
#define WAY    SHARED, .alone = true
	{NULL, {WAY, .credit_tasks = 1, .credit_bytes = 100}, 0, 0, 100, false},
	{"ARGUMENT_TOO_LARGE", {WAY, .credit_tasks = 1, .credit_bytes = 200}, 0,
		0, 101, false},
	{"TASKS_OVER_CREDIT", {WAY, .credit_tasks = 3, .credit_bytes = 9}, 3, 0,
		1, false},
	{NULL, {WAY, .credit_tasks = 3, .credit_bytes = 9}, 2, 8, 1, false},
	{"BYTES_OVER_CREDIT", {WAY, .credit_tasks = 3, .credit_bytes = 9}, 2, 8,
		2, false},
	{NULL, {WAY, .credit_tasks = 9, .credit_bytes = 9, .daemon_tasks = 48},
		1, 0, 1, false},
	{"DAEMON_TASKS_MAX",
		{WAY, .credit_tasks = 9, .credit_bytes = 9, .daemon_tasks = 48},
		2, 0, 1, false},
	{NULL,
		{WAY, .credit_tasks = 9, .credit_bytes = 99,
			.daemon_bytes = 990},
		1, 5, 5, false},
	{"DAEMON_BYTES_MAX",
		{WAY, .credit_tasks = 9, .credit_bytes = 99,
			.daemon_bytes = 990},
		1, 5, 6, false},
	{NULL,
		{SHARED, .credit_tasks = 9, .credit_bytes = 9,
			.daemon_tasks = 39, .own_tasks = 9},
		0, 0, 1, false},
	{"DAEMON_TASKS_MAX",
		{SHARED, .credit_tasks = 9, .credit_bytes = 9,
			.daemon_tasks = 39, .own_tasks = 9},
		1, 1, 1, false},
	{NULL,
		{WAY, .credit_tasks = 9, .credit_bytes = 9, .daemon_tasks = 39,
			.own_tasks = 39},
		1, 1, 1, false},
	{NULL,
		{SHARED, .credit_tasks = 9, .credit_bytes = 9,
			.daemon_tasks = 49},
		0, 0, 1, false},
	{"DAEMON_BYTES_MAX",
		{SHARED, .credit_tasks = 9, .credit_bytes = 99,
			.daemon_bytes = 900, .own_bytes = 50},
		0, 0, 26, false},
	{NULL,
		{SHARED, .credit_tasks = 9, .credit_bytes = 99,
			.daemon_bytes = 900, .own_bytes = 50},
		0, 0, 25, false},
	{NULL, {WAY, .credit_tasks = 9, .credit_bytes = 9, .uploads = 2}, 1, 0,
		1, true},
	{"UPLOADS_MAX",
		{WAY, .credit_tasks = 9, .credit_bytes = 9, .uploads = 2}, 2, 0,
		1, true},
	{NULL, {WAY, .credit_tasks = 9, .credit_bytes = 9, .uploads = 9}, 2, 0,
		1, false},
	{"ARGUMENT_TOO_LARGE", {WAY, .credit_tasks = 9, .credit_bytes = 9}, 8,
		UINT64_C(1) << 40, UINT64_MAX, false},
#undef WAY
#undef SHARED
};

static void one_keeps_to_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(table); i++) {
		bool in = wyn_admission_one(&table[i].admission, table[i].taken,
			table[i].taken_bytes, table[i].bytes, table[i].upload,
			&answer);

		assert_true(in == (table[i].reason == NULL));
		if (!in) {
			assert_string_equal(
				wyn_refusal_of(answer.refusal)->word,
				table[i].reason);
		}
	}
}

static void one_says_when_to_try_again_only_if_that_may_help(void **state)
{
	(void)state;
	admission.credit_tasks = 0;
	assert_false(wyn_admission_one(&admission, 0, 0, 1, false, &answer));
	assert_int_equal(wyn_refusal_of(answer.refusal)->retry_after_ms,
		WYN_RETRY_AFTER_MS);
	assert_false(wyn_admission_one(&admission, 0, 0, 101, false, &answer));
	assert_int_equal(wyn_refusal_of(answer.refusal)->retry_after_ms, 0);
}

static void all_are_let_in_at_once_when_each_would_be(void **state)
{
	(void)state;
	submit.args.bytes_total = 100;
	submit.args.region.len = 200;
	assert_true(wyn_admission_all(&admission, &submit));
}

static void all_are_looked_at_when_any_bound_is_near(void **state)
{
	(void)state;
	submit.args.bytes_total = 101;
	assert_false(wyn_admission_all(&admission, &submit));
	(void)setup(state);
	admission.credit_tasks = 9;
	assert_false(wyn_admission_all(&admission, &submit));
	(void)setup(state);
	submit.args.bytes_total = 10;
	admission.credit_bytes = 9;
	assert_false(wyn_admission_all(&admission, &submit));
	(void)setup(state);
	admission.daemon_tasks = 41;
	assert_false(wyn_admission_all(&admission, &submit));
	(void)setup(state);
	submit.args.region.len = 11;
	admission.daemon_bytes = 990;
	assert_false(wyn_admission_all(&admission, &submit));
	(void)setup(state);
	submit.arg_sizes_count = 1;
	assert_false(wyn_admission_all(&admission, &submit));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(whole_is_let_in_when_nothing_is_wrong),
		TEST(whole_is_refused_while_draining),
		TEST(whole_is_refused_when_the_batch_is_too_large),
		TEST(whole_is_refused_when_the_function_is_unknown),
		TEST(whole_is_refused_by_name_for_each_wrong_option),
		TEST(whole_is_refused_when_it_may_not_be_kept),
		TEST(one_keeps_to_the_table),
		TEST(one_says_when_to_try_again_only_if_that_may_help),
		TEST(all_are_let_in_at_once_when_each_would_be),
		TEST(all_are_looked_at_when_any_bound_is_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
