// SPDX-License-Identifier: MIT
/*
 * receive_task.h - reading what the server says of one task.
 *
 * For receive.c alone; the way in is wyn_session_pull(). The client's thread.
 * Returns throughout: 0 with an event, or WYN_SESSION_NOTED.
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

/* wyn_receive_row - the next row of session->rows. */
int wyn_receive_row(
	struct wyn_session *session, struct wyn_client_event *event);

/* wyn_receive_chunk - a partial value, or a piece of a value. */
int wyn_receive_chunk(struct wyn_session *session,
	const struct wyn_chunk *chunk, struct wyn_client_event *event);
