// SPDX-License-Identifier: MIT
/*
 * meter.h - what every C and C++ program of the benchmarks has in common.
 *
 * The command line (WORK and NAME=NUMBER words), clocks, memory, the loop that
 * takes samples, and the line of JSON that the runner reads. The programs in
 * other languages do the same in their own words. C and C++.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define METER_NS_PER_S UINT64_C(1000000000)
#define METER_REST_MS  5u

/* A benchmark that went wrong has no figure. Needed with NDEBUG too. */
#define meter_require(condition)                                           \
	do {                                                               \
		if (!(condition)) {                                        \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, \
				#condition);                               \
			abort();                                           \
		}                                                          \
	} while (0)

struct meter {
	const char *work;
	uint64_t n;	    /* tasks of one sample */
	uint64_t workers;   /* threads that run them */
	uint64_t producers; /* threads that spawn; 0 = the main thread */
	uint64_t repeats;   /* samples back to back, and again after pauses */
	uint64_t pause_ms;  /* idleness before each of the latter; 0 = none */
	uint64_t spins;	    /* rounds of meter_spin per task */
	uint64_t inside;    /* 1 = spawned from inside a task */
	uint64_t rate;	    /* tasks per second, for one second */
};

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

static inline void meter_parse(struct meter *meter, int argc, char **argv)
{
	struct {
		const char *name;
		uint64_t *value;
	} words[] = {
		{"n=", &meter->n},
		{"workers=", &meter->workers},
		{"producers=", &meter->producers},
		{"repeats=", &meter->repeats},
		{"pause_ms=", &meter->pause_ms},
		{"spins=", &meter->spins},
		{"inside=", &meter->inside},
		{"rate=", &meter->rate},
	};

	memset(meter, 0, sizeof(*meter));
	meter_require(argc > 1);
	meter->work = argv[1];
	meter->n = meter->workers = meter->repeats = 1;
	meter->rate = 1000;
	for (int i = 2; i < argc; i++) {
		bool known = false;

		for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
			size_t length = strlen(words[w].name);

			if (strncmp(argv[i], words[w].name, length) == 0) {
				*words[w].value =
					strtoull(argv[i] + length, NULL, 10);
				known = true;
			}
		}
		meter_require(known);
	}
	/* Tasks are told apart by numbers of 32 bits. */
	meter_require(meter->n <= UINT32_MAX && meter->workers > 0);
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
