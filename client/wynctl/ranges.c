// SPDX-License-Identifier: MIT
/*
 * ranges.c - ranges in an array, found by halving.
 */
#include "client/wynctl/ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first range that does not end before `number`. */
static size_t ranges_find(const struct wyn_ranges *ranges, uint64_t number)
{
	size_t low = 0;
	size_t high = ranges->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (ranges->ranges[middle].last < number) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

bool wyn_ranges_have(const struct wyn_ranges *ranges, uint64_t number)
{
	size_t at = ranges_find(ranges, number);

	return at < ranges->count && ranges->ranges[at].first <= number;
}

static int ranges_insert(struct wyn_ranges *ranges, size_t at, uint64_t number)
{
	size_t room = ranges->room > 0 ? 2 * ranges->room : 16;
	struct wyn_range *larger;

	if (ranges->count == ranges->room) {
		larger = realloc(ranges->ranges, room * sizeof(*larger));
		if (larger == NULL) {
			return -ENOMEM;
		}
		ranges->ranges = larger;
		ranges->room = room;
	}
	memmove(ranges->ranges + at + 1, ranges->ranges + at,
		(ranges->count - at) * sizeof(*ranges->ranges));
	ranges->ranges[at] = (struct wyn_range){number, number};
	ranges->count++;
	return 0;
}

int wyn_ranges_add(struct wyn_ranges *ranges, uint64_t number)
{
	size_t at = ranges_find(ranges, number);
	struct wyn_range *after = ranges->ranges + at;
	bool behind = at > 0 && after[-1].last + 1 == number;
	bool before = at < ranges->count && after->first == number + 1;

	if (at < ranges->count && after->first <= number) {
		return 0;
	}
	if (behind && before) {
		after[-1].last = after->last;
		ranges->count--;
		memmove(after, after + 1,
			(ranges->count - at) * sizeof(*after));
	} else if (behind) {
		after[-1].last = number;
	} else if (before) {
		after->first = number;
	} else {
		return ranges_insert(ranges, at, number);
	}
	return 0;
}

void wyn_ranges_fini(struct wyn_ranges *ranges)
{
	free(ranges->ranges);
	*ranges = (struct wyn_ranges){0};
}
