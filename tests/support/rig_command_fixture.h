// SPDX-License-Identifier: MIT
/*
 * rig_command_fixture.h - a rig that runs two commands at a time, and a client
 * of it, as the tests of a connection's commands have them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/engine/engine_state.h"
#include "tests/support/rig_commands.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"

#define GRACE_MS 700u

static const struct wyn_submit_options plain;

static inline int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;

	(void)state;
	limits.commands_max = 2;
	limits.command_grace_ms = GRACE_MS;
	limits.command_bytes_max = 2000;
	rig = rig_create(&limits, 2);
	(void)rig_commands_attach(rig);
	client = rig_open_local(rig, 0);
	return 0;
}

static inline void settle(void)
{
	rig_settle(rig);
}

/* Tasks from seq 1 on; the first two run. */
static inline void run(size_t count, struct wyn_submit_options options)
{
	rig_run_send(client, 1, count, NULL, options);
	settle();
}

static inline uint64_t counter(enum wyn_refusal refusal)
{
	return rig->engine->stats.refused_approx[refusal];
}

static inline void row_expected(
	uint64_t seq, uint32_t code, const char *reason, uint8_t ran)
{
	const struct rig_task *task = rig_task(client, seq);

	assert_non_null(task);
	assert_true(task->has_row);
	assert_int_equal(task->code, code);
	assert_string_equal(task->reason, reason);
	assert_int_equal(task->ran, ran);
}
