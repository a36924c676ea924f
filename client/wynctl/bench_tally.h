// SPDX-License-Identifier: MIT
/*
 * bench_tally.h - what `wynctl bench` counts of the tasks that were answered.
 *
 * Pure, one thread. Results that come together took the same time, as the
 * clock is read once for many, so equal latencies in a row are one record.
 */
#pragma once

#include <stdint.h>

#include "base/histogram.h"

#define WYN_TALLY_ERRORS_MAX 32u
/* What is longer is cut between characters; each with a NUL. */
#define WYN_TALLY_REASON_BYTES	48u
#define WYN_TALLY_MESSAGE_BYTES 256u /* as a module's may have */

struct wyn_tally_error {
	uint32_t code; /* enum wyn_status */
	char reason[WYN_TALLY_REASON_BYTES];
	char message[WYN_TALLY_MESSAGE_BYTES]; /* of the first one */
	uint64_t count;
};

struct wyn_tally {
	uint64_t tasks;	      /* however they ended */
	uint64_t value_bytes; /* of those that ended well */
	double latency_sum_ns;
	struct wyn_histogram latency_ns;
	uint64_t last_ns; /* `last_count` times, and not recorded yet */
	uint64_t last_count;
	/* A server may have any number of reasons: the last one kept stands
	 * for those that found no room, and then has no message. */
	struct wyn_tally_error errors[WYN_TALLY_ERRORS_MAX];
	unsigned errors_count;
	uint64_t failed; /* sum of the errors */
};

/* wyn_tally_flush - the histogram has all of it only after this. */
void wyn_tally_flush(struct wyn_tally *tally);

/* wyn_tally_error - one more task that ended like this. Owns: copies the texts,
 * the message if it is the first of its code and reason. */
void wyn_tally_error(struct wyn_tally *tally, uint32_t code, const char *reason,
	const char *message);

/* wyn_tally_mean_ns - of all latencies; 0 when there is none. */
double wyn_tally_mean_ns(const struct wyn_tally *tally);

/* wyn_tally_task - a task was answered, after so long. */
static inline void wyn_tally_task(struct wyn_tally *tally, uint64_t latency_ns)
{
	tally->tasks++;
	if (latency_ns != tally->last_ns) {
		wyn_tally_flush(tally);
		tally->last_ns = latency_ns;
	}
	tally->last_count++;
}
