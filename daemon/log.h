// SPDX-License-Identifier: MIT
/*
 * log.h - one line per event on stderr.
 *
 *	2026-01-31T12:00:00.123Z warning accept-paused error="..." pause_ms=100
 *
 * Time, level, the event's name, then key=value. Names and keys are constants
 * of ours and stay the same from release to release; values are escaped,
 * whoever wrote them. Never an argument or a value of a task. Whoever decides
 * logs, once; the engine does not log, it counts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum wyn_log_level {
	WYN_LOG_ERROR,
	WYN_LOG_WARNING,
	WYN_LOG_INFO,
	WYN_LOG_DEBUG,
};

/* What a peer can bring about at will, so that it must not fill the disk. */
enum wyn_log_cause {
	WYN_LOG_ALWAYS, /* no limit: peers cannot cause it */
	WYN_LOG_ACCEPT_PAUSED,
	WYN_LOG_ACCEPT_FAILED,
	WYN_LOG_OPEN_FAILED,
	WYN_LOG_CROWDED,
	WYN_LOG_DRAIN_ASKED,
	WYN_LOG_CAUSES,
};

#define WYN_LOG_LINE_BYTES 1024u /* a longer line is cut */
/* Of one cause: so many lines in a window, then only a count of the rest. */
#define WYN_LOG_BURST	  5u
#define WYN_LOG_WINDOW_NS UINT64_C(10000000000)

struct wyn_log_field {
	const char *key;  /* NULL = not there */
	const char *text; /* NULL = it is a number */
	uint64_t number;
};

#define WYN_LOG_TEXT(name, value)              \
	{                                      \
		.key = (name), .text = (value) \
	}
#define WYN_LOG_NUMBER(name, value)              \
	{                                        \
		.key = (name), .number = (value) \
	}

/* One cause's share. Zeroed = nothing was logged yet. */
struct wyn_log_limit {
	uint64_t window_ns;  /* when the window began */
	unsigned lines;	     /* in it */
	uint64_t suppressed; /* since the last line */
};

/*
 * wyn_log_limit_pass - may a line of this cause be written now?
 *
 * Thread: one at a time. Returns: true, and in *ret_suppressed how many were
 * not written since the last one; false, and this one is counted.
 */
bool wyn_log_limit_pass(
	struct wyn_log_limit *limit, uint64_t now_ns, uint64_t *ret_suppressed);

/*
 * wyn_log_format - one line, its newline included.
 *
 * `realtime_ns` is the time since the epoch. Thread: any. Returns: its bytes;
 * `out` is ended by NUL.
 */
size_t wyn_log_format(char *out, size_t out_bytes, uint64_t realtime_ns,
	enum wyn_log_level level, const char *event,
	const struct wyn_log_field *fields, size_t fields_count);

/*
 * wyn_log_level_parse - error, warning, info or debug.
 *
 * Thread: any. Returns: 0, -EINVAL.
 */
WYN_NODISCARD
int wyn_log_level_parse(const char *text, enum wyn_log_level *ret_level);

/* wyn_log_level_name - the word that is parsed. Thread: any. */
const char *wyn_log_level_name(enum wyn_log_level level);

/*
 * wyn_log_start - sets what is logged and where to; before that it is
 * everything up to info on stderr. Thread: boot.
 */
void wyn_log_start(enum wyn_log_level level, int fd);

/*
 * wyn_log_write - what the macros below call.
 *
 * Thread: any. Blocks: while stderr does, which is the administrator's choice.
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
