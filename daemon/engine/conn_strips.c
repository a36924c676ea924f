// SPDX-License-Identifier: MIT
/*
 * conn_strips.c - see conn_strips.h.
 */
#include "daemon/engine/conn_strips.h"

#include "daemon/engine/conn_state.h"
#include "daemon/engine/conn_strip.h"
#include "daemon/engine/dispatch.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/recall.h"

static struct wyn_strip *strip_of(struct wyn_list *link)
{
	return wyn_list_entry(link, struct wyn_strip, link);
}

static struct wyn_strip *strip_of_rows(struct wyn_list *rows)
{
	return wyn_list_entry(rows, struct wyn_strip, rows);
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
		.args = wyn_strip_args_from(strip, begun),
	};
	strip->kept = begun;
	strip->argument_bytes -= ret_rest->args.bytes_total;
	wyn_dispatch_done(
		conn->engine, &strip->charge, ret_rest->args.count, 0);
	conn->engine->dispatch.emptied += begun == 0;
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
		if (strip->kept == strip->due || strip->answered) {
			continue;
		}
		told.ran = WYN__V1__RAN__RAN_YES;
		strip->answered = true;
		wyn_strip_unwant(strip, UINT32_MAX);
		wyn_conn_answer(conn, &told, strip->first_seq + strip->due,
			strip->kept - strip->due, 0, 0);
	}
}

void wyn_conn_strips_recall(struct wyn_conn *conn)
{
	struct wyn_list *link = conn->strips.prev;

	/* Each goes before those that came back earlier: hence from behind. */
	for (; link != &conn->strips; link = link->prev) {
		struct wyn_strip *strip = strip_of(link);
		bool slow =
			wyn_recall_is_misjudged(conn->engine, &strip->charge);
		struct wyn_part rest;

		if ((slow || strip->first->stalled) &&
			rest_take(conn, strip, &rest)) {
			WYN_STATS_ADD(&conn->engine->stats, tasks_recalled,
				rest.args.count);
			rest.slow = slow;
			rest_requeue(conn, &rest);
		}
	}
}

/* conn: NULL = its owner is gone. Returns: whether the latest task was that at
 * the last watch, and has not ended. */
static bool strip_watch(struct wyn_engine *engine, struct wyn_conn *conn,
	struct wyn_strip *strip)
{
	uint32_t begun = wyn_strip_begun(strip);
	uint32_t ended = wyn_strip_ended(strip);
	bool stayed = begun > 0 && begun == strip->watched;

	strip->watched = begun;
	/* It was out for long: what has ended does not wait for what may be
	 * slow. */
	if (stayed && conn != NULL && !strip->answered && ended > strip->due) {
		wyn_conn_strip_due(conn, strip, ended);
	}
	if (!stayed || begun <= ended) {
		return false;
	}
	wyn_dispatch_slow(engine, &strip->charge);
	strip->first->stalled = true;
	return true;
}

bool wyn_conn_strips_watch(struct wyn_conn *conn)
{
	struct wyn_list *link;
	bool some = false;

	wyn_list_for_each (link, &conn->strips) {
		some |= strip_watch(conn->engine, conn, strip_of(link));
	}
	return some;
}

bool wyn_conn_strips_watch_lone(struct wyn_engine *engine)
{
	struct wyn_list *link;
	bool some = false;

	wyn_list_for_each (link, &engine->dispatch.lone) {
		some |= strip_watch(engine, NULL, strip_of(link));
	}
	return some;
}

/* What is due will not be sent. */
static void due_drop(struct wyn_engine *engine, struct wyn_strip *strip)
{
	wyn_list_remove(&strip->rows);
	WYN_STATS_ADD(&engine->stats, tasks_discarded, strip->due_tasks);
	wyn_engine_unhold(engine, strip->due_tasks, 0);
	if (strip->returned) {
		wyn_conn_strip_release(engine, strip);
	}
}

void wyn_conn_strips_abandon(struct wyn_conn *conn)
{
	struct wyn_list *link;

	while ((link = wyn_list_first(&conn->strips_due)) != NULL) {
		due_drop(conn->engine, strip_of_rows(link));
	}
	while ((link = wyn_list_pop_front(&conn->strips)) != NULL) {
		/* The engine's table no longer leads from it to here. */
		strip_of(link)->owner = 0;
		wyn_strip_unwant(strip_of(link), UINT32_MAX);
		/* Others may share its job, and wait for it. */
		wyn_list_push_back(&conn->engine->dispatch.lone, link);
	}
}
