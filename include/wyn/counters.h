// SPDX-License-Identifier: MIT
/*
 * wyn/counters.h - what a pool has done, in all and by each of its threads.
 *
 * Every thread counts for itself, and whoever asks does the sums, without
 * stopping anybody: statistics only, and those of one call need not be of one
 * moment. Only of a pool that has drained they are exact. Included by
 * wyn/pool.h; C and C++.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wyn_pool;

/* Numbers of tasks, if nothing else is said, since the pool was created. */
struct wyn_pool_counters {
	uint64_t run;	     /* bodies that returned */
	uint64_t cancelled;  /* tasks consumed without having run */
	uint64_t stolen;     /* tasks taken from another worker's deque */
	uint64_t injected;   /* tasks that went through the injector */
	uint64_t parked;     /* times a worker went to sleep */
	uint64_t woken;	     /* times a worker was woken for work */
	uint64_t helped;     /* tasks run by an await */
	uint64_t lent;	     /* seats lent by blocking sections */
	uint64_t queued;     /* tasks waiting now */
	uint64_t unfinished; /* accepted and not finished now */
	unsigned workers;
};

/*
 * wyn_pool_counters - sums the counters of all threads.
 *
 * Thread: any. Owns: nothing. Blocks: never.
 */
void wyn_pool_counters(
	struct wyn_pool *pool, struct wyn_pool_counters *ret_counters);

/*
 * wyn_pool_worker_counters - the counters of one thread.
 *
 * From 0 to wyn_pool_workers() - 1 they are the workers' of these numbers, and
 * from there on those of the spare threads that were made, so that counting up
 * until it says false shows them all. `injected` is what the thread took from
 * the injector, `queued` what waits in the deque of the worker's place, which a
 * blocking section leaves to a spare together with its sleeps (`parked`,
 * `woken`): a spare has no place of its own. `unfinished` is 0, `workers` is 1
 * for a worker and 0 for a spare.
 *
 * Thread: any. Owns: nothing. Returns: false if there is no such thread, and
 * has written nothing. Blocks: never.
 */
bool wyn_pool_worker_counters(struct wyn_pool *pool, unsigned worker,
	struct wyn_pool_counters *ret_counters);

#ifdef __cplusplus
}
#endif
