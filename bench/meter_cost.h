// SPDX-License-Identifier: MIT
/*
 * meter_cost.h - what a pool costs while it has nothing or little to do.
 *
 * Idleness, and a trickle of tasks with the time from spawn to start. Each
 * program brings the calls of its own pool. C and C++.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bench/meter.h"
#include "bench/meter_series.h"
#include "bench/meter_words.h"

/* Sent by the spawner, started by the task; in ns. */
struct meter_stamp {
	uint64_t sent_ns;
	uint64_t started_ns;
};

static inline int meter_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Sorted: the 10th percentile, the median, the 90th, the worst. */
static inline void meter_latencies(
	const struct meter_stamp *stamps, uint64_t count)
{
	uint64_t *ns = (uint64_t *)calloc(count, sizeof(*ns));

	meter_require(count > 0 && ns != NULL);
	for (uint64_t i = 0; i < count; i++) {
		meter_require(stamps[i].started_ns >= stamps[i].sent_ns);
		ns[i] = stamps[i].started_ns - stamps[i].sent_ns;
	}
	qsort(ns, count, sizeof(*ns), meter_compare);
	printf("\"latency_ns\": [%llu, %llu, %llu, %llu]",
		(unsigned long long)ns[count / 10],
		(unsigned long long)ns[count / 2],
		(unsigned long long)ns[count * 9 / 10],
		(unsigned long long)ns[count - 1]);
	free(ns);
}

/* The pool was used before, and nothing has happened for 100 ms. `wakes` are
 * the sleeps that ended, but for the one of the thread that measures: a timer
 * or a poll would show there. */
static inline void meter_idle(void)
{
	struct rusage before, after;
	uint64_t cpu_ns, from_ns;

	meter_sleep_ms(100);
	getrusage(RUSAGE_SELF, &before);
	from_ns = meter_now_ns();
	cpu_ns = meter_cpu_ns();
	meter_sleep_ms(1000);
	cpu_ns = meter_cpu_ns() - cpu_ns;
	getrusage(RUSAGE_SELF, &after);
	printf("{\"cpu_ns\": %llu, \"wall_ns\": %llu, \"wakes\": %ld}\n",
		(unsigned long long)cpu_ns,
		(unsigned long long)(meter_now_ns() - from_ns),
		after.ru_nvcsw - before.ru_nvcsw - 1);
}

/* `spawn` makes a task that stores meter_now_ns() in started_ns; `wait` returns
 * when all have. */
static inline void meter_trickle(const struct meter *meter,
	void (*spawn)(struct meter_stamp *stamp), void (*wait)(void))
{
	uint64_t count = meter->rate;
	struct meter_stamp *stamps =
		(struct meter_stamp *)calloc(count, sizeof(*stamps));
	uint64_t cpu_ns, at_ns;

	meter_require(count > 0 && stamps != NULL);
	meter_sleep_ms(100);
	at_ns = meter_now_ns();
	cpu_ns = meter_cpu_ns();
	for (uint64_t i = 0; i < count; i++) {
		at_ns += METER_NS_PER_S / count;
		meter_sleep_until(at_ns);
		stamps[i].sent_ns = meter_now_ns();
		spawn(&stamps[i]);
	}
	wait();
	cpu_ns = meter_cpu_ns() - cpu_ns;
	printf("{\"cpu_ns\": %llu, ", (unsigned long long)cpu_ns);
	meter_latencies(stamps, count);
	printf("}\n");
	free(stamps);
}

/* The works that a pool of any kind has. */
static inline void meter_run_plain(const struct meter *meter,
	void (*detached)(const struct meter *),
	void (*memory)(const struct meter *),
	void (*spawn)(struct meter_stamp *stamp), void (*wait)(void))
{
	if (strcmp(meter->work, "memory") == 0) {
		memory(meter);
	} else if (strcmp(meter->work, "idle") == 0) {
		detached(meter);
		meter_idle();
	} else if (strcmp(meter->work, "trickle") == 0) {
		meter_trickle(meter, spawn, wait);
	} else {
		meter_require(strcmp(meter->work, "detached") == 0);
		meter_run(meter, detached);
	}
}
