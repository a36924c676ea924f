// SPDX-License-Identifier: MIT
/*
 * stats.h - the daemon's counters as `wynctl stats` shows them.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "client/wynctl/stdout.h"

/* wyn_stats_has_rate - a counter that only grows, and of which a rate says
 * something. */
bool wyn_stats_has_rate(const char *name);

/* wyn_stats_print - a line: name, value with its unit, and the rate if that is
 * not negative. */
void wyn_stats_print(struct wyn_stdout *output, const char *counter,
	uint64_t value, double per_second);
