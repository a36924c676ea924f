// SPDX-License-Identifier: MIT
/*
 * test_catalog.c - snapshots that come and go, and the numbers of names.
 */
#include "daemon/modules/catalog.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/limits.h"
#include "tests/support/bytes.h"

static int run(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	(void)context;
	(void)argument;
	(void)argument_bytes;
	return 0;
}

static const struct wyn_function fruit_functions[] = {
	{"apple", "", run, 0}, {"pear", "", run, 0}};
static const struct wyn_function nut_functions[] = {
	{"almond", "", run, 0}, {"pear", "", run, 0}};
static const struct wyn_module fruit = {
	.abi = WYN_MODULE_ABI,
	.size_bytes = sizeof(struct wyn_module),
	.name = "fruit",
	.version = "1",
	.functions = fruit_functions,
	.functions_count = 2,
};
static const struct wyn_module nuts = {
	.abi = WYN_MODULE_ABI,
	.size_bytes = sizeof(struct wyn_module),
	.name = "nuts",
	.version = "1",
	.functions = nut_functions,
	.functions_count = 2,
};

static int begin(void **state)
{
	return wyn_catalog_create((struct wyn_catalog **)state);
}

static int end(void **state)
{
	wyn_catalog_destroy(*state);
	return 0;
}

static struct wyn_module_version *version_of(
	struct wyn_catalog *catalog, const struct wyn_module *module)
{
	struct wyn_module_version *version;
	const char *culprit;

	assert_int_equal(
		wyn_catalog_version_create(catalog, module, &version, &culprit),
		0);
	return version;
}

/* NULL: a snapshot without functions. */
static void publish(
	struct wyn_catalog *catalog, struct wyn_module_version *version)
{
	struct wyn_registry *registry;
	const char *culprit;

	assert_int_equal(wyn_registry_create(&registry), 0);
	if (version != NULL) {
		assert_int_equal(
			wyn_registry_add(registry, version, &culprit), 0);
	}
	wyn_catalog_publish(catalog, registry);
}

static void catalog_frees_a_snapshot_when_all_have_moved_on(void **state)
{
	struct wyn_catalog *catalog = *state;
	struct wyn_module_version *version = version_of(catalog, &fruit);
	struct wyn_catalog_reader quick;
	struct wyn_catalog_reader slow;

	publish(catalog, version);
	wyn_catalog_join(catalog, &quick);
	wyn_catalog_join(catalog, &slow);
	publish(catalog, NULL);
	assert_int_equal(wyn_registry_count(wyn_catalog_read(&quick)), 0);

	/* The one from the beginning is nobody's. */
	assert_int_equal(wyn_catalog_sweep(catalog), 1);
	assert_true(wyn_module_is_held(version));
	assert_int_equal(wyn_registry_count(slow.registry), 2);
	(void)wyn_catalog_read(&slow);
	assert_int_equal(wyn_catalog_sweep(catalog), 0);

	assert_false(wyn_module_is_held(version));
	wyn_catalog_leave(&quick);
	wyn_catalog_leave(&slow);
	wyn_catalog_version_destroy(version);
}

static void catalog_waits_for_nobody_when_a_reader_has_left(void **state)
{
	struct wyn_catalog *catalog = *state;
	struct wyn_catalog_reader reader;

	wyn_catalog_join(catalog, &reader);
	publish(catalog, NULL);
	assert_int_equal(wyn_catalog_sweep(catalog), 1);

	wyn_catalog_leave(&reader);

	assert_int_equal(wyn_catalog_sweep(catalog), 0);
}

static void count_call(void *context)
{
	++*(unsigned *)context;
}

static void catalog_tells_who_watches_when_it_publishes(void **state)
{
	unsigned calls = 0;

	wyn_catalog_watch(*state, count_call, &calls);
	publish(*state, NULL);

	assert_int_equal(calls, 1);
}

static void catalog_holds_a_version_when_its_function_is_wanted(void **state)
{
	struct wyn_catalog *catalog = *state;
	struct wyn_module_version *version = version_of(catalog, &fruit);
	const struct wyn_function_entry *entry;

	publish(catalog, version);
	entry = wyn_catalog_hold(catalog, BYTES_OF("pear"));
	assert_ptr_equal(entry->version, version);
	assert_null(wyn_catalog_hold(catalog, BYTES_OF("plum")));
	wyn_catalog_clear(catalog);

	assert_true(wyn_module_is_held(version));
	wyn_module_release(version);
	assert_false(wyn_module_is_held(version));
	wyn_catalog_version_destroy(version);
}

static void catalog_numbers_names_alike_in_all_versions(void **state)
{
	struct wyn_catalog *catalog = *state;
	struct wyn_module_version *first = version_of(catalog, &fruit);
	struct wyn_module_version *second = version_of(catalog, &nuts);
	uint32_t pear = first->functions[1].index;
	uint32_t almond = second->functions[0].index;

	assert_int_equal(second->functions[1].index, pear);
	assert_int_not_equal(almond, pear);
	assert_int_not_equal(almond, first->functions[0].index);
	wyn_catalog_version_destroy(first);
	wyn_catalog_version_destroy(second);

	/* Also when nobody has had it for a while. */
	second = version_of(catalog, &nuts);
	assert_int_equal(second->functions[0].index, almond);
	assert_int_equal(second->functions[1].index, pear);
	wyn_catalog_version_destroy(second);
}

static void catalog_gives_a_number_again_when_there_is_no_other(void **state)
{
	static char names[WYN_FUNCTIONS_MAX][8];
	static struct wyn_function functions[WYN_FUNCTIONS_MAX];
	struct wyn_module many = fruit;
	struct wyn_module_version *version;
	const char *culprit;

	for (size_t i = 0; i < WYN_FUNCTIONS_MAX; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "f%zu", i);
		functions[i] = (struct wyn_function){names[i], "", run, 0};
	}
	many.functions = functions;
	many.functions_count = WYN_FUNCTIONS_MAX;
	version = version_of(*state, &many);
	assert_int_equal(
		wyn_catalog_version_create(*state, &fruit, &version, &culprit),
		-ENOSPC);
	wyn_catalog_version_destroy(version);

	version = version_of(*state, &fruit);

	assert_true(version->functions[1].index < WYN_FUNCTIONS_MAX);
	assert_int_not_equal(
		version->functions[0].index, version->functions[1].index);
	wyn_catalog_version_destroy(version);
}

#define PUBLICATIONS 2000u

struct reading {
	struct wyn_catalog_reader reader;
	atomic_bool over;
	size_t missed;
	pthread_t thread;
};

/* As a loop does: finds, holds, and lets go after it has moved on. */
static void *read_on(void *arg)
{
	struct reading *reading = arg;

	while (!atomic_load_explicit(&reading->over, memory_order_acquire)) {
		const struct wyn_function_entry *entry = wyn_registry_find(
			wyn_catalog_read(&reading->reader), BYTES_OF("pear"));

		if (entry == NULL) {
			reading->missed++;
			continue;
		}
		wyn_module_hold(entry->version);
		(void)wyn_catalog_read(&reading->reader);
		reading->missed += strcmp(entry->name, "pear") != 0;
		wyn_module_release(entry->version);
	}
	return NULL;
}

static void versions_sweep(struct wyn_catalog *catalog,
	struct wyn_module_version **versions, size_t count)
{
	(void)wyn_catalog_sweep(catalog);
	for (size_t i = 0; i < count; i++) {
		if (versions[i] != NULL && !wyn_module_is_held(versions[i])) {
			wyn_catalog_version_destroy(versions[i]);
			versions[i] = NULL;
		}
	}
}

static void catalog_serves_all_when_it_publishes_meanwhile(void **state)
{
	static struct wyn_module_version *versions[PUBLICATIONS];
	static struct reading readings[2];
	struct wyn_catalog *catalog = *state;

	versions[0] = version_of(catalog, &fruit);
	publish(catalog, versions[0]);
	for (size_t i = 0; i < 2; i++) {
		wyn_catalog_join(catalog, &readings[i].reader);
		assert_int_equal(pthread_create(&readings[i].thread, NULL,
					 read_on, &readings[i]),
			0);
	}
	for (size_t i = 1; i < PUBLICATIONS; i++) {
		versions[i] = version_of(catalog, i % 2 == 0 ? &fruit : &nuts);
		publish(catalog, versions[i]);
		versions_sweep(catalog, versions, i);
	}
	for (size_t i = 0; i < 2; i++) {
		atomic_store_explicit(
			&readings[i].over, true, memory_order_release);
		assert_int_equal(pthread_join(readings[i].thread, NULL), 0);
		wyn_catalog_leave(&readings[i].reader);
		assert_int_equal(readings[i].missed, 0);
	}
	wyn_catalog_clear(catalog);
	versions_sweep(catalog, versions, PUBLICATIONS);
	for (size_t i = 0; i < PUBLICATIONS; i++) {
		assert_null(versions[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CASE(catalog_frees_a_snapshot_when_all_have_moved_on),
		CASE(catalog_waits_for_nobody_when_a_reader_has_left),
		CASE(catalog_tells_who_watches_when_it_publishes),
		CASE(catalog_holds_a_version_when_its_function_is_wanted),
		CASE(catalog_numbers_names_alike_in_all_versions),
		CASE(catalog_gives_a_number_again_when_there_is_no_other),
		CASE(catalog_serves_all_when_it_publishes_meanwhile),
#undef CASE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
