// SPDX-License-Identifier: MIT
/*
 * recall.c - see recall.h. The loop's thread only.
 */
#include "daemon/engine/recall.h"

#include <stdatomic.h>

#include "daemon/engine/conn_state.h"
#include "daemon/engine/conn_strips.h"
#include "daemon/engine/dispatch.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/keeper.h"
#include "daemon/engine/reply.h"

static bool has_begun(const struct wyn_task *task)
{
	/* [start] relaxed: nothing is done with the time. */
	return atomic_load_explicit(&task->started_ns, memory_order_relaxed) !=
	       0;
}

/* A command takes what it takes, and no worker. */
static bool is_command(const struct wyn_task *task)
{
	return task->batch->command != NULL;
}

/* Whatever was seen running before and runs still is slow. Returns: whether one
 * of a strip is, which others may be behind. */
static bool slow_find(struct wyn_engine *engine, struct wyn_conn *conn)
{
	struct wyn_list *link;

	wyn_list_for_each (link, &conn->running) {
		struct wyn_task *task =
			wyn_list_entry(link, struct wyn_task, link);

		if (is_command(task)) {
			continue;
		}
		if (has_begun(task) && task->watched) {
			wyn_dispatch_slow(engine, &task->charge);
		}
		task->watched = has_begun(task);
	}
	return wyn_conn_strips_watch(conn);
}

bool wyn_recall_is_misjudged(
	const struct wyn_engine *engine, const struct wyn_charge *charge)
{
	uint64_t ns = engine->dispatch.estimate_ns[charge->function];

	/* More than that none is charged, and those that were are not asked
	 * back: each is once at most. */
	ns = ns < WYN_DISPATCH_AHEAD_NS ? ns : WYN_DISPATCH_AHEAD_NS;
	return charge->cost_ns < ns / WYN_RECALL_MISJUDGED;
}

static void misjudged_recall(struct wyn_engine *engine, struct wyn_conn *conn)
{
	struct wyn_list *link;

	wyn_list_for_each (link, &conn->running) {
		struct wyn_task *task =
			wyn_list_entry(link, struct wyn_task, link);

		if (!is_command(task) && !has_begun(task) &&
			wyn_recall_is_misjudged(engine, &task->charge)) {
			/* [recall] pairs with the load in invoke.c. */
			atomic_store_explicit(
				&task->recalled, true, memory_order_relaxed);
		}
	}
	wyn_conn_strips_recall(conn);
}

/* So few that none can be behind another, or each worker's next one. */
static bool is_at_floor(const struct wyn_engine *engine, uint64_t tasks)
{
	return tasks <= wyn_dispatch_floor(engine) &&
	       engine->dispatch.strips == 0;
}

static void watch_fire(struct wyn_timer *timer, uint64_t now_ns)
{
	struct wyn_dispatch *dispatch =
		WYN_CONTAINER_OF(timer, struct wyn_dispatch, watch);
	struct wyn_engine *engine =
		WYN_CONTAINER_OF(dispatch, struct wyn_engine, dispatch);
	struct wyn_list *link;
	bool stalled = dispatch->watched_left > wyn_dispatch_floor(engine);

	(void)now_ns;
	if (is_at_floor(engine, dispatch->watched_left)) {
		return;
	}
	wyn_list_for_each (link, &engine->conns) {
		stalled |= slow_find(
			engine, wyn_list_entry(link, struct wyn_conn, link));
	}
	stalled |= wyn_conn_strips_watch_lone(engine);
	/* That there are strips is no stall: others may have come since. */
	WYN_STATS_ADD(&engine->stats, executor_stalled, stalled);
	wyn_list_for_each (link, &engine->conns) {
		misjudged_recall(
			engine, wyn_list_entry(link, struct wyn_conn, link));
	}
}

void wyn_recall_watch(struct wyn_engine *engine)
{
	struct wyn_dispatch *dispatch = &engine->dispatch;

	if (is_at_floor(engine, dispatch->in_flight)) {
		wyn_timers_disarm(&engine->timers, &dispatch->watch);
		return;
	}
	if (dispatch->watch.place != 0) {
		return;
	}
	dispatch->watch.fire = watch_fire;
	dispatch->watched_left = dispatch->in_flight;
	/* Without memory the next turn tries again. */
	if (wyn_timers_arm(&engine->timers, &dispatch->watch,
		    engine->now_ns + WYN_RECALL_STALL_NS) < 0) {
		dispatch->watched_left = 0;
	}
}

void wyn_recall_returned(struct wyn_engine *engine, struct wyn_task *task)
{
	WYN_STATS_ADD(&engine->stats, tasks_recalled, 1);
	wyn_list_push_back(&engine->recalled, &task->link);
}

/* The task waits again, before all else of its owner's. */
static void requeue(struct wyn_engine *engine, struct wyn_task *task)
{
	struct wyn_conn *conn = wyn_engine_owner(engine, task->owner);
	const struct wyn_part part = {
		.batch = task->batch,
		.first_seq = task->seq,
		.args = {.region = task->element.whole,
			.count = 1,
			.bytes_total = task->element.argument.len},
		.slow = true,
	};

	if (wyn_ready_give_back(&engine->ready, &conn->ready,
		    task->batch->options.priority - 1u, &part)) {
		wyn_keeper_wait(task);
		wyn_engine_task_recycle(engine, task);
		return;
	}
	task->outcome.code = WYN_STATUS_RESOURCE_EXHAUSTED;
	task->outcome.refusal = WYN_REFUSAL_DAEMON_BYTES_MAX;
	wyn_keeper_end(engine, task);
	wyn_reply_add(conn, task);
}

void wyn_recall_requeue(struct wyn_engine *engine)
{
	struct wyn_list *link;

	/* Each goes before those that came back earlier: hence from behind. */
	while ((link = wyn_list_last(&engine->recalled)) != NULL) {
		wyn_list_remove(link);
		requeue(engine, wyn_list_entry(link, struct wyn_task, link));
	}
}
