// SPDX-License-Identifier: MIT
/*
 * keeper.h - whose tasks with on_disconnect KEEP are once their connection has
 * gone: their user's keeper.
 *
 * Private to the engine. A keeper is a connection without a transport, in the
 * phase KEEPER: it has queues, turns and running tasks as others have, and what
 * comes back is kept (kept.h) in place of being encoded. There is one for each
 * user that needs one, and it goes with its last task. The loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "daemon/engine/kept.h"

struct wyn_answer;
struct wyn_batch;
struct wyn_conn;
struct wyn_engine;
struct wyn_partial;
struct wyn_task;

#define WYN_KEEPERS_MAX WYN_KEPT_USERS_MAX /* one for each of them */

/* wyn_keeper_is - it is one. */
bool wyn_keeper_is(const struct wyn_conn *conn);

/* wyn_keeper_wants - the tasks of the batch outlive their connection. */
bool wyn_keeper_wants(const struct wyn_batch *batch);

/*
 * wyn_keeper_accept - entries for all tasks of a batch that wants them, whose
 * ids are known.
 *
 * Returns: false when there is no memory; then there are none.
 */
WYN_NODISCARD
bool wyn_keeper_accept(struct wyn_conn *conn, const struct wyn_batch *batch);

/* wyn_keeper_begin - the task with that seq starts; no-op if its batch does not
 * want it kept. */
void wyn_keeper_begin(
	struct wyn_engine *engine, struct wyn_task *task, uint64_t seq);

/* wyn_keeper_wait - it is back, has not begun, and waits again. */
void wyn_keeper_wait(struct wyn_task *task);

/* wyn_keeper_output - a task that is kept wrote this. */
void wyn_keeper_output(
	struct wyn_engine *engine, const struct wyn_partial *partial);

/* wyn_keeper_end - it has ended, with its outcome; no-op if it is not kept. */
void wyn_keeper_end(struct wyn_engine *engine, struct wyn_task *task);

/* wyn_keeper_refuse - it was answered before it ended; likewise. */
void wyn_keeper_refuse(struct wyn_engine *engine, struct wyn_task *task,
	const struct wyn_answer *answer);

/* wyn_keeper_verdict - tasks of a batch were answered before they started;
 * no-op if it does not want them kept. */
void wyn_keeper_verdict(struct wyn_conn *conn, const struct wyn_batch *batch,
	uint64_t first_seq, uint64_t count, const struct wyn_answer *answer);

/* wyn_keeper_take - the connection ends: what it has with KEEP goes to its
 * user's keeper. */
void wyn_keeper_take(struct wyn_conn *conn);

/* wyn_keeper_fill - its part of a turn. Owns: may free it. */
void wyn_keeper_fill(struct wyn_conn *keeper);

/* wyn_keepers_limit - what is kept has other limits. */
void wyn_keepers_limit(struct wyn_engine *engine);

/* wyn_keepers_end - the engine ends, and nothing is in an executor. */
void wyn_keepers_end(struct wyn_engine *engine);
