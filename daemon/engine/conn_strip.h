// SPDX-License-Identifier: MIT
/*
 * conn_strip.h - a connection's tasks that travel in strips (strip.h).
 *
 * Private to the engine. Which tasks do, and what becomes of them when they are
 * back; conn_strips.h has what happens to them before. What is odd among them
 * becomes a task (task.h), so that large values and failures have one way only.
 * The connection's loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/run/strip.h"

struct wyn_conn;
struct wyn_engine;
struct wyn_span;

#define WYN_STRIPS_FREE_MAX 256u /* kept per loop, for reuse: 640 KiB */

/*
 * wyn_conn_strip_most - how many of the span may go in one strip, of `most`.
 *
 * cost_ns: what one is thought to take. Returns: 0 = each is a job of its own.
 */
uint32_t wyn_conn_strip_most(
	const struct wyn_span *span, uint64_t cost_ns, uint64_t most);

/*
 * wyn_conn_strip_take - moves the next `count` tasks of the span into a strip,
 * which is the connection's then.
 *
 * The caller charges it and gives it to the executor. Returns: NULL when there
 * is no memory; the span is then as it was.
 */
struct wyn_strip *wyn_conn_strip_take(
	struct wyn_conn *conn, struct wyn_span *span, uint32_t count);

/* wyn_conn_strip_hides - something in it may wait behind a task, or it behind
 * another strip. */
static inline bool wyn_conn_strip_hides(const struct wyn_strip *strip)
{
	return strip->count > 1 || strip->first != strip;
}

/* wyn_conn_strip_returned - it is back from the executor, or never went in. */
void wyn_conn_strip_returned(
	struct wyn_engine *engine, struct wyn_strip *strip);

/* wyn_conn_strip_due - the first `end` of its tasks have ended: their rows are
 * to be sent. */
void wyn_conn_strip_due(
	struct wyn_conn *conn, struct wyn_strip *strip, uint32_t end);

/* wyn_conn_strip_release - it is back, and its rows are in the output, or
 * nobody wants them. Owns: takes it, whose link may be on any list. */
void wyn_conn_strip_release(struct wyn_engine *engine, struct wyn_strip *strip);
