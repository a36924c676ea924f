// SPDX-License-Identifier: MIT
/*
 * credit.c - see credit.h. One account per kind; the loop of its connection.
 */
#include "daemon/engine/credit.h"

#include "base/assert.h"

void wyn_credit_init(struct wyn_credit *credit, uint64_t window)
{
	*credit = (struct wyn_credit){.window = window, .told = window};
}

uint64_t wyn_credit_take(struct wyn_credit *credit, uint64_t amount)
{
	uint64_t left = credit->told > credit->received
				? credit->told - credit->received
				: 0;

	credit->received += amount;
	wyn_assert(credit->received >= amount);
	return amount < left ? amount : left;
}

void wyn_credit_return(struct wyn_credit *credit, uint64_t amount)
{
	credit->returned += amount;
	wyn_assert(credit->returned <= credit->received);
}

bool wyn_credit_due(const struct wyn_credit *credit, uint64_t least)
{
	uint64_t total = credit->returned + credit->window;
	uint64_t left = credit->told > credit->received
				? credit->told - credit->received
				: 0;

	if (total == credit->told) {
		return false;
	}
	return total - credit->told >= (credit->window + 3) / 4 || left < least;
}

uint64_t wyn_credit_tell(struct wyn_credit *credit)
{
	credit->told = credit->returned + credit->window;
	return credit->told;
}
