// SPDX-License-Identifier: MIT
/*
 * engine_rig.c - see engine_rig.h. The caller's thread only.
 */
#include "tests/support/engine_rig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/compiler.h"
#include "daemon/engine/conn.h"
#include "daemon/engine/engine_state.h"
#include "daemon/run/invoke.h"
#include "daemon/run/strip.h"
#include "tests/support/rig_client.h"
#include "tests/support/rig_commands.h"
#include "tests/support/rig_functions.h"

/* More turns than this without an end are a loop that never sleeps. */
#define RIG_TURNS_MAX 100000u

void rig_failed(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

static struct rig *rig_of(const struct wyn_executor *executor)
{
	return WYN_CONTAINER_OF(executor, struct rig, executor);
}

static int executor_start(
	struct wyn_executor *executor, struct wyn_job *const *jobs, size_t n)
{
	struct rig *rig = rig_of(executor);
	size_t want = rig->started_count + n;

	if (rig->no_memory) {
		return -ENOMEM;
	}
	rig_check(n > 0);
	rig_check(want <= rig->shared.limits.executor_tasks_max);
	if (want > rig->started_room) {
		rig->started_room = 2 * want;
		rig->started = reallocarray(rig->started, rig->started_room,
			sizeof(struct wyn_job *));
		rig_check(rig->started != NULL);
	}
	for (size_t i = 0; i < n; i++) {
		rig->started[rig->started_count++] = jobs[i];
	}
	rig->started_total += n;
	if (rig->started_count > rig->started_peak) {
		rig->started_peak = rig->started_count;
	}
	return 0;
}

static bool is_strip(const struct wyn_job *job)
{
	return job->run == wyn_strip_run;
}

struct wyn_task *rig_task_at(const struct rig *rig, size_t at)
{
	rig_check(at < rig->started_count);
	rig_check(!is_strip(rig->started[at]));
	return WYN_CONTAINER_OF(rig->started[at], struct wyn_task, job);
}

struct wyn_strip *rig_strip_at(const struct rig *rig, size_t at)
{
	rig_check(at < rig->started_count);
	rig_check(is_strip(rig->started[at]));
	return WYN_CONTAINER_OF(rig->started[at], struct wyn_strip, job);
}

static void executor_cancel(
	struct wyn_executor *executor, struct wyn_task *task)
{
	(void)executor;
	wyn_stream_cancel(task->stream, task);
}

static struct wyn_job *executor_done(struct wyn_executor *executor)
{
	struct rig *rig = rig_of(executor);
	struct wyn_job *first = rig->done;

	rig->done = NULL;
	rig->done_tail = &rig->done;
	return first;
}

static bool executor_peek(const struct wyn_executor *executor)
{
	return rig_of(executor)->done != NULL;
}

static bool executor_arm(struct wyn_executor *executor)
{
	return rig_of(executor)->done == NULL;
}

static unsigned executor_width(const struct wyn_executor *executor)
{
	return rig_of(executor)->width;
}

static const struct wyn_executor_ops executor_ops = {
	.start = executor_start,
	.cancel = executor_cancel,
	.done = executor_done,
	.peek = executor_peek,
	.arm = executor_arm,
	.width = executor_width,
};

/* A turn looks for partial values by itself. */
static void stream_wake(struct wyn_stream *stream)
{
	struct rig *rig = wyn_engine_of_stream(stream);

	/* A test may have made an engine beside the rig's. */
	if (rig != NULL && rig->bell != NULL) {
		(void)sem_post(rig->bell);
	} else if (rig != NULL) {
		rig->wakes++;
	}
}

static void drain_asked(struct wyn_shared *shared)
{
	WYN_CONTAINER_OF(shared, struct rig, shared)->drain_calls++;
}

static void functions_create(struct rig *rig)
{
	struct wyn_registry *registry;
	const char *culprit;

	rig_check(wyn_catalog_create(&rig->catalog) == 0);
	rig_check(wyn_registry_create(&registry) == 0);
	rig_check(wyn_catalog_version_create(rig->catalog, &rig_module,
			  &rig->functions, &culprit) == 0);
	rig_check(wyn_registry_add(registry, rig->functions, &culprit) == 0);
	wyn_catalog_publish(rig->catalog, registry);
	rig->registry = registry;
}

static struct rig *rig_alloc(unsigned width)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig_check(rig != NULL);
	rig->width = width;
	/* Anything but 0, so that a time of 0 is never mistaken for one. */
	rig->now_ns = 1000 * RIG_SECOND_NS;
	rig->done_tail = &rig->done;
	rig->executor.ops = &executor_ops;
	wyn_list_init(&rig->clients);
	return rig;
}

static void engine_create(struct rig *rig, struct wyn_shared *shared)
{
	rig_check(wyn_engine_create(shared, &rig->executor, stream_wake,
			  &rig->engine) == 0);
	wyn_engine_context_set(rig->engine, rig);
}

struct rig *rig_create(const struct wyn_limits *limits, unsigned width)
{
	static const struct wyn_limits defaults = WYN_LIMITS_INIT;
	struct rig *rig = rig_alloc(width);

	functions_create(rig);
	rig->shared.limits = limits != NULL ? *limits : defaults;
	rig->shared.catalog = rig->catalog;
	rig->shared.engines = rig->engines;
	rig->shared.engines_count = 1;
	rig->shared.id_base = 1000000;
	rig->shared.started_ns = rig->now_ns;
	rig->shared.drain = drain_asked;
	engine_create(rig, &rig->shared);
	rig->engines[0] = rig->engine;
	return rig;
}

struct rig *rig_create_beside(struct rig *first)
{
	struct rig *rig = rig_alloc(first->width);

	rig_check(first->shared.engines_count == 1);
	rig->first = first;
	rig->shared.limits = first->shared.limits;
	engine_create(rig, &first->shared);
	first->engines[1] = rig->engine;
	first->shared.engines_count = 2;
	return rig;
}

static uint64_t held(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* All that was kept has ended, nobody waits for it, and its time ends. */
static void kept_check(struct rig *rig)
{
	struct wyn_engine *engine = rig->engine;
	const struct wyn_list *link;

	wyn_list_for_each (link, &engine->keep.users) {
		const struct wyn_kept_user *user =
			WYN_CONTAINER_OF(link, struct wyn_kept_user, link);

		rig_check(user->entries == user->ended_count);
		rig_check(user->entries <= engine->limits.keep_tasks);
		rig_check(user->bytes <= engine->limits.keep_bytes);
	}
	rig_check(engine->keepers_count == 0);
	rig_check(wyn_list_empty(&engine->inquiries));
	if (engine->keep.users_count > 0) {
		rig_advance(rig, engine->limits.keep_ms);
	}
	rig_check(engine->keep.users_count == 0);
}

void rig_destroy(struct rig *rig)
{
	struct wyn_list *link;

	wyn_list_for_each (link, &rig->clients) {
		rig_client_break(wyn_list_entry(link, struct rig_client, link));
	}
	rig_settle(rig);
	rig_finish_all(rig);
	kept_check(rig);
	rig_check(rig->engine->conns_count == 0);
	rig_check(wyn_engine_in_executor(rig->engine) == 0);
	rig_check(rig->engine->unfinished == 0);
	rig_check(rig->engine->dispatch.cost_ns == 0);
	rig_check(wyn_engine_next_ns(rig->engine) == UINT64_MAX);
	rig_check(held(&rig->shared.tasks_held) == 0);
	rig_check(held(&rig->shared.bytes_held) == 0);
	rig_check(held(&rig->shared.values_held) == 0);
	rig_check(held(&rig->shared.connections) == 0);
	rig_check(held(&rig->shared.commands) == 0);
	for (size_t i = 0; i < WYN_INQUIRIES_MAX; i++) {
		rig_check(held(&rig->shared.inquiries[i]) == 0);
	}
	rig_check(rig->engine->commands_running == 0);
	rig_turn(rig);
	rig_check(held(&rig->shared.buffered) == 0);
	while ((link = wyn_list_pop_front(&rig->clients)) != NULL) {
		rig_client_free(wyn_list_entry(link, struct rig_client, link));
	}
	wyn_engine_destroy(rig->engine);
	rig_commands_free(rig->commands);
	if (rig->first != NULL) {
		rig->first->shared.engines_count = 1;
	} else {
		wyn_catalog_clear(rig->catalog);
		wyn_catalog_version_destroy(rig->functions);
		wyn_catalog_destroy(rig->catalog);
	}
	free(rig->started);
	free(rig);
}

static void flush(struct rig *rig)
{
	struct wyn_conn *conn;

	while ((conn = wyn_engine_dirty(rig->engine)) != NULL) {
		rig_client_flush(wyn_conn_transport(conn));
	}
}

void rig_turn(struct rig *rig)
{
	rig->fed = false;
	wyn_engine_turn(rig->engine, rig->now_ns);
	flush(rig);
}

void rig_settle(struct rig *rig)
{
	unsigned turns = 0;

	do {
		rig_turn(rig);
		rig_check(++turns < RIG_TURNS_MAX);
	} while (rig->fed || !wyn_engine_arm(rig->engine) ||
		 wyn_engine_next_ns(rig->engine) <= rig->now_ns);
}

void rig_finish_all(struct rig *rig)
{
	unsigned rounds = 0;

	rig_settle(rig);
	while (rig->started_count > 0 ||
		(rig->commands != NULL && rig->commands->count > 0)) {
		rig_run(rig, rig->started_count);
		(void)rig_commands_finish(rig->commands);
		rig_settle(rig);
		rig_check(++rounds < RIG_TURNS_MAX);
	}
}

void rig_advance(struct rig *rig, uint64_t ms)
{
	rig->now_ns += ms * WYN_NS_PER_MS;
	rig_settle(rig);
}

bool rig_is_strip_at(const struct rig *rig, size_t at)
{
	rig_check(at < rig->started_count);
	return is_strip(rig->started[at]);
}

static uint32_t next_of(struct wyn_strip *strip)
{
	return atomic_load_explicit(&strip->next, memory_order_relaxed);
}

/* Goes on with one strip where its worker is, as if it had `count` tasks. */
static void strip_go_on(struct wyn_strip *strip, uint32_t count)
{
	const struct wyn_args args = strip->args;
	const uint32_t count_all = strip->count;
	struct wyn_strip *after = strip->after;
	struct wyn_slice argument;

	for (uint32_t i = 0; i < next_of(strip) && i < count; i++) {
		(void)wyn_args_next(&strip->args, &argument);
	}
	strip->count = count;
	strip->after = NULL;
	wyn_strip_run(&strip->job);
	strip->args = args;
	strip->count = count_all;
	strip->after = after;
}

/* The worker claims one more task of the job. It has run as well, but the loop
 * cannot know before the next one is claimed. */
static void strip_begin(struct wyn_strip *strip)
{
	for (; strip != NULL; strip = strip->after) {
		uint32_t next = next_of(strip);

		if (next < strip->count) {
			strip_go_on(strip, next + 1);
			atomic_store_explicit(
				&strip->next, next + 1, memory_order_release);
			return;
		}
		/* It finds that none is left, and goes on with the next. */
		atomic_store_explicit(
			&strip->next, strip->count + 1, memory_order_release);
	}
}

void rig_begin_at(struct rig *rig, size_t at)
{
	if (rig_is_strip_at(rig, at)) {
		strip_begin(rig_strip_at(rig, at));
		return;
	}
	atomic_store_explicit(&rig_task_at(rig, at)->started_ns, rig->now_ns,
		memory_order_release);
}

/* The worker's side reads the real clock. */
static void strip_run(struct wyn_strip *strip)
{
	if (next_of(strip) == 0) {
		wyn_strip_run(&strip->job);
	} else {
		for (struct wyn_strip *i = strip; i != NULL; i = i->after) {
			strip_go_on(i, i->count);
		}
	}
	for (; strip != NULL; strip = strip->after) {
		if (strip->run_ns != 0) {
			strip->run_ns = strip->runs *
					rig_cost_ns(strip->function->name);
		}
	}
}

static void task_run(const struct rig *rig, struct wyn_task *task)
{
	uint64_t begun_ns =
		atomic_load_explicit(&task->started_ns, memory_order_relaxed);

	wyn_invoke(&task->job);
	/* As above. */
	atomic_store_explicit(&task->started_ns,
		begun_ns != 0 ? begun_ns : rig->now_ns, memory_order_relaxed);
	if (task->run_ns != 0) {
		task->run_ns = rig_cost_ns(task->function->name);
	}
}

static void job_run(struct rig *rig, struct wyn_job *job)
{
	job->next = NULL;
	if (is_strip(job)) {
		strip_run(WYN_CONTAINER_OF(job, struct wyn_strip, job));
	} else {
		task_run(rig, WYN_CONTAINER_OF(job, struct wyn_task, job));
	}
	*rig->done_tail = job;
	rig->done_tail = &job->next;
}

/* Closes the gap that n of them leave. */
static void started_remove(struct rig *rig, size_t at, size_t n)
{
	rig->started_count -= n;
	memmove(&rig->started[at], &rig->started[at + n],
		(rig->started_count - at) * sizeof(struct wyn_job *));
}

void rig_run_at(struct rig *rig, size_t at)
{
	rig_check(at < rig->started_count);
	job_run(rig, rig->started[at]);
	started_remove(rig, at, 1);
}

void rig_run(struct rig *rig, size_t n)
{
	if (n > rig->started_count) {
		n = rig->started_count;
	}
	for (size_t i = 0; i < n; i++) {
		job_run(rig, rig->started[i]);
	}
	if (n > 0) {
		started_remove(rig, 0, n);
	}
}

int rig_emit_at(struct rig *rig, size_t at, const char *text)
{
	struct wyn_task *task = rig_task_at(rig, at);

	/* What has not begun may be asked back, as if it had done nothing. */
	rig_begin_at(rig, at);
	if (rig_emit_waits(task, strlen(text))) {
		return -EAGAIN;
	}
	return wyn_stream_emit(task->stream, task, text, strlen(text),
		task->partial_unsent_max);
}

size_t rig_started_at(const struct rig *rig, uint64_t seq)
{
	size_t at = 0;

	while (at < rig->started_count &&
		(is_strip(rig->started[at]) ||
			rig_task_at(rig, at)->seq != seq)) {
		at++;
	}
	return at;
}

void rig_drain(struct rig *rig)
{
	wyn_engine_drain(rig->engine, rig->now_ns);
	rig_settle(rig);
}

void rig_cancel_all(struct rig *rig)
{
	wyn_engine_cancel_all(rig->engine, rig->now_ns);
	rig_settle(rig);
}
