// SPDX-License-Identifier: MIT
/*
 * conn.h - one connection as its transport sees it.
 *
 * A state machine without I/O. The transport hands it bytes and events, and
 * asks it what to write, whether to read on and whether to close. All of it
 * runs on the connection's own loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct wyn_conn;
struct wyn_peer;

enum wyn_conn_wish {
	WYN_CONN_READ,	/* read on */
	WYN_CONN_PAUSE, /* stop reading, go on writing */
	WYN_CONN_CLOSE, /* everything that was to be written is: close */
	WYN_CONN_ABORT, /* close now, whatever is unwritten */
};

/* wyn_conn_transport - what wyn_engine_open() was given. Thread: loop. */
void *wyn_conn_transport(const struct wyn_conn *conn);

/* What the log says of a connection that ends. */
struct wyn_conn_report {
	const char *client;  /* how it calls itself, cut; "" before Hello */
	const char *failure; /* the reason of its Error; NULL = none */
	const char *ending;  /* another reason to end; NULL = none of ours */
	uint64_t tasks;	     /* accepted from it */
	const struct wyn_peer *peer;
};

/* wyn_conn_report - how it is now. Thread: loop. Owns: borrowed from it. */
void wyn_conn_report(
	const struct wyn_conn *conn, struct wyn_conn_report *ret_report);

/*
 * wyn_conn_receive - takes bytes that were read.
 *
 * Thread: loop. Owns: copies what it keeps. All of it is taken, also while
 * paused (the transport stops reading at once, so that is one read at most).
 */
void wyn_conn_receive(
	struct wyn_conn *conn, struct wyn_slice bytes, uint64_t now_ns);

/*
 * wyn_conn_eof - the peer sends nothing more.
 *
 * Thread: loop. After a Finish the rest of the results is still written;
 * without one the client is gone.
 */
void wyn_conn_eof(struct wyn_conn *conn, uint64_t now_ns);

/*
 * wyn_conn_output - views of what is to be written, in order.
 *
 * Thread: loop. The views are valid until wyn_conn_written() has taken them or
 * wyn_conn_gone(), also while more is appended. Returns: how many of the
 * `pieces_max` were filled in; 0 = nothing to write.
 */
size_t wyn_conn_output(const struct wyn_conn *conn, struct wyn_slice *pieces,
	size_t pieces_max);

/*
 * wyn_conn_written - so many bytes of the output went to the socket.
 *
 * Thread: loop.
 */
void wyn_conn_written(struct wyn_conn *conn, size_t bytes, uint64_t now_ns);

/* wyn_conn_wish - what the transport is to do now. Thread: loop. */
enum wyn_conn_wish wyn_conn_wish(const struct wyn_conn *conn);

/*
 * wyn_conn_gone - the transport is closed, or failed.
 *
 * Thread: loop. Owns: takes the connection. Its queued tasks never run, its
 * running ones are cancelled.
 */
void wyn_conn_gone(struct wyn_conn *conn, uint64_t now_ns);
