// SPDX-License-Identifier: MIT
/*
 * rig_client.h - a client of the rig: a socket that is two buffers, and what
 * was read from it.
 *
 * Reads like a client that trusts nobody: frames are decoded strictly, and what
 * the protocol forbids a server aborts. What is left is for the test to look
 * at. rig_messages.h sends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/slice.h"
#include "proto/message.h"
#include "tests/support/engine_rig.h"
#include "tests/support/rig_kept.h"

#define RIG_WORD_BYTES 32u
#define RIG_TEXT_BYTES 256u

struct wyn_conn;

/* What came of one of a command's streams. */
struct rig_written {
	char *data; /* a NUL behind it; NULL = nothing came */
	size_t bytes;
	unsigned chunks;
};

/* What was read about one task. */
struct rig_task {
	uint64_t seq;
	bool has_row;
	uint32_t code;
	uint8_t ran;
	uint64_t retry_after_ms;
	char reason[RIG_WORD_BYTES]; /* "" = none */
	char message[RIG_TEXT_BYTES];
	uint8_t *value; /* of its row or its Chunks */
	size_t value_bytes;
	unsigned value_chunks;
	bool value_eof;
	char *partials; /* all of them, one behind the other; NUL behind it */
	size_t partials_bytes;
	unsigned partials_count;
	unsigned reports;	   /* of progress */
	uint8_t report_done;	   /* of the last: the low byte */
	struct rig_written output; /* of a command */
	struct rig_written error;
	uint32_t exit_status;
	uint32_t signal;
	bool has_usage;
	struct wyn_usage usage;
};

/* The last Reply. */
struct rig_reply {
	uint64_t call_id;
	uint32_t code;
	char reason[RIG_WORD_BYTES];
	size_t functions;
	char first_function[RIG_WORD_BYTES];
	bool more;
	size_t counters;
	uint64_t tasks_held; /* of those counters */
	uint64_t unfinished;
	size_t modules;
	char first_module[RIG_WORD_BYTES];
};

/* A task of a list, or the one that is explained. */
struct rig_listed {
	uint64_t id;
	uint64_t seq;
	uint64_t conn;
	uint64_t age_ns;
	uint64_t run_ns;
	uint64_t argument_bytes;
	int state;
	int priority;
	bool answered;
	char function[RIG_WORD_BYTES];
	char client_name[RIG_TEXT_BYTES];
	char command[RIG_TEXT_BYTES];
	char label[RIG_KEPT_WORD_BYTES];
};

/* What explain says beside it. */
struct rig_why {
	int why;
	uint64_t ahead;
	uint64_t conns;
	uint64_t executor;
	char text[RIG_TEXT_BYTES];
};

#define RIG_LISTED_MAX 256u

struct rig_client {
	struct wyn_list link; /* rig->clients */
	struct rig *rig;
	struct wyn_conn *conn; /* NULL = closed, by whichever side */
	bool aborted;	       /* the engine wished no last flush */
	size_t read_max; /* of its output, in one flush; 0 = it never reads */
	size_t feed_max; /* bytes that the engine is given at once */
	bool corked;	 /* what is sent stays unfed for now */

	uint8_t *unfed; /* sent, and not given to the engine yet */
	size_t unfed_bytes;
	bool ended; /* no more will be sent */
	bool eof_told;
	uint8_t *unread; /* the beginning of a frame */
	size_t unread_bytes;

	uint64_t bytes_read;
	uint64_t rows;
	uint64_t rows_ok;
	uint64_t quiet_done;
	unsigned results_frames;
	unsigned welcomes;
	unsigned pings;
	uint64_t last_ping;
	unsigned pongs;
	uint64_t last_pong;
	unsigned go_aways;
	uint64_t last_seq; /* of GoAway */
	unsigned credits;
	uint64_t credit_tasks;
	uint64_t credit_bytes;
	uint64_t stream_bytes; /* data of Chunks */
	uint64_t accepted;
	uint64_t accepted_seq; /* of the last range */
	uint64_t accepted_id;
	size_t functions; /* of Welcome */
	unsigned replies;
	struct rig_reply reply;
	size_t listed_count; /* of the last Reply */
	struct rig_listed listed[RIG_LISTED_MAX];
	struct rig_why why;
	struct rig_outcome outcome;
	struct rig_logs logs;
	unsigned errors;
	uint32_t error_code;
	char error[RIG_WORD_BYTES]; /* its reason; "" = none */

	struct rig_task **tasks; /* by seq, open addressing */
	size_t tasks_count;
	size_t tasks_room;
};

/* rig_connect - a new connection, before its preface; reads everything. */
struct rig_client *rig_connect(struct rig *rig);

/* rig_connect_admin - the same, from root. */
struct rig_client *rig_connect_admin(struct rig *rig);

/* rig_connect_local - over a Unix socket, from this user; root is one. */
struct rig_client *rig_connect_local(struct rig *rig, uint32_t uid);

/* rig_send - gives bytes to the engine, as far as it reads. */
void rig_send(struct rig_client *client, const void *data, size_t bytes);

/* rig_client_feed - gives what is unfed, if it is read again. */
void rig_client_feed(struct rig_client *client);

/* rig_end - the client shuts its sending side. */
void rig_end(struct rig_client *client);

/* rig_client_flush - what a transport does with a dirty connection. */
void rig_client_flush(struct rig_client *client);

/* rig_client_break - the connection is reset. No-op when it is closed. */
void rig_client_break(struct rig_client *client);

void rig_client_free(struct rig_client *client);

/* rig_task - what was read about a task; NULL = nothing. */
const struct rig_task *rig_task(const struct rig_client *client, uint64_t seq);

/* rig_reason - why a task ended, from its row, which must be there. */
const char *rig_reason(const struct rig_client *client, uint64_t seq);

/* rig_client_take - decodes bytes that came from the engine. */
void rig_client_take(struct rig_client *client, struct wyn_slice bytes);
