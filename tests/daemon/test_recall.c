// SPDX-License-Identifier: MIT
/*
 * test_recall.c - functions that look fast and then are slow.
 */
#include "daemon/engine/recall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/engine/dispatch.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/rig_messages.h"

#define WORKERS	 2u
#define MANY	 900u
#define STALL_MS (WYN_RECALL_STALL_NS / WYN_NS_PER_MS)
#define FLOOR	 (WORKERS * WYN_DISPATCH_PER_WORKER)

static struct rig *rig;
static struct rig_client *client;
static struct rig_client *neighbour;

static int setup(void **state)
{
	(void)state;
	rig = rig_create(NULL, WORKERS);
	client = rig_open(rig);
	neighbour = rig_open(rig);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_destroy(rig);
	return 0;
}

/* Looks fast, and then both workers are at it and do not come back. */
static void stall(struct wyn_submit_options options)
{
	const struct rig_submit submit = {.first_seq = 1000,
		.function = "echo",
		.count = MANY,
		.text = "again",
		.options = options};

	rig_batch_send(client, 1, 100, "echo", NULL);
	rig_finish_all(rig);
	rig_submit(client, &submit);
	rig_settle(rig);
	assert_int_equal(rig->started_count, MANY);
	for (size_t i = 0; i < WORKERS; i++) {
		rig_begin_at(rig, i);
	}
	rig_task_send(neighbour, 1, "noop", NULL);
	rig_advance(rig, STALL_MS);
	rig_advance(rig, STALL_MS);
}

/* All but those that run are met by a worker. */
static void return_all(void)
{
	while (rig->started_count > WORKERS) {
		rig_run_at(rig, WORKERS);
	}
	rig_settle(rig);
}

static void recall_lets_a_neighbour_in_when_tasks_were_misjudged(void **state)
{
	(void)state;
	stall((struct wyn_submit_options){0});
	return_all();
	assert_int_equal(
		rig->engine->stats.tasks_recalled_approx, MANY - WORKERS);
	assert_int_equal(rig->started_count, FLOOR);
	assert_int_equal(client->rows, 100);
	rig_run(rig, WORKERS);
	rig_settle(rig);
	rig_run(rig, FLOOR);
	rig_settle(rig);
	assert_int_equal(neighbour->rows_ok, 1);
}

static void recall_loses_no_task_when_all_come_back(void **state)
{
	(void)state;
	stall((struct wyn_submit_options){0});
	return_all();
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 100 + MANY);
	for (uint64_t seq = 1000; seq < 1000 + MANY; seq++) {
		assert_int_equal(rig_task(client, seq)->value_bytes, 5);
	}
	assert_int_equal(neighbour->rows_ok, 1);
}

static void recall_starts_slow_ones_when_the_function_looks_fast(void **state)
{
	uint64_t *estimates = rig->engine->dispatch.estimate_ns;

	(void)state;
	stall((struct wyn_submit_options){0});
	return_all();
	for (size_t i = 0; i < WYN_FUNCTIONS_MAX; i++) {
		estimates[i] = 200;
	}
	rig->started_peak = 0;
	for (unsigned i = 0; i < 100; i++) {
		rig_run(rig, 1);
		rig_settle(rig);
	}
	assert_in_range(rig->started_peak, 0, FLOOR);
}

static void recall_keeps_the_order_when_all_come_back_at_once(void **state)
{
	uint64_t seq = 1000 + WORKERS;

	(void)state;
	stall((struct wyn_submit_options){0});
	return_all();
	assert_ptr_equal(client->conn->ready.queues[1].spans.next->next,
		&client->conn->ready.queues[1].spans);
	for (size_t i = WORKERS; i < rig->started_count; i++) {
		if (rig_task_at(rig, i)->batch->first_seq == 1000) {
			assert_int_equal(rig_task_at(rig, i)->seq, seq++);
		}
	}
}

static void recall_leaves_alone_what_is_cancelled(void **state)
{
	(void)state;
	stall((struct wyn_submit_options){0});
	rig_cancel(client, 1000, MANY);
	return_all();
	assert_int_equal(client->rows, 100 + MANY - WORKERS);
	assert_int_equal(rig->engine->stats.tasks_recalled_approx, 0);
}

/* The Cancel is read when they are back, and before the turn takes them. */
static void recall_cancels_what_is_back_and_not_taken(void **state)
{
	(void)state;
	stall((struct wyn_submit_options){0});
	while (rig->started_count > WORKERS) {
		rig_run_at(rig, WORKERS);
	}
	rig_cancel(client, 1000, MANY);
	rig_settle(rig);
	assert_int_equal(client->rows, 100 + MANY - WORKERS);
	assert_int_equal(client->rows_ok, 100);
}

static void recall_cancels_what_waits_again(void **state)
{
	(void)state;
	stall((struct wyn_submit_options){0});
	return_all();
	rig_cancel(client, 1000, MANY);
	rig_finish_all(rig);
	assert_int_equal(client->rows, 100 + MANY);
}

static void recall_expires_what_waits_again(void **state)
{
	(void)state;
	stall((struct wyn_submit_options){.deadline_ms = 1000});
	return_all();
	rig_advance(rig, 1000);
	assert_int_equal(client->rows, 100 + MANY);
	assert_string_equal(
		rig_task(client, 1000 + MANY - 1)->reason, "QUEUE_DEADLINE");
}

static void recall_drops_what_nobody_waits_for(void **state)
{
	(void)state;
	stall((struct wyn_submit_options){0});
	rig_client_break(client);
	return_all();
	rig_finish_all(rig);
	assert_int_equal(neighbour->rows_ok, 1);
}

static void recall_spares_what_is_fast_when_others_stall(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 100, "echo", NULL);
	rig_finish_all(rig);
	rig_batch_send(neighbour, 1, WORKERS, "slow", NULL);
	rig_batch_send(client, 1000, 1000, "echo", NULL);
	rig_settle(rig);
	for (size_t i = 0; i < rig->started_count; i++) {
		if (rig_task_at(rig, i)->batch->first_seq == 1) {
			rig_begin_at(rig, i);
		}
	}
	for (unsigned i = 0; i < 10; i++) {
		rig_advance(rig, STALL_MS);
	}
	rig_finish_all(rig);
	assert_int_equal(rig->engine->stats.tasks_recalled_approx, 0);
	assert_int_equal(client->rows_ok, 1100);
}

static void recall_leaves_alone_what_was_charged_as_slow(void **state)
{
	uint64_t *estimate_ns;

	(void)state;
	rig_batch_send(client, 1, 100, "echo", NULL);
	rig_batch_send(neighbour, 1, 20, "slow", NULL);
	rig_finish_all(rig);
	estimate_ns = &rig->engine->dispatch.estimate_ns[wyn_registry_find(
		rig->registry, wyn_slice_of("slow"))
								 ->index];
	*estimate_ns = RIG_SECOND_NS;
	rig_batch_send(client, 1000, 400, "echo", NULL);
	rig_settle(rig);
	rig_task_send(neighbour, 1000, "slow", NULL);
	rig_settle(rig);
	assert_int_equal(rig->started_count, 401);
	rig_advance(rig, STALL_MS);
	rig_advance(rig, STALL_MS);
	assert_true(rig->engine->stats.executor_stalled_approx > 0);
	rig_finish_all(rig);
	assert_int_equal(rig->engine->stats.tasks_recalled_approx, 0);
}

static void recall_looks_no_more_when_the_executor_is_empty(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 100, "echo", NULL);
	rig_finish_all(rig);
	rig_batch_send(client, 200, 1000, "echo", NULL);
	rig_settle(rig);
	assert_int_not_equal(rig->engine->dispatch.watch.place, 0);
	rig_finish_all(rig);
	assert_int_equal(rig->engine->dispatch.watch.place, 0);
	assert_int_equal(rig->engine->stats.executor_stalled_approx, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(recall_lets_a_neighbour_in_when_tasks_were_misjudged),
		TEST(recall_loses_no_task_when_all_come_back),
		TEST(recall_starts_slow_ones_when_the_function_looks_fast),
		TEST(recall_keeps_the_order_when_all_come_back_at_once),
		TEST(recall_leaves_alone_what_is_cancelled),
		TEST(recall_cancels_what_is_back_and_not_taken),
		TEST(recall_cancels_what_waits_again),
		TEST(recall_expires_what_waits_again),
		TEST(recall_drops_what_nobody_waits_for),
		TEST(recall_spares_what_is_fast_when_others_stall),
		TEST(recall_leaves_alone_what_was_charged_as_slow),
		TEST(recall_looks_no_more_when_the_executor_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
