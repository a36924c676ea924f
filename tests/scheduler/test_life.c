// SPDX-License-Identifier: MIT
/*
 * test_life.c - every life of a future task, as a table.
 *
 * A life is a row: what the handle's owner does while the task is queued,
 * while it runs and when it has ended, and what must come of it. One worker;
 * a gate task keeps the others queued until the row lets them go.
 */
#include <wyn/future.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "tests/support/latch.h"
#include "tests/support/pool.h"

enum act {
	NONE,
	CANCEL,
	DROP,
	CANCEL_AND_DROP,
};

struct life {
	const char *name;
	enum act queued, running, ended;
	int body;	    /* what the body returns */
	bool cancels;	    /* the queued cancel says true */
	unsigned runs;	    /* of the body */
	bool sees_cancel;   /* the running body sees the request */
	int result;	    /* of an await after the end, if not dropped */
	unsigned destroyed; /* values, by the destructor, nobody having read */
};

static const struct life lives[] = {
	{"left alone", NONE, NONE, NONE, 0, false, 1, false, 0, 1},
	{"fails", NONE, NONE, NONE, -EIO, false, 1, false, -EIO, 0},
	{"dropped at the end", NONE, NONE, DROP, 0, false, 1, false, 0, 1},
	{"dropped while running", NONE, DROP, NONE, 0, false, 1, false, 0, 1},
	{"dropped while queued", DROP, NONE, NONE, 0, false, 1, false, 0, 1},
	{"dropped while queued, fails", DROP, NONE, NONE, -EIO, false, 1, false,
		0, 0},
	{"cancelled while queued", CANCEL, NONE, NONE, 0, true, 0, false,
		-ECANCELED, 0},
	{"cancelled and dropped while queued", CANCEL_AND_DROP, NONE, NONE, 0,
		true, 0, false, 0, 0},
	{"cancelled while queued, dropped at the end", CANCEL, NONE, DROP, 0,
		true, 0, false, 0, 0},
	{"cancelled while queued, again at the end", CANCEL, NONE, CANCEL, 0,
		true, 0, false, -ECANCELED, 0},
	{"cancelled while running", NONE, CANCEL, NONE, 0, false, 1, true, 0,
		1},
	{"cancelled while running, obeys", NONE, CANCEL, NONE, -ECANCELED,
		false, 1, true, -ECANCELED, 0},
	{"cancelled and dropped while running", NONE, CANCEL_AND_DROP, NONE, 0,
		false, 1, true, 0, 1},
	{"cancelled at the end", NONE, NONE, CANCEL, 0, false, 1, false, 0, 1},
	{"cancelled and dropped at the end", NONE, NONE, CANCEL_AND_DROP, 0,
		false, 1, false, 0, 1},
};

struct witness {
	const struct life *life;
	struct latch running, go_on;
	unsigned runs;
	bool saw_cancel;
};

static _Atomic unsigned destroyed;

static void count_destroyed(struct wyn_value value)
{
	destroyed += (unsigned)value.u64[1];
}

static int body(void *arg, struct wyn_value *ret_value)
{
	struct witness *witness = arg;

	witness->runs++;
	latch_open(&witness->running);
	latch_wait(&witness->go_on);
	witness->saw_cancel = wyn_task_cancelled();
	ret_value->u64[1] = 1;
	return witness->life->body;
}

static void gate(void *arg)
{
	latch_wait(arg);
}

/* Returns the handle, or NULL once it is dropped. */
static struct wyn_future *perform(
	enum act act, struct wyn_future *future, bool *ret_cancelled)
{
	*ret_cancelled = false;
	if (future != NULL && (act == CANCEL || act == CANCEL_AND_DROP)) {
		*ret_cancelled = wyn_future_cancel(future);
	}
	if (future != NULL && (act == DROP || act == CANCEL_AND_DROP)) {
		wyn_future_drop(future);
		return NULL;
	}
	return future;
}

static void live(const struct life *life)
{
	struct wyn_spawn_options options = {.value_destroy = count_destroyed};
	struct wyn_pool *pool = pool_started(1);
	struct witness witness = {.life = life};
	struct wyn_pool_counters counters;
	struct wyn_future *future;
	struct latch opened;
	bool cancelled;

	destroyed = 0;
	latch_init(&opened);
	latch_init(&witness.running);
	latch_init(&witness.go_on);
	assert_int_equal(wyn_pool_spawn_detached(pool, gate, &opened), 0);
	assert_int_equal(
		wyn_pool_spawn(pool, body, &witness, &options, &future), 0);

	future = perform(life->queued, future, &cancelled);
	assert_int_equal(cancelled, life->cancels);
	latch_open(&opened);
	if (life->runs > 0) {
		latch_wait(&witness.running);
		future = perform(life->running, future, &cancelled);
		assert_false(cancelled);
	}
	latch_open(&witness.go_on);
	assert_int_equal(wyn_pool_drain(pool, WYN_DEADLINE_NONE), 0);
	future = perform(life->ended, future, &cancelled);
	assert_int_equal(cancelled, life->ended == CANCEL && life->cancels);
	if (future != NULL) {
		assert_true(wyn_future_ready(future));
		assert_int_equal(wyn_future_await(future, NULL), life->result);
		wyn_future_drop(future);
	}

	assert_int_equal(witness.runs, life->runs);
	assert_int_equal(witness.saw_cancel, life->sees_cancel);
	assert_int_equal(destroyed, life->destroyed);
	wyn_pool_counters(pool, &counters);
	assert_int_equal(counters.run, 1 + life->runs);
	assert_int_equal(counters.cancelled, 1 - life->runs);
	assert_int_equal(counters.unfinished, 0);
	wyn_pool_destroy(pool);
	latch_fini(&witness.go_on);
	latch_fini(&witness.running);
	latch_fini(&opened);
}

static void future_ends_as_the_table_says_when_lived(void **state)
{
	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(lives); i++) {
		print_message("life: %s\n", lives[i].name);
		live(&lives[i]);
	}
}

static int look_at_cancel(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	ret_value->u64[0] = wyn_task_cancelled();
	return 0;
}

static void outer_look(void *arg)
{
	*(bool *)arg = wyn_task_cancelled();
}

static void task_is_not_cancelled_when_nobody_asked(void **state)
{
	struct wyn_pool *pool = pool_started(1);
	struct wyn_future *future;
	struct wyn_value value;
	bool detached = true;

	(void)state;
	assert_false(wyn_task_cancelled());
	assert_int_equal(
		wyn_pool_spawn(pool, look_at_cancel, NULL, NULL, &future), 0);
	assert_int_equal(
		wyn_pool_spawn_detached(pool, outer_look, &detached), 0);
	assert_int_equal(wyn_future_await(future, &value), 0);
	assert_int_equal(value.u64[0], 0);
	wyn_future_drop(future);
	pool_ended(pool);
	assert_false(detached);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(future_ends_as_the_table_says_when_lived),
		cmocka_unit_test(task_is_not_cancelled_when_nobody_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
