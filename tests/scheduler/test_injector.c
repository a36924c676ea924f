// SPDX-License-Identifier: MIT
/*
 * test_injector.c - order, sharing, blocks, closing, and each item once.
 */
#include "scheduler/injector.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "scheduler/fence.h"

#define PRODUCERS      3u
#define CONSUMERS      2u
#define PER_PRODUCER   40000u
#define SEVERAL_BLOCKS (5u * WYN_INJECTOR_BLOCK_ITEMS + 7u)

static void nothing(void *arg)
{
	(void)arg;
}

static struct wyn_chunks chunks;

static int injector_setup(void **state)
{
	struct wyn_injector *injector;

	if (posix_memalign((void **)&injector, WYN_CACHE_LINE,
		    sizeof(*injector)) != 0) {
		return -1;
	}
	wyn_fence_init();
	wyn_chunks_init(&chunks, 0);
	wyn_injector_init(injector, &chunks);
	*state = injector;
	return 0;
}

static int injector_teardown(void **state)
{
	wyn_chunks_fini(&chunks);
	free(*state);
	return 0;
}

static int push_one(
	struct wyn_injector *injector, uintptr_t n, enum wyn_injector_kind kind)
{
	struct wyn_item item = {.fn = nothing, .arg = (void *)n};
	struct wyn_injector_batch batch = {.items = &item, .n = 1};

	return wyn_injector_push(injector, NULL, &batch, kind);
}

static int push_args(struct wyn_injector *injector, struct wyn_lane *lane,
	void *const *args, size_t n)
{
	struct wyn_injector_batch batch = {.fn = nothing, .args = args, .n = n};

	return wyn_injector_push(injector, lane, &batch, WYN_INJECTOR_OUTSIDE);
}

static void injector_takes_nothing_when_empty(void **state)
{
	struct wyn_item item;
	unsigned cursor = 0;

	assert_int_equal(wyn_injector_take(*state, &cursor, 1, &item, 1), 0);
	assert_int_equal(wyn_injector_length(*state), 0);
}

static void injector_keeps_order_when_one_producer(void **state)
{
	struct wyn_item item;
	unsigned cursor = 3;

	for (uintptr_t i = 0; i < SEVERAL_BLOCKS; i++) {
		assert_int_equal(push_one(*state, i, WYN_INJECTOR_OUTSIDE), 0);
	}

	for (uintptr_t i = 0; i < SEVERAL_BLOCKS; i++) {
		assert_int_equal(
			wyn_injector_take(*state, &cursor, 1, &item, 1), 1);
		assert_ptr_equal(item.arg, (void *)i);
	}
	assert_int_equal(wyn_injector_length(*state), 0);
}

static void injector_keeps_order_when_batch_spans_blocks(void **state)
{
	struct wyn_item items[WYN_INJECTOR_GRAB_MAX];
	static void *args[SEVERAL_BLOCKS];
	unsigned cursor = 0;
	uintptr_t next = 0;
	size_t n;

	for (uintptr_t i = 0; i < SEVERAL_BLOCKS; i++) {
		args[i] = (void *)i;
	}
	assert_int_equal(push_args(*state, NULL, args, SEVERAL_BLOCKS), 0);
	assert_int_equal(wyn_injector_accepted(*state), SEVERAL_BLOCKS);

	while ((n = wyn_injector_take(*state, &cursor, 1, items,
			WYN_INJECTOR_GRAB_MAX)) > 0) {
		for (size_t i = 0; i < n; i++) {
			assert_ptr_equal(items[i].arg, (void *)next++);
		}
	}
	assert_int_equal(next, SEVERAL_BLOCKS);
}

static void injector_leaves_a_share_when_others_take(void **state)
{
	struct wyn_item items[WYN_INJECTOR_GRAB_MAX];
	unsigned cursor = 0;
	size_t n;

	for (uintptr_t i = 0; i < 100; i++) {
		assert_int_equal(push_one(*state, i, WYN_INJECTOR_OUTSIDE), 0);
	}

	n = wyn_injector_take(*state, &cursor, 4, items, WYN_INJECTOR_GRAB_MAX);
	assert_int_equal(n, 100 / 4 + 1);
	n = wyn_injector_take(*state, &cursor, 1, items, 10);
	assert_int_equal(n, 10);
}

static void injector_refuses_outsiders_when_closed(void **state)
{
	assert_int_equal(push_one(*state, 1, WYN_INJECTOR_OUTSIDE), 0);

	wyn_injector_close(*state);

	assert_int_equal(push_one(*state, 2, WYN_INJECTOR_OUTSIDE), -ESHUTDOWN);
	assert_int_equal(push_one(*state, 3, WYN_INJECTOR_INSIDE), 0);
	assert_int_equal(push_one(*state, 4, WYN_INJECTOR_MOVE), 0);
	assert_int_equal(wyn_injector_length(*state), 3);
}

static void injector_counts_no_task_when_moved(void **state)
{
	assert_int_equal(push_one(*state, 1, WYN_INJECTOR_OUTSIDE), 0);
	assert_int_equal(push_one(*state, 2, WYN_INJECTOR_INSIDE), 0);
	assert_int_equal(push_one(*state, 3, WYN_INJECTOR_MOVE), 0);

	assert_int_equal(wyn_injector_accepted(*state), 2);
	assert_int_equal(wyn_injector_pushed(*state), 3);
}

static void lane_is_held_by_one_when_several_ask(void **state)
{
	struct wyn_lane *lanes[WYN_INJECTOR_LANES];

	for (unsigned i = 0; i < WYN_INJECTOR_LANES; i++) {
		lanes[i] = wyn_lane_hold(*state);
		assert_non_null(lanes[i]);
		assert_true(i == 0 || lanes[i] != lanes[i - 1]);
	}
	assert_null(wyn_lane_hold(*state));

	wyn_lane_release(lanes[7]);

	assert_ptr_equal(wyn_lane_hold(*state), lanes[7]);
}

static void injector_gives_blocks_back_when_they_are_read(void **state)
{
	struct wyn_item item;
	unsigned cursor = 0;

	for (uintptr_t i = 0; i < SEVERAL_BLOCKS; i++) {
		assert_int_equal(push_one(*state, i, WYN_INJECTOR_OUTSIDE), 0);
	}
	assert_int_equal(chunks.mapped - chunks.kept, 6);
	for (uintptr_t i = 0; i < WYN_INJECTOR_BLOCK_ITEMS + 1; i++) {
		assert_int_equal(
			wyn_injector_take(*state, &cursor, 1, &item, 1), 1);
	}
	assert_int_equal(wyn_injector_length(*state),
		SEVERAL_BLOCKS - WYN_INJECTOR_BLOCK_ITEMS - 1);
	assert_int_equal(chunks.mapped - chunks.kept, 5);
}

struct crowd {
	struct wyn_injector *injector;
	_Atomic unsigned char *taken;
	_Atomic unsigned left;
	_Atomic unsigned next_producer;
};

static void *producer(void *arg)
{
	struct crowd *crowd = arg;
	uintptr_t first =
		PER_PRODUCER * atomic_fetch_add_explicit(&crowd->next_producer,
				       1, memory_order_relaxed);
	/* Two of them share a lane, the third has one of its own. */
	struct wyn_lane *lane =
		first == 0 ? wyn_lane_hold(crowd->injector) : NULL;
	void *args[5];
	uintptr_t i = 0;

	while (i < PER_PRODUCER) {
		size_t n = 0;

		while (n < 1 + i % 5 && i < PER_PRODUCER) {
			args[n++] = (void *)(first + i++);
		}
		if (push_args(crowd->injector, lane, args, n) < 0) {
			abort();
		}
	}
	if (lane != NULL) {
		wyn_lane_release(lane);
	}
	return NULL;
}

static void *consumer(void *arg)
{
	struct crowd *crowd = arg;
	struct wyn_item items[WYN_INJECTOR_GRAB_MAX];
	unsigned cursor = 0;

	while (atomic_load_explicit(&crowd->left, memory_order_relaxed) > 0) {
		size_t n = wyn_injector_take(crowd->injector, &cursor,
			CONSUMERS, items, WYN_INJECTOR_GRAB_MAX);

		for (size_t i = 0; i < n; i++) {
			atomic_fetch_add_explicit(
				&crowd->taken[(uintptr_t)items[i].arg], 1,
				memory_order_relaxed);
		}
		atomic_fetch_sub_explicit(
			&crowd->left, (unsigned)n, memory_order_relaxed);
	}
	return NULL;
}

static void injector_gives_each_once_when_many_threads(void **state)
{
	struct crowd crowd = {
		.injector = *state, .left = PRODUCERS * PER_PRODUCER};
	pthread_t threads[PRODUCERS + CONSUMERS];

	crowd.taken = calloc(PRODUCERS * PER_PRODUCER, 1);
	assert_non_null(crowd.taken);
	for (unsigned i = 0; i < PRODUCERS + CONSUMERS; i++) {
		pthread_create(&threads[i], NULL,
			i < PRODUCERS ? producer : consumer, &crowd);
	}
	for (unsigned i = 0; i < PRODUCERS + CONSUMERS; i++) {
		pthread_join(threads[i], NULL);
	}

	for (unsigned i = 0; i < PRODUCERS * PER_PRODUCER; i++) {
		assert_int_equal(crowd.taken[i], 1);
	}
	free((void *)crowd.taken);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, injector_setup, injector_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(injector_takes_nothing_when_empty),
		TEST(injector_keeps_order_when_one_producer),
		TEST(injector_keeps_order_when_batch_spans_blocks),
		TEST(injector_leaves_a_share_when_others_take),
		TEST(injector_refuses_outsiders_when_closed),
		TEST(injector_counts_no_task_when_moved),
		TEST(lane_is_held_by_one_when_several_ask),
		TEST(injector_gives_blocks_back_when_they_are_read),
		TEST(injector_gives_each_once_when_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
