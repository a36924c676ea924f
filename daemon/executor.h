// SPDX-License-Identifier: MIT
/*
 * executor.h - what runs tasks: the interface between a loop and a pool.
 *
 * Dispatch alone decides how much an executor holds, so start refuses for want
 * of memory only. One executor per loop; it hands tasks back to the loop that
 * it was made for. The pool is the first (pool_executor.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct wyn_executor;
struct wyn_task;

struct wyn_executor_ops {
	/*
	 * Takes all tasks in one submit, or none. Thread: loop. Returns: 0;
	 * -ENOMEM.
	 */
	int (*start)(struct wyn_executor *executor,
		struct wyn_task *const *tasks, size_t n);
	/*
	 * The result is not wanted any more: the task may end early, and comes
	 * back like any other. Thread: loop.
	 */
	void (*cancel)(struct wyn_executor *executor, struct wyn_task *task);
	/*
	 * Tasks that came back, oldest first, linked by job.next. Thread: loop.
	 */
	struct wyn_task *(*done)(struct wyn_executor *executor);
	/*
	 * Before the loop sleeps: true = the next task that comes back wakes
	 * it; false = something is there already. Thread: loop.
	 */
	bool (*arm)(struct wyn_executor *executor);
	/* How many tasks it runs at once. Thread: any. */
	unsigned (*width)(const struct wyn_executor *executor);
};

struct wyn_executor {
	const struct wyn_executor_ops *ops;
};
