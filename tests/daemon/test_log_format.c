// SPDX-License-Identifier: MIT
/*
 * test_log_format.c - the three forms of a line, what is escaped, what is cut.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/log_format.h"

/* 2026-01-31T12:00:00.123Z */
#define NOON UINT64_C(1769860800123000000)

static char line[WYN_LOG_LINE_BYTES];

static const char *line_of(enum wyn_log_form form,
	const struct wyn_log_field *fields, size_t count)
{
	const struct wyn_log_event event = {
		.realtime_ns = NOON,
		.level = WYN_LOG_INFO,
		.name = "event",
		.fields = fields,
		.fields_count = count,
	};
	size_t bytes = wyn_log_format(line, sizeof(line), form, &event);

	assert_int_equal(bytes, strlen(line));
	assert_ptr_equal(strchr(line, '\n'), line + bytes - 1);
	return line;
}

static const char *line_of_text(enum wyn_log_form form, const char *text)
{
	const struct wyn_log_field field = {.key = "key", .text = text};

	return line_of(form, &field, 1);
}

static const struct wyn_log_field sample[] = {
	{.key = "address", .text = "tcp:127.0.0.1:80"},
	{.key = NULL, .number = 7},
	{.key = "count", .number = UINT64_MAX},
};

static void text_has_time_level_event_and_fields(void **state)
{
	(void)state;
	assert_string_equal(line_of(WYN_LOG_TEXT_LINES, sample, 3),
		"2026-01-31T12:00:00.123Z info event "
		"address=tcp:127.0.0.1:80 count=18446744073709551615\n");
}

static void journal_has_a_priority_and_no_time(void **state)
{
	(void)state;
	assert_string_equal(line_of(WYN_LOG_JOURNAL, sample, 3),
		"<6>event address=tcp:127.0.0.1:80 "
		"count=18446744073709551615\n");
}

static void json_has_typed_fields(void **state)
{
	(void)state;
	assert_string_equal(line_of(WYN_LOG_JSON, sample, 3),
		"{\"time\":\"2026-01-31T12:00:00.123Z\",\"level\":\"info\","
		"\"event\":\"event\",\"address\":\"tcp:127.0.0.1:80\","
		"\"count\":18446744073709551615}\n");
}

static void text_quotes_a_value_when_it_has_blanks_or_is_empty(void **state)
{
	(void)state;
	assert_non_null(strstr(
		line_of_text(WYN_LOG_TEXT_LINES, "a b"), " key=\"a b\"\n"));
	assert_non_null(
		strstr(line_of_text(WYN_LOG_TEXT_LINES, ""), " key=\"\"\n"));
}

static void text_escapes_a_value_when_it_would_break_the_line(void **state)
{
	(void)state;
	assert_non_null(
		strstr(line_of_text(WYN_LOG_TEXT_LINES, "a\n\x1b[2J\"\\\xff"),
			" key=\"a\\x0a\\x1b[2J\\\"\\\\\\xff\"\n"));
}

static void json_escapes_what_is_not_printable_ascii(void **state)
{
	static const struct {
		const char *text;
		const char *json;
	} cases[] = {
		{"a\n\x1b\"\\\x7f", "a\\u000a\\u001b\\\"\\\\\\u007f"},
		{"\xc3\xa9\xe2\x82\xac", "\\u00e9\\u20ac"},
		{"\xf0\x9f\x98\x80", "\\ud83d\\ude00"},
		/* a stray byte, a torn character, an overlong NUL, half a
		 * surrogate, beyond the last plane */
		{"\xff|", "\\ufffd|"},
		{"\xe2\x82", "\\ufffd\\ufffd"},
		{"\xc0\x80", "\\ufffd\\ufffd"},
		{"\xe0\x80\x80", "\\ufffd\\ufffd\\ufffd"},
		{"\xed\xa0\x80", "\\ufffd\\ufffd\\ufffd"},
		{"\xf4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
	};
	char wanted[128];

	(void)state;
	for (size_t i = 0; i < WYN_COUNT_OF(cases); i++) {
		snprintf(wanted, sizeof(wanted), ",\"key\":\"%s\"}\n",
			cases[i].json);
		assert_non_null(strstr(
			line_of_text(WYN_LOG_JSON, cases[i].text), wanted));
	}
}

static void a_line_is_cut_in_its_longest_text(void **state)
{
	static char longest[2 * WYN_LOG_LINE_BYTES];
	const struct wyn_log_field fields[] = {
		{.key = "first", .text = "short"},
		{.key = "long", .text = longest},
		{.key = "last", .number = 42},
	};

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	(void)line_of(WYN_LOG_TEXT_LINES, fields, 3);
	assert_int_equal(strlen(line), WYN_LOG_LINE_BYTES - 1);
	assert_non_null(strstr(line, " first=short long=xx"));
	assert_non_null(strstr(line, "xx last=42 cut=true\n"));
	(void)line_of(WYN_LOG_JSON, fields, 3);
	assert_int_equal(strlen(line), WYN_LOG_LINE_BYTES - 1);
	assert_non_null(strstr(line, "xx\",\"last\":42,\"cut\":true}\n"));
}

/* Escapes of six bytes; whatever the room, none is torn. */
static void a_cut_tears_no_escape(void **state)
{
	static char escapes[WYN_LOG_LINE_BYTES];
	char key[8];

	(void)state;
	memset(escapes, '\x01', sizeof(escapes) - 1);
	for (size_t i = 1; i < sizeof(key); i++) {
		const struct wyn_log_field field = {
			.key = key, .text = escapes};

		memset(key, 'k', i);
		key[i] = '\0';
		(void)line_of(WYN_LOG_JSON, &field, 1);
		assert_non_null(strstr(line, "\\u0001\",\"cut\":true}\n"));
	}
}

static void fields_are_left_out_when_texts_are_no_help(void **state)
{
	static char key[WYN_LOG_LINE_BYTES / 2];
	const struct wyn_log_field fields[] = {
		{.key = key, .number = 1},
		{.key = key, .number = 2},
		{.key = key, .number = 3},
	};

	(void)state;
	memset(key, 'k', sizeof(key) - 1);
	(void)line_of(WYN_LOG_JSON, fields, 3);
	assert_non_null(strstr(line, "kk\":1,\"cut\":true}\n"));
	assert_null(strstr(line, "kk\":2"));
}

static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

/* A reader of just what we write: a string is ASCII, escapes are whole. */
static bool is_sound(const char *json)
{
	bool inside = false;
	unsigned quotes = 0;

	for (; *json && *json != '\n'; json++) {
		if (*json < ' ' || *json > '~') {
			return false;
		}
		if (inside && *json == '\\') {
			json++;
			if (!strchr("\"\\u", *json) ||
				(*json == 'u' &&
					strspn(json + 1, "0123456789abcdef") <
						4)) {
				return false;
			}
		} else if (*json == '"') {
			inside = !inside;
			quotes++;
		}
	}
	return !inside && quotes % 2 == 0 && json[-1] == '}' && json[1] == '\0';
}

static void json_is_sound_whatever_the_bytes_are(void **state)
{
	static char texts[3][WYN_LOG_LINE_BYTES];
	unsigned seed = 20260131;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		struct wyn_log_field fields[3];

		for (size_t i = 0; i < 3; i++) {
			size_t bytes = next_random(&seed) % sizeof(texts[i]);

			for (size_t at = 0; at < bytes; at++) {
				texts[i][at] =
					(char)(1 + next_random(&seed) % 255);
			}
			texts[i][bytes] = '\0';
			fields[i] = (struct wyn_log_field){
				.key = "key", .text = texts[i]};
		}
		assert_true(is_sound(line_of(WYN_LOG_JSON, fields, 3)));
	}
}

static void names_are_parsed_and_others_refused(void **state)
{
	enum wyn_log_level level = WYN_LOG_ERROR;
	enum wyn_log_form form = WYN_LOG_AUTO;

	(void)state;
	assert_int_equal(wyn_log_level_parse("loud", &level), -EINVAL);
	assert_int_equal(wyn_log_level_parse("debug", &level), 0);
	assert_int_equal(level, WYN_LOG_DEBUG);
	assert_int_equal(wyn_log_form_parse("xml", &form), -EINVAL);
	assert_int_equal(wyn_log_form_parse("json", &form), 0);
	assert_int_equal(form, WYN_LOG_JSON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_has_time_level_event_and_fields),
		cmocka_unit_test(journal_has_a_priority_and_no_time),
		cmocka_unit_test(json_has_typed_fields),
		cmocka_unit_test(
			text_quotes_a_value_when_it_has_blanks_or_is_empty),
		cmocka_unit_test(
			text_escapes_a_value_when_it_would_break_the_line),
		cmocka_unit_test(json_escapes_what_is_not_printable_ascii),
		cmocka_unit_test(a_line_is_cut_in_its_longest_text),
		cmocka_unit_test(a_cut_tears_no_escape),
		cmocka_unit_test(fields_are_left_out_when_texts_are_no_help),
		cmocka_unit_test(json_is_sound_whatever_the_bytes_are),
		cmocka_unit_test(names_are_parsed_and_others_refused),
	};

	return cmocka_run_group_tests_name("log_format", tests, NULL, NULL);
}
