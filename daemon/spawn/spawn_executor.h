// SPDX-License-Identifier: MIT
/*
 * spawn_executor.h - the executor of a loop's commands.
 *
 * It has a wynd-spawner (spawner/README.md), which it starts, or connects to, and
 * starts again when it died; and of each command that runs the ends of its
 * pipes. Jobs are tasks whose batch has a command. They come back through
 * `done` when they are over, with an outcome that has an `end`, or says why there
 * is none; what they write goes into task->stream. All of it is on the loop's
 * thread, from libuv's callbacks, so its jobs are there in the same turn.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/compiler.h"
#include "daemon/run/executor.h"

/* What the spawner is told, and how to get one. All text is borrowed until the
 * next wyn_spawn_executor_configure(). */
struct wyn_spawn_config {
	const char *spawner; /* a program, or the socket of a service */
	uint64_t commands_max;
	uint64_t drain_ms; /* for the output, after the end of the command */
	const char *const *programs; /* absolute paths; see spawn.proto */
	size_t programs_count;	     /* 0 = every program */
	uint32_t umask;
	bool private_tmp;
	const char *cgroup; /* see spawn.proto */
	const char *ledger; /* likewise; the loop's own */
};

/*
 * wyn_spawn_executor_create - nothing is started before the first command.
 *
 * Thread: boot. Owns: borrows `uv`, which runs in the loop's thread later.
 * Returns: 0; -ENOMEM.
 */
WYN_NODISCARD
int wyn_spawn_executor_create(uv_loop_t *uv,
	const struct wyn_spawn_config *config,
	struct wyn_executor **ret_executor);

/* wyn_spawn_executor_configure - from now on so; commands that run are not
 * touched. Thread: loop. */
void wyn_spawn_executor_configure(
	struct wyn_executor *executor, const struct wyn_spawn_config *config);

/*
 * wyn_spawn_executor_close - lets go of the spawner, which kills what it runs.
 *
 * Thread: loop, or boot once it has ended. What runs is back at once. Its
 * handles are closed when the loop has turned.
 */
void wyn_spawn_executor_close(struct wyn_executor *executor);

/* wyn_spawn_executor_destroy - after close, and a turn. No job is in it. NULL is
 * a no-op. Thread: boot. */
void wyn_spawn_executor_destroy(struct wyn_executor *executor);
