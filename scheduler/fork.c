// SPDX-License-Identifier: MIT
/*
 * fork.c - the fork handler.
 *
 * Runs in the child's only thread, so relaxed is enough. There is nothing to
 * undo when the last pool dies: the handler touches one word of the library.
 */
#include "scheduler/fork.h"

#include <pthread.h>
#include <stddef.h>

#include "scheduler/fence.h"
#include "scheduler/producer.h"
#include "scheduler/thread.h"

_Atomic unsigned wyn_fork_generation_now;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_result;

static void child_begin(void)
{
	atomic_fetch_add_explicit(
		&wyn_fork_generation_now, 1, memory_order_relaxed);
	wyn_producers_unlock();
	wyn_producer_self_ = (struct wyn_producer){0};
	wyn_fence_forked();
	/* Forked by a task: the child's thread is nobody's worker. */
	wyn_thread_self_ = NULL;
}

static void watch(void)
{
	once_result = -pthread_atfork(
		wyn_producers_lock, wyn_producers_unlock, child_begin);
}

int wyn_fork_watch(void)
{
	pthread_once(&once, watch);
	return once_result;
}
