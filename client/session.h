// SPDX-License-Identifier: MIT
/*
 * session.h - the client's side of one connection, without I/O.
 *
 * Bytes in, events out; submits in, bytes out. It never touches a socket or
 * the clock, so client.c drives it with poll(2), tests with scripts, and an
 * asynchronous interface will with somebody's event loop. It keeps the rules of
 * the wire for its caller: credit, limits, order of chunks, one result a task.
 *
 * One thread at a time. Functions that can fail record why in session->error.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wyn/client.h>

#include "base/compiler.h"
#include "client/inbox.h"
#include "client/inputs.h"
#include "client/notices.h"
#include "client/outbox.h"
#include "client/packed.h"
#include "client/table.h"
#include "client/uploads.h"
#include "proto/arena.h"
#include "proto/message.h"

#define WYN_SESSION_BATCH_MAX	    1024u /* arguments in one Submit */
#define WYN_SESSION_ARENA_BYTES	    (256u << 10)
#define WYN_SESSION_ARENA_BYTES_MAX (64u << 20)
#define WYN_SESSION_TEXT_BYTES	    1024u
#define WYN_SESSION_PROTOCOL	    1u /* the version that we speak */

/* wyn_session_pull(): a frame was handled that is no event for the caller. */
#define WYN_SESSION_NOTED 1

enum wyn_session_state {
	WYN_SESSION_NEW,   /* no Welcome yet */
	WYN_SESSION_OPEN,  /* between Welcome and the end */
	WYN_SESSION_ENDED, /* by EOF, by an error, or by an Error */
};

struct wyn_session {
	enum wyn_session_state state;
	/* Nobody waits for the Welcome: submits wait, and an event says so. */
	bool announces;
	bool finishing;		 /* Finish is in the outbox, or was */
	bool going_away;	 /* GoAway has come */
	uint64_t going_last_seq; /* going_away: nothing after it was taken */
	bool unbounded;		 /* no stream credit */
	int end_error; /* ENDED: what calls return when all is answered */
	struct wyn_inbox inbox;
	struct wyn_outbox outbox;
	struct wyn_table table;
	struct wyn_notices notices;
	struct wyn_uploads uploads;
	struct wyn_inputs inputs;
	struct wyn_client_server server;
	struct wyn_client_error error;
	struct wyn_client_error end; /* the error of the connection */
	struct wyn_client_loss loss; /* since it was told last */

	/* Cumulative since Hello, as on the wire. */
	uint64_t tasks_granted;
	uint64_t tasks_used;
	uint64_t bytes_granted;
	uint64_t bytes_used;
	uint64_t bytes_window; /* most that is ever free at once */
	uint64_t stream_granted;
	uint64_t stream_received;
	uint64_t stream_window;
	uint64_t stream_held;  /* taken by the caller, and not used up */
	uint64_t stream_asked; /* the window as the caller wants it */
	char *client_name;     /* ours to free */
	uint64_t quiet;	       /* quiet tasks that are not answered */
	bool starved;  /* a submit was refused for want of room: say when */
	bool relieved; /* starved: there is more of it since then */
	struct wyn_arena arena; /* of the frame that is being read */
	struct wyn_results rows;
	const Wyn__V1__Accepted *accepted; /* of this frame, from next_range */
	size_t next_range;
	uint64_t call_id;	     /* of the last Call or Ping */
	const Wyn__V1__Reply *reply; /* to call_id, until the next pull */
	bool ponged;	   /* the Pong with call_id as its token has come */
	size_t name_bytes; /* of name, the last valid one; 0 = none yet */
	char name[WYN_CLIENT_FUNCTION_BYTES_MAX + 1];
	struct wyn_slice args[WYN_SESSION_BATCH_MAX]; /* of one submit */
	struct wyn_packed packed;
	struct wyn_client_usage usage;	   /* of the event handed out */
	char text[WYN_SESSION_TEXT_BYTES]; /* of the event handed out */
};

/*
 * wyn_session_init - puts preface and Hello into the outbox.
 *
 * Owns: the caller's; config may be NULL. Returns: 0, -ENOMEM, -EINVAL.
 */
WYN_NODISCARD
int wyn_session_init(
	struct wyn_session *session, const struct wyn_client_config *config);

/*
 * wyn_session_restart - the same for another connection, when it has ended and
 * all was pulled. Returns: 0; -ENOMEM, and it may be called again.
 */
WYN_NODISCARD
int wyn_session_restart(struct wyn_session *session);

/* wyn_session_fini - frees everything; sources are released. */
void wyn_session_fini(struct wyn_session *session);

/* wyn_session_output - what is to be sent, if any. Fills the outbox from the
 * uploads first. Owns: a view, valid until the next call. */
struct wyn_slice wyn_session_output(struct wyn_session *session);

/* wyn_session_sent - the socket took so many bytes of the output. */
void wyn_session_sent(struct wyn_session *session, size_t bytes);

/* wyn_session_room, _received - as wyn_inbox_room() and _received(). */
WYN_NODISCARD
int wyn_session_room(
	struct wyn_session *session, uint8_t **ret_room, size_t *ret_bytes);
void wyn_session_received(struct wyn_session *session, size_t bytes);

/* wyn_session_eof - the server sends nothing more: what was received is still
 * read, then what is unanswered is UNAVAILABLE. */
void wyn_session_eof(struct wyn_session *session);

/*
 * wyn_session_end - the connection is of no use any more; only the first of
 * several ends counts.
 */
void wyn_session_end(struct wyn_session *session, int error, uint32_t status,
	const char *reason, const char *format, ...) WYN_PRINTF(5, 6);

/*
 * wyn_session_pull - the next event from what has been received.
 *
 * Owns: the event is valid until the next pull, room or submit. Returns: 0;
 * WYN_SESSION_NOTED; -EAGAIN (more bytes are needed); -ENODATA (none are
 * needed: the session ended well); the error that ended it, after every task
 * has had its result.
 */
WYN_NODISCARD
int wyn_session_pull(
	struct wyn_session *session, struct wyn_client_event *ret_event);

/*
 * wyn_session_keep - puts an event that was pulled aside.
 *
 * Results are kept in their places, so a pulled result must be kept or
 * let go by wyn_session_done() before the next pull. Returns: 0, -ENOMEM.
 */
WYN_NODISCARD
int wyn_session_keep(
	struct wyn_session *session, const struct wyn_client_event *event);

/* wyn_session_done - a pulled event goes to the caller. */
void wyn_session_done(
	struct wyn_session *session, const struct wyn_client_event *event);

/* wyn_session_take - the oldest event that was kept, valid until the next take,
 * pull or submit. Returns: false when there is none. */
bool wyn_session_take(
	struct wyn_session *session, struct wyn_client_event *ret_event);

/* wyn_session_starve, _relieve, _take_room - a caller that does not wait got
 * -EAGAIN for a submit; there is more credit, output or place for uploads; the
 * event of one who starved and was relieved, if there is one. */
void wyn_session_starve(struct wyn_session *session);
void wyn_session_relieve(struct wyn_session *session);
bool wyn_session_take_room(
	struct wyn_session *session, struct wyn_client_event *ret_event);

/*
 * wyn_session_fail, _not_connected, _no_memory - record why a call failed.
 *
 * For want of memory for `what` the session ends. Returns: error, a -errno;
 * -ENOTCONN; -ENOMEM.
 */
int wyn_session_fail(struct wyn_session *session, int error, uint32_t status,
	const char *reason, const char *format, ...) WYN_PRINTF(5, 6);
int wyn_session_not_connected(struct wyn_session *session);
int wyn_session_no_memory(struct wyn_session *session, const char *what);

/*
 * wyn_session_put - encodes a frame into the outbox.
 *
 * Returns: 0; -ENOMEM, which ends the session; the error that ended it.
 */
WYN_NODISCARD
int wyn_session_put(struct wyn_session *session, const Wyn__V1__Frame *frame);

/* wyn_session_keeps_too_much, _owes - keep no more partial values now; a Credit
 * is due. */
bool wyn_session_keeps_too_much(const struct wyn_session *session);
bool wyn_session_owes(const struct wyn_session *session);
