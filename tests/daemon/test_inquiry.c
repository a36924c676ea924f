// SPDX-License-Identifier: MIT
/*
 * test_inquiry.c - who asks how a task ended, or what it wrote, is told at once
 * or when there is something to tell, on whichever loop it is.
 */
#include "daemon/engine/inquiry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/conn_state.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/keeper.h"
#include "tests/support/rig_commands.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_functions.h"
#include "tests/support/rig_keep.h"
#include "tests/support/rig_messages.h"

#define ENDED WYN__V1__TASK_STATE__TASK_STATE_ENDED

static struct rig_client *asker; /* of the same user */

static void start(const struct wyn_limits *limits)
{
	rig = rig_create(limits, 2);
	(void)rig_commands_attach(rig);
	client = rig_open_user(rig, 0);
	asker = rig_open_user(rig, 0);
}

static int setup(void **state)
{
	(void)state;
	start(NULL);
	return 0;
}

static void leave(void)
{
	rig_client_break(client);
	rig_settle(rig);
}

static unsigned waiting(void)
{
	unsigned count = 0;

	for (size_t i = 0; i < WYN_INQUIRIES_MAX; i++) {
		count += atomic_load_explicit(&rig->shared.inquiries[i],
				 memory_order_relaxed) != 0;
	}
	return count;
}

static void settle_both(struct rig *beside)
{
	for (unsigned i = 0; i < 8; i++) {
		rig_settle(rig);
		rig_settle(beside);
	}
}

static void outcome_waits_for_the_end(void **state)
{
	uint64_t id = keep_send(client, 1, 1, "echo", "x");

	(void)state;
	leave();
	outcome_send(asker, id, 1000);
	assert_int_equal(asker->replies, 0);
	assert_int_equal(waiting(), 1);
	rig_finish_all(rig);
	assert_int_equal(asker->replies, 1);
	assert_true(asker->outcome.ended);
	assert_string_equal(asker->outcome.value, "x");
	assert_int_equal(asker->listed[0].state, ENDED);
	assert_int_equal(waiting(), 0);
	outcome_send(asker, id, 1000);
	assert_int_equal(asker->replies, 2);
}

static void outcome_waits_no_longer_than_it_was_asked_to(void **state)
{
	uint64_t id = keep_send(client, 1, 1, "echo", "x");

	(void)state;
	outcome_send(asker, id, 1000);
	rig_advance(rig, 999);
	assert_int_equal(asker->replies, 0);
	rig_advance(rig, 1);
	assert_int_equal(asker->replies, 1);
	assert_int_equal(asker->reply.code, 0);
	assert_false(asker->outcome.ended);
	assert_int_equal(waiting(), 0);
	outcome_send(asker, id, UINT64_MAX);
	rig_advance(rig, WYN_INQUIRY_WAIT_MS_MAX - 1);
	rig_ping(asker, 1);
	rig_settle(rig);
	assert_int_equal(asker->replies, 1);
	rig_advance(rig, 1);
	assert_int_equal(asker->replies, 2);
}

static void logs_wait_for_output_or_the_end(void **state)
{
	uint64_t id = keep_run_send(client, 1, 1);

	(void)state;
	leave();
	logs_send(asker, id, 0, 1000);
	assert_int_equal(asker->replies, 0);
	rig_process_say(rig_process(rig, 1), "first");
	rig_settle(rig);
	assert_int_equal(asker->replies, 1);
	assert_string_equal(asker->logs.text, "first");
	assert_int_equal(asker->logs.next, 5);
	assert_false(asker->logs.ended);
	logs_send(asker, id, 2, 1000);
	assert_string_equal(asker->logs.text, "rst");
	assert_int_equal(asker->logs.first_at, 2);
	logs_send(asker, id, 5, 1000);
	assert_int_equal(asker->replies, 2);
	rig_process_exit(rig_process(rig, 1), 0);
	rig_settle(rig);
	assert_int_equal(asker->replies, 3);
	assert_int_equal(asker->logs.pieces, 0);
	assert_int_equal(asker->logs.next, 5);
	assert_true(asker->logs.ended);
	logs_send(asker, id, 1000000, 1000);
	assert_int_equal(asker->logs.next, 5);
	assert_true(asker->logs.ended);
}

static void outcome_is_not_told_of_output(void **state)
{
	uint64_t id = keep_run_send(client, 1, 1);

	(void)state;
	outcome_send(asker, id, 1000);
	rig_process_say(rig_process(rig, 1), "first");
	rig_settle(rig);
	assert_int_equal(asker->replies, 0);
	rig_advance(rig, 1000);
	assert_int_equal(asker->replies, 1);
	assert_int_equal(asker->outcome.output_bytes, 5);
}

static void all_are_told_when_several_wait(void **state)
{
	uint64_t id = keep_send(client, 1, 1, "echo", "x");

	(void)state;
	for (unsigned i = 0; i < WYN_CALLS_PENDING_MAX; i++) {
		outcome_send(asker, id, 1000);
		outcome_send(client, id, 2000);
	}
	assert_int_equal(waiting(), 2 * WYN_CALLS_PENDING_MAX);
	outcome_send(asker, id, 0);
	assert_string_equal(asker->reply.reason, "CALLS_MAX");
	rig_finish_all(rig);
	assert_int_equal(asker->replies, WYN_CALLS_PENDING_MAX + 1);
	assert_int_equal(client->replies, WYN_CALLS_PENDING_MAX);
}

#define ADMINISTRATOR 999u /* its uid */

static struct rig_client *open_as(struct rig *at, uint32_t uid)
{
	struct rig_client *one = rig_open_user(at, uid);

	one->conn->peer.administrator = uid == ADMINISTRATOR;
	return one;
}

/* As many as the user may wait for a task of his, asked for on both loops.
 * Returns: its id. */
static uint64_t ask_all(struct rig *here, struct rig *beside, uint32_t uid)
{
	uint64_t id = keep_send(open_as(here, uid), 1, 1, "echo", "x");
	unsigned most = WYN_INQUIRIES_USER_MAX;

	most /= uid == ADMINISTRATOR ? 1 : 2;
	for (unsigned i = 0; i < most; i += WYN_CALLS_PENDING_MAX) {
		bool odd = i / WYN_CALLS_PENDING_MAX % 2 != 0;
		struct rig_client *one = open_as(odd ? beside : here, uid);

		for (unsigned n = 0; n < WYN_CALLS_PENDING_MAX; n++) {
			outcome_send(one, id, 1000);
		}
		assert_int_equal(one->replies, 0);
	}
	return id;
}

static void assert_refused(struct rig_client *one, uint64_t id)
{
	unsigned replies = one->replies;

	outcome_send(one, id, 1000);
	assert_int_equal(one->replies, replies + 1);
	assert_int_equal(one->reply.code, WYN_STATUS_RESOURCE_EXHAUSTED);
	assert_string_equal(one->reply.reason, "CALLS_MAX");
}

static void askers_are_no_more_than_may(void **state)
{
	uint64_t id = keep_send(client, 1, 1, "echo", "x");
	struct rig_client *boss = open_as(rig, ADMINISTRATOR);
	uint32_t uid = 1;

	(void)state;
	while (waiting() < WYN_INQUIRIES_MAX / 2) {
		(void)ask_all(rig, rig, uid++);
	}
	assert_refused(asker, id);
	outcome_send(boss, id, 1000);
	assert_int_equal(boss->replies, 0);
	rig_finish_all(rig);
	assert_int_equal(boss->replies, 1);
}

static void askers_of_one_user_are_a_part_of_them(void **state)
{
	struct rig_client *other = open_as(rig, 7);
	uint64_t theirs = keep_send(other, 1, 1, "echo", "y");
	uint64_t id = ask_all(rig, rig, 0);

	(void)state;
	assert_refused(asker, id);
	outcome_send(other, theirs, 1000);
	assert_int_equal(other->replies, 0);
	rig_finish_all(rig);
	assert_string_equal(other->outcome.value, "y");
	assert_string_equal(outcome_of(asker, id)->value, "x");
	assert_int_equal(waiting(), 0);
}

static void askers_of_one_user_are_counted_on_all_loops(void **state)
{
	struct rig *beside = rig_create_beside(rig);
	uint64_t id = ask_all(rig, beside, 0);

	(void)state;
	settle_both(beside);
	assert_refused(asker, id);
	rig_finish_all(rig);
	settle_both(beside);
	assert_int_equal(waiting(), 0);
	rig_destroy(beside);
}

static void administrator_has_no_more_than_his_part(void **state)
{
	uint64_t id = ask_all(rig, rig, ADMINISTRATOR);

	(void)state;
	assert_refused(open_as(rig, ADMINISTRATOR), id);
	assert_int_equal(waiting(), WYN_INQUIRIES_USER_MAX);
	rig_finish_all(rig);
	assert_int_equal(waiting(), 0);
}

static void nobody_is_told_when_the_asker_has_gone(void **state)
{
	uint64_t id = keep_send(client, 1, 2, "echo", "x");

	(void)state;
	outcome_send(asker, id, 1000);
	rig_client_break(asker);
	rig_settle(rig);
	assert_int_equal(waiting(), 1);
	rig_finish_all(rig);
	assert_int_equal(waiting(), 0);
}

static void drain_ends_the_wait(void **state)
{
	uint64_t id = keep_send(client, 1, 1, "ask", "x");

	(void)state;
	leave();
	outcome_send(asker, id, 1000);
	rig_drain(rig);
	assert_int_equal(asker->replies, 1);
	assert_false(asker->outcome.ended);
	assert_int_equal(waiting(), 0);
	assert_null(asker->conn);
	assert_true(wyn_engine_keeps(rig->engine));
}

static void engine_ends_with_those_that_wait(void **state)
{
	uint64_t id = keep_send(client, 1, 1, "echo", "x");

	(void)state;
	outcome_send(asker, id, 1000);
	wyn_inquiries_end(rig->engine);
	assert_int_equal(waiting(), 0);
	assert_true(wyn_list_empty(&rig->engine->inquiries));
}

static void awaited_end_is_told_when_no_entry_may_stay(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;
	uint64_t id;

	(void)state;
	id = keep_send(client, 1, 1, "echo", "x");
	outcome_send(asker, id, 1000);
	limits.keep_tasks = 0;
	limits.keep_ms = 0;
	wyn_engine_limit(rig->engine, &limits);
	rig_finish_all(rig);
	assert_int_equal(asker->replies, 1);
	assert_true(asker->outcome.ended);
	assert_string_equal(asker->outcome.value, "x");
	rig_advance(rig, 1);
	outcome_send(asker, id, 0);
	assert_string_equal(asker->reply.reason, "TASK_UNKNOWN");
}

static void value_is_read_from_where_it_is_asked(void **state)
{
	Wyn__V1__OutcomeCall outcome = WYN__V1__OUTCOME_CALL__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;
	uint64_t id = keep_send(client, 1, 1, "big", "3000000");
	uint64_t at = 0;

	(void)state;
	rig_finish_all(rig);
	call.what_case = WYN__V1__CALL__WHAT_OUTCOME;
	call.outcome = &outcome;
	outcome.id = id;
	while (at < 3000000) {
		outcome.value_from = at;
		call_send(asker, &call);
		rig_settle(rig);
		assert_true(asker->outcome.bytes > 0);
		assert_int_equal(asker->outcome.value_bytes, 3000000);
		assert_int_equal(
			(uint8_t)asker->outcome.value[0], rig_big_byte(at));
		at += asker->outcome.bytes;
	}
	assert_int_equal(at, 3000000);
	outcome.value_from = UINT64_MAX;
	call_send(asker, &call);
	rig_settle(rig);
	assert_int_equal(asker->outcome.bytes, 0);
	assert_int_equal(asker->outcome.value_bytes, 3000000);
}

static void logs_go_on_where_a_reply_ended(void **state)
{
	uint64_t id = keep_run_send(client, 1, 1);
	uint64_t from = 0;
	unsigned calls = 0;
	char text[32];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(text, sizeof(text), "%04u", i);
		rig_process_say(rig_process(rig, 1), text);
		rig_settle(rig);
	}
	rig_process_exit(rig_process(rig, 1), 0);
	rig_settle(rig);
	do {
		logs_send(asker, id, from, 0);
		assert_true(asker->logs.pieces <= WYN_INQUIRY_PIECES_MAX);
		assert_int_equal(asker->logs.first_at, from);
		assert_int_equal(asker->logs.next, from + asker->logs.bytes);
		(void)snprintf(
			text, sizeof(text), "%04u", (unsigned)(from / 4));
		assert_memory_equal(asker->logs.text, text, 4);
		from = asker->logs.next;
		calls++;
	} while (!asker->logs.ended);
	assert_int_equal(from, 4000);
	assert_true(calls > 10);
}

static void logs_skip_what_was_not_kept(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;
	uint64_t id;

	(void)state;
	rig_destroy(rig);
	limits.keep_output_bytes = 6;
	start(&limits);
	id = keep_run_send(client, 1, 1);
	rig_process_say(rig_process(rig, 1), "0123456789");
	rig_settle(rig);
	logs_send(asker, id, 0, 0);
	assert_string_equal(asker->logs.text, "456789");
	assert_int_equal(asker->logs.first_at, 4);
	limits.keep_output_bytes = 0;
	wyn_engine_limit(rig->engine, &limits);
	rig_process_say(rig_process(rig, 1), "abc");
	rig_settle(rig);
	logs_send(asker, id, 0, 0);
	assert_int_equal(asker->logs.pieces, 0);
	assert_int_equal(asker->logs.next, 13);
}

static void least_frame_has_room_for_the_longest_texts(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;
	struct rig_submit submit = {.first_seq = 1,
		.function = "fail",
		.count = 1,
		.options = {.on_disconnect = KEEP, .accept = true}};
	char message[2001];
	char label[WYN_LABEL_BYTES];

	(void)state;
	rig_destroy(rig);
	limits.frame_bytes_max = WYN_FRAME_BYTES_LEAST;
	start(&limits);
	memset(message, 'm', 2000);
	message[2000] = '\0';
	memset(label, 'l', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	submit.text = message;
	submit.options.label = wyn_slice_of(label);
	rig_submit(client, &submit);
	rig_settle(rig);
	rig_finish_all(rig);
	(void)outcome_of(asker, client->accepted_id);
	assert_true(strlen(asker->outcome.message) > 200);
	assert_string_equal(asker->listed[0].label, label);
	submit.first_seq = 2;
	submit.function = "big";
	submit.text = "100000";
	rig_submit(client, &submit);
	rig_settle(rig);
	rig_finish_all(rig);
	assert_true(outcome_of(asker, client->accepted_id)->bytes > 500);
}

static void partial_values_are_whole_when_a_frame_is_full(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;
	struct rig_submit submit = {
		.first_seq = 1,
		.function = "emit",
		.text = "3",
		.count = 1,
		.options = {.on_disconnect = KEEP,
			.accept = true,
			.stream = true},
	};
	char value[601];

	(void)state;
	rig_destroy(rig);
	limits.frame_bytes_max = WYN_FRAME_BYTES_LEAST;
	start(&limits);
	memset(value, 'v', 600);
	value[600] = '\0';
	rig_submit(client, &submit);
	rig_settle(rig);
	assert_int_equal(rig_emit_at(rig, 0, value), 0);
	assert_int_equal(rig_emit_at(rig, 0, value), 0);
	rig_settle(rig);
	logs_send(asker, client->accepted_id, 0, 0);
	assert_int_equal(asker->logs.pieces, 1);
	assert_int_equal(asker->logs.next, 600);
	logs_send(asker, client->accepted_id, 600, 0);
	assert_int_equal(asker->logs.pieces, 1);
	assert_int_equal(asker->logs.next, 1200);
}

static void unknown_is_refused(void **state)
{
	(void)state;
	outcome_send(asker, 12345, 1000);
	assert_string_equal(asker->reply.reason, "TASK_UNKNOWN");
	assert_int_equal(asker->reply.code, WYN_STATUS_NOT_FOUND);
	logs_send(asker, 0, 0, 1000);
	assert_string_equal(asker->reply.reason, "TASK_UNKNOWN");
	end_send(asker, 12345, 9);
	assert_string_equal(asker->reply.reason, "TASK_UNKNOWN");
	end_send(asker, 0, 9);
	assert_string_equal(asker->reply.reason, "CALL_INVALID");
	end_send(asker, 12345, 65);
	assert_string_equal(asker->reply.reason, "CALL_INVALID");
}

static void other_loop_is_asked_when_the_task_is_there(void **state)
{
	struct rig *beside = rig_create_beside(rig);
	struct rig_client *there = rig_open_user(beside, 0);
	uint64_t id = keep_send(client, 1, 1, "echo", "x");
	uint64_t theirs = keep_send(there, 1, 2, "echo", "y");

	(void)state;
	outcome_send(there, id, 1000);
	outcome_send(asker, theirs, 1000);
	settle_both(beside);
	assert_int_equal(there->replies, 0);
	assert_int_equal(asker->replies, 0);
	rig_finish_all(rig);
	rig_finish_all(beside);
	settle_both(beside);
	assert_string_equal(there->outcome.value, "x");
	assert_string_equal(asker->outcome.value, "y");
	outcome_send(asker, 77, 1000);
	settle_both(beside);
	assert_string_equal(asker->reply.reason, "TASK_UNKNOWN");
	outcome_send(asker, theirs + 1, 1000);
	rig_client_break(asker);
	settle_both(beside);
	assert_int_equal(waiting(), 0);
	rig_destroy(beside);
}

static void other_loop_ends_it_when_the_task_is_there(void **state)
{
	struct rig *beside = rig_create_beside(rig);
	struct rig_client *there = rig_open_user(beside, 0);
	uint64_t theirs = keep_send(there, 1, 1, "ask", "y");

	(void)state;
	rig_client_break(there);
	end_send(asker, theirs, 0);
	settle_both(beside);
	assert_int_equal(asker->reply.code, 0);
	assert_int_equal(asker->replies, 1);
	rig_finish_all(beside);
	outcome_send(asker, theirs, 0);
	settle_both(beside);
	assert_int_equal(asker->outcome.code, WYN_STATUS_CANCELLED);
	rig_destroy(beside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(outcome_waits_for_the_end),
		TEST(outcome_waits_no_longer_than_it_was_asked_to),
		TEST(logs_wait_for_output_or_the_end),
		TEST(outcome_is_not_told_of_output),
		TEST(all_are_told_when_several_wait),
		TEST(askers_are_no_more_than_may),
		TEST(askers_of_one_user_are_a_part_of_them),
		TEST(askers_of_one_user_are_counted_on_all_loops),
		TEST(administrator_has_no_more_than_his_part),
		TEST(nobody_is_told_when_the_asker_has_gone),
		TEST(drain_ends_the_wait),
		TEST(engine_ends_with_those_that_wait),
		TEST(awaited_end_is_told_when_no_entry_may_stay),
		TEST(value_is_read_from_where_it_is_asked),
		TEST(logs_go_on_where_a_reply_ended),
		TEST(logs_skip_what_was_not_kept),
		TEST(least_frame_has_room_for_the_longest_texts),
		TEST(partial_values_are_whole_when_a_frame_is_full),
		TEST(unknown_is_refused),
		TEST(other_loop_is_asked_when_the_task_is_there),
		TEST(other_loop_ends_it_when_the_task_is_there),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
