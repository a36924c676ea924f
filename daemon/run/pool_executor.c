// SPDX-License-Identifier: MIT
/*
 * pool_executor.c - the work-stealing pool as a loop's executor.
 *
 * A job is the pool's while it is in here: dispatch says what it runs, this
 * executor where it comes back.
 */
#include "daemon/run/pool_executor.h"

#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"
#include "daemon/run/stream.h"
#include "daemon/run/task.h"

struct pool_executor {
	struct wyn_executor executor;
	struct wyn_pool *pool;	     /* [I] */
	void (*wake)(void *context); /* [I] Thread: worker */
	void *wake_context;	     /* [I] */
	struct wyn_sink sink;	     /* pushed by workers, drained by [L] */
};

static struct pool_executor *of(struct wyn_executor *executor)
{
	return WYN_CONTAINER_OF(executor, struct pool_executor, executor);
}

static int pool_executor_start(
	struct wyn_executor *executor, struct wyn_job *const *jobs, size_t n)
{
	struct pool_executor *self = of(executor);
	int rc;

	for (size_t i = 0; i < n; i++) {
		wyn_assert(jobs[i]->run != NULL);
		jobs[i]->sink = &self->sink;
	}
	rc = wyn_pool_submit_batch(self->pool, jobs, n);
	/* The pool has no bound of its own here, and outlives the loops. */
	wyn_assert(rc == 0 || rc == -ENOMEM);
	return rc;
}

static void pool_executor_cancel(
	struct wyn_executor *executor, struct wyn_task *task)
{
	(void)executor;
	wyn_stream_cancel(task->stream, task);
}

static struct wyn_job *pool_executor_done(struct wyn_executor *executor)
{
	struct wyn_sink *sink = &of(executor)->sink;

	/* The loop is awake, whatever for: it needs no bell. */
	wyn_sink_disarm(sink);
	return wyn_sink_drain(sink);
}

static bool pool_executor_peek(const struct wyn_executor *executor)
{
	const struct pool_executor *self = WYN_CONTAINER_OF(
		executor, const struct pool_executor, executor);

	return wyn_sink_peek(&self->sink);
}

static bool pool_executor_arm(struct wyn_executor *executor)
{
	return wyn_sink_arm(&of(executor)->sink);
}

static unsigned pool_executor_width(const struct wyn_executor *executor)
{
	const struct pool_executor *self = WYN_CONTAINER_OF(
		executor, const struct pool_executor, executor);

	return wyn_pool_workers(self->pool);
}

static const struct wyn_executor_ops pool_executor_ops = {
	.start = pool_executor_start,
	.cancel = pool_executor_cancel,
	.done = pool_executor_done,
	.peek = pool_executor_peek,
	.arm = pool_executor_arm,
	.width = pool_executor_width,
};

static void sink_wake(struct wyn_sink *sink)
{
	struct pool_executor *self =
		WYN_CONTAINER_OF(sink, struct pool_executor, sink);

	self->wake(self->wake_context);
}

int wyn_pool_executor_create(struct wyn_pool *pool, void (*wake)(void *context),
	void *context, struct wyn_executor **ret_executor)
{
	struct pool_executor *self = calloc(1, sizeof(*self));

	if (self == NULL) {
		return -ENOMEM;
	}
	self->executor.ops = &pool_executor_ops;
	self->pool = pool;
	self->wake = wake;
	self->wake_context = context;
	wyn_sink_init(&self->sink, sink_wake);
	*ret_executor = &self->executor;
	return 0;
}

void wyn_pool_executor_destroy(struct wyn_executor *executor)
{
	struct pool_executor *self;

	if (executor == NULL) {
		return;
	}
	self = of(executor);
	wyn_assert(wyn_sink_drain(&self->sink) == NULL);
	free(self);
}
