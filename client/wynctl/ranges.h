// SPDX-License-Identifier: MIT
/*
 * ranges.h - a set of numbers, as ranges.
 *
 * For numbers that come nearly in order, as those of a log of commands: it then
 * has a few ranges, however many numbers. Main's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct wyn_range {
	uint64_t first;
	uint64_t last;
};

/* All zero bytes are the empty set. Ranges ascend and do not touch. */
struct wyn_ranges {
	struct wyn_range *ranges;
	size_t count;
	size_t room;
};

/* wyn_ranges_add - any number but UINT64_MAX. Returns: 0, -ENOMEM. */
WYN_NODISCARD
int wyn_ranges_add(struct wyn_ranges *ranges, uint64_t number);

/* wyn_ranges_have - whether the number is in the set. */
bool wyn_ranges_have(const struct wyn_ranges *ranges, uint64_t number);

/* wyn_ranges_fini - frees them. */
void wyn_ranges_fini(struct wyn_ranges *ranges);
