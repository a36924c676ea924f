// SPDX-License-Identifier: MIT
/*
 * conn_later.h - Calls that cannot be answered at once.
 *
 * What answers one may take a turn of every loop, or a thread of its own, and
 * the connection may be gone by then. So what is kept is not the connection
 * but a note of who asked; the answer goes out if they are still there. Until
 * then the connection counts the Call, and does not close in good order.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "proto/codec.h"

struct wyn_conn;
struct wyn_engine;

/* Who asked. Copied freely, by any thread. */
struct wyn_later {
	struct wyn_engine
		*engine; /* post the answer there: daemon/engine/post.h */
	uint64_t conn;	 /* its id, among those of that engine */
	uint64_t call_id;
};

/*
 * wyn_conn_later - notes that the Call is answered later.
 *
 * Thread: loop. Returns: false when WYN_CALLS_PENDING_MAX of the connection's
 * are; then this one was refused, and the caller forgets it.
 */
WYN_NODISCARD
bool wyn_conn_later(
	struct wyn_conn *conn, uint64_t call_id, struct wyn_later *ret_later);

/*
 * wyn_later_answer - sends the reply, whose call_id is filled in, if the
 * connection still waits for it.
 *
 * Once for each note, even if it comes to nothing: an error is an answer.
 * Thread: loop, that of later->engine. Owns: borrows the reply.
 */
void wyn_later_answer(const struct wyn_later *later, Wyn__V1__Reply *reply);

/* wyn_conn_later_give_up - the drain took too long: all are answered so, and
 * what comes for them is dropped. Thread: loop. */
void wyn_conn_later_give_up(struct wyn_conn *conn);

/* wyn_conn_reply - answers a Call at once. Thread: loop. */
void wyn_conn_reply(
	struct wyn_conn *conn, Wyn__V1__Reply *reply, uint64_t call_id);
