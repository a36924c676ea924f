// SPDX-License-Identifier: MIT
/*
 * conn_stream.c - see conn_stream.h.
 */
#include "daemon/conn_stream.h"

#include "daemon/conn_state.h"
#include "daemon/dispatch.h"
#include "daemon/engine_state.h"

uint64_t wyn_conn_streams_left(const struct wyn_conn *conn)
{
	const struct wyn_engine *engine = conn->engine;
	const struct wyn_limits *limits = &engine->shared->limits;
	uint64_t most = limits->output_bytes_max / limits->stream_bytes_max;
	uint64_t busy = engine->executor->ops->width(engine->executor) *
			WYN_DISPATCH_PER_WORKER;
	/* Each loop has its part of them. */
	uint64_t spare = WYN_STREAMS_MAX / engine->shared->engines_count -
			 engine->streaming;

	most = most > busy ? most : busy;
	most = conn->streaming < most ? most - conn->streaming : 0;
	spare = conn->streaming < spare ? (spare - conn->streaming) / 2 : 0;
	return most < spare ? most : spare;
}

void wyn_conn_starve(struct wyn_conn *conn, const struct wyn_span *span)
{
	struct wyn_engine *engine = conn->engine;

	if (wyn_list_empty(&conn->starved)) {
		wyn_list_push_back(&engine->starved, &conn->starved);
	}
	wyn_ready_hold_queue(&engine->ready, &conn->ready,
		span->batch->options.priority - 1u);
}

void wyn_conn_feed(struct wyn_conn *conn)
{
	if (wyn_list_empty(&conn->starved) ||
		wyn_conn_streams_left(conn) == 0) {
		return;
	}
	wyn_list_remove(&conn->starved);
	wyn_ready_release_queues(&conn->engine->ready, &conn->ready);
	/* Its tasks may start, which takes a turn. */
	wyn_engine_activate(conn);
}
