// SPDX-License-Identifier: MIT
/*
 * notices.h - events other than results that nobody has taken yet.
 *
 * A queue of copies. They are what a server can make grow: their memory is
 * counted, and the session stops reading for callers that do not take them.
 * Part of a session: one thread at a time, no I/O.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <wyn/client.h>

#include "base/compiler.h"
#include "base/list.h"

struct wyn_notice;

struct wyn_notices {
	struct wyn_list list;
	struct wyn_notice *lent; /* taken last, its event still valid */
	uint64_t bytes;		 /* of the values on the list */
	uint64_t memory_bytes;	 /* of all on the list, empty values too */
};

/* wyn_notices_init - an empty queue. */
void wyn_notices_init(struct wyn_notices *notices);

/* wyn_notices_fini - frees all of it, the event taken last too. */
void wyn_notices_fini(struct wyn_notices *notices);

/* wyn_notices_keep - appends a copy. Returns: 0, -ENOMEM. */
WYN_NODISCARD
int wyn_notices_keep(
	struct wyn_notices *notices, const struct wyn_client_event *event);

/*
 * wyn_notices_take - hands out the oldest.
 *
 * The event is valid until the next take or _fini. Returns: false when there
 * is none.
 */
bool wyn_notices_take(
	struct wyn_notices *notices, struct wyn_client_event *ret_event);
