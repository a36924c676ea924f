// SPDX-License-Identifier: MIT
/*
 * test_fence.c - two threads that store and then look at each other's store.
 *
 * Without fences on both sides each of them finds the other's old value now and
 * then, because its own store still waits. Here one of the two must see.
 */
#include "scheduler/fence.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define ROUNDS	 4000u
#define HEAD_MAX 64u /* how far one side may be ahead, in empty loops */
#define LOOKS	 100u

static _Atomic unsigned light_side, heavy_side;
static _Atomic unsigned begun, ended; /* rounds */
static unsigned heavy_saw;

static void wait_for(_Atomic unsigned *round, unsigned value)
{
	unsigned looks = 0;

	while (atomic_load_explicit(round, memory_order_acquire) != value) {
		if (++looks % LOOKS == 0) {
			sched_yield();
		}
	}
}

static void *heavy_main(void *unused)
{
	(void)unused;
	for (unsigned i = 1; i <= ROUNDS; i++) {
		wait_for(&begun, i);
		atomic_store_explicit(&heavy_side, i, memory_order_relaxed);
		wyn_fence_heavy();
		heavy_saw =
			atomic_load_explicit(&light_side, memory_order_relaxed);
		atomic_store_explicit(&ended, i, memory_order_release);
	}
	return NULL;
}

/* Returns: the rounds in which neither saw the other. */
static unsigned blind_rounds(void)
{
	unsigned blind = 0;
	pthread_t thread;

	begun = 0;
	ended = 0;
	light_side = 0;
	heavy_side = 0;
	assert_int_equal(pthread_create(&thread, NULL, heavy_main, NULL), 0);
	for (unsigned i = 1; i <= ROUNDS; i++) {
		unsigned light_saw;

		atomic_store_explicit(&begun, i, memory_order_release);
		for (volatile unsigned j = 0; j < i % HEAD_MAX; j++) {
		}
		atomic_store_explicit(&light_side, i, memory_order_relaxed);
		wyn_fence_light();
		light_saw =
			atomic_load_explicit(&heavy_side, memory_order_relaxed);
		wait_for(&ended, i);
		blind += light_saw != i && heavy_saw != i;
	}
	pthread_join(thread, NULL);
	return blind;
}

static void fence_lets_one_of_two_see_when_asymmetric(void **state)
{
	(void)state;
	wyn_fence_init();
	if (!wyn_fence_is_asymmetric) {
		skip(); /* this kernel has no membarrier(2) */
	}
	assert_int_equal(blind_rounds(), 0);
}

static void fence_lets_one_of_two_see_when_full(void **state)
{
	bool before = wyn_fence_is_asymmetric;

	(void)state;
	wyn_fence_is_asymmetric = false;
	assert_int_equal(blind_rounds(), 0);
	wyn_fence_is_asymmetric = before;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fence_lets_one_of_two_see_when_asymmetric),
		cmocka_unit_test(fence_lets_one_of_two_see_when_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
