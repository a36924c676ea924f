// SPDX-License-Identifier: MIT
/*
 * test_table.c - the ring of a session's tasks, and the results kept in it.
 */
#include "client/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/compiler.h"

#define IN_USE_MAX 4u

static struct wyn_table table;

static int setup(void **state)
{
	(void)state;
	return wyn_table_init(&table, IN_USE_MAX);
}

static int teardown(void **state)
{
	(void)state;
	wyn_table_fini(&table);
	return 0;
}

static struct wyn_table_slot *claim(void)
{
	assert_int_equal(1, wyn_table_run(&table, 1));
	return wyn_table_find(&table, wyn_table_claim(&table, 1, 0));
}

static void keep(struct wyn_table_slot *slot, const void *value, size_t size)
{
	const struct wyn_client_event event = {
		.kind = WYN_CLIENT_RESULT,
		.seq = slot->seq,
		.value = {value, size},
		.reason = "",
		.message = "",
	};

	wyn_table_keep(&table, slot, &event);
}

static void table_numbers_tags_in_a_row_when_a_batch_is_claimed(void **state)
{
	uint64_t first;

	(void)state;
	assert_int_equal(3, wyn_table_run(&table, 3));
	first = wyn_table_claim(&table, 3, 70);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(
			70 + i, wyn_table_find(&table, first + i)->tag);
	}
	assert_null(wyn_table_find(&table, first + 3));
}

static void table_has_no_room_when_all_are_in_use(void **state)
{
	(void)state;
	assert_int_equal(IN_USE_MAX, wyn_table_run(&table, 100));
	(void)wyn_table_claim(&table, IN_USE_MAX, 0);
	assert_int_equal(0, wyn_table_run(&table, 1));
}

static void table_leaves_a_seq_out_when_its_place_is_taken(void **state)
{
	struct wyn_table_slot *slow = claim();
	uint64_t slow_seq = slow->seq;

	(void)state;
	for (uint64_t i = 0; i < table.mask; i++) {
		wyn_table_end(&table, claim());
	}
	/* The next in the row would lie where the slow one is. */
	assert_int_equal(slow_seq + table.mask + 2, claim()->seq);
	assert_ptr_equal(slow, wyn_table_find(&table, slow_seq));
}

static void table_gives_results_in_order_of_their_end_when_kept(void **state)
{
	struct wyn_table_slot *first = claim();
	struct wyn_table_slot *second = claim();
	uint64_t seqs[] = {second->seq, first->seq};
	struct wyn_client_event event;

	(void)state;
	keep(second, "2", 1);
	keep(first, "1", 1);
	for (size_t i = 0; i < WYN_COUNT_OF(seqs); i++) {
		assert_true(wyn_table_take(&table, NULL, &event));
		assert_int_equal(seqs[i], event.seq);
	}
	assert_false(wyn_table_take(&table, NULL, &event));
}

static void table_copies_the_value_when_it_is_kept(void **state)
{
	static const size_t sizes[] = {
		1, WYN_TABLE_INLINE_BYTES, WYN_TABLE_INLINE_BYTES + 1, 1000};
	uint8_t value[1000];
	struct wyn_client_event event;

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(sizes); i++) {
		memset(value, 'v', sizeof(value));
		keep(claim(), value, sizes[i]);
		memset(value, 'w', sizeof(value));
		assert_true(wyn_table_take(&table, NULL, &event));
		assert_int_equal(sizes[i], event.value.size);
		memset(value, 'v', sizeof(value));
		assert_memory_equal(value, event.value.data, sizes[i]);
	}
}

static void table_joins_the_value_when_it_comes_in_parts(void **state)
{
	struct wyn_table_slot *slot = claim();
	const struct wyn_kept *kept;

	(void)state;
	assert_int_equal(0, wyn_table_part(&table, slot, "par", 3));
	assert_int_equal(0, wyn_table_part(&table, slot, NULL, 0));
	assert_int_equal(0, wyn_table_part(&table, slot, "ts", 2));
	kept = wyn_table_kept(&table, slot);
	assert_int_equal(5, kept->heap_size);
	assert_memory_equal("parts", kept->heap, 5);
}

static void table_gives_each_pending_once_when_swept(void **state)
{
	uint64_t seen = 0;
	struct wyn_table_slot *slot;

	(void)state;
	(void)claim();
	keep(claim(), "", 0);
	(void)claim();
	while ((slot = wyn_table_sweep(&table)) != NULL) {
		seen |= UINT64_C(1) << slot->seq;
		wyn_table_end(&table, slot);
	}
	/* Seqs begin at 1; 2 has its result. */
	assert_int_equal(1u << 1 | 1u << 3, seen);
	assert_int_equal(0, wyn_table_pending(&table));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(table_numbers_tags_in_a_row_when_a_batch_is_claimed),
		TEST(table_has_no_room_when_all_are_in_use),
		TEST(table_leaves_a_seq_out_when_its_place_is_taken),
		TEST(table_gives_results_in_order_of_their_end_when_kept),
		TEST(table_copies_the_value_when_it_is_kept),
		TEST(table_joins_the_value_when_it_comes_in_parts),
		TEST(table_gives_each_pending_once_when_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
