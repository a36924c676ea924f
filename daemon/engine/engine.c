// SPDX-License-Identifier: MIT
/*
 * engine.c - turns, owners, and what belongs to all connections of a loop.
 */
#include "daemon/engine/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "daemon/run/account.h"
#include "daemon/engine/conn.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/conn_stream.h"
#include "daemon/engine/conn_strip.h"
#include "daemon/engine/conn_work.h"
#include "daemon/engine/dispatch.h"
#include "daemon/engine/dispatch_command.h"
#include "daemon/engine/engine_state.h"
#include "daemon/run/input.h"
#include "daemon/run/invoke.h"
#include "daemon/engine/inquiry.h"
#include "daemon/engine/keeper.h"
#include "daemon/engine/policy.h"
#include "daemon/engine/recall.h"
#include "daemon/engine/reply.h"
#include "daemon/engine/reply_chunks.h"

/* One task from the start: see task_acquire() in dispatch.c. */
static int first_task_make(struct wyn_engine *engine)
{
	struct wyn_task *task = calloc(1, sizeof(*task));

	if (task == NULL) {
		return -ENOMEM;
	}
	wyn_list_push_front(&engine->free_tasks, &task->link);
	engine->free_tasks_count = 1;
	return 0;
}

static int engine_alloc(struct wyn_engine *engine)
{
	const struct wyn_limits *limits = &engine->limits;
	struct wyn_dispatch *dispatch = &engine->dispatch;

	engine->slots_count = (uint32_t)limits->connections_max +
			      WYN_SLOTS_SPARE + WYN_KEEPERS_MAX;
	engine->slots = calloc(engine->slots_count, sizeof(*engine->slots));
	engine->slice =
		calloc(limits->executor_tasks_max, sizeof(struct wyn_job *));
	dispatch->estimate_ns =
		calloc(WYN_FUNCTIONS_MAX, sizeof(*dispatch->estimate_ns));
	dispatch->starts = calloc(WYN_FUNCTIONS_MAX, sizeof(*dispatch->starts));
	return engine->slots == NULL || engine->slice == NULL ||
			       dispatch->estimate_ns == NULL ||
			       dispatch->starts == NULL
		       ? -ENOMEM
		       : first_task_make(engine);
}

static void slots_link(struct wyn_engine *engine)
{
	for (uint32_t i = 0; i < engine->slots_count; i++) {
		engine->slots[i].generation = 1;
		engine->slots[i].next_free =
			i + 1 < engine->slots_count ? i + 2 : 0;
	}
	engine->slots_free = 1;
}

int wyn_engine_create(struct wyn_shared *shared, struct wyn_executor *executor,
	void (*stream_wake)(struct wyn_stream *stream),
	struct wyn_engine **ret_engine)
{
	struct wyn_engine *engine = calloc(1, sizeof(*engine));
	int result;

	if (engine == NULL) {
		return -ENOMEM;
	}
	engine->shared = shared;
	engine->limits = shared->limits;
	engine->executor = executor;
	wyn_list_init(&engine->conns);
	wyn_list_init(&engine->active);
	wyn_list_init(&engine->dirty);
	wyn_list_init(&engine->worked);
	wyn_list_init(&engine->starved);
	wyn_list_init(&engine->stalled);
	wyn_list_init(&engine->free_tasks);
	wyn_list_init(&engine->dispatch.lone);
	wyn_list_init(&engine->free_strips);
	wyn_list_init(&engine->recalled);
	wyn_list_init(&engine->keepers);
	wyn_list_init(&engine->inquiries);
	wyn_keep_init(&engine->keep, &engine->limits);
	wyn_timers_init(&engine->timers);
	wyn_ready_init(&engine->ready);
	wyn_ready_init(&engine->commands);
	wyn_segments_init(&engine->segments);
	wyn_memory_init(&engine->memory);
	wyn_stats_init(&engine->stats);
	wyn_arena_init(&engine->arena, engine->arena_memory,
		sizeof(engine->arena_memory));
	result = wyn_stream_init(&engine->stream, stream_wake);
	if (result < 0) {
		free(engine);
		return result;
	}
	result = engine_alloc(engine);
	if (result < 0) {
		wyn_engine_destroy(engine);
		return result;
	}
	slots_link(engine);
	wyn_catalog_join(shared->catalog, &engine->functions);
	*ret_engine = engine;
	return 0;
}

void wyn_engine_destroy(struct wyn_engine *engine)
{
	struct wyn_list *link;

	if (engine == NULL) {
		return;
	}
	wyn_keepers_end(engine);
	wyn_inquiries_end(engine);
	wyn_keep_fini(&engine->keep);
	wyn_assert(engine->conns_count == 0);
	wyn_assert(wyn_engine_in_executor(engine) == 0);
	wyn_engine_posts_end(engine);
	while ((link = wyn_list_pop_front(&engine->free_tasks)) != NULL) {
		free(wyn_list_entry(link, struct wyn_task, link));
	}
	while ((link = wyn_list_pop_front(&engine->free_strips)) != NULL) {
		free(wyn_list_entry(link, struct wyn_strip, link));
	}
	if (engine->functions.catalog != NULL) {
		wyn_catalog_leave(&engine->functions);
	}
	wyn_stream_fini(&engine->stream);
	wyn_segments_fini(&engine->segments);
	wyn_memory_fini(&engine->memory);
	wyn_timers_fini(&engine->timers);
	wyn_policy_release(engine->policy);
	free(engine->dispatch.estimate_ns);
	free(engine->dispatch.starts);
	free(engine->slice);
	free(engine->slots);
	free(engine);
}

void wyn_engine_commands(struct wyn_engine *engine,
	struct wyn_executor *executor, const char *ledger)
{
	engine->command_executor = executor;
	(void)snprintf(engine->ledger, sizeof(engine->ledger), "%s", ledger);
}

void wyn_engine_context_set(struct wyn_engine *engine, void *context)
{
	engine->context = context;
}

void *wyn_engine_of_stream(struct wyn_stream *stream)
{
	return WYN_CONTAINER_OF(stream, struct wyn_engine, stream)->context;
}

struct wyn_conn *wyn_engine_owner(
	const struct wyn_engine *engine, uint64_t owner)
{
	const struct wyn_owner_slot *slot = &engine->slots[(uint32_t)owner];

	return slot->generation == owner >> 32 ? slot->conn : NULL;
}

void wyn_engine_touch(struct wyn_conn *conn)
{
	if (wyn_list_empty(&conn->dirty) && !wyn_keeper_is(conn)) {
		wyn_list_push_back(&conn->engine->dirty, &conn->dirty);
	}
}

void wyn_engine_activate(struct wyn_conn *conn)
{
	if (wyn_list_empty(&conn->active)) {
		wyn_list_push_back(&conn->engine->active, &conn->active);
	}
}

void wyn_engine_task_release(struct wyn_engine *engine, struct wyn_task *task)
{
	wyn_engine_unhold(engine, 1, 0);
	wyn_engine_task_recycle(engine, task);
}

void wyn_engine_task_recycle(struct wyn_engine *engine, struct wyn_task *task)
{
	wyn_list_remove(&task->link);
	wyn_timers_disarm(&engine->timers, &task->timer);
	wyn_outcome_clear(&task->outcome);
	wyn_account_release(task->outcome.account);
	wyn_engine_unhold(engine, 0, wyn_batch_release(task->batch));
	if (engine->free_tasks_count >= engine->limits.executor_tasks_max) {
		free(task);
		return;
	}
	wyn_list_push_front(&engine->free_tasks, &task->link);
	engine->free_tasks_count++;
}

void wyn_engine_partial_sent(
	struct wyn_engine *engine, struct wyn_partial *partial)
{
	struct wyn_executor *executor = engine->command_executor;
	struct wyn_task *task = partial->task;

	wyn_stream_sent(&engine->stream, partial);
	if (task->process != NULL) {
		executor->ops->sent(executor, task);
	}
}

/* A partial value whose task's connection may be gone. */
static void partial_deliver(
	struct wyn_engine *engine, struct wyn_partial *partial)
{
	struct wyn_task *task = partial->task;
	struct wyn_conn *conn = wyn_engine_owner(engine, task->owner);

	if (task->kept != NULL) {
		wyn_keeper_output(engine, partial);
	}
	if (conn == NULL || conn->phase >= WYN_CONN_KEEPER ||
		!task->batch->options.stream) {
		wyn_engine_partial_sent(engine, partial);
		return;
	}
	wyn_reply_partial_add(conn, partial);
}

void wyn_engine_task_unwanted(
	struct wyn_engine *engine, struct wyn_conn *conn, struct wyn_task *task)
{
	if (conn != NULL && conn->phase < WYN_CONN_KEEPER) {
		/* Its row went out early; only its credit was kept. */
		wyn_credit_return(&conn->tasks, 1);
		wyn_credit_return(&conn->bytes, task->element.argument.len);
	} else if (!task->answered) {
		WYN_STATS_ADD(&engine->stats, tasks_discarded, 1);
	}
	if (conn != NULL) {
		wyn_engine_activate(conn);
	}
	wyn_engine_task_release(engine, task);
}

static bool is_awaited(const struct wyn_conn *conn, const struct wyn_task *task)
{
	return conn->phase < WYN_CONN_CLOSING && !task->answered;
}

/* A task that might emit is back, whoever it belongs to. */
static void stream_ended(struct wyn_engine *engine, struct wyn_conn *conn)
{
	wyn_assert(engine->streaming > 0);
	engine->streaming--;
	engine->streams_ended = true;
	if (conn != NULL) {
		wyn_assert(conn->streaming > 0);
		conn->streaming--;
		wyn_conn_streams_moved(conn, false);
	}
}

static void command_returned(struct wyn_engine *engine, struct wyn_task *task)
{
	struct wyn_input *input = task->batch->input;

	wyn_dispatch_command_ended(engine);
	if (input != NULL) {
		input->task = NULL;
		wyn_input_shut(input);
		/* What comes of it from now on is for nobody. */
		wyn_list_remove(&input->link);
	}
}

void wyn_engine_task_returned(struct wyn_engine *engine, struct wyn_task *task)
{
	struct wyn_conn *conn = wyn_engine_owner(engine, task->owner);

	if (task->batch->command != NULL) {
		command_returned(engine, task);
	} else {
		wyn_dispatch_done(engine, &task->charge, 1, task->run_ns);
	}
	WYN_STATS_ADD(&engine->stats, tasks_returned, 1);
	wyn_timers_disarm(&engine->timers, &task->timer);
	wyn_list_remove(&task->link);
	wyn_list_remove(&task->of_batch);
	if (wyn_conn_takes_place(task->batch)) {
		engine->dispatch.blocking -= wyn_conn_blocks(task->batch);
		stream_ended(engine, conn);
		WYN_STATS_ADD(&engine->stats, stream_over_max, task->waited);
	}
	if (task->handed_back && conn != NULL && is_awaited(conn, task)) {
		if (!wyn_task_is_cancelled(task)) {
			wyn_recall_returned(engine, task);
			return;
		}
		/* Asked to end when it was already on its way back. */
		task->outcome.code = WYN_STATUS_CANCELLED;
		task->outcome.refusal = WYN_REFUSAL_CANCELLED_BY_CLIENT;
	}
	wyn_keeper_end(engine, task);
	/* Partial values that are queued still point to it, whatever has become
	 * of the connection; only an abandoned one has none. */
	if (conn != NULL &&
		(task->partials_queued > 0 || is_awaited(conn, task))) {
		wyn_reply_add(conn, task);
	} else {
		wyn_engine_task_unwanted(engine, conn, task);
	}
}

static void job_returned(struct wyn_engine *engine, struct wyn_job *job)
{
	struct wyn_strip *strip;

	if (job->run != wyn_strip_run) {
		wyn_engine_task_returned(
			engine, WYN_CONTAINER_OF(job, struct wyn_task, job));
		return;
	}
	strip = WYN_CONTAINER_OF(job, struct wyn_strip, job);
	while (strip != NULL) {
		struct wyn_strip *after = strip->after;

		wyn_conn_strip_returned(engine, strip);
		strip = after;
	}
}

static void jobs_take(struct wyn_engine *engine, struct wyn_job *job)
{
	while (job != NULL) {
		struct wyn_job *next = job->next;

		job_returned(engine, job);
		job = next;
	}
}

static void partials_take(struct wyn_engine *engine)
{
	struct wyn_partial *partial = wyn_stream_take(&engine->stream);

	while (partial != NULL) {
		struct wyn_partial *next = partial->next;

		partial_deliver(engine, partial);
		partial = next;
	}
}

static void returns_take(struct wyn_engine *engine)
{
	struct wyn_executor *commands = engine->command_executor;
	/* [outcome] acquired with the chain of jobs. In this order: every
	 * partial value of a task that is back is there. */
	struct wyn_job *job = engine->executor->ops->done(engine->executor);
	struct wyn_job *ended =
		commands == NULL ? NULL : commands->ops->done(commands);

	partials_take(engine);
	jobs_take(engine, job);
	jobs_take(engine, ended);
	wyn_recall_requeue(engine);
}

/* Those that worked since the last turn go on, as many as fill this one: the
 * others had their turn or have it next. */
static void worked_resume(struct wyn_engine *engine)
{
	struct wyn_list *link;

	engine->work = 0;
	while (engine->work < WYN_CONN_WORK_MAX &&
		(link = wyn_list_pop_front(&engine->worked)) != NULL) {
		wyn_conn_rested(wyn_list_entry(link, struct wyn_conn, worked));
	}
}

/* Who waited for others' streams to end looks again. */
static void starved_resume(struct wyn_engine *engine)
{
	struct wyn_list *link;

	if (!engine->streams_ended) {
		return;
	}
	engine->streams_ended = false;
	wyn_list_for_each (link, &engine->starved) {
		struct wyn_conn *conn =
			wyn_list_entry(link, struct wyn_conn, starved);

		if (wyn_conn_streams_left(conn, conn->starved_emits) > 0) {
			wyn_engine_activate(conn);
		}
	}
}

void wyn_engine_commands_end(struct wyn_engine *engine)
{
	struct wyn_executor *commands = engine->command_executor;

	if (commands != NULL) {
		partials_take(engine);
		engine->command_executor = NULL;
		jobs_take(engine, commands->ops->done(commands));
	}
}

void wyn_engine_turn(struct wyn_engine *engine, uint64_t now_ns)
{
	struct wyn_list *link;

	engine->now_ns = now_ns;
	/* Who has nothing to look up says too that it knows of the new ones. */
	(void)wyn_catalog_read(&engine->functions);
	WYN_STATS_ADD(&engine->stats, turns, 1);
	wyn_timers_run(&engine->timers, now_ns, WYN_TIMERS_TURN_MAX);
	wyn_engine_posts_run(engine);
	returns_take(engine);
	worked_resume(engine);
	starved_resume(engine);
	while ((link = wyn_list_pop_front(&engine->active)) != NULL) {
		wyn_reply_fill(wyn_list_entry(link, struct wyn_conn, active));
	}
	wyn_dispatch_run(engine);
	if (engine->command_executor != NULL) {
		wyn_dispatch_commands(engine);
	}
	wyn_engine_held_tell(engine);
}

struct wyn_conn *wyn_engine_dirty(struct wyn_engine *engine)
{
	struct wyn_list *link = wyn_list_pop_front(&engine->dirty);

	return link == NULL ? NULL
			    : wyn_list_entry(link, struct wyn_conn, dirty);
}

bool wyn_engine_expects(const struct wyn_engine *engine)
{
	const struct wyn_dispatch *dispatch = &engine->dispatch;

	return dispatch->in_flight > 0 &&
	       dispatch->cost_ns < WYN_DISPATCH_SOON_NS;
}

bool wyn_engine_peek(const struct wyn_engine *engine)
{
	return engine->executor->ops->peek(engine->executor);
}

bool wyn_engine_arm(struct wyn_engine *engine)
{
	struct wyn_executor *commands = engine->command_executor;

	return wyn_list_empty(&engine->active) &&
	       wyn_list_empty(&engine->dirty) &&
	       wyn_list_empty(&engine->worked) &&
	       !wyn_engine_posts_left(engine) &&
	       (commands == NULL || commands->ops->arm(commands)) &&
	       engine->executor->ops->arm(engine->executor);
}

uint64_t wyn_engine_next_ns(const struct wyn_engine *engine)
{
	return wyn_timers_next_ns(&engine->timers);
}

const struct wyn_stats *wyn_engine_stats(const struct wyn_engine *engine)
{
	return &engine->stats;
}

bool wyn_engine_keeps(const struct wyn_engine *engine)
{
	return engine->keepers_count > 0;
}

size_t wyn_engine_in_executor(const struct wyn_engine *engine)
{
	return engine->dispatch.in_flight + engine->dispatch.emptied +
	       engine->commands_running;
}

void wyn_engine_linger_cut(struct wyn_engine *engine)
{
	WYN_STATS_ADD(&engine->stats, lingering_over_max, 1);
}
