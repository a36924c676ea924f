// SPDX-License-Identifier: MIT
/*
 * thread.h - the pool's threads and who has a seat.
 *
 * As many threads as there are workers get a seat at the start. A blocking
 * section gives its thread's seat to a spare; a thread whose task returns
 * without a seat becomes a spare itself. The number of threads is bounded by
 * workers + spare_max.
 */
#pragma once

#include "base/compiler.h"
#include "scheduler/spawn.h"

extern _Thread_local struct wyn_thread *wyn_thread_self_;

/*
 * wyn_thread_self - the calling thread, if it is one of any pool's.
 *
 * Thread: any. Returns: NULL outside of pools. Blocks: never.
 */
static inline struct wyn_thread *wyn_thread_self(void)
{
	return wyn_thread_self_;
}

/*
 * wyn_thread_self_of - the calling thread, if it is one of this pool's.
 *
 * Thread: any. Returns: NULL if not. Blocks: never.
 */
static inline struct wyn_thread *wyn_thread_self_of(const struct wyn_pool *pool)
{
	struct wyn_thread *thread = wyn_thread_self();

	return thread != NULL && thread->pool == pool ? thread : NULL;
}

/*
 * wyn_threads_made - threads that ever had a task: a spare is counted before it
 * has a seat.
 *
 * Workers that a smaller pool does without are counted too.
 *
 * Thread: any. Blocks: never.
 */
static inline unsigned wyn_threads_made(const struct wyn_pool *pool)
{
	/* [seat] the seat carries the count to whoever sees its work. */
	return pool->config.workers +
	       atomic_load_explicit(&pool->spare_count, memory_order_acquire);
}

/*
 * wyn_thread_create - starts thread `index`, with a seat or as a spare to be.
 *
 * Thread: boot, or worker under the spares' lock. Returns: 0 or -errno of
 * pthread_create. Blocks: never.
 */
WYN_NODISCARD
int wyn_thread_create(
	struct wyn_pool *pool, unsigned index, struct wyn_seat *seat);

/*
 * wyn_thread_lend - gives the calling thread's seat to a spare.
 *
 * Thread: worker, with a seat. Returns: 0, -EDEADLK, -EAGAIN as
 * wyn_block_begin. Blocks: never.
 */
WYN_NODISCARD
int wyn_thread_lend(struct wyn_thread *thread);

/*
 * wyn_thread_offer - a thread without a seat may be given one from now on.
 *
 * Called when the body has returned and before its completion can be seen, so
 * that whoever saw that finds the spare. Does nothing if it has a seat.
 *
 * Thread: worker. Blocks: on the spares' lock.
 */
void wyn_thread_offer(struct wyn_thread *thread);

/*
 * wyn_thread_leave - the body of a task has returned, nobody knows it yet.
 *
 * Gives up its place in flight and, without a seat, offers the thread.
 *
 * Thread: worker. Blocks: never, with a seat.
 */
static inline void wyn_thread_leave(struct wyn_thread *thread)
{
	wyn_pool_leave(thread->pool, 1);
	if (WYN_UNLIKELY(thread->seat == NULL)) {
		wyn_thread_offer(thread);
	}
}

/*
 * wyn_threads_open - lets the threads of the start go to work.
 *
 * Thread: boot. Blocks: never.
 */
void wyn_threads_open(struct wyn_pool *pool);

/*
 * wyn_threads_join - stops every thread after its running task.
 *
 * Thread: boot. Blocks: until the last has ended.
 */
void wyn_threads_join(struct wyn_pool *pool);
