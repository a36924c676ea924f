// SPDX-License-Identifier: MIT
/*
 * test_dispatch_command.c - how many commands run, and whose.
 */
#include "daemon/engine/dispatch_command.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/engine_state.h"
#include "tests/support/rig_commands.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"

#define COMMANDS_MAX 3u

static const struct wyn_submit_options plain;

static int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.commands_max = COMMANDS_MAX;
	limits.executor_tasks_max = 4;
	limits.output_bytes_max = 64 * WYN_KIB;
	rig = rig_create(&limits, 2);
	(void)rig_commands_attach(rig);
	client = rig_open_local(rig, 0);
	return 0;
}

/* Another loop of the same daemon. */
static struct rig *beside;
static struct rig_client *other;

static int setup_beside(void **state)
{
	(void)setup(state);
	beside = rig_create_beside(rig);
	(void)rig_commands_attach(beside);
	other = rig_open_local(beside, 0);
	return 0;
}

static int teardown_beside(void **state)
{
	rig_destroy(beside);
	return teardown(state);
}

static void run(struct rig_client *whose, uint64_t seq, size_t count)
{
	rig_run_send(whose, seq, count, NULL, plain);
	rig_settle(whose->rig);
}

static void limit(struct rig *of, uint64_t commands_max)
{
	struct wyn_limits limits = *wyn_engine_limits(of->engine);

	limits.commands_max = commands_max;
	wyn_engine_limit(of->engine, &limits);
	rig_settle(of);
}

static void oldest_exit(struct rig *of)
{
	struct wyn_list *link = wyn_list_first(&of->commands->running);

	rig_check(link != NULL);
	rig_process_exit(wyn_list_entry(link, struct wyn_process, link), 0);
	rig_settle(of);
}

static uint64_t running(void)
{
	return atomic_load_explicit(
		&rig->shared.commands, memory_order_relaxed);
}

static void commands_start_as_many_as_may(void **state)
{
	(void)state;
	run(client, 1, 10);
	assert_int_equal(rig->commands->count, COMMANDS_MAX);
	assert_int_equal(running(), COMMANDS_MAX);
	assert_true(rig->engine->stats.commands_full_approx > 0);
	assert_true(wyn_dispatch_commands_full(rig->engine));
}

static void commands_start_one_for_each_that_ends(void **state)
{
	(void)state;
	run(client, 1, 10);
	for (uint64_t started = COMMANDS_MAX; started < 10; started++) {
		assert_int_equal(rig->commands->started, started);
		oldest_exit(rig);
		assert_int_equal(client->rows, started + 1 - COMMANDS_MAX);
	}
	rig_finish_all(rig);
	assert_int_equal(rig->commands->peak, COMMANDS_MAX);
	assert_int_equal(client->rows_ok, 10);
	assert_int_equal(running(), 0);
	assert_false(wyn_dispatch_commands_full(rig->engine));
}

static void commands_start_in_the_order_of_their_submits(void **state)
{
	(void)state;
	run(client, 1, 3);
	run(client, 4, 1);
	run(client, 5, 2);
	for (uint64_t seq = 4; seq <= 6; seq++) {
		oldest_exit(rig);
		assert_non_null(rig_process(rig, seq));
	}
}

static void commands_are_not_counted_as_full_when_none_waits(void **state)
{
	(void)state;
	run(client, 1, COMMANDS_MAX);
	assert_int_equal(rig->commands->count, COMMANDS_MAX);
	assert_int_equal(rig->engine->stats.commands_full_approx, 0);
}

static void commands_start_at_once_when_the_limit_is_raised(void **state)
{
	(void)state;
	run(client, 1, 10);
	limit(rig, 5);
	assert_int_equal(rig->commands->count, 5);
}

static void commands_wait_until_fewer_run_when_the_limit_is_lowered(
	void **state)
{
	(void)state;
	run(client, 1, 10);
	limit(rig, 1);
	assert_int_equal(rig->commands->count, COMMANDS_MAX);
	oldest_exit(rig);
	oldest_exit(rig);
	assert_int_equal(rig->commands->count, 1);
	assert_int_equal(rig->commands->started, COMMANDS_MAX);
	oldest_exit(rig);
	assert_int_equal(rig->commands->count, 1);
	assert_int_equal(rig->commands->started, COMMANDS_MAX + 1);
}

static void commands_start_all_when_they_are_more_than_a_slice(void **state)
{
	(void)state;
	limit(rig, 10);
	run(client, 1, 10);
	assert_int_equal(rig->commands->count, 10);
}

/* Returns: how many of the first n places that come free `whose` gets. */
static unsigned places_of(const struct rig_client *whose, unsigned n)
{
	unsigned got = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct wyn_list *last;

		oldest_exit(rig);
		last = wyn_list_last(&rig->commands->running);
		got += wyn_list_entry(last, struct wyn_process, link)
			       ->task->owner == whose->conn->id;
	}
	return got;
}

static void commands_take_turns_between_connections(void **state)
{
	struct rig_client *late = rig_open_local(rig, 0);

	(void)state;
	limit(rig, 1);
	run(client, 1, 50);
	run(late, 1, 50);
	assert_int_equal(places_of(late, 20), 10);
}

static void commands_take_turns_by_priority(void **state)
{
	struct rig_client *late = rig_open_local(rig, 0);

	(void)state;
	limit(rig, 1);
	rig_run_send(client, 1, 60, NULL,
		(struct wyn_submit_options){
			.priority = WYN__V1__PRIORITY__PRIORITY_LOW});
	rig_settle(rig);
	rig_run_send(late, 1, 60, NULL,
		(struct wyn_submit_options){
			.priority = WYN__V1__PRIORITY__PRIORITY_HIGH});
	rig_settle(rig);
	assert_int_equal(
		places_of(late, WYN_READY_TURN_HIGH + WYN_READY_TURN_LOW),
		WYN_READY_TURN_HIGH);
}

static void functions_run_when_commands_wait(void **state)
{
	(void)state;
	run(client, 1, 10);
	rig_task_send(client, 11, "echo", "x");
	rig_settle(rig);
	assert_int_equal(rig->started_count, 1);
	rig_run(rig, 1);
	rig_settle(rig);
	assert_int_equal(client->rows_ok, 1);
}

static void commands_run_when_functions_wait(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 50, "slow", NULL);
	run(client, 51, 2);
	assert_int_equal(rig->started_count, 4);
	assert_int_equal(rig->commands->count, 2);
	oldest_exit(rig);
	assert_true(rig_task(client, 51)->has_row);
}

static void commands_take_no_place_of_those_that_stream(void **state)
{
	(void)state;
	rig_run_send(client, 1, 2, NULL,
		(struct wyn_submit_options){.stream = true});
	rig_settle(rig);
	assert_int_equal(rig->commands->count, 2);
	assert_int_equal(client->conn->streaming, 0);
	assert_int_equal(rig->engine->streaming, 0);
	assert_int_equal(rig->engine->dispatch.in_flight, 0);
}

/* What runs for long is a command, and says nothing about functions. */
static void functions_stay_fast_when_a_command_runs_for_long(void **state)
{
	uint64_t before[WYN_FUNCTIONS_MAX];
	const uint64_t *now = rig->engine->dispatch.estimate_ns;

	(void)state;
	/* The task of the command has been one of that function's. */
	rig_batch_send(client, 1, 32, "tiny", NULL);
	rig_finish_all(rig);
	run(client, 33, 1);
	rig_process_begin(rig_process(rig, 33));
	memcpy(before, now, sizeof(before));
	/* Enough in the executor that it is watched. */
	rig_batch_send(client, 34, 3000, "tiny", NULL);
	rig_settle(rig);
	assert_true(rig->engine->dispatch.in_flight > 0);
	for (unsigned i = 0; i < 3; i++) {
		rig_advance(rig, 100);
	}
	assert_memory_equal(now, before, sizeof(before));
	rig_finish_all(rig);
}

static void commands_wait_when_the_client_does_not_read(void **state)
{
	(void)state;
	rig_run_send(client, 1, 10, NULL,
		(struct wyn_submit_options){.stream = true});
	rig_settle(rig);
	client->read_max = 0;
	for (uint64_t seq = 1; seq <= COMMANDS_MAX; seq++) {
		static char data[64 * WYN_KIB];

		(void)rig_process_write(
			rig_process(rig, seq), RIG_OUTPUT, data, sizeof(data));
	}
	rig_settle(rig);
	oldest_exit(rig);
	assert_int_equal(rig->commands->started, COMMANDS_MAX);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	rig_settle(rig);
	assert_int_equal(rig->commands->started, COMMANDS_MAX + 1);
}

static void commands_of_all_loops_share_the_places(void **state)
{
	(void)state;
	run(client, 1, 2);
	run(other, 1, 5);
	assert_int_equal(beside->commands->count, 1);
	run(client, 3, 5);
	assert_int_equal(rig->commands->count, 2);
	assert_int_equal(running(), COMMANDS_MAX);
}

static void commands_wake_a_loop_that_waits_for_a_place(void **state)
{
	unsigned wakes;

	(void)state;
	run(client, 1, COMMANDS_MAX);
	run(other, 1, 1);
	assert_int_equal(beside->commands->count, 0);
	wakes = beside->wakes;
	oldest_exit(rig);
	assert_int_equal(beside->wakes, wakes + 1);
	rig_settle(beside);
	assert_int_equal(beside->commands->count, 1);
	assert_int_equal(running(), COMMANDS_MAX);
}

static void commands_wake_no_loop_when_none_waits(void **state)
{
	unsigned wakes;

	(void)state;
	run(client, 1, COMMANDS_MAX);
	run(other, 1, 1);
	rig_cancel(other, 1, 1);
	rig_settle(beside);
	wakes = beside->wakes;
	oldest_exit(rig);
	assert_int_equal(beside->wakes, wakes);
}

/* However many the one has, a place that comes free is the other's next. */
static void commands_take_turns_between_loops(void **state)
{
	(void)state;
	limit(rig, 1);
	limit(beside, 1);
	run(client, 1, 20);
	run(other, 1, 20);
	for (uint64_t i = 1; i <= 10; i++) {
		assert_int_equal(rig->commands->count, 1);
		oldest_exit(rig);
		rig_settle(beside);
		assert_int_equal(beside->commands->count, 1);
		oldest_exit(beside);
		rig_settle(rig);
		assert_int_equal(running(), 1);
	}
	assert_int_equal(client->rows_ok, 10);
	assert_int_equal(other->rows_ok, 10);
}

static void commands_give_a_place_on_when_it_is_not_needed(void **state)
{
	(void)state;
	limit(rig, 1);
	limit(beside, 1);
	run(client, 1, 3);
	run(other, 1, 1);
	oldest_exit(rig);
	/* Before it looks, the place that is kept for it is for nobody. */
	rig_client_break(other);
	rig_settle(beside);
	rig_settle(rig);
	assert_int_equal(beside->commands->started, 0);
	assert_int_equal(rig->commands->count, 1);
	assert_int_equal(running(), 1);
}

static void commands_keep_no_place_when_the_limit_was_lowered(void **state)
{
	(void)state;
	run(client, 1, COMMANDS_MAX);
	run(other, 1, 1);
	limit(rig, 1);
	limit(beside, 1);
	oldest_exit(rig);
	rig_settle(beside);
	assert_int_equal(beside->commands->count, 0);
	assert_int_equal(running(), COMMANDS_MAX - 1);
	oldest_exit(rig);
	oldest_exit(rig);
	rig_settle(beside);
	assert_int_equal(beside->commands->count, 1);
}

static void commands_give_places_back_when_their_client_has_gone(void **state)
{
	(void)state;
	run(client, 1, COMMANDS_MAX);
	run(other, 1, 1);
	rig_client_break(client);
	rig_settle(rig);
	assert_int_equal(running(), COMMANDS_MAX);
	oldest_exit(rig);
	rig_settle(beside);
	assert_int_equal(beside->commands->count, 1);
}

#define SHARED_COMMANDS 2000u /* of each loop's client */

/* A loop that sleeps while it has nothing to do, as the real one does. */
static void *loop_run(void *arg)
{
	struct rig *of = arg;
	struct rig_client *whose = of == rig ? client : other;

	rig_settle(of);
	while (whose->rows_ok < SHARED_COMMANDS) {
		if (of->commands->count > 0) {
			oldest_exit(of);
		} else {
			while (sem_wait(of->bell) != 0) {
			}
			rig_settle(of);
		}
	}
	return NULL;
}

static void loops_run(uint64_t commands_max)
{
	sem_t bells[2];
	pthread_t thread;

	for (size_t i = 0; i < 2; i++) {
		struct rig *of = i == 0 ? rig : beside;

		assert_int_equal(sem_init(&bells[i], 0, 0), 0);
		of->bell = &bells[i];
		limit(of, commands_max);
		run(i == 0 ? client : other, 1, SHARED_COMMANDS);
	}
	assert_int_equal(pthread_create(&thread, NULL, loop_run, beside), 0);
	(void)loop_run(rig);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(client->rows_ok, SHARED_COMMANDS);
	assert_int_equal(other->rows_ok, SHARED_COMMANDS);
	for (size_t i = 0; i < 2; i++) {
		(i == 0 ? rig : beside)->bell = NULL;
		assert_int_equal(sem_destroy(&bells[i]), 0);
	}
}

/* A place that is lost, or a wake, is a test that does not end. */
static void commands_get_every_place_when_loops_race_for_one(void **state)
{
	(void)state;
	loops_run(1);
}

static void commands_get_every_place_when_loops_race_for_some(void **state)
{
	(void)state;
	loops_run(3);
}

/* At the end one loop goes after the other, and what runs still comes back. */
static void commands_wake_no_loop_when_all_have_ended(void **state)
{
	struct wyn_engine *gone = beside->engine;

	(void)state;
	run(client, 1, COMMANDS_MAX);
	run(other, 1, 1);
	rig_client_break(client);
	rig_destroy(beside);
	rig->engines[1] = gone;
	rig->shared.engines_count = 2;
	(void)rig_commands_finish(rig->commands);
	wyn_engine_commands_end(rig->engine);
	rig->shared.engines_count = 1;
	assert_int_equal(running(), 0);
	assert_int_equal(rig->engine->unfinished, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_BESIDE(name) \
	cmocka_unit_test_setup_teardown(name, setup_beside, teardown_beside)
	const struct CMUnitTest tests[] = {
		TEST(commands_start_as_many_as_may),
		TEST(commands_start_one_for_each_that_ends),
		TEST(commands_start_in_the_order_of_their_submits),
		TEST(commands_are_not_counted_as_full_when_none_waits),
		TEST(commands_start_at_once_when_the_limit_is_raised),
		TEST(commands_wait_until_fewer_run_when_the_limit_is_lowered),
		TEST(commands_start_all_when_they_are_more_than_a_slice),
		TEST(commands_take_turns_between_connections),
		TEST(commands_take_turns_by_priority),
		TEST(functions_run_when_commands_wait),
		TEST(commands_run_when_functions_wait),
		TEST(commands_take_no_place_of_those_that_stream),
		TEST(functions_stay_fast_when_a_command_runs_for_long),
		TEST(commands_wait_when_the_client_does_not_read),
		TEST_BESIDE(commands_of_all_loops_share_the_places),
		TEST_BESIDE(commands_wake_a_loop_that_waits_for_a_place),
		TEST_BESIDE(commands_wake_no_loop_when_none_waits),
		TEST_BESIDE(commands_take_turns_between_loops),
		TEST_BESIDE(commands_give_a_place_on_when_it_is_not_needed),
		TEST_BESIDE(commands_keep_no_place_when_the_limit_was_lowered),
		TEST_BESIDE(
			commands_give_places_back_when_their_client_has_gone),
		TEST_BESIDE(commands_get_every_place_when_loops_race_for_one),
		TEST_BESIDE(commands_get_every_place_when_loops_race_for_some),
		cmocka_unit_test_setup_teardown(
			commands_wake_no_loop_when_all_have_ended, setup_beside,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
