// SPDX-License-Identifier: MIT
/*
 * thread.c - creation, spares, seats that change hands.
 *
 * A seat moves only forward: from the thread that blocks to a spare, which
 * keeps it. Taking it back would have to wait for the spare's task.
 */
#include "scheduler/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>

#include "base/assert.h"
#include "scheduler/drain.h"
#include "scheduler/forkjoin.h"
#include "scheduler/futex.h"
#include "scheduler/perturb.h"
#include "scheduler/worker.h"

#define THREAD_NAME_MAX 16 /* the kernel's, with the NUL */

_Thread_local struct wyn_thread *wyn_thread_self_;

static void gate_wait(struct wyn_pool *pool)
{
	/* [gate] acquires the number of workers. */
	while (atomic_load_explicit(&pool->gate, memory_order_acquire) == 0) {
		wyn_futex_wait(&pool->gate, 0, WYN_DEADLINE_NONE);
	}
}

void wyn_thread_offer(struct wyn_thread *thread)
{
	struct wyn_pool *pool = thread->pool;

	if (thread->seat != NULL || thread->help_depth > 0 || thread->offered) {
		return;
	}
	/* A task has returned inside its blocking section. */
	wyn_assert(thread->block_depth == 0);
	pthread_mutex_lock(&pool->spares_lock);
	/* Under the lock, or the dismissal of the idle could be missed. */
	if (!wyn_park_stopped(&pool->park)) {
		atomic_store_explicit(&thread->seated, 0, memory_order_relaxed);
		thread->next = pool->spares_idle;
		pool->spares_idle = thread;
		thread->offered = true;
	}
	pthread_mutex_unlock(&pool->spares_lock);
}

/* Sleeps as a spare until it is given a seat; false when the pool stops. */
static bool spare_wait(struct wyn_thread *thread)
{
	struct wyn_pool *pool = thread->pool;

	if ((wyn_park_flags(&pool->park) & WYN_PARK_DRAIN) != 0) {
		wyn_pool_quiet(pool);
	}
	wyn_thread_offer(thread);
	if (!thread->offered) {
		return false;
	}
	WYN_STEP();
	/* [seat] acquires the seat and all that its last thread did. */
	while (atomic_load_explicit(&thread->seated, memory_order_acquire) ==
		0) {
		wyn_futex_wait(&thread->seated, 0, WYN_DEADLINE_NONE);
	}
	thread->offered = false;
	thread->seat = thread->given;
	wyn_forker_seat(thread, thread->seat);
	return thread->seat != NULL;
}

static void spare_seat(struct wyn_thread *thread, struct wyn_seat *seat)
{
	thread->given = seat;
	WYN_STEP();
	/* [seat] gives the seat; NULL tells the spare to end. */
	atomic_store_explicit(&thread->seated, 1, memory_order_release);
	wyn_futex_wake(&thread->seated);
}

static void *thread_main(void *arg)
{
	struct wyn_thread *thread = arg;
	struct wyn_pool *pool = thread->pool;
	char name[THREAD_NAME_MAX];

	gate_wait(pool);
	snprintf(name, sizeof(name), "wyn-%s-%u",
		thread->index < pool->config.workers ? "worker" : "spare",
		thread->index);
	pthread_setname_np(pthread_self(), name);
	if (pool->config.thread_start != NULL) {
		pool->config.thread_start(pool->config.thread_start_arg);
	}
	/* After the hook, which is no task of the pool; what it has spawned
	 * came from outside, and what comes now does not. */
	wyn_thread_self_ = thread;
	wyn_producer_go_inside();
	do {
		wyn_worker_run(thread);
	} while (spare_wait(thread));
	wyn_pool_discard(pool);
	wyn_thread_self_ = NULL;
	return NULL;
}

static int attributes_set(
	pthread_attr_t *attributes, const struct wyn_pool *pool, unsigned index)
{
	const struct wyn_pool_config *config = &pool->config;
	cpu_set_t set = pool->cpus;
	int r = 0;

	if (config->stack_bytes != 0) {
		r = pthread_attr_setstacksize(attributes, config->stack_bytes);
	}
	/* Spares stand in for anyone, so they run on all of these, and not on
	 * that of the worker that makes them, which they would inherit. */
	if (config->cpu_count != 0 && index < config->workers) {
		CPU_ZERO(&set);
		CPU_SET((size_t)config->cpus[index % config->cpu_count], &set);
	}
	if (r == 0 && config->cpu_count != 0) {
		r = pthread_attr_setaffinity_np(attributes, sizeof(set), &set);
	}
	return r;
}

int wyn_thread_create(
	struct wyn_pool *pool, unsigned index, struct wyn_seat *seat)
{
	struct wyn_thread *thread = &pool->threads[index];
	sigset_t all, before;
	pthread_attr_t attributes;
	int r = pthread_attr_init(&attributes);

	if (r != 0) {
		return -r;
	}
	r = attributes_set(&attributes, pool, index);
	if (r != 0) {
		goto attributes_destroy;
	}
	thread->seat = seat;
	wyn_forker_init(thread);
	wyn_forker_seat(thread, seat);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread->pthread, &attributes, thread_main, thread);
	pthread_sigmask(SIG_SETMASK, &before, NULL);

attributes_destroy:
	pthread_attr_destroy(&attributes);
	return -r;
}

/* Under the spares' lock. */
static int spare_make(struct wyn_pool *pool, struct wyn_seat *seat)
{
	unsigned count =
		atomic_load_explicit(&pool->spare_count, memory_order_relaxed);

	if (count == pool->config.spare_max) {
		return -EDEADLK;
	}
	WYN_STEP();
	/* [seat] counted before it can run anything. */
	atomic_store_explicit(
		&pool->spare_count, count + 1, memory_order_release);
	if (wyn_thread_create(pool, pool->config.workers + count, seat) < 0) {
		atomic_store_explicit(
			&pool->spare_count, count, memory_order_relaxed);
		return -EAGAIN;
	}
	return 0;
}

int wyn_thread_lend(struct wyn_thread *thread)
{
	struct wyn_pool *pool = thread->pool;
	struct wyn_seat *seat = thread->seat;
	struct wyn_thread *spare;
	int r = 0;

	/* Before the seat can be anybody else's; undone if nobody takes it. */
	wyn_forker_seat(thread, NULL);
	pthread_mutex_lock(&pool->spares_lock);
	spare = pool->spares_idle;
	if (spare != NULL) {
		pool->spares_idle = spare->next;
		spare_seat(spare, seat);
	} else {
		r = spare_make(pool, seat);
	}
	pthread_mutex_unlock(&pool->spares_lock);
	if (r == 0) {
		thread->seat = NULL;
		wyn_counter_add(&thread->counters.lent_approx, 1);
	} else {
		wyn_forker_seat(thread, seat);
	}
	return r;
}

void wyn_threads_open(struct wyn_pool *pool)
{
	WYN_STEP();
	/* [gate] publishes the number of workers. */
	atomic_store_explicit(&pool->gate, 1, memory_order_release);
	wyn_futex_wake_all(&pool->gate);
}

static void spares_dismiss(struct wyn_pool *pool)
{
	pthread_mutex_lock(&pool->spares_lock);
	while (pool->spares_idle != NULL) {
		struct wyn_thread *spare = pool->spares_idle;

		pool->spares_idle = spare->next;
		spare_seat(spare, NULL);
	}
	pthread_mutex_unlock(&pool->spares_lock);
}

static unsigned spares_created(struct wyn_pool *pool)
{
	unsigned count;

	/* Under the lock: a creation is complete, or has not begun. */
	pthread_mutex_lock(&pool->spares_lock);
	count = atomic_load_explicit(&pool->spare_count, memory_order_relaxed);
	pthread_mutex_unlock(&pool->spares_lock);
	return count;
}

void wyn_threads_join(struct wyn_pool *pool)
{
	unsigned workers = wyn_pool_workers(pool);

	wyn_park_raise(&pool->park, WYN_PARK_STOP);
	spares_dismiss(pool);
	for (unsigned i = 0; i < workers; i++) {
		pthread_join(pool->threads[i].pthread, NULL);
	}
	/* Those that still run may create spares; when all are joined that
	 * were there at the last look, nobody is left to create one. */
	for (unsigned i = 0; i < spares_created(pool); i++) {
		pthread_join(
			pool->threads[pool->config.workers + i].pthread, NULL);
	}
}
