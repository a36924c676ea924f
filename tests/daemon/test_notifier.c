// SPDX-License-Identifier: MIT
/*
 * test_notifier.c - what the service manager hears of a daemon of two loops.
 *
 * Real loops and a real pool, and the test in the place of the manager. The
 * second loop can be held up in its turn. Nothing is measured: what must come
 * is awaited, and what must not is told by what comes in its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

#include <wyn/pool.h>

#include "daemon/engine/engine.h"
#include "daemon/log.h"
#include "daemon/io/loop.h"
#include "daemon/io/notifier.h"
#include "daemon/modules/catalog.h"
#include "tests/support/latch.h"
#include "tests/support/manager.h"

#define LOOPS 2

static struct {
	int manager;
	struct wyn_shared shared;
	struct wyn_catalog *catalog;
	struct wyn_pool *pool;
	struct wyn_engine *engines[LOOPS];
	struct wyn_loop *loops[LOOPS];
	struct wyn_notifier *notifier;
	bool ended;
	atomic_bool draining;
	atomic_uint begun; /* reloads */
	atomic_uint over;
	atomic_bool held;    /* the second loop is to stay in its turn */
	struct latch holds;  /* it does */
	struct latch let_go; /* it may go on */
} it;

static void on_turn_of_first(void *context)
{
	unsigned over = atomic_load_explicit(&it.over, memory_order_acquire);
	unsigned begun = atomic_load_explicit(&it.begun, memory_order_acquire);

	(void)context;
	wyn_notifier_reloads(it.notifier, begun, over);
	wyn_notifier_turn(it.notifier,
		atomic_load_explicit(&it.draining, memory_order_acquire));
}

static void on_turn_of_second(void *context)
{
	(void)context;
	if (atomic_exchange_explicit(&it.held, false, memory_order_acq_rel)) {
		latch_open(&it.holds);
		latch_wait(&it.let_go);
	}
}

static void make(void)
{
	struct wyn_pool_config config;

	wyn_pool_config_init(&config);
	config.workers = 1;
	assert_int_equal(wyn_catalog_create(&it.catalog), 0);
	assert_int_equal(wyn_pool_create(&config, &it.pool), 0);
	assert_int_equal(wyn_pool_start(it.pool), 0);
	it.shared.limits = (struct wyn_limits)WYN_LIMITS_INIT;
	it.shared.catalog = it.catalog;
	it.shared.pool = it.pool;
	it.shared.engines = it.engines;
	it.shared.engines_count = LOOPS;
	for (size_t i = 0; i < LOOPS; i++) {
		const struct wyn_loop_hooks hooks = {
			.turn = i == 0 ? on_turn_of_first : on_turn_of_second,
		};

		assert_int_equal(wyn_loop_create(&it.shared, i, it.pool, &hooks,
					 &it.loops[i]),
			0);
		it.engines[i] = wyn_loop_engine(it.loops[i]);
	}
}

static int set_up(void **state)
{
	(void)state;
	memset(&it, 0, sizeof(it));
	it.manager = manager_start();
	latch_init(&it.holds);
	latch_init(&it.let_go);
	make();
	return 0;
}

static void begin(void)
{
	assert_int_equal(
		wyn_notifier_create(&it.shared, it.loops, LOOPS, &it.notifier),
		0);
	for (size_t i = LOOPS; i > 0; i--) {
		assert_int_equal(wyn_loop_start(it.loops[i - 1]), 0);
	}
}

static void end_loops(void)
{
	for (size_t i = 0; i < LOOPS; i++) {
		wyn_loop_enter(it.loops[i], WYN_LOOP_END);
		wyn_loop_join(it.loops[i]);
	}
}

/* What was posted is told then. */
static void end_all(void)
{
	end_loops();
	if (!it.ended) {
		it.ended = true;
		wyn_notifier_stop(it.notifier);
	}
}

static int tear_down(void **state)
{
	(void)state;
	end_all();
	wyn_pool_destroy(it.pool);
	for (size_t i = 0; i < LOOPS; i++) {
		wyn_loop_destroy(it.loops[i]);
	}
	wyn_notifier_destroy(it.notifier);
	wyn_catalog_destroy(it.catalog);
	latch_fini(&it.holds);
	latch_fini(&it.let_go);
	manager_stop(it.manager);
	return 0;
}

static void set_connections(uint64_t number)
{
	atomic_store_explicit(
		&it.shared.connections, number, memory_order_relaxed);
	wyn_loop_wake(it.loops[0]);
}

static const char *hear(const char *begins)
{
	return manager_hear(it.manager, begins);
}

static void notifier_is_ready_in_the_first_turn(void **state)
{
	(void)state;
	begin();
	assert_string_equal(manager_look(it.manager, 0),
		"READY=1\nSTATUS=0 connections, 0 tasks held");
}

static void notifier_tells_what_changed(void **state)
{
	(void)state;
	begin();
	hear("READY=1");
	set_connections(1);
	assert_string_equal(manager_look(it.manager, 0),
		"STATUS=1 connection, 0 tasks held");
}

static void notifier_tells_the_last_when_many_changes_come(void **state)
{
	(void)state;
	begin();
	hear("READY=1");
	set_connections(1);
	hear("STATUS=1 ");
	/* The pause has begun, and the loop has nothing else to wake for. */
	for (uint64_t i = 2; i <= 1000; i++) {
		set_connections(i);
	}
	hear("STATUS=1000 ");
	end_all();
	assert_string_equal(manager_look(it.manager, MSG_DONTWAIT), "");
}

static void notifier_tells_stopping_when_a_drain_begins(void **state)
{
	(void)state;
	begin();
	hear("READY=1");
	atomic_store_explicit(&it.draining, true, memory_order_release);
	wyn_loop_wake(it.loops[0]);
	assert_string_equal(manager_look(it.manager, 0),
		"STOPPING=1\nSTATUS=draining: 0 connections, 0 tasks held");
}

/* So many have begun, and so many are over. */
static void reload(unsigned begun, unsigned over)
{
	atomic_store_explicit(&it.begun, begun, memory_order_release);
	atomic_store_explicit(&it.over, over, memory_order_release);
	wyn_loop_wake(it.loops[0]);
}

static void notifier_is_ready_again_after_a_reload(void **state)
{
	(void)state;
	begin();
	hear("READY=1");
	reload(1, 1);
	assert_memory_equal(manager_look(it.manager, 0),
		"RELOADING=1\nMONOTONIC_USEC=", 27);
	assert_string_equal(manager_look(it.manager, 0),
		"READY=1\nSTATUS=0 connections, 0 tasks held");
}

/* The one that asks while one is under way waits for its own. */
static void notifier_is_not_ready_when_the_next_reload_has_begun(void **state)
{
	(void)state;
	begin();
	hear("READY=1");
	reload(1, 0);
	hear("RELOADING=1");
	reload(2, 1);
	assert_memory_equal(manager_look(it.manager, 0),
		"RELOADING=1\nMONOTONIC_USEC=", 27);
	atomic_store_explicit(&it.draining, true, memory_order_release);
	wyn_loop_wake(it.loops[0]);
	assert_memory_equal(manager_look(it.manager, 0), "STOPPING=1", 10);
}

static void notifier_does_not_become_ready_again_when_it_stops(void **state)
{
	(void)state;
	begin();
	atomic_store_explicit(&it.draining, true, memory_order_release);
	wyn_loop_wake(it.loops[0]);
	hear("STOPPING=1");
	reload(1, 1);
	end_all();
	assert_string_equal(manager_look(it.manager, MSG_DONTWAIT), "");
}

static void notifier_sets_no_timer_when_there_is_no_watchdog(void **state)
{
	(void)state;
	begin();
	hear("READY=1");
	end_loops();
	assert_int_equal(uv_backend_timeout(wyn_loop_uv(it.loops[0])), -1);
}

static void notifier_feeds_while_every_loop_answers(void **state)
{
	(void)state;
	setenv("WATCHDOG_USEC", "40000", 1);
	begin();
	for (unsigned i = 0; i < 5; i++) {
		hear("WATCHDOG=1");
	}
}

static void notifier_does_not_feed_when_a_loop_is_stuck(void **state)
{
	(void)state;
	setenv("WATCHDOG_USEC", "40000", 1);
	begin();
	hear("WATCHDOG=1");
	atomic_store_explicit(&it.held, true, memory_order_release);
	wyn_loop_wake(it.loops[1]);
	latch_wait(&it.holds);
	hear("STATUS=loop 1 does not answer");
	assert_string_equal(manager_look(it.manager, MSG_DONTWAIT), "");
	latch_open(&it.let_go);
	hear("WATCHDOG=1");
	hear("STATUS=0 connections, 0 tasks held");
}

static void notifier_is_silent_when_nobody_listens(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", "40000", 1);
	begin();
	set_connections(1);
	end_loops();
	assert_int_equal(uv_backend_timeout(wyn_loop_uv(it.loops[0])), -1);
	assert_string_equal(manager_look(it.manager, MSG_DONTWAIT), "");
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(notifier_is_ready_in_the_first_turn),
		TEST(notifier_tells_what_changed),
		TEST(notifier_tells_the_last_when_many_changes_come),
		TEST(notifier_tells_stopping_when_a_drain_begins),
		TEST(notifier_is_ready_again_after_a_reload),
		TEST(notifier_is_not_ready_when_the_next_reload_has_begun),
		TEST(notifier_does_not_become_ready_again_when_it_stops),
		TEST(notifier_sets_no_timer_when_there_is_no_watchdog),
		TEST(notifier_feeds_while_every_loop_answers),
		TEST(notifier_does_not_feed_when_a_loop_is_stuck),
		TEST(notifier_is_silent_when_nobody_listens),
	};

	return cmocka_run_group_tests_name("notifier", tests, NULL, NULL);
}
