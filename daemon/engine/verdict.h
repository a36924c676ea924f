// SPDX-License-Identifier: MIT
/*
 * verdict.h - answers to tasks that no executor gave: refused, cancelled in the
 * queue, expired.
 *
 * One verdict answers a run of seqs with the same words, so that refusing a
 * batch of a million costs one small object until its rows are encoded.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "daemon/run/refusal.h"
#include "proto/message.h"

#define WYN_VERDICT_TEXT_BYTES_MAX 256u

/* What is said, for one or for many tasks. */
struct wyn_answer {
	enum wyn_refusal refusal;
	const char *text; /* a constant, or borrowed; NULL = the refusal's */
	bool text_borrowed;
	uint8_t ran; /* Wyn__V1__Ran; 0 = as the refusal says */
};

/* [L] all of it */
struct wyn_verdict {
	struct wyn_list link; /* its connection's verdicts, oldest first */
	uint64_t next_seq;
	uint64_t count; /* rows left */
	uint64_t tasks; /* credit that the last row gives back */
	uint64_t bytes; /* likewise */
	enum wyn_refusal refusal;
	uint32_t memory_bytes;	  /* of all of it */
	uint32_t row_bytes;	  /* that each row will have, about */
	struct wyn_detail detail; /* views into reason and text */
	char text[];		  /* a borrowed one, copied */
};

/* What a row has beside its value and texts, at most: a column's element has a
 * key and a length, a Detail has those of four fields and two numbers. */
#define WYN_ROW_BYTES 40u

/*
 * wyn_verdict_create - `answer` for `count` tasks from first_seq on.
 *
 * A borrowed text is copied, and cut at its bound. Thread: loop. Owns: the
 * caller's, to free() once on no list. Returns: NULL when there is no memory.
 */
struct wyn_verdict *wyn_verdict_create(
	const struct wyn_answer *answer, uint64_t first_seq, uint64_t count);

/*
 * wyn_verdict_extend - the same answer for the `count` tasks that follow.
 *
 * A client decides how many tasks are refused one by one; what they cost must
 * not be many times what it sent. Thread: loop. Returns: false when it is
 * another answer, or they do not follow.
 */
bool wyn_verdict_extend(struct wyn_verdict *verdict,
	const struct wyn_answer *answer, uint64_t first_seq, uint64_t count);
