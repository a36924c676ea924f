// SPDX-License-Identifier: MIT
/*
 * invoke.h - the worker's side of a task: runs its function.
 *
 * Reads what dispatch has set, writes the outcome. Knows neither connections
 * nor loops.
 */
#pragma once

#include "daemon/run/task.h"

/*
 * wyn_invoke - the body of every task's job.
 *
 * A task that was cancelled before it starts does not run: CANCELLED. Thread:
 * worker. Blocks: as long as the function does.
 */
void wyn_invoke(struct wyn_job *job);
