// SPDX-License-Identifier: MIT
/*
 * reply_chunks.h - what goes out before a task's row, in Chunks.
 *
 * Partial values and pieces of large values, as far as the output has room and
 * the client has granted. For reply.c, which sends the rows. The connection's
 * loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <wyn/status.h>

#include "daemon/engine/engine_state.h"

/* wyn_reply_partial_add - a partial value, or a report of progress, is to go
 * out; of two reports of a task the later one. Owns: takes it. */
void wyn_reply_partial_add(struct wyn_conn *conn, struct wyn_partial *partial);

/* What a Results frame has beside one value: header, columns, one Detail. */
#define WYN_RESULTS_HEAD_BYTES 1024u

/* What a task that is back counts in unsent_bytes. */
static inline size_t wyn_task_weight(const struct wyn_task *task)
{
	return sizeof(*task) + task->outcome.value_bytes;
}

/* Ends in quiet_done alone. */
static inline bool wyn_task_is_quiet(const struct wyn_task *task)
{
	return task->batch->options.quiet &&
	       task->outcome.code == WYN_STATUS_OK;
}

/*
 * wyn_reply_place - puts a task to those whose row is next, or first to those
 * with a large value to send.
 */
void wyn_reply_place(struct wyn_conn *conn, struct wyn_task *task);

/* wyn_reply_has_room - more may be encoded now. */
bool wyn_reply_has_room(const struct wyn_conn *conn);

/* wyn_reply_partials - sends partial values, oldest first, until one waits. */
void wyn_reply_partials(struct wyn_conn *conn);

/* wyn_reply_large_values - sends pieces of large values in turns. */
void wyn_reply_large_values(struct wyn_conn *conn);
