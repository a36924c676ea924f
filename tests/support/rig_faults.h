// SPDX-License-Identifier: MIT
/*
 * rig_faults.h - a rig whose engine has no memory at each of its allocations in
 * turn; what the rig itself takes is there.
 *
 * For the programs that are linked for faults.h.
 */
#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/engine/conn.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/faults.h"
#include "tests/support/rig_commands.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"

#define ALLOCATIONS_MAX 300u /* more is a loop that does not end */

static uint8_t frame_bytes[4096];

/* A read of so many of these, if the client is there to be read from. */
static inline void receive(struct rig_client *from, size_t bytes)
{
	if (from->conn != NULL && from->conn->phase < WYN_CONN_CLOSING) {
		fault_resume(FAULT_MEMORY);
		wyn_conn_receive(from->conn,
			(struct wyn_slice){frame_bytes, bytes}, rig->now_ns);
		fault_pause();
	}
}

static inline void turn(void)
{
	fault_resume(FAULT_MEMORY);
	wyn_engine_turn(rig->engine, rig->now_ns);
	fault_pause();
	/* And one that writes, with all the memory that there is. */
	rig_turn(rig);
}

/* An executor without memory for what was written loses it. */
static inline void process_write(struct wyn_process *process)
{
	struct wyn_task *task = process->task;
	int error;

	fault_resume(FAULT_MEMORY);
	error = wyn_stream_push(task->stream, task, RIG_OUTPUT, "out", 3);
	fault_pause();
	assert_true(error == 0 || error == -ENOMEM);
}

/* attempt: a life in which that allocation fails, once or for good. Returns:
 * whether there was one. `least`: fewer is a test that looks at nothing. */
static inline void each_expected(bool (*attempt)(unsigned at, bool for_good),
	bool for_good, unsigned least)
{
	unsigned at = 1;

	while (attempt(at, for_good)) {
		at++;
		assert_true(at < ALLOCATIONS_MAX);
	}
	print_message("%u allocations\n", at - 1);
	assert_true(at > least);
}
