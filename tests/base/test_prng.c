// SPDX-License-Identifier: MIT
/*
 * test_prng.c - the generator is the published one, and repeats itself.
 */
#include "base/prng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

/* From the reference implementation with the state {1, 2, 3, 4}. */
static void prng_gives_reference_numbers_when_state_is_known(void **state)
{
	static const uint64_t expected[] = {11520u, 0u, 1509978240u,
		1215971899390074240u, 1216172134540287360u};
	struct wyn_prng prng = {{1, 2, 3, 4}};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		assert_true(wyn_prng_next(&prng) == expected[i]);
	}
}

/* splitmix64's published first output for the seed 0. */
static void prng_mixes_as_published_when_seed_is_nought(void **state)
{
	uint64_t seed = 0;

	(void)state;
	assert_true(wyn_prng_splitmix(&seed) == 0xe220a8397b1dcdafu);
}

static void prng_repeats_when_seed_is_the_same(void **state)
{
	struct wyn_prng a;
	struct wyn_prng b;

	(void)state;
	wyn_prng_init(&a, 42);
	wyn_prng_init(&b, 42);
	for (int i = 0; i < 100; i++) {
		assert_true(wyn_prng_next(&a) == wyn_prng_next(&b));
	}
}

static void prng_reaches_all_when_bounded(void **state)
{
	struct wyn_prng prng;
	unsigned int seen[7] = {0};

	(void)state;
	wyn_prng_init(&prng, 0);
	for (int i = 0; i < 7000; i++) {
		uint64_t number = wyn_prng_below(&prng, 7);

		assert_true(number < 7);
		seen[number]++;
	}
	for (int i = 0; i < 7; i++) {
		assert_in_range(seen[i], 800, 1200);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			prng_gives_reference_numbers_when_state_is_known),
		cmocka_unit_test(prng_mixes_as_published_when_seed_is_nought),
		cmocka_unit_test(prng_repeats_when_seed_is_the_same),
		cmocka_unit_test(prng_reaches_all_when_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
