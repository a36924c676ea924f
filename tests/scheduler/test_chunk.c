// SPDX-License-Identifier: MIT
/*
 * test_chunk.c - chunks: aligned, apart, rested before they are used again.
 */
#include "scheduler/chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#define KEEP  4u /* chunks */
#define ALONE WYN_CHUNKS_MAPPED_ALONE
#define MANY  (ALONE + 3u * WYN_CHUNKS_PER_EXTENT + 5u)

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

static void acquire_many(struct wyn_chunk **ret_chunks, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		ret_chunks[i] = wyn_chunk_acquire(&chunks);
		assert_non_null(ret_chunks[i]);
	}
}

static void release_many(struct wyn_chunk **many, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		wyn_chunk_release(&chunks, many[i]);
	}
}

/* Whether there is any memory at this address. */
static bool mapped(void *chunk)
{
	unsigned char resident[WYN_CHUNK_BYTES / 4096];

	return mincore(chunk, WYN_CHUNK_BYTES, resident) == 0;
}

static void chunks_are_aligned_and_apart_when_many(void **state)
{
	struct wyn_chunk *many[MANY];
	size_t size = WYN_CHUNK_BYTES - sizeof(struct wyn_chunk);

	(void)state;
	acquire_many(many, MANY);
	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal((uintptr_t)many[i] % WYN_CHUNK_BYTES, 0);
		memset(many[i] + 1, (int)i, size);
	}
	for (unsigned i = 0; i < MANY; i++) {
		const unsigned char *bytes = (void *)(many[i] + 1);

		assert_int_equal(bytes[0], i);
		assert_int_equal(bytes[size - 1], i);
	}
	assert_true(chunks.kept < KEEP / 2 + WYN_CHUNKS_PER_EXTENT);
}

static void store_keeps_no_more_than_told_when_all_released(void **state)
{
	struct wyn_chunk *many[MANY];
	unsigned left = 0;

	(void)state;
	acquire_many(many, MANY);
	release_many(many, MANY);

	assert_true(chunks.kept <= KEEP);
	assert_int_equal(chunks.mapped, chunks.kept);
	for (unsigned i = 0; i < MANY; i++) {
		left += mapped(many[i]);
	}
	assert_true(left <= KEEP);
}

static void extent_stays_when_one_of_its_chunks_is_used(void **state)
{
	struct wyn_chunk *many[MANY];
	struct wyn_chunk *last;

	(void)state;
	acquire_many(many, MANY);
	last = many[MANY - 1];
	assert_int_equal(last->extent->count, WYN_CHUNKS_PER_EXTENT);
	release_many(many, MANY - 1);

	assert_true(mapped(last));
	assert_true(chunks.kept < KEEP + WYN_CHUNKS_PER_EXTENT);
	assert_int_equal(chunks.mapped, chunks.kept + 1);

	wyn_chunk_release(&chunks, last);
	assert_false(mapped(last));
}

static void chunk_rests_when_no_more_than_half_is_kept(void **state)
{
	struct wyn_chunk *many[3], *again;

	(void)state;
	acquire_many(many, 3);
	release_many(many, KEEP / 2);
	again = wyn_chunk_acquire(&chunks);
	for (unsigned i = 0; i < 3; i++) {
		assert_ptr_not_equal(again, many[i]);
	}

	wyn_chunk_release(&chunks, many[2]);
	assert_ptr_equal(wyn_chunk_acquire(&chunks), many[0]);
}

static void store_keeps_nothing_when_told_so(void **state)
{
	struct wyn_chunks none;
	struct wyn_chunk *chunk;

	(void)state;
	wyn_chunks_init(&none, WYN_CHUNK_BYTES - 1);
	chunk = wyn_chunk_acquire(&none);
	assert_true(mapped(chunk));
	wyn_chunk_release(&none, chunk);
	assert_false(mapped(chunk));
	wyn_chunks_fini(&none);
}

static void store_gives_all_back_when_it_ends(void **state)
{
	struct wyn_chunk *many[MANY];
	struct wyn_chunks store;

	(void)state;
	wyn_chunks_init(&store, KEEP * WYN_CHUNK_BYTES);
	for (unsigned i = 0; i < MANY; i++) {
		many[i] = wyn_chunk_acquire(&store);
	}
	wyn_chunk_release(&store, many[0]);

	wyn_chunks_fini(&store);

	for (unsigned i = 0; i < MANY; i++) {
		assert_false(mapped(many[i]));
	}
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, chunk_setup, chunk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(chunks_are_aligned_and_apart_when_many),
		TEST(store_keeps_no_more_than_told_when_all_released),
		TEST(extent_stays_when_one_of_its_chunks_is_used),
		TEST(chunk_rests_when_no_more_than_half_is_kept),
		TEST(store_keeps_nothing_when_told_so),
		TEST(store_gives_all_back_when_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
