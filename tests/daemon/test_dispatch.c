// SPDX-License-Identifier: MIT
/*
 * test_dispatch.c - how much the executor is given, by what is known of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/engine/dispatch.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_functions.h"
#include "tests/support/rig_messages.h"

static int setup(void **state)
{
	(void)state;
	rig = rig_create(NULL, 2);
	client = rig_open(rig);
	return 0;
}

/* Lets so many calls of it be measured. */
static void measure(const char *function, size_t calls)
{
	rig_batch_send(client, client->conn->next_seq, calls, function, NULL);
	rig_finish_all(rig);
	rig->started_peak = 0;
}

static void dispatch_starts_two_per_worker_of_what_is_unknown(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 1000, "noop", NULL);
	rig_settle(rig);
	assert_int_equal(rig->started_count, 2 * WYN_DISPATCH_PER_WORKER);
}

static void dispatch_starts_one_more_for_each_that_comes_back(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 1000, "slow", NULL);
	rig_settle(rig);
	for (unsigned i = 0; i < 100; i++) {
		rig_run(rig, 1);
		rig_settle(rig);
		assert_int_equal(
			rig->started_count, 2 * WYN_DISPATCH_PER_WORKER);
	}
}

static void dispatch_starts_a_millisecond_of_what_is_fast(void **state)
{
	uint64_t estimate_ns;

	(void)state;
	measure("noop", 100);
	estimate_ns = rig->engine->dispatch.estimate_ns[wyn_registry_find(
		rig->registry, wyn_slice_of("noop"))
								->index];
	assert_int_equal(estimate_ns, RIG_FAST_NS);
	rig_batch_send(client, 1000, 50000, "noop", NULL);
	rig_settle(rig);
	assert_int_equal(
		rig->started_count, 2 * WYN_DISPATCH_AHEAD_NS / RIG_FAST_NS);
}

static void dispatch_makes_strips_at_once_when_a_function_is_short(void **state)
{
	(void)state;
	rig_batch_send(client, 1000, 100, "short", NULL);
	rig_settle(rig);
	assert_true(rig_is_strip_at(rig, 0));
	rig_finish_all(rig);

	rig_batch_send(client, 2000, 100, "tiny", NULL);
	rig_settle(rig);
	assert_false(rig_is_strip_at(rig, 0));
}

static void dispatch_starts_what_fits_when_tasks_are_tiny(void **state)
{
	(void)state;
	measure("tiny", 100);
	rig_batch_send(client, 1000, 50000, "tiny", NULL);
	rig_settle(rig);
	assert_int_equal(wyn_engine_in_executor(rig->engine),
		rig->shared.limits.executor_tasks_max);
}

static void dispatch_starts_few_of_what_is_slow(void **state)
{
	(void)state;
	measure("slow", 100);
	rig_batch_send(client, 1000, 50000, "slow", NULL);
	rig_settle(rig);
	assert_int_equal(rig->started_count, 2 * WYN_DISPATCH_PER_WORKER);
}

static void dispatch_notices_when_a_function_gets_slow(void **state)
{
	uint64_t before_ns;
	uint64_t *estimate_ns;

	(void)state;
	measure("slow", 100);
	estimate_ns = &rig->engine->dispatch.estimate_ns[wyn_registry_find(
		rig->registry, wyn_slice_of("slow"))
								 ->index];
	*estimate_ns = 200;
	before_ns = *estimate_ns;
	measure("slow", 2000);
	assert_true(*estimate_ns > 1000 * before_ns);
}

static void dispatch_never_passes_its_bound(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	rig_destroy(rig);
	limits.executor_tasks_max = 3;
	rig = rig_create(&limits, 8);
	client = rig_open(rig);
	measure("noop", 100);
	measure("noop", 1000);
	assert_int_equal(rig->started_peak, 0);
	rig_batch_send(client, client->conn->next_seq, 50, "noop", NULL);
	rig_finish_all(rig);
	assert_int_equal(rig->started_peak, 3);
}

static void dispatch_starts_all_in_one_submit(void **state)
{
	uint64_t before;

	(void)state;
	measure("noop", 100);
	before = rig->engine->stats.dispatches_approx;
	for (uint64_t i = 0; i < 100; i++) {
		rig_task_send(client, 1000 + i, "noop", NULL);
	}
	rig_turn(rig);
	assert_int_equal(rig->started_count, 100);
	assert_int_equal(rig->engine->stats.dispatches_approx, before + 1);
}

/* One with many tasks and one with few, as they leave the queue. */
static void dispatch_lets_a_small_client_wait_a_little(void **state)
{
	struct rig_client *small = rig_open(rig);
	uint64_t before = 0;

	(void)state;
	rig_batch_send(client, 1, 60000, "slow", NULL);
	rig_settle(rig);
	rig_batch_send(small, 1, 10, "slow", NULL);
	while (small->rows < 10) {
		rig_run(rig, 1);
		rig_settle(rig);
		before++;
	}
	/* What the executor holds, and then they take turns. */
	assert_in_range(before, 10, 2 * WYN_DISPATCH_PER_WORKER + 2 * 10);
}

static void dispatch_starts_one_more_for_each_worker_that_waits(void **state)
{
	struct wyn_stream *stream = &rig->engine->stream;

	(void)state;
	rig_batch_send(client, 1, 1000, "slow", NULL);
	rig_settle(rig);
	atomic_store_explicit(&stream->waiting, 3, memory_order_relaxed);
	rig_settle(rig);
	assert_int_equal(rig->started_count, 2 * WYN_DISPATCH_PER_WORKER + 3);
	atomic_store_explicit(&stream->waiting, 0, memory_order_relaxed);
}

static void dispatch_refuses_what_the_executor_has_no_memory_for(void **state)
{
	(void)state;
	rig->no_memory = true;
	rig_batch_send(client, 1, 3, "noop", NULL);
	rig_settle(rig);
	assert_int_equal(client->rows, 3);
	assert_int_equal(rig->engine->dispatch.in_flight, 0);
	rig->no_memory = false;
	rig_batch_send(client, 4, 1, "noop", NULL);
	rig_finish_all(rig);
	assert_int_equal(client->rows, 4);
	assert_int_equal(client->rows_ok, 1);
}

static void dispatch_budget_is_free_again_at_the_end(void **state)
{
	(void)state;
	measure("slow", 10);
	measure("noop", 1000);
	assert_int_equal(rig->engine->dispatch.cost_ns, 0);
	assert_int_equal(rig->engine->dispatch.in_flight, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(dispatch_starts_two_per_worker_of_what_is_unknown),
		TEST(dispatch_starts_one_more_for_each_that_comes_back),
		TEST(dispatch_starts_a_millisecond_of_what_is_fast),
		TEST(dispatch_starts_what_fits_when_tasks_are_tiny),
		TEST(dispatch_makes_strips_at_once_when_a_function_is_short),
		TEST(dispatch_starts_few_of_what_is_slow),
		TEST(dispatch_notices_when_a_function_gets_slow),
		TEST(dispatch_never_passes_its_bound),
		TEST(dispatch_starts_all_in_one_submit),
		TEST(dispatch_lets_a_small_client_wait_a_little),
		TEST(dispatch_starts_one_more_for_each_worker_that_waits),
		TEST(dispatch_refuses_what_the_executor_has_no_memory_for),
		TEST(dispatch_budget_is_free_again_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
