// SPDX-License-Identifier: MIT
/*
 * kept.h - how a task that is kept goes or went, asked for and printed.
 *
 * For show, logs and wait. Main's thread.
 */
#pragma once

#include <jansson.h>

#include <wyn/client.h>

#include "client/wynctl/ctl.h"

/* What asking gave. */
enum wyn_kept_answer {
	WYN_KEPT_TOLD,
	WYN_KEPT_REFUSED, /* of this task; the client's error says why */
	WYN_KEPT_LOST,	  /* of all that follow; it was said why */
};

/*
 * wyn_kept_ask - how the task ended; waits: until it has.
 *
 * The server is asked again and again, for it does not wait for long. Its
 * value begins at value_from. Blocks: with waits, for as long as it takes.
 */
enum wyn_kept_answer wyn_kept_ask(struct wyn_ctl *ctl, uint64_t id, bool waits,
	uint64_t value_from, struct wyn_client_outcome *ret_outcome);

/*
 * wyn_kept_again - whether to ask again after a call that failed or that said
 * "not yet": pauses where the server has too many who ask.
 *
 * err: what the call returned. Returns: TOLD to ask again.
 */
enum wyn_kept_answer wyn_kept_again(struct wyn_ctl *ctl, int err);

/* wyn_kept_is_command - and not a function. */
bool wyn_kept_is_command(const struct wyn_client_outcome *outcome);

/* wyn_kept_exit_code - as that of run or call, of one that has ended. */
int wyn_kept_exit_code(const struct wyn_client_outcome *outcome);

/* wyn_kept_complain - what run or call would say of its end, if anything. */
void wyn_kept_complain(const struct wyn_client_outcome *outcome);

/* wyn_kept_json_end - sets how one ended that has. */
void wyn_kept_json_end(
	json_t *object, const struct wyn_client_outcome *outcome);

/* wyn_kept_json_refused - an object for an id that was REFUSED. */
json_t *wyn_kept_json_refused(const struct wyn_ctl *ctl, uint64_t id);
