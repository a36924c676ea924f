// SPDX-License-Identifier: MIT
/*
 * conn_state.h - what a connection's files do for one another.
 *
 * Private to the engine: conn_input.c makes frames of bytes, conn_message.c
 * decides by phase and kind, conn_submit.c and conn_upload.c bring tasks in,
 * conn_stream.c gives places to those that emit, conn_call.c answers unary
 * requests, conn_work.c ends tasks early, conn_life.c opens, keeps alive and
 * closes, conn.c has the flow. The connection's loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wyn/status.h>

#include "base/compiler.h"
#include "proto/codec.h"

struct wyn_conn;
struct wyn_engine;
struct wyn_peer;

/*
 * wyn_conn_send - appends a control message to the output.
 *
 * Without memory for it the connection ends. Nothing is sent while closing.
 */
void wyn_conn_send(struct wyn_conn *conn, const Wyn__V1__Frame *frame);

/*
 * wyn_conn_fail - the peer broke the protocol: Error, then close.
 *
 * Its tasks are given up; the caller returns at once.
 */
void wyn_conn_fail(struct wyn_conn *conn, enum wyn_status code,
	const char *reason, const char *text);

/*
 * wyn_conn_abort - close without another word.
 *
 * Changes nothing but the phase, so it is safe while lists are walked.
 */
void wyn_conn_abort(struct wyn_conn *conn);

/* wyn_conn_pressure - pauses or resumes by how much is unsent. */
void wyn_conn_pressure(struct wyn_conn *conn);

/* wyn_conn_relieve - the same after something went away: when it resumes, the
 * input that was kept meanwhile is used. Not from within a frame. */
void wyn_conn_relieve(struct wyn_conn *conn);

/*
 * wyn_conn_work - a message costs so many looks at tasks, functions and the
 * like, beyond its bytes; each frame costs one by itself, or a few.
 *
 * A frame of a few bytes may cost a walk over all that a connection has, and a
 * read may bring thousands that cost more than their bytes say. When
 * WYN_CONN_WORK_MAX is full the connection rests until the next turn, so that
 * one that sends such frames waits for itself and not the others for it.
 */
void wyn_conn_work(struct wyn_conn *conn, uint64_t looks);

/* wyn_conn_rests - it uses no input until wyn_conn_rested(). */
bool wyn_conn_rests(const struct wyn_conn *conn);

/* wyn_conn_rested - its turn: it goes on, if it rested. */
void wyn_conn_rested(struct wyn_conn *conn);

/* wyn_conn_settle - closes it if all it had to do is done. */
void wyn_conn_settle(struct wyn_conn *conn);

/* wyn_conn_go_away - tells it that no more Submits are accepted. */
void wyn_conn_go_away(struct wyn_conn *conn);

/* wyn_conn_keepalive - looks again a keepalive time after `from_ns`. */
void wyn_conn_keepalive(struct wyn_conn *conn, uint64_t from_ns);

/* wyn_conn_frame - takes one frame that came in. */
void wyn_conn_frame(struct wyn_conn *conn, const struct wyn_frame *frame);

/*
 * wyn_conn_carry_use - uses what was kept of the input, as far as it goes.
 *
 * Returns: how many bytes are missing to the end of its last frame; 0 = none is
 * begun, or it cannot go on now.
 */
size_t wyn_conn_carry_use(struct wyn_conn *conn);

/* wyn_conn_carry_release - forgets what was kept of the input. */
void wyn_conn_carry_release(struct wyn_conn *conn);

/* wyn_conn_submit - tasks. Their arguments may follow: see conn_upload.h. */
void wyn_conn_submit(struct wyn_conn *conn, const struct wyn_submit *submit);

/* wyn_conn_accepted_flush - sends the ids that wait to be told. */
void wyn_conn_accepted_flush(struct wyn_conn *conn);

/* wyn_conn_keeper - a connection that is none: see keeper.h. Returns: NULL when
 * there is no memory. */
struct wyn_conn *wyn_conn_keeper(
	struct wyn_engine *engine, const struct wyn_peer *peer);

/* wyn_conn_keeper_free - it has no tasks. */
void wyn_conn_keeper_free(struct wyn_conn *keeper);

/* wyn_conn_call - a unary request. */
void wyn_conn_call(struct wyn_conn *conn, const Wyn__V1__Call *call);
