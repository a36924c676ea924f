// SPDX-License-Identifier: MIT
/*
 * test_keeper_faults.c - the way of tasks that outlive their connection, and of
 * who asks for them, with no memory at each allocation in turn.
 *
 * Whatever is missing, each has an end, and nothing is left behind: the rig
 * checks that when it goes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig_faults.h"
#include "tests/support/rig_keep.h"

#define RUNS		  1u /* seqs */
#define WRITES		  2u
#define WAITS		  3u
#define ALLOCATIONS_LEAST 15u /* fewer is a test that looks at nothing */

static struct rig_client *asker; /* of the same user */

static void open_all(void)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	limits.commands_max = 1;
	rig = rig_create(&limits, 2);
	(void)rig_commands_attach(rig);
	client = rig_open_user(rig, 0);
	asker = rig_open_user(rig, 0);
}

/* Returns: its id; 0 = it was refused. */
static uint64_t submit(uint64_t seq, bool is_command)
{
	uint64_t before = client->accepted_id;
	struct rig_command command;
	const struct wyn_slice argument = wyn_slice_of("70");
	struct wyn_submit message = {.first_seq = seq,
		.function = wyn_slice_of(is_command ? "" : "big"),
		.options = {.priority = WYN__V1__PRIORITY__PRIORITY_NORMAL,
			.on_disconnect = KEEP,
			.label = wyn_slice_of("label"),
			.accept = true}};

	rig_command_init(&command, "cat -");
	if (is_command) {
		command.message.input_stream = true;
		message.command = &command.message;
	}
	receive(client, wyn_submit_encode(&message, &argument, 1, frame_bytes));
	turn();
	return client->accepted_id == before ? 0 : client->accepted_id;
}

static void ask(Wyn__V1__Call *call)
{
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	frame.body_case = WYN__V1__FRAME__BODY_CALL;
	frame.call = call;
	receive(asker, wyn_frame_encode(&frame, 0, frame_bytes));
}

static void ask_all(uint64_t id, uint64_t wait_ms)
{
	Wyn__V1__OutcomeCall outcome = WYN__V1__OUTCOME_CALL__INIT;
	Wyn__V1__LogsCall logs = WYN__V1__LOGS_CALL__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;

	outcome.id = id;
	outcome.wait_ms = wait_ms;
	call.what_case = WYN__V1__CALL__WHAT_OUTCOME;
	call.outcome = &outcome;
	ask(&call);
	logs.id = id;
	logs.wait_ms = wait_ms;
	call.what_case = WYN__V1__CALL__WHAT_LOGS;
	call.logs = &logs;
	ask(&call);
}

static void end_send_to(uint64_t id)
{
	Wyn__V1__EndCall end = WYN__V1__END_CALL__INIT;
	Wyn__V1__Call call = WYN__V1__CALL__INIT;

	end.id = id;
	call.what_case = WYN__V1__CALL__WHAT_END;
	call.end = &end;
	ask(&call);
}

static void leave(void)
{
	struct wyn_conn *conn = client->conn;

	if (conn != NULL) {
		client->conn = NULL;
		fault_resume(FAULT_MEMORY);
		wyn_conn_gone(conn, rig->now_ns);
		fault_pause();
	}
}

/* One runs, one writes, one waits and is ended; their client goes meanwhile. */
static void live(uint64_t *ids)
{
	struct wyn_process *process;

	ids[0] = submit(RUNS, false);
	ids[1] = submit(WRITES, true);
	ids[2] = submit(WAITS, true);
	ask_all(ids[1], 1000);
	turn();
	leave();
	turn();
	process = rig_process(rig, WRITES);
	if (process != NULL) {
		rig_process_begin(process);
		process_write(process);
		turn();
	}
	rig_run(rig, rig->started_count);
	end_send_to(ids[2]);
	turn();
	turn();
	process = rig_process(rig, WRITES);
	if (process != NULL) {
		rig_process_exit(process, 0);
	}
	turn();
	ask_all(ids[0], 0);
	turn();
}

/* Returns: whether memory was missing. */
static bool attempt(unsigned at, bool for_good)
{
	uint64_t ids[3];
	bool fired;

	open_all();
	fault_arm(FAULT_MEMORY, at, for_good);
	fault_pause();
	live(ids);
	fired = fault_disarm();
	rig_finish_all(rig);
	if (!fired) {
		assert_int_equal(outcome_of(asker, ids[0])->value_bytes, 70);
		assert_int_equal(outcome_of(asker, ids[1])->output_bytes, 3);
		outcome_expected(asker, ids[2], "CANCELLED_BY_CLIENT");
	}
	rig_destroy(rig);
	return fired;
}

static void keeper_leaves_nothing_when_one_allocation_fails(void **state)
{
	(void)state;
	each_expected(attempt, false, ALLOCATIONS_LEAST);
}

static void keeper_leaves_nothing_when_memory_is_out_for_good(void **state)
{
	(void)state;
	each_expected(attempt, true, ALLOCATIONS_LEAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			keeper_leaves_nothing_when_one_allocation_fails),
		cmocka_unit_test(
			keeper_leaves_nothing_when_memory_is_out_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
