// SPDX-License-Identifier: MIT
/*
 * test_submit.c - what becomes of the tasks that clients bring, and of those
 * that are refused. test_upload.c has the arguments in chunks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"

static int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.batch_max = 100;
	limits.argument_bytes_max = 1000;
	limits.credit_tasks = 20;
	limits.credit_bytes = 2000;
	limits.uploads_max = 3;
	rig = rig_create(&limits, 2);
	client = rig_open(rig);
	return 0;
}

/* Starts over with other limits. */
static void restart(const struct wyn_limits *limits)
{
	rig_destroy(rig);
	rig = rig_create(limits, 2);
	client = rig_open(rig);
}

static void error_expected(const char *reason)
{
	rig_settle(rig);
	assert_string_equal(client->error, reason);
	assert_int_equal(client->error_code, WYN_STATUS_INVALID_ARGUMENT);
	assert_null(client->conn);
}

static void submit_answers_with_the_value(void **state)
{
	(void)state;
	rig_task_send(client, 5, "echo", "hello");
	rig_finish_all(rig);
	assert_int_equal(client->rows, 1);
	assert_string_equal(rig_reason(client, 5), "");
	assert_string_equal((const char *)rig_task(client, 5)->value, "hello");
}

static void submit_answers_each_task_of_a_batch(void **state)
{
	static const char *const texts[] = {"a", "", "ccc", "dd"};
	const struct rig_submit submit = {
		.first_seq = 7, .function = "echo", .count = 4, .texts = texts};

	(void)state;
	rig_submit(client, &submit);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 4);
	assert_int_equal(rig_task(client, 8)->value_bytes, 0);
	assert_string_equal((const char *)rig_task(client, 9)->value, "ccc");
	assert_string_equal((const char *)rig_task(client, 10)->value, "dd");
}

static void submit_tells_why_a_function_failed(void **state)
{
	const struct rig_task *task;

	(void)state;
	rig_task_send(client, 1, "fail", "no luck");
	rig_finish_all(rig);
	task = rig_task(client, 1);
	assert_int_equal(task->code, WYN_STATUS_ABORTED);
	assert_string_equal(task->reason, "FUNCTION_FAILED");
	assert_string_equal(task->message, "no luck");
	assert_int_equal(task->ran, WYN__V1__RAN__RAN_YES);
}

static void submit_names_the_nearest_when_a_function_is_unknown(void **state)
{
	const struct rig_task *task;

	(void)state;
	rig_task_send(client, 1, "ecko", "x");
	rig_settle(rig);
	task = rig_task(client, 1);
	assert_int_equal(task->code, WYN_STATUS_NOT_FOUND);
	assert_string_equal(task->reason, "FUNCTION_UNKNOWN");
	assert_string_equal(
		task->message, "no function \"ecko\"; did you mean \"echo\"?");
	assert_int_equal(task->ran, WYN__V1__RAN__RAN_NO);
}

static void submit_refuses_when_the_function_has_no_name(void **state)
{
	(void)state;
	rig_task_send(client, 1, "", "x");
	rig_settle(rig);
	assert_string_equal(rig_reason(client, 1), "FUNCTION_UNKNOWN");
}

static void submit_cuts_a_long_name_between_characters(void **state)
{
	char name[100] = "a";

	(void)state;
	for (size_t i = 1; i + 2 < sizeof(name); i += 2) {
		memcpy(name + i, "\xc3\xa4", 3);
	}
	/* The client refuses an answer that is not UTF-8. */
	rig_task_send(client, 1, name, "x");
	rig_settle(rig);
	assert_string_equal(rig_reason(client, 1), "FUNCTION_UNKNOWN");
	memmove(name, name + 1, sizeof(name) - 1);
	rig_task_send(client, 2, name, "x");
	rig_settle(rig);
	assert_string_equal(rig_reason(client, 2), "FUNCTION_UNKNOWN");
}

static void submit_refuses_the_whole_when_the_batch_is_too_large(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 101, "noop", NULL);
	rig_settle(rig);
	assert_int_equal(client->rows, 101);
	assert_string_equal(rig_reason(client, 101), "BATCH_TOO_LARGE");
	assert_int_equal(rig->started_total, 0);
}

static void submit_refuses_what_is_over_the_credit_of_tasks(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 25, "noop", NULL);
	rig_finish_all(rig);
	assert_int_equal(client->rows, 25);
	assert_int_equal(client->rows_ok, 20);
	assert_string_equal(rig_reason(client, 20), "");
	assert_string_equal(rig_reason(client, 21), "TASKS_OVER_CREDIT");
	assert_int_not_equal(rig_task(client, 21)->retry_after_ms, 0);
	assert_int_equal(
		rig_task(client, 21)->code, WYN_STATUS_RESOURCE_EXHAUSTED);
}

static void submit_refuses_the_whole_when_no_credit_is_left(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 20, "noop", NULL);
	rig_task_send(client, 21, "noop", NULL);
	rig_settle(rig);
	assert_string_equal(rig_reason(client, 21), "TASKS_OVER_CREDIT");
	assert_int_equal(client->rows, 1);
}

static void submit_takes_more_when_credit_came_back(void **state)
{
	(void)state;
	for (uint64_t seq = 1; seq <= 400; seq += 20) {
		rig_batch_send(client, seq, 20, "noop", NULL);
		rig_finish_all(rig);
	}
	assert_int_equal(client->rows_ok, 400);
	assert_int_equal(client->credit_tasks, 420);
}

static void submit_gets_its_credit_back_when_refused(void **state)
{
	(void)state;
	for (uint64_t seq = 1; seq <= 400; seq += 20) {
		rig_batch_send(client, seq, 20, "none", "0123456789");
		rig_settle(rig);
	}
	rig_task_send(client, 401, "noop", NULL);
	rig_finish_all(rig);
	assert_string_equal(rig_reason(client, 401), "");
}

static void submit_refuses_what_is_over_the_credit_of_bytes(void **state)
{
	char text[601];

	(void)state;
	memset(text, 'x', 600);
	text[600] = '\0';
	rig_batch_send(client, 1, 4, "echo", text);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 3);
	assert_string_equal(rig_reason(client, 4), "BYTES_OVER_CREDIT");
}

static void submit_refuses_one_large_argument_among_others(void **state)
{
	char large[1002];
	const char *const texts[] = {"a", large, "c"};
	const struct rig_submit submit = {
		.first_seq = 1, .function = "echo", .count = 3, .texts = texts};

	(void)state;
	memset(large, 'x', 1001);
	large[1001] = '\0';
	rig_submit(client, &submit);
	rig_finish_all(rig);
	assert_string_equal(rig_reason(client, 2), "ARGUMENT_TOO_LARGE");
	assert_string_equal((const char *)rig_task(client, 1)->value, "a");
	assert_string_equal((const char *)rig_task(client, 3)->value, "c");
}

static void submit_refuses_when_the_daemon_holds_enough_tasks(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.daemon_tasks_max = 5;
	restart(&limits);
	rig_batch_send(client, 1, 7, "noop", NULL);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 5);
	assert_string_equal(rig_reason(client, 6), "DAEMON_TASKS_MAX");
}

/* What is asked for is counted first, and what is refused given back. */
static void submit_holds_only_what_it_let_in(void **state)
{
	const uint64_t sizes[] = {1, UINT64_C(1) << 40, 2};
	const struct rig_submit submit = {.first_seq = 8,
		.function = "noop",
		.count = WYN_COUNT_OF(sizes),
		.sizes = sizes};
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.daemon_tasks_max = 5;
	restart(&limits);
	rig_batch_send(client, 1, 3, "noop", NULL);
	rig_batch_send(client, 4, 4, "nonesuch", NULL);
	assert_int_equal(atomic_load_explicit(
				 &rig->shared.tasks_held, memory_order_relaxed),
		3);
	rig_submit(client, &submit);
	assert_int_equal(atomic_load_explicit(
				 &rig->shared.tasks_held, memory_order_relaxed),
		5);
	assert_in_range(atomic_load_explicit(
				&rig->shared.bytes_held, memory_order_relaxed),
		1, 3 * wyn_batch_bytes(16));
}

static void submit_refuses_when_the_daemon_holds_enough_bytes(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;
	const uint64_t size = WYN_MIB - 100;
	const struct rig_submit submit = {
		.first_seq = 1, .function = "noop", .count = 1, .sizes = &size};

	(void)state;
	limits.daemon_bytes_max = WYN_MIB;
	restart(&limits);
	rig_submit(client, &submit);
	rig_task_send(client, 2, "noop", "x");
	rig_settle(rig);
	assert_string_equal(rig_reason(client, 2), "DAEMON_BYTES_MAX");
}

static void submit_refuses_an_unknown_priority(void **state)
{
	const struct rig_submit submit = {.first_seq = 1,
		.function = "noop",
		.count = 1,
		.options = {.priority = 9}};

	(void)state;
	rig_submit(client, &submit);
	rig_settle(rig);
	assert_string_equal(rig_reason(client, 1), "OPTION_INVALID");
}

static void submit_refuses_to_keep_when_the_user_is_not_known(void **state)
{
	const struct rig_submit submit = {.first_seq = 1,
		.function = "noop",
		.count = 1,
		.options = {
			.on_disconnect =
				WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP}};

	(void)state;
	rig_submit(client, &submit);
	rig_settle(rig);
	assert_string_equal(rig_reason(client, 1), "KEEP_LOCAL_ONLY");
	assert_int_equal(
		rig_task(client, 1)->code, WYN_STATUS_PERMISSION_DENIED);
}

static void submit_refuses_a_deadline_that_no_clock_reaches(void **state)
{
	const struct rig_submit submit = {.first_seq = 1,
		.function = "noop",
		.count = 1,
		.options = {.deadline_ms = UINT64_MAX}};

	(void)state;
	rig_submit(client, &submit);
	rig_settle(rig);
	assert_string_equal(rig_reason(client, 1), "OPTION_INVALID");
}

static void submit_fails_the_connection_when_seq_is_0(void **state)
{
	(void)state;
	rig_task_send(client, 0, "noop", NULL);
	error_expected("SEQ_NOT_INCREASING");
}

static void submit_fails_the_connection_when_seq_comes_again(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 3, "noop", NULL);
	rig_task_send(client, 3, "noop", NULL);
	error_expected("SEQ_NOT_INCREASING");
}

static void submit_takes_gaps_and_the_last_seq_of_all(void **state)
{
	(void)state;
	rig_task_send(client, 10, "noop", NULL);
	rig_task_send(client, UINT64_MAX - 1, "noop", NULL);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 2);
}

static void submit_fails_the_connection_when_sizes_overflow(void **state)
{
	const uint64_t sizes[] = {UINT64_MAX, 1};
	const struct rig_submit submit = {
		.first_seq = 1, .function = "noop", .count = 2, .sizes = sizes};

	(void)state;
	rig_submit(client, &submit);
	error_expected("CREDIT_INVALID");
}

static void submit_fails_the_connection_when_credit_would_overflow(void **state)
{
	const uint64_t size = UINT64_MAX - 1000;
	const struct rig_submit submit = {
		.first_seq = 1, .function = "noop", .count = 1, .sizes = &size};

	(void)state;
	/* The total granted is 2000 ahead of what was used. */
	rig_submit(client, &submit);
	error_expected("CREDIT_INVALID");
}

static void submit_tells_ids_when_asked(void **state)
{
	const struct rig_submit submit = {.first_seq = 4,
		.function = "noop",
		.count = 3,
		.options = {.accept = true}};

	(void)state;
	rig_submit(client, &submit);
	rig_settle(rig);
	assert_int_equal(client->accepted, 3);
	assert_int_equal(client->accepted_seq, 4);
	assert_int_equal(client->accepted_id, rig->shared.id_base);
}

static void submit_tells_ids_of_neighbours_in_one_range(void **state)
{
	struct rig_submit submit = {.first_seq = 1,
		.function = "noop",
		.count = 2,
		.options = {.accept = true}};

	(void)state;
	rig_submit(client, &submit);
	submit.first_seq = 3;
	rig_submit(client, &submit);
	rig_settle(rig);
	assert_int_equal(client->accepted, 4);
	assert_int_equal(client->accepted_seq, 1);
}

static void submit_counts_what_is_quiet_and_well(void **state)
{
	static const char *const texts[] = {"a", "b", "c"};
	const struct rig_submit well = {.first_seq = 1,
		.function = "echo",
		.count = 3,
		.texts = texts,
		.options = {.quiet = true}};
	const struct rig_submit badly = {.first_seq = 4,
		.function = "fail",
		.count = 1,
		.options = {.quiet = true}};

	(void)state;
	rig_submit(client, &well);
	rig_submit(client, &badly);
	rig_finish_all(rig);
	assert_int_equal(client->quiet_done, 3);
	assert_int_equal(client->rows, 1);
	assert_string_equal(rig_reason(client, 4), "FUNCTION_FAILED");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(submit_answers_with_the_value),
		TEST(submit_answers_each_task_of_a_batch),
		TEST(submit_tells_why_a_function_failed),
		TEST(submit_names_the_nearest_when_a_function_is_unknown),
		TEST(submit_refuses_when_the_function_has_no_name),
		TEST(submit_cuts_a_long_name_between_characters),
		TEST(submit_refuses_the_whole_when_the_batch_is_too_large),
		TEST(submit_refuses_what_is_over_the_credit_of_tasks),
		TEST(submit_refuses_the_whole_when_no_credit_is_left),
		TEST(submit_takes_more_when_credit_came_back),
		TEST(submit_gets_its_credit_back_when_refused),
		TEST(submit_refuses_what_is_over_the_credit_of_bytes),
		TEST(submit_refuses_one_large_argument_among_others),
		TEST(submit_refuses_when_the_daemon_holds_enough_tasks),
		TEST(submit_holds_only_what_it_let_in),
		TEST(submit_refuses_when_the_daemon_holds_enough_bytes),
		TEST(submit_refuses_an_unknown_priority),
		TEST(submit_refuses_to_keep_when_the_user_is_not_known),
		TEST(submit_refuses_a_deadline_that_no_clock_reaches),
		TEST(submit_fails_the_connection_when_seq_is_0),
		TEST(submit_fails_the_connection_when_seq_comes_again),
		TEST(submit_takes_gaps_and_the_last_seq_of_all),
		TEST(submit_fails_the_connection_when_sizes_overflow),
		TEST(submit_fails_the_connection_when_credit_would_overflow),
		TEST(submit_tells_ids_when_asked),
		TEST(submit_tells_ids_of_neighbours_in_one_range),
		TEST(submit_counts_what_is_quiet_and_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
