// SPDX-License-Identifier: MIT
/*
 * invoke.c - the worker's side of a task: runs its function.
 *
 * The outcome is plain memory: the completion sink publishes it when the job
 * goes back to its loop. What the loop may look at or change while the task
 * runs is atomic.
 */
#include "daemon/invoke.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/compiler.h"
#include "base/text.h"
#include "daemon/account.h"
#include "daemon/clock.h"
#include "daemon/registry.h"
#include "daemon/stream.h"

static struct wyn_task *task_of(const struct wyn_context *context)
{
	return WYN_CONTAINER_OF(context, struct wyn_task, context);
}

/* How much of a message is whole characters, when it was perhaps cut. */
static size_t whole_bytes(const char *message, size_t bytes)
{
	size_t lead = bytes;
	size_t want = 1;
	unsigned char first;

	while (lead > 0 && bytes - lead < 3 &&
		((unsigned char)message[lead - 1] & 0xc0) == 0x80) {
		lead--;
	}
	if (lead == 0) {
		return bytes;
	}
	first = (unsigned char)message[--lead];
	want += first >= 0xc0;
	want += first >= 0xe0;
	want += first >= 0xf0;
	return want > bytes - lead ? lead : bytes;
}

/*
 * A message travels as a protobuf string, and clients refuse one that is not
 * UTF-8. A module may say anything.
 */
static void make_valid(char *message)
{
	if (wyn_text_valid(wyn_slice_of(message))) {
		return;
	}
	for (char *at = message; *at != '\0'; at++) {
		if ((unsigned char)*at >= 0x80) {
			*at = '?';
		}
	}
}

static void message_clear(struct wyn_task_outcome *outcome)
{
	free(outcome->message);
	outcome->message = NULL;
}

/* Without memory for it there is no message; the code says enough. */
static void message_set(struct wyn_task_outcome *outcome, const char *message)
{
	size_t bytes = strnlen(message, WYN_MODULE_MESSAGE_BYTES_MAX);

	if (bytes == WYN_MODULE_MESSAGE_BYTES_MAX) {
		/* Cut here, or by wyn_fail(). */
		bytes = whole_bytes(message, bytes);
	}
	message_clear(outcome);
	outcome->message = strndup(message, bytes);
	if (outcome->message != NULL) {
		make_valid(outcome->message);
	}
}

static void WYN_PRINTF(2, 3) message_format(
	struct wyn_task_outcome *outcome, const char *format, ...)
{
	char message[WYN_MODULE_MESSAGE_BYTES_MAX + 1];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	message_set(outcome, message);
}

static void value_drop(struct wyn_task *task)
{
	struct wyn_task_outcome *outcome = &task->outcome;

	if (outcome->value != NULL && outcome->value != outcome->small_value) {
		free(outcome->value);
		wyn_account_give_back(task->account, outcome->value_bytes);
	}
	outcome->value = NULL;
	outcome->value_bytes = 0;
}

/* Returns: NULL when its owner or all together hold too much already. */
static uint8_t *large_value(struct wyn_task *task, size_t bytes)
{
	uint8_t *value;

	if (!wyn_account_take(task->account, bytes)) {
		return NULL;
	}
	value = malloc(bytes);
	if (value == NULL) {
		wyn_account_give_back(task->account, bytes);
	}
	return value;
}

static void *refuse_value(struct wyn_task_outcome *outcome,
	enum wyn_refusal refusal, size_t bytes)
{
	outcome->code = WYN_STATUS_RESOURCE_EXHAUSTED;
	outcome->refusal = refusal;
	message_format(outcome, "no room for a value of %zu bytes", bytes);
	return NULL;
}

/* An earlier refusal does not stand when a smaller value fits. */
static void refusal_clear(struct wyn_task_outcome *outcome)
{
	if (outcome->code == WYN_STATUS_OK) {
		return;
	}
	outcome->code = WYN_STATUS_OK;
	outcome->refusal = WYN_REFUSAL_NONE;
	message_clear(outcome);
}

static void *context_value_reserve(struct wyn_context *context, size_t bytes)
{
	struct wyn_task *task = task_of(context);
	struct wyn_task_outcome *outcome = &task->outcome;
	uint8_t *value = outcome->small_value;

	value_drop(task);
	refusal_clear(outcome);
	if (bytes > task->value_bytes_max) {
		return refuse_value(
			outcome, WYN_REFUSAL_VALUE_TOO_LARGE, bytes);
	}
	if (bytes > WYN_INLINE_VALUE_BYTES) {
		value = large_value(task, bytes);
	}
	if (value == NULL) {
		return refuse_value(
			outcome, WYN_REFUSAL_DAEMON_BYTES_MAX, bytes);
	}
	outcome->value = value;
	outcome->value_bytes = bytes;
	return value;
}

static int context_fail(
	struct wyn_context *context, int status, const char *message)
{
	message_set(&task_of(context)->outcome, message);
	return status;
}

static int context_emit(
	struct wyn_context *context, const void *data, size_t bytes)
{
	struct wyn_task *task = task_of(context);

	if (task->partial_bytes_max == 0) {
		return wyn_task_is_cancelled(task) ? -ECANCELED : 0;
	}
	return wyn_stream_emit(
		task->stream, task, data, bytes, task->partial_unsent_max);
}

static bool context_cancelled(const struct wyn_context *context)
{
	return wyn_task_is_cancelled(task_of(context));
}

static const struct wyn_context_ops context_ops = {
	.size_bytes = sizeof(struct wyn_context_ops),
	.value_reserve = context_value_reserve,
	.fail = context_fail,
	.emit = context_emit,
	.cancelled = context_cancelled,
};

/* Reads the clock only for a task of which somebody wants to know. */
static uint64_t started_set(struct wyn_task *task)
{
	uint64_t now_ns = 1;

	if (task->timed || task->measured) {
		now_ns = wyn_clock_ns(CLOCK_MONOTONIC);
	}
	/* [start] the loop times the task from here; pairs with its acquire. */
	atomic_store_explicit(&task->started_ns, now_ns, memory_order_release);
	return now_ns;
}

/* The function returned `status`; says so in the outcome. */
static void conclude(struct wyn_task *task, int status)
{
	struct wyn_task_outcome *outcome = &task->outcome;
	bool refused = outcome->code == WYN_STATUS_RESOURCE_EXHAUSTED;

	if (status == WYN_STATUS_OK && !refused) {
		message_clear(outcome);
		return;
	}
	value_drop(task);
	/* Whoever got no room for a value and returned OK has not succeeded. */
	if (refused && (status == WYN_STATUS_OK ||
			       status == WYN_STATUS_RESOURCE_EXHAUSTED)) {
		return;
	}
	outcome->refusal = WYN_REFUSAL_FUNCTION_FAILED;
	if (status == WYN_STATUS_CANCELLED && wyn_task_is_cancelled(task)) {
		outcome->refusal = WYN_REFUSAL_CANCELLED_BY_CLIENT;
	}
	if (status > 0 && status < WYN_STATUS_COUNT) {
		outcome->code = (uint32_t)status;
		return;
	}
	outcome->code = WYN_STATUS_INTERNAL;
	message_format(outcome, "%s returned %d, which is no status",
		task->function->name, status);
}

void wyn_invoke(struct wyn_job *job)
{
	struct wyn_task *task = WYN_CONTAINER_OF(job, struct wyn_task, job);
	const struct wyn_slice *argument = &task->element.argument;
	uint64_t started_ns;

	wyn_assert(task->outcome.message == NULL);
	wyn_assert(task->outcome.value == NULL);
	task->outcome.code = WYN_STATUS_OK;
	task->outcome.refusal = WYN_REFUSAL_NONE;
	task->outcome.value_bytes = 0;
	if (wyn_task_is_cancelled(task)) {
		task->outcome.code = WYN_STATUS_CANCELLED;
		task->outcome.refusal = WYN_REFUSAL_CANCELLED_BY_CLIENT;
		return;
	}
	/* [recall] pairs with the store in recall.c; carries no data. */
	if (atomic_load_explicit(&task->recalled, memory_order_relaxed)) {
		task->outcome.recalled = true;
		return;
	}
	started_ns = started_set(task);
	/* [outcome] plain stores from here to the return: the pool's push of
	 * the job into its sink publishes them. */
	task->outcome.ran = true;
	task->context.ops = &context_ops;
	conclude(task, task->function->run(
			       &task->context, argument->data, argument->len));
	if (task->measured) {
		task->run_ns = wyn_clock_ns(CLOCK_MONOTONIC) - started_ns +
			       1; /* 0 is "not" */
	}
}

void wyn_task_outcome_clear(struct wyn_task *task)
{
	value_drop(task);
	message_clear(&task->outcome);
	task->outcome.code = WYN_STATUS_OK;
	task->outcome.refusal = WYN_REFUSAL_NONE;
}
