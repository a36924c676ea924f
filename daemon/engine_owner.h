// SPDX-License-Identifier: MIT
/*
 * engine_owner.h - whose a task is, and what the engine does with tasks and
 * connections for its other files.
 *
 * Private to the engine; engine.c has it. The engine's loop.
 */
#pragma once

#include <stdint.h>

struct wyn_conn;
struct wyn_engine;
struct wyn_task;

/* The connection that `owner` names, or NULL if it has gone. */
struct wyn_conn *wyn_engine_owner(
	const struct wyn_engine *engine, uint64_t owner);

/* The transport is to look at this connection. */
void wyn_engine_touch(struct wyn_conn *conn);

/* Replies of this connection are due in this turn. */
void wyn_engine_activate(struct wyn_conn *conn);

/* The task is back from the executor, or never went in. */
void wyn_engine_task_returned(struct wyn_engine *engine, struct wyn_task *task);

/* Frees a task that no list holds, and gives back what it held. */
void wyn_engine_task_release(struct wyn_engine *engine, struct wyn_task *task);

/* Lets go of a task's own memory and its hold on its batch: something else
 * stands for it now. */
void wyn_engine_task_recycle(struct wyn_engine *engine, struct wyn_task *task);

/* wyn_engine_task_release() for one that came back and whose row nobody waits
 * for: it was sent before, or `conn` is closing or NULL. */
void wyn_engine_task_unwanted(struct wyn_engine *engine, struct wyn_conn *conn,
	struct wyn_task *task);
