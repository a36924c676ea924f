// SPDX-License-Identifier: MIT
/*
 * test_notices.c - kept events: copies, in order, and counted.
 */
#include "client/notices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

static struct wyn_notices notices;

static int setup(void **state)
{
	(void)state;
	wyn_notices_init(&notices);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wyn_notices_fini(&notices);
	return 0;
}

static void keep(uint64_t seq, const char *value)
{
	const struct wyn_client_event event = {
		.kind = WYN_CLIENT_PARTIAL,
		.seq = seq,
		.value = {value, strlen(value)},
		.reason = "REASON",
		.message = "message",
	};

	assert_int_equal(0, wyn_notices_keep(&notices, &event));
}

static void notices_has_none_when_new(void **state)
{
	struct wyn_client_event event;

	(void)state;
	assert_false(wyn_notices_take(&notices, &event));
}

static void notices_gives_the_oldest_first_when_taken(void **state)
{
	struct wyn_client_event event;

	(void)state;
	keep(1, "");
	keep(2, "");
	assert_true(wyn_notices_take(&notices, &event));
	assert_int_equal(1, event.seq);
	assert_true(wyn_notices_take(&notices, &event));
	assert_int_equal(2, event.seq);
	assert_false(wyn_notices_take(&notices, &event));
}

static void notices_has_its_own_bytes_when_the_event_is_gone(void **state)
{
	char value[] = "value";
	struct wyn_client_event event;

	(void)state;
	keep(1, value);
	memset(value, 'x', sizeof(value));
	assert_true(wyn_notices_take(&notices, &event));
	assert_int_equal(5, event.value.size);
	assert_memory_equal("value", event.value.data, 5);
	assert_string_equal("REASON", event.reason);
	assert_string_equal("message", event.message);
}

static void notices_counts_memory_when_values_are_empty(void **state)
{
	struct wyn_client_event event;

	(void)state;
	keep(1, "");
	assert_int_equal(0, notices.bytes);
	assert_true(notices.memory_bytes > 0);
	keep(2, "four");
	assert_int_equal(4, notices.bytes);
	while (wyn_notices_take(&notices, &event)) {
	}
	assert_int_equal(0, notices.bytes);
	assert_int_equal(0, notices.memory_bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(notices_has_none_when_new),
		TEST(notices_gives_the_oldest_first_when_taken),
		TEST(notices_has_its_own_bytes_when_the_event_is_gone),
		TEST(notices_counts_memory_when_values_are_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
