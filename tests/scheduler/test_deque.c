// SPDX-License-Identifier: MIT
/*
 * test_deque.c - both ends of the deque, its bound, and the last element.
 */
#include "scheduler/deque.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/compiler.h"

#define RACE_ROUNDS 100000u
#define THIEVES	    2u
#define STEAL	    4u

static void nothing(void *arg)
{
	(void)arg;
}

static struct wyn_item item_of(uintptr_t n)
{
	return (struct wyn_item){.fn = nothing, .arg = (void *)n};
}

static int deque_setup(void **state)
{
	struct wyn_deque *deque;

	if (posix_memalign((void **)&deque, WYN_CACHE_LINE, sizeof(*deque)) !=
		0) {
		return -1;
	}
	wyn_fence_init();
	wyn_deque_init(deque);
	*state = deque;
	return 0;
}

static int deque_teardown(void **state)
{
	free(*state);
	return 0;
}

static void deque_pops_nothing_when_empty(void **state)
{
	struct wyn_item item;

	assert_false(wyn_deque_pop(*state, &item));
	assert_int_equal(wyn_deque_steal(*state, NULL, &item, 1), 0);
	assert_int_equal(wyn_deque_length(*state), 0);
}

static void deque_pops_newest_when_owner(void **state)
{
	struct wyn_item item;

	wyn_deque_push(*state, item_of(1));
	wyn_deque_push(*state, item_of(2));

	assert_true(wyn_deque_pop(*state, &item));
	assert_ptr_equal(item.arg, (void *)2);
	assert_ptr_equal(item.fn, nothing);
}

static void deque_gives_oldest_when_stolen(void **state)
{
	struct wyn_item item;

	wyn_deque_push(*state, item_of(1));
	wyn_deque_push(*state, item_of(2));

	assert_int_equal(wyn_deque_steal(*state, NULL, &item, 1), 1);
	assert_ptr_equal(item.arg, (void *)1);
	assert_int_equal(wyn_deque_length(*state), 1);
}

static void deque_gives_half_when_stolen(void **state)
{
	struct wyn_item items[WYN_DEQUE_SIZE];

	for (uintptr_t i = 0; i < 9; i++) {
		wyn_deque_push(*state, item_of(i));
	}

	assert_int_equal(
		wyn_deque_steal(*state, NULL, items, WYN_DEQUE_SIZE), 5);
	assert_ptr_equal(items[0].arg, (void *)0);
	assert_ptr_equal(items[4].arg, (void *)4);
	assert_int_equal(wyn_deque_steal(*state, NULL, items, 1), 1);
	assert_ptr_equal(items[0].arg, (void *)5);
	assert_int_equal(wyn_deque_length(*state), 3);
}

static size_t shed(struct wyn_deque *deque, void (*stays)(void *arg),
	struct wyn_item *ret_items, size_t max)
{
	size_t n = wyn_deque_shed_begin(deque, stays, ret_items, max);

	wyn_deque_shed_end(deque, n);
	return n;
}

static void deque_gives_oldest_when_it_sheds(void **state)
{
	struct wyn_item items[4];

	for (uintptr_t i = 0; i < 3; i++) {
		wyn_deque_push(*state, item_of(i));
	}

	assert_int_equal(shed(*state, NULL, items, 2), 2);
	assert_ptr_equal(items[1].arg, (void *)1);
	assert_int_equal(shed(*state, NULL, items, 4), 1);
	assert_int_equal(shed(*state, NULL, items, 4), 0);
}

static void deque_is_as_before_when_it_sheds_none(void **state)
{
	struct wyn_item items[4];

	for (uintptr_t i = 0; i < 3; i++) {
		wyn_deque_push(*state, item_of(i));
	}

	assert_int_equal(wyn_deque_shed_begin(*state, NULL, items, 4), 3);
	wyn_deque_shed_end(*state, 0);
	assert_int_equal(wyn_deque_length(*state), 3);
	assert_true(wyn_deque_pop(*state, items));
	assert_ptr_equal(items[0].arg, (void *)2);
	assert_int_equal(wyn_deque_steal(*state, NULL, items, 1), 1);
	assert_ptr_equal(items[0].arg, (void *)0);
}

static void other(void *arg)
{
	(void)arg;
}

static void deque_sheds_only_what_is_older_when_something_stays(void **state)
{
	struct wyn_item items[4];

	wyn_deque_push(*state, item_of(0));
	wyn_deque_push(*state, (struct wyn_item){.fn = other});
	wyn_deque_push(*state, item_of(2));

	assert_int_equal(shed(*state, other, items, 4), 1);
	assert_int_equal(shed(*state, other, items, 4), 0);
	assert_int_equal(wyn_deque_length(*state), 2);
}

static bool steal_above(struct wyn_deque *deque, int64_t mark, uint32_t word_is,
	uint32_t word_was, struct wyn_item *ret_item)
{
	_Atomic uint32_t word = word_is;
	bool stolen;

	wyn_deque_lock(deque);
	stolen = wyn_deque_steal_above(deque, mark, &word, word_was, ret_item);
	wyn_deque_unlock(deque);
	return stolen;
}

static void deque_gives_oldest_when_stolen_above_a_mark(void **state)
{
	struct wyn_item item;

	wyn_deque_push(*state, item_of(0));
	wyn_deque_push(*state, item_of(1));

	assert_false(steal_above(*state, 1, 7, 7, &item));
	assert_int_equal(shed(*state, NULL, &item, 1), 1);
	assert_true(steal_above(*state, 1, 7, 7, &item));
	assert_ptr_equal(item.arg, (void *)1);
	assert_false(steal_above(*state, 1, 7, 7, &item));
}

static void deque_keeps_all_when_the_word_has_changed(void **state)
{
	struct wyn_item item;

	wyn_deque_push(*state, item_of(1));

	assert_false(steal_above(*state, 0, 0, 7, &item));
	assert_int_equal(wyn_deque_length(*state), 1);
	assert_true(wyn_deque_pop(*state, &item));
	assert_ptr_equal(item.arg, (void *)1);
}

static void deque_keeps_order_when_published_at_once(void **state)
{
	struct wyn_item item;

	assert_true(wyn_deque_has_room(*state, WYN_DEQUE_SIZE));
	for (uintptr_t i = 0; i < 3; i++) {
		wyn_deque_put(*state, i, item_of(i));
	}
	assert_int_equal(wyn_deque_length(*state), 0);
	wyn_deque_publish(*state, 3);

	assert_true(wyn_deque_pop(*state, &item));
	assert_ptr_equal(item.arg, (void *)2);
	assert_int_equal(wyn_deque_length(*state), 2);
}

static void deque_refuses_when_full(void **state)
{
	struct wyn_item item;

	for (uintptr_t i = 0; i < WYN_DEQUE_SIZE; i++) {
		assert_true(wyn_deque_push(*state, item_of(i)));
	}

	assert_false(wyn_deque_push(*state, item_of(0)));
	assert_int_equal(wyn_deque_length(*state), WYN_DEQUE_SIZE);
	assert_int_equal(wyn_deque_steal(*state, NULL, &item, 1), 1);
	assert_true(wyn_deque_push(*state, item_of(0)));
}

static void deque_keeps_order_when_indices_pass_size(void **state)
{
	struct wyn_item item;

	for (uintptr_t i = 0; i < 3 * WYN_DEQUE_SIZE; i++) {
		wyn_deque_push(*state, item_of(2 * i));
		wyn_deque_push(*state, item_of(2 * i + 1));
		assert_true(wyn_deque_pop(*state, &item));
		assert_ptr_equal(item.arg, (void *)(2 * i + 1));
		assert_int_equal(wyn_deque_steal(*state, NULL, &item, 1), 1);
		assert_ptr_equal(item.arg, (void *)(2 * i));
	}
}

struct race {
	struct wyn_deque *deque;
	_Atomic unsigned char *taken;
	_Atomic bool over;
};

static void take_one(struct race *race, struct wyn_item item)
{
	atomic_fetch_add_explicit(
		&race->taken[(uintptr_t)item.arg], 1, memory_order_relaxed);
}

static void *thief(void *arg)
{
	struct race *race = arg;
	struct wyn_item items[STEAL];

	while (!atomic_load_explicit(&race->over, memory_order_acquire)) {
		size_t n = wyn_deque_steal(race->deque, NULL, items, STEAL);

		for (size_t i = 0; i < n; i++) {
			take_one(race, items[i]);
		}
	}
	return NULL;
}

/* The owner pushes one or two and pops at once, so that nearly every take is
 * a race for the last one. */
static void deque_gives_each_once_when_thieves_race(void **state)
{
	struct race race = {.deque = *state};
	pthread_t thieves[THIEVES];
	struct wyn_item item;

	race.taken = calloc(RACE_ROUNDS, 1);
	assert_non_null(race.taken);
	for (unsigned i = 0; i < THIEVES; i++) {
		pthread_create(&thieves[i], NULL, thief, &race);
	}
	for (uintptr_t i = 0; i < RACE_ROUNDS; i++) {
		while (!wyn_deque_push(*state, item_of(i))) {
		}
		if (i % 3 != 0 && wyn_deque_pop(*state, &item)) {
			take_one(&race, item);
		}
	}
	while (wyn_deque_pop(*state, &item)) {
		take_one(&race, item);
	}
	atomic_store_explicit(&race.over, true, memory_order_release);
	for (unsigned i = 0; i < THIEVES; i++) {
		pthread_join(thieves[i], NULL);
	}

	for (unsigned i = 0; i < RACE_ROUNDS; i++) {
		assert_int_equal(race.taken[i], 1);
	}
	free((void *)race.taken);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, deque_setup, deque_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(deque_pops_nothing_when_empty),
		TEST(deque_pops_newest_when_owner),
		TEST(deque_gives_oldest_when_stolen),
		TEST(deque_gives_half_when_stolen),
		TEST(deque_gives_oldest_when_it_sheds),
		TEST(deque_is_as_before_when_it_sheds_none),
		TEST(deque_sheds_only_what_is_older_when_something_stays),
		TEST(deque_gives_oldest_when_stolen_above_a_mark),
		TEST(deque_keeps_all_when_the_word_has_changed),
		TEST(deque_keeps_order_when_published_at_once),
		TEST(deque_refuses_when_full),
		TEST(deque_keeps_order_when_indices_pass_size),
		TEST(deque_gives_each_once_when_thieves_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
