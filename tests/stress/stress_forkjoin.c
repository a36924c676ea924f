// SPDX-License-Identifier: MIT
/*
 * stress_forkjoin.c - random trees of forks, futures and detached tasks.
 *
 *	stress_forkjoin [SECONDS [SEED]]
 *
 * Every node of a tree forks, spawns, awaits, blocks and joins as its number
 * says, and is counted once. Whatever runs on the stack of another node must be
 * of the same tree: a join or an await that helped with anything else would
 * bury a node under one that may wait for it. One round of four destroys the
 * pool in the midst of it: then what is joined has still run.
 */
#include <wyn/forkjoin.h>

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <wyn/future.h>

#include "base/compiler.h"
#include "base/prng.h"
#include "tests/support/stress.h"

#define ROOTS	   100u /* of the deepest trees; shallow ones are more */
#define DEPTH_MAX  5u
#define FORKS_MAX  4u
#define BURST	   1200u /* more than a deque holds */
#define LEDGER_MAX (1u << 20)

struct node {
	unsigned root; /* its number, from 1 */
	unsigned depth;
	uint64_t random;
	_Atomic unsigned ran;
};

struct part {
	struct wyn_fork fork; /* first */
	struct node *node;
	struct wyn_future *future; /* spawned beside it, or NULL */
	struct node *awaited;
};

static struct node ledger[LEDGER_MAX];
static _Atomic unsigned ledger_count;
static uint64_t nodes; /* of the rounds that ended */
static struct wyn_pool *current;
static unsigned depth_max;		 /* of this round's trees */
static _Thread_local unsigned root_here; /* whose node this stack holds */

static struct node *node_new(unsigned root, unsigned depth, uint64_t random)
{
	unsigned at = atomic_fetch_add_explicit(
		&ledger_count, 1, memory_order_relaxed);
	struct node *node = &ledger[at];

	require(at < LEDGER_MAX);
	node->root = root;
	node->depth = depth;
	node->random = random;
	return node;
}

static struct node *child_new(struct node *node)
{
	return node_new(
		node->root, node->depth + 1, wyn_prng_splitmix(&node->random));
}

static void node_run(struct wyn_forker *forker, struct node *node);

static void part_run(struct wyn_forker *forker, struct wyn_fork *fork)
{
	node_run(forker, ((struct part *)fork)->node);
}

static int future_run(void *arg, struct wyn_value *ret_value)
{
	ret_value->ptr[0] = arg;
	node_run(wyn_forker_self(), arg);
	return 0;
}

static void detached_run(void *arg)
{
	node_run(wyn_forker_self(), arg);
}

static void spawn_detached(struct node *child)
{
	require(wyn_pool_spawn_detached(current, detached_run, child) == 0);
}

static void spawn_burst(struct node *node)
{
	for (unsigned i = 0; i < BURST && ledger_count < LEDGER_MAX / 2; i++) {
		struct node *child = child_new(node);

		child->depth = depth_max;
		spawn_detached(child);
	}
}

/* Between a fork and its join. */
static void part_beside(struct part *part, struct node *node)
{
	part->future = NULL;
	switch (wyn_prng_splitmix(&node->random) % 16) {
	case 0:
	case 1:
	case 2:
		spawn_detached(child_new(node));
		break;
	case 3:
	case 4:
	case 5:
		part->awaited = child_new(node);
		require(wyn_pool_spawn(current, future_run, part->awaited, NULL,
				&part->future) == 0);
		break;
	case 6:
		if (wyn_block_begin() == 0) {
			sched_yield();
			wyn_block_end();
		}
		break;
	case 7:
		if (wyn_prng_splitmix(&node->random) % 16 == 0) {
			spawn_burst(node);
		}
		break;
	case 8:
	case 9:
		sched_yield();
		break;
	default:
		break;
	}
}

static void part_await(struct part *part, uint64_t how)
{
	struct wyn_value value = {.u64 = {0, 0}};
	int r;

	if (part->future == NULL) {
		return;
	}
	if (how % 4 != 0) {
		r = how % 4 == 1 ? wyn_future_await_until(part->future,
					   WYN_DEADLINE_NONE, &value)
				 : wyn_future_await(part->future, &value);
		require(r == 0 || r == -EDEADLK || r == -ECANCELED);
		require(r < 0 || value.ptr[0] == part->awaited);
	}
	wyn_future_drop(part->future);
}

static void node_run(struct wyn_forker *forker, struct node *node)
{
	unsigned outer = root_here;
	struct part parts[FORKS_MAX];
	unsigned n =
		(unsigned)(wyn_prng_splitmix(&node->random) % (FORKS_MAX + 1));

	require(outer == 0 || outer == node->root);
	root_here = node->root;
	node->ran++;
	if (node->depth >= depth_max || ledger_count > LEDGER_MAX / 2) {
		n = 0;
	}
	for (unsigned i = 0; i < n; i++) {
		parts[i].node = child_new(node);
		wyn_fork(forker, &parts[i].fork, part_run);
		part_beside(&parts[i], node);
	}
	while (n-- > 0) {
		uint64_t how = wyn_prng_splitmix(&node->random);

		if (how % 32 < 16) {
			part_await(&parts[n], how / 32);
			wyn_join(forker, &parts[n].fork);
		} else {
			wyn_join(forker, &parts[n].fork);
			part_await(&parts[n], how / 32);
		}
		require(parts[n].node->ran == 1);
	}
	root_here = outer;
}

static void round_run(unsigned workers, struct wyn_prng *prng)
{
	struct wyn_pool_config config;
	unsigned roots = 1 + (unsigned)wyn_prng_below(prng, ROOTS);
	bool drains = wyn_prng_below(prng, 4) != 0;
	struct wyn_pool_counters counters;

	depth_max = 1 + (unsigned)wyn_prng_below(prng, DEPTH_MAX);
	roots <<= 2 * (DEPTH_MAX - depth_max);
	wyn_pool_config_init(&config);
	config.workers = workers;
	config.spare_max = wyn_prng_below(prng, 2) == 0
				   ? 128
				   : (unsigned)wyn_prng_below(prng, 4);
	config.help_depth_max = 1 + (unsigned)wyn_prng_below(prng, 8);
	require(wyn_pool_create(&config, &current) == 0);
	require(wyn_pool_start(current) == 0);
	stress_watch(current);
	for (unsigned i = 1; i <= roots; i++) {
		spawn_detached(node_new(i, 0, wyn_prng_next(prng)));
	}
	if (drains) {
		require(wyn_pool_drain(current, WYN_DEADLINE_NONE) == 0);
		wyn_pool_counters(current, &counters);
		require(counters.unfinished == 0 && counters.queued == 0);
	}
	stress_watch(NULL);
	wyn_pool_destroy(current);
	for (unsigned i = 0; i < ledger_count; i++) {
		require(ledger[i].ran <= 1 && (!drains || ledger[i].ran == 1));
	}
	nodes += ledger_count;
	memset(ledger, 0, ledger_count * sizeof(*ledger));
	ledger_count = 0;
}

int main(int argc, char **argv)
{
	uint64_t rounds = stress_rounds(argc, argv, round_run);

	printf("stress_forkjoin: %llu rounds, %llu nodes, each counted once\n",
		(unsigned long long)rounds, (unsigned long long)nodes);
	return 0;
}
