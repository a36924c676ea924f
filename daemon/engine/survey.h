// SPDX-License-Identifier: MIT
/*
 * survey.h - looks at the tasks of every loop, for a list or for one of them.
 *
 * A survey is a post that goes from loop to loop, looks a little in each turn,
 * and comes home with the rows of the lowest ids. One connection is looked at
 * as a whole, so no task is met twice, and one that lives all the time is met;
 * apart from that the rows are of different moments. At most one survey looks
 * in a turn of a loop, and as many are on their way as WYN_SURVEYS_MAX.
 *
 * survey.c has the way and the rows, survey_conn.c looks at a connection,
 * survey_why.c says of one task what it waits for.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wyn/module.h>

#include "base/compiler.h"
#include "daemon/engine/conn_later.h"
#include "daemon/limits.h"
#include "daemon/run/command.h"
#include "daemon/engine/post.h"

#define WYN_SURVEYS_MAX	      64u   /* of all; half of them for anybody */
#define WYN_SURVEY_LOOKS      4096u /* in one turn, and one connection more */
#define WYN_SURVEY_ROWS_MAX   256u
#define WYN_SURVEY_TEXT_BYTES 256u
#define WYN_SURVEY_NAME_BYTES (WYN_MODULE_NAME_BYTES_MAX + 1)

struct wyn_conn;
struct wyn_engine;
struct wyn_kept;
struct wyn_shared;

struct wyn_survey_row {
	uint64_t id;
	uint64_t seq;
	uint64_t conn; /* its number */
	uint64_t age_ns;
	uint64_t run_ns; /* 0 = not begun, or who knows */
	uint64_t argument_bytes;
	uint64_t timeout_ms;
	uint64_t deadline_ms;
	uint32_t loop;
	uint8_t state;	  /* Wyn__V1__TaskState */
	uint8_t priority; /* Wyn__V1__Priority */
	bool answered;
	uint32_t code; /* how it ended, this and the next */
	uint32_t exit_status;
	uint32_t signal;
	char function[WYN_SURVEY_NAME_BYTES];
	char client_name[WYN_CLIENT_NAME_BYTES];
	char command[WYN_COMMAND_LINE_BYTES]; /* "" = it calls the function */
	char label[WYN_LABEL_BYTES];
};

/* What the one task waits for. */
struct wyn_survey_why {
	int why; /* Wyn__V1__Why */
	uint64_t ahead;
	uint64_t conns;
	uint64_t executor;
	uint64_t have_bytes;
	char text[WYN_SURVEY_TEXT_BYTES];
};

/* What is asked for. All zero is every task that the asker may see. */
struct wyn_survey_query {
	uint64_t after;
	uint64_t conn;			      /* its number; 0 = all */
	uint8_t state;			      /* 0 = all */
	char function[WYN_SURVEY_NAME_BYTES]; /* "" = all */
	char label[WYN_LABEL_BYTES];	      /* "" = any */
	bool explain;	 /* one task, by its id or else its seq */
	bool end;	 /* that one is to end, or gets a signal */
	unsigned signal; /* 0 = it is cancelled */
	uint64_t grace_ms;
	uint64_t id;
	uint64_t seq;
	size_t rows_max; /* 1 to WYN_SURVEY_ROWS_MAX */
};

/* Whoever has the post has all of it. */
struct wyn_survey {
	struct wyn_post post;
	struct wyn_shared *shared;
	struct wyn_later later;
	struct wyn_survey_query query;
	/* Who asks: sees everything, or what that uid has, or what it has. */
	bool sees_all;
	bool local;
	uint32_t uid;
	uint64_t asker; /* its connection's number */

	void (*answer)(const struct wyn_survey *survey); /* Thread: loop */
	size_t loop;					 /* that it is at */
	uint32_t slot;	 /* the next connection of that one */
	uint32_t bucket; /* then the next of what is kept there */
	bool home;	 /* it is on its way back */
	uint64_t looks;	 /* in this turn */

	struct wyn_survey_why why; /* of the one task */
	bool more;		   /* there are ids beyond the rows */
	size_t count;
	uint16_t order[WYN_SURVEY_ROWS_MAX]; /* of the rows, by id */
	struct wyn_survey_row rows[];
};

/*
 * wyn_survey_start - sends one off, on behalf of a connection.
 *
 * `answer` is called once, if the daemon lives so long: at home, with the rows.
 * Thread: loop. Returns: 0; -EBUSY (as many are on their way as may), -ENOMEM,
 * and then the note is the caller's to answer.
 */
WYN_NODISCARD
int wyn_survey_start(struct wyn_conn *conn, const struct wyn_later *later,
	const struct wyn_survey_query *query,
	void (*answer)(const struct wyn_survey *survey));

/* wyn_survey_row - the index-th by ascending id. Thread: loop. */
const struct wyn_survey_row *wyn_survey_row(
	const struct wyn_survey *survey, size_t index);

/*
 * wyn_survey_place - a row for this id, if it is among the lowest so far.
 *
 * Thread: loop. Returns: a row to fill, with its id; NULL
 * when it is not, and neither is any higher one.
 */
struct wyn_survey_row *wyn_survey_place(struct wyn_survey *survey, uint64_t id);

/* wyn_survey_conn - looks at the tasks of a connection of the loop that it is
 * at. Thread: loop. */
void wyn_survey_conn(struct wyn_survey *survey, struct wyn_conn *conn);

/* wyn_survey_row_kept - a row of what is kept; id, loop and run are the row's
 * own. Thread: loop. */
void wyn_survey_row_kept(struct wyn_survey_row *row,
	const struct wyn_kept *kept, uint64_t now_ns);

/* wyn_survey_task_fill - a row as a message, which borrows its texts. Thread:
 * loop. */
void wyn_survey_task_fill(
	const struct wyn_survey_row *row, Wyn__V1__Task *ret_task);

/*
 * wyn_survey_kept - looks at what is kept of tasks that ended.
 *
 * Thread: loop. Returns: whether it has seen all.
 */
bool wyn_survey_kept(
	struct wyn_survey *survey, const struct wyn_engine *engine);
