// SPDX-License-Identifier: MIT
/*
 * conn_strip.c - see conn_strip.h.
 */
#include "daemon/conn_strip.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "daemon/account.h"
#include "daemon/conn_state.h"
#include "daemon/dispatch.h"
#include "daemon/engine_state.h"
#include "daemon/recall.h"
#include "daemon/reply.h"

static struct wyn_strip *strip_of(struct wyn_list *link)
{
	return wyn_list_entry(link, struct wyn_strip, link);
}

uint32_t wyn_conn_strip_most(
	const struct wyn_span *span, uint64_t cost_ns, uint64_t most)
{
	const struct wyn_submit_options *options = &span->batch->options;
	uint64_t fits = WYN_STRIP_NS / (cost_ns > 0 ? cost_ns : 1);

	/* What has a time of its own, or emits, is known by itself. */
	if (options->timeout_ms != 0 || options->deadline_ms != 0 ||
		options->stream || span->slow) {
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
		return strip_of(link);
	}
	strip = aligned_alloc(_Alignof(struct wyn_strip), sizeof(*strip));
	if (strip != NULL) {
		wyn_list_init(&strip->link);
	}
	return strip;
}

/* All but the job, the link and what needs no beginning. */
static void strip_fill(struct wyn_strip *strip, const struct wyn_conn *conn,
	struct wyn_batch *batch)
{
	const struct wyn_limits *limits = &conn->engine->shared->limits;

	strip->job.run = wyn_strip_run;
	strip->function = batch->function;
	atomic_init(&strip->next, 0);
	atomic_init(&strip->unwanted, 0);
	strip->plain = 0;
	strip->dropped = 0;
	strip->lost = 0;
	strip->runs = 0;
	strip->value_bytes = 0;
	strip->run_ns = 0;
	strip->odd = NULL;
	strip->now = (struct wyn_outcome){
		.account = conn->account,
		.value_bytes_max = limits->value_bytes_max,
	};
	strip->batch = batch;
	strip->owner = batch->owner;
	strip->received_ns = batch->received_ns;
	strip->watched = 0;
	strip->sent = 0;
	strip->sent_bytes = 0;
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

void wyn_conn_strip_release(struct wyn_engine *engine, struct wyn_strip *strip)
{
	wyn_list_remove(&strip->link);
	wyn_strip_clear(strip);
	wyn_account_release(strip->now.account);
	wyn_engine_unhold(engine, strip->kept, wyn_batch_release(strip->batch));
	if (engine->free_strips_count >= WYN_STRIPS_FREE_MAX) {
		free(strip);
		return;
	}
	wyn_list_push_front(&engine->free_strips, &strip->link);
	engine->free_strips_count++;
}

/* The argument of a task of the strip. */
static struct wyn_element element_of(
	const struct wyn_strip *strip, uint32_t index)
{
	struct wyn_args args = strip->args;
	struct wyn_element element;

	for (uint32_t i = 0; i <= index; i++) {
		(void)wyn_element_take(&args, &element);
	}
	return element;
}

/* It answers for one task less. */
static void strip_lose(
	struct wyn_strip *strip, const struct wyn_element *element)
{
	wyn_assert(strip->kept > 0);
	strip->kept--;
	strip->argument_bytes -= element->argument.len;
}

/* Answers the tasks of the mask in the strip's stead. */
static void strip_answer(struct wyn_conn *conn, struct wyn_strip *strip,
	uint32_t mask, const struct wyn_answer *answer)
{
	while (mask != 0) {
		uint32_t index = (uint32_t)__builtin_ctz(mask);
		struct wyn_element element = element_of(strip, index);

		mask &= mask - 1;
		strip_lose(strip, &element);
		wyn_engine_unhold(conn->engine, 1, 0);
		wyn_conn_answer(conn, answer, strip->first_seq + index, 1, 1,
			element.argument.len);
	}
}

/* What is odd goes on as a task of its own. */
static void odd_answer(
	struct wyn_conn *conn, struct wyn_strip *strip, struct wyn_odd *odd)
{
	static const struct wyn_answer no_memory = {
		.refusal = WYN_REFUSAL_DAEMON_BYTES_MAX,
		.text = "the server has no memory for what the task returned",
		.ran = WYN__V1__RAN__RAN_YES,
	};
	struct wyn_task *task = wyn_dispatch_task(conn, strip->batch);

	if (task == NULL) {
		strip_answer(conn, strip, 1u << odd->index, &no_memory);
		wyn_outcome_clear(&odd->outcome);
		return;
	}
	task->element = element_of(strip, odd->index);
	task->seq = strip->first_seq + odd->index;
	task->outcome = odd->outcome;
	task->outcome.small = task->small_value;
	task->ran = true;
	strip_lose(strip, &task->element);
	wyn_reply_add(conn, task);
}

/* Those that did not end plainly leave the strip. */
static void odds_leave(struct wyn_conn *conn, struct wyn_strip *strip)
{
	static const struct wyn_answer dropped = {
		.refusal = WYN_REFUSAL_CANCELLED_BY_CLIENT,
	};
	const struct wyn_answer lost = {
		.refusal = WYN_REFUSAL_DAEMON_BYTES_MAX,
		.text = "the server has no memory for the task",
		.ran = strip->runs > 0 ? WYN__V1__RAN__RAN_YES
				       : WYN__V1__RAN__RAN_NO,
	};

	while (strip->odd != NULL) {
		struct wyn_odd *odd = strip->odd;

		strip->odd = odd->next;
		odd_answer(conn, strip, odd);
		free(odd);
	}
	strip_answer(conn, strip, strip->dropped, &dropped);
	strip_answer(conn, strip, strip->lost, &lost);
}

/* Its rows went out early; only its credit was kept. */
static void strip_forget(struct wyn_conn *conn, struct wyn_strip *strip)
{
	wyn_credit_return(&conn->tasks, strip->kept);
	wyn_credit_return(&conn->bytes, strip->argument_bytes);
	wyn_engine_activate(conn);
	wyn_conn_strip_release(conn->engine, strip);
}

void wyn_conn_strip_returned(struct wyn_engine *engine, struct wyn_strip *strip)
{
	struct wyn_conn *conn = wyn_engine_owner(engine, strip->owner);
	uint64_t run_ns = strip->run_ns;

	wyn_dispatch_done(engine, &strip->charge, strip->kept,
		strip->runs > 0 ? (run_ns + strip->runs - 1) / strip->runs : 0);
	engine->dispatch.strips--;
	wyn_list_remove(&strip->link);
	if (conn == NULL || conn->phase >= WYN_CONN_CLOSING) {
		WYN_STATS_ADD(&engine->stats, tasks_discarded, strip->kept);
		wyn_conn_strip_release(engine, strip);
		return;
	}
	if (strip->answered) {
		strip_forget(conn, strip);
		return;
	}
	odds_leave(conn, strip);
	if (strip->plain == 0) {
		wyn_conn_strip_release(engine, strip);
		return;
	}
	wyn_list_push_back(&conn->strips_done, &strip->link);
	conn->unsent_bytes += sizeof(*strip);
	wyn_engine_activate(conn);
}

/* The tasks that were not begun, as they stand in the batch. */
static struct wyn_args args_of_rest(
	const struct wyn_strip *strip, uint32_t begun)
{
	struct wyn_args rest = strip->args;
	struct wyn_element element;

	rest.count = strip->kept;
	for (uint32_t i = 0; i < begun; i++) {
		(void)wyn_element_take(&rest, &element);
	}
	return rest;
}

/*
 * Takes back those that nobody has begun; the strip answers no more for them.
 * Returns: false when there are none.
 */
static bool rest_take(struct wyn_conn *conn, struct wyn_strip *strip,
	struct wyn_part *ret_rest)
{
	uint32_t begun = wyn_strip_take_back(strip);

	if (begun >= strip->kept) {
		return false;
	}
	*ret_rest = (struct wyn_part){
		.batch = strip->batch,
		.first_seq = strip->first_seq + begun,
		.args = args_of_rest(strip, begun),
	};
	strip->kept = begun;
	strip->argument_bytes -= ret_rest->args.bytes_total;
	wyn_dispatch_done(
		conn->engine, &strip->charge, ret_rest->args.count, 0);
	return true;
}

/* Answers tasks that were taken back. */
static void rest_answer(struct wyn_conn *conn, const struct wyn_part *rest,
	const struct wyn_answer *answer)
{
	uint64_t count = rest->args.count;

	wyn_engine_unhold(conn->engine, count, 0);
	wyn_conn_answer(conn, answer, rest->first_seq, count, count,
		rest->args.bytes_total);
}

/* Of those that were begun, the ones in the ranges; the strip's first has the
 * key `at`. */
static void strip_unwant(
	struct wyn_strip *strip, const struct wyn_ranges *ranges, uint64_t at)
{
	uint32_t mask = 0;
	struct wyn_range part;

	for (uint32_t i = 0; i < strip->kept; i++) {
		if (wyn_ranges_meet(ranges, at + i, at + i, &part)) {
			mask |= 1u << i;
		}
	}
	wyn_strip_unwant(strip, mask);
}

static void rest_requeue(struct wyn_conn *conn, const struct wyn_part *rest)
{
	static const struct wyn_answer no_memory = {
		.refusal = WYN_REFUSAL_DAEMON_BYTES_MAX,
		.text = "the server has no memory for the task",
	};

	if (!wyn_ready_give_back(&conn->engine->ready, &conn->ready,
		    rest->batch->options.priority - 1u, rest)) {
		rest_answer(conn, rest, &no_memory);
	}
}

void wyn_conn_strips_cancel(struct wyn_conn *conn,
	const struct wyn_ranges *ranges, enum wyn_work_key key)
{
	struct wyn_list *link = conn->strips.prev;
	struct wyn_range part;

	/* Each goes before those that came back earlier: hence from behind. */
	for (; link != &conn->strips; link = link->prev) {
		struct wyn_strip *strip = strip_of(link);
		uint64_t at =
			wyn_work_key_of(strip->batch, strip->first_seq, key);
		uint64_t end = at + strip->kept;
		struct wyn_part rest;

		wyn_conn_work(conn, 1);
		if (strip->kept == 0 ||
			!wyn_ranges_meet(ranges, at, end - 1, &part)) {
			continue;
		}
		/* Those wait again, where the Cancel meets them. */
		if (rest_take(conn, strip, &rest)) {
			rest_requeue(conn, &rest);
		}
		strip_unwant(strip, ranges, at);
	}
}

void wyn_conn_strips_give_up(struct wyn_conn *conn,
	const struct wyn_answer *waiting, const struct wyn_answer *running)
{
	struct wyn_list *link;

	wyn_list_for_each (link, &conn->strips) {
		struct wyn_strip *strip = strip_of(link);
		struct wyn_answer told = *running;
		struct wyn_part rest;

		if (rest_take(conn, strip, &rest)) {
			rest_answer(conn, &rest, waiting);
		}
		if (strip->kept == 0 || strip->answered) {
			continue;
		}
		told.ran = WYN__V1__RAN__RAN_YES;
		strip->answered = true;
		wyn_strip_unwant(strip, UINT32_MAX);
		wyn_conn_answer(
			conn, &told, strip->first_seq, strip->kept, 0, 0);
	}
}

void wyn_conn_strips_recall(struct wyn_conn *conn)
{
	struct wyn_list *link = conn->strips.prev;

	/* Each goes before those that came back earlier: hence from behind. */
	for (; link != &conn->strips; link = link->prev) {
		struct wyn_strip *strip = strip_of(link);
		struct wyn_part rest;

		if (wyn_recall_is_misjudged(conn->engine, &strip->charge) &&
			rest_take(conn, strip, &rest)) {
			WYN_STATS_ADD(&conn->engine->stats, tasks_recalled,
				rest.args.count);
			rest.slow = true;
			rest_requeue(conn, &rest);
		}
	}
}

void wyn_conn_strips_watch(struct wyn_conn *conn)
{
	struct wyn_list *link;

	wyn_list_for_each (link, &conn->strips) {
		struct wyn_strip *strip = strip_of(link);
		uint32_t begun = wyn_strip_begun(strip);

		if (begun > 0 && begun == strip->watched) {
			wyn_dispatch_slow(conn->engine, &strip->charge);
		}
		strip->watched = begun;
	}
}

void wyn_conn_strips_abandon(struct wyn_conn *conn)
{
	struct wyn_engine *engine = conn->engine;
	struct wyn_list *link;

	while ((link = wyn_list_pop_front(&conn->strips)) != NULL) {
		/* The engine's table no longer leads from it to here. */
		strip_of(link)->owner = 0;
		wyn_strip_unwant(strip_of(link), UINT32_MAX);
	}
	while ((link = wyn_list_first(&conn->strips_done)) != NULL) {
		struct wyn_strip *strip = strip_of(link);

		WYN_STATS_ADD(&engine->stats, tasks_discarded, strip->kept);
		wyn_conn_strip_release(engine, strip);
	}
}
