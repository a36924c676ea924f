// SPDX-License-Identifier: MIT
/*
 * credit.h - cumulative credit of one kind, on the side that grants it.
 *
 * Totals only grow, so a lost or repeated Credit message cannot damage the
 * account. A unit that was used comes back when its result stands in the
 * output before the Credit that says so: the peer cannot use it before it has
 * read the result. Pure arithmetic; the connection's loop.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* [L] all of it */
struct wyn_credit {
	uint64_t window;   /* how much may be out at once */
	uint64_t received; /* total that the peer has used */
	uint64_t returned; /* total that was given back */
	uint64_t told;	   /* total that the peer was told it may use */
};

/* wyn_credit_init - the first grant is the whole window. */
void wyn_credit_init(struct wyn_credit *credit, uint64_t window);

/*
 * wyn_credit_take - the peer uses `amount`, whether it may or not.
 *
 * The caller has checked that the total does not pass 2^64. Returns: how much
 * of it was covered by what the peer had been told.
 */
uint64_t wyn_credit_take(struct wyn_credit *credit, uint64_t amount);

/* wyn_credit_return - `amount` of what was taken is free again. */
void wyn_credit_return(struct wyn_credit *credit, uint64_t amount);

/*
 * wyn_credit_due - whether the peer is to be told now.
 *
 * It is when a quarter of the window came back, or when less than `least` is
 * left to it and more could be. Not for every unit: a Credit has its price.
 */
bool wyn_credit_due(const struct wyn_credit *credit, uint64_t least);

/* wyn_credit_tell - the new total, which the caller now sends. */
uint64_t wyn_credit_tell(struct wyn_credit *credit);
