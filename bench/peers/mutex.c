// SPDX-License-Identifier: MIT
/*
 * mutex.c - the pool that everybody writes first: a mutex, a condition, a list.
 *
 *	mutex detached|value|memory|idle|trickle NAME=NUMBER...
 *
 * Fair because it is that pool at its best: one malloc per task, the signal
 * after the unlock and only if somebody waits, the end of a task and the taking
 * of the next under one lock, no more state than needed. The one thread that
 * waits for values names the task, so that no other end wakes it.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench/meter.h"
#include "bench/meter_cost.h"
#include "bench/meter_memory.h"
#include "bench/meter_series.h"
#include "bench/meter_words.h"

struct task {
	struct task *next;
	void (*fn)(void *arg);
	void *arg;
	uint64_t value;
	bool done;     /* [M lock] */
	bool detached; /* freed by the worker, else by await */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static struct task *head, **tail = &head; /* [M lock] */
static uint64_t unfinished;		  /* [M lock] */
static unsigned sleepers;		  /* [M lock] of the workers */
static struct task *awaited;		  /* [M lock] by the main thread */
static bool awaits_all;			  /* [M lock] the main thread does */
static bool stop;			  /* [M lock] */

static struct task **tasks; /* with a value */
static struct meter_stall stall;

/* The next task, or NULL to stop. Takes `done`, the one that just ended. */
static struct task *end_and_take(struct task *done)
{
	struct task *task;
	bool tell = false;

	pthread_mutex_lock(&lock);
	if (done != NULL) {
		done->done = true;
		unfinished--;
		tell = done == awaited || (awaits_all && unfinished == 0);
	}
	while (head == NULL && !stop) {
		if (tell) {
			pthread_cond_signal(&ended);
			tell = false;
		}
		sleepers++;
		pthread_cond_wait(&work, &lock);
		sleepers--;
	}
	task = head;
	if (task != NULL) {
		head = task->next;
		if (head == NULL) {
			tail = &head;
		}
	}
	pthread_mutex_unlock(&lock);
	if (tell) {
		pthread_cond_signal(&ended);
	}
	return task;
}

static void *worker(void *arg)
{
	struct task *task = NULL;

	for (;;) {
		/* After `done` the other kind is the awaiting thread's. */
		struct task *mine =
			task != NULL && task->detached ? task : NULL;

		task = end_and_take(task);
		free(mine);
		if (task == NULL) {
			return arg;
		}
		if (task->detached) {
			task->fn(task->arg);
		} else {
			task->value = (uintptr_t)task->arg;
		}
	}
}

static struct task *spawn(void (*fn)(void *arg), void *arg)
{
	struct task *task = malloc(sizeof(*task));
	bool wake;

	meter_require(task != NULL);
	*task = (struct task){.fn = fn, .arg = arg, .detached = fn != NULL};
	pthread_mutex_lock(&lock);
	*tail = task;
	tail = &task->next;
	unfinished++;
	wake = sleepers > 0;
	pthread_mutex_unlock(&lock);
	if (wake) {
		pthread_cond_signal(&work);
	}
	return task;
}

static void wait_for_all(void)
{
	pthread_mutex_lock(&lock);
	awaits_all = true;
	while (unfinished > 0) {
		pthread_cond_wait(&ended, &lock);
	}
	awaits_all = false;
	pthread_mutex_unlock(&lock);
}

static uint64_t await(struct task *task)
{
	uint64_t value;

	pthread_mutex_lock(&lock);
	awaited = task;
	while (!task->done) {
		pthread_cond_wait(&ended, &lock);
	}
	awaited = NULL;
	pthread_mutex_unlock(&lock);
	value = task->value;
	free(task);
	return value;
}

static void nothing(void *arg)
{
	(void)arg;
}

static void spin(void *arg)
{
	meter_spin((uintptr_t)arg);
}

static void detached(const struct meter *meter)
{
	for (uint64_t i = 0; i < meter->n; i++) {
		spawn(meter->spins > 0 ? spin : nothing,
			(void *)(uintptr_t)meter->spins);
	}
	wait_for_all();
}

static void value(const struct meter *meter)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < meter->n; i++) {
		tasks[i] = spawn(NULL, (void *)(uintptr_t)i);
	}
	for (uint64_t i = 0; i < meter->n; i++) {
		sum += await(tasks[i]);
	}
	meter_require(sum == meter->n * (meter->n - 1) / 2);
}

static void run_value(const struct meter *meter)
{
	tasks = malloc(meter->n * sizeof(struct task *));
	meter_require(tasks != NULL);
	memset(tasks, 1, meter->n * sizeof(struct task *));
	meter_run(meter, value);
	free(tasks);
}

static void hold(void *arg)
{
	meter_stall_hold(arg);
}

static void memory(const struct meter *meter)
{
	struct meter_memory cost;

	meter_stall_init(&stall);
	for (uint64_t i = 0; i < meter->workers; i++) {
		spawn(hold, &stall);
	}
	meter_sem_wait(&stall.held, meter->workers);
	meter_memory_begin(&cost);
	for (uint64_t i = 0; i < meter->n; i++) {
		spawn(nothing, NULL);
	}
	meter_memory_pending(&cost);
	meter_stall_open(&stall, meter->workers);
	wait_for_all();
	meter_memory_end(&cost, meter);
}

static void stamp(void *arg)
{
	((struct meter_stamp *)arg)->started_ns = meter_now_ns();
}

static void spawn_stamp(struct meter_stamp *stamp_at)
{
	spawn(stamp, stamp_at);
}

static void run(const struct meter *meter)
{
	if (strcmp(meter->work, "value") == 0) {
		run_value(meter);
	} else {
		meter_run_plain(
			meter, detached, memory, spawn_stamp, wait_for_all);
	}
}

int main(int argc, char **argv)
{
	struct meter meter;
	pthread_t *threads;

	meter_parse(&meter, argc, argv);
	threads = calloc(meter.workers, sizeof(*threads));
	meter_require(threads != NULL);
	for (uint64_t i = 0; i < meter.workers; i++) {
		meter_require(
			pthread_create(&threads[i], NULL, worker, NULL) == 0);
	}
	run(&meter);
	pthread_mutex_lock(&lock);
	stop = true;
	pthread_cond_broadcast(&work);
	pthread_mutex_unlock(&lock);
	for (uint64_t i = 0; i < meter.workers; i++) {
		pthread_join(threads[i], NULL);
	}
	free(threads);
	return 0;
}
