// SPDX-License-Identifier: MIT
/*
 * histogram.c - how often which value occurred, within 1/64 of the value.
 *
 * A value below 2^7 is its own bucket number. Above, with e the position of
 * its highest bit, the six bits after that one choose among the 64 buckets of
 * its power of two: (e - 6) * 64 + (value >> (e - 6)). Both formulas agree
 * at 64 to 127, so the numbering has no gap.
 *
 * Every word is read and written by relaxed atomics: no order is promised,
 * only that a reader in another thread sees whole words.
 */
#include "base/histogram.h"

#include <stddef.h>
#include <string.h>

#define SUB_BITS  WYN_HISTOGRAM_SUB_BITS
#define SUB_COUNT (1u << SUB_BITS)

static uint64_t load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void store(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/* Not an atomic addition: there is one writer. */
static void add(uint64_t *word, uint64_t n)
{
	store(word, load(word) + n);
}

static size_t bucket_of(uint64_t value)
{
	unsigned int shift;

	if (value < SUB_COUNT) {
		return (size_t)value;
	}
	shift = 63u - (unsigned int)__builtin_clzll(value) - SUB_BITS;
	return (size_t)shift * SUB_COUNT + (size_t)(value >> shift);
}

/* The highest value that bucket_of() puts there. */
static uint64_t bucket_top(size_t bucket)
{
	unsigned int shift;
	uint64_t base;

	if (bucket < 2 * SUB_COUNT) {
		return bucket;
	}
	shift = (unsigned int)(bucket / SUB_COUNT) - 1;
	base = (uint64_t)(SUB_COUNT + bucket % SUB_COUNT) << shift;
	return base + (((uint64_t)1 << shift) - 1);
}

void wyn_histogram_init(struct wyn_histogram *h)
{
	memset(h, 0, sizeof(*h));
}

static void raise_to(uint64_t *word, uint64_t value)
{
	if (value > load(word)) {
		store(word, value);
	}
}

void wyn_histogram_record_n(struct wyn_histogram *h, uint64_t value, uint64_t n)
{
	if (n == 0) {
		return;
	}
	add(&h->buckets_approx[bucket_of(value)], n);
	raise_to(&h->max_approx, value);
	raise_to(&h->min_inverted_approx, ~value);
	add(&h->count_approx, n);
}

void wyn_histogram_record(struct wyn_histogram *h, uint64_t value)
{
	wyn_histogram_record_n(h, value, 1);
}

void wyn_histogram_merge(
	struct wyn_histogram *into, const struct wyn_histogram *from)
{
	uint64_t count = 0;

	for (size_t i = 0; i < WYN_HISTOGRAM_BUCKETS; i++) {
		uint64_t n = load(&from->buckets_approx[i]);

		if (n > 0) {
			add(&into->buckets_approx[i], n);
			count += n;
		}
	}
	if (count == 0) {
		return;
	}
	/* What was seen in buckets counts: `from` may have moved on since. */
	raise_to(&into->max_approx, load(&from->max_approx));
	raise_to(&into->min_inverted_approx, load(&from->min_inverted_approx));
	add(&into->count_approx, count);
}

/*
 * How many recorded values a percentile covers: rounded up, at least 1. The
 * last bits of a product such as 99.9 * 1000 are noise, which must not lift
 * the rank by one.
 */
static uint64_t rank_of(double percent, uint64_t count)
{
	double exact = percent * (double)count / 100.0 * (1.0 - 1e-12);
	uint64_t rank = (uint64_t)exact;

	if ((double)rank < exact || rank == 0) {
		rank++;
	}
	return rank;
}

uint64_t wyn_histogram_percentile(const struct wyn_histogram *h, double percent)
{
	uint64_t count = load(&h->count_approx);
	uint64_t max = wyn_histogram_max(h);
	uint64_t seen = 0;
	uint64_t rank;

	if (count == 0) {
		return 0;
	}
	/* The negated comparison sends a NaN here too. */
	if (!(percent > 0.0)) {
		return wyn_histogram_min(h);
	}
	if (percent >= 100.0) {
		return max;
	}
	rank = rank_of(percent, count);
	for (size_t i = 0; i < WYN_HISTOGRAM_BUCKETS; i++) {
		seen += load(&h->buckets_approx[i]);
		if (seen >= rank) {
			uint64_t top = bucket_top(i);

			return top < max ? top : max;
		}
	}
	return max;
}

uint64_t wyn_histogram_count(const struct wyn_histogram *h)
{
	return load(&h->count_approx);
}

uint64_t wyn_histogram_min(const struct wyn_histogram *h)
{
	return load(&h->count_approx) == 0 ? 0 : ~load(&h->min_inverted_approx);
}

uint64_t wyn_histogram_max(const struct wyn_histogram *h)
{
	return load(&h->max_approx);
}
