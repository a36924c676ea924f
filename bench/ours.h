// SPDX-License-Identifier: MIT
/*
 * ours.h - the pool as our own benchmarks start it and wait for it.
 *
 * One configuration for every figure: the defaults, and the number of workers.
 * Only where it is asked for the pool keeps more memory. Only <wyn/...> is
 * used, as a program outside of this tree would.
 */
#pragma once

#include <wyn/future.h>

#include "bench/meter.h"
#include "bench/meter_words.h"

static inline struct wyn_pool *ours_started(const struct meter *meter)
{
	struct wyn_pool_config config;
	struct wyn_pool *pool;

	wyn_pool_config_init(&config);
	config.workers = (unsigned)meter->workers;
	if (meter->keep_mib != 0) {
		config.reserve_bytes = (size_t)meter->keep_mib << 20;
	}
	meter_require(wyn_pool_create(&config, &pool) == 0);
	meter_require(wyn_pool_start(pool) == 0);
	meter_require(wyn_pool_workers(pool) == meter->workers);
	return pool;
}

/* Returns when nothing is queued and nothing runs; the pool goes on. */
static inline void ours_wait(struct wyn_pool *pool)
{
	meter_require(wyn_pool_wait_until(pool, WYN_DEADLINE_NONE) == 0);
}

static inline void ours_ended(struct wyn_pool *pool)
{
	meter_require(wyn_pool_drain(pool, WYN_DEADLINE_NONE) == 0);
	wyn_pool_destroy(pool);
}
