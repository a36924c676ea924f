// SPDX-License-Identifier: MIT
/*
 * test_post.c - errands in order, a few in a turn, from many threads, and what
 * becomes of those that nobody runs any more.
 */
#include "daemon/engine/post.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/engine_rig.h"

#define THREADS 4u
#define EACH	2000u

struct errand {
	struct wyn_post post;
	unsigned number;
	unsigned thread;
};

static struct rig *rig;
static unsigned order[3 * WYN_POSTS_TURN_MAX];
static unsigned runs;
static unsigned ended;
static struct wyn_engine *ran_on;

static void note(struct wyn_post *post, struct wyn_engine *engine)
{
	const struct errand *errand =
		WYN_CONTAINER_OF(post, struct errand, post);

	ran_on = engine;
	ended += engine == NULL;
	order[runs++] = errand->number;
}

static int setup(void **state)
{
	(void)state;
	rig = rig_create(NULL, 1);
	runs = 0;
	ended = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_destroy(rig);
	return 0;
}

static void post_runs_in_order_when_one_thread_posts(void **state)
{
	struct errand errands[3];

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		errands[i] = (struct errand){.post.run = note, .number = i};
		wyn_engine_post(rig->engine, &errands[i].post);
	}
	assert_int_equal(runs, 0);
	rig_turn(rig);
	assert_int_equal(runs, 3);
	assert_ptr_equal(ran_on, rig->engine);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(order[i], i);
	}
	rig_turn(rig);
	assert_int_equal(runs, 3);
}

static void post_waits_for_the_next_turn_when_there_are_many(void **state)
{
	struct errand errands[2 * WYN_POSTS_TURN_MAX];

	(void)state;
	for (unsigned i = 0; i < WYN_COUNT_OF(errands); i++) {
		errands[i] = (struct errand){.post.run = note, .number = i};
		wyn_engine_post(rig->engine, &errands[i].post);
	}
	rig_turn(rig);
	assert_int_equal(runs, WYN_POSTS_TURN_MAX);
	assert_false(wyn_engine_arm(rig->engine));
	rig_turn(rig);
	assert_int_equal(runs, 2 * WYN_POSTS_TURN_MAX);
	assert_true(wyn_engine_arm(rig->engine));
	for (unsigned i = 0; i < runs; i++) {
		assert_int_equal(order[i], i);
	}
}

static void again(struct wyn_post *post, struct wyn_engine *engine)
{
	runs++;
	if (engine != NULL) {
		wyn_engine_post(engine, post);
	}
}

static void post_runs_once_a_turn_when_it_posts_itself(void **state)
{
	struct errand errand = {.post.run = again};

	(void)state;
	wyn_engine_post(rig->engine, &errand.post);
	rig_turn(rig);
	assert_int_equal(runs, 1);
	assert_false(wyn_engine_arm(rig->engine));
	rig_turn(rig);
	assert_int_equal(runs, 2);
	errand.post.run = note;
	rig_turn(rig);
}

static void post_runs_without_an_engine_when_the_daemon_ends(void **state)
{
	struct errand errand = {.post.run = note};
	struct rig *other = rig_create(NULL, 1);
	struct wyn_engine *engine = NULL;

	(void)state;
	assert_int_equal(wyn_engine_create(&other->shared, &other->executor,
				 other->engine->stream.wake, &engine),
		0);
	wyn_engine_post(engine, &errand.post);
	wyn_engine_destroy(engine);
	assert_int_equal(ended, 1);
	rig_destroy(other);
}

/* From many threads. */

static struct errand all[THREADS][EACH];
static unsigned next_of[THREADS];
static unsigned in_order;
static atomic_uint wakes;

static void wake(struct wyn_stream *stream)
{
	(void)stream;
	atomic_fetch_add_explicit(&wakes, 1, memory_order_relaxed);
}

static void count(struct wyn_post *post, struct wyn_engine *engine)
{
	const struct errand *errand =
		WYN_CONTAINER_OF(post, struct errand, post);

	(void)engine;
	in_order += errand->number == next_of[errand->thread]++;
}

static void *post_all(void *context)
{
	struct errand *errands = context;

	for (unsigned i = 0; i < EACH; i++) {
		wyn_engine_post(rig->engine, &errands[i].post);
	}
	return NULL;
}

static void post_loses_none_when_many_threads_post(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	rig->engine->stream.wake = wake;
	for (unsigned i = 0; i < THREADS; i++) {
		for (unsigned j = 0; j < EACH; j++) {
			all[i][j] = (struct errand){
				.post.run = count, .number = j, .thread = i};
		}
		assert_int_equal(
			pthread_create(&threads[i], NULL, post_all, all[i]), 0);
	}
	while (in_order < THREADS * EACH) {
		rig_turn(rig);
		sched_yield();
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(atomic_load_explicit(&wakes, memory_order_relaxed),
		THREADS * EACH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			post_runs_in_order_when_one_thread_posts, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			post_waits_for_the_next_turn_when_there_are_many, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			post_runs_once_a_turn_when_it_posts_itself, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			post_runs_without_an_engine_when_the_daemon_ends, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			post_loses_none_when_many_threads_post, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
