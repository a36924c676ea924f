// SPDX-License-Identifier: MIT
/*
 * conn_life.c - how a connection begins, is kept alive, and ends.
 */
#include <errno.h>
#include <stdlib.h>

#include "daemon/run/account.h"
#include "daemon/engine/conn.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/conn_stream.h"
#include "daemon/engine/conn_upload.h"
#include "daemon/engine/conn_work.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/keeper.h"

static void ping_send(struct wyn_conn *conn)
{
	Wyn__V1__Ping ping = WYN__V1__PING__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	ping.token = ++conn->misses;
	frame.body_case = WYN__V1__FRAME__BODY_PING;
	frame.ping = &ping;
	wyn_conn_send(conn, &frame);
}

static uint64_t silence_ns(const struct wyn_conn *conn)
{
	return conn->engine->limits.keepalive_ms * WYN_NS_PER_MS;
}

static bool is_settled(const struct wyn_conn *conn)
{
	return conn->phase == WYN_CONN_CLOSING && !conn->failed;
}

/* An OPEN one is asked. After Finish a client need not say anything, so only
 * what it does not collect counts against it. */
static bool is_in_default(const struct wyn_conn *conn)
{
	return conn->phase == WYN_CONN_OPEN ||
	       conn->output.bytes + conn->unsent_bytes > 0;
}

static void stalled(struct wyn_conn *conn)
{
	if (is_settled(conn)) {
		/* An Error would wait behind what it does not read. */
		WYN_STATS_ADD(&conn->engine->stats, connections_failed, 1);
		conn->failure = "KEEPALIVE_TIMEOUT";
		wyn_conn_abort(conn);
		return;
	}
	wyn_conn_fail(conn, WYN_STATUS_DEADLINE_EXCEEDED, "KEEPALIVE_TIMEOUT",
		conn->phase == WYN_CONN_OPEN
			? "nothing was heard after two Pings"
			: "what is left was not read");
}

static void keepalive_check(struct wyn_conn *conn, uint64_t now_ns)
{
	uint64_t stall_ns = (WYN_KEEPALIVE_MISSES + 1) * silence_ns(conn);

	wyn_conn_uploads_check(conn, stall_ns);
	wyn_conn_streams_check(conn, stall_ns);
	if (now_ns - conn->heard_ns < silence_ns(conn)) {
		wyn_conn_keepalive(conn, conn->heard_ns);
		return;
	}
	/* Its transport can see whether a peer that half-closed is gone. */
	wyn_engine_touch(conn);
	if (!is_in_default(conn)) {
		conn->misses = 0;
	} else if (conn->misses == WYN_KEEPALIVE_MISSES) {
		stalled(conn);
		return;
	} else if (conn->phase == WYN_CONN_OPEN) {
		ping_send(conn);
	} else {
		conn->misses++;
	}
	wyn_conn_keepalive(conn, now_ns);
}

static void timer_fire(struct wyn_timer *timer, uint64_t now_ns)
{
	struct wyn_conn *conn = WYN_CONTAINER_OF(timer, struct wyn_conn, timer);

	if (conn->phase <= WYN_CONN_HELLO) {
		wyn_conn_fail(conn, WYN_STATUS_DEADLINE_EXCEEDED,
			"HELLO_TIMEOUT", "no Hello came in time");
	} else if (conn->phase == WYN_CONN_CLOSED || conn->failed) {
		wyn_conn_abort(conn);
	} else {
		keepalive_check(conn, now_ns);
	}
}

void wyn_conn_keepalive(struct wyn_conn *conn, uint64_t from_ns)
{
	if (wyn_timers_arm(&conn->engine->timers, &conn->timer,
		    from_ns + silence_ns(conn)) < 0) {
		wyn_conn_abort(conn);
	}
}

static void slot_take(struct wyn_engine *engine, struct wyn_conn *conn)
{
	uint32_t index = engine->slots_free - 1;
	struct wyn_owner_slot *slot = &engine->slots[index];

	engine->slots_free = slot->next_free;
	slot->conn = conn;
	conn->id = (uint64_t)slot->generation << 32 | index;
}

static void slot_give_back(struct wyn_engine *engine, struct wyn_conn *conn)
{
	uint32_t index = (uint32_t)conn->id;
	struct wyn_owner_slot *slot = &engine->slots[index];

	slot->conn = NULL;
	slot->generation++;
	/* Generation 0 is nobody's: see wyn_conn_abandon(). */
	slot->generation += slot->generation == 0;
	slot->next_free = engine->slots_free;
	engine->slots_free = index + 1;
}

static void conn_init(struct wyn_conn *conn, struct wyn_engine *engine)
{
	const struct wyn_limits *limits = &engine->limits;

	conn->engine = engine;
	wyn_list_init(&conn->active);
	wyn_list_init(&conn->dirty);
	wyn_list_init(&conn->worked);
	wyn_list_init(&conn->keepers);
	wyn_list_init(&conn->uploads);
	wyn_list_init(&conn->running);
	wyn_list_init(&conn->strips);
	wyn_list_init(&conn->strips_due);
	wyn_list_init(&conn->starved);
	wyn_list_init(&conn->stalled);
	wyn_list_init(&conn->waiting);
	wyn_list_init(&conn->done);
	wyn_list_init(&conn->large);
	wyn_list_init(&conn->verdicts);
	conn->partials_tail = &conn->partials;
	wyn_output_init(&conn->output, &engine->segments);
	wyn_ready_owner_init(&conn->ready);
	wyn_ready_owner_init(&conn->commands);
	wyn_list_init(&conn->inputs);
	wyn_credit_init(&conn->tasks, limits->credit_tasks);
	wyn_credit_init(&conn->bytes, limits->credit_bytes);
	conn->next_seq = 1;
	conn->timer.fire = timer_fire;
}

static struct wyn_conn *conn_alloc(struct wyn_engine *engine)
{
	struct wyn_shared *shared = engine->shared;
	struct wyn_conn *conn = calloc(1, sizeof(*conn));

	if (conn == NULL) {
		return NULL;
	}
	conn->account = wyn_account_create(
		&shared->values_held, engine->limits.daemon_bytes_max);
	if (conn->account == NULL) {
		free(conn);
		return NULL;
	}
	return conn;
}

int wyn_engine_open(struct wyn_engine *engine, const struct wyn_peer *peer,
	void *transport, uint64_t now_ns, struct wyn_conn **ret_conn)
{
	const struct wyn_limits *limits = &engine->limits;
	struct wyn_conn *conn;

	/* The places of keepers are theirs. */
	if (engine->conns_count + WYN_KEEPERS_MAX >= engine->slots_count) {
		return -EMFILE;
	}
	conn = conn_alloc(engine);
	if (conn == NULL) {
		return -ENOMEM;
	}
	engine->now_ns = now_ns;
	conn_init(conn, engine);
	conn->transport = transport;
	conn->peer = *peer;
	conn->heard_ns = now_ns;
	if (wyn_timers_arm(&engine->timers, &conn->timer,
		    now_ns + limits->hello_ms * WYN_NS_PER_MS) < 0) {
		wyn_account_release(conn->account);
		free(conn);
		return -ENOMEM;
	}
	slot_take(engine, conn);
	conn->number =
		1 + atomic_fetch_add_explicit(&engine->shared->conns_used, 1,
			    memory_order_relaxed);
	wyn_list_push_back(&engine->conns, &conn->link);
	engine->conns_count++;
	WYN_STATS_ADD(&engine->stats, connections_accepted, 1);
	if (atomic_fetch_add_explicit(&engine->shared->connections, 1,
		    memory_order_relaxed) >= limits->connections_max) {
		WYN_STATS_ADD(&engine->stats, connections_over_max, 1);
		if (engine->shared->crowded != NULL) {
			engine->shared->crowded(engine->shared);
		}
		wyn_conn_fail(conn, WYN_STATUS_RESOURCE_EXHAUSTED,
			"CONNECTIONS_MAX",
			"the server has as many connections as it may");
	}
	wyn_engine_touch(conn);
	*ret_conn = conn;
	return 0;
}

static void conn_free(struct wyn_conn *conn)
{
	struct wyn_engine *engine = conn->engine;

	slot_give_back(engine, conn);
	wyn_timers_disarm(&engine->timers, &conn->timer);
	wyn_list_remove(&conn->link);
	wyn_list_remove(&conn->active);
	wyn_list_remove(&conn->dirty);
	wyn_list_remove(&conn->worked);
	wyn_list_remove(&conn->starved);
	wyn_list_remove(&conn->stalled);
	wyn_output_fini(&conn->output);
	wyn_conn_carry_release(conn);
	wyn_account_release(conn->account);
	free(conn);
}

void wyn_conn_gone(struct wyn_conn *conn, uint64_t now_ns)
{
	struct wyn_engine *engine = conn->engine;

	engine->now_ns = now_ns;
	conn->phase = WYN_CONN_CLOSED;
	wyn_conn_abandon(conn);
	engine->conns_count--;
	WYN_STATS_ADD(&engine->stats, connections_closed, 1);
	atomic_fetch_sub_explicit(
		&engine->shared->connections, 1, memory_order_relaxed);
	conn_free(conn);
}

struct wyn_conn *wyn_conn_keeper(
	struct wyn_engine *engine, const struct wyn_peer *peer)
{
	struct wyn_conn *keeper;

	keeper = conn_alloc(engine);
	if (keeper == NULL) {
		return NULL;
	}
	conn_init(keeper, engine);
	keeper->peer = *peer;
	keeper->phase = WYN_CONN_KEEPER;
	slot_take(engine, keeper);
	keeper->number =
		1 + atomic_fetch_add_explicit(&engine->shared->conns_used, 1,
			    memory_order_relaxed);
	wyn_list_push_back(&engine->conns, &keeper->link);
	wyn_list_push_back(&engine->keepers, &keeper->keepers);
	engine->keepers_count++;
	return keeper;
}

void wyn_conn_keeper_free(struct wyn_conn *keeper)
{
	wyn_list_remove(&keeper->keepers);
	keeper->engine->keepers_count--;
	conn_free(keeper);
}
