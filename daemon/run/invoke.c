// SPDX-License-Identifier: MIT
/*
 * invoke.c - the worker's side of a task: runs its function.
 *
 * The outcome is plain memory: the completion sink publishes it when the job
 * goes back to its loop. What the loop may look at or change while the task
 * runs is atomic.
 */
#include "daemon/run/invoke.h"

#include <errno.h>

#include "base/assert.h"
#include "base/compiler.h"
#include "daemon/run/call.h"
#include "daemon/clock.h"
#include "daemon/run/nested.h"
#include "daemon/run/stream.h"

static struct wyn_task *task_of(const struct wyn_context *context)
{
	return WYN_CONTAINER_OF(context, struct wyn_task, context);
}

static void *context_value_reserve(struct wyn_context *context, size_t bytes)
{
	return wyn_outcome_reserve(&task_of(context)->outcome, bytes);
}

static int context_value_append(
	struct wyn_context *context, const void *data, size_t bytes)
{
	return wyn_call_append(&task_of(context)->outcome, data, bytes);
}

static int context_fail(
	struct wyn_context *context, int status, const char *message)
{
	wyn_outcome_say(&task_of(context)->outcome, message);
	return status;
}

static int context_emit(
	struct wyn_context *context, const void *data, size_t bytes)
{
	struct wyn_task *task = task_of(context);

	if (task->partial_bytes_max == 0) {
		return wyn_task_is_cancelled(task) ? -ECANCELED : 0;
	}
	return wyn_stream_emit(
		task->stream, task, data, bytes, task->partial_unsent_max);
}

static bool context_cancelled(const struct wyn_context *context)
{
	return wyn_task_is_cancelled(task_of(context));
}

static int context_progress(
	struct wyn_context *context, uint64_t done, uint64_t total)
{
	struct wyn_task *task = task_of(context);

	if (task->partial_bytes_max == 0 || wyn_task_is_cancelled(task)) {
		return wyn_task_is_cancelled(task) ? -ECANCELED : 0;
	}
	return wyn_stream_progress(task->stream, task, done, total);
}

/* What the batch says was written before the task was started. */
static uint64_t context_deadline_ns(const struct wyn_context *context)
{
	const struct wyn_task *task = task_of(context);
	const struct wyn_submit_options *options = &task->batch->options;
	uint64_t deadline_ns = 0;

	if (options->deadline_ms != 0) {
		deadline_ns = task->received_ns +
			      options->deadline_ms * WYN_NS_PER_MS;
	}
	if (options->timeout_ms != 0) {
		/* [start] our own store. */
		uint64_t timeout_ns = atomic_load_explicit(&task->started_ns,
					      memory_order_relaxed) +
				      options->timeout_ms * WYN_NS_PER_MS;

		if (deadline_ns == 0 || timeout_ns < deadline_ns) {
			deadline_ns = timeout_ns;
		}
	}
	return deadline_ns;
}

static void context_log(
	const struct wyn_context *context, int level, const char *text)
{
	wyn_call_log(task_of(context)->function, level, text);
}

static void *context_state(struct wyn_context *context)
{
	struct wyn_task *task = task_of(context);

	return wyn_call_state(task->function, &task->outcome);
}

static int context_spawn(struct wyn_context *context, const char *name,
	const void *argument, size_t argument_bytes,
	struct wyn_spawned **ret_spawned)
{
	struct wyn_task *task = task_of(context);

	return wyn_nested_spawn(context, task->function, &task->outcome, name,
		(struct wyn_slice){argument, argument_bytes}, ret_spawned);
}

static int context_await(struct wyn_context *context,
	struct wyn_spawned *spawned, const void **ret_value, size_t *ret_bytes)
{
	return wyn_nested_await(
		&task_of(context)->outcome, spawned, ret_value, ret_bytes);
}

static const struct wyn_context_ops context_ops = {
	.size_bytes = sizeof(struct wyn_context_ops),
	.value_reserve = context_value_reserve,
	.fail = context_fail,
	.emit = context_emit,
	.cancelled = context_cancelled,
	.value_append = context_value_append,
	.progress = context_progress,
	.deadline_ns = context_deadline_ns,
	.log = context_log,
	.state = context_state,
	.spawn = context_spawn,
	.await = context_await,
};

/* Reads the clock only for a task of which somebody wants to know. */
static uint64_t started_set(struct wyn_task *task)
{
	uint64_t now_ns = 1;

	if (task->timed || task->measured) {
		now_ns = wyn_clock_ns(CLOCK_MONOTONIC);
	}
	/* [start] the loop times the task from here; pairs with its acquire. */
	atomic_store_explicit(&task->started_ns, now_ns, memory_order_release);
	return now_ns;
}

void wyn_invoke(struct wyn_job *job)
{
	struct wyn_task *task = WYN_CONTAINER_OF(job, struct wyn_task, job);
	const struct wyn_slice *argument = &task->element.argument;
	struct wyn_outcome *outcome = &task->outcome;
	uint64_t started_ns;
	int status;

	wyn_assert(outcome->message == NULL);
	wyn_assert(outcome->value == NULL);
	if (wyn_task_is_cancelled(task)) {
		outcome->code = WYN_STATUS_CANCELLED;
		outcome->refusal = WYN_REFUSAL_CANCELLED_BY_CLIENT;
		return;
	}
	/* [recall] pairs with the store in recall.c; carries no data. */
	if (atomic_load_explicit(&task->recalled, memory_order_relaxed)) {
		task->handed_back = true;
		return;
	}
	started_ns = started_set(task);
	/* [outcome] plain stores from here to the return: the pool's push of
	 * the job into its sink publishes them. */
	task->ran = true;
	task->context.ops = &context_ops;
	status = wyn_call_run(
		task->function, &task->context, argument->data, argument->len);
	if (outcome->nest != NULL) {
		wyn_nested_end(outcome);
	}
	wyn_call_state_give(task->function, outcome);
	wyn_outcome_conclude(outcome, status, wyn_task_is_cancelled(task),
		task->function->name);
	if (task->measured) {
		task->run_ns = wyn_clock_ns(CLOCK_MONOTONIC) - started_ns +
			       1; /* 0 is "not" */
	}
}
