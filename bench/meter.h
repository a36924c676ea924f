// SPDX-License-Identifier: MIT
/*
 * meter.h - clocks, memory, and the work of which every program knows the end.
 *
 * For the benchmarks in C and C++; those in other languages do the same in
 * their own words. meter_words.h has the words of the command line,
 * meter_series.h the samples, meter_cost.h and meter_memory.h the rest.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define METER_NS_PER_S	UINT64_C(1000000000)
#define METER_NS_PER_MS UINT64_C(1000000)

/* A benchmark that went wrong has no figure. Needed with NDEBUG too. */
#define meter_require(condition)                                           \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#condition);                               \
			abort();                                           \
		}                                                          \
	} while (0)

static inline uint64_t meter_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * METER_NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Of all threads of this process. */
static inline uint64_t meter_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * METER_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static inline void meter_sleep_until(uint64_t at_ns)
{
	struct timespec ts;

	ts.tv_sec = (time_t)(at_ns / METER_NS_PER_S);
	ts.tv_nsec = (long)(at_ns % METER_NS_PER_S);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL)) {
	}
}

static inline void meter_sleep_ms(uint64_t ms)
{
	meter_sleep_until(meter_now_ns() + ms * 1000000u);
}

/* A field of /proc/self/status, such as "VmRSS:". Not ru_maxrss: that one
 * begins with what the parent had before exec. */
static inline uint64_t meter_status_kib(const char *field)
{
	char line[256];
	unsigned long long kib = 0;
	FILE *file = fopen("/proc/self/status", "re");

	meter_require(file != NULL);
	while (fgets(line, (int)sizeof(line), file) != NULL) {
		if (strncmp(line, field, strlen(field)) == 0) {
			kib = strtoull(line + strlen(field), NULL, 10);
		}
	}
	fclose(file);
	return kib;
}

/* Work that no clock ends and no compiler shortens: a chain of multiplications,
 * so that a preempted task has not done what it did not run for. */
static inline void meter_spin(uint64_t rounds)
{
	uint64_t x = rounds;

	for (uint64_t i = 0; i < rounds; i++) {
		x = x * UINT64_C(6364136223846793005) + 1;
		__asm__ volatile("" : "+r"(x));
	}
}

/* What the fork-join of fib has to come to. */
static inline uint64_t meter_fib_expected(uint64_t n)
{
	uint64_t a = 0, b = 1;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t next = a + b;

		a = b;
		b = next;
	}
	return a;
}
