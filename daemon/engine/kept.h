// SPDX-License-Identifier: MIT
/*
 * kept.h - how tasks with on_disconnect KEEP ended, and what they wrote, for
 * whoever of their user asks later.
 *
 * An entry begins when such a task is accepted, and stays for keep-time after
 * its end. Each user has keep-tasks of them that have not ended, beyond which
 * none is accepted, as many that have, and keep-bytes; beyond these his oldest
 * ended ones go first, then the oldest output of the task that writes. Of one
 * task the newest keep-output bytes of output are kept. What somebody waits for
 * stays, until he has it.
 * Pure data: no clock, no connection. The loop's thread only; one per loop, and
 * the bounds are those of a loop.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wyn/module.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/slice.h"
#include "daemon/limits.h"
#include "daemon/run/command.h"
#include "daemon/run/outcome.h"

#define WYN_KEPT_USERS_MAX 64u
#define WYN_KEPT_BUCKETS   1024u /* a power of two */
#define WYN_KEPT_NAME_BYTES \
	(WYN_MODULE_NAME_BYTES_MAX + 1) /* of a function, with a NUL */

struct wyn_kept_user;

/* Some output, in the order in which it came. */
struct wyn_kept_piece {
	struct wyn_kept_piece *next;
	uint64_t at; /* bytes of all output of the task before it */
	size_t bytes;
	uint8_t stream; /* Wyn__V1__Stream */
	uint8_t data[];
};

/* What a task was, for who asks. */
struct wyn_kept_origin {
	uint64_t id;
	uint32_t uid;
	uint64_t seq;
	uint64_t conn; /* its number */
	uint64_t received_ns;
	uint8_t priority;
	const char *function; /* borrowed for the call, as the next */
	const char *command;
	const char *label;
};

/* [L] all of it */
struct wyn_kept {
	struct wyn_kept *next_in_bucket;
	struct wyn_list of_user; /* its ended ones, oldest first */
	struct wyn_list of_all;	 /* likewise, of all users */
	struct wyn_list waiters; /* who waits for output, or the end */
	struct wyn_kept_user *user;
	uint64_t id;
	uint64_t seq;
	uint64_t conn;
	uint64_t received_ns;
	uint8_t priority;
	char function[WYN_KEPT_NAME_BYTES];
	char command[WYN_COMMAND_LINE_BYTES]; /* "" = it calls the function */
	char label[WYN_LABEL_BYTES];

	uint64_t started_ns; /* 0 = it has not */
	bool ended;
	uint64_t ended_ns;
	uint32_t code;
	uint8_t ran; /* Wyn__V1__Ran */
	enum wyn_refusal refusal;
	char *message; /* owned, as the next two; NULL = none */
	uint8_t *value;
	struct wyn_command_end *end;
	size_t value_bytes;
	bool value_lost; /* there was no room for it */

	struct wyn_kept_piece *head; /* oldest first */
	struct wyn_kept_piece **tail;
	uint64_t output_bytes; /* kept */
	uint64_t output_end;   /* that came, those that went too */
};

struct wyn_kept_user {
	struct wyn_list link;
	struct wyn_list ended; /* oldest first */
	uint32_t uid;
	uint64_t entries; /* also of tasks that go on */
	uint64_t ended_count;
	uint64_t bytes;
};

struct wyn_keep {
	const struct wyn_limits *limits; /* borrowed: they may change */
	struct wyn_kept *buckets[WYN_KEPT_BUCKETS];
	struct wyn_list users;
	size_t users_count;
	struct wyn_list ended; /* oldest first */
	uint64_t evicted;      /* before their time */
};

/* wyn_keep_init, wyn_keep_fini - nothing is kept; nothing is any more. */
void wyn_keep_init(struct wyn_keep *keep, const struct wyn_limits *limits);
void wyn_keep_fini(struct wyn_keep *keep);

/* wyn_keep_room - how many more tasks of that user may be accepted. */
uint64_t wyn_keep_room(const struct wyn_keep *keep, uint32_t uid);

/*
 * wyn_keep_begin - an entry for a task that is accepted.
 *
 * Owns: the store's. It stays at least until wyn_keep_end(), or
 * wyn_keep_forget(). Returns: NULL when there is no memory.
 */
struct wyn_kept *wyn_keep_begin(
	struct wyn_keep *keep, const struct wyn_kept_origin *origin);

/* wyn_keep_output - what it wrote. Without room or memory the oldest, or this,
 * goes. */
void wyn_keep_output(struct wyn_keep *keep, struct wyn_kept *kept,
	uint8_t stream, struct wyn_slice bytes);

/* wyn_keep_end - copies how it ended; the entry may go from now on, and does if
 * keep-tasks is 0. */
void wyn_keep_end(struct wyn_keep *keep, struct wyn_kept *kept,
	const struct wyn_outcome *outcome, uint8_t ran, uint64_t now_ns);

/* wyn_keep_forget - as if it had never been accepted. */
void wyn_keep_forget(struct wyn_keep *keep, struct wyn_kept *kept);

/* wyn_keep_find - the entry of that task; NULL = there is none. */
struct wyn_kept *wyn_keep_find(const struct wyn_keep *keep, uint64_t id);

/* wyn_keep_expire - drops those whose time is over. Returns: when the next one
 * is due; UINT64_MAX = none. */
uint64_t wyn_keep_expire(struct wyn_keep *keep, uint64_t now_ns);

/* wyn_kept_from - the first piece with bytes from there on; NULL = none. */
const struct wyn_kept_piece *wyn_kept_from(
	const struct wyn_kept *kept, uint64_t at);
