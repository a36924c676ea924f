// SPDX-License-Identifier: MIT
/*
 * conn_stream.h - the places for tasks that emit, and who may have them.
 *
 * Private to the engine. Such a task may wait for its client in the middle of a
 * worker, so there is a bound for all and one for each connection. All of it
 * runs on the connection's loop.
 */
#pragma once

#include <stdint.h>

struct wyn_conn;
struct wyn_span;

/*
 * wyn_conn_streams_left - so many more tasks that emit may be started.
 *
 * Each may emit max-stream before anything of it is sent, so that as many as
 * the executor holds would be far beyond max-output; yet as many as keep the
 * workers busy. And each may take a spare thread until it ends, of which the
 * others are to find as many as it has.
 */
uint64_t wyn_conn_streams_left(const struct wyn_conn *conn);

/*
 * wyn_conn_starve - the span, which is first in its queue, may emit, and none
 * such may be started: the queue is passed over until one can.
 */
void wyn_conn_starve(struct wyn_conn *conn, const struct wyn_span *span);

/* wyn_conn_feed - its queues take turns again, if it starves and could start
 * one. */
void wyn_conn_feed(struct wyn_conn *conn);
