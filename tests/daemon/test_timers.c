// SPDX-License-Identifier: MIT
/*
 * test_timers.c - arming, moving, disarming and firing, with times made up.
 */
#include "daemon/run/timers.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/prng.h"

#define TIMERS	  500
#define ACTIONS	  20000
#define TIMES_MAX 1000

/* A timer that writes down that it fired. */
struct probe {
	struct wyn_timer timer;
	struct wyn_timers *timers;
	uint64_t fired_ns; /* 0 = not */
	uint64_t again_ns; /* arms itself again for then; 0 = not */
	unsigned fired_count;
	struct probe *victim; /* disarmed when it fires */
};

static uint64_t last_when_ns; /* of the timer that fired last */

static void probe_fire(struct wyn_timer *timer, uint64_t now_ns)
{
	struct probe *probe = WYN_CONTAINER_OF(timer, struct probe, timer);

	assert_int_equal(timer->place, 0);
	assert_true(timer->when_ns <= now_ns);
	last_when_ns = timer->when_ns;
	probe->fired_ns = now_ns;
	probe->fired_count++;
	if (probe->again_ns != 0) {
		assert_int_equal(
			wyn_timers_arm(probe->timers, timer, probe->again_ns),
			0);
	}
	if (probe->victim != NULL) {
		wyn_timers_disarm(probe->timers, &probe->victim->timer);
	}
}

static void probe_init(struct probe *probe, struct wyn_timers *timers)
{
	*probe = (struct probe){.timers = timers};
	probe->timer.fire = probe_fire;
}

static void timers_have_no_next_when_empty(void **state)
{
	struct wyn_timers timers;

	(void)state;
	wyn_timers_init(&timers);

	assert_true(wyn_timers_next_ns(&timers) == WYN_TIMERS_NONE);
	wyn_timers_run(&timers, UINT64_MAX, SIZE_MAX);

	wyn_timers_fini(&timers);
}

static void timers_fire_in_order_when_due(void **state)
{
	static const uint64_t when_ns[] = {50, 10, 40, 20, 30};
	struct probe probes[WYN_COUNT_OF(when_ns)];
	struct wyn_timers timers;

	(void)state;
	wyn_timers_init(&timers);
	for (size_t i = 0; i < WYN_COUNT_OF(when_ns); i++) {
		probe_init(&probes[i], &timers);
		assert_int_equal(
			wyn_timers_arm(&timers, &probes[i].timer, when_ns[i]),
			0);
	}

	for (uint64_t now_ns = 10; now_ns <= 50; now_ns += 10) {
		assert_int_equal(wyn_timers_next_ns(&timers), now_ns);
		wyn_timers_run(&timers, now_ns - 1, SIZE_MAX);
		assert_int_equal(wyn_timers_next_ns(&timers), now_ns);
		wyn_timers_run(&timers, now_ns, SIZE_MAX);
		assert_int_equal(last_when_ns, now_ns);
	}

	for (size_t i = 0; i < WYN_COUNT_OF(when_ns); i++) {
		assert_int_equal(probes[i].fired_ns, when_ns[i]);
		assert_int_equal(probes[i].fired_count, 1);
	}
	wyn_timers_fini(&timers);
}

static void timers_move_when_armed_again(void **state)
{
	struct probe probes[2];
	struct wyn_timers timers;

	(void)state;
	wyn_timers_init(&timers);
	probe_init(&probes[0], &timers);
	probe_init(&probes[1], &timers);
	assert_int_equal(wyn_timers_arm(&timers, &probes[0].timer, 10), 0);
	assert_int_equal(wyn_timers_arm(&timers, &probes[1].timer, 20), 0);

	assert_int_equal(wyn_timers_arm(&timers, &probes[0].timer, 30), 0);

	assert_int_equal(timers.count, 2);
	assert_int_equal(wyn_timers_next_ns(&timers), 20);
	wyn_timers_run(&timers, 20, SIZE_MAX);
	assert_int_equal(probes[0].fired_count, 0);
	assert_int_equal(probes[1].fired_count, 1);
	wyn_timers_fini(&timers);
}

static void timers_do_not_fire_when_disarmed(void **state)
{
	struct wyn_timers timers;
	struct probe probe;

	(void)state;
	wyn_timers_init(&timers);
	probe_init(&probe, &timers);
	assert_int_equal(wyn_timers_arm(&timers, &probe.timer, 10), 0);

	wyn_timers_disarm(&timers, &probe.timer);
	wyn_timers_disarm(&timers, &probe.timer);

	wyn_timers_run(&timers, 10, SIZE_MAX);
	assert_int_equal(probe.fired_count, 0);
	assert_true(wyn_timers_next_ns(&timers) == WYN_TIMERS_NONE);
	wyn_timers_fini(&timers);
}

static void timers_do_not_fire_when_disarmed_by_one_that_fired(void **state)
{
	struct wyn_timers timers;
	struct probe first;
	struct probe second;

	(void)state;
	wyn_timers_init(&timers);
	probe_init(&first, &timers);
	probe_init(&second, &timers);
	first.victim = &second;
	assert_int_equal(wyn_timers_arm(&timers, &first.timer, 10), 0);
	assert_int_equal(wyn_timers_arm(&timers, &second.timer, 10 + 1), 0);

	wyn_timers_run(&timers, 100, SIZE_MAX);

	assert_int_equal(first.fired_count, 1);
	assert_int_equal(second.fired_count, 0);
	wyn_timers_fini(&timers);
}

static void timers_fire_again_when_they_arm_themselves(void **state)
{
	struct wyn_timers timers;
	struct probe probe;

	(void)state;
	wyn_timers_init(&timers);
	probe_init(&probe, &timers);
	probe.again_ns = 20;
	assert_int_equal(wyn_timers_arm(&timers, &probe.timer, 10), 0);

	wyn_timers_run(&timers, 10, SIZE_MAX);

	assert_int_equal(probe.fired_count, 1);
	assert_int_equal(wyn_timers_next_ns(&timers), 20);
	wyn_timers_fini(&timers);
}

static void timers_fire_once_per_run_when_they_arm_for_the_past(void **state)
{
	struct wyn_timers timers;
	struct probe probe;

	(void)state;
	wyn_timers_init(&timers);
	probe_init(&probe, &timers);
	probe.again_ns = 5;
	assert_int_equal(wyn_timers_arm(&timers, &probe.timer, 10), 0);

	wyn_timers_run(&timers, 10, SIZE_MAX);
	assert_int_equal(probe.fired_count, 1);
	wyn_timers_run(&timers, 10, SIZE_MAX);
	assert_int_equal(probe.fired_count, 2);

	wyn_timers_fini(&timers);
}

/* What a plain search says about the probes. */
static uint64_t model_next_ns(const struct probe *probes)
{
	uint64_t next_ns = WYN_TIMERS_NONE;

	for (size_t i = 0; i < TIMERS; i++) {
		if (probes[i].timer.place != 0 &&
			probes[i].timer.when_ns < next_ns) {
			next_ns = probes[i].timer.when_ns;
		}
	}
	return next_ns;
}

static void timers_agree_with_a_search_when_used_at_random(void **state)
{
	static struct probe probes[TIMERS];
	struct wyn_timers timers;
	struct wyn_prng prng;
	uint64_t seed = 20240607;

	(void)state;
	print_message("seed %" PRIu64 "\n", seed);
	wyn_prng_init(&prng, seed);
	wyn_timers_init(&timers);
	for (size_t i = 0; i < TIMERS; i++) {
		probe_init(&probes[i], &timers);
	}

	for (size_t i = 0; i < ACTIONS; i++) {
		struct wyn_timer *timer =
			&probes[wyn_prng_below(&prng, TIMERS)].timer;
		uint64_t now_ns = wyn_prng_below(&prng, TIMES_MAX);

		switch (wyn_prng_below(&prng, 8)) {
		case 0:
			wyn_timers_disarm(&timers, timer);
			break;
		case 1:
			wyn_timers_run(&timers, now_ns / 16, SIZE_MAX);
			assert_true(wyn_timers_next_ns(&timers) > now_ns / 16);
			break;
		default:
			assert_int_equal(
				wyn_timers_arm(&timers, timer, now_ns), 0);
			break;
		}
		assert_true(
			wyn_timers_next_ns(&timers) == model_next_ns(probes));
	}

	wyn_timers_run(&timers, TIMES_MAX, SIZE_MAX);
	assert_int_equal(timers.count, 0);
	wyn_timers_fini(&timers);
}

static void timers_fire_as_many_as_they_may_when_more_are_due(void **state)
{
	struct wyn_timers timers;
	struct probe probes[5];

	(void)state;
	wyn_timers_init(&timers);
	for (size_t i = 0; i < WYN_COUNT_OF(probes); i++) {
		probe_init(&probes[i], &timers);
		assert_int_equal(
			wyn_timers_arm(&timers, &probes[i].timer, 10 + i), 0);
	}
	wyn_timers_run(&timers, 100, 3);
	assert_int_equal(wyn_timers_next_ns(&timers), 13);
	wyn_timers_run(&timers, 100, 3);
	assert_int_equal(wyn_timers_next_ns(&timers), WYN_TIMERS_NONE);
	wyn_timers_fini(&timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_have_no_next_when_empty),
		cmocka_unit_test(timers_fire_in_order_when_due),
		cmocka_unit_test(timers_move_when_armed_again),
		cmocka_unit_test(timers_do_not_fire_when_disarmed),
		cmocka_unit_test(
			timers_do_not_fire_when_disarmed_by_one_that_fired),
		cmocka_unit_test(timers_fire_again_when_they_arm_themselves),
		cmocka_unit_test(
			timers_fire_once_per_run_when_they_arm_for_the_past),
		cmocka_unit_test(
			timers_agree_with_a_search_when_used_at_random),
		cmocka_unit_test(
			timers_fire_as_many_as_they_may_when_more_are_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
