// SPDX-License-Identifier: MIT
/*
 * dispatch.c - see dispatch.h. The loop's thread only.
 */
#include "daemon/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "daemon/account.h"
#include "daemon/conn_state.h"
#include "daemon/conn_stream.h"
#include "daemon/conn_work.h"
#include "daemon/engine_state.h"
#include "daemon/invoke.h"
#include "daemon/recall.h"

/* What one more task of the span is thought to cost. A slow one counts as a
 * whole worker's share and no more, so that it can be told how many workers are
 * taken. */
static uint64_t estimate(
	const struct wyn_engine *engine, const struct wyn_span *span)
{
	size_t function = wyn_registry_index(
		engine->shared->registry, span->batch->function);
	uint64_t ns = engine->dispatch.estimate_ns[function];

	return span->slow || ns == 0 || ns > WYN_DISPATCH_AHEAD_NS
		       ? WYN_DISPATCH_AHEAD_NS
		       : ns;
}

uint64_t wyn_dispatch_floor(const struct wyn_engine *engine)
{
	uint64_t width = engine->executor->ops->width(engine->executor);

	/* A worker that waits for a slow client has lent its seat. */
	return width * WYN_DISPATCH_PER_WORKER +
	       wyn_stream_waiting(&engine->stream);
}

static bool has_room(const struct wyn_engine *engine, uint64_t cost_ns)
{
	const struct wyn_dispatch *dispatch = &engine->dispatch;
	uint64_t width = engine->executor->ops->width(engine->executor);
	uint64_t waiting = wyn_stream_waiting(&engine->stream);

	if (dispatch->in_flight >= engine->shared->limits.executor_tasks_max) {
		return false;
	}
	return dispatch->in_flight < wyn_dispatch_floor(engine) ||
	       dispatch->cost_ns + cost_ns <=
		       (width + waiting) * WYN_DISPATCH_AHEAD_NS;
}

/* Without memory the next return from the executor comes here again: the engine
 * made one task when it was created, so one is free, or out and will return. */
static struct wyn_task *task_acquire(struct wyn_engine *engine)
{
	struct wyn_list *link = wyn_list_pop_front(&engine->free_tasks);
	struct wyn_task *task;

	if (link != NULL) {
		engine->free_tasks_count--;
		return wyn_list_entry(link, struct wyn_task, link);
	}
	task = calloc(1, sizeof(*task));
	if (task != NULL) {
		wyn_list_init(&task->link);
	}
	return task;
}

static void timeout_fire(struct wyn_timer *timer, uint64_t now_ns)
{
	struct wyn_task *task = WYN_CONTAINER_OF(timer, struct wyn_task, timer);
	struct wyn_engine *engine = WYN_CONTAINER_OF(
		task->batch->timers, struct wyn_engine, timers);
	uint64_t timeout_ns = task->batch->options.timeout_ms * WYN_NS_PER_MS;
	/* [start] pairs with the store in invoke.c, before the body runs. The
	 * task is timed, so it is a time. */
	uint64_t started_ns =
		atomic_load_explicit(&task->started_ns, memory_order_acquire);

	if (started_ns != 0 && started_ns + timeout_ns <= now_ns) {
		wyn_conn_task_expired(engine, task, NULL);
		return;
	}
	/* It has not started, or later than it was dispatched: look again when
	 * it can be due at the earliest. Armed before, so there is room. */
	started_ns = started_ns == 0 ? now_ns : started_ns;
	if (wyn_timers_arm(&engine->timers, timer, started_ns + timeout_ns) <
		0) {
		wyn_conn_task_expired(
			engine, task, "no memory to watch the task's timeout");
	}
}

/* Everything that the worker reads. */
static void task_fill(struct wyn_engine *engine, struct wyn_conn *conn,
	struct wyn_task *task, struct wyn_batch *batch)
{
	const struct wyn_limits *limits = &engine->shared->limits;
	const struct wyn_submit_options *options = &batch->options;

	task->job.run = wyn_invoke;
	task->function = batch->function;
	task->stream = &engine->stream;
	task->partial_unsent_max = limits->stream_bytes_max;
	task->partial_bytes_max =
		!options->stream ? 0
				 : (uint32_t)(limits->frame_bytes_max -
					      WYN_CHUNK_HEAD_BYTES_MAX);
	task->timed = options->timeout_ms != 0;
	task->outcome = (struct wyn_outcome){
		.account = conn->account,
		.value_bytes_max = limits->value_bytes_max,
		.small = task->small_value,
	};
	task->ran = false;
	task->handed_back = false;
	task->waited = false;
	atomic_init(&task->cancelled, false);
	atomic_init(&task->recalled, false);
	atomic_init(&task->started_ns, 0);
	atomic_init(&task->partial_unsent_bytes, 0);
	wyn_list_init(&task->of_batch);
	if (options->deadline_ms != 0) {
		wyn_list_push_back(&batch->tasks, &task->of_batch);
	}
	task->batch = batch;
	task->timer = (struct wyn_timer){.fire = timeout_fire};
	task->owner = batch->owner;
	task->received_ns = batch->received_ns;
	task->partial_offset = 0;
	task->partials_queued = 0;
	task->value_sent = 0;
	task->answered = false;
	task->waiting = false;
	task->watched = false;
	task->run_ns = 0;
}

/* Charges the task to the executor's budget. */
static void task_charge(struct wyn_engine *engine, struct wyn_task *task,
	size_t function, uint64_t cost_ns)
{
	struct wyn_dispatch *dispatch = &engine->dispatch;
	uint32_t *starts = &dispatch->starts[function];

	task->function_index = (uint32_t)function;
	task->cost_ns = cost_ns;
	/* Reading the clock twice is nothing beside a slow function. */
	task->measured = cost_ns >= WYN_DISPATCH_SLOW_NS ||
			 ++*starts % WYN_DISPATCH_SAMPLE_EVERY == 0;
	dispatch->cost_ns += cost_ns;
	dispatch->in_flight++;
}

/* A timer that cannot be armed for want of memory is not worth a lost task:
 * then the task runs, and ends when it ends. */
static void timeout_arm(struct wyn_engine *engine, struct wyn_task *task)
{
	uint64_t timeout_ms = task->batch->options.timeout_ms;

	if (timeout_ms != 0 &&
		wyn_timers_arm(&engine->timers, &task->timer,
			engine->now_ns + timeout_ms * WYN_NS_PER_MS) < 0) {
		task->timer.place = 0;
	}
}

/* Moves up to `most` tasks of a span into the slice, each thought to take
 * cost_ns. */
static size_t span_start(struct wyn_engine *engine, struct wyn_conn *conn,
	struct wyn_span *span, uint64_t cost_ns, uint64_t most, size_t n)
{
	struct wyn_batch *batch = span->batch;
	size_t function =
		wyn_registry_index(engine->shared->registry, batch->function);
	size_t start = n;

	while (n - start < most) {
		struct wyn_task *task;

		if (!has_room(engine, cost_ns)) {
			break;
		}
		task = task_acquire(engine);
		if (task == NULL) {
			break;
		}
		task_fill(engine, conn, task, batch);
		(void)wyn_span_take(span, &task->seq, &task->element);
		task_charge(engine, task, function, cost_ns);
		wyn_batch_hold(batch);
		wyn_account_hold(conn->account);
		timeout_arm(engine, task);
		wyn_list_push_back(&conn->running, &task->link);
		engine->slice[n++] = &task->job;
	}
	if (batch->options.stream && n > start) {
		conn->starved_ns = 0;
		conn->streaming += n - start;
		engine->streaming += n - start;
	}
	return n - start;
}

/* How many of the span may start. 0: its queue waits, and no longer has a
 * turn. */
static uint64_t streams_bound(
	struct wyn_conn *conn, const struct wyn_span *span, uint64_t most)
{
	uint64_t left;

	if (!span->batch->options.stream) {
		return most;
	}
	left = wyn_conn_streams_left(conn);
	if (left == 0) {
		WYN_STATS_ADD(&conn->engine->stats, streams_full, 1);
		wyn_conn_starve(conn, span);
	}
	return left < most ? left : most;
}

/* Without memory the executor takes none, and they are back at once. */
static void slice_start(struct wyn_engine *engine, size_t n)
{
	struct wyn_executor *executor = engine->executor;

	if (executor->ops->start(executor, engine->slice, n) == 0) {
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

void wyn_dispatch_run(struct wyn_engine *engine)
{
	struct wyn_ready_owner *owner;
	struct wyn_span *span;
	size_t n = 0;

	while ((span = wyn_ready_pick(&engine->ready, &owner)) != NULL) {
		struct wyn_conn *conn =
			WYN_CONTAINER_OF(owner, struct wyn_conn, ready);
		uint64_t cost_ns = estimate(engine, span);
		uint64_t most = wyn_ready_most(&engine->ready, span, cost_ns);
		size_t took;

		most = streams_bound(conn, span, most);
		if (most == 0) {
			continue;
		}
		took = span_start(engine, conn, span, cost_ns, most, n);
		if (took == 0) {
			WYN_STATS_ADD(&engine->stats, executor_full, 1);
			break;
		}
		n += took;
		wyn_ready_took(&engine->ready, owner, span, took, cost_ns);
		if (span->args.count == 0) {
			wyn_engine_unhold(engine, 0, wyn_span_drop(span));
		}
	}
	if (n > 0) {
		WYN_STATS_ADD(&engine->stats, dispatches, 1);
		slice_start(engine, n);
	}
	wyn_recall_watch(engine);
}

void wyn_dispatch_done(struct wyn_engine *engine, struct wyn_task *task)
{
	struct wyn_dispatch *dispatch = &engine->dispatch;
	uint64_t *estimate_ns = &dispatch->estimate_ns[task->function_index];
	uint64_t most;
	uint64_t run_ns;

	wyn_assert(dispatch->in_flight > 0);
	wyn_assert(dispatch->cost_ns >= task->cost_ns);
	dispatch->in_flight--;
	dispatch->cost_ns -= task->cost_ns;
	dispatch->watched_left -= dispatch->watched_left > 0;
	if (task->run_ns == 0) {
		return;
	}
	/* A moving average of eight. A worker that was preempted in the body
	 * must not make a fast function look slow, so one measurement counts as
	 * 64 times the average at most. */
	if (*estimate_ns == 0) {
		*estimate_ns = task->run_ns;
		return;
	}
	most = (*estimate_ns + WYN_DISPATCH_FLOOR_NS) * 64;
	run_ns = task->run_ns < most ? task->run_ns : most;
	*estimate_ns = (*estimate_ns * 7 + run_ns + 7) / 8;
}
