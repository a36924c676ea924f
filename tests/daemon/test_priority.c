// SPDX-License-Identifier: MIT
/*
 * test_priority.c - who gets on beside a flood, from Submit to result.
 *
 * The executor holds few at a time, so that what is started is what the queues
 * decide. A flood is more than is ever run here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/ready.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"

#define FLOOD 60000u

static struct rig_client *other;

static int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.executor_tasks_max = 4;
	rig = rig_create(&limits, 2);
	client = rig_open(rig);
	other = rig_open(rig);
	return 0;
}

static void push(
	struct rig_client *whose, uint64_t seq, size_t count, uint8_t priority)
{
	const struct rig_submit submit = {.first_seq = seq,
		.function = "noop",
		.count = count,
		.options = {.priority = priority}};

	rig_submit(whose, &submit);
}

/* Runs as many tasks, one after the other. */
static void run(size_t tasks)
{
	for (size_t i = 0; i < tasks; i++) {
		rig_run(rig, 1);
		rig_settle(rig);
	}
}

/* Returns: how many of low got their result in ten rounds of turns of the
 * flood's priority and of low. */
static uint64_t low_beside(uint8_t flood, unsigned turns)
{
	push(client, 1, FLOOD, flood);
	rig_settle(rig);
	push(other, 1, FLOOD, WYN__V1__PRIORITY__PRIORITY_LOW);
	run(10u * (turns + WYN_READY_TURN_LOW) * WYN_READY_QUANTUM);
	return other->rows;
}

static void priority_low_gets_a_sixteenth_beside_a_flood_of_high(void **state)
{
	(void)state;
	assert_in_range(low_beside(WYN__V1__PRIORITY__PRIORITY_HIGH,
				WYN_READY_TURN_HIGH),
		9 * WYN_READY_QUANTUM, 11 * WYN_READY_QUANTUM);
}

static void priority_low_gets_a_quarter_beside_a_flood_of_normal(void **state)
{
	(void)state;
	assert_in_range(low_beside(WYN__V1__PRIORITY__PRIORITY_NORMAL,
				WYN_READY_TURN_NORMAL),
		9 * WYN_READY_QUANTUM, 11 * WYN_READY_QUANTUM);
}

static void priority_low_gets_on_beside_high_of_the_same_client(void **state)
{
	uint64_t low = 0;

	(void)state;
	push(client, 1, FLOOD, WYN__V1__PRIORITY__PRIORITY_HIGH);
	rig_settle(rig);
	push(client, FLOOD + 1, 1000, WYN__V1__PRIORITY__PRIORITY_LOW);
	run(10u * (WYN_READY_TURN_HIGH + WYN_READY_TURN_LOW) *
		WYN_READY_QUANTUM);
	for (uint64_t i = 0; i < 1000; i++) {
		low += rig_task(client, FLOOD + 1 + i) != NULL;
	}
	assert_in_range(low, 9 * WYN_READY_QUANTUM, 11 * WYN_READY_QUANTUM);
}

static void priority_low_gets_on_beside_many_that_flood(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		push(rig_open(rig), 1, FLOOD / 10,
			WYN__V1__PRIORITY__PRIORITY_HIGH);
	}
	rig_settle(rig);
	push(other, 1, 10, WYN__V1__PRIORITY__PRIORITY_LOW);
	/* What the executor has, and a round of turns. */
	run(4 + WYN_READY_TURN_HIGH * WYN_READY_QUANTUM + 10);
	assert_int_equal(other->rows_ok, 10);
}

/* However many the others are, it is one turn of each that it waits for. */
static void priority_ten_tasks_wait_for_a_turn_of_each_flood(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		push(rig_open(rig), 1, FLOOD / 10,
			WYN__V1__PRIORITY__PRIORITY_NORMAL);
	}
	rig_settle(rig);
	push(other, 1, 10, WYN__V1__PRIORITY__PRIORITY_NORMAL);
	run(4 + 10 * WYN_READY_QUANTUM + 10);
	assert_int_equal(other->rows_ok, 10);
}

/* Whoever holds much is refused before who holds little. */
static void priority_ten_tasks_are_let_in_beside_many_that_fill_it(void **state)
{
	struct rig_client *floods[5];
	struct wyn_limits limits = WYN_LIMITS_INIT;

	teardown(state);
	limits.executor_tasks_max = 4;
	limits.daemon_tasks_max = 1000;
	rig = rig_create(&limits, 2);
	other = rig_open(rig);
	for (unsigned i = 0; i < 5; i++) {
		floods[i] = rig_open(rig);
	}
	for (unsigned turn = 0; turn < 20; turn++) {
		for (unsigned i = 0; i < 5; i++) {
			push(floods[i], 1 + 1000 * turn, 1000,
				WYN__V1__PRIORITY__PRIORITY_NORMAL);
			rig_settle(rig);
		}
		push(other, 1 + 10 * turn, 10,
			WYN__V1__PRIORITY__PRIORITY_NORMAL);
		run(250);
		assert_int_equal(other->rows_ok, 10 * (turn + 1));
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(priority_low_gets_a_sixteenth_beside_a_flood_of_high),
		TEST(priority_low_gets_a_quarter_beside_a_flood_of_normal),
		TEST(priority_low_gets_on_beside_high_of_the_same_client),
		TEST(priority_low_gets_on_beside_many_that_flood),
		TEST(priority_ten_tasks_wait_for_a_turn_of_each_flood),
		TEST(priority_ten_tasks_are_let_in_beside_many_that_fill_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
