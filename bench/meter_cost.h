// SPDX-License-Identifier: MIT
/*
 * meter_cost.h - what a pool costs while it has nothing or little to do.
 *
 * Idleness, a trickle of tasks with the time from spawn to start, and memory
 * while tasks wait. As meter.h for C and C++ programs; each brings the calls
 * of its own pool.
 */
#pragma once

#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "bench/meter.h"
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

/* The pool was used before, and nothing has happened for 100 ms. */
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
	printf("{\"cpu_ns\": %llu, \"wall_ns\": %llu, \"switches\": %ld}\n",
		(unsigned long long)cpu_ns,
		(unsigned long long)(meter_now_ns() - from_ns),
		after.ru_nvcsw + after.ru_nivcsw - before.ru_nvcsw -
			before.ru_nivcsw);
}

/* `spawn` makes a task that stores meter_now_ns() in started_ns; `wait` returns
 * when all have. */
static inline void meter_trickle(const struct meter *meter,
	void (*spawn)(struct meter_stamp *stamp), void (*wait)(void))
{
	uint64_t count = meter->rate;
	struct meter_stamp *stamps =
		(struct meter_stamp *)calloc(count, sizeof(*stamps));
	uint64_t *ns = (uint64_t *)calloc(count, sizeof(*ns));
	uint64_t cpu_ns, at_ns;

	meter_require(count > 0 && stamps != NULL && ns != NULL);
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
	for (uint64_t i = 0; i < count; i++) {
		meter_require(stamps[i].started_ns >= stamps[i].sent_ns);
		ns[i] = stamps[i].started_ns - stamps[i].sent_ns;
	}
	qsort(ns, count, sizeof(*ns), meter_compare);
	printf("{\"cpu_ns\": %llu, \"latency_ns\": [%llu, %llu, %llu, %llu]}\n",
		(unsigned long long)cpu_ns, (unsigned long long)ns[count / 10],
		(unsigned long long)ns[count / 2],
		(unsigned long long)ns[count * 9 / 10],
		(unsigned long long)ns[count - 1]);
	free(stamps);
	free(ns);
}

/* Tasks that hold workers until the gate opens. */
struct meter_stall {
	sem_t held;
	sem_t gate;
};

static inline void meter_stall_init(struct meter_stall *stall)
{
	meter_require(sem_init(&stall->held, 0, 0) == 0);
	meter_require(sem_init(&stall->gate, 0, 0) == 0);
}

static inline void meter_sem_wait(sem_t *sem, uint64_t times)
{
	for (uint64_t i = 0; i < times; i++) {
		while (sem_wait(sem) != 0) {
		}
	}
}

/* The body of such a task. */
static inline void meter_stall_hold(struct meter_stall *stall)
{
	sem_post(&stall->held);
	meter_sem_wait(&stall->gate, 1);
}

static inline void meter_stall_open(struct meter_stall *stall, uint64_t tasks)
{
	for (uint64_t i = 0; i < tasks; i++) {
		sem_post(&stall->gate);
	}
}

/* Resident before n tasks were spawned, while they waited, after they ran. */
static inline void meter_memory(const struct meter *meter, uint64_t before_kib,
	uint64_t pending_kib, uint64_t after_kib)
{
	double bytes = 1024.0 * ((double)pending_kib - (double)before_kib);

	printf("{\"before_kib\": %llu, \"pending_kib\": %llu, "
	       "\"after_kib\": %llu, \"bytes_per_task\": %.2f, "
	       "\"n\": %llu}\n",
		(unsigned long long)before_kib, (unsigned long long)pending_kib,
		(unsigned long long)after_kib, bytes / (double)meter->n,
		(unsigned long long)meter->n);
}
