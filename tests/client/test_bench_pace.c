// SPDX-License-Identifier: MIT
/*
 * test_bench_pace.c - the schedule of the open loop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/prng.h"
#include "base/time.h"
#include "client/wynctl/bench_pace.h"

#define START UINT64_C(123456789)

static struct wyn_pace pace;

static void pace_has_first_due_when_it_starts(void **state)
{
	(void)state;
	wyn_pace_init(&pace, START, 1000, 1);
	assert_int_equal(0, wyn_pace_due(&pace, START - 1));
	assert_int_equal(1, wyn_pace_due(&pace, START));
	assert_int_equal(1, wyn_pace_due(&pace, START + WYN_NS_PER_MS - 1));
	assert_int_equal(2, wyn_pace_due(&pace, START + WYN_NS_PER_MS));
}

static void pace_is_as_slow_as_the_batch_is_large(void **state)
{
	(void)state;
	wyn_pace_init(&pace, START, 1000, 10);
	assert_int_equal(START, wyn_pace_at(&pace, 0));
	assert_int_equal(START + 10 * WYN_NS_PER_MS, wyn_pace_at(&pace, 1));
	assert_int_equal(100, wyn_pace_due(&pace, START + WYN_NS_PER_S - 1));
}

static void pace_gathers_no_rounding_when_it_goes_on_for_days(void **state)
{
	const uint64_t day_ns = UINT64_C(86400) * WYN_NS_PER_S;

	(void)state;
	wyn_pace_init(&pace, START, 3, 1);
	assert_int_equal(START + 30 * day_ns,
		wyn_pace_at(&pace, UINT64_C(3) * 86400 * 30));
	assert_int_equal(UINT64_C(3) * 86400 * 30 + 1,
		wyn_pace_due(&pace, START + 30 * day_ns));
}

static void pace_agrees_with_itself_when_rates_are_odd(void **state)
{
	struct wyn_prng prng;

	(void)state;
	wyn_prng_init(&prng, 4711);
	for (int i = 0; i < 100000; i++) {
		uint64_t rate = 1 + wyn_prng_next(&prng) % 1000000000;
		uint64_t batch = 1 + wyn_prng_next(&prng) % 1024;
		uint64_t now =
			START + wyn_prng_next(&prng) % (100 * WYN_NS_PER_S);
		uint64_t due;

		wyn_pace_init(&pace, START, rate, batch);
		due = wyn_pace_due(&pace, now);
		assert_true(wyn_pace_at(&pace, due - 1) <= now);
		assert_true(wyn_pace_at(&pace, due) > now);
	}
}

static void pace_has_no_more_due_when_it_has_an_end(void **state)
{
	(void)state;
	wyn_pace_init(&pace, START, 1000, 1);
	pace.end = 5;
	assert_int_equal(5, wyn_pace_due(&pace, START + WYN_NS_PER_S));
	assert_int_equal(START + 4 * WYN_NS_PER_MS, wyn_pace_at(&pace, 4));
	assert_true(wyn_pace_at(&pace, 5) == UINT64_MAX);
}

static void pace_deals_out_evenly_when_there_are_connections(void **state)
{
	(void)state;
	assert_int_equal(0, wyn_pace_share(0, 0, 3));
	assert_int_equal(1, wyn_pace_share(1, 0, 3));
	assert_int_equal(0, wyn_pace_share(1, 1, 3));
	assert_int_equal(3, wyn_pace_share(7, 0, 3));
	assert_int_equal(2, wyn_pace_share(7, 1, 3));
	assert_int_equal(2, wyn_pace_share(7, 2, 3));
	assert_int_equal(7, wyn_pace_share(7, 0, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pace_has_first_due_when_it_starts),
		cmocka_unit_test(pace_is_as_slow_as_the_batch_is_large),
		cmocka_unit_test(
			pace_gathers_no_rounding_when_it_goes_on_for_days),
		cmocka_unit_test(pace_agrees_with_itself_when_rates_are_odd),
		cmocka_unit_test(pace_has_no_more_due_when_it_has_an_end),
		cmocka_unit_test(
			pace_deals_out_evenly_when_there_are_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
