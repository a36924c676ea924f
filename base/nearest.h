// SPDX-License-Identifier: MIT
/*
 * nearest.h - the name that a user probably meant.
 *
 * For messages such as: no function "ecko"; did you mean "echo"? Not for hot
 * paths: it costs the product of the lengths for every candidate. Any room,
 * any thread.
 */
#pragma once

#include <stddef.h>

/* Longer names are never near anything. */
#define WYN_NEAREST_NAME_MAX 64u

/*
 * wyn_nearest - finds the candidate with the fewest edits from `name`.
 *
 * An edit inserts, removes or replaces a byte, or swaps two neighbours. A
 * candidate is near when at most a third of the longer name's bytes changed,
 * and at least one edit is always allowed for names of two bytes or more. Of
 * several equally near the first wins. NULL candidates are skipped.
 *
 * Thread: any. Owns: borrows all. Returns: one of `candidates`, or NULL when
 * none is near.
 */
const char *wyn_nearest(
	const char *name, const char *const *candidates, size_t n);
