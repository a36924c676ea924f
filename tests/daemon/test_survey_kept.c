// SPDX-License-Identifier: MIT
/*
 * test_survey_kept.c - lists have what ended and is kept, each task once, and
 * those with a label.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/conn_state.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/survey.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_keep.h"
#include "tests/support/rig_messages.h"

#define ENDED  WYN__V1__TASK_STATE__TASK_STATE_ENDED
#define OUTPUT WYN__V1__TASK_STATE__TASK_STATE_OUTPUT
#define QUEUED WYN__V1__TASK_STATE__TASK_STATE_QUEUED

static struct rig_client *asker; /* of the same user */

static int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.executor_tasks_max = 3;
	limits.keep_tasks = 20000;
	rig = rig_create(&limits, 2);
	client = rig_open_user(rig, 1000);
	asker = rig_open_user(rig, 1000);
	return 0;
}

/* Returns: the first's id. */
static uint64_t labelled_send(uint64_t first_seq, size_t count,
	const char *label, uint8_t on_disconnect)
{
	const struct rig_submit submit = {.first_seq = first_seq,
		.function = "echo",
		.count = count,
		.options = {.on_disconnect = on_disconnect,
			.accept = true,
			.label = wyn_slice_of(label)}};

	rig_submit(client, &submit);
	rig_settle(rig);
	return client->accepted_id;
}

static size_t count_of(uint8_t state, const char *label)
{
	Wyn__V1__ListCall what = WYN__V1__LIST_CALL__INIT;

	what.state = (Wyn__V1__TaskState)state;
	what.label = wyn_message_text(label);
	list(asker, &what);
	assert_false(asker->reply.more);
	return asker->listed_count;
}

static void list_has_what_goes_on_and_what_ended(void **state)
{
	uint64_t first = labelled_send(1, 2, "a", KEEP);
	uint64_t second;

	(void)state;
	rig_finish_all(rig);
	second = labelled_send(3, 5, "b", KEEP);
	rig_client_break(client);
	rig_settle(rig);
	list_all(asker);
	assert_int_equal(asker->listed_count, 7);
	assert_int_equal(asker->listed[0].id, first);
	assert_int_equal(asker->listed[0].state, ENDED);
	assert_string_equal(asker->listed[0].label, "a");
	assert_string_equal(asker->listed[0].function, "echo");
	assert_int_equal(asker->listed[2].id, second);
	assert_string_equal(asker->listed[6].label, "b");
	assert_int_equal(asker->listed[6].state, QUEUED);
	assert_int_equal(count_of(ENDED, ""), 2);
	assert_int_equal(count_of(QUEUED, ""), 2);
	assert_int_equal(count_of(0, "a"), 2);
	assert_int_equal(count_of(0, "b"), 5);
	assert_int_equal(count_of(QUEUED, "b"), 2);
	assert_int_equal(count_of(ENDED, "b"), 0);
	assert_int_equal(count_of(0, "c"), 0);
	rig_finish_all(rig);
	assert_int_equal(count_of(ENDED, "b"), 5);
}

static void label_is_shown_of_whatever_is_not_kept(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 2, "echo", NULL);
	labelled_send(3, 2, "mine", 0);
	labelled_send(5, 2, "mine", 0);
	assert_int_equal(count_of(0, "mine"), 4);
	assert_int_equal(count_of(0, ""), 6);
	assert_string_equal(asker->listed[0].label, "");
	assert_string_equal(asker->listed[2].label, "mine");
	rig_finish_all(rig);
	assert_int_equal(count_of(0, ""), 0);
}

static void label_that_is_too_long_is_refused(void **state)
{
	static const char label[] = "0123456789012345678901234567890123456789"
				    "012345678901234567890123";
	Wyn__V1__ListCall what = WYN__V1__LIST_CALL__INIT;

	(void)state;
	assert_int_equal(strlen(label), WYN_LABEL_BYTES);
	labelled_send(1, 1, label, 0);
	assert_string_equal(rig_reason(client, 1), "OPTION_INVALID");
	what.label = wyn_message_text(label);
	list_send(asker, &what);
	rig_settle(rig);
	assert_string_equal(asker->reply.reason, "CALL_INVALID");
}

static void task_is_listed_once_when_its_row_is_not_read(void **state)
{
	Wyn__V1__ListCall output = WYN__V1__LIST_CALL__INIT;

	(void)state;
	client->read_max = 0;
	(void)keep_send(client, 1, 3, "big", "6000000");
	rig_finish_all(rig);
	assert_false(wyn_list_empty(&client->conn->large));
	list_all(asker);
	assert_int_equal(asker->listed_count, 3);
	assert_int_equal(asker->listed[0].state, ENDED);
	output.state = OUTPUT;
	list(asker, &output);
	assert_true(asker->listed_count > 0);
	for (size_t i = 0; i < asker->listed_count; i++) {
		assert_int_equal(asker->listed[i].state, OUTPUT);
	}
}

static void list_goes_on_behind_its_last_when_there_are_many(void **state)
{
	Wyn__V1__ListCall what = WYN__V1__LIST_CALL__INIT;
	uint64_t first = keep_send(client, 1, 1000, "noop", NULL);
	size_t seen = 0;

	(void)state;
	rig_run(rig, 3);
	rig_settle(rig);
	rig_run(rig, 3);
	rig_settle(rig);
	what.limit = 100;
	do {
		list(asker, &what);
		for (size_t i = 0; i < asker->listed_count; i++) {
			assert_int_equal(asker->listed[i].id, first + seen);
			seen++;
		}
		what.after = first + seen - 1;
	} while (asker->reply.more);
	assert_int_equal(seen, 1000);
}

static void look_is_divided_when_much_is_kept(void **state)
{
	Wyn__V1__ListCall what = WYN__V1__LIST_CALL__INIT;
	uint64_t turns;

	(void)state;
	(void)keep_send(client, 1, 20000, "noop", NULL);
	rig_finish_all(rig);
	assert_int_equal(rig->engine->keep.users_count, 1);
	what.limit = 10;
	list_send(asker, &what);
	turns = rig->engine->stats.turns_approx;
	while (asker->replies == 0) {
		rig_turn(rig);
	}
	assert_int_equal(asker->listed_count, 10);
	assert_true(asker->reply.more);
	assert_true(rig->engine->stats.turns_approx - turns >=
		    20000 / WYN_SURVEY_LOOKS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(list_has_what_goes_on_and_what_ended),
		TEST(label_is_shown_of_whatever_is_not_kept),
		TEST(label_that_is_too_long_is_refused),
		TEST(task_is_listed_once_when_its_row_is_not_read),
		TEST(list_goes_on_behind_its_last_when_there_are_many),
		TEST(look_is_divided_when_much_is_kept),
#undef TEST
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
