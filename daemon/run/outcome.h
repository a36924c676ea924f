// SPDX-License-Identifier: MIT
/*
 * outcome.h - how one call of a function ended, and the room for its value.
 *
 * Written by the worker that makes the call; the completion sink publishes it,
 * and from then on it is the loop's. Small values lie in room that whoever
 * makes the call has lent; larger ones are malloc'd and charged to the owner's
 * account.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "daemon/limits.h"
#include "daemon/run/refusal.h"

struct wyn_account;
struct wyn_command_end;
struct wyn_module_state;
struct wyn_nest;

/* [W] until the call is over, then [L]. */
struct wyn_outcome {
	/* [I] */
	struct wyn_account *account; /* for a large value */
	uint64_t value_bytes_max;
	uint8_t *small; /* lent: WYN_INLINE_VALUE_BYTES of room */

	uint32_t code; /* enum wyn_status */
	enum wyn_refusal refusal;
	char *message;	/* malloc'd, owned; NULL = none */
	uint8_t *value; /* small, or malloc'd; NULL = none */
	size_t value_bytes;
	size_t value_room; /* of a malloc'd one, as charged */

	struct wyn_command_end *end; /* malloc'd, owned; NULL = none */

	/* [W] what the call has asked for; NULL = nothing, and so after it */
	struct wyn_module_state *state; /* see call.h */
	struct wyn_nest *nest;		/* see nested.h */
};

/*
 * wyn_outcome_reserve - room for a value of so many bytes, instead of what was
 * reserved before.
 *
 * Thread: worker. Owns: the outcome's. Returns: NULL over value_bytes_max or
 * what the account has left, which the outcome then says.
 */
uint8_t *wyn_outcome_reserve(struct wyn_outcome *outcome, size_t bytes);

/*
 * wyn_outcome_append - copies so many bytes behind what the value has.
 *
 * Thread: worker. Returns: false as wyn_outcome_reserve() NULL; there is no
 * value then.
 */
WYN_NODISCARD
bool wyn_outcome_append(
	struct wyn_outcome *outcome, const void *data, size_t bytes);

/*
 * wyn_outcome_say - a message for people, cut at WYN_MODULE_MESSAGE_BYTES_MAX;
 * what is not UTF-8 in it becomes `?`. Without memory there is none.
 *
 * Thread: worker.
 */
void wyn_outcome_say(struct wyn_outcome *outcome, const char *message);

/*
 * wyn_outcome_conclude - the function of that name returned `status`.
 *
 * cancelled: the loop had asked it to end. Thread: worker.
 */
void wyn_outcome_conclude(struct wyn_outcome *outcome, int status,
	bool cancelled, const char *function);

/*
 * wyn_outcome_clear - frees what it owns, gives a large value back to the
 * account; it is OK then, without a value.
 *
 * Thread: worker, loop.
 */
void wyn_outcome_clear(struct wyn_outcome *outcome);

/* wyn_outcome_is_plain - OK, with a small value or none. Thread: its owner. */
static inline bool wyn_outcome_is_plain(const struct wyn_outcome *outcome)
{
	return outcome->code == 0 && outcome->message == NULL &&
	       (outcome->value == NULL || outcome->value == outcome->small);
}
