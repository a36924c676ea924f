// SPDX-License-Identifier: MIT
/*
 * reply.h - from outcomes to frames.
 *
 * Fills a connection's output with what is due to it, until enough is encoded:
 * ids, partial values, pieces of large values, and rows, as many as fit into
 * one columnar Results. Credit goes back with the rows. The rest waits as tasks
 * until the transport has written.
 */
#pragma once

#include <stdbool.h>

struct wyn_conn;
struct wyn_task;

/* wyn_reply_add - a task of a living connection came back. Thread: loop. */
void wyn_reply_add(struct wyn_conn *conn, struct wyn_task *task);

/* wyn_reply_is_due - something waits for room in the output. Thread: loop. */
bool wyn_reply_is_due(const struct wyn_conn *conn);

/* wyn_reply_fill - encodes what is due, up to the high mark. Thread: loop. */
void wyn_reply_fill(struct wyn_conn *conn);
