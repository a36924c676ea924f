// SPDX-License-Identifier: MIT
/*
 * rig_commands.h - an executor of commands that does what a test says.
 *
 * It notes what the engine asks of it. A command begins, takes its input,
 * writes and ends when the test lets it, as wynd-spawner's executor would: what
 * it writes goes into its task's stream while there is room, and how it ended
 * comes back with the next turn.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "daemon/engine/policy.h"
#include "daemon/run/executor.h"
#include "proto/message.h"
#include "tests/support/engine_rig.h"

#define RIG_PROCESSES_MAX 64u

#define RIG_OUTPUT WYN__V1__STREAM__STREAM_OUTPUT
#define RIG_ERROR  WYN__V1__STREAM__STREAM_ERROR

/* A command that runs, and what was asked of it. */
struct wyn_process {
	struct wyn_list link; /* commands->running, oldest first */
	struct wyn_task *task;
	unsigned stops;	   /* how often it was cancelled */
	uint64_t grace_ms; /* the last time */
	unsigned signals;
	unsigned signal; /* the last one */
	unsigned sents;	 /* how often output of it had gone */
	unsigned inputs; /* how often input was announced */
	struct wyn_usage usage;
};

struct rig_commands {
	struct wyn_executor executor;
	struct rig *rig;
	struct wyn_policy policy; /* that lets root run everything */
	struct wyn_process processes[RIG_PROCESSES_MAX];
	struct wyn_list unused;
	struct wyn_list running;
	size_t count; /* of those that run */
	size_t peak;
	uint64_t started;		  /* since the beginning */
	bool no_memory;			  /* it takes nothing */
	struct wyn_command_config config; /* the last one */
	unsigned configures;
	struct wyn_job *done;
	struct wyn_job **done_tail;
};

/*
 * rig_commands_attach - the rig runs commands from now on.
 *
 * Before its first client. The rig's: rig_destroy() ends and frees it.
 */
struct rig_commands *rig_commands_attach(struct rig *rig);

/* rig_commands_free - NULL is a no-op; the rig calls it. */
void rig_commands_free(struct rig_commands *commands);

/* rig_commands_finish - all that run now exit with 0; no turn. Returns: how
 * many did. NULL = none. */
size_t rig_commands_finish(struct rig_commands *commands);

/* rig_process - the one that runs the task with this seq, of whatever
 * connection; NULL = none does. */
struct wyn_process *rig_process(struct rig *rig, uint64_t seq);

/* rig_process_begin - it has been started, now. */
void rig_process_begin(struct wyn_process *process);

/*
 * rig_process_write - it writes, as one piece, as much as there is room for.
 *
 * Returns: how many bytes. Where nobody wants its output, all of them.
 */
size_t rig_process_write(struct wyn_process *process, uint8_t stream,
	const char *data, size_t bytes);

/* rig_process_say - a text, for which there is room, to its output. */
void rig_process_say(struct wyn_process *process, const char *text);

/*
 * rig_process_read - it reads up to so many bytes of the input that goes on.
 *
 * Returns: how many bytes went into `into`, with a NUL behind them.
 */
size_t rig_process_read(struct wyn_process *process, char *into, size_t bytes);

/* rig_process_exit, rig_process_die - it ends, by itself or by a signal. */
void rig_process_exit(struct wyn_process *process, uint32_t status);
void rig_process_die(struct wyn_process *process, uint32_t signal);

/* rig_process_fail - it could not be started, for this reason. */
void rig_process_fail(struct wyn_process *process, enum wyn_refusal refusal);
