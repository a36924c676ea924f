// SPDX-License-Identifier: MIT
/*
 * bench_tally.c - latencies in runs, and errors by code and reason.
 *
 * The list of errors is searched from its front: a run sees a few kinds, and
 * the first one it met is mostly the one it meets again.
 */
#include "client/wynctl/bench_tally.h"

#include <stdio.h>
#include <string.h>

#define OTHERS "(others)"

void wyn_tally_flush(struct wyn_tally *tally)
{
	wyn_histogram_record_n(
		&tally->latency_ns, tally->last_ns, tally->last_count);
	tally->latency_sum_ns +=
		(double)tally->last_ns * (double)tally->last_count;
	tally->last_count = 0;
}

void wyn_tally_error(struct wyn_tally *tally, uint32_t code, const char *reason)
{
	struct wyn_tally_error *error = tally->errors;
	unsigned i = 0;

	tally->failed++;
	while (i < tally->errors_count &&
		(error[i].code != code ||
			strncmp(error[i].reason, reason,
				WYN_TALLY_REASON_BYTES - 1) != 0)) {
		i++;
	}
	if (i == WYN_TALLY_ERRORS_MAX) {
		i--;
		(void)snprintf(error[i].reason, WYN_TALLY_REASON_BYTES, OTHERS);
	} else if (i == tally->errors_count) {
		tally->errors_count++;
		error[i].code = code;
		(void)snprintf(
			error[i].reason, WYN_TALLY_REASON_BYTES, "%s", reason);
	}
	error[i].count++;
}

double wyn_tally_mean_ns(const struct wyn_tally *tally)
{
	uint64_t count = wyn_histogram_count(&tally->latency_ns);

	return count > 0 ? tally->latency_sum_ns / (double)count : 0;
}
