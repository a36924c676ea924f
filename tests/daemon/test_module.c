// SPDX-License-Identifier: MIT
/*
 * test_module.c - tables of modules, good and bad, of this ABI and the first.
 */
#include "daemon/modules/module.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int run(struct wyn_context *context, const void *argument,
	size_t argument_bytes)
{
	(void)context;
	(void)argument;
	(void)argument_bytes;
	return 0;
}

static int init(char *ret_why, size_t why_bytes)
{
	(void)ret_why;
	(void)why_bytes;
	return 0;
}

static void *create(void)
{
	return NULL;
}

static const struct wyn_function functions[] = {
	{"one", "first", run, WYN_FUNCTION_SHORT},
	{"two", "second", run, WYN_FUNCTION_BLOCKING},
};

static const struct wyn_module good = {
	.abi = WYN_MODULE_ABI,
	.size_bytes = sizeof(struct wyn_module),
	.name = "good",
	.version = "1",
	.functions = functions,
	.functions_count = 2,
	.init = init,
};

/* What the first <wyn/module.h> declared. */
struct old_function {
	const char *name;
	const char *summary;
	wyn_function_run *run;
};

struct old_module {
	uint32_t abi;
	uint32_t size_bytes;
	const char *name;
	const char *version;
	const struct old_function *functions;
	size_t functions_count;
	/* What happens to be behind it in the object. */
	void *behind[4];
};

static void check_refused(const struct wyn_module *module, const char *because)
{
	char why[WYN_WHY_BYTES_MAX];

	assert_int_equal(wyn_module_check(module, why), -EINVAL);
	if (strstr(why, because) == NULL) {
		fail_msg("\"%s\" does not say \"%s\"", why, because);
	}
}

static void module_is_good_when_it_is_ours(void **state)
{
	char why[WYN_WHY_BYTES_MAX];

	(void)state;
	assert_int_equal(wyn_module_check(&good, why), 0);
	assert_string_equal(wyn_module_function_at(&good, 1).name, "two");
	assert_int_equal(
		wyn_module_function_at(&good, 1).flags, WYN_FUNCTION_BLOCKING);
	assert_ptr_equal(wyn_module_calls(&good).init, init);
}

static void module_is_good_when_it_is_of_the_first_abi(void **state)
{
	static struct old_function old_functions[] = {
		{"one", "first", run}, {"two", "second", run}};
	static const struct old_module old = {1,
		offsetof(struct old_module, behind), "old", "1", old_functions,
		2, {&old_functions, &old_functions, NULL, NULL}};
	const struct wyn_module *module = (const void *)&old;
	char why[WYN_WHY_BYTES_MAX];

	(void)state;
	assert_int_equal(wyn_module_check(module, why), 0);
	assert_string_equal(wyn_module_function_at(module, 1).name, "two");
	assert_ptr_equal(wyn_module_function_at(module, 1).run, run);
	assert_int_equal(wyn_module_function_at(module, 1).flags, 0);
	assert_null(wyn_module_calls(module).init);
	assert_null(wyn_module_calls(module).state_create);
}

static void module_is_refused_when_its_abi_is_not_known(void **state)
{
	struct wyn_module module = good;

	(void)state;
	module.abi = WYN_MODULE_ABI + 1;
	check_refused(&module, "ABI 3, this wynd knows 1 to 2: update wynd");
	module.abi = 0;
	check_refused(&module, "set .abi = WYN_MODULE_ABI");
}

static void module_is_refused_when_its_size_cannot_be(void **state)
{
	struct wyn_module module = good;

	(void)state;
	module.size_bytes = 8;
	check_refused(&module, "size_bytes of its wyn_module is 8");
	module.size_bytes = UINT32_MAX;
	check_refused(&module, "size_bytes of its wyn_module is 4294967295");
	/* Enough for the first. */
	module.size_bytes = offsetof(struct wyn_module, init);
	check_refused(&module, "sizeof(struct wyn_module)");
}

static void module_may_be_longer_when_it_uses_nothing_of_that(void **state)
{
	struct {
		struct wyn_module module;
		void *more;
	} longer = {good, NULL};
	char why[WYN_WHY_BYTES_MAX];

	(void)state;
	longer.module.size_bytes = sizeof(longer);
	assert_int_equal(wyn_module_check(&longer.module, why), 0);

	longer.more = &longer;
	check_refused(&longer.module, "says more than this wynd knows");
}

static void module_is_refused_when_something_is_missing(void **state)
{
	struct wyn_module module = good;

	(void)state;
	module.name = NULL;
	check_refused(&module, "no name");
	module.name = "Not Valid";
	check_refused(&module, "no name");
	module = good;
	module.version = NULL;
	check_refused(&module, "no version");
	module = good;
	module.state_create = create;
	check_refused(&module, "only one of state_create and state_destroy");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(module_is_good_when_it_is_ours),
		cmocka_unit_test(module_is_good_when_it_is_of_the_first_abi),
		cmocka_unit_test(module_is_refused_when_its_abi_is_not_known),
		cmocka_unit_test(module_is_refused_when_its_size_cannot_be),
		cmocka_unit_test(
			module_may_be_longer_when_it_uses_nothing_of_that),
		cmocka_unit_test(module_is_refused_when_something_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
