// SPDX-License-Identifier: MIT
/*
 * test_watchdog.c - when the daemon is well, on a clock of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/time.h"
#include "daemon/io/watchdog.h"

#define INTERVAL_NS (40 * WYN_NS_PER_S)

static struct wyn_watchdog watchdog;
static struct wyn_watchdog_look look;
static uint64_t next_ns;

static int set_up(void **state)
{
	(void)state;
	wyn_watchdog_init(&watchdog, INTERVAL_NS);
	look = (struct wyn_watchdog_look){
		.now_ns = 7 * WYN_NS_PER_S, .loops_answered = true};
	return 0;
}

static enum wyn_watchdog_verdict decide(void)
{
	return wyn_watchdog_decide(&watchdog, &look, &next_ns);
}

/* Looks when it was asked to, until so much time has passed. */
static enum wyn_watchdog_verdict decide_for(uint64_t ns)
{
	uint64_t end_ns = look.now_ns + ns;
	enum wyn_watchdog_verdict verdict = decide();

	while (look.now_ns + next_ns <= end_ns) {
		look.now_ns += next_ns;
		verdict = decide();
	}
	return verdict;
}

static void watchdog_is_fed_at_half_of_the_interval_when_idle(void **state)
{
	(void)state;
	look.asleep = 2;
	assert_int_equal(decide(), WYN_WATCHDOG_WELL);
	assert_int_equal(next_ns, INTERVAL_NS / 2);
}

static void watchdog_is_not_fed_when_a_loop_is_silent(void **state)
{
	(void)state;
	look.loops_answered = false;
	assert_int_equal(decide(), WYN_WATCHDOG_LOOP_SILENT);
	assert_int_equal(next_ns, INTERVAL_NS / 8);
}

static void watchdog_is_fed_again_when_the_loop_answers(void **state)
{
	(void)state;
	look.loops_answered = false;
	assert_int_equal(decide_for(INTERVAL_NS / 2), WYN_WATCHDOG_LOOP_SILENT);
	look.loops_answered = true;
	assert_int_equal(decide(), WYN_WATCHDOG_WELL);
	assert_int_equal(next_ns, INTERVAL_NS / 2);
}

static void watchdog_is_fed_when_a_task_runs_for_an_hour(void **state)
{
	(void)state;
	look.begun = 1;
	look.asleep = 1;
	assert_int_equal(decide_for(3600 * WYN_NS_PER_S), WYN_WATCHDOG_WELL);
}

static void watchdog_is_fed_when_tasks_wait_and_every_worker_runs(void **state)
{
	(void)state;
	look.begun = 2;
	look.queued = 100;
	assert_int_equal(decide_for(3600 * WYN_NS_PER_S), WYN_WATCHDOG_WELL);
}

static void watchdog_is_not_fed_when_a_task_waits_beside_a_sleeper(void **state)
{
	(void)state;
	look.queued = 1;
	look.asleep = 1;
	assert_int_equal(
		decide_for(WYN_WATCHDOG_WAIT_NS - 1), WYN_WATCHDOG_WELL);
	assert_int_equal(
		decide_for(INTERVAL_NS / 8), WYN_WATCHDOG_TASK_STRANDED);
	assert_int_equal(next_ns, INTERVAL_NS / 8);
}

static void watchdog_is_fed_again_when_the_task_begins(void **state)
{
	(void)state;
	look.queued = 2;
	look.asleep = 1;
	assert_int_equal(
		decide_for(INTERVAL_NS / 2), WYN_WATCHDOG_TASK_STRANDED);
	look.begun++;
	look.queued--;
	assert_int_equal(decide(), WYN_WATCHDOG_WELL);
	look.queued--;
	assert_int_equal(decide(), WYN_WATCHDOG_WELL);
	assert_int_equal(next_ns, INTERVAL_NS / 2);
}

static void watchdog_is_fed_when_others_wait_at_each_look(void **state)
{
	(void)state;
	look.queued = 1;
	look.asleep = 1;
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(decide(), WYN_WATCHDOG_WELL);
		look.now_ns += next_ns;
		look.begun++;
	}
}

static void watchdog_is_fed_when_it_was_stopped_between_two_looks(void **state)
{
	(void)state;
	look.queued = 1;
	look.asleep = 1;
	assert_int_equal(decide(), WYN_WATCHDOG_WELL);
	look.now_ns += 3600 * WYN_NS_PER_S;
	assert_int_equal(decide(), WYN_WATCHDOG_WELL);
}

static void watchdog_looks_soon_enough_when_the_interval_is_short(void **state)
{
	(void)state;
	wyn_watchdog_init(&watchdog, WYN_NS_PER_S);
	look.queued = 1;
	look.asleep = 1;
	assert_int_equal(
		decide_for(WYN_WATCHDOG_WAIT_NS - 1), WYN_WATCHDOG_WELL);
	assert_int_equal(decide_for(WYN_NS_PER_S), WYN_WATCHDOG_TASK_STRANDED);
}

#define TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(watchdog_is_fed_at_half_of_the_interval_when_idle),
		TEST(watchdog_is_not_fed_when_a_loop_is_silent),
		TEST(watchdog_is_fed_again_when_the_loop_answers),
		TEST(watchdog_is_fed_when_a_task_runs_for_an_hour),
		TEST(watchdog_is_fed_when_tasks_wait_and_every_worker_runs),
		TEST(watchdog_is_not_fed_when_a_task_waits_beside_a_sleeper),
		TEST(watchdog_is_fed_again_when_the_task_begins),
		TEST(watchdog_is_fed_when_others_wait_at_each_look),
		TEST(watchdog_is_fed_when_it_was_stopped_between_two_looks),
		TEST(watchdog_looks_soon_enough_when_the_interval_is_short),
	};

	return cmocka_run_group_tests_name("watchdog", tests, NULL, NULL);
}
