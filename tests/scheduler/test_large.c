// SPDX-License-Identifier: MIT
/*
 * test_large.c - pieces of memory that are given back, or end with the store.
 */
#include "scheduler/large.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/compiler.h"

static void large_is_aligned_and_whole_when_acquired(void **state)
{
	struct wyn_larges larges;
	unsigned char *memory;

	(void)state;
	wyn_larges_init(&larges);
	memory = wyn_large_acquire(&larges, 1000);

	assert_non_null(memory);
	assert_int_equal((uintptr_t)memory % 16, 0);
	memset(memory, 0xff, 1000);
	wyn_large_release(&larges, memory);
	assert_true(wyn_list_empty(&larges.pieces));
	wyn_larges_fini(&larges);
}

static void larges_stay_listed_when_released_in_any_order(void **state)
{
	static const unsigned orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 0, 2}};
	struct wyn_larges larges;

	(void)state;
	wyn_larges_init(&larges);
	for (size_t i = 0; i < WYN_COUNT_OF(orders); i++) {
		void *memory[3];

		for (size_t j = 0; j < 3; j++) {
			memory[j] = wyn_large_acquire(&larges, 1);
		}
		for (size_t j = 0; j < 3; j++) {
			assert_false(wyn_list_empty(&larges.pieces));
			wyn_large_release(&larges, memory[orders[i][j]]);
		}
		assert_true(wyn_list_empty(&larges.pieces));
	}
	wyn_larges_fini(&larges);
}

/* The leak check of the address sanitizer is the assertion. */
static void larges_are_freed_when_their_store_ends(void **state)
{
	struct wyn_larges larges;

	(void)state;
	wyn_larges_init(&larges);
	for (size_t i = 0; i < 10; i++) {
		assert_non_null(wyn_large_acquire(&larges, i * 100));
	}
	wyn_larges_fini(&larges);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(large_is_aligned_and_whole_when_acquired),
		cmocka_unit_test(larges_stay_listed_when_released_in_any_order),
		cmocka_unit_test(larges_are_freed_when_their_store_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
