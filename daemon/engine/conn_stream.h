// SPDX-License-Identifier: MIT
/*
 * conn_stream.h - the places for tasks that emit or block, and who may have
 * them.
 *
 * Private to the engine. Such a task may wait for its client, or for something
 * else, in the middle of a worker, so there is a bound for all, and for those
 * that emit one for each connection. All of it runs on the connection's loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/run/batch.h"
#include "daemon/modules/module.h"

struct wyn_conn;
struct wyn_span;

/* wyn_conn_blocks - its tasks run beside the workers. */
static inline bool wyn_conn_blocks(const struct wyn_batch *batch)
{
	return (batch->function->flags & WYN_FUNCTION_BLOCKING) != 0;
}

/* wyn_conn_takes_place - its tasks take a place until they are back. What a
 * command writes waits in its pipe, and keeps no worker. */
static inline bool wyn_conn_takes_place(const struct wyn_batch *batch)
{
	return batch->command == NULL &&
	       (batch->options.stream || wyn_conn_blocks(batch));
}

/*
 * wyn_conn_streams_left - so many more tasks that take a place may be started,
 * of those that emit or of those that only block.
 *
 * Each may emit max-stream before anything of it is sent, so that as many as
 * the executor holds would be far beyond max-output; yet as many as keep the
 * workers busy. And each may take a spare thread until it ends, of which the
 * others are to find as many as it has, or one less; that bounds both.
 */
uint64_t wyn_conn_streams_left(const struct wyn_conn *conn, bool emits);

/*
 * wyn_conn_starve - the span, which is first in its queue, takes places, and
 * none such may be started: the queue is passed over until one can.
 */
void wyn_conn_starve(struct wyn_conn *conn, const struct wyn_span *span);

/* wyn_conn_feed - its queues take turns again, if it starves and could start
 * one. */
void wyn_conn_feed(struct wyn_conn *conn);

/*
 * wyn_conn_streams_moved - whether partial values of it went out, or were let
 * go, since this was last told.
 */
void wyn_conn_streams_moved(struct wyn_conn *conn, bool moved);

/*
 * wyn_conn_streams_check - has it starved for stall_ns, then those streams end
 * that have stood still for the longest, if it was for stall_ns too.
 *
 * Only where one connection has more places than who starves: the others have
 * no more than they would leave it. Comes with each connection's keepalive.
 */
void wyn_conn_streams_check(struct wyn_conn *conn, uint64_t stall_ns);
