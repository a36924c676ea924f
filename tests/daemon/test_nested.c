// SPDX-License-Identifier: MIT
/*
 * test_nested.c - functions that call others, in tasks on a real pool.
 */
#include "daemon/run/nested.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <wyn/pool.h>

#include "base/compiler.h"
#include "daemon/run/account.h"
#include "daemon/run/batch.h"
#include "daemon/modules/catalog.h"
#include "daemon/run/invoke.h"

#define HELD_MAX 100000u

/* A task that a pool runs, and the end of it. */
struct bench {
	struct wyn_catalog *catalog;
	struct wyn_module_version *version;
	struct wyn_module_version *other;
	struct wyn_pool *pool;
	struct wyn_task task;
	struct wyn_batch batch; /* with its region, last */
};

static _Atomic uint64_t values_held;
static struct wyn_account account = {
	.all_held = &values_held, .all_max = HELD_MAX, .holders = 1};
static _Atomic unsigned calls;
static _Atomic unsigned ended_cancelled;

static int number_of(const void *argument, size_t bytes)
{
	char text[16] = "";

	memcpy(text, argument, bytes < 15 ? bytes : 15);
	return atoi(text);
}

static int number_set(struct wyn_context *context, int number)
{
	char text[16];

	return wyn_value_set(context, text,
		(size_t)snprintf(text, sizeof(text), "%d", number));
}

static int spawn_number(struct wyn_context *context, const char *name,
	int number, struct wyn_spawned **ret_spawned)
{
	char text[16];

	return wyn_spawn(context, name, text,
		(size_t)snprintf(text, sizeof(text), "%d", number),
		ret_spawned);
}

static int await_number(struct wyn_context *context,
	struct wyn_spawned *spawned, int *ret_number)
{
	const void *value;
	size_t bytes;
	int code = wyn_await(context, spawned, &value, &bytes);

	if (code == WYN_STATUS_OK) {
		*ret_number = number_of(value, bytes);
	}
	return code;
}

static int fib(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	int n = number_of(argument, argument_bytes);
	struct wyn_spawned *spawned[2];
	int part[2] = {0, 0};
	int code = 0;

	calls++;
	if (n < 2) {
		return number_set(context, n);
	}
	for (int i = 0; code == 0 && i < 2; i++) {
		code = spawn_number(context, "fib", n - 1 - i, &spawned[i]);
	}
	for (int i = 0; code == 0 && i < 2; i++) {
		code = await_number(context, spawned[i], &part[i]);
	}
	return code == 0 ? number_set(context, part[0] + part[1]) : code;
}

/* Calls the function that its argument names. */
static int call(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	char name[16] = "";
	struct wyn_spawned *spawned;
	const void *value;
	size_t bytes;
	int code;

	memcpy(name, argument, argument_bytes);
	code = wyn_spawn(context, name, "x", 1, &spawned);
	if (code == WYN_STATUS_OK) {
		code = wyn_await(context, spawned, &value, &bytes);
	}
	return code == WYN_STATUS_OK ? wyn_value_set(context, value, bytes)
				     : code;
}

static int refuse(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	(void)argument;
	(void)argument_bytes;
	return wyn_fail(context, WYN_STATUS_ABORTED, "not today");
}

/* Until it is not wanted. */
static int linger(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	(void)argument;
	(void)argument_bytes;
	calls++;
	while (!wyn_cancelled(context)) {
		sched_yield();
	}
	ended_cancelled++;
	return WYN_STATUS_CANCELLED;
}

/* Begins many, sees one run, and does not wait for any. */
static int leave(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	struct wyn_spawned *spawned;
	int n = number_of(argument, argument_bytes);

	for (int i = 0; i < n; i++) {
		int code = wyn_spawn(context, "linger", "", 0, &spawned);

		if (code != WYN_STATUS_OK) {
			return code;
		}
	}
	while (calls == 0) {
		sched_yield();
	}
	return number_set(context, n);
}

static int too_many(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	struct wyn_spawned *spawned;
	int n = 0;

	(void)argument;
	(void)argument_bytes;
	while (wyn_spawn(context, "refuse", "", 0, &spawned) == WYN_STATUS_OK) {
		n++;
	}
	return number_set(context, n);
}

static int too_deep(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	struct wyn_spawned *spawned;
	int depth = number_of(argument, argument_bytes);
	int deepest = 0;

	if (spawn_number(context, "too-deep", depth + 1, &spawned) !=
		WYN_STATUS_OK) {
		return number_set(context, depth);
	}
	if (await_number(context, spawned, &deepest) != WYN_STATUS_OK) {
		return WYN_STATUS_INTERNAL;
	}
	return number_set(context, deepest);
}

static int large(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	(void)argument;
	(void)argument_bytes;
	return wyn_value_reserve(context, 20000) != NULL
		       ? WYN_STATUS_OK
		       : WYN_STATUS_RESOURCE_EXHAUSTED;
}

static int hoard(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	struct wyn_spawned *spawned[8];
	int n = 0;

	(void)argument;
	(void)argument_bytes;
	for (int i = 0; i < 8; i++) {
		if (wyn_spawn(context, "large", "", 0, &spawned[i]) != 0) {
			return WYN_STATUS_INTERNAL;
		}
	}
	/* Whatever is awaited next gives the value before back. */
	for (int i = 0; i < 8; i++) {
		const void *value;
		size_t bytes;

		n += wyn_await(context, spawned[i], &value, &bytes) ==
		     WYN_STATUS_OK;
	}
	return number_set(context, n);
}

static int echo(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	return wyn_value_set(context, argument, argument_bytes);
}

static const struct wyn_function functions[] = {
	{"fib", "", fib, 0},
	{"call", "", call, 0},
	{"refuse", "", refuse, 0},
	{"linger", "", linger, 0},
	{"leave", "", leave, 0},
	{"too-many", "", too_many, 0},
	{"too-deep", "", too_deep, 0},
	{"large", "", large, 0},
	{"hoard", "", hoard, 0},
	{"sleeper", "", echo, WYN_FUNCTION_BLOCKING},
};

static const struct wyn_function other_functions[] = {{"other", "", echo, 0}};

static const struct wyn_module module = {
	.abi = WYN_MODULE_ABI,
	.size_bytes = sizeof(struct wyn_module),
	.name = "nested",
	.version = "1",
	.functions = functions,
	.functions_count = WYN_COUNT_OF(functions),
};

static const struct wyn_module other_module = {
	.abi = WYN_MODULE_ABI,
	.size_bytes = sizeof(struct wyn_module),
	.name = "other",
	.version = "1",
	.functions = other_functions,
	.functions_count = 1,
};

static int catalog_begin(struct bench *bench)
{
	struct wyn_registry *registry;
	const char *culprit;

	if (wyn_catalog_create(&bench->catalog) < 0 ||
		wyn_registry_create(&registry) < 0 ||
		wyn_catalog_version_create(bench->catalog, &module,
			&bench->version, &culprit) < 0 ||
		wyn_catalog_version_create(bench->catalog, &other_module,
			&bench->other, &culprit) < 0 ||
		wyn_registry_add(registry, bench->version, &culprit) < 0 ||
		wyn_registry_add(registry, bench->other, &culprit) < 0) {
		return -1;
	}
	wyn_catalog_publish(bench->catalog, registry);
	return 0;
}

static int begin(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct wyn_pool_config config;

	wyn_pool_config_init(&config);
	config.workers = 3;
	if (bench == NULL || catalog_begin(bench) < 0 ||
		wyn_pool_create(&config, &bench->pool) < 0 ||
		wyn_pool_start(bench->pool) < 0) {
		return -1;
	}
	bench->catalog->pool = bench->pool;
	calls = 0;
	ended_cancelled = 0;
	*state = bench;
	return 0;
}

static int end(void **state)
{
	struct bench *bench = *state;

	wyn_outcome_clear(&bench->task.outcome);
	if (wyn_pool_drain(bench->pool, WYN_DEADLINE_NONE) < 0) {
		return -1;
	}
	wyn_pool_destroy(bench->pool);
	wyn_catalog_clear(bench->catalog);
	wyn_catalog_version_destroy(bench->version);
	wyn_catalog_version_destroy(bench->other);
	wyn_catalog_destroy(bench->catalog);
	free(bench);
	return values_held != 0 || account.held != 0;
}

static void body(void *arg)
{
	wyn_invoke(&((struct bench *)arg)->task.job);
}

static void start(struct bench *bench, const char *name, const char *argument)
{
	const struct wyn_function_entry *entry = wyn_registry_find(
		wyn_catalog_now(bench->catalog), wyn_slice_of(name));

	assert_non_null(entry);
	bench->task.function = entry;
	bench->task.batch = &bench->batch;
	bench->task.element.argument = wyn_slice_of(argument);
	bench->task.outcome = (struct wyn_outcome){
		.account = &account,
		.value_bytes_max = HELD_MAX,
		.small = bench->task.small_value,
	};
	assert_int_equal(wyn_pool_spawn_detached(bench->pool, body, bench), 0);
}

static void finish(struct bench *bench)
{
	assert_int_equal(
		wyn_pool_wait_until(bench->pool, WYN_DEADLINE_NONE), 0);
	assert_null(bench->task.outcome.nest);
}

static void check_value(const struct bench *bench, const char *text)
{
	const struct wyn_outcome *outcome = &bench->task.outcome;

	assert_int_equal(outcome->code, WYN_STATUS_OK);
	assert_int_equal(outcome->value_bytes, strlen(text));
	assert_memory_equal(outcome->value, text, strlen(text));
}

static void nested_calls_give_their_values_when_awaited(void **state)
{
	start(*state, "fib", "18");
	finish(*state);

	check_value(*state, "2584");
	assert_int_equal(calls, 8361);
}

static void nested_calls_find_functions_of_other_modules(void **state)
{
	struct bench *bench = *state;

	start(bench, "call", "other");
	finish(bench);

	check_value(bench, "x");
	/* The snapshot's alone. */
	assert_int_equal(bench->other->holders, 1);
}

static void nested_calls_run_beside_the_workers_when_they_block(void **state)
{
	start(*state, "call", "sleeper");
	finish(*state);

	check_value(*state, "x");
}

static void nested_call_is_not_found_when_nobody_has_that_name(void **state)
{
	struct bench *bench = *state;

	start(bench, "call", "nobody");
	finish(bench);

	assert_int_equal(bench->task.outcome.code, WYN_STATUS_NOT_FOUND);
}

static void nested_call_fails_its_caller_no_further_than_it_likes(void **state)
{
	struct bench *bench = *state;

	start(bench, "call", "refuse");
	finish(bench);

	assert_int_equal(bench->task.outcome.code, WYN_STATUS_ABORTED);
}

static void nested_calls_end_with_their_caller_when_not_awaited(void **state)
{
	struct bench *bench = *state;

	start(bench, "leave", "40");
	finish(bench);

	check_value(bench, "40");
	assert_in_range(calls, 1, 40);
	assert_int_equal(ended_cancelled, calls);
}

static void nested_calls_see_it_when_their_task_is_cancelled(void **state)
{
	struct bench *bench = *state;

	start(bench, "call", "linger");
	while (calls == 0) {
		sched_yield();
	}
	atomic_store_explicit(
		&bench->task.cancelled, true, memory_order_release);
	finish(bench);

	assert_int_equal(bench->task.outcome.code, WYN_STATUS_CANCELLED);
	assert_int_equal(ended_cancelled, 1);
}

static void nested_calls_are_refused_when_too_many_are_not_awaited(void **state)
{
	start(*state, "too-many", "");
	finish(*state);

	check_value(*state, "1024");
}

static void nested_calls_are_refused_when_they_are_too_deep(void **state)
{
	start(*state, "too-deep", "0");
	finish(*state);

	check_value(*state, "64");
}

static void nested_values_are_charged_while_they_are_held(void **state)
{
	struct bench *bench = *state;
	int n;

	start(bench, "hoard", "");
	finish(bench);

	assert_int_equal(bench->task.outcome.code, WYN_STATUS_OK);
	n = number_of(
		bench->task.outcome.value, bench->task.outcome.value_bytes);
	assert_in_range(n, 2, 8);
}

static void nested_calls_need_a_pool(void **state)
{
	struct bench *bench = *state;

	bench->catalog->pool = NULL;
	start(bench, "call", "other");
	finish(bench);

	assert_int_equal(bench->task.outcome.code, WYN_STATUS_UNIMPLEMENTED);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(nested_calls_give_their_values_when_awaited),
		CASE(nested_calls_find_functions_of_other_modules),
		CASE(nested_calls_run_beside_the_workers_when_they_block),
		CASE(nested_call_is_not_found_when_nobody_has_that_name),
		CASE(nested_call_fails_its_caller_no_further_than_it_likes),
		CASE(nested_calls_end_with_their_caller_when_not_awaited),
		CASE(nested_calls_see_it_when_their_task_is_cancelled),
		CASE(nested_calls_are_refused_when_too_many_are_not_awaited),
		CASE(nested_calls_are_refused_when_they_are_too_deep),
		CASE(nested_values_are_charged_while_they_are_held),
		CASE(nested_calls_need_a_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
