// SPDX-License-Identifier: MIT
/*
 * pool.h - a started pool for a test, and its orderly end.
 *
 * Assertions of cmocka, so only for the test's own thread.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <wyn/pool.h>

static inline struct wyn_pool *pool_started_as(
	const struct wyn_pool_config *config)
{
	struct wyn_pool *pool = NULL;

	assert_int_equal(wyn_pool_create(config, &pool), 0);
	assert_int_equal(wyn_pool_start(pool), 0);
	return pool;
}

static inline struct wyn_pool *pool_started(unsigned workers)
{
	struct wyn_pool_config config;
	struct wyn_pool *pool;

	wyn_pool_config_init(&config);
	config.workers = workers;
	pool = pool_started_as(&config);
	assert_int_equal(wyn_pool_workers(pool), workers);
	return pool;
}

static inline void pool_ended(struct wyn_pool *pool)
{
	assert_int_equal(wyn_pool_drain(pool, WYN_DEADLINE_NONE), 0);
	wyn_pool_destroy(pool);
}
