// SPDX-License-Identifier: MIT
/*
 * stress_end.c - pools that end in the middle of their work.
 *
 *	stress_end [SECONDS [SEED]]
 *
 * Each round grows random trees of tasks that spawn, fork, await, wait for
 * groups and block, and then either drains the pool from two threads at once,
 * while a third still spawns, and nothing that was accepted may be left; or
 * destroys it as it is, and nothing may hang.
 */
#include <wyn/future.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

#include <wyn/forkjoin.h>

#include "base/prng.h"
#include "tests/support/latch.h"
#include "tests/support/stress.h"

#define ROOTS_MAX  500u
#define DEPTH_MAX  5u
#define DEPTH_MASK UINT64_C(7)
#define GROUP	   4u
#define BRANCHES   3u
#define BURST	   1200u /* more than a deque holds */
#define LATE_MAX   2000u /* spawns from outside that race a drain */

static struct wyn_pool *current;
/* Tasks that were spawned, those of them that were not accepted, and bodies
 * that returned; relaxed. */
static _Atomic uint64_t begun;
static _Atomic uint64_t refused;
static _Atomic uint64_t ended;

static void count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* A task is its key: what it does, and in the low bits its depth. */
static uint64_t child_key(uint64_t key, uint64_t number)
{
	uint64_t state = key + number * (DEPTH_MASK + 1);

	return (wyn_prng_splitmix(&state) & ~DEPTH_MASK) |
	       ((key & DEPTH_MASK) + 1);
}

static int body(void *arg, struct wyn_value *ret_value);

static void detached_body(void *arg)
{
	struct wyn_value value;

	(void)body(arg, &value);
}

static void spawn_detached(uint64_t key)
{
	count(&begun);
	if (wyn_pool_spawn_detached(current, detached_body, (void *)key) < 0) {
		count(&refused);
	}
}

static struct wyn_future *spawn(uint64_t key)
{
	struct wyn_future *future;

	count(&begun);
	if (wyn_pool_spawn(current, body, (void *)key, NULL, &future) < 0) {
		count(&refused);
		return NULL;
	}
	return future;
}

static void act_await(uint64_t key)
{
	struct wyn_future *future = spawn(child_key(key, 1));

	if (future != NULL) {
		(void)!wyn_future_await(future, NULL);
		wyn_future_drop(future);
	}
}

static void act_await_in_time(uint64_t key)
{
	struct wyn_future *future = spawn(child_key(key, 1));

	if (future != NULL) {
		(void)!wyn_future_await_until(future, deadline_in_ms(1), NULL);
		wyn_future_drop(future);
	}
}

static void act_group(uint64_t key)
{
	struct wyn_group group;
	int r;

	wyn_group_init(&group, current);
	for (unsigned i = 0; i < GROUP; i++) {
		count(&begun);
		if (wyn_group_spawn(&group, body, (void *)child_key(key, i)) <
			0) {
			count(&refused);
		}
	}
	/* Without a spare to sleep beside it asks until the others are done:
	 * the group is on this stack. */
	do {
		r = wyn_group_wait(&group);
	} while (r == -EDEADLK && sched_yield() == 0);
}

static void act_block(uint64_t key)
{
	if (wyn_block_begin() == 0) {
		sched_yield();
		wyn_block_end();
		spawn_detached(child_key(key, 1));
	}
}

static void act_burst(uint64_t key)
{
	for (unsigned i = 0; key % 64 == 8 && i < BURST; i++) {
		spawn_detached(DEPTH_MAX);
	}
}

struct branch {
	struct wyn_fork fork;
	uint64_t key;
	unsigned ran;
};

static void branch_run(struct wyn_forker *forker, struct wyn_fork *fork)
{
	struct branch *self = (struct branch *)fork;
	struct wyn_value value;

	(void)forker;
	count(&begun);
	self->ran++;
	(void)body((void *)self->key, &value);
}

/* What a destroyed pool throws out of its queues is run all the same. */
static void act_fork(uint64_t key)
{
	struct wyn_forker *forker = wyn_forker_self();
	struct branch branches[BRANCHES];

	for (unsigned i = 0; i < BRANCHES; i++) {
		branches[i].key = child_key(key, i);
		branches[i].ran = 0;
		wyn_fork(forker, &branches[i].fork, branch_run);
	}
	for (unsigned i = BRANCHES; i > 0; i--) {
		wyn_join(forker, &branches[i - 1].fork);
		require(branches[i - 1].ran == 1);
	}
}

static int body(void *arg, struct wyn_value *ret_value)
{
	uint64_t key = (uintptr_t)arg;

	(void)ret_value;
	switch ((key & DEPTH_MASK) < DEPTH_MAX ? key >> 32 & 7 : 8) {
	case 0:
		spawn_detached(child_key(key, 1));
		spawn_detached(child_key(key, 2));
		break;
	case 1:
	case 2:
		act_await(key);
		break;
	case 3:
		act_await_in_time(key);
		break;
	case 4:
		act_group(key);
		break;
	case 5:
		act_block(key);
		break;
	case 6:
		act_burst(key);
		break;
	case 7:
		act_fork(key);
		break;
	default:
		break;
	}
	count(&ended);
	return 0;
}

/* Gives the tasks that had ended when the drain returned. */
static void *drain_main(void *unused)
{
	(void)unused;
	require(wyn_pool_drain(current, WYN_DEADLINE_NONE) == 0);
	/* Released by the tasks' ends, acquired by the drain. */
	return (void *)atomic_load_explicit(&ended, memory_order_relaxed);
}

/* Spawns until the drain is in the way, at a pace that workers can keep. */
static void *spawn_main(void *unused)
{
	(void)unused;
	for (unsigned i = 0; i < LATE_MAX; i++) {
		spawn_detached(DEPTH_MAX);
		sched_yield();
	}
	return NULL;
}

static void drain_by_two(void)
{
	pthread_t drainer, spawner;
	void *first, *second;
	uint64_t accepted;

	require(pthread_create(&spawner, NULL, spawn_main, NULL) == 0);
	require(pthread_create(&drainer, NULL, drain_main, NULL) == 0);
	first = drain_main(NULL);
	pthread_join(drainer, &second);
	pthread_join(spawner, NULL);
	accepted = atomic_load_explicit(&begun, memory_order_relaxed) -
		   atomic_load_explicit(&refused, memory_order_relaxed);
	require((uintptr_t)first == accepted && (uintptr_t)second == accepted);
}

static void round_run(unsigned workers, struct wyn_prng *prng)
{
	bool started_late = wyn_prng_below(prng, 2) == 0;
	/* Of stack or spares one has to be enough for every await. */
	bool deep = wyn_prng_below(prng, 2) == 0;
	uint64_t roots =
		wyn_prng_below(prng, 2) * wyn_prng_below(prng, ROOTS_MAX);
	struct wyn_pool_config config;

	atomic_store_explicit(&begun, 0, memory_order_relaxed);
	atomic_store_explicit(&refused, 0, memory_order_relaxed);
	atomic_store_explicit(&ended, 0, memory_order_relaxed);
	wyn_pool_config_init(&config);
	config.workers = workers;
	config.spin_max = (unsigned)wyn_prng_below(prng, 3) * 60;
	config.spare_max =
		deep ? (unsigned)wyn_prng_below(prng, 5) : WYN_POOL_SPARES_MAX;
	config.help_depth_max =
		deep ? WYN_POOL_HELP_MAX : (unsigned)wyn_prng_below(prng, 10);
	require(wyn_pool_create(&config, &current) == 0);
	stress_watch(current);
	require(started_late || wyn_pool_start(current) == 0);
	for (uint64_t i = 0; i < roots; i++) {
		spawn_detached(wyn_prng_next(prng) & ~DEPTH_MASK);
	}
	require(!started_late || wyn_pool_start(current) == 0);
	if (wyn_prng_below(prng, 2) == 0) {
		drain_by_two();
	} else {
		for (uint64_t i = wyn_prng_below(prng, 50); i > 0; i--) {
			sched_yield();
		}
	}
	stress_watch(NULL);
	wyn_pool_destroy(current);
}

int main(int argc, char **argv)
{
	uint64_t rounds = stress_rounds(argc, argv, round_run);

	printf("stress_end: %llu rounds\n", (unsigned long long)rounds);
	return 0;
}
