// SPDX-License-Identifier: MIT
/*
 * tbb.cpp - the same work as oneTBB's own users write it.
 *
 *	tbb detached|fib|memory|idle|trickle NAME=NUMBER...
 *
 * Fair because a task_group is oneTBB's own way to many small tasks, counts
 * them by itself, and lets the spawning thread run tasks while it waits: its
 * arena of `workers` threads is that thread and workers - 1 more, as by
 * default, so that no thread is one too many for the CPUs.
 * Its tasks have no values.
 */
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <oneapi/tbb/task_group.h>

#include "bench/meter.h"
#include "bench/meter_cost.h"
#include "bench/meter_memory.h"
#include "bench/meter_series.h"
#include "bench/meter_words.h"

using oneapi::tbb::task_group;

static task_group *group;
static meter_stall stall;

static void detached(const struct meter *meter)
{
	uint64_t spins = meter->spins;

	if (spins == 0) {
		for (uint64_t i = 0; i < meter->n; i++) {
			group->run([] {});
		}
	} else {
		for (uint64_t i = 0; i < meter->n; i++) {
			group->run([spins] { meter_spin(spins); });
		}
	}
	group->wait();
}

static uint64_t fib(uint64_t n)
{
	uint64_t a, b;

	if (n < 2) {
		return n;
	}
	task_group both;

	both.run([&a, n] { a = fib(n - 1); });
	b = fib(n - 2);
	both.wait();
	return a + b;
}

static void fib_run(const struct meter *meter)
{
	meter_require(fib(meter->n) == meter_fib_expected(meter->n));
}

/* Every thread but the main one, which spawns, is stalled. */
static void memory(const struct meter *meter)
{
	meter_memory cost;

	meter_stall_init(&stall);
	for (uint64_t i = 1; i < meter->workers; i++) {
		group->run([] { meter_stall_hold(&stall); });
	}
	meter_sem_wait(&stall.held, meter->workers - 1);
	meter_memory_begin(&cost);
	for (uint64_t i = 0; i < meter->n; i++) {
		group->run([] {});
	}
	meter_memory_pending(&cost);
	meter_stall_open(&stall, meter->workers - 1);
	group->wait();
	meter_memory_end(&cost, meter);
}

static void spawn_stamp(struct meter_stamp *stamp)
{
	group->run([stamp] { stamp->started_ns = meter_now_ns(); });
}

static void wait_for_all(void)
{
	group->wait();
}

static void run(const struct meter *meter)
{
	if (strcmp(meter->work, "fib") == 0) {
		meter_run(meter, fib_run);
	} else {
		meter_run_plain(
			meter, detached, memory, spawn_stamp, wait_for_all);
	}
}

int main(int argc, char **argv)
{
	struct meter meter;

	meter_parse(&meter, argc, argv);
	oneapi::tbb::global_control limit(
		oneapi::tbb::global_control::max_allowed_parallelism,
		meter.workers);
	oneapi::tbb::task_arena arena((int)meter.workers);

	arena.execute([&meter] {
		task_group all;

		group = &all;
		run(&meter);
	});
	return 0;
}
