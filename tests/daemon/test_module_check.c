// SPDX-License-Identifier: MIT
/*
 * test_module_check.c - what is said of a module that is good, and of a file
 * that is none. What crashes or hangs is built by tests/e2e/test_modules.py.
 */
#include "daemon/modules/module_check.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/module_host.h"

/* Returns: what was printed, to be freed. */
static char *check(const char *path, int error, struct wyn_fault *ret_fault)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *out = open_memstream(&text, &bytes);

	assert_non_null(out);
	assert_int_equal(wyn_module_check_file(path, out, ret_fault), error);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void check_prints_a_line_for_each_function(void **state)
{
	char path[WYN_HOST_PATH_BYTES];
	struct wyn_fault fault;
	char *text;

	(void)state;
	wyn_module_host_path("diag", path);
	text = check(path, 0, &fault);

	assert_non_null(strstr(text, "echo: the value is the argument\n"));
	assert_non_null(strstr(text, "noop (short): does nothing\n"));
	free(text);
}

static void check_says_why_when_a_module_would_be_refused(void **state)
{
	struct wyn_fault fault;
	char *text;

	(void)state;
	text = check("/proc/self/none", -EINVAL, &fault);
	assert_string_equal(text, "");
	assert_int_equal(fault.exit_code, WYN_EXIT_CONFIGURATION);
	assert_string_equal(
		fault.text, "/proc/self/none: No such file or directory");
	free(text);
	text = check("/", -EINVAL, &fault);
	assert_string_equal(fault.text, "/: not a regular file");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_prints_a_line_for_each_function),
		cmocka_unit_test(check_says_why_when_a_module_would_be_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
