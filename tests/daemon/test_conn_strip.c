// SPDX-License-Identifier: MIT
/*
 * test_conn_strip.c - tiny tasks in strips: answered one by one, whatever ends
 * them.
 */
#include "daemon/engine/conn_strip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/dispatch.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/recall.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_functions.h"
#include "tests/support/rig_messages.h"

#define FIRST	 1000u
#define COUNT	 20u
#define BEFORE	 100u /* rows that the setup had */
#define STALL_MS (WYN_RECALL_STALL_NS / WYN_NS_PER_MS)

/* From here on "tiny" is known to be so. */
static int setup(void **state)
{
	(void)state;
	rig = rig_create(NULL, 2);
	client = rig_open(rig);
	rig_batch_send(client, 1, BEFORE, "tiny", NULL);
	rig_finish_all(rig);
	return 0;
}

/* A Submit of 20 tiny tasks, which go in one strip. */
static struct wyn_strip *strip_started(const char *const *texts)
{
	struct rig_submit submit = {.first_seq = FIRST,
		.function = "tiny",
		.count = COUNT,
		.text = "value",
		.texts = texts,
		.options = {.accept = true}};

	rig_submit(client, &submit);
	rig_settle(rig);
	assert_int_equal(rig->started_count, 1);
	return rig_strip_at(rig, 0);
}

/* A worker has begun with so many of it, and is at the last of them; the others
 * ended without a value. */
static void begin(struct wyn_strip *strip, uint32_t tasks)
{
	memset(strip->ends, WYN_STRIP_PLAIN, sizeof(strip->ends));
	memset(strip->lengths, 0, sizeof(strip->lengths));
	atomic_store_explicit(&strip->next, tasks, memory_order_relaxed);
}

/* The worker comes to the end of those that it had begun. */
static void end(struct wyn_strip *strip, uint32_t tasks)
{
	strip->runs = tasks;
	rig_run_at(rig, 0);
}

static void strips_answer_each_task_when_all_is_well(void **state)
{
	char texts[COUNT][24];
	const char *pointers[COUNT];

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "%u", i * 7777777);
		pointers[i] = texts[i];
	}
	(void)strip_started(pointers);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok - BEFORE, COUNT);
	for (unsigned i = 0; i < COUNT; i++) {
		const struct rig_task *task = rig_task(client, FIRST + i);

		assert_int_equal(task->value_bytes, strlen(texts[i]));
		assert_memory_equal(task->value, texts[i], strlen(texts[i]));
	}
}

static void strips_are_of_one_submit_and_no_longer_than_allowed(void **state)
{
	(void)state;
	rig_batch_send(client, FIRST, 3 * WYN_STRIP_TASKS_MAX, "tiny", NULL);
	rig_settle(rig);
	assert_int_equal(rig->started_count, 3);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok - BEFORE, 3 * WYN_STRIP_TASKS_MAX);
}

/* Two clients with two tasks each are one job. */
static void strips_share_a_job_when_they_are_small(void **state)
{
	struct rig_client *other = rig_open(rig);

	(void)state;
	rig_batch_send(client, FIRST, 2, "tiny", "mine");
	rig_batch_send(other, 1, 2, "tiny", "other");
	rig_task_send(client, FIRST + 2, "tiny", "alone");
	rig_settle(rig);
	assert_int_equal(rig->started_count, 1);
	assert_int_equal(wyn_engine_in_executor(rig->engine), 5);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok - BEFORE, 3);
	assert_int_equal(other->rows_ok, 2);
	assert_memory_equal(rig_task(other, 2)->value, "other", 5);
	assert_memory_equal(rig_task(client, FIRST + 2)->value, "alone", 5);
}

/* The tasks of one client are not kept by those of another. */
static void strips_of_others_go_on_when_one_stands_still(void **state)
{
	struct rig_client *other = rig_open(rig);
	struct wyn_strip *strip;

	(void)state;
	rig_batch_send(client, FIRST, 2, "tiny", NULL);
	rig_batch_send(other, 1, 2, "tiny", "other");
	rig_settle(rig);
	assert_int_equal(rig->started_count, 1);
	strip = rig_strip_at(rig, 0);
	begin(strip, 1);
	rig_advance(rig, STALL_MS);
	rig_advance(rig, STALL_MS);
	assert_true(rig->started_count > 1);
	while (rig->started_count > 1) {
		rig_run_at(rig, 1);
		rig_settle(rig);
	}
	assert_int_equal(other->rows_ok, 2);
	assert_int_equal(client->rows_ok - BEFORE, 1);
	end(strip, 1);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok - BEFORE, 2);
}

/* Nor by those of one who left a task that does not end. */
static void strips_of_others_go_on_when_one_stands_still_for_nobody(
	void **state)
{
	struct rig_client *other = rig_open(rig);

	(void)state;
	rig_batch_send(client, FIRST, 2, "tiny", NULL);
	rig_batch_send(other, 1, 2, "tiny", "other");
	rig_settle(rig);
	assert_int_equal(rig->started_count, 1);
	begin(rig_strip_at(rig, 0), 1);
	rig_client_break(client);
	rig_advance(rig, STALL_MS);
	rig_advance(rig, STALL_MS);
	assert_true(rig->started_count > 1);
	while (rig->started_count > 1) {
		rig_run_at(rig, 1);
		rig_settle(rig);
	}
	assert_int_equal(other->rows_ok, 2);
}

/* Those of the first one ended; the worker stands still in the second. */
static void strips_that_ended_are_answered_before_their_job_is(void **state)
{
	struct rig_client *other = rig_open(rig);
	struct wyn_strip *strip;

	(void)state;
	rig_batch_send(client, FIRST, 2, "tiny", NULL);
	rig_batch_send(other, 1, 2, "tiny", NULL);
	rig_settle(rig);
	strip = rig_strip_at(rig, 0);
	begin(strip, 3);
	begin(strip->after, 1);
	rig_advance(rig, STALL_MS);
	rig_advance(rig, STALL_MS);
	assert_int_equal(client->rows_ok - BEFORE, 2);
	assert_int_equal(other->rows, 0);
	rig_finish_all(rig);
	assert_int_equal(other->rows_ok, 2);
}

static void strips_take_no_task_that_has_a_time_of_its_own(void **state)
{
	const struct wyn_submit_options options[] = {
		{.timeout_ms = 1000}, {.deadline_ms = 1000}, {.stream = true}};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(options); i++) {
		const struct rig_submit submit = {
			.first_seq = client->conn->next_seq,
			.function = "tiny",
			.count = 4,
			.options = options[i]};

		rig_submit(client, &submit);
		rig_settle(rig);
		assert_int_equal(rig->started_count, 4);
		rig_finish_all(rig);
	}
	assert_int_equal(client->rows_ok - BEFORE, 12);
}

static void strips_answer_what_is_odd_as_its_task_would_be(void **state)
{
	static const char *const texts[COUNT] = {"a", "!no", "+100000", "", "e",
		"f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "!",
		"s", "+65"};

	(void)state;
	(void)strip_started(texts);
	rig_finish_all(rig);
	assert_int_equal(client->rows - BEFORE, COUNT);
	assert_int_equal(client->rows_ok - BEFORE, COUNT - 2);
	assert_string_equal(rig_reason(client, FIRST + 1), "FUNCTION_FAILED");
	assert_string_equal(rig_task(client, FIRST + 1)->message, "no");
	assert_int_equal(rig_task(client, FIRST + 2)->value_bytes, 100000);
	assert_int_equal(rig_task(client, FIRST + 19)->value_bytes, 65);
	assert_memory_equal(rig_task(client, FIRST + 18)->value, "s", 1);
}

static void strips_send_large_values_in_chunks(void **state)
{
	static const char *const texts[COUNT] = {"a", "+3000000", "", "", "",
		"", "", "", "", "", "", "", "", "", "", "", "", "", "", "z"};

	(void)state;
	(void)strip_started(texts);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok - BEFORE, COUNT);
	assert_int_equal(rig_task(client, FIRST + 1)->value_bytes, 3000000);
	assert_true(rig_task(client, FIRST + 1)->value_eof);
}

static void strips_give_all_credit_back(void **state)
{
	static const char *const texts[COUNT] = {"a", "!", "+70", "?", "", "",
		"", "", "", "", "", "", "", "", "", "", "", "", "", "z"};
	struct wyn_conn *conn = client->conn;

	(void)state;
	(void)strip_started(texts);
	rig_finish_all(rig);
	assert_int_equal(conn->tasks.returned, conn->tasks.received);
	assert_int_equal(conn->bytes.returned, conn->bytes.received);
	assert_int_equal(conn->unanswered, 0);
	assert_int_equal(conn->unsent_bytes, 0);
}

static void strips_count_quiet_tasks_alone(void **state)
{
	const struct rig_submit submit = {.first_seq = FIRST,
		.function = "tiny",
		.count = COUNT,
		.text = "value",
		.options = {.quiet = true}};

	(void)state;
	rig_submit(client, &submit);
	rig_finish_all(rig);
	assert_int_equal(client->quiet_done, COUNT);
	assert_int_equal(client->rows - BEFORE, 0);
}

static void strips_end_what_was_not_begun_when_it_is_cancelled(void **state)
{
	struct wyn_strip *strip = strip_started(NULL);

	(void)state;
	begin(strip, 5);
	rig_cancel(client, FIRST + 3, 10);
	rig_settle(rig);
	/* 5 to 12 waited, and are answered; 3 and 4 are asked to end. */
	assert_int_equal(client->rows - BEFORE, 8);
	assert_string_equal(
		rig_reason(client, FIRST + 5), "CANCELLED_BY_CLIENT");
	assert_int_equal(
		atomic_load_explicit(&strip->unwanted, memory_order_relaxed),
		0x18);
	end(strip, 5);
	rig_finish_all(rig);
	assert_int_equal(client->rows - BEFORE, COUNT);
	assert_int_equal(client->rows_ok - BEFORE, COUNT - 8);
}

/* The pool is not to end before it: nothing else is left in the executor. */
static void strips_are_in_the_executor_when_all_was_taken_back(void **state)
{
	(void)state;
	(void)strip_started(NULL);
	rig_cancel(client, FIRST, COUNT);
	rig_settle(rig);
	assert_int_equal(client->rows - BEFORE, COUNT);
	assert_int_equal(wyn_engine_in_executor(rig->engine), 1);
	rig_run(rig, 1);
	rig_settle(rig);
	assert_int_equal(wyn_engine_in_executor(rig->engine), 0);
}

/* Workers that stand still, and a client that submits and cancels. */
static void strips_that_were_taken_back_count_against_the_bound(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;
	uint64_t seq = FIRST;

	(void)state;
	rig_destroy(rig);
	limits.executor_tasks_max = 8;
	rig = rig_create(&limits, 2);
	client = rig_open(rig);
	rig_batch_send(client, 1, BEFORE, "tiny", NULL);
	rig_finish_all(rig);
	for (unsigned i = 0; i < 20; i++, seq += COUNT) {
		rig_batch_send(client, seq, COUNT, "tiny", NULL);
		rig_settle(rig);
		rig_cancel(client, seq, COUNT);
		rig_settle(rig);
	}
	assert_in_range(rig->started_count, 1, 8);
	assert_int_equal(client->rows - BEFORE, 20 * COUNT);
}

static void strips_end_what_is_cancelled_by_its_id(void **state)
{
	struct wyn_strip *strip = strip_started(NULL);

	(void)state;
	begin(strip, 1);
	rig_cancel_id(client, client->accepted_id + COUNT - 1);
	rig_settle(rig);
	assert_int_equal(client->rows - BEFORE, 1);
	assert_string_equal(
		rig_reason(client, FIRST + COUNT - 1), "CANCELLED_BY_CLIENT");
	end(strip, 1);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok - BEFORE, COUNT - 1);
}

static void strips_drop_what_the_worker_has_not_come_to(void **state)
{
	struct wyn_strip *strip = strip_started(NULL);

	(void)state;
	/* The worker claims them between the look and the Cancel. */
	wyn_strip_unwant(strip, 0x6);
	rig_finish_all(rig);
	assert_int_equal(client->rows - BEFORE, COUNT);
	assert_int_equal(client->rows_ok - BEFORE, COUNT - 2);
	assert_string_equal(
		rig_reason(client, FIRST + 1), "CANCELLED_BY_CLIENT");
	assert_string_equal(
		rig_reason(client, FIRST + 2), "CANCELLED_BY_CLIENT");
}

static void strips_go_back_to_the_queue_when_one_task_stalls(void **state)
{
	struct wyn_strip *strip = strip_started(NULL);

	(void)state;
	begin(strip, 3);
	rig_advance(rig, STALL_MS);
	rig_advance(rig, STALL_MS);
	/* The others wait no more for it: each goes alone now. */
	assert_int_equal(rig->engine->stats.tasks_recalled_approx, COUNT - 3);
	assert_true(rig->started_count > 1);
	assert_int_equal(rig_task_at(rig, 1)->seq, FIRST + 3);
	while (rig->started_count > 1) {
		rig_run_at(rig, 1);
		rig_settle(rig);
	}
	assert_int_equal(client->rows_ok - BEFORE, COUNT - 1);
	end(strip, 3);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok - BEFORE, COUNT);
}

static void strips_answer_what_ended_when_one_task_stalls(void **state)
{
	struct wyn_strip *strip = strip_started(NULL);

	(void)state;
	begin(strip, 5);
	strip->ends[1] = WYN_STRIP_DROPPED;
	strip->odds = 1;
	rig_advance(rig, STALL_MS);
	rig_advance(rig, STALL_MS);
	assert_int_equal(client->rows - BEFORE, 4);
	assert_int_equal(client->rows_ok - BEFORE, 3);
	assert_string_equal(
		rig_reason(client, FIRST + 1), "CANCELLED_BY_CLIENT");
	assert_null(rig_task(client, FIRST + 4));
	assert_int_equal(client->conn->tasks.returned - BEFORE, 4);
	assert_int_equal(client->conn->bytes.returned, 4 * 5);
	/* It is at another one now, which was its last. */
	end(strip, 5);
	rig_finish_all(rig);
	assert_int_equal(client->rows - BEFORE, COUNT);
	assert_int_equal(client->rows_ok - BEFORE, COUNT - 1);
}

static void strips_are_let_go_when_the_client_goes_in_a_stall(void **state)
{
	struct wyn_strip *strip = strip_started(NULL);

	(void)state;
	client->read_max = 0;
	begin(strip, 5);
	rig_advance(rig, STALL_MS);
	rig_advance(rig, STALL_MS);
	rig_client_break(client);
	rig_settle(rig);
	end(strip, 5);
	rig_settle(rig);
	while (rig->started_count > 0) {
		rig_run(rig, 1);
		rig_settle(rig);
	}
	assert_int_equal(wyn_engine_in_executor(rig->engine), 0);
}

static void strips_are_answered_once_when_the_drain_ends_in_a_stall(
	void **state)
{
	struct wyn_strip *strip = strip_started(NULL);

	(void)state;
	begin(strip, 5);
	rig_advance(rig, STALL_MS);
	rig_advance(rig, STALL_MS);
	rig_drain(rig);
	rig_cancel_all(rig);
	assert_int_equal(client->rows - BEFORE, COUNT);
	assert_int_equal(client->rows_ok - BEFORE, 4);
	assert_string_equal(rig_reason(client, FIRST + 4), "DRAIN_TIMEOUT");
	end(strip, 5);
	rig_settle(rig);
	assert_int_equal(client->rows - BEFORE, COUNT);
}

static void strips_are_let_alone_while_they_get_on(void **state)
{
	struct wyn_strip *strip = strip_started(NULL);

	(void)state;
	for (uint32_t i = 1; i < COUNT; i++) {
		begin(strip, i);
		rig_advance(rig, STALL_MS);
	}
	assert_int_equal(rig->engine->stats.tasks_recalled_approx, 0);
	begin(strip, 0);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok - BEFORE, COUNT);
}

/* One comes back and the next one goes, so that there always is one. */
static void strips_are_no_stall_when_each_comes_back_in_time(void **state)
{
	(void)state;
	for (uint64_t seq = FIRST; seq < FIRST + 10 * COUNT; seq += COUNT) {
		rig_run(rig, 1);
		rig_batch_send(client, seq, COUNT, "tiny", NULL);
		rig_settle(rig);
		rig_advance(rig, STALL_MS / 2);
	}
	assert_int_equal(rig->engine->stats.executor_stalled_approx, 0);
}

static void strips_are_dropped_when_the_client_is_gone(void **state)
{
	struct wyn_strip *strip = strip_started(NULL);

	(void)state;
	begin(strip, 3);
	rig_client_break(client);
	rig_settle(rig);
	end(strip, 3);
	rig_settle(rig);
	assert_int_equal(rig->engine->stats.tasks_discarded_approx, COUNT);
	assert_int_equal(wyn_engine_in_executor(rig->engine), 0);
}

static void strips_are_dropped_when_the_client_goes_before_its_rows(
	void **state)
{
	(void)state;
	client->read_max = 0;
	(void)strip_started(NULL);
	rig_run(rig, 1);
	rig_client_break(client);
	rig_settle(rig);
	assert_int_equal(wyn_engine_in_executor(rig->engine), 0);
}

static void strips_are_answered_at_once_when_the_drain_is_over(void **state)
{
	struct wyn_strip *strip = strip_started(NULL);

	(void)state;
	begin(strip, 3);
	rig_drain(rig);
	rig_cancel_all(rig);
	assert_int_equal(client->rows - BEFORE, COUNT);
	assert_string_equal(rig_reason(client, FIRST + 2), "DRAIN_TIMEOUT");
	assert_int_equal(
		rig_task(client, FIRST + 2)->ran, WYN__V1__RAN__RAN_YES);
	assert_int_equal(
		rig_task(client, FIRST + 3)->ran, WYN__V1__RAN__RAN_NO);
	end(strip, 3);
	rig_settle(rig);
	assert_int_equal(client->rows - BEFORE, COUNT);
}

static void strips_are_refused_when_the_executor_has_no_memory(void **state)
{
	(void)state;
	rig->no_memory = true;
	rig_batch_send(client, FIRST, COUNT, "tiny", "value");
	rig_settle(rig);
	assert_int_equal(client->rows - BEFORE, COUNT);
	assert_string_equal(rig_reason(client, FIRST), "DAEMON_BYTES_MAX");
	assert_int_equal(rig_task(client, FIRST)->ran, WYN__V1__RAN__RAN_NO);
	rig->no_memory = false;
}

static void strips_are_kept_for_reuse_within_a_bound(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		rig_batch_send(
			client, client->conn->next_seq, 50000, "tiny", "value");
		rig_finish_all(rig);
	}
	assert_in_range(rig->engine->free_strips_count, 1, WYN_STRIPS_FREE_MAX);
	assert_int_equal(client->rows_ok - BEFORE, 500000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(strips_answer_each_task_when_all_is_well),
		TEST(strips_are_of_one_submit_and_no_longer_than_allowed),
		TEST(strips_share_a_job_when_they_are_small),
		TEST(strips_of_others_go_on_when_one_stands_still),
		TEST(strips_of_others_go_on_when_one_stands_still_for_nobody),
		TEST(strips_that_ended_are_answered_before_their_job_is),
		TEST(strips_take_no_task_that_has_a_time_of_its_own),
		TEST(strips_answer_what_is_odd_as_its_task_would_be),
		TEST(strips_send_large_values_in_chunks),
		TEST(strips_give_all_credit_back),
		TEST(strips_count_quiet_tasks_alone),
		TEST(strips_end_what_was_not_begun_when_it_is_cancelled),
		TEST(strips_are_in_the_executor_when_all_was_taken_back),
		TEST(strips_that_were_taken_back_count_against_the_bound),
		TEST(strips_end_what_is_cancelled_by_its_id),
		TEST(strips_drop_what_the_worker_has_not_come_to),
		TEST(strips_go_back_to_the_queue_when_one_task_stalls),
		TEST(strips_answer_what_ended_when_one_task_stalls),
		TEST(strips_are_let_go_when_the_client_goes_in_a_stall),
		TEST(strips_are_answered_once_when_the_drain_ends_in_a_stall),
		TEST(strips_are_let_alone_while_they_get_on),
		TEST(strips_are_no_stall_when_each_comes_back_in_time),
		TEST(strips_are_dropped_when_the_client_is_gone),
		TEST(strips_are_dropped_when_the_client_goes_before_its_rows),
		TEST(strips_are_answered_at_once_when_the_drain_is_over),
		TEST(strips_are_refused_when_the_executor_has_no_memory),
		TEST(strips_are_kept_for_reuse_within_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
