// SPDX-License-Identifier: MIT
/*
 * admission.h - limits and a request in, accept or refuse out.
 *
 * A pure decision: it changes nothing and knows no connection, and any thread
 * may ask. What is wrong with a Submit refuses it whole; what is too much of it
 * is decided task by task, so that one over credit costs only what is over.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/limits.h"
#include "daemon/engine/verdict.h"
#include "proto/message.h"

/* What the decision depends on besides the Submit. */
struct wyn_admission {
	const struct wyn_limits *limits;
	bool draining;
	bool function_known;
	bool keeps; /* the client's user is known: tasks may outlive it */
	uint64_t keep_room;    /* so many more of that user's */
	uint64_t credit_tasks; /* covered by credit, of this Submit's */
	uint64_t credit_bytes; /* likewise */
	uint64_t daemon_tasks; /* held now, by all connections */
	uint64_t daemon_bytes; /* likewise */
	uint64_t own_tasks;    /* unanswered, of this connection */
	uint64_t own_bytes;    /* their arguments */
	bool alone;	       /* there is no other connection */
	uint64_t uploads;      /* arguments on their way, of this connection */
};

/*
 * wyn_admission_over - whether all would hold more than `max` with `more`, or
 * this connection, which holds `own` of the `held`, more than is left then.
 */
bool wyn_admission_over(
	bool alone, uint64_t own, uint64_t held, uint64_t more, uint64_t max);

/*
 * wyn_admission_whole - whether the Submit is refused as a whole.
 *
 * Returns: false = go on task by task; true = refused, *ret_answer says why
 * (its text a constant; for an unknown function the caller's to better).
 */
bool wyn_admission_whole(const struct wyn_admission *admission,
	const struct wyn_submit *submit, struct wyn_answer *ret_answer);

/*
 * wyn_admission_one - whether one task more is let in.
 *
 * `taken` tasks and `taken_bytes` of the Submit were let in before it, and its
 * argument has `bytes` bytes. Of what all may hold, no connection has more than
 * is left for the others, as in account.h; one that holds nothing is let in
 * while there is room. Thread: loop. Returns: false: *ret_answer says why not.
 */
bool wyn_admission_one(const struct wyn_admission *admission, uint64_t taken,
	uint64_t taken_bytes, uint64_t bytes, bool upload,
	struct wyn_answer *ret_answer);

/*
 * wyn_admission_all - whether every task of the Submit is let in, seen at once.
 *
 * The way of nearly all of them: no argument is looked at. Returns: false =
 * perhaps not: ask wyn_admission_one() for each.
 */
bool wyn_admission_all(
	const struct wyn_admission *admission, const struct wyn_submit *submit);
