// SPDX-License-Identifier: MIT
/*
 * stats.c - see stats.h.
 */
#include "daemon/engine/stats.h"

#include <string.h>

void wyn_stats_init(struct wyn_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	wyn_histogram_init(&stats->latency_ns);
}

void wyn_stats_ended(
	struct wyn_stats *stats, uint32_t code, bool refused, uint64_t n)
{
	if (code == WYN_STATUS_OK) {
		WYN_STATS_ADD(stats, tasks_ok, n);
	} else if (code == WYN_STATUS_CANCELLED) {
		WYN_STATS_ADD(stats, tasks_cancelled, n);
	} else if (code == WYN_STATUS_DEADLINE_EXCEEDED) {
		WYN_STATS_ADD(stats, tasks_expired, n);
	} else if (refused) {
		WYN_STATS_ADD(stats, tasks_refused, n);
	} else {
		WYN_STATS_ADD(stats, tasks_failed, n);
	}
}

void wyn_stats_sum(struct wyn_stats *into, const struct wyn_stats *from)
{
#define WYN_STATS_SUM(field)    \
	into->field##_approx += \
		__atomic_load_n(&from->field##_approx, __ATOMIC_RELAXED);
	WYN_STATS_TABLE(WYN_STATS_SUM)
#undef WYN_STATS_SUM
	for (size_t i = 0; i < WYN_REFUSALS; i++) {
		into->refused_approx[i] += __atomic_load_n(
			&from->refused_approx[i], __ATOMIC_RELAXED);
	}
	wyn_histogram_merge(&into->latency_ns, &from->latency_ns);
}
