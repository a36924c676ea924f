// SPDX-License-Identifier: MIT
/*
 * test_pool_executor.c - tasks through a real pool and back, each once.
 */
#include "daemon/run/pool_executor.h"

#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/run/invoke.h"
#include "daemon/modules/registry.h"
#include "daemon/run/stream.h"
#include "daemon/run/task.h"

#define TASKS 4096
#define SLICE 512

/* What the loop is to a daemon: it is woken, and takes what came back. */
struct loop {
	struct wyn_pool *pool;
	struct wyn_executor *executor;
	struct wyn_stream stream;
	sem_t woken;
	struct wyn_task tasks[TASKS];
	unsigned seen[TASKS];
	size_t seen_count;
};

static int echo(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	return wyn_value_set(context, argument, argument_bytes);
}

static const struct wyn_function_entry entry = {.name = "echo", .run = echo};

static void loop_wake(void *context)
{
	struct loop *loop = context;

	sem_post(&loop->woken);
}

static void ignore_wake(struct wyn_stream *stream)
{
	(void)stream;
}

/* The pool is not started: what is submitted waits. */
static int begin(void **state)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	struct wyn_pool_config config;

	if (loop == NULL) {
		return -1;
	}
	wyn_pool_config_init(&config);
	config.workers = 2;
	if (wyn_pool_create(&config, &loop->pool) < 0 ||
		wyn_pool_executor_create(
			loop->pool, loop_wake, loop, &loop->executor) < 0 ||
		wyn_stream_init(&loop->stream, ignore_wake) < 0 ||
		sem_init(&loop->woken, 0, 0) < 0) {
		return -1;
	}
	for (size_t i = 0; i < TASKS; i++) {
		loop->tasks[i].job.run = wyn_invoke;
		loop->tasks[i].function = &entry;
		loop->tasks[i].stream = &loop->stream;
		loop->tasks[i].outcome.value_bytes_max = sizeof(i);
		loop->tasks[i].outcome.small = loop->tasks[i].small_value;
		loop->tasks[i].seq = i;
		loop->tasks[i].element.argument = (struct wyn_slice){
			(const uint8_t *)&loop->tasks[i].seq, sizeof(i)};
	}
	*state = loop;
	return 0;
}

static int end(void **state)
{
	struct loop *loop = *state;
	int rc = wyn_pool_drain(loop->pool, WYN_DEADLINE_NONE);

	wyn_pool_destroy(loop->pool);
	wyn_pool_executor_destroy(loop->executor);
	wyn_stream_fini(&loop->stream);
	sem_destroy(&loop->woken);
	free(loop);
	return rc;
}

static void start(struct loop *loop, size_t first, size_t n)
{
	struct wyn_job *slice[TASKS];

	for (size_t i = 0; i < n; i++) {
		slice[i] = &loop->tasks[first + i].job;
	}
	loop->executor->ops->start(loop->executor, slice, n);
}

static void take_done(struct loop *loop)
{
	struct wyn_job *job = loop->executor->ops->done(loop->executor);

	for (; job != NULL; job = job->next) {
		loop->seen[WYN_CONTAINER_OF(job, struct wyn_task, job)->seq]++;
		loop->seen_count++;
	}
}

/* As the loop does it: take, arm, and sleep only when armed. */
static void await(struct loop *loop, size_t count)
{
	for (;;) {
		take_done(loop);
		if (loop->seen_count == count) {
			return;
		}
		if (loop->executor->ops->arm(loop->executor)) {
			assert_int_equal(sem_wait(&loop->woken), 0);
		}
	}
}

static void pool_executor_is_as_wide_as_its_pool_when_started(void **state)
{
	struct loop *loop = *state;

	assert_int_equal(wyn_pool_start(loop->pool), 0);

	assert_int_equal(loop->executor->ops->width(loop->executor), 2);
}

static void pool_executor_gives_nothing_back_when_nothing_came(void **state)
{
	struct loop *loop = *state;

	assert_int_equal(wyn_pool_start(loop->pool), 0);

	assert_null(loop->executor->ops->done(loop->executor));
	assert_true(loop->executor->ops->arm(loop->executor));
}

static void pool_executor_gives_each_task_back_once_when_done(void **state)
{
	struct loop *loop = *state;

	assert_int_equal(wyn_pool_start(loop->pool), 0);
	for (size_t first = 0; first < TASKS; first += SLICE) {
		start(loop, first, SLICE);
		take_done(loop);
	}

	await(loop, TASKS);

	for (size_t i = 0; i < TASKS; i++) {
		const struct wyn_outcome *outcome = &loop->tasks[i].outcome;

		assert_int_equal(loop->seen[i], 1);
		assert_int_equal(outcome->code, WYN_STATUS_OK);
		assert_int_equal(outcome->value_bytes, sizeof(i));
		assert_memory_equal(outcome->value, &i, sizeof(i));
	}
}

static void pool_executor_does_not_run_a_task_when_cancelled(void **state)
{
	struct loop *loop = *state;

	start(loop, 0, 3);
	loop->executor->ops->cancel(loop->executor, &loop->tasks[1]);
	assert_int_equal(wyn_pool_start(loop->pool), 0);

	await(loop, 3);

	assert_int_equal(loop->tasks[0].outcome.code, WYN_STATUS_OK);
	assert_int_equal(loop->tasks[1].outcome.code, WYN_STATUS_CANCELLED);
	assert_int_equal(loop->tasks[2].outcome.code, WYN_STATUS_OK);
}

static void pool_executor_takes_a_task_again_when_it_came_back(void **state)
{
	struct loop *loop = *state;

	assert_int_equal(wyn_pool_start(loop->pool), 0);
	for (size_t round = 1; round <= 100; round++) {
		start(loop, 0, 1);
		await(loop, round);
		wyn_outcome_clear(&loop->tasks[0].outcome);
	}

	assert_int_equal(loop->seen[0], 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CASE(pool_executor_is_as_wide_as_its_pool_when_started),
		CASE(pool_executor_gives_nothing_back_when_nothing_came),
		CASE(pool_executor_gives_each_task_back_once_when_done),
		CASE(pool_executor_does_not_run_a_task_when_cancelled),
		CASE(pool_executor_takes_a_task_again_when_it_came_back),
#undef CASE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
