// SPDX-License-Identifier: MIT
/*
 * test_account.c - who may hold how much of the room that all share.
 */
#include "daemon/run/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ROOM   1200u
#define OWNERS 5u

static _Atomic uint64_t all_held;
static struct wyn_account *owners[OWNERS];

static int setup(void **state)
{
	(void)state;
	atomic_init(&all_held, 0);
	for (size_t i = 0; i < OWNERS; i++) {
		owners[i] = wyn_account_create(&all_held, ROOM);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < OWNERS; i++) {
		uint64_t held = atomic_load_explicit(
			&owners[i]->held, memory_order_relaxed);

		wyn_account_give_back(owners[i], held);
		wyn_account_release(owners[i]);
	}
	assert_int_equal(
		atomic_load_explicit(&all_held, memory_order_relaxed), 0);
	return 0;
}

/* As much as there is for it, a byte at a time. */
static uint64_t fill(size_t owner)
{
	uint64_t bytes = 0;

	while (wyn_account_take(owners[owner], 1)) {
		bytes++;
	}
	return bytes;
}

static void account_has_half_when_alone(void **state)
{
	(void)state;
	assert_int_equal(fill(0), ROOM / 2);
}

static void account_leaves_room_when_others_took_all_they_can(void **state)
{
	(void)state;
	for (size_t i = 0; i < OWNERS - 1; i++) {
		assert_true(fill(i) > 0);
	}
	assert_true(fill(OWNERS - 1) > ROOM / 40);
	for (size_t i = 0; i < OWNERS; i++) {
		assert_int_equal(fill(i), 0);
	}
}

static void account_refuses_at_once_what_is_over_its_half(void **state)
{
	(void)state;
	assert_false(wyn_account_take(owners[0], ROOM / 2 + 1));
	assert_false(wyn_account_take(owners[0], UINT64_MAX));
	assert_int_equal(fill(0), ROOM / 2);
}

static void account_has_room_again_when_it_gives_back(void **state)
{
	(void)state;
	(void)fill(0);
	wyn_account_give_back(owners[0], 100);
	assert_int_equal(fill(0), 100);
}

static void account_outlives_its_owner_when_a_task_holds_it(void **state)
{
	(void)state;
	wyn_account_hold(owners[0]);
	assert_true(wyn_account_take(owners[0], 7));
	wyn_account_release(owners[0]);
	wyn_account_give_back(owners[0], 7);
}

static void account_goes_by_the_limit_that_it_was_told_last(void **state)
{
	(void)state;
	(void)fill(0);
	wyn_account_limit(owners[0], 2 * ROOM);
	assert_int_equal(fill(0), ROOM / 2);
	wyn_account_limit(owners[0], ROOM);
	assert_int_equal(fill(0), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(account_has_half_when_alone),
		TEST(account_leaves_room_when_others_took_all_they_can),
		TEST(account_refuses_at_once_what_is_over_its_half),
		TEST(account_has_room_again_when_it_gives_back),
		TEST(account_outlives_its_owner_when_a_task_holds_it),
		TEST(account_goes_by_the_limit_that_it_was_told_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
