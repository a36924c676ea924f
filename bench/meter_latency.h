// SPDX-License-Identifier: MIT
/*
 * meter_latency.h - times of calls in buckets, and the line of JSON about them.
 *
 * For the clients of bench-socket; the keys are those of `wynctl bench --json`,
 * so that the runner reads all of them alike. Buckets are log-linear: a time is
 * known to 1/128 of itself.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "bench/meter.h"

#define METER_BUCKET_BITS 7u
#define METER_BUCKETS	  (58u << METER_BUCKET_BITS)

struct meter_latency {
	uint64_t start_ns;
	uint64_t cpu_ns;
	uint64_t warm; /* calls that do not count, but in the CPU time */
	uint64_t count;
	uint64_t sum_ns;
	uint64_t min_ns;
	uint64_t max_ns;
	uint64_t buckets[METER_BUCKETS];
};

static inline void meter_latency_start(struct meter_latency *latency)
{
	memset(latency, 0, sizeof(*latency));
	latency->min_ns = UINT64_MAX;
	latency->cpu_ns = meter_cpu_ns();
	latency->start_ns = meter_now_ns();
}

/* By how far the value is shifted to fit into twice the buckets of an octave;
 * the first two octaves are not. */
static inline unsigned meter_bucket_shift(uint64_t ns)
{
	unsigned bits = 64u - (unsigned)__builtin_clzll(ns | 1);

	return bits > METER_BUCKET_BITS + 1 ? bits - METER_BUCKET_BITS - 1 : 0;
}

static inline void meter_latency_add(
	struct meter_latency *latency, uint64_t ns, uint64_t count)
{
	unsigned shift = meter_bucket_shift(ns);

	latency->buckets[(shift << METER_BUCKET_BITS) + (ns >> shift)] += count;
	latency->count += count;
	latency->sum_ns += ns * count;
	latency->min_ns = ns < latency->min_ns ? ns : latency->min_ns;
	latency->max_ns = ns > latency->max_ns ? ns : latency->max_ns;
}

/* The middle of the bucket that so many of 1,000 samples do not exceed. */
static inline uint64_t meter_latency_permille(
	const struct meter_latency *latency, uint64_t permille)
{
	uint64_t rank = (latency->count * permille + 999) / 1000;
	uint64_t seen = 0;

	for (uint64_t i = 0; i < METER_BUCKETS; i++) {
		uint64_t shift = i < (2u << METER_BUCKET_BITS)
					 ? 0
					 : (i >> METER_BUCKET_BITS) - 1;

		seen += latency->buckets[i];
		if (seen >= rank && seen > 0) {
			return ((i - (shift << METER_BUCKET_BITS)) << shift) +
			       ((UINT64_C(1) << shift) >> 1);
		}
	}
	return latency->max_ns;
}

/* Call it when the last answer has come: time and CPU time end here. */
static inline void meter_latency_print(
	const struct meter_latency *latency, uint64_t bytes_per_call)
{
	uint64_t ns = meter_now_ns() - latency->start_ns;
	uint64_t cpu_ns = meter_cpu_ns() - latency->cpu_ns;
	double seconds = (double)ns / (double)METER_NS_PER_S;
	double rate = (double)latency->count / seconds;
	uint64_t calls = latency->count + latency->warm;

	meter_require(latency->count > 0);
	printf("{\"tasks\": %llu, \"ok\": %llu, \"errors\": 0, \"calls\": %llu,"
	       " \"seconds\": %f, \"per_second\": %.1f, \"bytes_per_second\": "
	       "%.1f,"
	       " \"client_cpu_ns\": %llu, \"latency_ns\": {\"min\": %llu,"
	       " \"mean\": %llu, \"p50\": %llu, \"p90\": %llu, \"p99\": %llu,"
	       " \"p999\": %llu, \"max\": %llu}}\n",
		(unsigned long long)latency->count,
		(unsigned long long)latency->count, (unsigned long long)calls,
		seconds, rate, rate * (double)bytes_per_call,
		(unsigned long long)cpu_ns, (unsigned long long)latency->min_ns,
		(unsigned long long)(latency->sum_ns / latency->count),
		(unsigned long long)meter_latency_permille(latency, 500),
		(unsigned long long)meter_latency_permille(latency, 900),
		(unsigned long long)meter_latency_permille(latency, 990),
		(unsigned long long)meter_latency_permille(latency, 999),
		(unsigned long long)latency->max_ns);
}
