// SPDX-License-Identifier: MIT
/*
 * nested.h - calls that a function makes of other functions.
 *
 * Each is a future of the pool. Its caller's outcome knows it until it is
 * awaited, and whoever ran the caller ends what was not. So a task's answer
 * comes after all that it has begun, and its memory is charged to the same
 * account. They are cancelled with the task; they emit nothing, and have no
 * time of their own.
 */
#pragma once

#include "base/compiler.h"
#include "base/slice.h"
#include "daemon/modules/module.h"
#include "daemon/run/outcome.h"

#define WYN_NESTED_MAX	     1024u /* not awaited yet, of one task */
#define WYN_NESTED_DEPTH_MAX 64u   /* calls in calls */

struct wyn_spawned;

/*
 * wyn_nested_spawn - calls a function by name, beside its caller.
 *
 * The names of the caller's own module are those of the version that runs.
 * `context` is the task's own, `function` what the task runs. Thread: worker.
 * Returns: a code: OK, and *ret_spawned; NOT_FOUND, RESOURCE_EXHAUSTED,
 * UNIMPLEMENTED (there is no pool).
 */
WYN_NODISCARD
int wyn_nested_spawn(struct wyn_context *context,
	const struct wyn_function_entry *function, struct wyn_outcome *outcome,
	const char *name, struct wyn_slice argument,
	struct wyn_spawned **ret_spawned);

/*
 * wyn_nested_await - waits for one, which is then the outcome's last.
 *
 * Thread: worker. Returns: its code; the value is valid until the next one or
 * wyn_nested_end(). Blocks: until it has ended; runs other tasks meanwhile.
 */
WYN_NODISCARD
int wyn_nested_await(struct wyn_outcome *outcome, struct wyn_spawned *spawned,
	const void **ret_value, size_t *ret_bytes);

/*
 * wyn_nested_end - cancels what was not awaited, waits for it, frees all.
 *
 * Thread: worker, after a call with outcome->nest. Blocks: until they ended.
 */
void wyn_nested_end(struct wyn_outcome *outcome);
