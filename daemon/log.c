// SPDX-License-Identifier: MIT
/*
 * log.c - one line per event on stderr: format, rate limit, one write each.
 *
 * A line is built on the stack and written by one write(2), so that lines of
 * several threads never mix. Only the rate limits are shared, under a mutex
 * that is taken for limited causes alone.
 */
#include "daemon/log.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "daemon/clock.h"

static const char *const level_names[] = {
	[WYN_LOG_ERROR] = "error",
	[WYN_LOG_WARNING] = "warning",
	[WYN_LOG_INFO] = "info",
	[WYN_LOG_DEBUG] = "debug",
};

static enum wyn_log_level level_max = WYN_LOG_INFO; /* [I] */
static int log_fd = STDERR_FILENO;		    /* [I] */
static pthread_mutex_t limits_lock = PTHREAD_MUTEX_INITIALIZER;
static struct wyn_log_limit limits[WYN_LOG_CAUSES]; /* [M limits_lock] */

/* A buffer that cuts what does not fit, and keeps room for newline and NUL. */
struct line {
	char *out;
	size_t used;
	size_t room;
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

static bool is_plain(const char *text)
{
	for (const char *at = text; *at; at++) {
		if (*at <= ' ' || *at > '~' || strchr("\"\\=", *at)) {
			return false;
		}
	}
	return *text != '\0';
}

/* Quoted where a reader that splits at blanks would misread it. Bytes outside
 * ASCII are escaped too: nothing reaches a terminal as a control sequence. */
static void put_value(struct line *line, const char *text)
{
	char hex[5];

	if (is_plain(text)) {
		put_text(line, text);
		return;
	}
	put(line, "\"", 1);
	for (const char *at = text; *at; at++) {
		if (*at == '"' || *at == '\\') {
			put(line, "\\", 1);
			put(line, at, 1);
		} else if (*at >= ' ' && *at <= '~') {
			put(line, at, 1);
		} else {
			snprintf(hex, sizeof(hex), "\\x%02x",
				(unsigned int)(unsigned char)*at);
			put_text(line, hex);
		}
	}
	put(line, "\"", 1);
}

static void put_field(struct line *line, const struct wyn_log_field *field)
{
	char number[24];

	if (!field->key) {
		return;
	}
	put(line, " ", 1);
	put_text(line, field->key);
	put(line, "=", 1);
	if (field->text) {
		put_value(line, field->text);
		return;
	}
	snprintf(number, sizeof(number), "%" PRIu64, field->number);
	put_text(line, number);
}

size_t wyn_log_format(char *out, size_t out_bytes, uint64_t realtime_ns,
	enum wyn_log_level level, const char *event,
	const struct wyn_log_field *fields, size_t fields_count)
{
	struct line line = {.out = out, .room = out_bytes - 2};
	time_t seconds = (time_t)(realtime_ns / 1000000000);
	char stamp[48];
	struct tm utc;
	size_t used;

	wyn_assert(out_bytes > 2);
	gmtime_r(&seconds, &utc);
	used = strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(stamp + used, sizeof(stamp) - used, ".%03uZ ",
		(unsigned int)(realtime_ns / 1000000 % 1000));
	put_text(&line, stamp);
	put_text(&line, level_names[level]);
	put(&line, " ", 1);
	put_text(&line, event);
	for (size_t i = 0; i < fields_count; i++) {
		put_field(&line, &fields[i]);
	}
	out[line.used++] = '\n';
	out[line.used] = '\0';
	return line.used;
}

bool wyn_log_limit_pass(
	struct wyn_log_limit *limit, uint64_t now_ns, uint64_t *ret_suppressed)
{
	if (limit->lines == 0 ||
		now_ns - limit->window_ns >= WYN_LOG_WINDOW_NS) {
		limit->window_ns = now_ns;
		limit->lines = 0;
	}
	if (limit->lines >= WYN_LOG_BURST) {
		limit->suppressed++;
		return false;
	}
	limit->lines++;
	*ret_suppressed = limit->suppressed;
	limit->suppressed = 0;
	return true;
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

const char *wyn_log_level_name(enum wyn_log_level level)
{
	return level_names[level];
}

void wyn_log_start(enum wyn_log_level level, int fd)
{
	level_max = level;
	log_fd = fd;
}

static bool pass(enum wyn_log_cause cause, uint64_t *ret_suppressed)
{
	bool passed;

	if (cause == WYN_LOG_ALWAYS) {
		return true;
	}
	pthread_mutex_lock(&limits_lock);
	passed = wyn_log_limit_pass(
		&limits[cause], wyn_clock_ns(CLOCK_MONOTONIC), ret_suppressed);
	pthread_mutex_unlock(&limits_lock);
	return passed;
}

/* Fields that fit one line in any case; more would be cut anyway. */
#define FIELDS_MAX 16u

void wyn_log_write(enum wyn_log_level level, enum wyn_log_cause cause,
	const char *event, const struct wyn_log_field *fields,
	size_t fields_count)
{
	struct wyn_log_field all[FIELDS_MAX + 1];
	char text[WYN_LOG_LINE_BYTES];
	uint64_t suppressed = 0;
	ssize_t written;
	size_t bytes;

	if (level > level_max || !pass(cause, &suppressed)) {
		return;
	}
	wyn_assert(fields_count <= FIELDS_MAX);
	memcpy(all, fields, fields_count * sizeof(*fields));
	if (suppressed) {
		all[fields_count++] = (struct wyn_log_field){
			.key = "suppressed", .number = suppressed};
	}
	bytes = wyn_log_format(text, sizeof(text), wyn_clock_ns(CLOCK_REALTIME),
		level, event, all, fields_count);
	do {
		written = write(log_fd, text, bytes);
	} while (written < 0 && errno == EINTR);
	/* A log that cannot be written has nowhere to say so. */
}
