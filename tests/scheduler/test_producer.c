// SPDX-License-Identifier: MIT
/*
 * test_producer.c - lanes that threads hold as long as they live.
 */
#include "scheduler/producer.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "scheduler/fence.h"

/* Too large for a stack, and aligned as a pool has them. */
static struct wyn_chunks chunks;
static struct wyn_injector injectors[2];
static struct wyn_producers producers[2];

static const struct wyn_producer *self(struct wyn_producers *pool)
{
	const struct wyn_producer *held = wyn_producer_held(pool);

	return held != NULL ? held : wyn_producer_enter(pool, true);
}

static int producer_setup(void **state)
{
	(void)state;
	wyn_fence_init();
	wyn_chunks_init(&chunks, 0);
	for (unsigned i = 0; i < 2; i++) {
		wyn_injector_init(&injectors[i], &chunks);
		wyn_producers_init(&producers[i], &injectors[i], false);
	}
	return 0;
}

static int producer_teardown(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		wyn_producers_fini(&producers[i]);
	}
	wyn_chunks_fini(&chunks);
	return 0;
}

static void producer_keeps_its_lane_when_asked_again(void **state)
{
	struct wyn_lane *lane = self(&producers[0])->lane;

	(void)state;
	assert_non_null(lane);
	assert_ptr_equal(self(&producers[0])->lane, lane);
	assert_non_null(self(&producers[0])->magazine);
}

static void *lane_of_another(void *arg)
{
	return self(arg)->lane;
}

static struct wyn_lane *lane_in_thread(void)
{
	pthread_t thread;
	void *lane;

	assert_int_equal(
		pthread_create(&thread, NULL, lane_of_another, &producers[0]),
		0);
	pthread_join(thread, &lane);
	return lane;
}

static void producer_gives_its_lane_back_when_its_thread_ends(void **state)
{
	struct wyn_lane *mine = self(&producers[0])->lane;
	struct wyn_lane *first = lane_in_thread();

	(void)state;
	assert_ptr_not_equal(first, mine);
	assert_ptr_equal(lane_in_thread(), first);
}

static void producer_gives_its_lane_back_when_it_turns_away(void **state)
{
	struct wyn_lane *first = self(&producers[0])->lane;

	(void)state;
	assert_ptr_equal(self(&producers[1])->lane, &injectors[1].lanes[1]);
	assert_ptr_equal(lane_in_thread(), first);
}

static void producer_forgets_its_lane_when_the_pool_is_gone(void **state)
{
	(void)state;
	(void)self(&producers[0]);
	wyn_producers_fini(&producers[0]);
	wyn_injector_init(&injectors[0], &chunks);
	wyn_producers_init(&producers[0], &injectors[0], false);

	/* The same addresses, another pool. */
	assert_ptr_equal(self(&producers[0])->lane, &injectors[0].lanes[1]);
}

static void producer_shares_when_all_lanes_are_held(void **state)
{
	(void)state;
	for (unsigned i = 0; i < WYN_INJECTOR_LANES; i++) {
		assert_non_null(wyn_lane_hold(&injectors[0]));
	}

	assert_null(self(&producers[0])->lane);
	assert_null(self(&producers[0])->magazine);

	wyn_lane_release(&injectors[0].lanes[3]);
	assert_ptr_equal(self(&producers[0])->lane, &injectors[0].lanes[3]);
}

static void producer_is_no_express_when_inside(void **state)
{
	(void)state;
	assert_int_equal(
		wyn_producer_enter(&producers[0], false)->express_id, 0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, producer_setup, producer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(producer_keeps_its_lane_when_asked_again),
		TEST(producer_gives_its_lane_back_when_its_thread_ends),
		TEST(producer_gives_its_lane_back_when_it_turns_away),
		TEST(producer_forgets_its_lane_when_the_pool_is_gone),
		TEST(producer_shares_when_all_lanes_are_held),
		TEST(producer_is_no_express_when_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
