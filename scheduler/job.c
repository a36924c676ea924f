// SPDX-License-Identifier: MIT
/*
 * job.c - jobs: submission by the batch, completion into a sink.
 *
 * The job is not touched after its push, and the sink only by the push.
 */
#include "scheduler/job.h"

#include <wyn/job.h>

#include "scheduler/sink.h"
#include "scheduler/spawn.h"
#include "scheduler/thread.h"

void wyn_job_run(void *arg)
{
	struct wyn_job *job = arg;
	struct wyn_sink *sink = job->sink;
	struct wyn_thread *thread = wyn_thread_self();

	job->run(job);
	wyn_thread_leave(thread);
	wyn_sink_push(sink, job, thread->index);
}

int wyn_pool_submit_batch(
	struct wyn_pool *pool, struct wyn_job *const *jobs, size_t n)
{
	struct wyn_injector_batch batch = {
		.fn = wyn_job_run,
		.args = jobs,
		.n = n,
	};

	return n == 0 ? 0 : wyn_pool_inject(pool, &batch);
}
