// SPDX-License-Identifier: MIT
/*
 * account.h - what one owner holds of the room that all values share.
 *
 * Nobody holds more than is left free for the others: the first may have half
 * of the room, two a third each, and so on, so that whoever comes has some,
 * however little those before him read. The workers take and give back; the
 * account lives until the owner is gone and the last of its tasks is back.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct wyn_account {
	_Atomic uint64_t *all_held; /* [I] by all owners */
	_Atomic uint64_t all_max;   /* [A held] */
	_Atomic uint64_t held;	    /* [A held] of those, by this one */
	uint32_t holders;	    /* [L] the owner and its tasks */
	uint64_t command_bytes;	    /* [L] of its commands, beside values */
};

/*
 * wyn_account_create - holds nothing; held once, by its owner.
 *
 * Thread: loop. Owns: borrows all_held. Returns: NULL when there is no memory.
 */
struct wyn_account *wyn_account_create(
	_Atomic uint64_t *all_held, uint64_t all_max);

/* wyn_account_hold, wyn_account_release - one holder more or less; the last one
 * frees it. Thread: loop. */
void wyn_account_hold(struct wyn_account *account);
void wyn_account_release(struct wyn_account *account);

/* wyn_account_limit - all of them may hold so much from now on; what is held
 * beyond it stays. Thread: loop. */
void wyn_account_limit(struct wyn_account *account, uint64_t all_max);

/*
 * wyn_account_take - room for a value of so many bytes.
 *
 * Never over the bound, not even for a moment; when several workers ask at the
 * same time, one may be refused what would just have fitted. Thread: any.
 * Returns: false when there is none.
 */
WYN_NODISCARD
bool wyn_account_take(struct wyn_account *account, uint64_t bytes);

/* wyn_account_give_back - of what was taken. Thread: any. */
void wyn_account_give_back(struct wyn_account *account, uint64_t bytes);
