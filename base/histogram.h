// SPDX-License-Identifier: MIT
/*
 * histogram.h - how often which value occurred, within 1/64 of the value.
 *
 * Log-linear, after Gil Tene's HdrHistogram: below 128 each value has a bucket
 * of its own, above that every power of two is cut into 64 equal ones, so a
 * bucket is never wider than 1/64 of its lowest value. All of uint64_t fits
 * into fixed memory (about 30 KiB), and recording is one shift and one store.
 *
 * One thread records; any thread may read at the same time and sees a recent,
 * not an exact, state: statistics only. All zero bytes are an empty histogram.
 */
#pragma once

#include <stdint.h>

#define WYN_HISTOGRAM_SUB_BITS 6u
/* 128 exact ones, then 64 for each of the exponents 7 to 63. */
#define WYN_HISTOGRAM_BUCKETS \
	((64u - WYN_HISTOGRAM_SUB_BITS + 1u) << WYN_HISTOGRAM_SUB_BITS)

struct wyn_histogram {
	uint64_t count_approx; /* all of this: relaxed, statistics only */
	uint64_t max_approx;
	uint64_t min_inverted_approx; /* ~minimum, so that 0 is a start */
	uint64_t buckets_approx[WYN_HISTOGRAM_BUCKETS];
};

/*
 * wyn_histogram_init - empties it. Thread: the recording one.
 */
void wyn_histogram_init(struct wyn_histogram *h);

/*
 * wyn_histogram_record, _record_n - counts a value once, or n times.
 *
 * Thread: one at a time. Allocates nothing, never fails.
 */
void wyn_histogram_record(struct wyn_histogram *h, uint64_t value);
void wyn_histogram_record_n(
	struct wyn_histogram *h, uint64_t value, uint64_t n);

/*
 * wyn_histogram_merge - adds all that `from` counted to `into`.
 *
 * Thread: the one that records in `into`; `from` may be recorded in meanwhile.
 */
void wyn_histogram_merge(
	struct wyn_histogram *into, const struct wyn_histogram *from);

/*
 * wyn_histogram_percentile - the value that `percent` % of all are at most.
 *
 * percent is 0 to 100; outside it counts as the nearer end. 0 is the minimum,
 * 100 the maximum, both exact; between, the answer is the top of the bucket,
 * so at most 1/64 too high and never too low.
 *
 * Thread: any. Returns: 0 when nothing was recorded.
 */
uint64_t wyn_histogram_percentile(
	const struct wyn_histogram *h, double percent);

/*
 * wyn_histogram_count, _min, _max - of all that was recorded.
 *
 * Thread: any. Returns: 0 when nothing was recorded.
 */
uint64_t wyn_histogram_count(const struct wyn_histogram *h);
uint64_t wyn_histogram_min(const struct wyn_histogram *h);
uint64_t wyn_histogram_max(const struct wyn_histogram *h);
