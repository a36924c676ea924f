// SPDX-License-Identifier: MIT
/*
 * wyn/future.h - tasks with a value, and groups of tasks.
 *
 * A future is a handle to memory of the pool: it can be awaited by any number
 * of threads, again after it is done, and has to be dropped once. A group
 * counts tasks, whoever holds their futures. wyn/combine.h makes futures of
 * futures. C and C++.
 *
 * Awaiting from inside a task helps: the worker runs on the same stack what
 * the task has spawned, or the awaited task itself. So hold no lock across an
 * await, and let no task await its ancestors (the task that spawned it, and so
 * on), nor anything that awaits them. Where that cannot be promised, await and
 * wait with wyn_future_await_until and wyn_group_wait_until: they never help.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <wyn/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wyn_future;

struct wyn_value {
	union {
		uint64_t u64[2];
		void *ptr[2];
		double f64[2];
		unsigned char bytes[16];
	};
};

/* The body of a task: 0, with *ret_value (0 before) as its value, or -errno.
 * Thread: worker, spare, or one that awaits inside a task. May block. */
typedef int wyn_task_fn(void *arg, struct wyn_value *ret_value);

/* In the caller's memory; touched only through the functions below. It counts
 * up to 2^31 - 1 tasks that have not ended, and aborts beyond. */
struct wyn_group {
	struct wyn_pool *pool;
	uint32_t word; /* tasks not ended, and who waits for them */
	int32_t error;
	uint32_t cancelled;
};

struct wyn_spawn_options {
	/* Gets the value if the future is dropped before anyone read it.
	 * Thread: the one that dropped or cancelled, or a worker. Must neither
	 * block nor await: the worker may be a seat's next thread already. */
	void (*value_destroy)(struct wyn_value value);
	struct wyn_group *group; /* or NULL */
};

/*
 * wyn_pool_spawn - runs fn(arg, &value) on a worker, with a future for it.
 *
 * Borrows `options` (NULL = none) for the call; a group in it must live until
 * a wait for it returned.
 *
 * Thread: any. Gives: *ret_future, to be dropped once.
 * Returns: 0; -EAGAIN at in_flight_max; -ECANCELED if the group is cancelled;
 * -ENOMEM; -ESHUTDOWN after drain began or in a forked child. Blocks: never.
 */
WYN_POOL_NODISCARD
int wyn_pool_spawn(struct wyn_pool *pool, wyn_task_fn *fn, void *arg,
	const struct wyn_spawn_options *options,
	struct wyn_future **ret_future);

/*
 * wyn_future_await - waits for the end of a task and reads its value.
 *
 * From inside a task of the future's pool it first helps, at most
 * help_depth_max tasks deep: it runs what the task has spawned and what still
 * lies in its worker's deque, the newest first, and then the awaited task if
 * nobody has begun with it. What remains is a blocking section. The value stays
 * readable by others; whoever reads it first keeps it from the destructor.
 *
 * Thread: any. Borrows the future. ret_value may be NULL.
 * Returns: what the body returned; -ECANCELED if it will never run; -EDEADLK
 * inside a task when it has to sleep and no spare thread is to be had, or when
 * the task awaits itself; -ESHUTDOWN in a forked child. wyn_future_ready tells
 * the body's from ours.
 * Blocks: until then.
 */
WYN_POOL_NODISCARD
int wyn_future_await(struct wyn_future *future, struct wyn_value *ret_value);

/*
 * wyn_future_await_until - the same without helping, at most until deadline_ns.
 *
 * From inside a task it is a blocking section: a helped task could outlast the
 * deadline. WYN_DEADLINE_NONE makes it the await that never helps.
 *
 * Thread: any. Borrows the future. Returns: as wyn_future_await, and
 * -ETIMEDOUT.
 * Blocks: until deadline_ns of CLOCK_MONOTONIC; 0 does not block.
 */
WYN_POOL_NODISCARD
int wyn_future_await_until(struct wyn_future *future, uint64_t deadline_ns,
	struct wyn_value *ret_value);

/*
 * wyn_future_ready - whether an await would return at once.
 *
 * Thread: any. Borrows the future. Blocks: never.
 */
bool wyn_future_ready(const struct wyn_future *future);

/*
 * wyn_future_cancel - asks that the task does not run.
 *
 * True: it has not started and never will; awaiting gives -ECANCELED. False:
 * it runs, and may see it by wyn_task_cancelled, or it has ended.
 *
 * Thread: any. Borrows the future. Blocks: never.
 */
bool wyn_future_cancel(struct wyn_future *future);

/*
 * wyn_future_drop - gives the handle back.
 *
 * Legal at any time once no await, ready or cancel of it is in progress, also
 * before the task ran: it runs all the same. NULL is a no-op.
 *
 * Thread: any. Takes the future. Blocks: never.
 */
void wyn_future_drop(struct wyn_future *future);

/*
 * wyn_task_cancelled - whether the task that runs here was asked to stop.
 *
 * Thread: worker, in a task made by wyn_pool_spawn or wyn_group_spawn;
 * elsewhere false. Blocks: never.
 */
bool wyn_task_cancelled(void);

/*
 * wyn_group_init - makes an empty group in the caller's memory.
 *
 * Thread: any. Owns: nothing; there is no fini. Blocks: never.
 */
void wyn_group_init(struct wyn_group *group, struct wyn_pool *pool);

/*
 * wyn_group_spawn - runs fn(arg, &value) as one of the group, value unused.
 *
 * Thread: any. Returns: as wyn_pool_spawn. Blocks: never.
 */
WYN_POOL_NODISCARD
int wyn_group_spawn(struct wyn_group *group, wyn_task_fn *fn, void *arg);

/*
 * wyn_group_wait_until - waits until every task of the group has ended.
 *
 * Never helps, as wyn_future_await_until.
 *
 * Thread: any. Returns: 0, or the first error of a task, -ECANCELED for one
 * that was cancelled; -ETIMEDOUT, -EDEADLK (also in a task of this group),
 * -ESHUTDOWN as awaiting.
 * Blocks: until then, at most until deadline_ns.
 */
WYN_POOL_NODISCARD
int wyn_group_wait_until(struct wyn_group *group, uint64_t deadline_ns);

/*
 * wyn_group_wait - the same without a deadline, helping as wyn_future_await.
 *
 * Thread: any. Returns: as wyn_group_wait_until. Blocks: until then.
 */
WYN_POOL_NODISCARD
int wyn_group_wait(struct wyn_group *group);

/*
 * wyn_group_cancel - what has not started never runs, what runs is asked.
 *
 * The group stays cancelled.
 *
 * Thread: any. Blocks: never.
 */
void wyn_group_cancel(struct wyn_group *group);

#ifdef __cplusplus
}
#endif
