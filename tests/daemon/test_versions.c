// SPDX-License-Identifier: MIT
/*
 * test_versions.c - functions that are replaced while tasks of them are queued
 * and run.
 */
#include "daemon/modules/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/engine_state.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"

static int new_echo(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	(void)argument;
	(void)argument_bytes;
	return wyn_value_set(context, "new", 3);
}

static const struct wyn_function functions[] = {{"echo", "", new_echo, 0}};

static const struct wyn_module module = {
	.abi = WYN_MODULE_ABI,
	.size_bytes = sizeof(struct wyn_module),
	.name = "rig",
	.version = "2",
	.functions = functions,
	.functions_count = 1,
};

static struct wyn_module_version *version;

static int begin(void **state)
{
	const char *culprit;

	(void)state;
	rig = rig_create(NULL, 2);
	client = rig_open(rig);
	return wyn_catalog_version_create(
		rig->catalog, &module, &version, &culprit);
}

/* NULL: no functions at all. */
static void publish(struct wyn_module_version *published)
{
	struct wyn_registry *registry;
	const char *culprit;

	assert_int_equal(wyn_registry_create(&registry), 0);
	if (published != NULL) {
		assert_int_equal(
			wyn_registry_add(registry, published, &culprit), 0);
	}
	wyn_catalog_publish(rig->catalog, registry);
}

/* No test leaves it in a snapshot or a batch. */
static void version_end(void)
{
	publish(NULL);
	rig_settle(rig);
	(void)wyn_catalog_sweep(rig->catalog);
	assert_false(wyn_module_is_held(version));
	wyn_catalog_version_destroy(version);
}

static void check_value(uint64_t seq, const char *value)
{
	const struct rig_task *task = rig_task(client, seq);

	assert_non_null(task);
	assert_int_equal(task->code, WYN_STATUS_OK);
	assert_int_equal(task->value_bytes, strlen(value));
	assert_memory_equal(task->value, value, strlen(value));
}

static void tasks_end_on_the_version_that_they_began_with(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 1000, "echo", "old");
	rig_settle(rig);
	assert_true(rig->started_count > 0);
	assert_true(rig->started_count < 1000);

	publish(version);
	rig_batch_send(client, 2000, 10, "echo", "old");
	rig_finish_all(rig);

	assert_int_equal(client->rows_ok, 1010);
	check_value(1, "old");
	check_value(1000, "old");
	check_value(2000, "new");
	version_end();
}

static void old_version_is_held_until_its_last_task_is_back(void **state)
{
	(void)state;
	rig_batch_send(client, 1, 100, "echo", "old");
	rig_settle(rig);
	publish(version);
	rig_settle(rig);
	(void)wyn_catalog_sweep(rig->catalog);
	assert_true(wyn_module_is_held(rig->functions));

	rig_finish_all(rig);

	assert_false(wyn_module_is_held(rig->functions));
	version_end();
}

static void submit_has_the_new_version_before_its_loop_takes_a_turn(
	void **state)
{
	(void)state;
	publish(version);
	/* Read, and no turn in between. */
	rig_task_send(client, 1, "echo", "old");
	rig_finish_all(rig);

	check_value(1, "new");
	version_end();
}

static void task_is_refused_when_its_function_was_removed(void **state)
{
	(void)state;
	rig_task_send(client, 1, "noop", "");
	publish(version);
	rig_task_send(client, 2, "noop", "");
	rig_finish_all(rig);

	assert_int_equal(rig_task(client, 1)->code, WYN_STATUS_OK);
	assert_int_equal(rig_task(client, 2)->code, WYN_STATUS_NOT_FOUND);
	version_end();
}

static void loop_lets_go_of_a_snapshot_when_it_takes_a_turn(void **state)
{
	(void)state;
	rig_settle(rig);
	publish(version);
	assert_int_equal(wyn_catalog_sweep(rig->catalog), 1);

	rig_turn(rig);

	assert_int_equal(wyn_catalog_sweep(rig->catalog), 0);
	version_end();
}

static void cost_of_a_function_is_known_when_it_is_replaced(void **state)
{
	const uint64_t *estimates = rig->engine->dispatch.estimate_ns;
	uint32_t index;

	(void)state;
	rig_batch_send(client, 1, 100, "echo", "old");
	rig_finish_all(rig);
	index = wyn_registry_find(rig->registry, wyn_slice_of("echo"))->index;
	assert_int_not_equal(estimates[index], 0);

	assert_int_equal(version->functions[0].index, index);
	publish(version);
	version_end();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, teardown)
	const struct CMUnitTest tests[] = {
		TEST(tasks_end_on_the_version_that_they_began_with),
		TEST(old_version_is_held_until_its_last_task_is_back),
		TEST(submit_has_the_new_version_before_its_loop_takes_a_turn),
		TEST(task_is_refused_when_its_function_was_removed),
		TEST(loop_lets_go_of_a_snapshot_when_it_takes_a_turn),
		TEST(cost_of_a_function_is_known_when_it_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
