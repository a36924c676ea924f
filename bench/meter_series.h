// SPDX-License-Identifier: MIT
/*
 * meter_series.h - takes samples of one work and prints the line of JSON.
 *
 * The first sample apart, then some back to back, then some after pauses, as
 * the words of meter_words.h say. The runner reads the line. C and C++.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "bench/meter.h"
#include "bench/meter_words.h"

#define METER_REST_MS 5u

/* How often meter_run calls `once`. */
static inline uint64_t meter_samples(const struct meter *meter)
{
	return 1 + meter->repeats * (meter->pause_ms > 0 ? 2 : 1);
}

/*
 * A list of wall times, and the mean CPU time of one sample. The kernel books
 * the time of a thread on another CPU late, at the tick or when it stops
 * running: so CPU time is read around all samples, with everybody at rest.
 */
static inline void meter_series(const struct meter *meter, const char *name,
	uint64_t samples, uint64_t pause_ms, void (*once)(const struct meter *))
{
	uint64_t cpu_ns;

	meter_require(samples > 0);
	meter_sleep_ms(METER_REST_MS);
	cpu_ns = meter_cpu_ns();
	printf("\"%s\": [", name);
	for (uint64_t i = 0; i < samples; i++) {
		uint64_t from_ns;

		if (pause_ms > 0) {
			meter_sleep_ms(pause_ms);
		}
		from_ns = meter_now_ns();
		once(meter);
		printf("%s%llu", i > 0 ? ", " : "",
			(unsigned long long)(meter_now_ns() - from_ns));
	}
	meter_sleep_ms(METER_REST_MS);
	printf("], \"%s_cpu_ns\": %llu, ", name,
		(unsigned long long)((meter_cpu_ns() - cpu_ns) / samples));
}

/* The first run apart, since it touches memory for the first time. */
static inline void meter_run(
	const struct meter *meter, void (*once)(const struct meter *))
{
	printf("{");
	meter_series(meter, "first", 1, 0, once);
	meter_series(meter, "warm", meter->repeats, 0, once);
	if (meter->pause_ms > 0) {
		meter_series(
			meter, "idle", meter->repeats, meter->pause_ms, once);
	}
	printf("\"rss_peak_kib\": %llu}\n",
		(unsigned long long)meter_status_kib("VmHWM:"));
}
