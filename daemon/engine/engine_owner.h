// SPDX-License-Identifier: MIT
/*
 * engine_owner.h - whose a task is, and what the engine does with tasks and
 * connections for its other files.
 *
 * Private to the engine; engine.c has it.
 */
#pragma once

#include <stdint.h>

struct wyn_conn;
struct wyn_engine;
struct wyn_partial;
struct wyn_task;

/* wyn_engine_owner - the connection that `owner` names, or NULL if it has gone.
 * Thread: loop. */
struct wyn_conn *wyn_engine_owner(
	const struct wyn_engine *engine, uint64_t owner);

/* wyn_engine_touch - the transport is to look at this connection. Thread: loop.
 */
void wyn_engine_touch(struct wyn_conn *conn);

/* wyn_engine_activate - replies of this connection are due in this turn.
 * Thread: loop. */
void wyn_engine_activate(struct wyn_conn *conn);

/* wyn_engine_task_returned - it is back from the executor, or never went in.
 * Thread: loop. */
void wyn_engine_task_returned(struct wyn_engine *engine, struct wyn_task *task);

/* wyn_engine_task_release - frees one that no list holds, and gives back what
 * it held. Thread: loop. */
void wyn_engine_task_release(struct wyn_engine *engine, struct wyn_task *task);

/* wyn_engine_task_recycle - lets go of its own memory and its hold on its
 * batch: something else stands for it now. Thread: loop. */
void wyn_engine_task_recycle(struct wyn_engine *engine, struct wyn_task *task);

/* wyn_engine_partial_sent - it is in the output, or nobody wants it: as
 * wyn_stream_sent(), for commands too. Thread: loop. */
void wyn_engine_partial_sent(
	struct wyn_engine *engine, struct wyn_partial *partial);

/* wyn_engine_task_unwanted - wyn_engine_task_release() for one that came back
 * and whose row nobody waits for: it was sent before, or `conn` is closing or
 * NULL. Thread: loop. */
void wyn_engine_task_unwanted(struct wyn_engine *engine, struct wyn_conn *conn,
	struct wyn_task *task);
