// SPDX-License-Identifier: MIT
/*
 * search.c - the patience of a searcher, by what the pool's threads have run.
 *
 * The counts are read without order: they decide how long a worker looks, and
 * never whether it may sleep, which is the matter of label [park].
 */
#include "scheduler/search.h"

#include <sched.h>

#include "scheduler/futex.h"
#include "scheduler/thread.h"

/* Between two looks: about a microsecond. */
#define SEARCH_PAUSES 32u

/* Pauses of a searcher before it begins to yield its CPU. */
#define SEARCH_YIELDS 4u

/* Tasks that each worker runs between two looks when they are so small that
 * moving them takes longer. */
#define SEARCH_QUICK 8u

/* Looks in a row that leave work to others; they come to what they can come to
 * within a few. */
#define SEARCH_LEAVES_MAX 64u

static uint64_t finished_by(struct wyn_thread *thread)
{
	return atomic_load_explicit(
		&thread->counters.finished, memory_order_relaxed);
}

static uint64_t finished_by_others(struct wyn_thread *thread)
{
	struct wyn_pool *pool = thread->pool;
	unsigned threads = wyn_threads_made(pool);
	uint64_t sum = 0;

	for (unsigned i = 0; i < threads; i++) {
		sum += &pool->threads[i] != thread
			       ? finished_by(&pool->threads[i])
			       : 0;
	}
	return sum;
}

void wyn_search_begin(struct wyn_search *search, struct wyn_thread *thread)
{
	uint64_t others = finished_by_others(thread);
	uint64_t ran = finished_by(thread) + others - thread->finished_at_park;
	unsigned spin_max = thread->pool->config.spin_max;

	ran = ran < spin_max ? ran : spin_max;
	*search = (struct wyn_search){
		.seen = others,
		.looks = ran > 0 ? (unsigned)ran : 1,
	};
}

bool wyn_search_leaves(struct wyn_search *search, struct wyn_thread *thread)
{
	uint64_t now = finished_by_others(thread);
	uint64_t ran = now - search->seen;

	search->seen = now;
	if (ran < (uint64_t)SEARCH_QUICK *
				atomic_load_explicit(&thread->pool->workers,
					memory_order_relaxed) ||
		search->leaves == SEARCH_LEAVES_MAX) {
		search->leaves = 0;
		return false;
	}
	search->leaves++;
	return true;
}

bool wyn_search_pause(struct wyn_search *search, bool left)
{
	if (!left && --search->looks == 0) {
		return false;
	}
	wyn_cpu_relax_for(SEARCH_PAUSES);
	/* Perhaps it is the producer who waits for this CPU. Not at first: the
	 * kernel is slow to run again whom it woke after a yield. */
	if (search->pauses >= SEARCH_YIELDS) {
		sched_yield();
	}
	search->pauses++;
	return true;
}

void wyn_search_rest(struct wyn_thread *thread)
{
	thread->finished_at_park =
		finished_by(thread) + finished_by_others(thread);
}
