// SPDX-License-Identifier: MIT
/*
 * test_slab.c - slots of futures: apart, reused, given back.
 */
#include "scheduler/slab.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MANY	50000u
#define THREADS 3u
#define ROUNDS	200u
#define HELD	300u

static struct wyn_chunks chunks;
static struct wyn_slabs slabs;
static int owner;

static int slab_setup(void **state)
{
	(void)state;
	wyn_chunks_init(&chunks, 0);
	wyn_slabs_init(&slabs, &chunks, &owner);
	return 0;
}

static int slab_teardown(void **state)
{
	(void)state;
	wyn_slabs_fini(&slabs);
	wyn_chunks_fini(&chunks);
	return 0;
}

static void slab_keeps_slots_apart_when_many(void **state)
{
	uint32_t **slots = calloc(MANY, sizeof(*slots));

	(void)state;
	assert_non_null(slots);
	for (uint32_t i = 0; i < MANY; i++) {
		slots[i] = wyn_slab_acquire(&slabs, NULL);
		assert_non_null(slots[i]);
		memset(slots[i], 0, WYN_SLAB_SLOT_BYTES);
		*slots[i] = i;
	}

	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(*slots[i], i);
		assert_int_equal((uintptr_t)slots[i] % 8, 0);
	}
	free(slots);
}

static void slab_finds_owner_when_asked(void **state)
{
	void *slot = wyn_slab_acquire(&slabs, NULL);

	(void)state;
	assert_ptr_equal(wyn_slab_owner(slot), &owner);
}

static void slab_reuses_slot_when_released(void **state)
{
	void *slot = wyn_slab_acquire(&slabs, NULL);

	(void)state;
	wyn_slab_release(slot, NULL);

	assert_ptr_equal(wyn_slab_acquire(&slabs, NULL), slot);
}

static void slab_gives_memory_back_when_all_released(void **state)
{
	void **slots = calloc(MANY, sizeof(*slots));

	(void)state;
	assert_non_null(slots);
	for (unsigned i = 0; i < MANY; i++) {
		slots[i] = wyn_slab_acquire(&slabs, NULL);
	}
	assert_true(wyn_slabs_bytes(&slabs) >= MANY * WYN_SLAB_SLOT_BYTES);
	for (unsigned i = 0; i < MANY; i++) {
		wyn_slab_release(slots[i], NULL);
	}

	assert_true(wyn_slabs_bytes(&slabs) <=
		    (WYN_SLAB_EMPTY_MAX + 1) * WYN_CHUNK_BYTES);
	free(slots);
}

static void slab_refills_magazine_when_it_is_empty(void **state)
{
	struct wyn_magazine magazine = {.n = 0};
	char *first = wyn_slab_acquire(&slabs, &magazine);
	char *second = wyn_slab_acquire(&slabs, &magazine);

	(void)state;
	assert_int_equal(magazine.n, WYN_MAGAZINE_SLOTS / 2 - 2);
	assert_ptr_equal(first + WYN_SLAB_SLOT_BYTES, second);
	for (unsigned i = 0; i < WYN_MAGAZINE_SLOTS; i++) {
		wyn_slab_release(wyn_slab_acquire(&slabs, NULL), &magazine);
	}
	assert_in_range(magazine.n, WYN_MAGAZINE_SLOTS / 2, WYN_MAGAZINE_SLOTS);
}

static void slab_costs_little_when_full(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MANY; i++) {
		assert_non_null(wyn_slab_acquire(&slabs, NULL));
	}

	/* Less than one per cent beyond the slots themselves. */
	assert_true(wyn_slabs_bytes(&slabs) <
		    MANY * WYN_SLAB_SLOT_BYTES * 101 / 100 + WYN_CHUNK_BYTES);
}

static void *churn(void *arg)
{
	uintptr_t **held = calloc(HELD, sizeof(*held));
	uintptr_t me = (uintptr_t)arg;
	struct wyn_magazine magazine = {.n = 0};
	bool intact = held != NULL;

	for (unsigned round = 0; intact && round < ROUNDS; round++) {
		for (unsigned i = 0; i < HELD; i++) {
			held[i] = wyn_slab_acquire(&slabs, &magazine);
			*held[i] = me;
		}
		for (unsigned i = 0; i < HELD; i++) {
			intact = intact && *held[i] == me;
			wyn_slab_release(held[i], &magazine);
		}
	}
	free(held);
	return (void *)(uintptr_t)intact;
}

static void slab_keeps_slots_apart_when_many_threads(void **state)
{
	pthread_t threads[THREADS];
	void *intact;

	(void)state;
	for (uintptr_t i = 0; i < THREADS; i++) {
		pthread_create(&threads[i], NULL, churn, (void *)i);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &intact);
		assert_non_null(intact);
	}
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, slab_setup, slab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(slab_keeps_slots_apart_when_many),
		TEST(slab_finds_owner_when_asked),
		TEST(slab_reuses_slot_when_released),
		TEST(slab_gives_memory_back_when_all_released),
		TEST(slab_refills_magazine_when_it_is_empty),
		TEST(slab_costs_little_when_full),
		TEST(slab_keeps_slots_apart_when_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
