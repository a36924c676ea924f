// SPDX-License-Identifier: MIT
/*
 * executor.h - what runs jobs: the interface between a loop and a pool.
 *
 * Dispatch alone decides how much an executor holds, so start refuses for want
 * of memory only. One executor per loop; it hands jobs back to the loop that
 * it was made for. The pool is the first (pool_executor.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wyn_executor;
struct wyn_job;
struct wyn_task;

/* A limit of each command's processes, as setrlimit(2) has it. */
struct wyn_rlimit {
	uint32_t resource; /* RLIMIT_ */
	uint64_t soft;
	uint64_t hard;
};

/* What the executor of commands goes by. All text is borrowed until there is
 * another one. */
struct wyn_command_config {
	const char *spawner; /* a program, or the socket of a service */
	uint64_t commands_max;
	uint64_t drain_ms;	     /* for output, after a command's end */
	const char *const *programs; /* absolute paths; see spawn.proto */
	size_t programs_count;	     /* 0 = every program */
	uint32_t umask;
	const struct wyn_rlimit *rlimits;
	size_t rlimits_count;
	bool private_tmp;
	const char *cgroup; /* see spawn.proto */
	const char *ledger; /* likewise; the loop's own */
};

struct wyn_executor_ops {
	/*
	 * Takes all jobs in one submit, or none. A job is a task's or a
	 * strip's. Thread: loop. Owns: the jobs, until they are back. Returns:
	 * 0; -ENOMEM.
	 */
	int (*start)(struct wyn_executor *executor, struct wyn_job *const *jobs,
		size_t n);
	/*
	 * The result is not wanted any more: the task may end early, and comes
	 * back like any other. Thread: loop.
	 */
	void (*cancel)(struct wyn_executor *executor, struct wyn_task *task);
	/*
	 * Jobs that came back, oldest first, linked by next. Thread: loop.
	 */
	struct wyn_job *(*done)(struct wyn_executor *executor);
	/* Whether done would give something: a hint. Thread: loop. */
	bool (*peek)(const struct wyn_executor *executor);
	/*
	 * Before the loop sleeps: true = the next job that comes back wakes
	 * it; false = something is there already. Thread: loop.
	 */
	bool (*arm)(struct wyn_executor *executor);
	/*
	 * Of the executor of commands alone. sent: some of the task's output
	 * went out, so it may have more; input: there is more of its input, or
	 * its end; signal: to all of its processes, what runs; configure:
	 * before the first start, and again. A task that is on its way back,
	 * whose process is NULL, is none of their business any more. Thread:
	 * loop; configure boot, too.
	 */
	void (*sent)(struct wyn_executor *executor, struct wyn_task *task);
	void (*input)(struct wyn_executor *executor, struct wyn_task *task);
	void (*signal)(struct wyn_executor *executor, struct wyn_task *task,
		unsigned number);
	void (*configure)(struct wyn_executor *executor,
		const struct wyn_command_config *config);
	/* How many tasks it runs at once. Thread: any. */
	unsigned (*width)(const struct wyn_executor *executor);
};

struct wyn_executor {
	const struct wyn_executor_ops *ops;
};
