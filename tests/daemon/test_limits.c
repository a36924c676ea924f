// SPDX-License-Identifier: MIT
/*
 * test_limits.c - daemon/limits.h and section 6 of docs/wire.md say the same.
 *
 * Run from the root of the tree.
 */
#include "daemon/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/quantity.h"

#define DOCUMENT "docs/wire.md"
#define ROWS_MAX 64

struct row {
	char flag[32];
	char value[32];
	char min[32];
	char max[32];
};

static struct row rows[ROWS_MAX];
static size_t rows_count;

static const struct limit {
	const char *flag;
	enum wyn_quantity_kind kind;
	uint64_t value;
	uint64_t min;
	uint64_t max;
} limits[] = {
#define LIMIT(field, flag, unit, value, min, max, when, help) \
	{flag, WYN_QUANTITY_##unit, value, min, max},
	WYN_LIMIT_TABLE(LIMIT)
#undef LIMIT
};

static int document_read(void **state)
{
	FILE *file = fopen(DOCUMENT, "r");
	char line[256];

	(void)state;
	if (file == NULL) {
		print_error("%s: cannot be read from here\n", DOCUMENT);
		return -1;
	}
	while (fgets(line, sizeof(line), file) != NULL &&
		rows_count < ROWS_MAX) {
		struct row *row = &rows[rows_count];

		if (sscanf(line, "| %31[a-z-] | %31s | %31s to %31s |",
			    row->flag, row->value, row->min, row->max) == 4) {
			rows_count++;
		}
	}
	fclose(file);
	return 0;
}

static void compare(const struct limit *limit, const char *what,
	const char *documented, uint64_t value)
{
	char ours[24];

	wyn_quantity_format(limit->kind, value, ours, sizeof(ours));
	if (strcmp(ours, documented) != 0) {
		fail_msg("--%s: %s is %s, but %s in %s", limit->flag, what,
			ours, documented, DOCUMENT);
	}
}

static void limits_are_the_documents_when_each_is_compared(void **state)
{
	(void)state;
	assert_int_equal(rows_count, WYN_COUNT_OF(limits));
	for (size_t i = 0; i < rows_count; i++) {
		assert_string_equal(rows[i].flag, limits[i].flag);
		compare(&limits[i], "default", rows[i].value, limits[i].value);
		compare(&limits[i], "least", rows[i].min, limits[i].min);
		compare(&limits[i], "most", rows[i].max, limits[i].max);
	}
}

static void limits_have_their_default_in_range_when_nothing_is_set(void **state)
{
	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(limits); i++) {
		assert_in_range(limits[i].value, limits[i].min, limits[i].max);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			limits_are_the_documents_when_each_is_compared),
		cmocka_unit_test(
			limits_have_their_default_in_range_when_nothing_is_set),
	};

	return cmocka_run_group_tests(tests, document_read, NULL);
}
