// SPDX-License-Identifier: MIT
/*
 * charge.h - what a task was charged to the executor's budget.
 *
 * Set by dispatch when it starts, and given back when it returns.
 */
#pragma once

#include <stdint.h>

/* What a task was thought to take when it was started. */
struct wyn_charge {
	uint64_t cost_ns;
	uint32_t function; /* the index of its name */
};
