// SPDX-License-Identifier: MIT
/*
 * stress_pool.c - random actions on random pools, each task counted once.
 *
 *	stress_pool [SECONDS [SEED]]
 *
 * Driver threads and the tasks themselves spawn, nest, await, cancel, drop,
 * use groups, blocking sections and sinks. Each task has an entry in a
 * ledger; after the drain every accepted one has either run once or been
 * cancelled once. The seed repeats the choices, not the schedule.
 */
#include <wyn/future.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/prng.h"
#include "tests/support/latch.h"
#include "tests/support/stress.h"

#define DRIVERS	   3u
#define ACTIONS	   400u
#define HELD	   32u
#define BATCH_MAX  300u
#define JOBS_MAX   40u
#define LEDGER_MAX (1u << 20)
#define DEPTH_MAX  3u

enum kind {
	DETACHED,
	FUTURE,
	GROUPED,
	JOB,
};

struct entry {
	enum kind kind;
	unsigned depth;
	uint64_t random; /* the task's own choices */
	_Atomic unsigned ran;
	_Atomic unsigned cancelled; /* cancel said true */
	_Atomic unsigned destroyed; /* by the destructor */
	_Atomic bool accepted;
	_Atomic bool read;
	struct wyn_job job;
};

struct driver {
	struct wyn_pool *pool;
	struct wyn_prng prng;
	struct wyn_future *held[HELD];
	struct entry *held_entry[HELD];
	unsigned held_count;
	struct wyn_sink sink;
	struct latch woken;
	unsigned jobs_out;
	unsigned wakes;
	pthread_t thread;
};

static struct entry ledger[LEDGER_MAX];
static _Atomic unsigned ledger_count;
static uint64_t tasks; /* of the rounds that ended */
static struct wyn_pool *current;

static struct entry *entry_new(enum kind kind, unsigned depth, uint64_t random)
{
	unsigned at = atomic_fetch_add_explicit(
		&ledger_count, 1, memory_order_relaxed);
	struct entry *entry = &ledger[at];

	require(at < LEDGER_MAX);
	entry->kind = kind;
	entry->depth = depth;
	entry->random = random;
	return entry;
}

static bool ledger_has_room(void)
{
	return ledger_count < LEDGER_MAX / 2;
}

static void task_choices(struct entry *entry);

static void detached_body(void *arg)
{
	struct entry *entry = arg;

	entry->ran++;
	task_choices(entry);
}

static int future_body(void *arg, struct wyn_value *ret_value)
{
	struct entry *entry = arg;

	entry->ran++;
	task_choices(entry);
	ret_value->ptr[0] = entry;
	return wyn_task_cancelled() ? -EINTR : 0;
}

static void job_body(struct wyn_job *job)
{
	struct entry *entry = WYN_CONTAINER_OF(job, struct entry, job);

	entry->ran++;
	task_choices(entry);
}

static void value_destroy(struct wyn_value value)
{
	((struct entry *)value.ptr[0])->destroyed++;
}

static bool spawn_refused(struct entry *entry, int r)
{
	if (r < 0) {
		require(r == -ESHUTDOWN || r == -EAGAIN || r == -ECANCELED);
		return true;
	}
	entry->accepted = true;
	return false;
}

static struct wyn_future *spawn_future(
	struct entry *entry, struct wyn_group *group)
{
	struct wyn_spawn_options options = {
		.value_destroy = value_destroy, .group = group};
	struct wyn_future *future;

	return spawn_refused(entry, wyn_pool_spawn(current, future_body, entry,
					    &options, &future))
		       ? NULL
		       : future;
}

static void check_await(struct entry *entry, int r, struct wyn_value value)
{
	switch (r) {
	case 0:
		require(value.ptr[0] == entry);
		entry->read = true;
		break;
	case -ECANCELED:
		require(entry->ran == 0);
		break;
	default:
		require(r == -EINTR || r == -EDEADLK || r == -ETIMEDOUT);
	}
}

/* What a task does beside being counted. */
static void task_choices(struct entry *entry)
{
	uint64_t random = wyn_prng_splitmix(&entry->random);
	struct entry *child;
	struct wyn_future *future;
	struct wyn_value value = {.u64 = {0, 0}};

	if (entry->depth >= DEPTH_MAX || !ledger_has_room()) {
		return;
	}
	switch (random % 16) {
	case 0:
	case 1:
		child = entry_new(DETACHED, entry->depth + 1, random);
		spawn_refused(child,
			wyn_pool_spawn_detached(current, detached_body, child));
		break;
	case 2:
	case 3:
		child = entry_new(FUTURE, entry->depth + 1, random);
		future = spawn_future(child, NULL);
		if (future == NULL) {
			break;
		}
		check_await(child,
			wyn_future_await_until(future,
				random % 32 < 16 ? WYN_DEADLINE_NONE : 1,
				&value),
			value);
		wyn_future_drop(future);
		break;
	case 4:
		if (wyn_block_begin() == 0) {
			sched_yield();
			wyn_block_end();
		}
		break;
	default:
		break;
	}
}

static uint64_t choose(struct driver *driver, uint64_t bound)
{
	return wyn_prng_below(&driver->prng, bound);
}

static struct entry *driver_entry(struct driver *driver, enum kind kind)
{
	return entry_new(kind, 0, wyn_prng_next(&driver->prng));
}

static void act_detached(struct driver *driver)
{
	struct entry *entry = driver_entry(driver, DETACHED);

	spawn_refused(entry,
		wyn_pool_spawn_detached(driver->pool, detached_body, entry));
}

static void act_detached_batch(struct driver *driver)
{
	size_t n = 1 + choose(driver, BATCH_MAX);
	void *args[BATCH_MAX] = {NULL};
	int r;

	for (size_t i = 0; i < n; i++) {
		args[i] = driver_entry(driver, DETACHED);
	}
	r = wyn_pool_spawn_detached_batch(driver->pool, detached_body, args, n);
	for (size_t i = 0; i < n; i++) {
		spawn_refused(args[i], r);
	}
}

static void act_hold(struct driver *driver)
{
	unsigned at = driver->held_count;
	struct entry *entry = driver_entry(driver, FUTURE);
	struct wyn_future *future = spawn_future(entry, NULL);

	if (future == NULL) {
		return;
	}
	if (at == HELD) {
		wyn_future_drop(future);
		return;
	}
	driver->held[at] = future;
	driver->held_entry[at] = entry;
	driver->held_count++;
}

/* Cancels, polls, awaits and drops one that is held, or some of that. */
static void act_release(struct driver *driver)
{
	unsigned at = (unsigned)choose(driver, HELD);
	uint64_t how = choose(driver, 8);
	struct wyn_future *future = driver->held[at];
	struct entry *entry = driver->held_entry[at];
	struct wyn_value value = {.u64 = {0, 0}};

	if (at >= driver->held_count) {
		return;
	}
	if (how < 2 && wyn_future_cancel(future)) {
		entry->cancelled++;
		require(wyn_future_ready(future));
	}
	if (how == 2) {
		check_await(entry, wyn_future_await_until(future, 1, &value),
			value);
	}
	for (uint64_t i = 0; i < how / 3; i++) {
		check_await(entry, wyn_future_await(future, &value), value);
	}
	wyn_future_drop(future);
	driver->held_count--;
	driver->held[at] = driver->held[driver->held_count];
	driver->held_entry[at] = driver->held_entry[driver->held_count];
}

static void act_group(struct driver *driver)
{
	size_t n = choose(driver, 20);
	bool cancels = choose(driver, 3) == 0;
	struct wyn_group *group = malloc(sizeof(*group));
	int r;

	require(group != NULL);
	wyn_group_init(group, driver->pool);
	for (size_t i = 0; i < n; i++) {
		struct entry *entry = driver_entry(driver, GROUPED);
		struct wyn_future *future = spawn_future(entry, group);

		if (future != NULL && choose(driver, 8) == 0 &&
			wyn_future_cancel(future)) {
			entry->cancelled++;
		}
		wyn_future_drop(future);
	}
	if (cancels) {
		wyn_group_cancel(group);
	}
	r = wyn_group_wait(group);
	require(r == 0 || r == -ECANCELED || r == -EINTR);
	free(group);
}

static void wake_driver(struct wyn_sink *sink)
{
	latch_open(&WYN_CONTAINER_OF(sink, struct driver, sink)->woken);
}

static void act_submit(struct driver *driver)
{
	size_t n = 1 + choose(driver, JOBS_MAX);
	struct wyn_job *jobs[JOBS_MAX] = {NULL};
	int r;

	for (size_t i = 0; i < n; i++) {
		struct entry *entry = driver_entry(driver, JOB);

		entry->job.run = job_body;
		entry->job.sink = &driver->sink;
		jobs[i] = &entry->job;
	}
	r = wyn_pool_submit_batch(driver->pool, jobs, n);
	for (size_t i = 0; i < n; i++) {
		struct entry *entry =
			WYN_CONTAINER_OF(jobs[i], struct entry, job);

		driver->jobs_out += !spawn_refused(entry, r);
	}
}

static void act_drain_sink(struct driver *driver)
{
	for (struct wyn_job *job = wyn_sink_drain(&driver->sink); job != NULL;
		job = job->next) {
		require(WYN_CONTAINER_OF(job, struct entry, job)->ran == 1);
		require(driver->jobs_out > 0);
		driver->jobs_out--;
	}
}

static void act_sleep_on_sink(struct driver *driver)
{
	act_drain_sink(driver);
	if (driver->jobs_out > 0 && wyn_sink_arm(&driver->sink)) {
		latch_wait_for(&driver->woken, ++driver->wakes);
	}
}

static void (*const actions[])(struct driver *driver) = {
	act_detached,
	act_detached_batch,
	act_hold,
	act_hold,
	act_hold,
	act_release,
	act_release,
	act_group,
	act_submit,
	act_drain_sink,
	act_sleep_on_sink,
};

static void *driver_main(void *arg)
{
	struct driver *driver = arg;

	for (unsigned i = 0; i < ACTIONS && ledger_has_room(); i++) {
		actions[choose(driver, WYN_COUNT_OF(actions))](driver);
	}
	while (driver->jobs_out > 0) {
		act_sleep_on_sink(driver);
	}
	while (driver->held_count > 0) {
		act_release(driver);
	}
	return NULL;
}

/* What must hold of every entry when the pool is drained. */
static void audit_entry(const struct entry *entry)
{
	unsigned ends = entry->ran + entry->cancelled;

	if (!entry->accepted) {
		require(ends == 0 && entry->destroyed == 0);
	} else if (entry->kind == GROUPED) {
		require(ends <= 1); /* its group may have been cancelled */
	} else {
		require(ends == 1);
	}
	require(entry->destroyed <= entry->ran);
	require(!entry->read || entry->destroyed == 0);
}

static void audit(struct wyn_pool *pool)
{
	struct wyn_pool_counters counters;
	uint64_t accepted = 0, ran = 0;

	for (unsigned i = 0; i < ledger_count; i++) {
		audit_entry(&ledger[i]);
		accepted += ledger[i].accepted;
		ran += ledger[i].ran;
	}
	wyn_pool_counters(pool, &counters);
	require(counters.unfinished == 0 && counters.queued == 0);
	require(counters.run == ran);
	require(counters.run + counters.cancelled == accepted);
}

static void round_run(unsigned workers, struct wyn_prng *prng)
{
	struct driver drivers[DRIVERS];

	current = stress_pool(workers, prng);
	stress_watch(current);
	for (unsigned i = 0; i < DRIVERS; i++) {
		memset(&drivers[i], 0, sizeof(drivers[i]));
		drivers[i].pool = current;
		wyn_prng_init(&drivers[i].prng, wyn_prng_next(prng));
		wyn_sink_init(&drivers[i].sink, wake_driver);
		latch_init(&drivers[i].woken);
	}
	for (unsigned i = 0; i < DRIVERS; i++) {
		require(pthread_create(&drivers[i].thread, NULL, driver_main,
				&drivers[i]) == 0);
	}
	for (unsigned i = 0; i < DRIVERS; i++) {
		pthread_join(drivers[i].thread, NULL);
	}
	require(wyn_pool_drain(current, WYN_DEADLINE_NONE) == 0);
	audit(current);
	stress_watch(NULL);
	wyn_pool_destroy(current);
	for (unsigned i = 0; i < DRIVERS; i++) {
		latch_fini(&drivers[i].woken);
	}
	tasks += ledger_count;
	memset(ledger, 0, ledger_count * sizeof(*ledger));
	ledger_count = 0;
}

int main(int argc, char **argv)
{
	uint64_t rounds = stress_rounds(argc, argv, round_run);

	printf("stress_pool: %llu rounds, %llu tasks, each counted once\n",
		(unsigned long long)rounds, (unsigned long long)tasks);
	return 0;
}
