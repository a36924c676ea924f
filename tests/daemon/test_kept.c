// SPDX-License-Identifier: MIT
/*
 * test_kept.c - how tasks ended and what they wrote, kept within the bounds of
 * each user.
 */
#include "daemon/engine/kept.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/time.h"
#include "proto/message.h"

#define OUTPUT WYN__V1__STREAM__STREAM_OUTPUT
#define ERROR_ WYN__V1__STREAM__STREAM_ERROR
#define ALICE  1000u
#define BOB    1001u

static struct wyn_limits limits;
static struct wyn_keep keep;

static int setup(void **state)
{
	static const struct wyn_limits defaults = WYN_LIMITS_INIT;

	(void)state;
	limits = defaults;
	limits.keep_tasks = 3;
	limits.keep_bytes = 1000;
	limits.keep_output_bytes = 300;
	limits.keep_ms = 10;
	wyn_keep_init(&keep, &limits);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wyn_keep_fini(&keep);
	assert_int_equal(keep.users_count, 0);
	return 0;
}

static struct wyn_kept *begin(uint32_t uid, uint64_t id)
{
	const struct wyn_kept_origin origin = {
		.id = id,
		.uid = uid,
		.seq = id + 1,
		.conn = 7,
		.received_ns = 5,
		.priority = 2,
		.function = "echo",
		.command = "",
		.label = "nightly",
	};
	struct wyn_kept *kept = wyn_keep_begin(&keep, &origin);

	assert_non_null(kept);
	return kept;
}

static void end(struct wyn_kept *kept, const char *value, uint64_t now_ns)
{
	struct wyn_outcome outcome = {
		.value = (uint8_t *)(uintptr_t)value,
		.value_bytes = value == NULL ? 0 : strlen(value),
	};

	wyn_keep_end(&keep, kept, &outcome, WYN__V1__RAN__RAN_YES, now_ns);
}

/* Of so many times that letter. */
static void wrote(struct wyn_kept *kept, uint8_t stream, char letter, size_t n)
{
	char text[600];

	assert_true(n <= sizeof(text));
	memset(text, letter, n);
	wyn_keep_output(&keep, kept, stream,
		(struct wyn_slice){(const uint8_t *)text, n});
}

static void output_expected(const struct wyn_kept *kept, const char *text)
{
	char have[600];
	size_t n = 0;

	for (const struct wyn_kept_piece *i = kept->head; i; i = i->next) {
		memcpy(have + n, i->data, i->bytes);
		n += i->bytes;
	}
	have[n] = '\0';
	assert_string_equal(have, text);
}

static void entry_is_found_by_its_id_when_it_began(void **state)
{
	struct wyn_kept *kept = begin(ALICE, 12);

	(void)state;
	begin(ALICE, 12 + WYN_KEPT_BUCKETS);
	assert_ptr_equal(wyn_keep_find(&keep, 12), kept);
	assert_null(wyn_keep_find(&keep, 13));
	assert_null(wyn_keep_find(&keep, 12 + 2 * WYN_KEPT_BUCKETS));
	assert_int_equal(kept->seq, 13);
	assert_string_equal(kept->function, "echo");
	assert_string_equal(kept->command, "");
	assert_string_equal(kept->label, "nightly");
	assert_int_equal(kept->user->uid, ALICE);
	assert_false(kept->ended);
}

static void entry_has_copies_when_it_ended(void **state)
{
	struct wyn_kept *kept = begin(ALICE, 1);
	char message[] = "it went wrong";
	uint8_t value[] = "value";
	struct wyn_command_end how = {.exit_status = 3, .signal = 0};
	struct wyn_outcome outcome = {
		.code = 10,
		.refusal = WYN_REFUSAL_EXIT_STATUS,
		.message = message,
		.value = value,
		.value_bytes = 5,
		.end = &how,
	};

	(void)state;
	wyn_keep_end(&keep, kept, &outcome, WYN__V1__RAN__RAN_MAYBE, 77);
	memset(message, 'x', sizeof(message) - 1);
	memset(value, 'x', sizeof(value));
	how.exit_status = 9;
	assert_true(kept->ended);
	assert_int_equal(kept->code, 10);
	assert_int_equal(kept->refusal, WYN_REFUSAL_EXIT_STATUS);
	assert_int_equal(kept->ran, WYN__V1__RAN__RAN_MAYBE);
	assert_int_equal(kept->ended_ns, 77);
	assert_string_equal(kept->message, "it went wrong");
	assert_int_equal(kept->value_bytes, 5);
	assert_memory_equal(kept->value, "value", 5);
	assert_int_equal(kept->end->exit_status, 3);
	assert_false(kept->value_lost);
	assert_int_equal(kept->user->bytes, 5);
}

static void room_is_what_has_not_ended_when_a_user_asks(void **state)
{
	(void)state;
	assert_int_equal(wyn_keep_room(&keep, ALICE), 3);
	begin(ALICE, 1);
	end(begin(ALICE, 2), NULL, 1);
	assert_int_equal(wyn_keep_room(&keep, ALICE), 2);
	begin(ALICE, 3);
	begin(ALICE, 4);
	assert_int_equal(wyn_keep_room(&keep, ALICE), 0);
	assert_int_equal(wyn_keep_room(&keep, BOB), 3);
	limits.keep_tasks = 1;
	assert_int_equal(wyn_keep_room(&keep, ALICE), 0);
	limits.keep_tasks = 5;
	assert_int_equal(wyn_keep_room(&keep, ALICE), 2);
}

static void users_are_no_more_than_may_when_others_come(void **state)
{
	const struct wyn_kept_origin one_more = {.id = 100000,
		.uid = 5000,
		.function = "",
		.command = "",
		.label = ""};

	(void)state;
	for (uint32_t i = 0; i < WYN_KEPT_USERS_MAX; i++) {
		end(begin(i, i + 1), NULL, 1);
	}
	assert_int_equal(wyn_keep_room(&keep, 5000), 0);
	assert_null(wyn_keep_begin(&keep, &one_more));
	assert_int_equal(wyn_keep_room(&keep, 3), 3);
	wyn_keep_expire(&keep, limits.keep_ms * WYN_NS_PER_MS + 1);
	assert_int_equal(keep.users_count, 0);
	assert_int_equal(wyn_keep_room(&keep, 5000), 3);
}

static void oldest_end_goes_first_when_there_are_more_than_may(void **state)
{
	(void)state;
	for (uint64_t id = 1; id <= 3; id++) {
		begin(ALICE, id);
	}
	end(begin(BOB, 50), NULL, 1);
	end(wyn_keep_find(&keep, 2), NULL, 1);
	end(wyn_keep_find(&keep, 1), NULL, 2);
	end(wyn_keep_find(&keep, 3), NULL, 3);
	assert_int_equal(keep.evicted, 0);
	end(begin(ALICE, 4), NULL, 4);
	assert_null(wyn_keep_find(&keep, 2));
	assert_non_null(wyn_keep_find(&keep, 1));
	end(begin(ALICE, 5), NULL, 5);
	assert_null(wyn_keep_find(&keep, 1));
	assert_non_null(wyn_keep_find(&keep, 50));
	assert_int_equal(keep.evicted, 2);
}

static void nothing_stays_when_none_may(void **state)
{
	struct wyn_kept *kept = begin(ALICE, 1);

	(void)state;
	limits.keep_tasks = 0;
	end(kept, "value", 1);
	assert_null(wyn_keep_find(&keep, 1));
	assert_int_equal(keep.users_count, 0);
}

static void value_takes_the_room_of_older_ends_when_it_needs_it(void **state)
{
	char value[601];

	(void)state;
	memset(value, 'v', 600);
	value[600] = '\0';
	end(begin(ALICE, 1), value, 1);
	end(begin(BOB, 9), value, 1);
	end(begin(ALICE, 2), "small", 2);
	end(begin(ALICE, 3), value, 3);
	assert_null(wyn_keep_find(&keep, 1));
	assert_non_null(wyn_keep_find(&keep, 2));
	assert_non_null(wyn_keep_find(&keep, 9));
	assert_int_equal(wyn_keep_find(&keep, 3)->value_bytes, 600);
	assert_int_equal(wyn_keep_find(&keep, 3)->user->bytes, 605);
}

static void value_is_lost_when_it_is_more_than_all_may(void **state)
{
	struct wyn_kept *kept = begin(ALICE, 2);
	char value[600];

	(void)state;
	memset(value, 'v', 599);
	value[599] = '\0';
	end(begin(ALICE, 1), "small", 1);
	limits.keep_bytes = 500;
	end(kept, value, 2);
	assert_true(kept->value_lost);
	assert_int_equal(kept->value_bytes, 0);
	assert_null(kept->value);
	assert_non_null(wyn_keep_find(&keep, 1));
	assert_int_equal(kept->user->bytes, 5);
}

static void output_is_the_newest_when_there_is_more_than_may(void **state)
{
	struct wyn_kept *kept = begin(ALICE, 1);
	uint64_t at = 0;

	(void)state;
	for (int letter = 'a'; letter <= 'z'; letter++) {
		wrote(kept, letter % 2 ? OUTPUT : ERROR_, (char)letter, 100);
		assert_true(kept->output_bytes <=
			    limits.keep_output_bytes +
				    sizeof(struct wyn_kept_piece));
	}
	assert_int_equal(kept->output_end, 2600);
	assert_int_equal(kept->head->data[0], 'y');
	for (const struct wyn_kept_piece *i = kept->head; i; i = i->next) {
		assert_true(i->at >= at);
		at = i->at + i->bytes;
		assert_int_equal(i->stream, i->data[0] % 2 ? OUTPUT : ERROR_);
	}
	assert_int_equal(at, 2600);
	assert_int_equal(kept->user->bytes, kept->output_bytes);
}

static void output_is_its_end_when_one_piece_is_more_than_may(void **state)
{
	struct wyn_kept *kept = begin(ALICE, 1);

	(void)state;
	wrote(kept, OUTPUT, 'a', 10);
	wrote(kept, OUTPUT, 'b', 500);
	assert_int_equal(kept->head->at, 210);
	assert_int_equal(kept->head->bytes, 300);
	assert_null(kept->head->next);
	assert_int_equal(kept->output_end, 510);
	limits.keep_output_bytes = 0;
	wrote(kept, OUTPUT, 'c', 500);
	assert_null(kept->head);
	assert_int_equal(kept->output_end, 1010);
	assert_int_equal(kept->user->bytes, 0);
	wrote(kept, OUTPUT, 'c', 0);
	assert_null(kept->head);
}

static void output_takes_the_room_of_older_ends_then_its_own(void **state)
{
	struct wyn_kept *kept = begin(ALICE, 1);

	(void)state;
	limits.keep_output_bytes = 5000;
	end(begin(ALICE, 2), "small", 2);
	for (unsigned i = 0; i < 10; i++) {
		wrote(kept, OUTPUT, (char)('a' + i), 200);
		assert_true(kept->user->bytes <= limits.keep_bytes);
	}
	assert_null(wyn_keep_find(&keep, 2));
	assert_int_equal(keep.evicted, 1);
	assert_int_equal(kept->head->data[0], 'g');
	assert_int_equal(kept->output_end, 2000);
}

static void output_is_lost_when_others_that_run_have_the_room(void **state)
{
	struct wyn_kept *first = begin(ALICE, 1);
	struct wyn_kept *second = begin(ALICE, 2);

	(void)state;
	limits.keep_output_bytes = 1000;
	wrote(first, OUTPUT, 'a', 600);
	wrote(second, OUTPUT, 'b', 600);
	assert_null(second->head);
	assert_int_equal(second->output_end, 600);
	wrote(second, OUTPUT, 'c', 10);
	output_expected(second, "cccccccccc");
	assert_int_equal(second->head->at, 600);
}

static void pieces_are_found_by_where_they_are(void **state)
{
	struct wyn_kept *kept = begin(ALICE, 1);

	(void)state;
	wrote(kept, OUTPUT, 'a', 10);
	wrote(kept, OUTPUT, 'b', 10);
	assert_int_equal(wyn_kept_from(kept, 0)->at, 0);
	assert_int_equal(wyn_kept_from(kept, 9)->at, 0);
	assert_int_equal(wyn_kept_from(kept, 10)->at, 10);
	assert_null(wyn_kept_from(kept, 20));
	assert_null(wyn_kept_from(kept, UINT64_MAX));
}

static void entries_go_when_their_time_is_over(void **state)
{
	const uint64_t time_ns = limits.keep_ms * WYN_NS_PER_MS;

	(void)state;
	assert_int_equal(wyn_keep_expire(&keep, UINT64_MAX), UINT64_MAX);
	begin(ALICE, 1);
	end(begin(ALICE, 2), "x", 100);
	end(begin(BOB, 3), "x", 200);
	assert_int_equal(wyn_keep_expire(&keep, 150), 100 + time_ns);
	assert_int_equal(wyn_keep_expire(&keep, 100 + time_ns), 200 + time_ns);
	assert_null(wyn_keep_find(&keep, 2));
	assert_non_null(wyn_keep_find(&keep, 3));
	assert_int_equal(wyn_keep_expire(&keep, 200 + time_ns), UINT64_MAX);
	assert_null(wyn_keep_find(&keep, 3));
	assert_non_null(wyn_keep_find(&keep, 1));
	assert_int_equal(keep.users_count, 1);
	assert_int_equal(keep.evicted, 0);
}

static void awaited_entry_stays_when_all_others_go(void **state)
{
	struct wyn_kept *kept = begin(ALICE, 1);
	struct wyn_list waiter;
	char value[900];

	(void)state;
	memset(value, 'v', 899);
	value[899] = '\0';
	wyn_list_init(&waiter);
	wyn_list_push_back(&kept->waiters, &waiter);
	end(kept, value, 1);
	for (uint64_t id = 2; id < 8; id++) {
		end(begin(ALICE, id), value, id);
		assert_non_null(wyn_keep_find(&keep, 1));
	}
	assert_true(wyn_keep_find(&keep, 7)->value_lost);
	wyn_keep_expire(&keep, 1000 * WYN_NS_PER_S);
	assert_non_null(wyn_keep_find(&keep, 1));
	assert_int_equal(kept->user->entries, 1);
	wyn_list_remove(&waiter);
	wyn_keep_expire(&keep, 1000 * WYN_NS_PER_S);
	assert_null(wyn_keep_find(&keep, 1));
}

static void entry_leaves_nothing_when_it_is_forgotten(void **state)
{
	struct wyn_kept *kept = begin(ALICE, 1);

	(void)state;
	wrote(kept, OUTPUT, 'a', 10);
	wyn_keep_forget(&keep, kept);
	assert_null(wyn_keep_find(&keep, 1));
	assert_int_equal(keep.users_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(entry_is_found_by_its_id_when_it_began),
		TEST(entry_has_copies_when_it_ended),
		TEST(room_is_what_has_not_ended_when_a_user_asks),
		TEST(users_are_no_more_than_may_when_others_come),
		TEST(oldest_end_goes_first_when_there_are_more_than_may),
		TEST(nothing_stays_when_none_may),
		TEST(value_takes_the_room_of_older_ends_when_it_needs_it),
		TEST(value_is_lost_when_it_is_more_than_all_may),
		TEST(output_is_the_newest_when_there_is_more_than_may),
		TEST(output_is_its_end_when_one_piece_is_more_than_may),
		TEST(output_takes_the_room_of_older_ends_then_its_own),
		TEST(output_is_lost_when_others_that_run_have_the_room),
		TEST(pieces_are_found_by_where_they_are),
		TEST(entries_go_when_their_time_is_over),
		TEST(awaited_entry_stays_when_all_others_go),
		TEST(entry_leaves_nothing_when_it_is_forgotten),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
