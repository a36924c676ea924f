// SPDX-License-Identifier: MIT
/*
 * test_search.c - how often a searcher looks, and what it leaves to others.
 *
 * In a pool that is never started, so that the counts are the test's own.
 */
#include "scheduler/search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define SPIN_MAX 10u

static struct wyn_pool *pool;
static struct wyn_thread *me, *other;

static int search_test_setup(void **state)
{
	struct wyn_pool_config config;

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 2;
	config.spin_max = SPIN_MAX;
	if (wyn_pool_create(&config, &pool) < 0) {
		return -1;
	}
	atomic_store_explicit(&pool->workers, 2, memory_order_relaxed);
	me = &pool->threads[0];
	other = &pool->threads[1];
	return 0;
}

static int search_test_teardown(void **state)
{
	(void)state;
	/* It has no threads to join. */
	atomic_store_explicit(&pool->workers, 0, memory_order_relaxed);
	wyn_pool_destroy(pool);
	return 0;
}

static unsigned looks(void)
{
	struct wyn_search search;
	unsigned n = 1;

	wyn_search_begin(&search, me);
	while (wyn_search_pause(&search, false)) {
		n++;
	}
	return n;
}

static void search_looks_once_when_nothing_ran(void **state)
{
	(void)state;
	assert_int_equal(looks(), 1);
}

static void search_looks_as_often_as_tasks_ran_when_few_did(void **state)
{
	(void)state;
	wyn_counter_add(&me->counters.finished, 1);
	wyn_counter_add(&other->counters.finished, 2);
	assert_int_equal(looks(), 3);
}

static void search_looks_spin_max_times_when_many_ran(void **state)
{
	(void)state;
	wyn_counter_add(&other->counters.finished, 1000);
	assert_int_equal(looks(), SPIN_MAX);
}

static void search_counts_from_the_last_sleep_when_there_was_one(void **state)
{
	(void)state;
	wyn_counter_add(&other->counters.finished, 1000);
	wyn_search_rest(me);
	wyn_counter_add(&other->counters.finished, 2);
	assert_int_equal(looks(), 2);
}

static void search_leaves_work_when_others_are_quick(void **state)
{
	struct wyn_search search;

	(void)state;
	wyn_search_begin(&search, me);
	wyn_counter_add(&other->counters.finished, 16);
	assert_true(wyn_search_leaves(&search, me));
	/* And takes it once they have slowed down. */
	wyn_counter_add(&other->counters.finished, 15);
	assert_false(wyn_search_leaves(&search, me));
}

static void search_takes_when_it_has_left_work_too_often(void **state)
{
	struct wyn_search search;
	unsigned left = 0;

	(void)state;
	wyn_search_begin(&search, me);
	do {
		wyn_counter_add(&other->counters.finished, 16);
	} while (wyn_search_leaves(&search, me) && ++left <= 64);
	assert_int_equal(left, 64);
	/* And begins to count anew. */
	wyn_counter_add(&other->counters.finished, 16);
	assert_true(wyn_search_leaves(&search, me));
}

static void search_leaves_nothing_when_only_it_was_quick(void **state)
{
	struct wyn_search search;

	(void)state;
	wyn_search_begin(&search, me);
	wyn_counter_add(&me->counters.finished, 1000);
	assert_false(wyn_search_leaves(&search, me));
}

static void search_goes_on_when_it_left_work_at_the_last_look(void **state)
{
	struct wyn_search search;

	(void)state;
	wyn_search_begin(&search, me);
	assert_true(wyn_search_pause(&search, true));
	assert_false(wyn_search_pause(&search, false));
}

#define TEST(name)                       \
	cmocka_unit_test_setup_teardown( \
		name, search_test_setup, search_test_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(search_looks_once_when_nothing_ran),
		TEST(search_looks_as_often_as_tasks_ran_when_few_did),
		TEST(search_looks_spin_max_times_when_many_ran),
		TEST(search_counts_from_the_last_sleep_when_there_was_one),
		TEST(search_leaves_work_when_others_are_quick),
		TEST(search_takes_when_it_has_left_work_too_often),
		TEST(search_leaves_nothing_when_only_it_was_quick),
		TEST(search_goes_on_when_it_left_work_at_the_last_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
