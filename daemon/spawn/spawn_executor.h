// SPDX-License-Identifier: MIT
/*
 * spawn_executor.h - the executor of a loop's commands.
 *
 * It has a wynd-spawner (spawner/README.md), which it starts, or connects to,
 * and starts again when it died; and of each command that runs the ends of its
 * pipes. Jobs are tasks whose batch has a command. They come back through
 * `done` when they are over, with an outcome that has an `end`, or says why
 * there is none; what they write goes into task->stream. All of it is on the
 * loop's thread, from libuv's callbacks, so its jobs are there in the same
 * turn. Another `spawner` of a configuration counts once the one there ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "base/compiler.h"
#include "daemon/run/executor.h"

/*
 * wyn_spawn_executor_create - it is to be configured, and starts no spawner
 * before the first command.
 *
 * Thread: boot. Owns: borrows `uv`, which runs in the loop's thread later.
 * Returns: 0; -ENOMEM.
 */
WYN_NODISCARD
int wyn_spawn_executor_create(
	uv_loop_t *uv, struct wyn_executor **ret_executor);

/*
 * wyn_spawn_executor_close - lets go of the spawner, which kills what it runs.
 *
 * Thread: loop, or boot once it has ended. What runs is back at once. Its
 * handles are closed when the loop has turned.
 */
void wyn_spawn_executor_close(struct wyn_executor *executor);

/* wyn_spawn_executor_destroy - after close, and a turn. No job is in it. NULL
 * is a no-op. Thread: boot. Blocks: until a spawner that it has started has
 * ended, which it does once what it ran is killed; two seconds at most. */
void wyn_spawn_executor_destroy(struct wyn_executor *executor);
