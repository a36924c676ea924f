// SPDX-License-Identifier: MIT
/*
 * pool.c - configuration, creation, start, destruction.
 *
 * Everything that a pool needs for its life is allocated here, except what
 * grows with the number of pending tasks: injector blocks and future slabs.
 */
#include "scheduler/pool.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "scheduler/cpus.h"
#include "scheduler/futex.h"
#include "scheduler/thread.h"

void wyn_pool_config_init(struct wyn_pool_config *config)
{
	*config = (struct wyn_pool_config){
		.spare_max = WYN_POOL_SPARES_DEFAULT,
		.spin_max = WYN_POOL_SPIN_DEFAULT,
		.help_depth_max = WYN_POOL_HELP_DEFAULT,
		.reserve_bytes = WYN_POOL_RESERVE_DEFAULT,
	};
}

static bool config_is_valid(const struct wyn_pool_config *config)
{
	if (config->cpu_count != 0 && config->cpus == NULL) {
		return false;
	}
	for (size_t i = 0; i < config->cpu_count; i++) {
		if (config->cpus[i] < 0 || config->cpus[i] >= CPU_SETSIZE) {
			return false;
		}
	}
	if (config->stack_bytes != 0 &&
		config->stack_bytes < WYN_POOL_STACK_MIN) {
		return false;
	}
	return config->workers <= WYN_POOL_WORKERS_MAX &&
	       config->spare_max <= WYN_POOL_SPARES_MAX &&
	       config->spin_max <= WYN_POOL_SPIN_MAX &&
	       config->help_depth_max <= WYN_POOL_HELP_MAX;
}

static unsigned workers_allowed(const struct wyn_pool_config *config)
{
	unsigned cpus =
		wyn_cpus_allowed(config->root != NULL ? config->root : "/");

	return cpus < WYN_POOL_WORKERS_MAX ? cpus : WYN_POOL_WORKERS_MAX;
}

/* Zeroed memory on cache lines. */
static void *lines_alloc(size_t count, size_t size)
{
	void *memory;

	if (posix_memalign(&memory, WYN_CACHE_LINE, count * size) != 0) {
		return NULL;
	}
	return memset(memory, 0, count * size);
}

static int arrays_create(struct wyn_pool *pool)
{
	unsigned workers = pool->config.workers;
	unsigned threads = workers + pool->config.spare_max;

	pool->seats = lines_alloc(workers, sizeof(*pool->seats));
	pool->park_seats = lines_alloc(workers, sizeof(*pool->park_seats));
	pool->threads = lines_alloc(threads, sizeof(*pool->threads));
	if (pool->seats == NULL || pool->park_seats == NULL ||
		pool->threads == NULL) {
		return -ENOMEM;
	}
	for (unsigned i = 0; i < workers; i++) {
		struct wyn_seat *seat = &pool->seats[i];

		wyn_deque_init(&seat->deque);
		seat->index = i;
		seat->cursor = i;
		seat->random = i;
	}
	for (unsigned i = 0; i < threads; i++) {
		pool->threads[i].pool = pool;
		pool->threads[i].index = i;
		pool->threads[i].bounded = pool->config.in_flight_max != 0;
	}
	wyn_park_init(&pool->park, pool->park_seats, workers);
	return 0;
}

int wyn_pool_create(
	const struct wyn_pool_config *config, struct wyn_pool **ret_pool)
{
	struct wyn_pool_config defaults;
	struct wyn_pool *pool;
	int r;

	wyn_pool_config_init(&defaults);
	config = config != NULL ? config : &defaults;
	if (!config_is_valid(config)) {
		return -EINVAL;
	}
	r = wyn_fork_watch();
	if (r < 0) {
		return r;
	}
	pool = lines_alloc(1, sizeof(*pool));
	if (pool == NULL) {
		return -ENOMEM;
	}
	pool->config = *config;
	if (pool->config.workers == 0) {
		pool->config.workers = workers_allowed(config);
	}
	for (size_t i = 0; i < config->cpu_count; i++) {
		CPU_SET((size_t)config->cpus[i], &pool->cpus);
	}
	pool->fork_generation = wyn_fork_generation();
	wyn_fence_init();
	wyn_chunks_init(&pool->chunks, config->reserve_bytes);
	wyn_injector_init(&pool->injector, &pool->chunks);
	wyn_producers_init(
		&pool->producers, &pool->injector, config->in_flight_max != 0);
	wyn_slabs_init(&pool->slabs, &pool->chunks, pool);
	wyn_larges_init(&pool->larges);
	pthread_mutex_init(&pool->waiters_lock, NULL);
	pthread_mutex_init(&pool->spares_lock, NULL);
	r = arrays_create(pool);
	if (r < 0) {
		wyn_pool_destroy(pool);
		return r;
	}
	*ret_pool = pool;
	return 0;
}

int wyn_pool_start(struct wyn_pool *pool)
{
	unsigned started = 0;
	int r = 0;

	if (wyn_pool_is_dead(pool)) {
		return -ESHUTDOWN;
	}
	if (wyn_pool_workers(pool) != 0) {
		return -EALREADY;
	}
	while (started < pool->config.workers && r == 0) {
		r = wyn_thread_create(pool, started, &pool->seats[started]);
		started += r == 0;
	}
	if (started == 0) {
		return r;
	}
	pool->park.searching_max = (started + 1) / 2;
	/* [gate] published with the gate. */
	atomic_store_explicit(&pool->workers, started, memory_order_relaxed);
	wyn_threads_open(pool);
	return 0;
}

void wyn_pool_destroy(struct wyn_pool *pool)
{
	if (pool == NULL) {
		return;
	}
	wyn_assert(wyn_thread_self_of(pool) == NULL);
	if (!wyn_pool_is_dead(pool) && pool->seats != NULL &&
		wyn_pool_workers(pool) != 0) {
		wyn_threads_join(pool);
	}
	wyn_producers_fini(&pool->producers);
	wyn_larges_fini(&pool->larges);
	wyn_slabs_fini(&pool->slabs);
	wyn_chunks_fini(&pool->chunks);
	pthread_mutex_destroy(&pool->spares_lock);
	pthread_mutex_destroy(&pool->waiters_lock);
	free(pool->threads);
	free(pool->park_seats);
	free(pool->seats);
	free(pool);
}

unsigned wyn_pool_workers(const struct wyn_pool *pool)
{
	/* [gate] 0 until the start. */
	return atomic_load_explicit(&pool->workers, memory_order_acquire);
}
