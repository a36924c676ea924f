// SPDX-License-Identifier: MIT
/*
 * test_ready.c - whose turn it is.
 */
#include "daemon/engine/ready.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LOW    0u
#define NORMAL 1u
#define HIGH   2u

static struct wyn_ready ready;
static struct wyn_ready_owner owners[3];
static struct wyn_span spans[8];

static int setup(void **state)
{
	(void)state;
	wyn_ready_init(&ready);
	for (size_t i = 0; i < 3; i++) {
		wyn_ready_owner_init(&owners[i]);
	}
	memset(spans, 0, sizeof(spans));
	for (size_t i = 0; i < 8; i++) {
		wyn_list_init(&spans[i].link);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return 0;
}

static void push(size_t owner, unsigned priority, size_t span, uint64_t count)
{
	spans[span].args.count = count;
	wyn_ready_push(&ready, &owners[owner], priority, &spans[span]);
}

/* Takes up to `most` tasks of whoever has the turn, each of which is thought to
 * take so long. Returns: that owner, or -1 when there is none. */
static int take_slow(
	uint64_t most, uint64_t task_ns, struct wyn_span **ret_span)
{
	struct wyn_ready_owner *owner;
	struct wyn_span *span = wyn_ready_pick(&ready, &owner);
	uint64_t tasks;

	if (span == NULL) {
		return -1;
	}
	tasks = wyn_ready_most(&ready, span, task_ns);
	assert_in_range(tasks, 1, WYN_READY_QUANTUM);
	assert_true(tasks <= span->args.count);
	tasks = tasks < most ? tasks : most;
	span->args.count -= tasks;
	wyn_ready_took(&ready, owner, span, tasks, task_ns);
	*ret_span = span;
	return (int)(owner - owners);
}

static int take(uint64_t most, struct wyn_span **ret_span)
{
	return take_slow(most, 0, ret_span);
}

static void ready_has_nothing_when_empty(void **state)
{
	struct wyn_span *span;

	(void)state;
	assert_int_equal(take(1, &span), -1);
}

static void ready_gives_spans_of_an_owner_in_order(void **state)
{
	struct wyn_span *span;

	(void)state;
	push(0, NORMAL, 0, 2);
	push(0, NORMAL, 1, 1);
	assert_int_equal(take(1, &span), 0);
	assert_ptr_equal(span, &spans[0]);
	assert_int_equal(take(1, &span), 0);
	assert_ptr_equal(span, &spans[0]);
	assert_int_equal(take(1, &span), 0);
	assert_ptr_equal(span, &spans[1]);
	assert_int_equal(take(1, &span), -1);
	assert_int_equal(owners[0].tasks, 0);
}

static void ready_lets_a_small_owner_wait_for_one_quantum(void **state)
{
	struct wyn_span *span;
	uint64_t before = 0;

	(void)state;
	push(0, NORMAL, 0, 1000000);
	assert_int_equal(take(5, &span), 0);
	push(1, NORMAL, 1, 10);
	while (spans[1].args.count > 0) {
		if (take(1, &span) == 0) {
			before++;
		}
	}
	assert_in_range(before, 1, WYN_READY_QUANTUM);
}

static void ready_takes_turns_of_a_quantum(void **state)
{
	struct wyn_span *span;
	uint64_t taken[2] = {0, 0};

	(void)state;
	push(0, NORMAL, 0, 100000);
	push(1, NORMAL, 1, 100000);
	for (unsigned i = 0; i < 6400; i++) {
		taken[take(1, &span)]++;
	}
	assert_int_equal(taken[0], 3200);
	assert_int_equal(taken[1], 3200);
}

static void ready_takes_turns_when_little_is_taken_at_a_time(void **state)
{
	struct wyn_span *span;

	(void)state;
	push(0, NORMAL, 0, 100);
	push(1, NORMAL, 1, 100);
	for (unsigned i = 0; i < WYN_READY_QUANTUM; i++) {
		assert_int_equal(take(1, &span), 0);
	}
	assert_int_equal(take(1, &span), 1);
}

static void ready_gives_a_whole_turn_after_one_that_was_cut_off(void **state)
{
	struct wyn_span *span;

	(void)state;
	push(0, NORMAL, 0, 100);
	push(1, NORMAL, 1, 100);
	push(2, NORMAL, 2, 100);
	assert_int_equal(take(30, &span), 0);
	wyn_ready_remove(&ready, &owners[0], &spans[0]);
	for (unsigned i = 0; i < WYN_READY_QUANTUM; i++) {
		assert_int_equal(take(1, &span), 1);
	}
	assert_int_equal(take(1, &span), 2);
}

static void ready_prefers_high_and_never_starves_low(void **state)
{
	struct wyn_span *span;
	uint64_t left[3];

	(void)state;
	push(0, LOW, 0, 1000000);
	push(1, NORMAL, 1, 1000000);
	push(2, HIGH, 2, 1000000);
	for (unsigned i = 0; i < 21u * 10 * WYN_READY_QUANTUM; i++) {
		(void)take(1, &span);
	}
	for (size_t i = 0; i < 3; i++) {
		left[i] = 1000000 - spans[i].args.count;
	}
	assert_int_equal(left[0], 10 * WYN_READY_QUANTUM);
	assert_int_equal(left[1], 40 * WYN_READY_QUANTUM);
	assert_int_equal(left[2], 160 * WYN_READY_QUANTUM);
}

static void ready_serves_low_at_once_when_there_is_nothing_else(void **state)
{
	struct wyn_span *span;

	(void)state;
	push(0, LOW, 0, 1000);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(take(1, &span), 0);
	}
	assert_int_equal(take(1, &span), -1);
}

static void ready_serves_the_priorities_of_one_owner(void **state)
{
	struct wyn_span *span;

	(void)state;
	push(0, LOW, 0, 1);
	push(0, HIGH, 1, 1);
	push(0, NORMAL, 2, 1);
	assert_int_equal(take(1, &span), 0);
	assert_ptr_equal(span, &spans[1]);
	assert_int_equal(take(1, &span), 0);
	assert_ptr_equal(span, &spans[2]);
	assert_int_equal(take(1, &span), 0);
	assert_ptr_equal(span, &spans[0]);
}

static void ready_passes_over_who_is_held(void **state)
{
	struct wyn_span *span;

	(void)state;
	push(0, NORMAL, 0, 100);
	push(1, NORMAL, 1, 1);
	wyn_ready_hold(&ready, &owners[0], true);
	assert_int_equal(take(1, &span), 1);
	assert_int_equal(take(1, &span), -1);
	wyn_ready_hold(&ready, &owners[0], false);
	assert_int_equal(take(1, &span), 0);
}

static void ready_passes_over_what_is_pushed_while_held(void **state)
{
	struct wyn_span *span;

	(void)state;
	wyn_ready_hold(&ready, &owners[0], true);
	push(0, HIGH, 0, 1);
	assert_int_equal(take(1, &span), -1);
	assert_int_equal(owners[0].tasks, 1);
	wyn_ready_hold(&ready, &owners[0], false);
	assert_int_equal(take(1, &span), 0);
}

static void ready_passes_over_only_the_queue_that_is_held(void **state)
{
	struct wyn_span *span;

	(void)state;
	push(0, NORMAL, 0, 1);
	push(0, HIGH, 1, 1);
	push(1, NORMAL, 2, 1);
	wyn_ready_hold_queue(&ready, &owners[0], NORMAL);
	assert_true(wyn_ready_has_held_queue(&owners[0]));
	assert_int_equal(take(1, &span), 0);
	assert_ptr_equal(span, &spans[1]);
	assert_int_equal(take(1, &span), 1);
	assert_int_equal(take(1, &span), -1);
	wyn_ready_release_queues(&ready, &owners[0]);
	assert_false(wyn_ready_has_held_queue(&owners[0]));
	assert_int_equal(take(1, &span), 0);
}

static void ready_passes_over_who_is_held_when_a_queue_is_released(void **state)
{
	struct wyn_span *span;

	(void)state;
	push(0, NORMAL, 0, 1);
	wyn_ready_hold_queue(&ready, &owners[0], NORMAL);
	wyn_ready_hold(&ready, &owners[0], true);
	wyn_ready_release_queues(&ready, &owners[0]);
	assert_int_equal(take(1, &span), -1);
	wyn_ready_hold(&ready, &owners[0], false);
	assert_int_equal(take(1, &span), 0);
}

static void ready_releases_a_queue_when_its_first_is_removed(void **state)
{
	struct wyn_span *span;

	(void)state;
	push(0, NORMAL, 0, 1);
	push(0, NORMAL, 1, 1);
	push(0, NORMAL, 2, 1);
	wyn_ready_hold_queue(&ready, &owners[0], NORMAL);
	wyn_ready_remove(&ready, &owners[0], &spans[1]);
	assert_int_equal(take(1, &span), -1);
	wyn_ready_remove(&ready, &owners[0], &spans[0]);
	assert_int_equal(take(1, &span), 0);
	assert_ptr_equal(span, &spans[2]);
}

static void ready_forgets_what_is_removed(void **state)
{
	struct wyn_span *span;

	(void)state;
	push(0, NORMAL, 0, 5);
	push(0, NORMAL, 1, 7);
	wyn_ready_remove(&ready, &owners[0], &spans[0]);
	assert_int_equal(owners[0].tasks, 7);
	assert_int_equal(take(100, &span), 0);
	assert_ptr_equal(span, &spans[1]);
	assert_int_equal(take(1, &span), -1);
}

static void ready_keeps_what_was_split_off_in_its_place(void **state)
{
	struct wyn_span *span;

	(void)state;
	push(0, NORMAL, 0, 5);
	push(0, NORMAL, 1, 1);
	spans[0].args.count = 2;
	spans[2].args.count = 3;
	wyn_ready_insert_after(&spans[0], &spans[2]);
	(void)take(100, &span);
	assert_ptr_equal(span, &spans[0]);
	(void)take(100, &span);
	assert_ptr_equal(span, &spans[2]);
	(void)take(100, &span);
	assert_ptr_equal(span, &spans[1]);
	assert_int_equal(owners[0].tasks, 0);
}

static void ready_ends_a_turn_when_one_slow_task_fills_it(void **state)
{
	struct wyn_span *span;

	(void)state;
	push(0, NORMAL, 0, 100);
	push(1, NORMAL, 1, 100);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(
			take_slow(100, WYN_READY_QUANTUM_NS, &span), i % 2);
	}
	assert_int_equal(spans[0].args.count, 97);
	assert_int_equal(spans[1].args.count, 97);
}

static void ready_counts_a_turn_by_time_when_costs_differ(void **state)
{
	struct wyn_span *span;

	(void)state;
	push(0, NORMAL, 0, 100);
	push(1, NORMAL, 1, 100);
	assert_int_equal(take_slow(100, WYN_READY_QUANTUM_NS / 4, &span), 0);
	assert_int_equal(spans[0].args.count, 96);
	assert_int_equal(take(100, &span), 1);
	assert_int_equal(spans[1].args.count, 100 - WYN_READY_QUANTUM);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(ready_has_nothing_when_empty),
		TEST(ready_gives_spans_of_an_owner_in_order),
		TEST(ready_lets_a_small_owner_wait_for_one_quantum),
		TEST(ready_takes_turns_of_a_quantum),
		TEST(ready_takes_turns_when_little_is_taken_at_a_time),
		TEST(ready_gives_a_whole_turn_after_one_that_was_cut_off),
		TEST(ready_prefers_high_and_never_starves_low),
		TEST(ready_serves_low_at_once_when_there_is_nothing_else),
		TEST(ready_serves_the_priorities_of_one_owner),
		TEST(ready_passes_over_who_is_held),
		TEST(ready_passes_over_what_is_pushed_while_held),
		TEST(ready_passes_over_only_the_queue_that_is_held),
		TEST(ready_passes_over_who_is_held_when_a_queue_is_released),
		TEST(ready_releases_a_queue_when_its_first_is_removed),
		TEST(ready_forgets_what_is_removed),
		TEST(ready_keeps_what_was_split_off_in_its_place),
		TEST(ready_ends_a_turn_when_one_slow_task_fills_it),
		TEST(ready_counts_a_turn_by_time_when_costs_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
