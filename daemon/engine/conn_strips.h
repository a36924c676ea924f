// SPDX-License-Identifier: MIT
/*
 * conn_strips.h - what befalls a connection's strips while the executor has
 * them: a Cancel, an end of the connection, a stall.
 *
 * What no worker has claimed is taken back; what one has is asked to end, or
 * answered in its stead. Private to the engine. The connection's loop.
 */
#pragma once

#include <stdbool.h>

#include "daemon/engine/conn_work.h"

struct wyn_conn;
struct wyn_engine;

/* wyn_conn_strips_cancel - as wyn_conn_cancel(), for what is in strips that
 * have not come back. */
void wyn_conn_strips_cancel(struct wyn_conn *conn,
	const struct wyn_ranges *ranges, enum wyn_work_key key);

/*
 * wyn_conn_strips_give_up - every task of the strips that have not come back is
 * answered now: by `waiting` those that were not begun, by `running` the
 * others.
 */
void wyn_conn_strips_give_up(struct wyn_conn *conn,
	const struct wyn_answer *waiting, const struct wyn_answer *running);

/* wyn_conn_strips_recall - what of them is not begun, and was charged far too
 * little or is behind what stands still, waits in the ready queue again. */
void wyn_conn_strips_recall(struct wyn_conn *conn);

/* wyn_conn_strips_watch - a task that was claimed at the last watch and is
 * still the latest has made its function known as slow; what ended before it in
 * its strip is answered. Returns: whether there is one. */
bool wyn_conn_strips_watch(struct wyn_conn *conn);

/* wyn_conn_strips_watch_lone - the same for those that were abandoned. */
bool wyn_conn_strips_watch_lone(struct wyn_engine *engine);

/* wyn_conn_strips_abandon - there is nobody to answer. */
void wyn_conn_strips_abandon(struct wyn_conn *conn);
