// SPDX-License-Identifier: MIT
/*
 * dispatch_command.c - see dispatch_command.h.
 */
#include "daemon/engine/dispatch_command.h"

#include "base/assert.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/dispatch.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/keeper.h"
#include "daemon/run/input.h"

#define OUTPUT_BYTES_MIN (16u << 10) /* a command may always have unsent */
#define PIECE_BYTES_MAX	 (64u << 10)

static bool place_try(struct wyn_engine *engine)
{
	_Atomic uint64_t *commands = &engine->shared->commands;
	uint64_t running = atomic_load_explicit(commands, memory_order_seq_cst);

	/* [commands] never above the bound, not even for a moment: another
	 * loop might look at that moment, and wait for a place that is free. */
	do {
		if (running >= engine->limits.commands_max) {
			return false;
		}
	} while (!atomic_compare_exchange_weak_explicit(commands, &running,
		running + 1, memory_order_seq_cst, memory_order_seq_cst));
	return true;
}

/* One that another loop has left to this one. */
static bool place_given(struct wyn_engine *engine)
{
	_Atomic uint64_t *given = &engine->commands_given;

	/* [commands] relaxed: who adds wakes this loop, which alone takes. */
	if (atomic_load_explicit(given, memory_order_relaxed) == 0) {
		return false;
	}
	atomic_fetch_sub_explicit(given, 1, memory_order_relaxed);
	return true;
}

/*
 * Returns: false = whoever gives one back wakes this loop. Sequentially
 * consistent on both sides, since each writes one word and reads the other's:
 * either this second look sees the place, or the one who gave it sees that
 * somebody waits.
 */
static bool place_take(struct wyn_engine *engine)
{
	if (place_given(engine) || place_try(engine)) {
		return true;
	}
	/* [commands] pairs with place_give_back(). */
	atomic_store_explicit(
		&engine->commands_wait, true, memory_order_seq_cst);
	return place_try(engine);
}

/* False: that one does not wait, or the place has gone. */
static bool place_leave_to(struct wyn_engine *engine, struct wyn_engine *other)
{
	/* [commands] pairs with place_take(). */
	if (other == engine ||
		!atomic_load_explicit(
			&other->commands_wait, memory_order_seq_cst) ||
		!place_try(engine)) {
		return false;
	}
	atomic_fetch_add_explicit(
		&other->commands_given, 1, memory_order_relaxed);
	other->stream.wake(&other->stream);
	return true;
}

/*
 * Those that wait have it next, in turns: else a loop with many would begin one
 * in the very turn in which one has ended, and the others none.
 */
static void place_give_back(struct wyn_engine *engine)
{
	struct wyn_shared *shared = engine->shared;
	size_t own = 0;

	atomic_fetch_sub_explicit(&shared->commands, 1, memory_order_seq_cst);
	if (engine->command_executor == NULL) {
		return; /* at the end: of the others some are gone */
	}
	while (own + 1 < shared->engines_count &&
		shared->engines[own] != engine) {
		own++;
	}
	for (size_t i = 1; i < shared->engines_count; i++) {
		size_t at = (own + i) % shared->engines_count;

		if (place_leave_to(engine, shared->engines[at])) {
			return;
		}
	}
}

/*
 * All that run at once have as much unsent as their connection may have, or a
 * little each. A connection with too much unsent starts none.
 */
static uint64_t unsent_max(const struct wyn_limits *limits)
{
	uint64_t most = limits->output_bytes_max / limits->commands_max;

	most = most < limits->stream_bytes_max ? most
					       : limits->stream_bytes_max;
	return most > OUTPUT_BYTES_MIN ? most : OUTPUT_BYTES_MIN;
}

/* Moves the next task of the span into the slice. False: no memory. */
static bool command_take(
	struct wyn_engine *engine, struct wyn_conn *conn, struct wyn_span *span)
{
	struct wyn_batch *batch = span->batch;
	struct wyn_task *task = wyn_dispatch_task(conn, batch);

	if (task == NULL) {
		return false;
	}
	(void)wyn_span_take(span, &task->seq, &task->element);
	wyn_keeper_begin(engine, task, task->seq);
	task->partial_unsent_max = unsent_max(&engine->limits);
	if (task->partial_bytes_max > PIECE_BYTES_MAX) {
		task->partial_bytes_max = PIECE_BYTES_MAX;
	}
	if (batch->input != NULL) {
		batch->input->task = task;
	}
	wyn_dispatch_timeout_arm(engine, task);
	wyn_list_push_back(&conn->running, &task->link);
	engine->slice[engine->slice_count++] = &task->job;
	engine->commands_running++;
	return true;
}

/* Without memory the executor takes none, and they are back at once. */
static void slice_start(struct wyn_engine *engine)
{
	struct wyn_executor *executor = engine->command_executor;
	size_t n = engine->slice_count;

	engine->slice_count = 0;
	if (n == 0 || executor->ops->start(executor, engine->slice, n) == 0) {
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct wyn_task *task = WYN_CONTAINER_OF(
			engine->slice[i], struct wyn_task, job);

		task->outcome.code = WYN_STATUS_RESOURCE_EXHAUSTED;
		task->outcome.refusal = WYN_REFUSAL_DAEMON_BYTES_MAX;
		wyn_engine_task_returned(engine, task);
	}
}

void wyn_dispatch_commands(struct wyn_engine *engine)
{
	struct wyn_ready_owner *owner;
	struct wyn_span *span;

	atomic_store_explicit(
		&engine->commands_wait, false, memory_order_relaxed);
	while ((span = wyn_ready_pick(&engine->commands, &owner)) != NULL) {
		struct wyn_conn *conn =
			WYN_CONTAINER_OF(owner, struct wyn_conn, commands);

		if (!place_take(engine)) {
			WYN_STATS_ADD(&engine->stats, commands_full, 1);
			break;
		}
		if (!command_take(engine, conn, span)) {
			place_give_back(engine);
			break;
		}
		wyn_ready_took(&engine->commands, owner, span, 1,
			WYN_READY_QUANTUM_NS);
		if (span->args.count == 0) {
			wyn_engine_unhold(engine, 0, wyn_span_drop(span));
		}
		/* Those that are left may start in this turn too. */
		if (engine->slice_count == engine->limits.executor_tasks_max) {
			slice_start(engine);
		}
	}
	slice_start(engine);
	/* Others may have left more to this loop than it needs by now. */
	while (span == NULL && place_given(engine)) {
		place_give_back(engine);
	}
}

void wyn_dispatch_command_ended(struct wyn_engine *engine)
{
	wyn_assert(engine->commands_running > 0);
	engine->commands_running--;
	place_give_back(engine);
}

bool wyn_dispatch_commands_full(const struct wyn_engine *engine)
{
	/* [commands] a look, for people. */
	return atomic_load_explicit(&engine->shared->commands,
		       memory_order_relaxed) >= engine->limits.commands_max;
}
