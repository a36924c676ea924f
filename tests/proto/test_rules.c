// SPDX-License-Identifier: MIT
/*
 * test_rules.c - the rules of hot messages, through both ways of decoding.
 */
#include "proto/rules.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "proto/unpack.h"
#include "proto/walk.h"
#include "tests/support/bytes.h"

static _Alignas(16) uint8_t memory[8192];

struct row {
	const char *what;
	struct wyn_slice body;
	int expected;
};

static void run(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct wyn_message message;
		struct wyn_arena arena;
		int err;

		wyn_arena_init(&arena, memory, sizeof(memory));
		err = wyn_walk_message(rows[i].body, &arena, &message);
		if (err != rows[i].expected) {
			fail_msg("%s: walked: %d", rows[i].what, err);
		}
		err = wyn_unpack_message(rows[i].body, &arena, &message);
		if (err != rows[i].expected) {
			fail_msg("%s: unpacked: %d", rows[i].what, err);
		}
	}
}

static void rules_judge_a_submit_when_it_is_well_formed(void **state)
{
	static const struct row rows[] = {
		{"one empty argument", BYTES("\x0a\x02\x22\x00"), 0},
		{"one size", BYTES("\x0a\x03\x2a\x01\x00"), 0},
		{"no tasks", BYTES("\x0a\x00"), -EBADMSG},
		{"no tasks, all else",
			BYTES("\x0a\x05\x08\x01\x12\x01"
			      "f"),
			-EBADMSG},
		{"an empty column of sizes", BYTES("\x0a\x02\x2a\x00"),
			-EBADMSG},
		{"arguments and sizes", BYTES("\x0a\x05\x22\x00\x2a\x01\x05"),
			-EBADMSG},
		{"the last seq that can be",
			BYTES("\x0a\x0d\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff"
			      "\x01\x22\x00"),
			0},
		{"no seq left after it",
			BYTES("\x0a\x0d\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff"
			      "\x01\x22\x00"),
			-EBADMSG},
		{"no seq left after the second",
			BYTES("\x0a\x0f\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff"
			      "\x01\x22\x00\x22\x00"),
			-EBADMSG},
		{"no seq left after the second size",
			BYTES("\x0a\x0f\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff"
			      "\x01\x2a\x02\x01\x01"),
			-EBADMSG},
	};

	(void)state;
	run(rows, WYN_COUNT_OF(rows));
}

static void rules_judge_results_when_they_are_well_formed(void **state)
{
	static const struct row rows[] = {
		{"no rows", BYTES("\x12\x00"), 0},
		{"only a count", BYTES("\x12\x02\x28\x05"), 0},
		{"seq alone", BYTES("\x12\x04\x0a\x02\x01\x02"), 0},
		{"all columns",
			BYTES("\x12\x0c\x0a\x02\x01\x02\x12\x02\x00\x05\x1a\x00"
			      "\x1a\x00"),
			0},
		{"codes too few", BYTES("\x12\x07\x0a\x02\x01\x02\x12\x01\x05"),
			-EBADMSG},
		{"codes too many",
			BYTES("\x12\x07\x0a\x01\x01\x12\x02\x05\x05"),
			-EBADMSG},
		{"values too few", BYTES("\x12\x06\x0a\x02\x01\x02\x1a\x00"),
			-EBADMSG},
		{"values too many",
			BYTES("\x12\x07\x0a\x01\x01\x1a\x00\x1a\x00"),
			-EBADMSG},
		{"codes without rows", BYTES("\x12\x03\x12\x01\x05"), -EBADMSG},
		{"values without rows", BYTES("\x12\x02\x1a\x00"), -EBADMSG},
		{"details of both rows",
			BYTES("\x12\x0a\x0a\x02\x01\x02\x22\x00\x22\x02\x08"
			      "\x01"),
			0},
		{"detail without rows", BYTES("\x12\x02\x22\x00"), -EBADMSG},
		{"detail past the rows",
			BYTES("\x12\x08\x0a\x02\x01\x02\x22\x02\x08\x02"),
			-EBADMSG},
		{"two details of one row",
			BYTES("\x12\x08\x0a\x02\x01\x02\x22\x00\x22\x00"),
			-EBADMSG},
		{"details descending",
			BYTES("\x12\x0a\x0a\x02\x01\x02\x22\x02\x08\x01\x22"
			      "\x00"),
			-EBADMSG},
	};

	(void)state;
	run(rows, WYN_COUNT_OF(rows));
}

static void rules_keep_enums_apart_when_narrowed(void **state)
{
	(void)state;
	assert_int_equal(wyn_rules_enum_narrow(0), 0);
	assert_int_equal(wyn_rules_enum_narrow(254), 254);
	assert_int_equal(wyn_rules_enum_narrow(256), 255);
	assert_int_equal(wyn_rules_enum_narrow(258), 255);
	assert_int_equal(wyn_rules_enum_narrow(-1), 255);
	assert_int_equal(wyn_rules_enum_narrow(INT64_MIN), 255);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_judge_a_submit_when_it_is_well_formed),
		cmocka_unit_test(rules_judge_results_when_they_are_well_formed),
		cmocka_unit_test(rules_keep_enums_apart_when_narrowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
