// SPDX-License-Identifier: MIT
/*
 * ours_cost.c - what libwyn costs: memory, idleness, a trickle, a lone task.
 *
 *	ours_cost memory|futures|idle|trickle|alone NAME=NUMBER...
 *
 * See meter_cost.h and meter_memory.h for what is measured.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wyn/future.h>

#include "bench/meter.h"
#include "bench/meter_cost.h"
#include "bench/meter_memory.h"
#include "bench/meter_words.h"
#include "bench/ours.h"

static struct wyn_pool *pool;
static struct meter_stall stall;
static struct wyn_future **futures;
static _Atomic bool begun; /* has the lone task */

static void nothing(void *arg)
{
	(void)arg;
}

static int no_value(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	(void)ret_value;
	return 0;
}

static void hold(void *arg)
{
	meter_stall_hold(arg);
}

static void spawn(void (*fn)(void *arg), void *arg)
{
	meter_require(wyn_pool_spawn_detached(pool, fn, arg) == 0);
}

static void spawn_many(const struct meter *meter)
{
	if (futures == NULL) {
		for (uint64_t i = 0; i < meter->n; i++) {
			spawn(nothing, NULL);
		}
		return;
	}
	for (uint64_t i = 0; i < meter->n; i++) {
		meter_require(wyn_pool_spawn(pool, no_value, NULL, NULL,
				      &futures[i]) == 0);
	}
}

/* A spawner that is a task, and then as stalled as the other workers. */
static void spawn_many_and_hold(void *arg)
{
	spawn_many(arg);
	meter_stall_hold(&stall);
}

static void memory(const struct meter *meter)
{
	uint64_t stalled = meter->inside ? meter->workers - 1 : meter->workers;
	struct meter_memory cost;

	meter_stall_init(&stall);
	for (uint64_t i = 0; i < stalled; i++) {
		spawn(hold, &stall);
	}
	meter_sem_wait(&stall.held, stalled);
	meter_memory_begin(&cost);
	if (meter->inside) {
		spawn(spawn_many_and_hold, (void *)meter);
		meter_sem_wait(&stall.held, 1);
	} else {
		spawn_many(meter);
	}
	meter_memory_pending(&cost);
	meter_stall_open(&stall, meter->workers);
	ours_wait(pool);
	for (uint64_t i = 0; futures != NULL && i < meter->n; i++) {
		wyn_future_drop(futures[i]);
	}
	meter_memory_end(&cost, meter);
}

static void memory_of_futures(const struct meter *meter)
{
	size_t bytes = meter->n * sizeof(struct wyn_future *);

	futures = malloc(bytes);
	meter_require(futures != NULL);
	/* The caller's own memory is no part of a future. */
	memset(futures, 1, bytes);
	memory(meter);
	free(futures);
}

static void stamp(void *arg)
{
	((struct meter_stamp *)arg)->started_ns = meter_now_ns();
}

static void spawn_stamp(struct meter_stamp *stamp_at)
{
	spawn(stamp, stamp_at);
}

static void wait_for_all(void)
{
	ours_wait(pool);
}

static void stamp_alone(void *arg)
{
	stamp(arg);
	atomic_store_explicit(&begun, true, memory_order_release);
}

/* One task, and a spawner that calls the pool no more: for a second it only
 * looks whether the task has begun. */
static void spawn_alone(void *arg)
{
	struct meter_stamp *stamp_at = arg;
	uint64_t now_ns = meter_now_ns();

	atomic_store_explicit(&begun, false, memory_order_relaxed);
	stamp_at->sent_ns = now_ns;
	spawn(stamp_alone, stamp_at);
	while (!atomic_load_explicit(&begun, memory_order_acquire) &&
		now_ns < stamp_at->sent_ns + METER_NS_PER_S) {
		now_ns = meter_now_ns();
	}
}

static void spawn_alone_and_tell(void *arg)
{
	spawn_alone(arg);
	sem_post(&stall.held);
}

/* From outside, or from a task, which keeps its worker busy. The first that
 * was not begun in time is the last. */
static void alone(const struct meter *meter)
{
	struct meter_stamp *stamps = calloc(meter->n, sizeof(*stamps));
	uint64_t cpu_ns = meter_cpu_ns(), tries = 0, started = 0;

	meter_require(stamps != NULL);
	meter_stall_init(&stall);
	while (tries < meter->n && started == tries) {
		meter_sleep_ms(meter->pause_ms);
		if (meter->inside) {
			spawn(spawn_alone_and_tell, &stamps[tries]);
			meter_sem_wait(&stall.held, 1);
		} else {
			spawn_alone(&stamps[tries]);
		}
		tries++;
		started += atomic_load_explicit(&begun, memory_order_acquire);
	}
	ours_wait(pool);
	printf("{\"cpu_ns\": %llu, \"tries\": %llu, \"started\": %llu, ",
		(unsigned long long)((meter_cpu_ns() - cpu_ns) / tries),
		(unsigned long long)tries, (unsigned long long)started);
	meter_latencies(stamps, tries);
	printf("}\n");
	free(stamps);
}

int main(int argc, char **argv)
{
	struct meter meter;

	meter_parse(&meter, argc, argv);
	pool = ours_started(&meter);
	if (strcmp(meter.work, "memory") == 0) {
		memory(&meter);
	} else if (strcmp(meter.work, "futures") == 0) {
		memory_of_futures(&meter);
	} else if (strcmp(meter.work, "idle") == 0) {
		spawn_many(&meter);
		ours_wait(pool);
		meter_idle();
	} else if (strcmp(meter.work, "alone") == 0) {
		alone(&meter);
	} else {
		meter_require(strcmp(meter.work, "trickle") == 0);
		meter_trickle(&meter, spawn_stamp, wait_for_all);
	}
	ours_ended(pool);
	return 0;
}
