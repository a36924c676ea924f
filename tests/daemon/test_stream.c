// SPDX-License-Identifier: MIT
/*
 * test_stream.c - partial values from several threads to one, in order and
 * within their bound; waiting for room, and being cancelled while waiting.
 */
#include "daemon/run/stream.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wyn/pool.h>

#include "base/compiler.h"
#include "daemon/run/task.h"

#define CHARGE(bytes) (sizeof(struct wyn_partial) + (bytes))
#define PRODUCERS     4
#define EACH	      5000

struct bench {
	struct wyn_stream stream;
	struct wyn_task task;
	unsigned wakes; /* only where the test is the one thread */
};

static void count_wake(struct wyn_stream *stream)
{
	struct bench *bench = WYN_CONTAINER_OF(stream, struct bench, stream);

	bench->wakes++;
}

static int begin(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	if (bench == NULL || wyn_stream_init(&bench->stream, count_wake) < 0) {
		free(bench);
		return -1;
	}
	bench->task.partial_bytes_max = 100;
	*state = bench;
	return 0;
}

static int end(void **state)
{
	struct bench *bench = *state;

	wyn_stream_fini(&bench->stream);
	free(bench);
	return 0;
}

static int emit(struct bench *bench, const char *text, size_t unsent_max)
{
	return wyn_stream_emit(
		&bench->stream, &bench->task, text, strlen(text), unsent_max);
}

static uint64_t unsent(const struct wyn_task *task)
{
	return atomic_load_explicit(
		&task->partial_unsent_bytes, memory_order_acquire);
}

/* Returns: how many there were. */
static size_t send_all(struct wyn_stream *stream)
{
	struct wyn_partial *partial = wyn_stream_take(stream);
	size_t n = 0;

	while (partial != NULL) {
		struct wyn_partial *next = partial->next;

		wyn_stream_sent(stream, partial);
		partial = next;
		n++;
	}
	return n;
}

static void stream_gives_partials_in_order_when_taken(void **state)
{
	static const char *const expected[] = {"one", "", "three"};
	struct bench *bench = *state;
	struct wyn_partial *partial;

	for (size_t i = 0; i < WYN_COUNT_OF(expected); i++) {
		assert_int_equal(emit(bench, expected[i], 1000), 0);
	}

	partial = wyn_stream_take(&bench->stream);
	assert_null(wyn_stream_take(&bench->stream));
	for (size_t i = 0; i < WYN_COUNT_OF(expected); i++) {
		struct wyn_partial *next = partial->next;

		assert_ptr_equal(partial->task, &bench->task);
		assert_int_equal(partial->bytes, strlen(expected[i]));
		assert_memory_equal(partial->data, expected[i], partial->bytes);
		wyn_stream_sent(&bench->stream, partial);
		partial = next;
	}
	assert_null(partial);
	assert_int_equal(unsent(&bench->task), 0);
}

static void stream_wakes_once_when_several_come_before_a_take(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(emit(bench, "a", 1000), 0);
	assert_int_equal(emit(bench, "b", 1000), 0);
	assert_int_equal(bench->wakes, 1);

	assert_int_equal(send_all(&bench->stream), 2);
	assert_int_equal(emit(bench, "c", 1000), 0);
	assert_int_equal(bench->wakes, 2);
}

static void stream_refuses_a_partial_when_it_is_over_one_frame(void **state)
{
	struct bench *bench = *state;

	bench->task.partial_bytes_max = 3;

	assert_int_equal(emit(bench, "abc", 1000), 0);
	assert_int_equal(emit(bench, "abcd", 1000), -EMSGSIZE);
}

static void stream_refuses_a_partial_when_cancelled(void **state)
{
	struct bench *bench = *state;

	wyn_stream_cancel(&bench->stream, &bench->task);

	assert_int_equal(emit(bench, "a", 1000), -ECANCELED);
	assert_null(wyn_stream_take(&bench->stream));
}

static void stream_takes_a_partial_alone_when_over_the_bound(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(emit(bench, "longer than one byte", 1), 0);

	assert_int_equal(send_all(&bench->stream), 1);
}

static void stream_counts_a_partial_when_it_is_empty(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(emit(bench, "", 1000), 0);

	assert_int_equal(unsent(&bench->task), CHARGE(0));
}

static void stream_frees_what_is_left_when_it_ends(void **state)
{
	struct bench *bench = *state;

	assert_int_equal(emit(bench, "left", 1000), 0);
	assert_int_equal(emit(bench, "behind", 1000), 0);
	/* The rest is the leak checker's. */
}

/* Emits twice with room for one, then says what came of it. */
struct emitter {
	struct bench *bench;
	int first;
	int second;
};

static void *emit_twice(void *opaque)
{
	struct emitter *emitter = opaque;

	emitter->first = emit(emitter->bench, "1", CHARGE(1));
	emitter->second = emit(emitter->bench, "2", CHARGE(1));
	return NULL;
}

/* Comes back when a thread waits for room: the wait itself is the event. */
static void await_waiter(struct wyn_stream *stream)
{
	unsigned waiting = 0;

	while (waiting == 0) {
		sched_yield();
		waiting = wyn_stream_waiting(stream);
	}
}

static void stream_lets_a_waiter_go_when_its_partial_was_sent(void **state)
{
	struct bench *bench = *state;
	struct emitter emitter = {.bench = bench};
	pthread_t thread;

	assert_int_equal(
		pthread_create(&thread, NULL, emit_twice, &emitter), 0);
	await_waiter(&bench->stream);

	assert_int_equal(send_all(&bench->stream), 1);

	pthread_join(thread, NULL);
	assert_int_equal(emitter.first, 0);
	assert_int_equal(emitter.second, 0);
	assert_int_equal(send_all(&bench->stream), 1);
}

static void stream_wakes_when_a_worker_begins_to_wait(void **state)
{
	struct bench *bench = *state;
	struct emitter emitter = {.bench = bench};
	pthread_t thread;

	assert_int_equal(
		pthread_create(&thread, NULL, emit_twice, &emitter), 0);
	await_waiter(&bench->stream);
	wyn_stream_cancel(&bench->stream, &bench->task);
	pthread_join(thread, NULL);

	/* For the partial value, and for the place of its task. */
	assert_int_equal(bench->wakes, 2);
	assert_int_equal(wyn_stream_waiting(&bench->stream), 0);
	assert_int_equal(send_all(&bench->stream), 1);
}

static void stream_lets_a_waiter_go_when_its_task_is_cancelled(void **state)
{
	struct bench *bench = *state;
	struct emitter emitter = {.bench = bench};
	pthread_t thread;

	assert_int_equal(
		pthread_create(&thread, NULL, emit_twice, &emitter), 0);
	await_waiter(&bench->stream);

	wyn_stream_cancel(&bench->stream, &bench->task);

	pthread_join(thread, NULL);
	assert_int_equal(emitter.second, -ECANCELED);
	assert_int_equal(send_all(&bench->stream), 1);
}

static void stream_keeps_a_waiter_when_another_task_is_cancelled(void **state)
{
	struct bench *bench = *state;
	struct emitter emitter = {.bench = bench};
	struct wyn_task other = {.partial_bytes_max = 100};
	pthread_t thread;

	assert_int_equal(
		pthread_create(&thread, NULL, emit_twice, &emitter), 0);
	await_waiter(&bench->stream);

	wyn_stream_cancel(&bench->stream, &other);
	await_waiter(&bench->stream);

	assert_int_equal(send_all(&bench->stream), 1);
	pthread_join(thread, NULL);
	assert_int_equal(emitter.second, 0);
	assert_int_equal(send_all(&bench->stream), 1);
}

static void emit_twice_in_pool(void *opaque)
{
	(void)emit_twice(opaque);
}

static void stream_refuses_to_wait_when_no_spare_is_left(void **state)
{
	struct bench *bench = *state;
	struct emitter emitter = {.bench = bench};
	struct wyn_pool_config config;
	struct wyn_pool *pool;

	wyn_pool_config_init(&config);
	config.workers = 1;
	config.spare_max = 0;
	assert_int_equal(wyn_pool_create(&config, &pool), 0);
	assert_int_equal(wyn_pool_start(pool), 0);

	assert_int_equal(
		wyn_pool_spawn_detached(pool, emit_twice_in_pool, &emitter), 0);
	assert_int_equal(wyn_pool_drain(pool, WYN_DEADLINE_NONE), 0);
	wyn_pool_destroy(pool);

	assert_int_equal(emitter.first, 0);
	assert_int_equal(emitter.second, -EAGAIN);
	assert_true(bench->task.waited);
	assert_int_equal(send_all(&bench->stream), 1);
}

/* Several tasks of one loop, each with its own thread. */
struct crowd {
	struct wyn_stream stream;
	sem_t woken;
	struct wyn_task tasks[PRODUCERS];
	uint32_t next[PRODUCERS]; /* expected of each */
	int error[PRODUCERS];
};

static struct crowd crowd;

static void post_wake(struct wyn_stream *stream)
{
	(void)stream;
	sem_post(&crowd.woken);
}

static void *produce(void *opaque)
{
	struct wyn_task *task = opaque;
	size_t index = (size_t)(task - crowd.tasks);

	for (uint32_t i = 0; i < EACH && crowd.error[index] == 0; i++) {
		crowd.error[index] = wyn_stream_emit(&crowd.stream, task, &i,
			sizeof(i), CHARGE(sizeof(i)) * (index + 1));
	}
	return NULL;
}

/* Returns: how many there were, all in their task's order and bound. */
static size_t consume(void)
{
	struct wyn_partial *partial = wyn_stream_take(&crowd.stream);
	size_t n = 0;

	while (partial != NULL) {
		struct wyn_partial *next = partial->next;
		size_t index = (size_t)(partial->task - crowd.tasks);
		uint32_t number;

		memcpy(&number, partial->data, sizeof(number));
		assert_int_equal(number, crowd.next[index]);
		assert_true(unsent(partial->task) <=
			    CHARGE(sizeof(number)) * (index + 1));
		crowd.next[index]++;
		wyn_stream_sent(&crowd.stream, partial);
		partial = next;
		n++;
	}
	return n;
}

static void stream_keeps_order_and_bound_when_many_emit(void **state)
{
	pthread_t threads[PRODUCERS];
	size_t n = 0;

	(void)state;
	assert_int_equal(wyn_stream_init(&crowd.stream, post_wake), 0);
	assert_int_equal(sem_init(&crowd.woken, 0, 0), 0);
	for (size_t i = 0; i < PRODUCERS; i++) {
		crowd.tasks[i].partial_bytes_max = sizeof(uint32_t);
		assert_int_equal(pthread_create(&threads[i], NULL, produce,
					 &crowd.tasks[i]),
			0);
	}

	while (n < PRODUCERS * EACH) {
		assert_int_equal(sem_wait(&crowd.woken), 0);
		n += consume();
	}

	for (size_t i = 0; i < PRODUCERS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(crowd.error[i], 0);
		assert_int_equal(crowd.next[i], EACH);
		assert_int_equal(unsent(&crowd.tasks[i]), 0);
	}
	sem_destroy(&crowd.woken);
	wyn_stream_fini(&crowd.stream);
}

static int progress(struct bench *bench, uint64_t done)
{
	return wyn_stream_progress(&bench->stream, &bench->task, done, 7);
}

static void stream_keeps_the_last_report_when_several_come(void **state)
{
	struct bench *bench = *state;
	struct wyn_partial *first;
	struct wyn_partial *second;

	assert_int_equal(progress(bench, 1), 0);
	assert_int_equal(emit(bench, "between", 1000), 0);
	assert_int_equal(progress(bench, 258), 0);
	assert_int_equal(bench->wakes, 1);

	first = wyn_stream_take(&bench->stream);
	assert_int_equal(first->stream, WYN__V1__STREAM__STREAM_PROGRESS);
	assert_int_equal(first->bytes, WYN_PROGRESS_BYTES);
	assert_memory_equal(
		first->data, "\0\0\0\0\0\0\1\2\0\0\0\0\0\0\0\7", 16);
	second = first->next;
	assert_int_equal(second->stream, WYN__V1__STREAM__STREAM_PARTIAL);
	assert_null(second->next);
	wyn_stream_sent(&bench->stream, first);
	wyn_stream_sent(&bench->stream, second);

	/* What was taken is not written to any more. */
	assert_int_equal(progress(bench, 3), 0);
	first = wyn_stream_take(&bench->stream);
	assert_int_equal(first->data[7], 3);
	assert_null(first->next);
	wyn_stream_sent(&bench->stream, first);
	assert_int_equal(unsent(&bench->task), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CASE(stream_gives_partials_in_order_when_taken),
		CASE(stream_wakes_once_when_several_come_before_a_take),
		CASE(stream_refuses_a_partial_when_it_is_over_one_frame),
		CASE(stream_refuses_a_partial_when_cancelled),
		CASE(stream_takes_a_partial_alone_when_over_the_bound),
		CASE(stream_counts_a_partial_when_it_is_empty),
		CASE(stream_frees_what_is_left_when_it_ends),
		CASE(stream_lets_a_waiter_go_when_its_partial_was_sent),
		CASE(stream_wakes_when_a_worker_begins_to_wait),
		CASE(stream_lets_a_waiter_go_when_its_task_is_cancelled),
		CASE(stream_keeps_a_waiter_when_another_task_is_cancelled),
		CASE(stream_refuses_to_wait_when_no_spare_is_left),
		CASE(stream_keeps_the_last_report_when_several_come),
#undef CASE
		cmocka_unit_test(stream_keeps_order_and_bound_when_many_emit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
