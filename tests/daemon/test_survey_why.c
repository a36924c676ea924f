// SPDX-License-Identifier: MIT
/*
 * test_survey_why.c - explain: what a task waits for, in each of its states.
 */
#include "daemon/engine/survey_why.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/engine_state.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"
#include "tests/support/rig_survey.h"

#define OUTPUT WYN__V1__TASK_STATE__TASK_STATE_OUTPUT

/* Room for three tasks in the executor. */
static int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.executor_tasks_max = 3;
	limits.output_bytes_max = 64 * WYN_KIB;
	rig = rig_create(&limits, 2);
	client = rig_open(rig);
	return 0;
}

/* Three in the executor, of which the second runs, and more behind them. */
static void busy(void)
{
	rig_batch_send(client, 1, 5, "ask", "xyz");
	rig_settle(rig);
	assert_int_equal(rig->started_count, 3);
	rig_begin_at(rig, 1);
}

static void survey_why_says_that_stream_credit_is_missing(void **state)
{
	struct rig_client *slow = rig_open_stream(rig, 1);
	struct rig_submit submit = {.first_seq = 1,
		.function = "emit",
		.count = 1,
		.text = "3",
		.options = {.stream = true}};

	(void)state;
	rig_submit(slow, &submit);
	rig_finish_all(rig);
	explain(slow, 1);
	assert_int_equal(slow->listed[0].state, OUTPUT);
	assert_int_equal(slow->why.why, WYN__V1__WHY__WHY_STREAM_CREDIT);
}

static void survey_why_says_that_the_workers_are_busy(void **state)
{
	(void)state;
	busy();
	explain(client, 5);
	assert_int_equal(client->why.why, WYN__V1__WHY__WHY_EXECUTOR_FULL);
	assert_int_equal(client->why.ahead, 1);
	assert_int_equal(client->why.executor, 3);
	explain(client, 1);
	assert_int_equal(client->why.why, WYN__V1__WHY__WHY_WORKERS);
	explain(client, 2);
	assert_int_equal(client->why.why, WYN__V1__WHY__WHY_FUNCTION);
	explain_of(client, client->listed[0].id, 0, 0);
	assert_int_equal(client->listed[0].seq, 2);
	explain(client, 2);
	rig_cancel(client, 2, 1);
	explain(client, 2);
	assert_non_null(strstr(client->why.text, "asked to end"));
}

static void survey_why_says_that_results_are_not_read(void **state)
{
	struct rig_client *other = rig_open(rig);

	(void)state;
	client->read_max = 0;
	rig_batch_send(client, 1, 8, "big", "60000");
	rig_settle(rig);
	while (rig->started_count > 0) {
		rig_run(rig, 1);
		rig_settle(rig);
	}
	other->conn->peer.administrator = true;
	explain_of(other, 0, 8, client->conn->number);
	assert_int_equal(other->why.why, WYN__V1__WHY__WHY_OUTPUT_MAX);
}

static void survey_why_says_that_an_argument_is_on_its_way(void **state)
{
	const uint64_t size = 10;
	const struct rig_submit upload = {
		.first_seq = 9, .function = "echo", .count = 1, .sizes = &size};

	(void)state;
	rig_submit(client, &upload);
	rig_chunk(client, 9, 0, "four", false);
	explain(client, 9);
	assert_int_equal(client->why.why, WYN__V1__WHY__WHY_ARGUMENT);
	assert_non_null(strstr(client->why.text, "4 of the 10"));
}

static void survey_why_says_that_streams_are_full(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;
	struct rig_submit submit = {.first_seq = 1,
		.function = "emit",
		.count = 3,
		.text = "1",
		.options = {.stream = true}};

	(void)state;
	rig_destroy(rig);
	limits.output_bytes_max = 64 * WYN_KIB;
	rig = rig_create(&limits, 1);
	client = rig_open(rig);
	rig_submit(client, &submit);
	rig_settle(rig);
	explain(client, 3);
	assert_int_equal(client->why.why, WYN__V1__WHY__WHY_STREAMS_FULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(survey_why_says_that_stream_credit_is_missing),
		TEST(survey_why_says_that_the_workers_are_busy),
		TEST(survey_why_says_that_results_are_not_read),
		TEST(survey_why_says_that_an_argument_is_on_its_way),
		TEST(survey_why_says_that_streams_are_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
