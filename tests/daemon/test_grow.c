// SPDX-License-Identifier: MIT
/*
 * test_grow.c - Submits that share a batch, and those that must not.
 */
#include "daemon/engine/grow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/engine_state.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"

static int setup(void **state)
{
	(void)state;
	rig = rig_create(NULL, 2);
	client = rig_open(rig);
	client->corked = true;
	return 0;
}

/* All that was sent comes in one read. */
static void uncork(void)
{
	client->corked = false;
	rig_client_feed(client);
}

static size_t spans_queued(unsigned priority)
{
	const struct wyn_list *spans =
		&client->conn->ready.queues[priority].spans;
	const struct wyn_list *link;
	size_t n = 0;

	wyn_list_for_each (link, spans) {
		n++;
	}
	return n;
}

static void submits_share_a_batch_when_they_come_together(void **state)
{
	static const char *const texts[] = {"a", "bb", "", "dddd", "e"};

	(void)state;
	for (uint64_t i = 0; i < 5; i++) {
		rig_task_send(client, 10 + i, "echo", texts[i]);
	}
	uncork();
	assert_int_equal(spans_queued(1), 1);
	assert_int_equal(client->conn->ready.tasks, 5);
	assert_null(rig->engine->growing);
	rig_finish_all(rig);
	for (uint64_t i = 0; i < 5; i++) {
		const struct rig_task *task = rig_task(client, 10 + i);

		assert_int_equal(task->value_bytes, strlen(texts[i]));
		assert_memory_equal(task->value, texts[i], strlen(texts[i]));
	}
}

static void submits_share_none_when_they_come_apart(void **state)
{
	(void)state;
	uncork();
	rig_task_send(client, 1, "echo", "a");
	rig_task_send(client, 2, "echo", "b");
	assert_int_equal(spans_queued(1), 2);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 2);
}

static void submits_share_ever_larger_batches_when_there_are_many(void **state)
{
	const uint64_t count = 5000;

	(void)state;
	for (uint64_t i = 0; i < count; i++) {
		rig_task_send(client, 1 + i, "echo", "sixteen letters.");
	}
	uncork();
	assert_in_range(spans_queued(1), 2, 40);
	assert_int_equal(client->conn->ready.tasks, count);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, count);
}

static void submits_share_none_when_they_differ(void **state)
{
	const struct rig_submit submits[] = {
		{.first_seq = 1, .function = "echo", .count = 1},
		{.first_seq = 2, .function = "noop", .count = 1},
		{.first_seq = 4, .function = "noop", .count = 1},
		{.first_seq = 5,
			.function = "noop",
			.count = 1,
			.options = {.quiet = true}},
		{.first_seq = 6,
			.function = "noop",
			.count = 1,
			.options = {.timeout_ms = 5}},
		{.first_seq = 7,
			.function = "noop",
			.count = 1,
			.options = {.accept = true}},
		{.first_seq = 8,
			.function = "noop",
			.count = 1,
			.options = {.stream = true}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(submits) / sizeof(submits[0]); i++) {
		rig_submit(client, &submits[i]);
	}
	uncork();
	assert_int_equal(spans_queued(1), 7);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok + client->quiet_done, 7);
}

static void submits_share_none_when_they_have_a_deadline(void **state)
{
	const struct rig_submit submits[] = {
		{.first_seq = 1,
			.function = "noop",
			.count = 1,
			.options = {.deadline_ms = 1000}},
		{.first_seq = 2,
			.function = "noop",
			.count = 1,
			.options = {.deadline_ms = 1000}},
	};

	(void)state;
	rig_submit(client, &submits[0]);
	rig_submit(client, &submits[1]);
	uncork();
	assert_int_equal(spans_queued(1), 2);
	rig_advance(rig, 1000);
	rig_finish_all(rig);
}

static void submits_go_on_when_a_cancel_ended_those_before(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 3, "noop", NULL);
	rig_cancel(client, 1, 3);
	rig_task_send(client, 4, "echo", "on");
	rig_cancel(client, 2, 1);
	rig_batch_send(client, 5, 3, "noop", NULL);
	rig_cancel(client, 6, 1);
	rig_task_send(client, 8, "echo", "end");
	uncork();
	assert_null(rig->engine->growing);
	rig_finish_all(rig);
	assert_int_equal(client->rows, 8);
	assert_int_equal(client->rows_ok, 4);
	assert_string_equal(rig_reason(client, 6), "CANCELLED_BY_CLIENT");
	assert_string_equal((const char *)rig_task(client, 8)->value, "end");
}

/* What a Cancel has cut was not full, so none after it is larger. */
static void submits_share_no_larger_batch_when_a_cancel_cut_it(void **state)
{
	const uint64_t submits = 20;

	(void)state;
	for (uint64_t i = 0; i < submits; i++) {
		rig_batch_send(client, 1 + 2 * i, 2, "slow", NULL);
		rig_cancel(client, 2 + 2 * i, 1);
	}
	uncork();
	assert_int_equal(client->conn->ready.tasks, submits);
	assert_in_range(rig->shared.bytes_held, 1, submits * 1024);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, submits);
}

static void submits_have_ids_in_a_row_when_they_share(void **state)
{
	struct rig_submit submit = {
		.function = "slow", .count = 2, .options = {.accept = true}};

	(void)state;
	for (uint64_t seq = 1; seq < 100; seq += 2) {
		submit.first_seq = seq;
		rig_submit(client, &submit);
	}
	uncork();
	rig_settle(rig);
	assert_int_equal(client->accepted, 100);
	assert_int_equal(client->accepted_seq, 1);
	rig_cancel_id(client, client->accepted_id + 97);
	rig_settle(rig);
	assert_string_equal(rig_reason(client, 98), "CANCELLED_BY_CLIENT");
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 99);
}

static void submits_are_let_go_when_the_connection_fails(void **state)
{
	(void)state;
	rig_task_send(client, 1, "echo", "a");
	rig_task_send(client, 2, "echo", "b");
	rig_task_send(client, 2, "echo", "not above");
	uncork();
	assert_null(rig->engine->growing);
	rig_settle(rig);
	assert_string_equal(client->error, "SEQ_NOT_INCREASING");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(submits_share_a_batch_when_they_come_together),
		TEST(submits_share_none_when_they_come_apart),
		TEST(submits_share_ever_larger_batches_when_there_are_many),
		TEST(submits_share_none_when_they_differ),
		TEST(submits_share_none_when_they_have_a_deadline),
		TEST(submits_go_on_when_a_cancel_ended_those_before),
		TEST(submits_share_no_larger_batch_when_a_cancel_cut_it),
		TEST(submits_have_ids_in_a_row_when_they_share),
		TEST(submits_are_let_go_when_the_connection_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
