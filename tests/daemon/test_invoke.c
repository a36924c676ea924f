// SPDX-License-Identifier: MIT
/*
 * test_invoke.c - what becomes of a task, by what its function does.
 */
#include "daemon/run/invoke.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/run/account.h"
#include "daemon/modules/registry.h"
#include "daemon/run/stream.h"
#include "tests/support/bytes.h"

#define VALUE_MAX 4096u
#define HELD_MAX  8500u

/* What the functions below are told, since all that they get is their task. */
struct script {
	int returns;
	const char *message; /* NULL = none */
	size_t reserve[3];   /* one after the other; 0 ends */
	void *reserved[3];   /* what came of it */
	int emitted;
	bool saw_cancelled;
	uint64_t saw_started_ns;
	unsigned runs;
	struct wyn_slice argument;
};

static struct script script;
static _Atomic uint64_t values_held;
static struct wyn_account account = {
	.all_held = &values_held, .all_max = HELD_MAX, .holders = 1};
static struct wyn_task task;

static int play(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	script.runs++;
	script.argument = (struct wyn_slice){argument, argument_bytes};
	script.saw_started_ns =
		atomic_load_explicit(&task.started_ns, memory_order_relaxed);
	script.emitted = wyn_emit(context, "partial", 7);
	script.saw_cancelled = wyn_cancelled(context);
	for (size_t i = 0; i < 3 && script.reserve[i] > 0; i++) {
		script.reserved[i] =
			wyn_value_reserve(context, script.reserve[i]);
		if (script.reserved[i] != NULL) {
			memset(script.reserved[i], 'v', script.reserve[i]);
		}
	}
	if (script.message != NULL) {
		return wyn_fail(context, script.returns, "%s", script.message);
	}
	return script.returns;
}

static const struct wyn_function_entry entry = {.name = "play", .run = play};

/* Cancelled from inside, as the loop would while it runs. */
static int play_while_cancelled(struct wyn_context *context,
	const void *argument, size_t argument_bytes)
{
	atomic_store_explicit(&task.cancelled, true, memory_order_release);
	return play(context, argument, argument_bytes);
}

static const struct wyn_function_entry cancelled_entry = {
	.name = "play", .run = play_while_cancelled};

static int begin(void **state)
{
	(void)state;
	memset(&script, 0, sizeof(script));
	memset(&task, 0, sizeof(task));
	atomic_store_explicit(&values_held, 0, memory_order_relaxed);
	task.function = &entry;
	task.element.argument = BYTES_OF("argument");
	atomic_store_explicit(&account.held, 0, memory_order_relaxed);
	task.outcome.account = &account;
	task.outcome.small = task.small_value;
	task.outcome.value_bytes_max = VALUE_MAX;
	return 0;
}

static int end(void **state)
{
	(void)state;
	wyn_outcome_clear(&task.outcome);
	return atomic_load_explicit(&values_held, memory_order_relaxed) != 0;
}

static uint64_t held(void)
{
	return atomic_load_explicit(&values_held, memory_order_relaxed);
}

static void check_outcome(
	uint32_t code, const char *reason, const char *message)
{
	assert_int_equal(task.outcome.code, code);
	if (reason == NULL) {
		assert_int_equal(task.outcome.refusal, WYN_REFUSAL_NONE);
	} else {
		assert_string_equal(
			wyn_refusal_of(task.outcome.refusal)->word, reason);
	}
	if (message == NULL) {
		assert_null(task.outcome.message);
	} else {
		assert_non_null(task.outcome.message);
		assert_string_equal(task.outcome.message, message);
	}
}

static void check_no_value(void)
{
	assert_null(task.outcome.value);
	assert_int_equal(task.outcome.value_bytes, 0);
	assert_int_equal(held(), 0);
}

static void invoke_is_ok_without_a_value_when_none_was_set(void **state)
{
	(void)state;
	wyn_invoke(&task.job);

	check_outcome(WYN_STATUS_OK, NULL, NULL);
	check_no_value();
	assert_true(wyn_slice_equal(script.argument, BYTES_OF("argument")));
}

static void invoke_does_not_run_when_cancelled_before(void **state)
{
	(void)state;
	task.timed = true;
	atomic_store_explicit(&task.cancelled, true, memory_order_release);

	wyn_invoke(&task.job);

	check_outcome(WYN_STATUS_CANCELLED, "CANCELLED_BY_CLIENT", NULL);
	assert_int_equal(script.runs, 0);
	assert_false(task.ran);
	assert_int_equal(task.started_ns, 0);
}

static void invoke_stores_its_start_first_when_timed(void **state)
{
	(void)state;
	task.timed = true;

	wyn_invoke(&task.job);

	assert_true(script.saw_started_ns > 0);
}

static void invoke_reads_no_clock_when_nobody_wants_to_know(void **state)
{
	(void)state;
	wyn_invoke(&task.job);

	assert_int_equal(script.runs, 1);
	assert_true(task.ran);
	assert_int_equal(task.started_ns, 1);
	assert_int_equal(task.run_ns, 0);
}

static void invoke_does_not_run_what_was_recalled(void **state)
{
	(void)state;
	atomic_store_explicit(&task.recalled, true, memory_order_relaxed);
	wyn_invoke(&task.job);

	assert_int_equal(script.runs, 0);
	assert_true(task.handed_back);
	assert_false(task.ran);
	assert_int_equal(task.started_ns, 0);
}

static void invoke_tells_how_long_it_took_when_measured(void **state)
{
	(void)state;
	task.measured = true;

	wyn_invoke(&task.job);

	assert_true(task.run_ns > 0);
}

static void invoke_keeps_a_value_inline_when_it_is_small(void **state)
{
	(void)state;
	script.reserve[0] = WYN_INLINE_VALUE_BYTES;

	wyn_invoke(&task.job);

	assert_ptr_equal(task.outcome.value, task.small_value);
	assert_int_equal(task.outcome.value_bytes, WYN_INLINE_VALUE_BYTES);
	assert_int_equal(held(), 0);
}

static void invoke_counts_a_value_when_it_is_large(void **state)
{
	(void)state;
	script.reserve[0] = VALUE_MAX;

	wyn_invoke(&task.job);

	check_outcome(WYN_STATUS_OK, NULL, NULL);
	assert_int_equal(task.outcome.value_bytes, VALUE_MAX);
	assert_int_equal(task.outcome.value[VALUE_MAX - 1], 'v');
	assert_int_equal(held(), VALUE_MAX);
	wyn_outcome_clear(&task.outcome);
	check_no_value();
}

static void invoke_has_the_functions_words_when_it_fails(void **state)
{
	(void)state;
	script.returns = WYN_STATUS_NOT_FOUND;
	script.message = "no such thing";

	wyn_invoke(&task.job);

	check_outcome(WYN_STATUS_NOT_FOUND, "FUNCTION_FAILED", "no such thing");
}

static void invoke_is_internal_when_the_return_is_no_status(void **state)
{
	(void)state;
	script.returns = -ENOENT;
	script.message = "lost";
	wyn_invoke(&task.job);
	check_outcome(WYN_STATUS_INTERNAL, "FUNCTION_FAILED",
		"play returned -2, which is no status");
	wyn_outcome_clear(&task.outcome);

	script.returns = WYN_STATUS_COUNT;
	wyn_invoke(&task.job);
	check_outcome(WYN_STATUS_INTERNAL, "FUNCTION_FAILED",
		"play returned 17, which is no status");
}

static void invoke_drops_partials_when_none_are_wanted(void **state)
{
	(void)state;
	wyn_invoke(&task.job);

	assert_int_equal(script.emitted, 0);
	assert_int_equal(task.partial_unsent_bytes, 0);
}

static void invoke_refuses_partials_when_cancelled_meanwhile(void **state)
{
	(void)state;
	task.function = &cancelled_entry;

	wyn_invoke(&task.job);

	assert_int_equal(script.emitted, -ECANCELED);
	assert_true(script.saw_cancelled);
	check_outcome(WYN_STATUS_OK, NULL, NULL);
}

static void invoke_names_the_client_when_a_function_heeds_it(void **state)
{
	(void)state;
	task.function = &cancelled_entry;
	script.returns = WYN_STATUS_CANCELLED;

	wyn_invoke(&task.job);

	check_outcome(WYN_STATUS_CANCELLED, "CANCELLED_BY_CLIENT", NULL);
}

static void ignore_wake(struct wyn_stream *stream)
{
	(void)stream;
}

static void invoke_streams_partials_when_wanted(void **state)
{
	struct wyn_stream stream;
	struct wyn_partial *partial;

	(void)state;
	assert_int_equal(wyn_stream_init(&stream, ignore_wake), 0);
	task.stream = &stream;
	task.partial_bytes_max = 7;
	task.partial_unsent_max = 1;

	wyn_invoke(&task.job);

	assert_int_equal(script.emitted, 0);
	partial = wyn_stream_take(&stream);
	assert_non_null(partial);
	assert_ptr_equal(partial->task, &task);
	assert_memory_equal(partial->data, "partial", 7);
	assert_null(partial->next);
	wyn_stream_sent(&stream, partial);
	wyn_stream_fini(&stream);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CASE(invoke_is_ok_without_a_value_when_none_was_set),
		CASE(invoke_does_not_run_when_cancelled_before),
		CASE(invoke_stores_its_start_first_when_timed),
		CASE(invoke_reads_no_clock_when_nobody_wants_to_know),
		CASE(invoke_does_not_run_what_was_recalled),
		CASE(invoke_tells_how_long_it_took_when_measured),
		CASE(invoke_keeps_a_value_inline_when_it_is_small),
		CASE(invoke_counts_a_value_when_it_is_large),
		CASE(invoke_has_the_functions_words_when_it_fails),
		CASE(invoke_is_internal_when_the_return_is_no_status),
		CASE(invoke_drops_partials_when_none_are_wanted),
		CASE(invoke_refuses_partials_when_cancelled_meanwhile),
		CASE(invoke_names_the_client_when_a_function_heeds_it),
		CASE(invoke_streams_partials_when_wanted),
#undef CASE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
