// SPDX-License-Identifier: MIT
/*
 * test_command_faults.c - the way of a command through the engine, with no
 * memory at each of its allocations in turn.
 *
 * Whatever is missing, its client gets a row or loses its connection, and
 * nothing is left behind: the rig checks that at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/rig_faults.h"

#define SEQ		  1u
#define ALLOCATIONS_LEAST 8u /* fewer is a test that looks at nothing */

static void open_all(void)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	limits.commands_max = 1;
	rig = rig_create(&limits, 2);
	(void)rig_commands_attach(rig);
	client = rig_open_local(rig, 0);
}

static void submit(uint64_t seq, bool input_stream)
{
	struct rig_command command;
	const struct wyn_slice argument = wyn_slice_of("argument");
	struct wyn_submit message = {.first_seq = seq,
		.command = &command.message,
		.options = {.priority = WYN__V1__PRIORITY__PRIORITY_NORMAL,
			.stream = true,
			.accept = true,
			.timeout_ms = 1000,
			.deadline_ms = 100000}};

	rig_command_init(&command, "cat -");
	command.message.input_stream = input_stream;
	receive(client, wyn_submit_encode(&message, &argument, 1, frame_bytes));
}

static void input(uint64_t offset, bool eof)
{
	const struct wyn_chunk chunk = {.seq = SEQ,
		.stream = WYN__V1__STREAM__STREAM_INPUT,
		.offset = offset,
		.eof = eof,
		.data = wyn_slice_of("input")};
	size_t head = wyn_chunk_head_encode(&chunk, frame_bytes);

	memcpy(frame_bytes + head, chunk.data.data, chunk.data.len);
	receive(client, head + chunk.data.len);
}

static void cancel(uint64_t seq)
{
	Wyn__V1__SeqRange range = WYN__V1__SEQ_RANGE__INIT;
	Wyn__V1__SeqRange *ranges[] = {&range};
	Wyn__V1__Cancel message = WYN__V1__CANCEL__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	range.first = seq;
	range.count = 1;
	message.n_seqs = 1;
	message.seqs = ranges;
	frame.body_case = WYN__V1__FRAME__BODY_CANCEL;
	frame.cancel = &message;
	receive(client, wyn_frame_encode(&frame, 0, frame_bytes));
}

/* One that runs to its end, and another that waits and is cancelled. */
static void live(void)
{
	struct wyn_process *process;

	submit(SEQ, true);
	submit(SEQ + 1, false);
	input(0, false);
	turn();
	input(5, true);
	cancel(SEQ + 1);
	turn();
	process = rig_process(rig, SEQ);
	if (process != NULL) {
		rig_process_begin(process);
		process_write(process);
		turn();
		rig_process_exit(process, 0);
	}
	turn();
}

/* Returns: whether memory was missing. */
static bool attempt(unsigned at, bool for_good)
{
	bool fired;

	open_all();
	fault_arm(FAULT_MEMORY, at, for_good);
	fault_pause();
	live();
	fired = fault_disarm();
	rig_finish_all(rig);
	if (client->conn != NULL) {
		assert_true(rig_task(client, SEQ)->has_row);
		assert_true(rig_task(client, SEQ + 1)->has_row);
		assert_int_equal(client->errors, 0);
	} else {
		assert_true(fired);
	}
	if (!fired) {
		assert_int_equal(rig_task(client, SEQ)->code, WYN_STATUS_OK);
		assert_string_equal(rig_task(client, SEQ)->output.data, "out");
	}
	rig_destroy(rig);
	return fired;
}

static void command_leaves_nothing_when_one_allocation_fails(void **state)
{
	(void)state;
	each_expected(attempt, false, ALLOCATIONS_LEAST);
}

static void command_leaves_nothing_when_memory_is_out_for_good(void **state)
{
	(void)state;
	each_expected(attempt, true, ALLOCATIONS_LEAST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			command_leaves_nothing_when_one_allocation_fails),
		cmocka_unit_test(
			command_leaves_nothing_when_memory_is_out_for_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
