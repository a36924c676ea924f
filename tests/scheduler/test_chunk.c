// SPDX-License-Identifier: MIT
/*
 * test_chunk.c - chunks: aligned, apart, rested before they are used again.
 */
#include "scheduler/chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#define KEEP 4u /* chunks */
#define MANY 10u

static struct wyn_chunks chunks;

static int chunk_setup(void **state)
{
	(void)state;
	wyn_chunks_init(&chunks, KEEP * WYN_CHUNK_BYTES);
	return 0;
}

static int chunk_teardown(void **state)
{
	(void)state;
	wyn_chunks_fini(&chunks);
	return 0;
}

static void acquire_many(unsigned char **ret_chunks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ret_chunks[i] = wyn_chunk_acquire(&chunks);
		assert_non_null(ret_chunks[i]);
	}
}

static void release_many(unsigned char **many, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		wyn_chunk_release(&chunks, many[i]);
	}
}

/* Whether there is any memory at this address. */
static int mapped(void *chunk)
{
	unsigned char resident[WYN_CHUNK_BYTES / 4096];

	return mincore(chunk, WYN_CHUNK_BYTES, resident) == 0;
}

static void chunks_are_aligned_and_apart_when_many(void **state)
{
	unsigned char *many[MANY];

	(void)state;
	acquire_many(many, MANY);
	for (unsigned char i = 0; i < MANY; i++) {
		assert_int_equal((uintptr_t)many[i] % WYN_CHUNK_BYTES, 0);
		memset(many[i], i, WYN_CHUNK_BYTES);
	}
	for (unsigned char i = 0; i < MANY; i++) {
		assert_int_equal(many[i][0], i);
		assert_int_equal(many[i][WYN_CHUNK_BYTES - 1], i);
	}
	release_many(many, MANY);
}

static void store_keeps_no_more_than_told_when_all_released(void **state)
{
	unsigned char *many[MANY];

	(void)state;
	acquire_many(many, MANY);
	release_many(many, MANY);

	assert_int_equal(chunks.kept, KEEP);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(mapped(many[i]), i < KEEP);
	}
}

static void chunk_rests_until_half_is_kept(void **state)
{
	unsigned char *many[KEEP], *again;

	(void)state;
	acquire_many(many, KEEP);
	release_many(many, KEEP / 2);
	again = wyn_chunk_acquire(&chunks);
	for (unsigned i = 0; i < KEEP; i++) {
		assert_ptr_not_equal(again, many[i]);
	}

	wyn_chunk_release(&chunks, many[KEEP / 2]);
	assert_ptr_equal(wyn_chunk_acquire(&chunks), many[0]);
	release_many(many + KEEP / 2 + 1, KEEP / 2 - 1);
	wyn_chunk_release(&chunks, many[0]);
	wyn_chunk_release(&chunks, again);
}

static void store_keeps_nothing_when_told_so(void **state)
{
	struct wyn_chunks none;
	void *chunk;

	(void)state;
	wyn_chunks_init(&none, WYN_CHUNK_BYTES - 1);
	chunk = wyn_chunk_acquire(&none);
	assert_true(mapped(chunk));
	wyn_chunk_release(&none, chunk);
	assert_false(mapped(chunk));
	wyn_chunks_fini(&none);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, chunk_setup, chunk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(chunks_are_aligned_and_apart_when_many),
		TEST(store_keeps_no_more_than_told_when_all_released),
		TEST(chunk_rests_until_half_is_kept),
		TEST(store_keeps_nothing_when_told_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
