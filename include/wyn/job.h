// SPDX-License-Identifier: MIT
/*
 * wyn/job.h - tasks that live in their owner's memory, and where they return.
 *
 * For an event loop that feeds the pool: a job is embedded in the owner's own
 * record, goes in by the batch without an allocation, and comes back to the
 * owner's sink. The sink never blocks a worker and calls the owner's wake
 * only while the owner is armed. Included by wyn/pool.h; C and C++.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* On what can fail, in all of libwyn's headers. */
#define WYN_POOL_NODISCARD __attribute__((warn_unused_result))

struct wyn_pool;
struct wyn_sink;

/* Workers spread their completions over this many lanes of a sink. */
#define WYN_SINK_LANES 8

/* Embedded anywhere in the owner's record. */
struct wyn_job {
	struct wyn_job *next; /* the pool's until drained, then the chain */
	void (*run)(struct wyn_job *job); /* Thread: worker */
	struct wyn_sink *sink;		  /* gets the job after run returned */
};

/* Plain words; only the functions below touch them, atomically. The padding
 * keeps two workers out of one cache line wherever the sink is placed. */
struct wyn_sink_lane {
	struct wyn_job *head;
	char pad[64 - sizeof(struct wyn_job *)];
};

struct wyn_sink {
	struct wyn_sink_lane lanes[WYN_SINK_LANES];
	void (*wake)(struct wyn_sink *sink);
	unsigned armed;
};

/*
 * wyn_sink_init - makes an empty, disarmed sink in the caller's memory.
 *
 * `wake` is called by a worker that pushed a job while the owner was armed,
 * at most once per arming. It must neither block nor submit. The sink has to
 * live until a drain of every pool that was given jobs for it returned 0, or
 * until those pools are destroyed.
 *
 * Thread: any. Owns: nothing. Blocks: never.
 */
void wyn_sink_init(struct wyn_sink *sink, void (*wake)(struct wyn_sink *sink));

/*
 * wyn_sink_drain - takes everything completed so far.
 *
 * Linked by `next`, ending in NULL; what one worker completed comes oldest
 * first. Gives each job back to the owner: the pool does not touch it again.
 *
 * Thread: loop (the owner only). Returns: NULL if there is nothing.
 * Blocks: never.
 */
struct wyn_job *wyn_sink_drain(struct wyn_sink *sink);

/*
 * wyn_sink_peek - whether a drain would find something: a look without order.
 *
 * Thread: loop (the owner only). Blocks: never.
 */
bool wyn_sink_peek(const struct wyn_sink *sink);

/*
 * wyn_sink_arm - asks for a wake, before the owner sleeps.
 *
 * True: armed, and the next push calls `wake`. False: something is there
 * already (and the sink is disarmed, or its wake is on its way): drain again.
 *
 * Thread: loop (the owner only). Blocks: never.
 */
bool wyn_sink_arm(struct wyn_sink *sink);

/*
 * wyn_sink_disarm - the owner is awake for another reason.
 *
 * Saves the workers a wake that nobody needs. One that has begun may still
 * come after the return.
 *
 * Thread: loop (the owner only). Blocks: never.
 */
void wyn_sink_disarm(struct wyn_sink *sink);

/*
 * wyn_pool_submit_batch - hands n jobs to the pool, all of them or none.
 *
 * Borrows the array for the call, takes the jobs until each has come back
 * through its sink. One publication and at most one wake per batch. A job
 * must not be submitted again before it was drained from its sink. n may be 0.
 *
 * Thread: any. Owns: the jobs, until drained from their sinks.
 * Returns: 0; -EAGAIN at in_flight_max; -ENOMEM; -ESHUTDOWN after drain
 * began (a task of the pool itself may still submit) or in a forked child.
 * Blocks: never.
 */
WYN_POOL_NODISCARD
int wyn_pool_submit_batch(
	struct wyn_pool *pool, struct wyn_job *const *jobs, size_t n);

#ifdef __cplusplus
}
#endif
