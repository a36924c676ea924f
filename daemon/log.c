// SPDX-License-Identifier: MIT
/*
 * log.c - which lines are written, one after the other.
 *
 * A line of a level that is hidden costs a comparison. Limits, formatting and
 * the write are under one mutex: what is told of lost and suppressed lines has
 * its order, and the rest of a line that went out in part goes first.
 */
#include "daemon/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "daemon/clock.h"
#include "daemon/log_sink.h"

/* Beside those of the event: suppressed, lost. */
#define OWN_FIELDS 2u

static _Atomic int level_max = WYN_LOG_INFO;		/* [A level] */
static enum wyn_log_form form_now = WYN_LOG_TEXT_LINES; /* [I] */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct wyn_log_sink sink = {.fd = STDERR_FILENO}; /* [M lock] */
static struct wyn_log_limits limits;			 /* [M lock] */
static uint64_t lost;					 /* [M lock] */

bool wyn_log_is_journal(const char *stream, int fd)
{
	char own[48];
	struct stat status;

	if (!stream || fstat(fd, &status) < 0) {
		return false;
	}
	snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)status.st_dev,
		(uintmax_t)status.st_ino);
	return !strcmp(stream, own);
}

void wyn_log_start(enum wyn_log_level level, enum wyn_log_form form, int fd,
	const char *journal_stream)
{
	if (form == WYN_LOG_AUTO) {
		form = wyn_log_is_journal(journal_stream, fd)
			       ? WYN_LOG_JOURNAL
			       : WYN_LOG_TEXT_LINES;
	}
	wyn_log_level_set(level);
	form_now = form;
	pthread_mutex_lock(&lock);
	wyn_log_sink_close(&sink);
	wyn_log_sink_open(&sink, fd);
	limits = (struct wyn_log_limits){0};
	lost = 0;
	pthread_mutex_unlock(&lock);
}

void wyn_log_level_set(enum wyn_log_level level)
{
	/* [level] relaxed: read by wyn_log_write(), it carries no data. */
	atomic_store_explicit(&level_max, (int)level, memory_order_relaxed);
}

enum wyn_log_form wyn_log_form(void)
{
	return form_now;
}

/* Under the lock. */
static void write_line(enum wyn_log_level level, const char *name,
	const struct wyn_log_field *fields, size_t fields_count)
{
	struct wyn_log_field all[WYN_LOG_FIELDS_MAX];
	const struct wyn_log_event event = {
		.realtime_ns = wyn_clock_ns(CLOCK_REALTIME),
		.level = level,
		.name = name,
		.fields = all,
		.fields_count = fields_count + 1,
	};
	char line[WYN_LOG_LINE_BYTES];
	size_t bytes;

	memcpy(all, fields, fields_count * sizeof(*fields));
	all[fields_count] = (struct wyn_log_field)WYN_LOG_NUMBER(
		lost ? "lost" : NULL, lost);
	bytes = wyn_log_format(line, sizeof(line), form_now, &event);
	if (wyn_log_sink_put(&sink, line, bytes)) {
		lost = 0;
	} else {
		lost++;
	}
}

/* Under the lock. At most one line for each cause. */
static void tell_suppressed(uint64_t now_ns, bool all)
{
	uint64_t suppressed = 0;
	const char *event;

	while ((event = wyn_log_limits_due(
			&limits, now_ns, all, &suppressed))) {
		const struct wyn_log_field fields[] = {
			WYN_LOG_TEXT("of", event),
			WYN_LOG_NUMBER("suppressed", suppressed),
		};

		write_line(WYN_LOG_WARNING, "suppressed", fields, 2);
	}
}

void wyn_log_settle(void)
{
	pthread_mutex_lock(&lock);
	tell_suppressed(wyn_clock_ns(CLOCK_MONOTONIC), true);
	pthread_mutex_unlock(&lock);
}

void wyn_log_write(enum wyn_log_level level, enum wyn_log_cause cause,
	const char *event, const struct wyn_log_field *fields,
	size_t fields_count)
{
	struct wyn_log_field all[WYN_LOG_FIELDS_MAX];
	uint64_t suppressed;
	uint64_t now_ns;

	wyn_assert(fields_count + OWN_FIELDS <= WYN_LOG_FIELDS_MAX);
	/* [level] a line more or less while it changes is no matter. */
	if ((int)level >
		atomic_load_explicit(&level_max, memory_order_relaxed)) {
		return;
	}
	memcpy(all, fields, fields_count * sizeof(*fields));
	pthread_mutex_lock(&lock);
	now_ns = wyn_clock_ns(CLOCK_MONOTONIC);
	if (wyn_log_limits_pass(&limits, cause, now_ns, &suppressed)) {
		tell_suppressed(now_ns, false);
		all[fields_count] = (struct wyn_log_field)WYN_LOG_NUMBER(
			suppressed ? "suppressed" : NULL, suppressed);
		write_line(level, event, all, fields_count + 1);
	}
	pthread_mutex_unlock(&lock);
}
