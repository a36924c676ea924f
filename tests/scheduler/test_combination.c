// SPDX-License-Identifier: MIT
/*
 * test_combination.c - memory of combinations, and who keeps their inputs.
 */
#include "scheduler/combination.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "scheduler/pool.h"
#include "tests/support/pool.h"

static void combination_lies_in_a_slot_when_it_fits(void **state)
{
	static const struct {
		enum wyn_combine_kind kind;
		size_t n;
		bool large;
	} rows[] = {
		{WYN_COMBINE_THEN, 1, false},
		{WYN_COMBINE_RACE, 1, false},
		{WYN_COMBINE_ANY, 2, true},
		{WYN_COMBINE_ALL, 1, true},
	};
	struct wyn_pool *pool = pool_started(1);

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(rows); i++) {
		struct wyn_combination *combination =
			wyn_combination_make(pool, rows[i].kind, rows[i].n);

		assert_non_null(combination);
		assert_int_equal(combination->n, rows[i].n);
		assert_int_equal(
			!wyn_list_empty(&pool->larges.pieces), rows[i].large);
		wyn_combination_free(pool, combination);
		assert_true(wyn_list_empty(&pool->larges.pieces));
	}
	pool_ended(pool);
}

static void hold_counts_up_when_some_are_pending(void **state)
{
	struct wyn_pool *pool = pool_started(1);
	struct wyn_combination *combination =
		wyn_combination_make(pool, WYN_COMBINE_RACE, 2);

	(void)state;
	assert_false(wyn_combination_hold(combination));
	atomic_init(&combination->pending, 1);
	assert_true(wyn_combination_hold(combination));
	assert_int_equal(combination->pending, 2);
	wyn_combination_free(pool, combination);
	pool_ended(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(combination_lies_in_a_slot_when_it_fits),
		cmocka_unit_test(hold_counts_up_when_some_are_pending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
