// SPDX-License-Identifier: MIT
/*
 * ranges.h - a set of numbers as ranges, for a Cancel.
 *
 * Sorted and without overlaps, so that a walk over what waits asks once per
 * batch, by bisection, however many ranges a client sends and in whatever
 * order. Pure data in the caller's memory; the loop's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Both ends are in it. */
struct wyn_range {
	uint64_t first;
	uint64_t last;
};

struct wyn_ranges {
	struct wyn_range *items; /* borrowed */
	size_t count;
};

/* The set that has every number. */
#define WYN_RANGES_ALL \
	((struct wyn_ranges){.items = &(struct wyn_range){0, UINT64_MAX}, 1})

/*
 * wyn_ranges_add - puts [first, first + count) behind the others.
 *
 * What is over 2^64 - 1 is cut off; a count of 0 adds nothing. The caller's
 * memory has room. Thread: loop.
 */
void wyn_ranges_add(struct wyn_ranges *ranges, uint64_t first, uint64_t count);

/* wyn_ranges_settle - sorts and merges; needed before the next call. */
void wyn_ranges_settle(struct wyn_ranges *ranges);

/*
 * wyn_ranges_meet - the first part of [first, last] that is in the set.
 *
 * Thread: loop. Returns: false when there is none; *ret_part is a range that
 * lies in both.
 */
bool wyn_ranges_meet(const struct wyn_ranges *ranges, uint64_t first,
	uint64_t last, struct wyn_range *ret_part);
