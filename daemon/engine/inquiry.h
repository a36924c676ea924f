// SPDX-License-Identifier: MIT
/*
 * inquiry.h - a Call about one task with on_disconnect KEEP: how it ended, or
 * what it wrote.
 *
 * Private to the engine. It is a post that goes from loop to loop until one has
 * the task's entry (kept.h), waits there for as long as it was asked to and
 * what it asks for is not there, and comes home with a copy. The loop's thread
 * that has it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "daemon/engine/conn_later.h"
#include "daemon/engine/post.h"
#include "daemon/engine/survey.h"
#include "daemon/run/command.h"
#include "daemon/run/refusal.h"
#include "daemon/run/timers.h"

struct wyn_conn;
struct wyn_engine;
struct wyn_kept;

#define WYN_INQUIRY_WAIT_MS_MAX 30000u
#define WYN_INQUIRY_PIECES_MAX	64u
#define WYN_INQUIRY_TEXT_BYTES	1024u

enum wyn_inquiry_kind {
	WYN_INQUIRY_OUTCOME,
	WYN_INQUIRY_LOGS,
};

/* What is asked for. */
struct wyn_inquiry_query {
	enum wyn_inquiry_kind kind;
	uint64_t id;
	uint64_t from;
	uint64_t wait_ms; /* cut at WYN_INQUIRY_WAIT_MS_MAX */
};

/* A piece of output, in bytes[]. */
struct wyn_inquiry_piece {
	uint64_t at;
	size_t offset; /* in bytes[] */
	size_t len;
	uint8_t stream;
};

/* Whoever has the post has all of it. */
struct wyn_inquiry {
	struct wyn_post post;
	struct wyn_shared *shared;
	size_t place; /* in shared->inquiries */
	struct wyn_later later;
	struct wyn_inquiry_query query;
	bool sees_all; /* who asks: everything, or what that uid has */
	uint32_t uid;
	size_t room; /* of data, in a reply */

	size_t loop; /* that it is at */
	bool home;
	bool found;
	struct wyn_engine *waits_at; /* NULL = it does not */
	struct wyn_kept *kept;	     /* for what of that */
	struct wyn_list link;	     /* its waiters */
	struct wyn_list of_engine;   /* those that wait there */
	struct wyn_timer timer;

	/* What it comes home with. */
	struct wyn_survey_row row;
	bool ended;
	uint8_t ran;
	bool value_lost;
	uint32_t code;
	enum wyn_refusal refusal;
	bool has_end;
	struct wyn_command_end end;
	uint64_t value_bytes;
	uint64_t output_bytes;
	uint64_t ended_ns; /* since */
	uint64_t left_ns;  /* until it goes */
	uint64_t next;
	char message[WYN_INQUIRY_TEXT_BYTES];
	size_t pieces_count;
	struct wyn_inquiry_piece pieces[WYN_INQUIRY_PIECES_MAX];
	size_t used;
	uint8_t bytes[]; /* room: the value's, or those of the pieces */
};

/*
 * wyn_inquiry_start - sends one off; the Call is noted.
 *
 * Returns: 0; -EBUSY when too many are on their way, -EDQUOT when too many of
 * them are of the same user; -ENOMEM.
 */
WYN_NODISCARD
int wyn_inquiry_start(struct wyn_conn *conn, const struct wyn_later *later,
	const struct wyn_inquiry_query *query);

/* wyn_inquiries_tell - the task wrote more, or has ended. */
void wyn_inquiries_tell(struct wyn_kept *kept);

/* wyn_inquiries_release - all that wait here go home with what there is. */
void wyn_inquiries_release(struct wyn_engine *engine);

/* wyn_inquiries_end - they end, and nobody is told: the engine ends. */
void wyn_inquiries_end(struct wyn_engine *engine);
