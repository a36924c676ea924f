// SPDX-License-Identifier: MIT
/*
 * receive_task.h - reading what the server says of one task.
 *
 * For receive.c; the way in is wyn_session_pull(), and its short form for who
 * takes row after row. The client's thread. Returns, where nothing else is
 * said: 0 with an event, or WYN_SESSION_NOTED.
 */
#pragma once

#include "client/session.h"

/* wyn_receive_broken - the server broke the protocol: ends the session. */
int wyn_receive_broken(struct wyn_session *session, const char *what);

/*
 * wyn_receive_text - puts reason and message into the event, cut to what fits.
 *
 * Owns: the session's, valid until the next pull.
 */
void wyn_receive_text(struct wyn_session *session, struct wyn_slice reason,
	struct wyn_slice message, struct wyn_client_event *event);

/* wyn_receive_results - begins a Results; its rows follow one by one. */
int wyn_receive_results(struct wyn_session *session,
	const struct wyn_results *results, struct wyn_client_event *event);

/* wyn_receive_row - the next row of session->rows; done: and as
 * wyn_session_done(). */
int wyn_receive_row(
	struct wyn_session *session, bool done, struct wyn_client_event *event);

/*
 * wyn_receive_row_now - a row for the caller, if one comes before all else
 * that is kept, due or received.
 *
 * Owns: as wyn_session_pull(); what it gives is done. Returns: false when the
 * long way is to be gone.
 */
static inline bool wyn_receive_row_now(
	struct wyn_session *session, struct wyn_client_event *event)
{
	if (session->rows.count == 0 || session->table.done > 0 ||
		!wyn_list_empty(&session->notices.list) ||
		(session->starved && session->relieved)) {
		return false;
	}
	wyn_table_release(&session->table);
	session->reply = NULL;
	return wyn_receive_row(session, true, event) == 0;
}

/* wyn_receive_chunk - a partial value, or a piece of a value. */
int wyn_receive_chunk(struct wyn_session *session,
	const struct wyn_chunk *chunk, struct wyn_client_event *event);
