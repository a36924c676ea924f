// SPDX-License-Identifier: MIT
/*
 * stress_combine.c - random trees of combinations on random pools.
 *
 *	stress_combine [SECONDS [SEED]]
 *
 * Driver threads and tasks build trees of all, any, race and then over leaves
 * that succeed, fail, spin until asked to stop or build a tree themselves, and
 * await, cancel or drop the top at any moment. A task has an entry in a ledger,
 * and so has a then's function. After the drain each has run at most once, what
 * was accepted is counted once, and each value was either read or destroyed
 * once. One round of four destroys the pool instead, in the midst of it.
 */
#include <wyn/combine.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/prng.h"
#include "tests/support/latch.h"
#include "tests/support/stress.h"

#define DRIVERS	   3u
#define TREES	   150u
#define FAN_MAX	   6u
#define LEVELS_MAX 4u
#define LEDGER_MAX (1u << 18)
#define SPINS_MAX  2000u
#define PATIENCE_S 100u

enum kind {
	LEAF, /* gives its entry as its value */
	MAP,
};

struct entry {
	enum kind kind;
	uint64_t random; /* the task's own choices */
	bool nests;
	_Atomic unsigned ran;
	_Atomic unsigned gave;	    /* a value, by ending with 0 */
	_Atomic unsigned got;	    /* by a reader or a map */
	_Atomic unsigned destroyed; /* by the destructor */
	_Atomic bool accepted;
};

static struct entry ledger[LEDGER_MAX];
static _Atomic unsigned ledger_count;
static uint64_t tasks; /* of the rounds that ended */
static struct wyn_pool *current;

static bool ledger_has_room(void)
{
	return ledger_count < LEDGER_MAX / 2;
}

static struct entry *entry_new(enum kind kind, bool nests, uint64_t random)
{
	unsigned at = atomic_fetch_add_explicit(
		&ledger_count, 1, memory_order_relaxed);
	struct entry *entry = &ledger[at];

	require(at < LEDGER_MAX);
	entry->kind = kind;
	entry->nests = nests;
	entry->random = random;
	return entry;
}

/* A value is a pointer to an entry, or an array with its length. */
static void value_got(struct wyn_value value)
{
	const struct wyn_value *values = value.ptr[0];

	if (value.u64[1] == 0) {
		((struct entry *)value.ptr[0])->got++;
	}
	for (uint64_t i = 0; i < value.u64[1]; i++) {
		value_got(values[i]);
	}
}

static void value_destroy(struct wyn_value value)
{
	require(value.u64[1] == 0);
	((struct entry *)value.ptr[0])->destroyed++;
}

static void grow_and_end(struct wyn_prng *prng, bool nests);

/* How a leaf and a map end. */
static int body_end(struct entry *entry, struct wyn_value *ret_value)
{
	struct wyn_prng prng;

	require(entry->ran++ == 0);
	wyn_prng_init(&prng, entry->random);
	for (unsigned i = 0;
		i < wyn_prng_below(&prng, SPINS_MAX) && !wyn_task_cancelled();
		i++) {
	}
	if (entry->nests && wyn_prng_below(&prng, 8) == 0) {
		grow_and_end(&prng, false);
	}
	if (wyn_prng_below(&prng, 4) == 0) {
		return -EIO;
	}
	entry->gave++;
	ret_value->ptr[0] = entry;
	return 0;
}

static int leaf_body(void *arg, struct wyn_value *ret_value)
{
	return body_end(arg, ret_value);
}

static int map_body(
	void *arg, struct wyn_value value, struct wyn_value *ret_value)
{
	value_got(value);
	return body_end(arg, ret_value);
}

static bool refused(struct entry *entry, int r)
{
	if (r < 0) {
		require(r == -ESHUTDOWN || r == -EAGAIN);
		return true;
	}
	entry->accepted = true;
	return false;
}

static struct wyn_future *leaf_grow(struct wyn_prng *prng, bool nests)
{
	struct wyn_spawn_options options = {.value_destroy = value_destroy};
	struct entry *entry = entry_new(LEAF, nests, wyn_prng_next(prng));
	struct wyn_future *future;

	return refused(entry, wyn_pool_spawn(current, leaf_body, entry,
				      &options, &future))
		       ? NULL
		       : future;
}

/* A then of this, or this where that is refused. */
static struct wyn_future *map_grow(
	struct wyn_prng *prng, struct wyn_future *input, bool nests)
{
	struct wyn_spawn_options options = {.value_destroy = value_destroy};
	struct entry *entry = entry_new(MAP, nests, wyn_prng_next(prng));
	struct wyn_future *future;

	return refused(entry, wyn_future_then(input, map_body, entry, &options,
				      &future))
		       ? input
		       : future;
}

/* Returns: NULL where spawns are refused. */
static struct wyn_future *grow(
	struct wyn_prng *prng, unsigned levels, bool nests);

static struct wyn_future *fan_grow(
	struct wyn_prng *prng, unsigned levels, bool nests)
{
	static int (*const combinators[])(struct wyn_pool * pool,
		struct wyn_future *const *inputs, size_t n,
		struct wyn_future **ret_future) = {
		wyn_future_all,
		wyn_future_any,
		wyn_future_race,
	};
	struct wyn_future *inputs[FAN_MAX];
	size_t n = 1 + wyn_prng_below(prng, FAN_MAX), got = 0;
	uint64_t which = wyn_prng_below(prng, WYN_COUNT_OF(combinators));
	struct wyn_future *future;

	while (got < n &&
		(inputs[got] = grow(prng, levels - 1, nests)) != NULL) {
		got++;
	}
	if (got == 0) {
		return NULL;
	}
	require(combinators[which](current, inputs, got, &future) == 0);
	return future;
}

static struct wyn_future *grow(
	struct wyn_prng *prng, unsigned levels, bool nests)
{
	struct wyn_future *future;

	if (levels == 0 || wyn_prng_below(prng, 4) == 0) {
		return leaf_grow(prng, nests);
	}
	if (wyn_prng_below(prng, 3) != 0) {
		return fan_grow(prng, levels, nests);
	}
	future = grow(prng, levels - 1, nests);
	return future != NULL ? map_grow(prng, future, nests) : NULL;
}

/* Grows a tree and does with its top what the owner of a handle may. */
static void grow_and_end(struct wyn_prng *prng, bool nests)
{
	unsigned levels =
		(unsigned)wyn_prng_below(prng, nests ? LEVELS_MAX + 1 : 3);
	struct wyn_future *future = grow(prng, levels, nests);
	uint64_t how = wyn_prng_below(prng, 8);
	struct wyn_value value = {.u64 = {0, 0}};
	int r = -ETIMEDOUT;

	if (future == NULL) {
		return;
	}
	if (how < 2) {
		sched_yield();
	}
	if (how % 2 == 0 && wyn_future_cancel(future)) {
		require(wyn_future_ready(future));
		require(wyn_future_await(future, &value) == -ECANCELED);
	}
	if (how == 3) {
		r = wyn_future_await_until(future, 1, &value);
	} else if (how > 3) {
		r = wyn_future_await(future, &value);
	}
	if (r == 0) {
		value_got(value);
	}
	wyn_future_drop(future);
}

static void *driver_main(void *arg)
{
	struct wyn_prng prng;

	wyn_prng_init(&prng, *(uint64_t *)arg);
	for (unsigned i = 0; i < TREES && ledger_has_room(); i++) {
		grow_and_end(&prng, true);
	}
	return NULL;
}

/* What must hold when the pool is drained, or gone with some of its tasks. */
static void audit_entry(const struct entry *entry)
{
	require(entry->ran <= entry->accepted);
	require(entry->gave <= entry->ran);
	/* A value ends in a reader, in a map or in the destructor. */
	require(entry->got + entry->destroyed == entry->gave);
}

static void audit(struct wyn_pool *pool)
{
	struct wyn_pool_counters counters;
	uint64_t leaves = 0, ran = 0;

	for (unsigned i = 0; i < ledger_count; i++) {
		audit_entry(&ledger[i]);
		leaves += ledger[i].kind == LEAF && ledger[i].accepted;
		ran += ledger[i].ran;
	}
	wyn_pool_counters(pool, &counters);
	require(counters.unfinished == 0 && counters.queued == 0);
	require(counters.run == ran);
	/* A then that was told of a failure is no task. */
	require(counters.run + counters.cancelled >= leaves);
}

static void round_run(unsigned workers, struct wyn_prng *prng)
{
	pthread_t drivers[DRIVERS];
	uint64_t seeds[DRIVERS];

	current = stress_pool(workers, prng);
	stress_watch(current);
	for (unsigned i = 0; i < DRIVERS; i++) {
		seeds[i] = wyn_prng_next(prng);
		require(pthread_create(&drivers[i], NULL, driver_main,
				&seeds[i]) == 0);
	}
	for (unsigned i = 0; i < DRIVERS; i++) {
		pthread_join(drivers[i], NULL);
	}
	if (wyn_prng_below(prng, 4) != 0) {
		require(wyn_pool_drain(current,
				deadline_in_ms(1000 * PATIENCE_S)) == 0);
		audit(current);
	}
	stress_watch(NULL);
	wyn_pool_destroy(current);
	for (unsigned i = 0; i < ledger_count; i++) {
		audit_entry(&ledger[i]);
	}
	tasks += ledger_count;
	memset(ledger, 0, ledger_count * sizeof(*ledger));
	ledger_count = 0;
}

int main(int argc, char **argv)
{
	uint64_t rounds = stress_rounds(argc, argv, round_run);

	printf("stress_combine: %llu rounds, %llu tasks, each counted once\n",
		(unsigned long long)rounds, (unsigned long long)tasks);
	return 0;
}
