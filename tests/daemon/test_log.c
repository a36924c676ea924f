// SPDX-License-Identifier: MIT
/*
 * test_log.c - the form of a line, what is escaped, what is held back.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/log.h"

/* 2026-01-31T12:00:00.123Z */
#define NOON UINT64_C(1769860800123000000)

static const char *line_of(const struct wyn_log_field *fields, size_t count)
{
	static char line[WYN_LOG_LINE_BYTES];
	size_t bytes = wyn_log_format(
		line, sizeof(line), NOON, WYN_LOG_INFO, "event", fields, count);

	assert_int_equal(bytes, strlen(line));
	return line;
}

static const char *line_of_text(const char *text)
{
	const struct wyn_log_field field = WYN_LOG_TEXT("key", text);

	return line_of(&field, 1);
}

static void log_writes_time_level_event_and_fields(void **state)
{
	const struct wyn_log_field fields[] = {
		WYN_LOG_TEXT("address", "tcp:127.0.0.1:80"),
		WYN_LOG_NUMBER("count", 42),
	};

	(void)state;
	assert_string_equal(line_of(fields, 2),
		"2026-01-31T12:00:00.123Z info event "
		"address=tcp:127.0.0.1:80 count=42\n");
}

static void log_quotes_a_value_when_it_has_blanks(void **state)
{
	(void)state;
	assert_non_null(strstr(line_of_text("a b"), " key=\"a b\"\n"));
}

static void log_quotes_a_value_when_it_is_empty(void **state)
{
	(void)state;
	assert_non_null(strstr(line_of_text(""), " key=\"\"\n"));
}

static void log_escapes_a_value_when_it_would_break_the_line(void **state)
{
	(void)state;
	assert_non_null(strstr(line_of_text("a\n\x1b[2J\"\\\xff"),
		" key=\"a\\x0a\\x1b[2J\\\"\\\\\\xff\"\n"));
}

static void log_cuts_a_line_when_it_is_too_long(void **state)
{
	static char text[2 * WYN_LOG_LINE_BYTES];
	const char *line;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	line = line_of_text(text);
	assert_int_equal(strlen(line), WYN_LOG_LINE_BYTES - 1);
	assert_int_equal(line[strlen(line) - 1], '\n');
}

static void log_limit_holds_back_when_the_burst_is_used_up(void **state)
{
	struct wyn_log_limit limit = {0};
	uint64_t suppressed = 99;

	(void)state;
	for (unsigned i = 0; i < WYN_LOG_BURST; i++) {
		assert_true(wyn_log_limit_pass(&limit, i, &suppressed));
		assert_int_equal(suppressed, 0);
	}
	assert_false(wyn_log_limit_pass(&limit, WYN_LOG_BURST, &suppressed));
}

static void log_limit_tells_what_it_held_back_when_the_window_ends(void **state)
{
	struct wyn_log_limit limit = {0};
	uint64_t suppressed;

	(void)state;
	for (unsigned i = 0; i < WYN_LOG_BURST + 3; i++) {
		(void)wyn_log_limit_pass(&limit, 7, &suppressed);
	}
	assert_true(
		wyn_log_limit_pass(&limit, 7 + WYN_LOG_WINDOW_NS, &suppressed));
	assert_int_equal(suppressed, 3);
}

static void log_level_parse_refuses_when_it_is_none(void **state)
{
	enum wyn_log_level level = WYN_LOG_ERROR;

	(void)state;
	assert_int_equal(wyn_log_level_parse("loud", &level), -EINVAL);
	assert_int_equal(wyn_log_level_parse("debug", &level), 0);
	assert_int_equal(level, WYN_LOG_DEBUG);
}

static void log_leaves_out_what_is_over_its_level(void **state)
{
	char text[256] = {0};
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	wyn_log_start(WYN_LOG_WARNING, fds[1]);
	wyn_log(WYN_LOG_INFO, "hidden");
	wyn_log(WYN_LOG_WARNING, "shown", WYN_LOG_NUMBER("n", 1));
	wyn_log_start(WYN_LOG_INFO, STDERR_FILENO);
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	assert_null(strstr(text, "hidden"));
	assert_non_null(strstr(text, " warning shown n=1\n"));
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_writes_time_level_event_and_fields),
		cmocka_unit_test(log_quotes_a_value_when_it_has_blanks),
		cmocka_unit_test(log_quotes_a_value_when_it_is_empty),
		cmocka_unit_test(
			log_escapes_a_value_when_it_would_break_the_line),
		cmocka_unit_test(log_cuts_a_line_when_it_is_too_long),
		cmocka_unit_test(
			log_limit_holds_back_when_the_burst_is_used_up),
		cmocka_unit_test(
			log_limit_tells_what_it_held_back_when_the_window_ends),
		cmocka_unit_test(log_level_parse_refuses_when_it_is_none),
		cmocka_unit_test(log_leaves_out_what_is_over_its_level),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
