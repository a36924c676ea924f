// SPDX-License-Identifier: MIT
/*
 * test_pool.c - configuration, creation, start, destruction.
 */
#include <wyn/pool.h>

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "tests/support/pool.h"

static int create_with(const struct wyn_pool_config *config)
{
	struct wyn_pool *pool;
	int r = wyn_pool_create(config, &pool);

	if (r == 0) {
		wyn_pool_destroy(pool);
	}
	return r;
}

static void pool_refuses_config_when_out_of_range(void **state)
{
	static const int before[] = {-1}, behind[] = {CPU_SETSIZE};
	struct wyn_pool_config bad[9];

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(bad); i++) {
		wyn_pool_config_init(&bad[i]);
		bad[i].cpu_count = i / 6; /* of the last three */
	}
	bad[0].workers = 10000;
	bad[1].workers = WYN_POOL_WORKERS_MAX + 1;
	bad[2].spare_max = WYN_POOL_SPARES_MAX + 1;
	bad[3].spin_max = WYN_POOL_SPIN_MAX + 1;
	bad[4].help_depth_max = WYN_POOL_HELP_MAX + 1;
	bad[5].stack_bytes = WYN_POOL_STACK_MIN - 1;
	bad[6].cpus = before;
	bad[7].cpus = behind;
	bad[8].cpus = NULL;

	for (size_t i = 0; i < WYN_COUNT_OF(bad); i++) {
		assert_int_equal(create_with(&bad[i]), -EINVAL);
	}
}

static void pool_accepts_config_when_at_its_bounds(void **state)
{
	struct wyn_pool_config config = {
		.workers = WYN_POOL_WORKERS_MAX,
		.spare_max = WYN_POOL_SPARES_MAX,
		.spin_max = WYN_POOL_SPIN_MAX,
		.help_depth_max = WYN_POOL_HELP_MAX,
		.in_flight_max = UINT64_MAX,
		.stack_bytes = WYN_POOL_STACK_MIN,
	};

	(void)state;
	assert_int_equal(create_with(&config), 0);
	config = (struct wyn_pool_config){.workers = 1};
	assert_int_equal(create_with(&config), 0);
}

static void pool_is_destroyed_when_never_started(void **state)
{
	(void)state;
	assert_int_equal(create_with(NULL), 0);
	wyn_pool_destroy(NULL);
}

static void pool_has_workers_when_config_says_none(void **state)
{
	struct wyn_pool *pool;

	(void)state;
	assert_int_equal(wyn_pool_create(NULL, &pool), 0);
	assert_int_equal(wyn_pool_start(pool), 0);

	assert_true(wyn_pool_workers(pool) >= 1);
	pool_ended(pool);
}

static void pool_refuses_start_when_started(void **state)
{
	struct wyn_pool *pool = pool_started(1);

	(void)state;
	assert_int_equal(wyn_pool_start(pool), -EALREADY);
	pool_ended(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pool_refuses_config_when_out_of_range),
		cmocka_unit_test(pool_accepts_config_when_at_its_bounds),
		cmocka_unit_test(pool_is_destroyed_when_never_started),
		cmocka_unit_test(pool_has_workers_when_config_says_none),
		cmocka_unit_test(pool_refuses_start_when_started),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
