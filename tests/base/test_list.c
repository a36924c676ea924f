// SPDX-License-Identifier: MIT
/*
 * test_list.c - the intrusive list keeps its order through every change.
 */
#include "base/list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/compiler.h"

struct item {
	int number;
	struct wyn_list link;
};

static struct item items[4];

static void set_up(struct wyn_list *list, size_t n)
{
	wyn_list_init(list);
	for (size_t i = 0; i < WYN_COUNT_OF(items); i++) {
		items[i].number = (int)i;
		wyn_list_init(&items[i].link);
	}
	for (size_t i = 0; i < n; i++) {
		wyn_list_push_back(list, &items[i].link);
	}
}

/* The numbers in order, as the digits of one decimal number. */
static int digits(const struct wyn_list *list)
{
	const struct wyn_list *link;
	int sum = 0;

	wyn_list_for_each (link, list) {
		sum = sum * 10 +
		      WYN_CONTAINER_OF(link, const struct item, link)->number;
	}
	return sum;
}

static void list_is_empty_when_new(void **state)
{
	struct wyn_list list;

	(void)state;
	wyn_list_init(&list);
	assert_true(wyn_list_empty(&list));
	assert_null(wyn_list_first(&list));
	assert_null(wyn_list_last(&list));
	assert_null(wyn_list_pop_front(&list));
}

static void list_keeps_order_when_pushed_at_back(void **state)
{
	struct wyn_list list;

	(void)state;
	set_up(&list, 0);
	for (size_t i = 1; i < 4; i++) {
		wyn_list_push_back(&list, &items[i].link);
	}
	assert_int_equal(digits(&list), 123);
}

static void list_reverses_order_when_pushed_at_front(void **state)
{
	struct wyn_list list;

	(void)state;
	set_up(&list, 0);
	for (size_t i = 1; i < 4; i++) {
		wyn_list_push_front(&list, &items[i].link);
	}
	assert_int_equal(digits(&list), 321);
}

static void list_names_its_ends_when_it_has_several(void **state)
{
	struct wyn_list list;

	(void)state;
	set_up(&list, 3);
	assert_ptr_equal(wyn_list_first(&list), &items[0].link);
	assert_ptr_equal(wyn_list_last(&list), &items[2].link);
}

static void list_closes_gap_when_middle_is_removed(void **state)
{
	struct wyn_list list;

	(void)state;
	set_up(&list, 4);
	wyn_list_remove(&items[2].link);
	assert_int_equal(digits(&list), 13);
	assert_true(wyn_list_empty(&items[2].link));
}

static void list_is_unchanged_when_link_is_removed_twice(void **state)
{
	struct wyn_list list;

	(void)state;
	set_up(&list, 3);
	wyn_list_remove(&items[0].link);
	wyn_list_remove(&items[0].link);
	assert_int_equal(digits(&list), 12);
}

static void list_gives_oldest_when_popped(void **state)
{
	struct wyn_list list;

	(void)state;
	set_up(&list, 3);
	assert_ptr_equal(wyn_list_pop_front(&list), &items[0].link);
	assert_true(wyn_list_empty(&items[0].link));
	assert_int_equal(digits(&list), 12);
}

static void list_visits_all_when_body_removes_each(void **state)
{
	struct wyn_list list;
	struct wyn_list *link;
	struct wyn_list *after;
	int visited = 0;

	(void)state;
	set_up(&list, 4);
	wyn_list_for_each_safe (link, after, &list) {
		wyn_list_remove(link);
		visited++;
	}
	assert_int_equal(visited, 4);
	assert_true(wyn_list_empty(&list));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_is_empty_when_new),
		cmocka_unit_test(list_keeps_order_when_pushed_at_back),
		cmocka_unit_test(list_reverses_order_when_pushed_at_front),
		cmocka_unit_test(list_names_its_ends_when_it_has_several),
		cmocka_unit_test(list_closes_gap_when_middle_is_removed),
		cmocka_unit_test(list_is_unchanged_when_link_is_removed_twice),
		cmocka_unit_test(list_gives_oldest_when_popped),
		cmocka_unit_test(list_visits_all_when_body_removes_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
