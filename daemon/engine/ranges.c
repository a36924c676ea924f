// SPDX-License-Identifier: MIT
/*
 * ranges.c - see ranges.h. The loop's thread only.
 */
#include "daemon/engine/ranges.h"

#include <stdlib.h>

void wyn_ranges_add(struct wyn_ranges *ranges, uint64_t first, uint64_t count)
{
	struct wyn_range *range = &ranges->items[ranges->count];

	if (count == 0) {
		return;
	}
	range->first = first;
	if (__builtin_add_overflow(first, count - 1, &range->last)) {
		range->last = UINT64_MAX;
	}
	ranges->count++;
}

static int compare(const void *a, const void *b)
{
	const struct wyn_range *left = a;
	const struct wyn_range *right = b;

	return (left->first > right->first) - (left->first < right->first);
}

static bool is_sorted(const struct wyn_ranges *ranges)
{
	for (size_t i = 1; i < ranges->count; i++) {
		if (ranges->items[i - 1].last >= ranges->items[i].first) {
			return false;
		}
	}
	return true;
}

void wyn_ranges_settle(struct wyn_ranges *ranges)
{
	struct wyn_range *items = ranges->items;
	size_t kept = 0;

	if (is_sorted(ranges)) {
		return;
	}
	qsort(items, ranges->count, sizeof(*items), compare);
	for (size_t i = 1; i < ranges->count; i++) {
		if (items[i].first > items[kept].last) {
			items[++kept] = items[i];
		} else if (items[i].last > items[kept].last) {
			items[kept].last = items[i].last;
		}
	}
	ranges->count = kept + 1;
}

bool wyn_ranges_meet(const struct wyn_ranges *ranges, uint64_t first,
	uint64_t last, struct wyn_range *ret_part)
{
	size_t low = 0;
	size_t high = ranges->count;
	const struct wyn_range *range;

	/* The first one that does not end before `first`. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->items[middle].last < first) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	range = &ranges->items[low];
	if (low == ranges->count || range->first > last) {
		return false;
	}
	ret_part->first = range->first > first ? range->first : first;
	ret_part->last = range->last < last ? range->last : last;
	return true;
}
