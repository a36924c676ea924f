// SPDX-License-Identifier: MIT
/*
 * dispatch.c - see dispatch.h. The loop's thread only.
 */
#include "daemon/engine/dispatch.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "daemon/run/account.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/conn_stream.h"
#include "daemon/engine/conn_strip.h"
#include "daemon/engine/conn_work.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/keeper.h"
#include "daemon/run/invoke.h"
#include "daemon/engine/recall.h"

/* What one more task of the span is thought to cost. A slow one counts as a
 * whole worker's share and no more, so that it can be told how many workers are
 * taken. */
static struct wyn_charge estimate(
	const struct wyn_engine *engine, const struct wyn_span *span)
{
	const struct wyn_function_entry *entry = span->batch->function;
	uint64_t ns = engine->dispatch.estimate_ns[entry->index];

	if (ns == 0 && (entry->flags & WYN_FUNCTION_SHORT) != 0) {
		ns = WYN_DISPATCH_SHORT_NS;
	}
	if (span->slow || ns == 0 || ns > WYN_DISPATCH_AHEAD_NS) {
		ns = WYN_DISPATCH_AHEAD_NS;
	}
	return (struct wyn_charge){.cost_ns = ns, .function = entry->index};
}

/* A worker that waits for a slow client has lent its seat, and so has one that
 * runs what blocks. */
static uint64_t seats_lent(const struct wyn_engine *engine)
{
	return engine->dispatch.blocking + wyn_stream_waiting(&engine->stream);
}

uint64_t wyn_dispatch_floor(const struct wyn_engine *engine)
{
	uint64_t width = engine->executor->ops->width(engine->executor);

	return width * WYN_DISPATCH_PER_WORKER + seats_lent(engine);
}

/* How many more tasks of that cost the executor may hold. */
static uint64_t room_for(const struct wyn_engine *engine, uint64_t cost_ns)
{
	const struct wyn_dispatch *dispatch = &engine->dispatch;
	uint64_t in_flight = dispatch->in_flight;
	uint64_t held = in_flight + dispatch->emptied;
	uint64_t most = engine->limits.executor_tasks_max;
	uint64_t seats = engine->executor->ops->width(engine->executor) +
			 seats_lent(engine);
	uint64_t ahead_ns = seats * WYN_DISPATCH_AHEAD_NS;
	uint64_t floor = wyn_dispatch_floor(engine);
	uint64_t by_cost = dispatch->cost_ns < ahead_ns
				   ? (ahead_ns - dispatch->cost_ns) / cost_ns
				   : 0;
	uint64_t by_floor = in_flight < floor ? floor - in_flight : 0;
	uint64_t room = by_cost > by_floor ? by_cost : by_floor;

	most = held < most ? most - held : 0;
	return room < most ? room : most;
}

uint64_t wyn_dispatch_room(
	const struct wyn_engine *engine, const struct wyn_span *span)
{
	return room_for(engine, estimate(engine, span).cost_ns);
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

/* Its output is wanted by whoever asks later. */
static bool is_kept_command(const struct wyn_batch *batch)
{
	return batch->command != NULL && wyn_keeper_wants(batch);
}

/* Everything that the worker reads. */
static void task_fill(struct wyn_engine *engine, struct wyn_conn *conn,
	struct wyn_task *task, struct wyn_batch *batch)
{
	const struct wyn_limits *limits = &engine->limits;
	const struct wyn_submit_options *options = &batch->options;

	task->job.run = wyn_invoke;
	task->function = batch->function;
	task->stream = &engine->stream;
	task->partial_unsent_max = limits->stream_bytes_max;
	task->partial_bytes_max =
		!options->stream && !is_kept_command(batch)
			? 0
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
	task->error_offset = 0;
	task->stopped = WYN_REFUSAL_NONE;
	task->process = NULL;
	task->kept = NULL;
	task->partials_queued = 0;
	task->report = NULL;
	task->progress_take = 0;
	task->value_sent = 0;
	task->answered = false;
	task->waiting = false;
	task->watched = false;
	task->run_ns = 0;
}

struct wyn_task *wyn_dispatch_task(
	struct wyn_conn *conn, struct wyn_batch *batch)
{
	struct wyn_task *task = task_acquire(conn->engine);

	if (task == NULL) {
		return NULL;
	}
	task_fill(conn->engine, conn, task, batch);
	wyn_batch_hold(batch);
	wyn_account_hold(conn->account);
	return task;
}

/* Charges tasks to the executor's budget. Returns: whether what they take is to
 * be measured. */
static bool charge(struct wyn_engine *engine, const struct wyn_charge *each,
	uint64_t tasks)
{
	struct wyn_dispatch *dispatch = &engine->dispatch;
	uint32_t *starts = &dispatch->starts[each->function];

	dispatch->cost_ns += tasks * each->cost_ns;
	dispatch->in_flight += tasks;
	/* Reading the clock twice is nothing beside a slow function. */
	return each->cost_ns >= WYN_DISPATCH_SLOW_NS ||
	       ++*starts % WYN_DISPATCH_SAMPLE_EVERY == 0;
}

/* A timer that cannot be armed for want of memory is not worth a lost task:
 * then the task runs, and ends when it ends. */
void wyn_dispatch_timeout_arm(struct wyn_engine *engine, struct wyn_task *task)
{
	uint64_t timeout_ms = task->batch->options.timeout_ms;

	if (timeout_ms != 0 &&
		wyn_timers_arm(&engine->timers, &task->timer,
			engine->now_ns + timeout_ms * WYN_NS_PER_MS) < 0) {
		task->timer.place = 0;
	}
}

/* Moves a task of the span into the slice. False: no memory. */
static bool task_start(struct wyn_engine *engine, struct wyn_conn *conn,
	struct wyn_span *span, const struct wyn_charge *each)
{
	struct wyn_task *task = wyn_dispatch_task(conn, span->batch);

	if (task == NULL) {
		return false;
	}
	(void)wyn_span_take(span, &task->seq, &task->element);
	wyn_keeper_begin(engine, task, task->seq);
	task->charge = *each;
	task->measured = charge(engine, each, 1);
	wyn_dispatch_timeout_arm(engine, task);
	wyn_list_push_back(&conn->running, &task->link);
	engine->slice[engine->slice_count++] = &task->job;
	return true;
}

/* The strip becomes a job, or part of the one before if both are small. */
static void strip_place(struct wyn_engine *engine, struct wyn_strip *strip)
{
	struct wyn_strip *last = engine->last_strip;
	uint64_t ns = strip->count * strip->charge.cost_ns;

	if (last != NULL && engine->last_strip_ns + ns <= WYN_STRIP_NS) {
		last->after = strip;
		strip->first = last->first;
		engine->last_strip_ns += ns;
	} else {
		engine->slice[engine->slice_count++] = &strip->job;
		engine->last_strip_ns = ns;
	}
	engine->last_strip = strip;
}

/* Moves so many tasks of the span into the slice. False: no memory. */
static bool strip_start(struct wyn_engine *engine, struct wyn_conn *conn,
	struct wyn_span *span, const struct wyn_charge *each, uint32_t tasks)
{
	struct wyn_strip *strip = wyn_conn_strip_take(conn, span, tasks);

	if (strip == NULL) {
		return false;
	}
	strip->charge = *each;
	strip->measured = charge(engine, each, tasks);
	strip_place(engine, strip);
	engine->dispatch.strips += wyn_conn_strip_hides(strip);
	return true;
}

/* Moves up to `most` tasks of a span into the slice. Returns: how many. */
static uint64_t span_start(struct wyn_engine *engine, struct wyn_conn *conn,
	struct wyn_span *span, const struct wyn_charge *each, uint64_t most)
{
	uint64_t room = room_for(engine, each->cost_ns);
	uint32_t in_strip;
	uint64_t took = 0;

	most = room < most ? room : most;
	in_strip = wyn_conn_strip_most(span, each->cost_ns, most);
	if (in_strip > 0 && strip_start(engine, conn, span, each, in_strip)) {
		return in_strip;
	}
	while (took < most && task_start(engine, conn, span, each)) {
		took++;
	}
	if (wyn_conn_takes_place(span->batch) && took > 0) {
		engine->dispatch.blocking +=
			wyn_conn_blocks(span->batch) ? took : 0;
		conn->starved_ns = 0;
		conn->streaming += took;
		engine->streaming += took;
	}
	return took;
}

/* How many of the span may start. 0: its queue waits, and no longer has a
 * turn. */
static uint64_t streams_bound(
	struct wyn_conn *conn, const struct wyn_span *span, uint64_t most)
{
	uint64_t left;

	if (!wyn_conn_takes_place(span->batch)) {
		return most;
	}
	left = wyn_conn_streams_left(conn, span->batch->options.stream);
	if (left == 0) {
		WYN_STATS_ADD(&conn->engine->stats, streams_full, 1);
		wyn_conn_starve(conn, span);
	}
	return left < most ? left : most;
}

static void strips_refused(struct wyn_engine *engine, struct wyn_strip *strip)
{
	while (strip != NULL) {
		struct wyn_strip *after = strip->after;

		memset(strip->ends, WYN_STRIP_LOST, sizeof(strip->ends));
		strip->odds = strip->count;
		wyn_conn_strip_returned(engine, strip);
		strip = after;
	}
}

/* Without memory the executor takes none, and they are back at once. */
static void job_refused(struct wyn_engine *engine, struct wyn_job *job)
{
	struct wyn_task *task;

	if (job->run == wyn_strip_run) {
		strips_refused(
			engine, WYN_CONTAINER_OF(job, struct wyn_strip, job));
		return;
	}
	task = WYN_CONTAINER_OF(job, struct wyn_task, job);
	task->outcome.code = WYN_STATUS_RESOURCE_EXHAUSTED;
	task->outcome.refusal = WYN_REFUSAL_DAEMON_BYTES_MAX;
	wyn_engine_task_returned(engine, task);
}

static void slice_start(struct wyn_engine *engine)
{
	struct wyn_executor *executor = engine->executor;
	size_t n = engine->slice_count;

	if (n == 0) {
		return;
	}
	engine->slice_count = 0;
	engine->last_strip = NULL;
	WYN_STATS_ADD(&engine->stats, dispatches, 1);
	if (executor->ops->start(executor, engine->slice, n) == 0) {
		return;
	}
	for (size_t i = 0; i < n; i++) {
		job_refused(engine, engine->slice[i]);
	}
}

void wyn_dispatch_run(struct wyn_engine *engine)
{
	struct wyn_ready_owner *owner;
	struct wyn_span *span;

	while ((span = wyn_ready_pick(&engine->ready, &owner)) != NULL) {
		struct wyn_conn *conn =
			WYN_CONTAINER_OF(owner, struct wyn_conn, ready);
		struct wyn_charge each = estimate(engine, span);
		uint64_t most =
			wyn_ready_most(&engine->ready, span, each.cost_ns);
		uint64_t took;

		most = streams_bound(conn, span, most);
		if (most == 0) {
			continue;
		}
		took = span_start(engine, conn, span, &each, most);
		if (took == 0) {
			WYN_STATS_ADD(&engine->stats, executor_full, 1);
			break;
		}
		wyn_ready_took(&engine->ready, owner, span, took, each.cost_ns);
		if (span->args.count == 0) {
			wyn_engine_unhold(engine, 0, wyn_span_drop(span));
		}
	}
	slice_start(engine);
	wyn_recall_watch(engine);
}

void wyn_dispatch_slow(struct wyn_engine *engine, const struct wyn_charge *each)
{
	uint64_t *estimate_ns = &engine->dispatch.estimate_ns[each->function];

	if (*estimate_ns < WYN_DISPATCH_AHEAD_NS) {
		*estimate_ns = WYN_DISPATCH_AHEAD_NS;
	}
}

void wyn_dispatch_done(struct wyn_engine *engine, const struct wyn_charge *each,
	uint64_t tasks, uint64_t run_ns)
{
	struct wyn_dispatch *dispatch = &engine->dispatch;
	uint64_t *estimate_ns = &dispatch->estimate_ns[each->function];
	uint64_t watched = dispatch->watched_left;
	uint64_t most;

	wyn_assert(dispatch->in_flight >= tasks);
	wyn_assert(dispatch->cost_ns >= tasks * each->cost_ns);
	dispatch->in_flight -= tasks;
	dispatch->cost_ns -= tasks * each->cost_ns;
	dispatch->watched_left = tasks < watched ? watched - tasks : 0;
	if (run_ns == 0) {
		return;
	}
	/* A moving average of eight. A worker that was preempted in the body
	 * must not make a fast function look slow, so one measurement counts as
	 * 64 times the average at most. */
	if (*estimate_ns == 0) {
		*estimate_ns = run_ns;
		return;
	}
	most = (*estimate_ns + WYN_DISPATCH_FLOOR_NS) * 64;
	run_ns = run_ns < most ? run_ns : most;
	*estimate_ns = (*estimate_ns * 7 + run_ns + 7) / 8;
}
