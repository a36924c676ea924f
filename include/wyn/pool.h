// SPDX-License-Identifier: MIT
/*
 * wyn/pool.h - the task pool: workers, detached tasks, jobs, drain.
 *
 * A pool runs short tasks on a fixed number of worker threads. Detached tasks
 * cost 16 bytes while they wait and no allocation of their own. Tasks with a
 * value are in wyn/future.h, tasks in their owner's memory in wyn/job.h. The
 * pool reads neither the clock nor the environment: a deadline is an
 * absolute time of CLOCK_MONOTONIC in nanoseconds. C and C++.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <wyn/counters.h>
#include <wyn/job.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WYN_POOL_WORKERS_MAX	 512   /* most workers of one pool */
#define WYN_POOL_SPARES_MAX	 1024  /* most spare threads of one pool */
#define WYN_POOL_SPARES_DEFAULT	 256   /* made when needed, not before */
#define WYN_POOL_STACK_MIN	 65536 /* least stack_bytes */
#define WYN_POOL_SPIN_DEFAULT	 40    /* looks at the queues before parking */
#define WYN_POOL_SPIN_MAX	 100000
#define WYN_POOL_HELP_DEFAULT	 128 /* tasks nested on a stack by helping */
#define WYN_POOL_HELP_MAX	 4096
#define WYN_POOL_RESERVE_DEFAULT (4 * 1024 * 1024)
#define WYN_DEADLINE_NONE	 UINT64_MAX

struct wyn_pool;

/* What is over its bound is refused, not cut. */
struct wyn_pool_config {
	/* At most WYN_POOL_WORKERS_MAX; 0 = the CPUs that the affinity of the
	 * caller and the cgroup quota allow, at least 1. */
	unsigned workers;
	/* Threads that stand in for blocked workers, beside these; at most
	 * WYN_POOL_SPARES_MAX, and 0 = no blocking section ever begins. */
	unsigned spare_max;
	/* Looks at the queues before parking, about 1 us each, and fewer after
	 * few tasks; at most WYN_POOL_SPIN_MAX, and 0 = one look. */
	unsigned spin_max;
	/* Tasks that awaits may nest on one stack; at most WYN_POOL_HELP_MAX,
	 * and 0 = an await never helps. */
	unsigned help_depth_max;
	/* Tasks accepted and not finished; 0 = no bound. */
	uint64_t in_flight_max;
	/* Memory that queues and futures keep while they need none, in steps
	 * of 128 KiB. */
	size_t reserve_bytes;
	/* Of each thread; 0 = the libc's default, else WYN_POOL_STACK_MIN or
	 * more. */
	size_t stack_bytes;
	/* Called in each thread, spares too, before its first task; or NULL. */
	void (*thread_start)(void *arg);
	void *thread_start_arg;
	/* Worker i runs on cpus[i % cpu_count] only, a number below CPU_SETSIZE
	 * of sched.h; spares run on all of them. cpu_count 0 = no pinning. */
	const int *cpus;
	size_t cpu_count;
	const char *root; /* prefix of /proc and /sys; NULL = "/" */
};

/*
 * wyn_pool_config_init - fills in the defaults.
 *
 * Thread: any. Owns: nothing. Blocks: never.
 */
void wyn_pool_config_init(struct wyn_pool_config *config);

/*
 * wyn_pool_create - makes a pool without threads.
 *
 * Borrows `config` (NULL = defaults) and `config->root` for the call,
 * `config->cpus` until wyn_pool_start returned. Tasks may be spawned before
 * the start; they wait.
 *
 * Thread: boot. Gives: the pool, ended by wyn_pool_destroy.
 * Returns: 0; -EINVAL if a field is out of its range; -ENOMEM.
 * Blocks: reads a few files when workers is 0.
 */
WYN_POOL_NODISCARD
int wyn_pool_create(
	const struct wyn_pool_config *config, struct wyn_pool **ret_pool);

/*
 * wyn_pool_start - creates the worker threads.
 *
 * Fewer threads than asked for make a smaller pool (wyn_pool_workers tells).
 * The threads block every signal and are named wyn-worker-N.
 *
 * Thread: boot. Returns: 0; -EALREADY; -ESHUTDOWN in a forked child; what
 * pthread_create said, negated, when not even one thread could be had.
 * Blocks: never.
 */
WYN_POOL_NODISCARD
int wyn_pool_start(struct wyn_pool *pool);

/*
 * wyn_pool_drain - accepts nothing more and waits until all is finished.
 *
 * From its first moment spawns from outside get -ESHUTDOWN; tasks of the pool
 * may still spawn, and what they spawn runs too. All that the tasks did
 * happens before the return of 0. After -ETIMEDOUT it may be called again;
 * wyn_pool_counters then says what was abandoned: `queued` tasks that did
 * not start and `unfinished - queued` that did not return.
 *
 * Thread: any but the pool's. Returns: 0; -ETIMEDOUT (at once if there is
 * work and the pool was never started); -EDEADLK from one of the pool's own
 * threads; -ESHUTDOWN in a forked child.
 * Blocks: until then, at most until deadline_ns (WYN_DEADLINE_NONE: none).
 */
WYN_POOL_NODISCARD
int wyn_pool_drain(struct wyn_pool *pool, uint64_t deadline_ns);

/*
 * wyn_pool_wait_until - waits until nothing is queued and nothing runs; the
 * pool goes on. All that the tasks did happens before the return of 0.
 *
 * Thread: any but the pool's. Returns, Blocks: as wyn_pool_drain.
 */
WYN_POOL_NODISCARD
int wyn_pool_wait_until(struct wyn_pool *pool, uint64_t deadline_ns);

/*
 * wyn_pool_destroy - ends the threads and frees everything.
 *
 * Without a drain before, queued tasks never run: a task that still awaits one
 * gets -ECANCELED, and jobs are the owner's again. No other call may be in
 * progress, and every handle of this pool becomes invalid. NULL is a no-op.
 *
 * Thread: any but the pool's, where it aborts. Takes the pool. Blocks: until
 * running bodies have returned.
 */
void wyn_pool_destroy(struct wyn_pool *pool);

/*
 * wyn_pool_workers - the number of workers that really run.
 *
 * Thread: any. Returns: 0 before the start. Blocks: never.
 */
unsigned wyn_pool_workers(const struct wyn_pool *pool);

/*
 * wyn_pool_spawn_detached - runs fn(arg) some time on a worker.
 *
 * From a task of the pool it goes to the own end of the worker's deque, else
 * into the injector. `arg` is passed on untouched; an error leaves no trace.
 *
 * Thread: any. Returns: 0; -EAGAIN at in_flight_max; -ENOMEM; -ESHUTDOWN
 * after drain began or in a forked child. Blocks: never.
 */
WYN_POOL_NODISCARD
int wyn_pool_spawn_detached(
	struct wyn_pool *pool, void (*fn)(void *arg), void *arg);

/*
 * wyn_pool_spawn_detached_batch - fn(args[0]) .. fn(args[n - 1]), all or none.
 *
 * Borrows `args` for the call. One publication, at most one wake. n may be 0.
 *
 * Thread: any. Returns: as wyn_pool_spawn_detached, so always -EAGAIN for more
 * than in_flight_max. Blocks: never.
 */
WYN_POOL_NODISCARD
int wyn_pool_spawn_detached_batch(struct wyn_pool *pool, void (*fn)(void *arg),
	void *const *args, size_t n);

/*
 * wyn_block_begin - the running task is about to wait for something else.
 *
 * Lends the worker's seat to a spare thread, so that the pool keeps running
 * as many tasks as it has workers. Ends with wyn_block_end; pairs nest. Keep
 * what runs after the end short: it runs beside the stand-in. Outside a task
 * it does nothing.
 *
 * Thread: any. Returns: 0; -EDEADLK if spare_max stand-ins are out, -EAGAIN
 * if a thread could not be created; on both the section did not begin.
 * Blocks: never.
 */
WYN_POOL_NODISCARD
int wyn_block_begin(void);

/*
 * wyn_block_end - the wait is over.
 *
 * Aborts in a task that has begun none; so does returning from one inside.
 *
 * Thread: the one that began. Blocks: never.
 */
void wyn_block_end(void);

#ifdef __cplusplus
}
#endif
