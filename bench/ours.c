// SPDX-License-Identifier: MIT
/*
 * ours.c - how long libwyn takes: detached tasks, values, fork-join.
 *
 *	ours detached|value|fib|fib_futures NAME=NUMBER...
 *
 * See meter_words.h for the words. A sample goes from the first spawn to the
 * last completion seen, with a pool that is there already.
 */
#include "bench/ours.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <wyn/forkjoin.h>
#include <wyn/future.h>

#include "bench/meter.h"
#include "bench/meter_series.h"
#include "bench/meter_words.h"

static struct wyn_pool *pool;
static struct wyn_future **futures;
static pthread_barrier_t gather, scatter;

static void nothing(void *arg)
{
	(void)arg;
}

static void spin(void *arg)
{
	meter_spin((uintptr_t)arg);
}

static void spawn_detached(const struct meter *meter, uint64_t n)
{
	void (*fn)(void *arg) = meter->spins > 0 ? spin : nothing;
	void *arg = (void *)(uintptr_t)meter->spins;

	for (uint64_t i = 0; i < n; i++) {
		meter_require(wyn_pool_spawn_detached(pool, fn, arg) == 0);
	}
}

static void detached(const struct meter *meter)
{
	spawn_detached(meter, meter->n);
	ours_wait(pool);
}

/* A producer of its share, sample after sample. Thread: its own. */
static void *produce(void *arg)
{
	const struct meter *meter = arg;
	uint64_t samples = meter_samples(meter);

	for (uint64_t i = 0; i < samples; i++) {
		pthread_barrier_wait(&scatter);
		spawn_detached(meter, meter->n / meter->producers);
		pthread_barrier_wait(&gather);
	}
	return NULL;
}

static void detached_by_producers(const struct meter *meter)
{
	(void)meter;
	pthread_barrier_wait(&scatter);
	pthread_barrier_wait(&gather);
	ours_wait(pool);
}

static void run_producers(struct meter *meter)
{
	pthread_t *threads = calloc(meter->producers, sizeof(*threads));
	unsigned parties = (unsigned)meter->producers + 1;

	meter_require(threads != NULL);
	meter_require(pthread_barrier_init(&scatter, NULL, parties) == 0);
	meter_require(pthread_barrier_init(&gather, NULL, parties) == 0);
	for (uint64_t i = 0; i < meter->producers; i++) {
		meter_require(
			pthread_create(&threads[i], NULL, produce, meter) == 0);
	}
	meter_run(meter, detached_by_producers);
	for (uint64_t i = 0; i < meter->producers; i++) {
		pthread_join(threads[i], NULL);
	}
	free(threads);
}

/* Every body that was asked for has run, in all samples together, and each
 * was scheduled: none by who waited for it. */
static void check_run(const struct meter *meter)
{
	struct wyn_pool_counters counters;
	uint64_t samples = meter_samples(meter);
	uint64_t threads = meter->producers > 0 ? meter->producers : 1;

	ours_wait(pool);
	wyn_pool_counters(pool, &counters);
	meter_require(counters.run == meter->n / threads * threads * samples);
	meter_require(counters.helped == 0);
}

static int number(void *arg, struct wyn_value *ret_value)
{
	ret_value->u64[0] = (uintptr_t)arg;
	return 0;
}

/* Spawns n, then awaits n in the order of their spawning. */
static void value(const struct meter *meter)
{
	struct wyn_value got;
	uint64_t sum = 0;

	for (uint64_t i = 0; i < meter->n; i++) {
		meter_require(wyn_pool_spawn(pool, number, (void *)(uintptr_t)i,
				      NULL, &futures[i]) == 0);
	}
	for (uint64_t i = 0; i < meter->n; i++) {
		meter_require(wyn_future_await(futures[i], &got) == 0);
		wyn_future_drop(futures[i]);
		sum += got.u64[0];
	}
	meter_require(sum == meter->n * (meter->n - 1) / 2);
}

/* Runs a work inside a task, with the main thread waiting for it. */
static void inside(const struct meter *meter, wyn_task_fn *fn)
{
	struct wyn_future *future;

	meter_require(
		wyn_pool_spawn(pool, fn, (void *)meter, NULL, &future) == 0);
	/* Also as a borrower only: the main thread never helps. */
	meter_require(wyn_future_await(future, NULL) == 0);
	wyn_future_drop(future);
}

static int value_task(void *arg, struct wyn_value *ret_value)
{
	(void)ret_value;
	value(arg);
	return 0;
}

static void value_inside(const struct meter *meter)
{
	inside(meter, value_task);
}

struct fib {
	struct wyn_fork fork;
	uint64_t value; /* n, and after the body fib(n) */
};

static uint64_t fib(struct wyn_forker *forker, uint64_t n);

static void fib_fork(struct wyn_forker *forker, struct wyn_fork *fork)
{
	struct fib *piece = (struct fib *)fork;

	piece->value = fib(forker, piece->value);
}

/* One fork for each n > 1. */
static uint64_t fib(struct wyn_forker *forker, uint64_t n)
{
	struct fib piece;
	uint64_t other;

	if (n < 2) {
		return n;
	}
	piece.value = n - 1;
	wyn_fork(forker, &piece.fork, fib_fork);
	other = fib(forker, n - 2);
	wyn_join(forker, &piece.fork);
	return piece.value + other;
}

static uint64_t fib_by_futures(uint64_t n);

static int fib_task(void *arg, struct wyn_value *ret_value)
{
	ret_value->u64[0] = fib_by_futures((uintptr_t)arg);
	return 0;
}

/* The same with a future for each, which is not what they are for. */
static uint64_t fib_by_futures(uint64_t n)
{
	struct wyn_future *future;
	struct wyn_value got;
	uint64_t other;

	if (n < 2) {
		return n;
	}
	meter_require(wyn_pool_spawn(pool, fib_task, (void *)(uintptr_t)(n - 1),
			      NULL, &future) == 0);
	other = fib_by_futures(n - 2);
	meter_require(wyn_future_await(future, &got) == 0);
	wyn_future_drop(future);
	return got.u64[0] + other;
}

static int fib_root(void *arg, struct wyn_value *ret_value)
{
	const struct meter *meter = arg;
	bool forks = strcmp(meter->work, "fib") == 0;

	(void)ret_value;
	meter_require(meter_fib_expected(meter->n) ==
		      (forks ? fib(wyn_forker_self(), meter->n)
			     : fib_by_futures(meter->n)));
	return 0;
}

static void fib_inside(const struct meter *meter)
{
	inside(meter, fib_root);
}

static void run_value(const struct meter *meter)
{
	futures = malloc(meter->n * sizeof(struct wyn_future *));
	meter_require(futures != NULL);
	/* The caller's own memory is no part of the first touch. */
	memset(futures, 1, meter->n * sizeof(struct wyn_future *));
	if (meter->inside) {
		meter_run(meter, value_inside);
	} else {
		meter_run(meter, value);
		check_run(meter);
	}
	free(futures);
}

/* Prints the rounds of meter_spin in 100 us, the best of many tries. */
static void calibrate(void)
{
	const uint64_t rounds = 100000;
	uint64_t best_ns = UINT64_MAX;

	for (unsigned i = 0; i < 200; i++) {
		uint64_t from_ns = meter_now_ns(), took_ns;

		meter_spin(rounds);
		took_ns = meter_now_ns() - from_ns;
		best_ns = took_ns < best_ns ? took_ns : best_ns;
	}
	printf("{\"spins_per_100us\": %llu}\n",
		(unsigned long long)(rounds * 100000 / best_ns));
}

int main(int argc, char **argv)
{
	struct meter meter;

	meter_parse(&meter, argc, argv);
	if (strcmp(meter.work, "calibrate") == 0) {
		calibrate();
		return 0;
	}
	pool = ours_started(&meter);
	if (strcmp(meter.work, "value") == 0) {
		run_value(&meter);
	} else if (strncmp(meter.work, "fib", 3) == 0) {
		meter_run(&meter, fib_inside);
	} else {
		meter_require(strcmp(meter.work, "detached") == 0);
		if (meter.producers > 0) {
			run_producers(&meter);
		} else {
			meter_run(&meter, detached);
		}
		check_run(&meter);
	}
	ours_ended(pool);
	return 0;
}
