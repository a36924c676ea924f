// SPDX-License-Identifier: MIT
/*
 * conn_command.h - what is different for a connection's tasks that run a
 * command.
 *
 * Private to the engine. They wait in a ready queue of their own, so that
 * neither kind waits for the other's executor; dispatch_command.h has what
 * runs. Their input may go on in Chunks. A command that is to end gets time to
 * do so, and its row when all of it has. The connection's loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/engine/conn_work.h"
#include "daemon/engine/verdict.h"
#include "proto/message.h"

struct wyn_batch;
struct wyn_conn;
struct wyn_task;

/* Of input that was taken, so much may be untold: docs/wire.md, section 3.7. */
#define WYN_INPUT_UNTOLD_BYTES (64u << 10)

#define WYN_SIGNAL_MAX 64u /* the highest number of a signal */

/*
 * wyn_conn_command_refused - whether a Submit's command is refused as a whole.
 *
 * Returns: false = no, and *ret_uid, *ret_gid are whom it runs as.
 */
bool wyn_conn_command_refused(const struct wyn_conn *conn,
	const struct wyn_submit *submit, uint32_t *ret_uid, uint32_t *ret_gid,
	struct wyn_answer *ret_answer);

/*
 * wyn_conn_command_set - gives a new batch its command and its input.
 *
 * Its first_seq is set. Returns: false when there is no memory.
 */
WYN_NODISCARD
bool wyn_conn_command_set(struct wyn_conn *conn, struct wyn_batch *batch,
	const Wyn__V1__Command *command, uint32_t uid, uint32_t gid);

/* wyn_conn_input - a Chunk of the stream INPUT. */
void wyn_conn_input(struct wyn_conn *conn, const struct wyn_chunk *chunk);

/* wyn_conn_inputs_end - the client sends nothing more: all inputs end. */
void wyn_conn_inputs_end(struct wyn_conn *conn);

/* wyn_conn_inputs_forget - the connection ends, its batches may not. */
void wyn_conn_inputs_forget(struct wyn_conn *conn);

/* wyn_conn_signal - sends a signal to the commands in the ranges that run. */
void wyn_conn_signal(struct wyn_conn *conn, const struct wyn_ranges *ranges,
	enum wyn_work_key key, unsigned number);

/*
 * wyn_conn_command_stop - asks a command that runs to end, for that reason if
 * it is the first; once more only with less grace.
 *
 * grace_ms: from SIGTERM to SIGKILL; WYN_GRACE_USUAL = the command's own.
 */
void wyn_conn_command_stop(struct wyn_engine *engine, struct wyn_task *task,
	enum wyn_refusal refusal, uint64_t grace_ms);

#define WYN_GRACE_USUAL UINT64_MAX
