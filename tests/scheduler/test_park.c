// SPDX-License-Identifier: MIT
/*
 * test_park.c - the parking word, step by step, and sleeping threads.
 *
 * Most steps are taken by the test's own thread: entering and leaving do not
 * sleep, so every order of events can be laid out by hand.
 */
#include "scheduler/park.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "scheduler/fence.h"
#include "tests/support/latch.h"

#define SEATS 4u

struct fixture {
	struct wyn_park park;
	struct wyn_park_seat seats[SEATS];
};

static int park_setup(void **state)
{
	struct fixture *f;

	if (posix_memalign((void **)&f, WYN_CACHE_LINE, sizeof(*f)) != 0) {
		return -1;
	}
	wyn_fence_init();
	wyn_park_init(&f->park, f->seats, SEATS);
	*state = f;
	return 0;
}

static int park_teardown(void **state)
{
	free(*state);
	return 0;
}

static void park_wakes_nobody_when_nobody_parked(void **state)
{
	struct fixture *f = *state;

	assert_false(wyn_park_notify(&f->park));
}

static void park_admits_half_when_all_search(void **state)
{
	struct fixture *f = *state;

	assert_true(wyn_park_search_begin(&f->park));
	assert_true(wyn_park_search_begin(&f->park));
	assert_false(wyn_park_search_begin(&f->park));

	wyn_park_enter(&f->park, 0, false);
	assert_false(wyn_park_search_end(&f->park));
	assert_true(wyn_park_search_end(&f->park));
}

static void park_asks_for_no_look_when_nobody_parked(void **state)
{
	struct fixture *f = *state;

	assert_true(wyn_park_search_begin(&f->park));
	assert_false(wyn_park_search_end(&f->park));
}

static void park_wakes_nobody_when_one_searches(void **state)
{
	struct fixture *f = *state;

	wyn_park_enter(&f->park, 0, false);
	assert_true(wyn_park_search_begin(&f->park));

	assert_false(wyn_park_notify(&f->park));
}

static void park_wakes_last_parked_when_notified(void **state)
{
	struct fixture *f = *state;

	wyn_park_enter(&f->park, 0, false);
	wyn_park_enter(&f->park, 1, false);

	assert_true(wyn_park_notify(&f->park));

	/* Seat 1 has its token, so it does not sleep; seat 0 is there. */
	wyn_park_sleep(&f->park, 1);
	assert_true(wyn_park_search_end(&f->park));
	assert_true(wyn_park_notify(&f->park));
	wyn_park_sleep(&f->park, 0);
	assert_false(wyn_park_notify(&f->park));
}

static void park_tells_by_whom_when_woken(void **state)
{
	struct fixture *f = *state;

	wyn_park_enter(&f->park, 0, false);
	assert_true(wyn_park_notify(&f->park));
	assert_false(wyn_park_sleep(&f->park, 0));

	wyn_park_enter(&f->park, 0, true);
	assert_true(wyn_park_pass_on(&f->park));
	assert_false(wyn_park_pass_on(&f->park));
	assert_true(wyn_park_sleep(&f->park, 0));
}

static void park_wakes_one_when_notified_twice(void **state)
{
	struct fixture *f = *state;

	wyn_park_enter(&f->park, 0, false);
	wyn_park_enter(&f->park, 1, false);
	assert_true(wyn_park_notify(&f->park));

	/* The one that was woken searches until it says otherwise. */
	assert_false(wyn_park_notify(&f->park));
	assert_true(wyn_park_search_end(&f->park));
	assert_true(wyn_park_notify(&f->park));
}

static void park_ends_search_when_searcher_parks(void **state)
{
	struct fixture *f = *state;

	assert_true(wyn_park_search_begin(&f->park));
	wyn_park_enter(&f->park, 2, true);

	assert_true(wyn_park_notify(&f->park));
	wyn_park_sleep(&f->park, 2);
}

static void park_finds_all_when_one_parks_again(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 0; i < SEATS; i++) {
		wyn_park_enter(&f->park, i, false);
	}
	assert_true(wyn_park_notify(&f->park));
	wyn_park_sleep(&f->park, SEATS - 1);
	wyn_park_enter(&f->park, SEATS - 1, true);

	for (unsigned i = SEATS; i > 0; i--) {
		assert_true(wyn_park_notify(&f->park));
		wyn_park_sleep(&f->park, i - 1);
		assert_true(wyn_park_search_end(&f->park) == (i > 1));
	}
	assert_false(wyn_park_notify(&f->park));
}

static void park_tells_flags_when_raised(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(wyn_park_enter(&f->park, 0, false), 0);
	wyn_park_raise(&f->park, WYN_PARK_DRAIN);

	assert_int_equal(wyn_park_flags(&f->park), WYN_PARK_DRAIN);
	assert_int_equal(wyn_park_enter(&f->park, 1, false), WYN_PARK_DRAIN);
	assert_false(wyn_park_stopped(&f->park));
}

struct sleeper {
	struct fixture *f;
	struct latch parked;
};

static void *sleeper_main(void *arg)
{
	struct sleeper *s = arg;

	wyn_park_enter(&s->f->park, 0, false);
	latch_open(&s->parked);
	wyn_park_sleep(&s->f->park, 0);
	return NULL;
}

static void sleeper_is_woken_by(
	struct fixture *f, void (*wake)(struct fixture *f))
{
	struct sleeper s = {.f = f};
	pthread_t thread;

	latch_init(&s.parked);
	pthread_create(&thread, NULL, sleeper_main, &s);
	latch_wait(&s.parked);
	wake(f);
	pthread_join(thread, NULL);
	latch_fini(&s.parked);
}

static void wake_by_notify(struct fixture *f)
{
	wyn_park_notify(&f->park);
}

static void wake_by_stop(struct fixture *f)
{
	wyn_park_raise(&f->park, WYN_PARK_STOP);
}

static void park_ends_sleep_when_notified(void **state)
{
	struct fixture *f = *state;

	sleeper_is_woken_by(f, wake_by_notify);
	assert_false(wyn_park_search_end(&f->park));
}

static void park_ends_sleep_when_stopped(void **state)
{
	struct fixture *f = *state;

	sleeper_is_woken_by(f, wake_by_stop);
	assert_true(wyn_park_stopped(&f->park));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, park_setup, park_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(park_wakes_nobody_when_nobody_parked),
		TEST(park_admits_half_when_all_search),
		TEST(park_asks_for_no_look_when_nobody_parked),
		TEST(park_wakes_nobody_when_one_searches),
		TEST(park_wakes_last_parked_when_notified),
		TEST(park_tells_by_whom_when_woken),
		TEST(park_wakes_one_when_notified_twice),
		TEST(park_ends_search_when_searcher_parks),
		TEST(park_finds_all_when_one_parks_again),
		TEST(park_tells_flags_when_raised),
		TEST(park_ends_sleep_when_notified),
		TEST(park_ends_sleep_when_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
