// SPDX-License-Identifier: MIT
/*
 * log.h - one line per event on stderr.
 *
 * Names and keys are constants of ours and stay the same from release to
 * release. Never an argument or a value of a task. Whoever decides logs, once;
 * the engine does not log, it counts. wynd(8) has every event, and
 * scripts/events compares. A line that cannot be written now is counted, and
 * told as lost=N by the next one that can: nobody waits for a reader.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "daemon/log_format.h"
#include "daemon/log_limit.h"

#define WYN_LOG_TEXT(name, value)              \
	{                                      \
		.key = (name), .text = (value) \
	}
#define WYN_LOG_NUMBER(name, value)              \
	{                                        \
		.key = (name), .number = (value) \
	}

/*
 * wyn_log_is_journal - what JOURNAL_STREAM says of this descriptor.
 *
 * `stream` is its value, "DEVICE:INODE", or NULL. Thread: any.
 */
bool wyn_log_is_journal(const char *stream, int fd);

/*
 * wyn_log_start - sets what is logged, how, and where to; before that it is
 * everything up to info as text on stderr.
 *
 * Thread: boot. Owns: borrows fd. `journal_stream` is for AUTO.
 */
void wyn_log_start(enum wyn_log_level level, enum wyn_log_form form, int fd,
	const char *journal_stream);

/* wyn_log_level_set - as a reload may want. Thread: any. */
void wyn_log_level_set(enum wyn_log_level level);

/* wyn_log_form - what it is: never AUTO. Thread: any, after the start. */
enum wyn_log_form wyn_log_form(void);

/*
 * wyn_log_settle - tells all that was held back, whatever its window.
 *
 * Before the last line of the process. Thread: any.
 */
void wyn_log_settle(void);

/*
 * wyn_log_write - what the macros below call.
 *
 * Thread: any. Blocks: for the disk where stderr is a file, and for those that
 * write before us; never for a reader.
 */
void wyn_log_write(enum wyn_log_level level, enum wyn_log_cause cause,
	const char *event, const struct wyn_log_field *fields,
	size_t fields_count);

/* wyn_log(level, event, fields...) - the first field keeps the array whole. */
#define wyn_log(level, event, ...) \
	wyn_log_limited(level, WYN_LOG_ALWAYS, event, ##__VA_ARGS__)

#define wyn_log_limited(level, cause, event, ...)                             \
	wyn_log_write(level, cause, event,                                    \
		(const struct wyn_log_field[]){{.key = NULL}, ##__VA_ARGS__}, \
		WYN_COUNT_OF(((const struct wyn_log_field[]){                 \
			{.key = NULL}, ##__VA_ARGS__})))
