// SPDX-License-Identifier: MIT
/*
 * test_arena.c - alignment, the cap, and the memory of a refusal.
 */
#include "proto/arena.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/compiler.h"

static _Alignas(16) uint8_t memory[256];

static void arena_aligns_when_sizes_are_odd(void **state)
{
	static const size_t sizes[] = {1, 15, 16, 17, 3, 0, 31};
	struct wyn_arena arena;

	(void)state;
	wyn_arena_init(&arena, memory, sizeof(memory));
	for (size_t i = 0; i < WYN_COUNT_OF(sizes); i++) {
		uint8_t *at = wyn_arena_alloc(&arena, sizes[i]);

		assert_non_null(at);
		assert_int_equal((uintptr_t)at % 16, 0);
		assert_true(at + sizes[i] <= memory + sizeof(memory));
	}
}

static void arena_gives_its_last_byte_when_asked(void **state)
{
	struct wyn_arena arena;

	(void)state;
	wyn_arena_init(&arena, memory, sizeof(memory));

	assert_ptr_equal(wyn_arena_alloc(&arena, sizeof(memory)), memory);
	assert_false(arena.exhausted);
}

static void arena_refuses_and_remembers_when_past_its_cap(void **state)
{
	static const size_t sizes[] = {
		sizeof(memory) + 1, SIZE_MAX, SIZE_MAX - 15, SIZE_MAX - 16};

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(sizes); i++) {
		struct wyn_arena arena;

		wyn_arena_init(&arena, memory, sizeof(memory));
		assert_null(wyn_arena_alloc(&arena, sizes[i]));
		assert_true(arena.exhausted);
		/* What is left is still served, the flag stays. */
		assert_non_null(wyn_arena_alloc(&arena, 16));
		assert_true(arena.exhausted);
	}
}

static void arena_refuses_when_full(void **state)
{
	struct wyn_arena arena;

	(void)state;
	wyn_arena_init(&arena, memory, sizeof(memory));
	assert_non_null(wyn_arena_alloc(&arena, sizeof(memory) - 16));
	assert_non_null(wyn_arena_alloc(&arena, 1));

	assert_null(wyn_arena_alloc(&arena, 1));
}

static void arena_is_as_new_when_reset(void **state)
{
	struct wyn_arena arena;

	(void)state;
	wyn_arena_init(&arena, memory, sizeof(memory));
	assert_null(wyn_arena_alloc(&arena, sizeof(memory) + 1));
	assert_non_null(wyn_arena_alloc(&arena, sizeof(memory)));

	wyn_arena_reset(&arena);

	assert_false(arena.exhausted);
	assert_ptr_equal(wyn_arena_alloc(&arena, sizeof(memory)), memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arena_aligns_when_sizes_are_odd),
		cmocka_unit_test(arena_gives_its_last_byte_when_asked),
		cmocka_unit_test(arena_refuses_and_remembers_when_past_its_cap),
		cmocka_unit_test(arena_refuses_when_full),
		cmocka_unit_test(arena_is_as_new_when_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
