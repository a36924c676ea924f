// SPDX-License-Identifier: MIT
/*
 * log_refused.h - tasks that were not accepted, as one line for many.
 *
 * The engine counts; its loop looks at the count after each turn and has told
 * nothing new for a window at least. What came after the last line is told
 * with the first turn after the window, or by the totals at the end.
 */
#pragma once

#include <stdint.h>

#include "daemon/engine/stats.h"

/* [L] Zeroed = nothing was told. */
struct wyn_log_refused {
	uint64_t seen; /* tasks_refused, when it was last told */
	uint64_t told_ns;
	uint64_t told[WYN_REFUSALS]; /* of the counters */
};

/*
 * wyn_log_refused_turn - tells what is new, if it is time.
 *
 * Thread: loop. While nothing is refused it costs a comparison, and the clock
 * is not asked.
 */
void wyn_log_refused_turn(struct wyn_log_refused *refused,
	const struct wyn_stats *stats, uint64_t (*clock_ns)(void));
