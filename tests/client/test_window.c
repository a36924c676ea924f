// SPDX-License-Identifier: MIT
/*
 * test_window.c - the order in which `map` prints, and how far it runs ahead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/wynctl/window.h"

static struct wyn_window window;
static char printed[256];

static void print(
	void *context, const struct wyn_place *place, struct wyn_bytes value)
{
	size_t size = strlen(printed);

	(void)context;
	(void)snprintf(printed + size, sizeof(printed) - size, "%d=%.*s ",
		(int)place->number, (int)value.size, (const char *)value.data);
}

static void open_window(bool ordered)
{
	printed[0] = '\0';
	assert_int_equal(0, wyn_window_init(&window, 4, ordered));
}

static int teardown(void **state)
{
	(void)state;
	wyn_window_fini(&window);
	return 0;
}

static uint64_t claim(void)
{
	uint64_t tag = 0;

	assert_int_equal(0, wyn_window_claim(&window, "name", &tag));
	return tag;
}

static void done(uint64_t tag, const char *value)
{
	assert_int_equal(0,
		wyn_window_value(&window, tag,
			(struct wyn_bytes){value, strlen(value)}, print, NULL));
}

static void window_prints_in_order_when_results_are_not(void **state)
{
	uint64_t tags[4];

	(void)state;
	open_window(true);
	for (size_t i = 0; i < 4; i++) {
		tags[i] = claim();
	}
	done(tags[2], "c");
	done(tags[1], "b");
	assert_string_equal("", printed);
	assert_int_equal(2, window.held_bytes);
	done(tags[0], "a");
	assert_string_equal("1=a 2=b 3=c ", printed);
	assert_int_equal(0, window.held_bytes);
	done(tags[3], "");
	assert_string_equal("1=a 2=b 3=c 4= ", printed);
}

static void window_prints_nothing_of_an_item_when_it_failed(void **state)
{
	uint64_t first;
	uint64_t second;
	uint64_t third;

	(void)state;
	open_window(true);
	first = claim();
	second = claim();
	third = claim();
	done(third, "c");
	wyn_window_failed(&window, second, print, NULL);
	wyn_window_failed(&window, first, print, NULL);
	assert_string_equal("3=c ", printed);
}

static void window_is_full_when_the_oldest_is_not_done(void **state)
{
	uint64_t first;
	uint64_t tag;

	(void)state;
	open_window(true);
	first = claim();
	for (size_t i = 0; i < 3; i++) {
		done(claim(), "x");
	}
	assert_int_equal(-EAGAIN, wyn_window_claim(&window, NULL, &tag));
	done(first, "a");
	assert_int_equal(0, wyn_window_claim(&window, NULL, &tag));
}

static void window_passes_over_when_unordered_and_one_is_slow(void **state)
{
	uint64_t slow;

	(void)state;
	open_window(false);
	slow = claim();
	for (size_t i = 0; i < 9; i++) {
		done(claim(), "x");
	}
	done(slow, "slow");
	assert_string_equal(
		"2=x 3=x 4=x 5=x 6=x 7=x 8=x 9=x 10=x 1=slow ", printed);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(window_prints_in_order_when_results_are_not),
		TEST(window_prints_nothing_of_an_item_when_it_failed),
		TEST(window_is_full_when_the_oldest_is_not_done),
		TEST(window_passes_over_when_unordered_and_one_is_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
