// SPDX-License-Identifier: MIT
/*
 * log_format.c - a line is measured first, then cut, then written.
 *
 * A text goes out in pieces that are whole by themselves, a byte or an escape.
 * Cutting counts in pieces, so that no escape is torn and what opened a quote
 * closes it.
 */
#include "daemon/log_format.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"

#define PIECE_BYTES 16u /* two \uXXXX and a NUL */
#define CUT_TEXT    " cut=true"
#define CUT_JSON    ",\"cut\":true"

static const char *const level_names[] = {
	[WYN_LOG_ERROR] = "error",
	[WYN_LOG_WARNING] = "warning",
	[WYN_LOG_INFO] = "info",
	[WYN_LOG_DEBUG] = "debug",
};

/* What sd-daemon(3) calls SD_ERR, SD_WARNING, SD_INFO and SD_DEBUG. */
static const char *const level_prefixes[] = {
	[WYN_LOG_ERROR] = "<3>",
	[WYN_LOG_WARNING] = "<4>",
	[WYN_LOG_INFO] = "<6>",
	[WYN_LOG_DEBUG] = "<7>",
};

static const char *const form_names[] = {
	[WYN_LOG_AUTO] = "auto",
	[WYN_LOG_TEXT_LINES] = "text",
	[WYN_LOG_JOURNAL] = "journal",
	[WYN_LOG_JSON] = "json",
};

/* A line as it grows. What is put has been measured: it fits. */
struct line {
	char *out;
	size_t used;
	size_t room; /* without newline and NUL */
	bool json;
};

/* How much of each field is there. */
struct plan {
	size_t value_bytes[WYN_LOG_FIELDS_MAX]; /* without quotes */
	size_t count;				/* of the fields */
	bool cut;
};

static void put(struct line *line, const char *text, size_t bytes)
{
	size_t left = line->room - line->used;

	bytes = bytes < left ? bytes : left;
	memcpy(line->out + line->used, text, bytes);
	line->used += bytes;
}

static void put_text(struct line *line, const char *text)
{
	put(line, text, strlen(text));
}

static bool is_printable(unsigned char byte)
{
	return byte >= ' ' && byte <= '~';
}

/* The bytes of the character at `at`, as UTF-8 allows them (RFC 3629): no
 * overlong forms, no surrogates; 0 = it is none. Ends at a NUL by itself. */
static size_t utf8_bytes(const unsigned char *at, uint32_t *ret_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t bytes = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
	uint32_t point = at[0] & (0x7fu >> bytes);

	if (at[0] < 0xc2 || at[0] > 0xf4) {
		return 0;
	}
	for (size_t i = 1; i < bytes; i++) {
		if ((at[i] & 0xc0) != 0x80) {
			return 0;
		}
		point = point << 6 | (at[i] & 0x3fu);
	}
	if (point < least[bytes] || point > 0x10ffff ||
		(point >= 0xd800 && point <= 0xdfff)) {
		return 0;
	}
	*ret_point = point;
	return bytes;
}

/* JSON's escapes, for what is not printable ASCII too: no terminal takes it
 * for a control sequence, and whoever parses gets the character back. */
static size_t json_piece(const unsigned char *at, char piece[PIECE_BYTES])
{
	uint32_t point = 0xfffd; /* stands for a byte that is no UTF-8 */
	size_t taken = 1;

	if (*at < 0x80) {
		point = *at;
	} else {
		size_t bytes = utf8_bytes(at, &point);

		taken = bytes ? bytes : 1;
	}
	if (point >= 0x10000) {
		point -= 0x10000;
		snprintf(piece, PIECE_BYTES, "\\u%04x\\u%04x",
			(unsigned)(0xd800 + (point >> 10)),
			(unsigned)(0xdc00 + (point & 0x3ff)));
	} else {
		snprintf(piece, PIECE_BYTES, "\\u%04x", (unsigned)point);
	}
	return taken;
}

/* Writes the next piece of a text. Returns: how much of the text it is. */
static size_t next_piece(
	bool json, const unsigned char *at, char piece[PIECE_BYTES])
{
	if (*at == '"' || *at == '\\') {
		snprintf(piece, PIECE_BYTES, "\\%c", *at);
		return 1;
	}
	if (is_printable(*at)) {
		piece[0] = (char)*at;
		piece[1] = '\0';
		return 1;
	}
	if (json) {
		return json_piece(at, piece);
	}
	snprintf(piece, PIECE_BYTES, "\\x%02x", (unsigned)*at);
	return 1;
}

/* How long the text is when it is written, though no line is longer. */
static size_t measure(bool json, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	char piece[PIECE_BYTES];
	size_t bytes = 0;

	while (*at && bytes <= WYN_LOG_LINE_BYTES) {
		at += next_piece(json, at, piece);
		bytes += strlen(piece);
	}
	return bytes;
}

/* Whether a reader that splits at blanks would misread it bare. */
static bool needs_quotes(bool json, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;

	if (json || *at == '\0') {
		return true;
	}
	for (; *at; at++) {
		if (*at == ' ' || !is_printable(*at) || strchr("\"\\=", *at)) {
			return true;
		}
	}
	return false;
}

static size_t number_text(uint64_t number, char text[24])
{
	return (size_t)snprintf(text, 24, "%" PRIu64, number);
}

/* What a field takes beside its value. */
static size_t frame_bytes(bool json, const struct wyn_log_field *field)
{
	size_t bytes =
		strlen(field->key) + (json ? 4 : 2); /* ,"": or blank = */

	return bytes + (field->text && needs_quotes(json, field->text) ? 2 : 0);
}

static size_t planned_bytes(
	const struct plan *plan, bool json, const struct wyn_log_field *fields)
{
	size_t bytes = 0;

	for (size_t i = 0; i < plan->count; i++) {
		if (fields[i].key) {
			bytes += frame_bytes(json, &fields[i]) +
				 plan->value_bytes[i];
		}
	}
	return bytes + (plan->cut ? strlen(json ? CUT_JSON : CUT_TEXT) : 0);
}

/* The field with the longest text of which something is left; or none. */
static size_t longest_text(
	const struct plan *plan, const struct wyn_log_field *fields)
{
	size_t longest = plan->count;
	size_t most = 0;

	for (size_t i = 0; i < plan->count; i++) {
		if (fields[i].key && fields[i].text &&
			plan->value_bytes[i] > most) {
			most = plan->value_bytes[i];
			longest = i;
		}
	}
	return longest;
}

static void make_plan(struct plan *plan, bool json,
	const struct wyn_log_event *event, size_t room)
{
	const struct wyn_log_field *fields = event->fields;
	char number[24];
	size_t bytes;

	*plan = (struct plan){.count = event->fields_count};
	for (size_t i = 0; i < plan->count; i++) {
		plan->value_bytes[i] =
			fields[i].text ? measure(json, fields[i].text)
				       : number_text(fields[i].number, number);
	}
	while ((bytes = planned_bytes(plan, json, fields)) > room) {
		size_t longest;

		if (!plan->cut) {
			plan->cut = true;
			continue;
		}
		longest = longest_text(plan, fields);
		if (longest < plan->count) {
			size_t *left = &plan->value_bytes[longest];
			size_t over = bytes - room;

			*left -= over < *left ? over : *left;
		} else if (plan->count > 0) {
			plan->count--;
		} else {
			break; /* not even the mark; put() holds the bound */
		}
	}
}

static void put_value(struct line *line, const char *text, size_t bytes_max)
{
	const unsigned char *at = (const unsigned char *)text;
	bool quotes = needs_quotes(line->json, text);
	char piece[PIECE_BYTES];
	size_t bytes = 0;

	put(line, "\"", quotes);
	while (*at) {
		at += next_piece(line->json, at, piece);
		bytes += strlen(piece);
		if (bytes > bytes_max) {
			break;
		}
		put_text(line, piece);
	}
	put(line, "\"", quotes);
}

static void put_field(struct line *line, const struct wyn_log_field *field,
	size_t value_bytes)
{
	char number[24];

	put_text(line, line->json ? ",\"" : " ");
	put_text(line, field->key);
	put_text(line, line->json ? "\":" : "=");
	if (field->text) {
		put_value(line, field->text, value_bytes);
	} else {
		put(line, number, number_text(field->number, number));
	}
}

static void put_time(struct line *line, uint64_t realtime_ns)
{
	time_t seconds = (time_t)(realtime_ns / 1000000000);
	char stamp[48];
	struct tm utc;
	size_t used;

	gmtime_r(&seconds, &utc);
	used = strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(stamp + used, sizeof(stamp) - used, ".%03uZ",
		(unsigned)(realtime_ns / 1000000 % 1000));
	put_text(line, stamp);
}

static void put_head(struct line *line, enum wyn_log_form form,
	const struct wyn_log_event *event)
{
	switch (form) {
	case WYN_LOG_JSON:
		put_text(line, "{\"time\":\"");
		put_time(line, event->realtime_ns);
		put_text(line, "\",\"level\":\"");
		put_text(line, level_names[event->level]);
		put_text(line, "\",\"event\":\"");
		put_text(line, event->name);
		put_text(line, "\"");
		break;
	case WYN_LOG_JOURNAL:
		/* It has a time of its own. */
		put_text(line, level_prefixes[event->level]);
		put_text(line, event->name);
		break;
	case WYN_LOG_AUTO:
	case WYN_LOG_TEXT_LINES:
		put_time(line, event->realtime_ns);
		put_text(line, " ");
		put_text(line, level_names[event->level]);
		put_text(line, " ");
		put_text(line, event->name);
		break;
	}
}

size_t wyn_log_format(char *out, size_t out_bytes, enum wyn_log_form form,
	const struct wyn_log_event *event)
{
	bool json = form == WYN_LOG_JSON;
	struct line line = {
		.out = out, .room = out_bytes - 2 - json, .json = json};
	struct plan plan;

	wyn_assert(out_bytes > 2u + json);
	wyn_assert(event->fields_count <= WYN_LOG_FIELDS_MAX);
	put_head(&line, form, event);
	make_plan(&plan, json, event, line.room - line.used);
	for (size_t i = 0; i < plan.count; i++) {
		if (event->fields[i].key) {
			put_field(
				&line, &event->fields[i], plan.value_bytes[i]);
		}
	}
	if (plan.cut) {
		put_text(&line, json ? CUT_JSON : CUT_TEXT);
	}
	if (json) {
		out[line.used++] = '}';
	}
	out[line.used++] = '\n';
	out[line.used] = '\0';
	return line.used;
}

int wyn_log_level_parse(const char *text, enum wyn_log_level *ret_level)
{
	for (size_t i = 0; i < WYN_COUNT_OF(level_names); i++) {
		if (!strcmp(text, level_names[i])) {
			*ret_level = (enum wyn_log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

int wyn_log_form_parse(const char *text, enum wyn_log_form *ret_form)
{
	for (size_t i = 0; i < WYN_COUNT_OF(form_names); i++) {
		if (!strcmp(text, form_names[i])) {
			*ret_form = (enum wyn_log_form)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *wyn_log_level_name(enum wyn_log_level level)
{
	return level_names[level];
}

const char *wyn_log_form_name(enum wyn_log_form form)
{
	return form_names[form];
}
