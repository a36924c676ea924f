// SPDX-License-Identifier: MIT
/*
 * test_memory.c - memory in few sizes, kept within a bound.
 */
#include "daemon/run/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct wyn_memory memory;

static int setup(void **state)
{
	(void)state;
	wyn_memory_init(&memory);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wyn_memory_fini(&memory);
	return 0;
}

static void memory_have_a_fifth_too_much_at_most(void **state)
{
	(void)state;
	for (size_t bytes = WYN_MEMORY_BYTES_MIN + 1;
		bytes <= WYN_MEMORY_BYTES_MAX; bytes++) {
		size_t rounded = wyn_memory_rounded(bytes);

		assert_true(rounded >= bytes);
		assert_true((rounded - bytes) * 5 < rounded);
		assert_int_equal(wyn_memory_rounded(rounded), rounded);
	}
	assert_int_equal(wyn_memory_rounded(1), WYN_MEMORY_BYTES_MIN);
	assert_int_equal(
		wyn_memory_rounded(WYN_MEMORY_BYTES_MAX), WYN_MEMORY_BYTES_MAX);
}

static void memory_are_exact_when_larger_than_the_largest_size(void **state)
{
	size_t bytes = WYN_MEMORY_BYTES_MAX + 1;
	void *piece = wyn_memory_acquire(&memory, bytes);

	(void)state;
	assert_int_equal(wyn_memory_rounded(bytes), bytes);
	memset(piece, 1, bytes);
	wyn_memory_release(&memory, piece, bytes);
	assert_int_equal(memory.free_bytes, 0);
}

static void memory_are_used_again_by_what_needs_the_same_size(void **state)
{
	void *piece = wyn_memory_acquire(&memory, 600);
	void *other;

	(void)state;
	wyn_memory_release(&memory, piece, wyn_memory_rounded(600));
	assert_int_equal(memory.free_bytes, 640);
	other = wyn_memory_acquire(&memory, 641);
	assert_ptr_not_equal(other, piece);
	wyn_memory_release(&memory, other, wyn_memory_rounded(641));
	assert_ptr_equal(wyn_memory_acquire(&memory, 513), piece);
	wyn_memory_release(&memory, piece, 640);
}

static void memory_let_the_largest_go_when_the_bound_is_reached(void **state)
{
	void *large[8];
	void *small;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		large[i] = wyn_memory_acquire(&memory, WYN_MEMORY_BYTES_MAX);
	}
	small = wyn_memory_acquire(&memory, 1000);
	for (size_t i = 0; i < 8; i++) {
		wyn_memory_release(&memory, large[i], WYN_MEMORY_BYTES_MAX);
		assert_in_range(memory.free_bytes, 1, WYN_MEMORY_FREE_BYTES);
	}
	assert_int_equal(memory.free_bytes, WYN_MEMORY_FREE_BYTES);
	wyn_memory_release(&memory, small, wyn_memory_rounded(1000));
	assert_int_equal(memory.free_bytes, WYN_MEMORY_FREE_BYTES -
						    WYN_MEMORY_BYTES_MAX +
						    wyn_memory_rounded(1000));
	assert_ptr_equal(wyn_memory_acquire(&memory, 1000), small);
	wyn_memory_release(&memory, small, wyn_memory_rounded(1000));
}

static void memory_keep_as_many_of_a_size_as_the_bound_has_room_for(
	void **state)
{
	static void *all[WYN_MEMORY_FREE_BYTES / 4096 + 1];

	(void)state;
	for (size_t bytes = 4096; bytes <= WYN_MEMORY_BYTES_MAX;
		bytes = wyn_memory_rounded(bytes + 1)) {
		size_t fit = WYN_MEMORY_FREE_BYTES / bytes;

		for (size_t i = 0; i <= fit; i++) {
			all[i] = wyn_memory_acquire(&memory, bytes);
		}
		for (size_t i = 0; i <= fit; i++) {
			wyn_memory_release(&memory, all[i], bytes);
		}
		assert_int_equal(memory.free_bytes, fit * bytes);
		wyn_memory_fini(&memory);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(memory_have_a_fifth_too_much_at_most),
		TEST(memory_are_exact_when_larger_than_the_largest_size),
		TEST(memory_are_used_again_by_what_needs_the_same_size),
		TEST(memory_let_the_largest_go_when_the_bound_is_reached),
		TEST(memory_keep_as_many_of_a_size_as_the_bound_has_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
