// SPDX-License-Identifier: MIT
/*
 * strip.c - see strip.h: the worker's side of a strip, and what the loop may
 * do to it meanwhile. The completion sink publishes the rest.
 */
#include "daemon/run/strip.h"

#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/compiler.h"
#include "daemon/run/call.h"
#include "daemon/clock.h"
#include "daemon/run/nested.h"

static struct wyn_strip *strip_of(const struct wyn_context *context)
{
	return WYN_CONTAINER_OF(context, struct wyn_strip, context);
}

static bool is_unwanted(const struct wyn_strip *strip, uint32_t index)
{
	/* [unwanted] pairs with the release in wyn_strip_unwant(). */
	return (atomic_load_explicit(&strip->unwanted, memory_order_acquire) >>
			       index &
		       1u) != 0;
}

static void *context_value_reserve(struct wyn_context *context, size_t bytes)
{
	return wyn_outcome_reserve(&strip_of(context)->now, bytes);
}

static int context_value_append(
	struct wyn_context *context, const void *data, size_t bytes)
{
	return wyn_call_append(&strip_of(context)->now, data, bytes);
}

static int context_fail(
	struct wyn_context *context, int status, const char *message)
{
	wyn_outcome_say(&strip_of(context)->now, message);
	return status;
}

static bool context_cancelled(const struct wyn_context *context)
{
	const struct wyn_strip *strip = strip_of(context);

	return is_unwanted(strip, strip->at);
}

/* No task of a strip wants partial values. */
static int context_emit(
	struct wyn_context *context, const void *data, size_t bytes)
{
	(void)data;
	(void)bytes;
	return context_cancelled(context) ? -ECANCELED : 0;
}

static int context_progress(
	struct wyn_context *context, uint64_t done, uint64_t total)
{
	(void)done;
	(void)total;
	return context_cancelled(context) ? -ECANCELED : 0;
}

/* Nor has any a time of its own. */
static uint64_t context_deadline_ns(const struct wyn_context *context)
{
	(void)context;
	return 0;
}

static void context_log(
	const struct wyn_context *context, int level, const char *text)
{
	wyn_call_log(strip_of(context)->function, level, text);
}

static void *context_state(struct wyn_context *context)
{
	struct wyn_strip *strip = strip_of(context);

	return wyn_call_state(strip->function, &strip->now);
}

static int context_spawn(struct wyn_context *context, const char *name,
	const void *argument, size_t argument_bytes,
	struct wyn_spawned **ret_spawned)
{
	struct wyn_strip *strip = strip_of(context);

	return wyn_nested_spawn(context, strip->function, &strip->now, name,
		(struct wyn_slice){argument, argument_bytes}, ret_spawned);
}

static int context_await(struct wyn_context *context,
	struct wyn_spawned *spawned, const void **ret_value, size_t *ret_bytes)
{
	return wyn_nested_await(
		&strip_of(context)->now, spawned, ret_value, ret_bytes);
}

static const struct wyn_context_ops context_ops = {
	.size_bytes = sizeof(struct wyn_context_ops),
	.value_reserve = context_value_reserve,
	.fail = context_fail,
	.emit = context_emit,
	.cancelled = context_cancelled,
	.value_append = context_value_append,
	.progress = context_progress,
	.deadline_ns = context_deadline_ns,
	.log = context_log,
	.state = context_state,
	.spawn = context_spawn,
	.await = context_await,
};

static void note(struct wyn_strip *strip, enum wyn_strip_end end)
{
	strip->ends[strip->at] = (uint8_t)end;
	strip->odds += end != WYN_STRIP_PLAIN;
}

static void keep_plain(struct wyn_strip *strip)
{
	struct wyn_outcome *now = &strip->now;

	strip->lengths[strip->at] = (uint8_t)now->value_bytes;
	strip->value_bytes += wyn_strip_value_room(now->value_bytes);
	now->small = strip->values + strip->value_bytes;
	now->value = NULL;
	now->value_bytes = 0;
	note(strip, WYN_STRIP_PLAIN);
}

/* A small value is in the strip's room, which the next task will use. */
static void keep_odd(struct wyn_strip *strip)
{
	struct wyn_outcome *now = &strip->now;
	struct wyn_outcome *odd = malloc(sizeof(*odd));

	wyn_assert(now->value == NULL || now->value != now->small);
	if (odd == NULL) {
		wyn_outcome_clear(now);
		note(strip, WYN_STRIP_LOST);
		return;
	}
	*odd = *now;
	odd->state = NULL;
	strip->odd[strip->at] = odd;
	now->code = WYN_STATUS_OK;
	now->refusal = WYN_REFUSAL_NONE;
	now->message = NULL;
	now->value = NULL;
	now->value_bytes = 0;
	note(strip, WYN_STRIP_ODD);
}

static void task_run(struct wyn_strip *strip, struct wyn_slice argument)
{
	int status;

	if (is_unwanted(strip, strip->at)) {
		note(strip, WYN_STRIP_DROPPED);
		return;
	}
	strip->runs++;
	status = strip->function->run(
		&strip->context, argument.data, argument.len);
	if (strip->now.nest != NULL) {
		wyn_nested_end(&strip->now);
	}
	if (status == WYN_STATUS_OK && wyn_outcome_is_plain(&strip->now)) {
		keep_plain(strip);
		return;
	}
	wyn_outcome_conclude(&strip->now, status,
		context_cancelled(&strip->context), strip->function->name);
	if (wyn_outcome_is_plain(&strip->now)) {
		keep_plain(strip);
	} else {
		keep_odd(strip);
	}
}

static void strip_run(struct wyn_strip *strip)
{
	struct wyn_args args = strip->args;
	struct wyn_slice argument;
	uint64_t started_ns = 0;

	strip->context.ops = &context_ops;
	strip->now.small = strip->values + strip->value_bytes;
	if (strip->measured) {
		started_ns = wyn_clock_ns(CLOCK_MONOTONIC);
	}
	for (;;) {
		/* [claim] pairs with the loop's acquires below; releases what
		 * was noted of those before. */
		strip->at = atomic_fetch_add_explicit(
			&strip->next, 1, memory_order_release);
		if (strip->at >= strip->count) {
			break;
		}
		(void)wyn_args_next(&args, &argument);
		task_run(strip, argument);
	}
	wyn_call_state_give(strip->function, &strip->now);
	if (strip->measured) {
		strip->run_ns = wyn_clock_ns(CLOCK_MONOTONIC) - started_ns +
				1; /* 0 is "not" */
	}
}

void wyn_strip_run(struct wyn_job *job)
{
	struct wyn_strip *strip = WYN_CONTAINER_OF(job, struct wyn_strip, job);

	for (; strip != NULL; strip = strip->after) {
		strip_run(strip);
	}
}

uint32_t wyn_strip_begun(const struct wyn_strip *strip)
{
	/* [claim] relaxed: nothing is done with what was begun. */
	uint32_t next =
		atomic_load_explicit(&strip->next, memory_order_relaxed);

	return next < strip->kept ? next : strip->kept;
}

uint32_t wyn_strip_ended(const struct wyn_strip *strip)
{
	/* [claim] pairs with the worker's release. Its last claim, of none,
	 * goes beyond the count. */
	uint32_t next =
		atomic_load_explicit(&strip->next, memory_order_acquire);

	if (next > strip->count) {
		return strip->kept;
	}
	next = next < strip->kept ? next : strip->kept;
	return next > 0 ? next - 1 : 0;
}

uint32_t wyn_strip_take_back(struct wyn_strip *strip)
{
	uint32_t next =
		atomic_load_explicit(&strip->next, memory_order_relaxed);

	/* [claim] pairs with the worker's fetch_add: each index is given once;
	 * and acquires as above. A claim of none stands: it says that all have
	 * ended. */
	while (next < strip->count &&
		!atomic_compare_exchange_weak_explicit(&strip->next, &next,
			strip->count, memory_order_acquire,
			memory_order_relaxed)) {
	}
	return next < strip->count ? next : strip->count;
}

void wyn_strip_unwant(struct wyn_strip *strip, uint32_t mask)
{
	/* [unwanted] pairs with is_unwanted(). */
	atomic_fetch_or_explicit(&strip->unwanted, mask, memory_order_release);
}

struct wyn_args wyn_strip_args_from(
	const struct wyn_strip *strip, uint32_t first)
{
	struct wyn_args args = strip->args;
	struct wyn_slice argument;

	for (uint32_t i = 0; i < first; i++) {
		(void)wyn_args_next(&args, &argument);
		args.bytes_total -= argument.len;
	}
	return args;
}
