// SPDX-License-Identifier: MIT
/*
 * test_survey.c - list and explain: every task once, wherever it is, by id, to
 * whom may see it, a little in each turn.
 */
#include "daemon/engine/survey.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/engine/conn.h"
#include "daemon/engine/engine_state.h"
#include "daemon/run/strip.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"
#include "tests/support/rig_survey.h"

#define UPLOADING WYN__V1__TASK_STATE__TASK_STATE_UPLOADING
#define QUEUED	  WYN__V1__TASK_STATE__TASK_STATE_QUEUED
#define NEXT	  WYN__V1__TASK_STATE__TASK_STATE_NEXT
#define RUNNING	  WYN__V1__TASK_STATE__TASK_STATE_RUNNING
#define OUTPUT	  WYN__V1__TASK_STATE__TASK_STATE_OUTPUT

/* Room for three tasks in the executor. */
static int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.executor_tasks_max = 3;
	limits.output_bytes_max = 64 * WYN_KIB;
	rig = rig_create(&limits, 2);
	client = rig_open(rig);
	return 0;
}

static void state_expected(size_t at, uint64_t seq, int state)
{
	assert_int_equal(client->listed[at].seq, seq);
	assert_int_equal(client->listed[at].state, state);
}

/* Three in the executor, of which the second runs, and more behind them. */
static void busy(void)
{
	rig_batch_send(client, 1, 5, "ask", "xyz");
	rig_settle(rig);
	assert_int_equal(rig->started_count, 3);
	rig_begin_at(rig, 1);
}

static void survey_lists_nothing_when_there_is_nothing(void **state)
{
	(void)state;
	list_all(client);
	assert_int_equal(client->listed_count, 0);
}

static void survey_lists_each_task_by_its_state(void **state)
{
	const uint64_t size = 1000;
	const struct rig_submit upload = {
		.first_seq = 9, .function = "echo", .count = 1, .sizes = &size};

	(void)state;
	busy();
	rig_submit(client, &upload);
	rig_advance(rig, 20);
	list_all(client);
	assert_int_equal(client->listed_count, 6);
	state_expected(0, 1, NEXT);
	state_expected(1, 2, RUNNING);
	state_expected(2, 3, NEXT);
	state_expected(3, 4, QUEUED);
	state_expected(4, 5, QUEUED);
	state_expected(5, 9, UPLOADING);
	assert_int_equal(client->listed[5].argument_bytes, 1000);
	for (size_t i = 0; i < 5; i++) {
		const struct rig_listed *task = &client->listed[i];

		assert_int_equal(task->argument_bytes, 3);
		assert_int_equal(task->conn, client->conn->number);
		assert_string_equal(task->function, "ask");
		assert_int_equal(
			task->priority, WYN__V1__PRIORITY__PRIORITY_NORMAL);
		assert_true(task->age_ns >= 20 * WYN_NS_PER_MS);
		assert_true(task->id >= rig->shared.id_base);
		assert_int_equal(task->run_ns != 0, i == 1);
	}
}

static void survey_lists_what_ended_and_is_not_read(void **state)
{
	(void)state;
	client->read_max = 0;
	rig_task_send(client, 1, "big", "60000");
	rig_finish_all(rig);
	rig_batch_send(client, 2, 3, "big", "200000");
	rig_finish_all(rig);
	client->conn->peer.local = true;
	client->conn->peer.uid = 1000;
	{
		struct rig_client *other = rig_open(rig);

		other->conn->peer = client->conn->peer;
		list_all(other);
		assert_true(other->listed_count > 0);
		for (size_t i = 0; i < other->listed_count; i++) {
			assert_int_equal(other->listed[i].state, OUTPUT);
		}
		explain_of(other, other->listed[0].id, 0, 0);
		assert_int_equal(other->why.why, WYN__V1__WHY__WHY_OUTPUT);
	}
}

/* From here on "tiny" is known to be so. */
static void train(void)
{
	rig_batch_send(client, 1, 100, "tiny", NULL);
	rig_finish_all(rig);
}

static void survey_lists_each_task_of_a_strip(void **state)
{
	struct wyn_strip *strip;

	(void)state;
	rig_destroy(rig);
	rig = rig_create(NULL, 1);
	client = rig_open(rig);
	train();
	rig_batch_send(client, 1000, 20, "tiny", "ab");
	rig_settle(rig);
	assert_int_equal(rig->started_count, 1);
	strip = rig_strip_at(rig, 0);
	memset(strip->ends, WYN_STRIP_PLAIN, sizeof(strip->ends));
	memset(strip->lengths, 0, sizeof(strip->lengths));
	atomic_store_explicit(&strip->next, 3, memory_order_relaxed);
	list_all(client);
	assert_int_equal(client->listed_count, 20);
	for (size_t i = 0; i < 20; i++) {
		state_expected(i, 1000 + i,
			i < 2	 ? OUTPUT
			: i == 2 ? RUNNING
				 : NEXT);
		assert_int_equal(client->listed[i].argument_bytes, 2);
	}
	explain(client, 1005);
	assert_int_equal(client->why.why, WYN__V1__WHY__WHY_WORKERS);
	explain(client, 1002);
	assert_int_equal(client->why.why, WYN__V1__WHY__WHY_FUNCTION);
	strip->runs = 3;
	rig_finish_all(rig);
	list_all(client);
	assert_int_equal(client->listed_count, 0);
}

/* Encoded are 256 KiB at a time; what ended after that is kept as it is. */
static void survey_lists_a_strip_that_is_back_and_not_read(void **state)
{
	struct rig_client *other;

	(void)state;
	rig_destroy(rig);
	rig = rig_create(NULL, 1);
	client = rig_open(rig);
	train();
	client->read_max = 0;
	rig_batch_send(client, 200, 6, "big", "60000");
	rig_finish_all(rig);
	rig_batch_send(client, 1000, 20, "tiny", "ab");
	rig_settle(rig);
	assert_true(rig_is_strip_at(rig, 0));
	rig_finish_all(rig);
	other = rig_open(rig);
	other->conn->peer.administrator = true;
	list_all(other);
	assert_true(other->listed_count >= 20);
	for (size_t i = 0; i < 20; i++) {
		const struct rig_listed *task =
			&other->listed[other->listed_count - 20 + i];

		assert_int_equal(task->seq, 1000 + i);
		assert_int_equal(task->state, OUTPUT);
	}
	explain_of(other, 0, 1019, client->conn->number);
	assert_int_equal(other->why.why, WYN__V1__WHY__WHY_OUTPUT);
}

static void survey_lists_the_lowest_ids_when_there_are_more(void **state)
{
	Wyn__V1__ListCall page = WYN__V1__LIST_CALL__INIT;
	struct rig_client *other = rig_open(rig);
	uint64_t seen = 0;

	(void)state;
	/* Alternately of two connections, the last of them urgent. */
	for (uint64_t i = 0; i < 50; i++) {
		struct rig_submit submit = {
			.first_seq = 1 + i * 7, .function = "ask", .count = 7};

		submit.options.priority = (uint8_t)(1 + i % 3);
		rig_submit(i % 2 == 0 ? client : other, &submit);
	}
	rig_settle(rig);
	client->conn->peer.administrator = true;
	page.limit = 16;
	do {
		list(client, &page);
		assert_true(client->listed_count > 0);
		for (size_t i = 0; i < client->listed_count; i++) {
			assert_true(client->listed[i].id > page.after);
			page.after = client->listed[i].id;
		}
		seen += client->listed_count;
	} while (client->reply.more);
	assert_int_equal(seen, 350);
	page.limit = 0;
	page.after = 0;
	list(client, &page);
	assert_int_equal(client->listed_count, WYN_SURVEY_ROWS_MAX);
	assert_true(client->reply.more);
	page.after = UINT64_MAX;
	list(client, &page);
	assert_int_equal(client->listed_count, 0);
}

static void survey_lists_what_the_filters_let_through(void **state)
{
	Wyn__V1__ListCall what = WYN__V1__LIST_CALL__INIT;
	char echo[] = "echo";
	struct rig_client *other = rig_open(rig);

	(void)state;
	busy();
	rig_task_send(client, 10, "echo", NULL);
	rig_task_send(other, 1, "echo", NULL);
	client->conn->peer.administrator = true;
	what.function = echo;
	list(client, &what);
	assert_int_equal(client->listed_count, 2);
	what.connection = other->conn->number;
	list(client, &what);
	assert_int_equal(client->listed_count, 1);
	assert_int_equal(client->listed[0].conn, other->conn->number);
	what = (Wyn__V1__ListCall)WYN__V1__LIST_CALL__INIT;
	what.state = RUNNING;
	list(client, &what);
	assert_int_equal(client->listed_count, 1);
	state_expected(0, 2, RUNNING);
	what.state = QUEUED;
	what.limit = 2;
	list(client, &what);
	assert_int_equal(client->listed_count, 2);
	state_expected(0, 4, QUEUED);
	assert_true(client->reply.more);
}

static size_t sees(struct rig_client *asker)
{
	list_all(asker);
	return asker->listed_count;
}

static void survey_shows_each_what_it_may_see(void **state)
{
	struct rig_client *same = rig_open(rig);
	struct rig_client *else_where = rig_open(rig);

	(void)state;
	client->conn->peer = (struct wyn_peer){.local = true, .uid = 1000};
	same->conn->peer = client->conn->peer;
	rig_batch_send(client, 1, 2, "ask", NULL);
	rig_batch_send(else_where, 1, 3, "ask", NULL);
	rig_settle(rig);
	assert_int_equal(sees(client), 2);
	assert_int_equal(sees(same), 2);
	assert_int_equal(sees(else_where), 3);
	explain_of(same, 0, 1, client->conn->number);
	assert_int_equal(same->listed_count, 1);
	explain_of(same, else_where->listed[0].id, 0, 0);
	assert_int_equal(same->reply.code, WYN_STATUS_NOT_FOUND);
	assert_string_equal(same->reply.reason, "TASK_UNKNOWN");
	same->conn->peer.uid = 1001;
	assert_int_equal(sees(same), 0);
	same->conn->peer.administrator = true;
	assert_int_equal(sees(same), 5);
	/* Root's number does not make a TCP client root. */
	else_where->conn->peer = (struct wyn_peer){.uid = 1000};
	assert_int_equal(sees(else_where), 3);
}

static void survey_refuses_what_cannot_be_asked(void **state)
{
	Wyn__V1__ListCall what = WYN__V1__LIST_CALL__INIT;
	char name[100];

	(void)state;
	explain_of(client, 0, 0, 0);
	assert_string_equal(client->reply.reason, "CALL_INVALID");
	explain_of(client, 1, 1, 0);
	assert_string_equal(client->reply.reason, "CALL_INVALID");
	what.state = (Wyn__V1__TaskState)77;
	list_send(client, &what);
	rig_settle(rig);
	assert_string_equal(client->reply.reason, "CALL_INVALID");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	what.state = QUEUED;
	what.function = name;
	list_send(client, &what);
	rig_settle(rig);
	assert_string_equal(client->reply.reason, "CALL_INVALID");
	explain_of(client, 7, 0, 0);
	assert_string_equal(client->reply.reason, "TASK_UNKNOWN");
}

static void survey_fits_a_frame_when_that_is_small(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	rig_destroy(rig);
	limits.frame_bytes_max = WYN_FRAME_BYTES_LEAST;
	limits.executor_tasks_max = 1;
	rig = rig_create(&limits, 1);
	client = rig_open(rig);
	rig_batch_send(client, 1, 200, "ask", NULL);
	{
		Wyn__V1__ListCall all = WYN__V1__LIST_CALL__INIT;

		list(client, &all);
	}
	assert_true(client->listed_count > 5);
	assert_true(client->reply.more);
}

/* Turns and loops. */

static void survey_looks_a_little_in_each_turn(void **state)
{
	Wyn__V1__ListCall all = WYN__V1__LIST_CALL__INIT;
	struct rig_client *others[4];
	unsigned turns = 0;

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(others); i++) {
		others[i] = rig_open(rig);
		for (uint64_t j = 0; j < WYN_SURVEY_LOOKS; j++) {
			rig_task_send(others[i], 1 + 2 * j, "ask", NULL);
		}
	}
	rig_settle(rig);
	client->conn->peer.administrator = true;
	all.after = rig->shared.id_base + 4 * WYN_SURVEY_LOOKS - 10;
	list_send(client, &all);
	while (client->replies == 0) {
		rig_turn(rig);
		turns++;
	}
	assert_true(turns >= WYN_COUNT_OF(others));
	assert_in_range(client->listed_count, 9, 10);
}

static void survey_goes_to_each_loop(void **state)
{
	struct wyn_engine *engines[2] = {rig->engine, NULL};

	(void)state;
	busy();
	assert_int_equal(wyn_engine_create(&rig->shared, &rig->executor,
				 rig->engine->stream.wake, &engines[1]),
		0);
	rig->shared.engines = engines;
	rig->shared.engines_count = 2;
	{
		Wyn__V1__ListCall all = WYN__V1__LIST_CALL__INIT;

		list_send(client, &all);
	}
	rig_settle(rig);
	assert_int_equal(client->replies, 0);
	wyn_engine_turn(engines[1], rig->now_ns);
	rig_settle(rig);
	assert_int_equal(client->replies, 1);
	assert_int_equal(client->listed_count, 5);
	/* One that is on its way when everything ends is freed. */
	{
		Wyn__V1__ListCall all = WYN__V1__LIST_CALL__INIT;

		list_send(client, &all);
	}
	rig_settle(rig);
	wyn_engine_destroy(engines[1]);
	rig->shared.engines_count = 1;
	assert_int_equal(atomic_load_explicit(
				 &rig->shared.surveys, memory_order_relaxed),
		0);
}

static void survey_is_refused_when_too_many_are_on_their_way(void **state)
{
	Wyn__V1__ListCall all = WYN__V1__LIST_CALL__INIT;

	(void)state;
	atomic_store_explicit(&rig->shared.surveys, WYN_SURVEYS_MAX / 2,
		memory_order_relaxed);
	list_send(client, &all);
	rig_settle(rig);
	assert_string_equal(client->reply.reason, "CALLS_MAX");
	client->conn->peer.administrator = true;
	list_all(client);
	atomic_store_explicit(
		&rig->shared.surveys, WYN_SURVEYS_MAX, memory_order_relaxed);
	list_send(client, &all);
	rig_settle(rig);
	assert_string_equal(client->reply.reason, "CALLS_MAX");
	assert_int_equal(client->conn->calls_count, 0);
}

static void survey_is_dropped_when_who_asked_has_gone(void **state)
{
	Wyn__V1__ListCall all = WYN__V1__LIST_CALL__INIT;

	(void)state;
	list_send(client, &all);
	rig_client_break(client);
	rig_settle(rig);
	assert_int_equal(atomic_load_explicit(
				 &rig->shared.surveys, memory_order_relaxed),
		0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(survey_lists_nothing_when_there_is_nothing),
		TEST(survey_lists_each_task_by_its_state),
		TEST(survey_lists_what_ended_and_is_not_read),
		TEST(survey_lists_each_task_of_a_strip),
		TEST(survey_lists_a_strip_that_is_back_and_not_read),
		TEST(survey_lists_the_lowest_ids_when_there_are_more),
		TEST(survey_lists_what_the_filters_let_through),
		TEST(survey_shows_each_what_it_may_see),
		TEST(survey_refuses_what_cannot_be_asked),
		TEST(survey_fits_a_frame_when_that_is_small),
		TEST(survey_looks_a_little_in_each_turn),
		TEST(survey_goes_to_each_loop),
		TEST(survey_is_refused_when_too_many_are_on_their_way),
		TEST(survey_is_dropped_when_who_asked_has_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
