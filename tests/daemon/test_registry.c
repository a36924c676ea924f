// SPDX-License-Identifier: MIT
/*
 * test_registry.c - names in, entries out; all or none of a module.
 */
#include "daemon/modules/registry.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/modules/catalog.h"
#include "daemon/limits.h"
#include "tests/support/bytes.h"

#define LONGEST \
	"abcdefghijklmnopqrstuvwxyz0123456789_.-abcdefghijklmnopqrstuvwx"

static int run(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	(void)context;
	(void)argument;
	(void)argument_bytes;
	return 0;
}

static struct wyn_module module_of(
	const struct wyn_function *functions, size_t count)
{
	return (struct wyn_module){
		.abi = WYN_MODULE_ABI,
		.size_bytes = sizeof(struct wyn_module),
		.name = "made-up",
		.version = "1",
		.functions = functions,
		.functions_count = count,
	};
}

static const struct wyn_function fruit[] = {
	{"pear", "a pear", run, 0},
	{"apple", NULL, run, 0},
	{"plum", "pl\xfcm", run, 0},
};

static struct wyn_catalog *catalog;
static struct wyn_module_version *versions[2];
static size_t versions_count;

/* The table has to last. */
static int add(struct wyn_registry *registry, const struct wyn_module *module,
	const char **ret_culprit)
{
	struct wyn_module_version *version;
	int rc = wyn_catalog_version_create(
		catalog, module, &version, ret_culprit);

	if (rc < 0) {
		return rc;
	}
	rc = wyn_registry_add(registry, version, ret_culprit);
	if (rc < 0) {
		wyn_catalog_version_destroy(version);
	} else {
		versions[versions_count++] = version;
	}
	return rc;
}

static int begin(void **state)
{
	struct wyn_registry *registry;

	versions_count = 0;
	if (wyn_catalog_create(&catalog) < 0 ||
		wyn_registry_create(&registry) < 0) {
		return -1;
	}
	*state = registry;
	return 0;
}

static int end(void **state)
{
	wyn_registry_destroy(*state);
	while (versions_count > 0) {
		wyn_catalog_version_destroy(versions[--versions_count]);
	}
	wyn_catalog_destroy(catalog);
	return 0;
}

static void add_fruit(struct wyn_registry *registry)
{
	static struct wyn_module module;
	const char *culprit;

	module = module_of(fruit, 3);
	assert_int_equal(add(registry, &module, &culprit), 0);
}

static void check_refused(struct wyn_registry *registry,
	const struct wyn_function *functions, size_t count, int error,
	const char *expected_culprit)
{
	static struct wyn_module module;
	const char *culprit = "untouched";

	module = module_of(functions, count);
	module.name = "another";
	assert_int_equal(add(registry, &module, &culprit), error);
	assert_string_equal(culprit, expected_culprit);
}

static void registry_finds_every_name_when_added(void **state)
{
	const struct wyn_function_entry *entry;

	add_fruit(*state);

	entry = wyn_registry_find(*state, BYTES_OF("pear"));
	assert_non_null(entry);
	assert_string_equal(entry->name, "pear");
	assert_string_equal(entry->summary, "a pear");
	assert_string_equal(entry->module, "made-up");
	assert_true(entry->run == run);
	assert_non_null(wyn_registry_find(*state, BYTES_OF("apple")));
	assert_non_null(wyn_registry_find(*state, BYTES_OF("plum")));
}

static void registry_gives_an_empty_summary_when_there_is_none(void **state)
{
	add_fruit(*state);

	assert_string_equal(
		wyn_registry_find(*state, BYTES_OF("apple"))->summary, "");
	/* Nor one that is no text. */
	assert_string_equal(
		wyn_registry_find(*state, BYTES_OF("plum"))->summary, "");
}

static void registry_finds_nothing_when_the_name_is_not_exact(void **state)
{
	add_fruit(*state);

	assert_null(wyn_registry_find(*state, BYTES_OF("")));
	assert_null(wyn_registry_find(*state, BYTES_OF("pea")));
	assert_null(wyn_registry_find(*state, BYTES_OF("pears")));
	assert_null(wyn_registry_find(*state, BYTES_OF("pear\0")));
	assert_null(wyn_registry_find(*state, BYTES_OF("Pear")));
	assert_null(wyn_registry_find(*state, (struct wyn_slice){NULL, 0}));
}

static void registry_is_in_order_when_names_were_not(void **state)
{
	add_fruit(*state);

	assert_string_equal(wyn_registry_at(*state, 0)->name, "apple");
	assert_string_equal(wyn_registry_at(*state, 1)->name, "pear");
	assert_string_equal(wyn_registry_at(*state, 2)->name, "plum");
	assert_null(wyn_registry_at(*state, 3));
}

static void registry_tells_what_comes_after_when_paged(void **state)
{
	add_fruit(*state);

	assert_int_equal(wyn_registry_after(*state, BYTES_OF("")), 0);
	assert_int_equal(wyn_registry_after(*state, BYTES_OF("apple")), 1);
	assert_int_equal(wyn_registry_after(*state, BYTES_OF("banana")), 1);
	assert_int_equal(wyn_registry_after(*state, BYTES_OF("pe")), 1);
	assert_int_equal(wyn_registry_after(*state, BYTES_OF("plum")), 3);
	assert_int_equal(wyn_registry_after(*state, BYTES_OF("z")), 3);
}

static void registry_names_the_nearest_when_misspelt(void **state)
{
	add_fruit(*state);

	assert_string_equal(
		wyn_registry_nearest(*state, BYTES_OF("aple")), "apple");
	assert_null(wyn_registry_nearest(*state, BYTES_OF("elephant")));
	assert_null(wyn_registry_nearest(*state, BYTES_OF("")));
	assert_null(wyn_registry_nearest(*state, BYTES_OF(LONGEST "zzz")));
}

static void registry_refuses_a_module_when_its_name_is_taken(void **state)
{
	static struct wyn_module module;
	const char *culprit;

	add_fruit(*state);
	module = module_of(NULL, 0);

	assert_int_equal(add(*state, &module, &culprit), -EEXIST);

	assert_string_equal(culprit, "");
	assert_ptr_equal(wyn_registry_module(*state, 0), versions[0]);
	assert_null(wyn_registry_module(*state, 1));
}

static void registry_takes_a_name_when_it_is_the_longest(void **state)
{
	static const struct wyn_function function = {LONGEST, "", run, 0};
	static struct wyn_module module;
	const char *culprit;

	module = module_of(&function, 1);
	assert_int_equal(strlen(LONGEST), WYN_MODULE_NAME_BYTES_MAX);
	assert_int_equal(add(*state, &module, &culprit), 0);

	assert_non_null(wyn_registry_find(*state, wyn_slice_of(LONGEST)));
}

static void registry_refuses_a_name_when_it_is_malformed(void **state)
{
	static const char *const bad[] = {
		"", "Upper", "a b", "a/b", "a\n", "\xc3\xa4", LONGEST "y"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct wyn_function function = {bad[i], "", run, 0};

		check_refused(*state, &function, 1, -EINVAL, bad[i]);
	}
}

static void registry_refuses_a_function_when_something_is_missing(void **state)
{
	struct wyn_function no_name = {NULL, "", run, 0};
	struct wyn_function no_body = {"bodiless", "", NULL, 0};

	check_refused(*state, &no_name, 1, -EINVAL, "");
	check_refused(*state, &no_body, 1, -EINVAL, "bodiless");
	check_refused(*state, NULL, 1, -EINVAL, "");
}

static void registry_adds_none_when_one_is_refused(void **state)
{
	static const struct wyn_function functions[] = {
		{"fig", "", run, 0}, {"Fig", "", run, 0}};

	check_refused(*state, functions, 2, -EINVAL, "Fig");

	assert_null(wyn_registry_at(*state, 0));
}

static void registry_adds_none_when_a_name_is_taken(void **state)
{
	static const struct wyn_function functions[] = {
		{"fig", "", run, 0}, {"plum", "", run, 0}};

	add_fruit(*state);

	check_refused(*state, functions, 2, -EEXIST, "plum");

	assert_null(wyn_registry_find(*state, BYTES_OF("fig")));
	assert_null(wyn_registry_at(*state, 3));
}

static void registry_adds_none_when_a_module_says_a_name_twice(void **state)
{
	static const struct wyn_function functions[] = {
		{"fig", "", run, 0}, {"fig", "", run, 0}};

	check_refused(*state, functions, 2, -EEXIST, "fig");

	assert_null(wyn_registry_at(*state, 0));
}

static void registry_refuses_a_module_when_full(void **state)
{
	static char names[WYN_FUNCTIONS_MAX][8];
	static struct wyn_function functions[WYN_FUNCTIONS_MAX];
	static struct wyn_module module;
	const char *culprit;

	for (size_t i = 0; i < WYN_FUNCTIONS_MAX; i++) {
		/* Not in order: 1024 numbers, the low digits first. */
		(void)snprintf(
			names[i], sizeof(names[i]), "f%zu.%zu", i % 10, i / 10);
		functions[i] = (struct wyn_function){names[i], "", run, 0};
	}
	module = module_of(functions, WYN_FUNCTIONS_MAX);
	assert_int_equal(add(*state, &module, &culprit), 0);

	check_refused(*state, fruit, 1, -ENOSPC, "pear");

	for (size_t i = 0; i < WYN_FUNCTIONS_MAX; i++) {
		assert_string_equal(
			wyn_registry_find(*state, wyn_slice_of(names[i]))->name,
			names[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
		CASE(registry_finds_every_name_when_added),
		CASE(registry_gives_an_empty_summary_when_there_is_none),
		CASE(registry_finds_nothing_when_the_name_is_not_exact),
		CASE(registry_is_in_order_when_names_were_not),
		CASE(registry_tells_what_comes_after_when_paged),
		CASE(registry_names_the_nearest_when_misspelt),
		CASE(registry_refuses_a_module_when_its_name_is_taken),
		CASE(registry_takes_a_name_when_it_is_the_longest),
		CASE(registry_refuses_a_name_when_it_is_malformed),
		CASE(registry_refuses_a_function_when_something_is_missing),
		CASE(registry_adds_none_when_one_is_refused),
		CASE(registry_adds_none_when_a_name_is_taken),
		CASE(registry_adds_none_when_a_module_says_a_name_twice),
		CASE(registry_refuses_a_module_when_full),
#undef CASE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
