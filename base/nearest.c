// SPDX-License-Identifier: MIT
/*
 * nearest.c - the name that a user probably meant.
 *
 * Restricted Damerau-Levenshtein distance (optimal string alignment), by the
 * usual dynamic programme over three rows on the stack.
 */
#include "base/nearest.h"

#include <stdint.h>
#include <string.h>

#define ROW (WYN_NEAREST_NAME_MAX + 1)

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Both names have at most WYN_NEAREST_NAME_MAX bytes. */
static unsigned int distance(
	const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned int rows[3][ROW];

	for (size_t j = 0; j <= b_len; j++) {
		rows[0][j] = (unsigned int)j;
	}
	for (size_t i = 1; i <= a_len; i++) {
		unsigned int *row = rows[i % 3];
		const unsigned int *above = rows[(i + 2) % 3];
		const unsigned int *two_above = rows[(i + 1) % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned int replaced = a[i - 1] != b[j - 1];

			row[j] = least(above[j - 1] + replaced,
				least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				a[i - 2] == b[j - 1]) {
				row[j] = least(row[j], two_above[j - 2] + 1);
			}
		}
	}
	return rows[a_len % 3][b_len];
}

/* How many edits two names of these lengths may be apart; 0 = not near. */
static size_t edits_allowed(size_t a_len, size_t b_len)
{
	size_t longer = a_len > b_len ? a_len : b_len;

	if (longer > WYN_NEAREST_NAME_MAX || a_len < 2 || b_len < 2) {
		return 0;
	}
	return longer < 3 ? 1 : longer / 3;
}

const char *wyn_nearest(
	const char *name, const char *const *candidates, size_t n)
{
	size_t name_len = strlen(name);
	const char *best = NULL;
	size_t best_edits = SIZE_MAX;

	for (size_t i = 0; i < n; i++) {
		size_t len = candidates[i] ? strlen(candidates[i]) : 0;
		size_t allowed = edits_allowed(name_len, len);
		size_t edits;

		if (allowed == 0) {
			continue;
		}
		edits = distance(name, name_len, candidates[i], len);
		if (edits <= allowed && edits < best_edits) {
			best = candidates[i];
			best_edits = edits;
		}
	}
	return best;
}
