// SPDX-License-Identifier: MIT
/*
 * meter_memory.h - what tasks cost while they wait, with all workers stalled.
 *
 * A program stalls its workers with tasks that hold them, calls _begin, spawns,
 * calls _pending, opens the gate, waits for all its tasks, and calls _end.
 * C and C++.
 */
#pragma once

#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/meter.h"
#include "bench/meter_words.h"

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

struct meter_memory {
	uint64_t before_kib;  /* resident with nothing spawned */
	uint64_t pending_kib; /* and with all of it waiting */
	uint64_t cpu_ns;
};

static inline void meter_memory_begin(struct meter_memory *memory)
{
	memory->before_kib = meter_status_kib("VmRSS:");
	memory->cpu_ns = meter_cpu_ns();
}

static inline void meter_memory_pending(struct meter_memory *memory)
{
	memory->pending_kib = meter_status_kib("VmRSS:");
}

/* What is still resident counts after 100 ms: a pool may give back late. CPU
 * time is of spawning and running a task. */
static inline void meter_memory_end(
	const struct meter_memory *memory, const struct meter *meter)
{
	double n = (double)meter->n;
	double bytes = 1024.0 * ((double)memory->pending_kib -
					(double)memory->before_kib);

	meter_sleep_ms(100);
	printf("{\"before_kib\": %llu, \"pending_kib\": %llu, "
	       "\"after_kib\": %llu, \"bytes_per_task\": %.2f, "
	       "\"cpu_ns\": %.1f, \"n\": %llu}\n",
		(unsigned long long)memory->before_kib,
		(unsigned long long)memory->pending_kib,
		(unsigned long long)meter_status_kib("VmRSS:"), bytes / n,
		(double)(meter_cpu_ns() - memory->cpu_ns) / n,
		(unsigned long long)meter->n);
}
