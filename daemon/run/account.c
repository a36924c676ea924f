// SPDX-License-Identifier: MIT
/*
 * account.c - see account.h. [held] All of these are relaxed.
 */
#include "daemon/run/account.h"

#include <stdlib.h>

#include "base/assert.h"

struct wyn_account *wyn_account_create(
	_Atomic uint64_t *all_held, uint64_t all_max)
{
	struct wyn_account *account = malloc(sizeof(*account));

	if (account == NULL) {
		return NULL;
	}
	account->all_held = all_held;
	atomic_init(&account->all_max, all_max);
	account->holders = 1;
	account->command_bytes = 0;
	atomic_init(&account->held, 0);
	return account;
}

void wyn_account_hold(struct wyn_account *account)
{
	account->holders++;
	wyn_assert(account->holders != 0);
}

void wyn_account_release(struct wyn_account *account)
{
	wyn_assert(account->holders > 0);
	if (--account->holders == 0) {
		wyn_assert(account->command_bytes == 0);
		free(account);
	}
}

void wyn_account_limit(struct wyn_account *account, uint64_t all_max)
{
	atomic_store_explicit(&account->all_max, all_max, memory_order_relaxed);
}

/* `own` is what the owner holds with these bytes. */
static bool all_take(struct wyn_account *account, uint64_t bytes, uint64_t own)
{
	uint64_t max =
		atomic_load_explicit(&account->all_max, memory_order_relaxed);
	uint64_t held =
		atomic_load_explicit(account->all_held, memory_order_relaxed);

	/* [held] as in wyn_engine_claim(), but never over the bound. */
	do {
		if (held > max || bytes > max - held ||
			own > max - held - bytes) {
			return false;
		}
	} while (!atomic_compare_exchange_weak_explicit(account->all_held,
		&held, held + bytes, memory_order_relaxed,
		memory_order_relaxed));
	return true;
}

bool wyn_account_take(struct wyn_account *account, uint64_t bytes)
{
	uint64_t own = atomic_fetch_add_explicit(
			       &account->held, bytes, memory_order_relaxed) +
		       bytes;

	if (all_take(account, bytes, own)) {
		return true;
	}
	atomic_fetch_sub_explicit(&account->held, bytes, memory_order_relaxed);
	return false;
}

void wyn_account_give_back(struct wyn_account *account, uint64_t bytes)
{
	atomic_fetch_sub_explicit(
		account->all_held, bytes, memory_order_relaxed);
	atomic_fetch_sub_explicit(&account->held, bytes, memory_order_relaxed);
}
