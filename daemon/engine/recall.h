// SPDX-License-Identifier: MIT
/*
 * recall.h - tasks that were misjudged come back out of the executor.
 *
 * A function whose cost depends on its argument can look fast and then be slow,
 * with thousands of its tasks in the executor's FIFO before anybody knows, and
 * everybody else's behind them. When what was handed over does not come back,
 * the tasks that run too long betray their functions. What was charged far too
 * little and has not begun is asked back: the worker that meets it returns it
 * as it is, and it waits in its owner's queue again, from now on as a slow one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct wyn_charge;
struct wyn_engine;
struct wyn_task;

/* What the executor holds is thought to take a millisecond. */
#define WYN_RECALL_STALL_NS UINT64_C(20000000)
/* Charged so many times too little. */
#define WYN_RECALL_MISJUDGED 8u

/*
 * wyn_recall_watch - looks again a while after tasks were started, if there are
 * more in the executor than slow ones may be.
 *
 * Thread: loop, at the end of a turn's dispatch.
 */
void wyn_recall_watch(struct wyn_engine *engine);

/* wyn_recall_is_misjudged - it was charged far less than its function is known
 * to take now. Thread: loop. */
bool wyn_recall_is_misjudged(
	const struct wyn_engine *engine, const struct wyn_charge *charge);

/*
 * wyn_recall_returned - a task came back without having run, because it was
 * asked to, and its owner still wants it.
 *
 * Thread: loop. Owns: takes the task, which is on no list, until
 * wyn_recall_requeue().
 */
void wyn_recall_returned(struct wyn_engine *engine, struct wyn_task *task);

/* wyn_recall_requeue - what was returned waits again, in the old order. Thread:
 * loop, once all that came back was taken. */
void wyn_recall_requeue(struct wyn_engine *engine);
