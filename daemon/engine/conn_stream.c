// SPDX-License-Identifier: MIT
/*
 * conn_stream.c - see conn_stream.h.
 */
#include "daemon/engine/conn_stream.h"

#include "daemon/engine/conn_state.h"
#include "daemon/engine/conn_work.h"
#include "daemon/engine/dispatch.h"
#include "daemon/engine/engine_state.h"

uint64_t wyn_conn_streams_left(const struct wyn_conn *conn, bool emits)
{
	const struct wyn_engine *engine = conn->engine;
	const struct wyn_limits *limits = &engine->limits;
	uint64_t most = limits->output_bytes_max / limits->stream_bytes_max;
	uint64_t busy = engine->executor->ops->width(engine->executor) *
			WYN_DISPATCH_PER_WORKER;
	/* Each loop has its part of them. */
	uint64_t spare = WYN_STREAMS_MAX / engine->shared->engines_count -
			 engine->streaming;

	most = most > busy ? most : busy;
	most = conn->streaming < most ? most - conn->streaming : 0;
	/* Rounded up, so that the last place is somebody's. */
	spare = conn->streaming < spare ? (spare - conn->streaming + 1) / 2 : 0;
	return emits && most < spare ? most : spare;
}

void wyn_conn_starve(struct wyn_conn *conn, const struct wyn_span *span)
{
	struct wyn_engine *engine = conn->engine;

	if (wyn_list_empty(&conn->starved)) {
		wyn_list_push_back(&engine->starved, &conn->starved);
	}
	if (conn->starved_ns == 0) {
		conn->starved_ns = engine->now_ns;
	}
	conn->starved_emits = span->batch->options.stream;
	wyn_ready_hold_queue(&engine->ready, &conn->ready,
		span->batch->options.priority - 1u);
}

void wyn_conn_feed(struct wyn_conn *conn)
{
	if (wyn_list_empty(&conn->starved) ||
		wyn_conn_streams_left(conn, conn->starved_emits) == 0) {
		return;
	}
	wyn_list_remove(&conn->starved);
	wyn_ready_release_queues(&conn->engine->ready, &conn->ready);
	/* Its tasks may start, which takes a turn. */
	wyn_engine_activate(conn);
}

/* Who has places and does not get on is in the engine's list, and whoever gets
 * on goes behind the others, so that the list is in the order of time. */
void wyn_conn_streams_moved(struct wyn_conn *conn, bool moved)
{
	if (conn->partials == NULL || conn->streaming == 0) {
		wyn_list_remove(&conn->stalled);
	} else if (moved || wyn_list_empty(&conn->stalled)) {
		wyn_list_remove(&conn->stalled);
		wyn_list_push_back(&conn->engine->stalled, &conn->stalled);
		conn->stalled_ns = conn->engine->now_ns;
	}
}

/* Looking again does not end it: all do so with each place that comes free, and
 * not all get one. Beginning a stream does, or having none that waits. */
static bool has_starved(struct wyn_conn *conn, uint64_t stall_ns)
{
	if (!wyn_ready_has_held_queue(&conn->ready)) {
		conn->starved_ns = 0;
	}
	return conn->starved_ns != 0 &&
	       conn->engine->now_ns - conn->starved_ns >= stall_ns;
}

/* The list is no longer than there are places. */
void wyn_conn_streams_check(struct wyn_conn *conn, uint64_t stall_ns)
{
	struct wyn_engine *engine = conn->engine;
	struct wyn_list *link;

	if (!has_starved(conn, stall_ns)) {
		return;
	}
	wyn_list_for_each (link, &engine->stalled) {
		struct wyn_conn *other =
			wyn_list_entry(link, struct wyn_conn, stalled);

		if (engine->now_ns - other->stalled_ns < stall_ns) {
			return;
		}
		if (other->streaming > conn->streaming &&
			wyn_conn_streams_end(other)) {
			return;
		}
	}
}
