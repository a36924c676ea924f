// SPDX-License-Identifier: MIT
/*
 * conn_strip.c - see conn_strip.h.
 */
#include "daemon/engine/conn_strip.h"

#include <stdlib.h>

#include "daemon/run/account.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/conn_stream.h"
#include "daemon/engine/conn_work.h"
#include "daemon/engine/dispatch.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/keeper.h"
#include "daemon/engine/reply.h"

uint32_t wyn_conn_strip_most(
	const struct wyn_span *span, uint64_t cost_ns, uint64_t most)
{
	const struct wyn_submit_options *options = &span->batch->options;
	uint64_t fits = WYN_STRIP_NS / (cost_ns > 0 ? cost_ns : 1);

	/* What has a time of its own, emits or blocks is known by itself. */
	if (options->timeout_ms != 0 || options->deadline_ms != 0 ||
		wyn_keeper_wants(span->batch) ||
		wyn_conn_takes_place(span->batch) || span->slow || fits < 2) {
		return 0;
	}
	most = most < span->args.count ? most : span->args.count;
	most = most < fits ? most : fits;
	return most < WYN_STRIP_TASKS_MAX ? (uint32_t)most
					  : WYN_STRIP_TASKS_MAX;
}

static struct wyn_strip *strip_acquire(struct wyn_engine *engine)
{
	struct wyn_list *link = wyn_list_pop_front(&engine->free_strips);
	struct wyn_strip *strip;

	if (link != NULL) {
		engine->free_strips_count--;
		return wyn_list_entry(link, struct wyn_strip, link);
	}
	strip = aligned_alloc(_Alignof(struct wyn_strip), sizeof(*strip));
	if (strip != NULL) {
		wyn_list_init(&strip->link);
		wyn_list_init(&strip->rows);
	}
	return strip;
}

/* All but the job, the link and what needs no beginning. */
static void strip_fill(struct wyn_strip *strip, const struct wyn_conn *conn,
	struct wyn_batch *batch)
{
	const struct wyn_limits *limits = &conn->engine->limits;

	strip->job.run = wyn_strip_run;
	strip->function = batch->function;
	atomic_init(&strip->next, 0);
	atomic_init(&strip->unwanted, 0);
	strip->runs = 0;
	strip->odds = 0;
	strip->value_bytes = 0;
	strip->run_ns = 0;
	strip->now = (struct wyn_outcome){
		.account = conn->account,
		.value_bytes_max = limits->value_bytes_max,
	};
	strip->batch = batch;
	strip->owner = batch->owner;
	strip->received_ns = batch->received_ns;
	strip->after = NULL;
	strip->first = strip;
	strip->stalled = false;
	strip->due = 0;
	strip->sent = 0;
	strip->sent_bytes = 0;
	strip->due_tasks = 0;
	strip->due_bytes = 0;
	strip->watched = 0;
	strip->returned = false;
	strip->answered = false;
}

struct wyn_strip *wyn_conn_strip_take(
	struct wyn_conn *conn, struct wyn_span *span, uint32_t count)
{
	struct wyn_strip *strip = strip_acquire(conn->engine);

	if (strip == NULL) {
		return NULL;
	}
	strip_fill(strip, conn, span->batch);
	wyn_span_take_run(span, count, &strip->first_seq, &strip->args);
	strip->count = count;
	strip->kept = count;
	strip->argument_bytes = strip->args.bytes_total;
	wyn_batch_hold(strip->batch);
	wyn_account_hold(conn->account);
	wyn_list_push_back(&conn->strips, &strip->link);
	return strip;
}

/* Outcomes that nobody has taken. */
static void odds_clear(struct wyn_strip *strip)
{
	for (uint32_t i = 0; strip->odds > 0 && i < strip->kept; i++) {
		if (strip->ends[i] == WYN_STRIP_ODD) {
			wyn_outcome_clear(strip->odd[i]);
			free(strip->odd[i]);
		}
	}
}

void wyn_conn_strip_release(struct wyn_engine *engine, struct wyn_strip *strip)
{
	wyn_list_remove(&strip->link);
	odds_clear(strip);
	wyn_account_release(strip->now.account);
	wyn_engine_unhold(engine, 0, wyn_batch_release(strip->batch));
	if (engine->free_strips_count >= WYN_STRIPS_FREE_MAX) {
		free(strip);
		return;
	}
	wyn_list_push_front(&engine->free_strips, &strip->link);
	engine->free_strips_count++;
}

/* One of its tasks is answered in its stead. */
static void one_answer(struct wyn_conn *conn, const struct wyn_strip *strip,
	uint32_t index, const struct wyn_element *element,
	const struct wyn_answer *answer)
{
	wyn_engine_unhold(conn->engine, 1, 0);
	wyn_conn_answer(conn, answer, strip->first_seq + index, 1, 1,
		element->argument.len);
}

/* An odd one goes on as a task of its own. */
static void odd_go_on(struct wyn_conn *conn, struct wyn_strip *strip,
	uint32_t index, const struct wyn_element *element)
{
	static const struct wyn_answer no_memory = {
		.refusal = WYN_REFUSAL_DAEMON_BYTES_MAX,
		.text = "the server has no memory for what the task returned",
		.ran = WYN__V1__RAN__RAN_YES,
	};
	struct wyn_task *task = wyn_dispatch_task(conn, strip->batch);

	if (task == NULL) {
		wyn_outcome_clear(strip->odd[index]);
		one_answer(conn, strip, index, element, &no_memory);
	} else {
		task->element = *element;
		task->seq = strip->first_seq + index;
		task->outcome = *strip->odd[index];
		task->outcome.small = task->small_value;
		task->ran = true;
		wyn_reply_add(conn, task);
	}
	free(strip->odd[index]);
	strip->ends[index] = WYN_STRIP_LOST;
}

/* One that did not end plainly leaves the strip. */
static void leave(struct wyn_conn *conn, struct wyn_strip *strip,
	uint32_t index, const struct wyn_element *element)
{
	static const struct wyn_answer dropped = {
		.refusal = WYN_REFUSAL_CANCELLED_BY_CLIENT,
	};
	/* How many ran is the worker's to say until the strip is back. */
	bool ran = !strip->returned || strip->runs > 0;
	const struct wyn_answer lost = {
		.refusal = WYN_REFUSAL_DAEMON_BYTES_MAX,
		.text = "the server has no memory for the task",
		.ran = ran ? WYN__V1__RAN__RAN_YES : WYN__V1__RAN__RAN_NO,
	};

	switch (strip->ends[index]) {
	case WYN_STRIP_ODD:
		odd_go_on(conn, strip, index, element);
		break;
	case WYN_STRIP_DROPPED:
		one_answer(conn, strip, index, element, &dropped);
		break;
	default:
		one_answer(conn, strip, index, element, &lost);
	}
}

/* Looks at each of the tasks from `due` to `end`. */
static void each_due(
	struct wyn_conn *conn, struct wyn_strip *strip, uint32_t end)
{
	struct wyn_args args = wyn_strip_args_from(strip, strip->due);
	struct wyn_element element;

	for (uint32_t i = strip->due; i < end; i++) {
		(void)wyn_element_take(&args, &element);
		strip->argument_bytes -= element.argument.len;
		if (strip->ends[i] == WYN_STRIP_PLAIN) {
			strip->due_tasks++;
			strip->due_bytes += element.argument.len;
		} else {
			leave(conn, strip, i, &element);
		}
	}
}

void wyn_conn_strip_due(
	struct wyn_conn *conn, struct wyn_strip *strip, uint32_t end)
{
	if (strip->returned && strip->odds == 0 && strip->due == 0) {
		strip->due_tasks = end;
		strip->due_bytes = strip->argument_bytes;
	} else {
		each_due(conn, strip, end);
	}
	strip->due = end;
	if (strip->due_tasks > 0 && wyn_list_empty(&strip->rows)) {
		wyn_list_push_back(&conn->strips_due, &strip->rows);
		conn->unsent_bytes += sizeof(*strip);
		wyn_engine_activate(conn);
	}
}

/* Some of its rows went out early; only their credit was kept. */
static void strip_forget(struct wyn_conn *conn, struct wyn_strip *strip)
{
	uint32_t tasks = strip->kept - strip->due;

	wyn_credit_return(&conn->tasks, tasks);
	wyn_credit_return(&conn->bytes, strip->argument_bytes);
	wyn_engine_unhold(conn->engine, tasks, 0);
	wyn_engine_activate(conn);
}

void wyn_conn_strip_returned(struct wyn_engine *engine, struct wyn_strip *strip)
{
	struct wyn_conn *conn = wyn_engine_owner(engine, strip->owner);
	uint32_t runs = strip->runs;

	wyn_dispatch_done(engine, &strip->charge, strip->kept,
		runs > 0 ? (strip->run_ns + runs - 1) / runs : 0);
	WYN_STATS_ADD(&engine->stats, tasks_returned, strip->kept);
	engine->dispatch.strips -= wyn_conn_strip_hides(strip);
	engine->dispatch.emptied -= strip->kept == 0;
	wyn_list_remove(&strip->link);
	strip->returned = true;
	if (conn == NULL || conn->phase >= WYN_CONN_CLOSING) {
		uint32_t tasks = strip->kept - strip->due;

		WYN_STATS_ADD(&engine->stats, tasks_discarded,
			strip->answered ? 0 : tasks);
		wyn_engine_unhold(engine, tasks, 0);
	} else if (strip->answered) {
		strip_forget(conn, strip);
	} else {
		wyn_conn_strip_due(conn, strip, strip->kept);
	}
	if (wyn_list_empty(&strip->rows)) {
		wyn_conn_strip_release(engine, strip);
	}
}
