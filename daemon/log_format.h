// SPDX-License-Identifier: MIT
/*
 * log_format.h - an event as one line, in one of three forms.
 *
 *	text	2026-01-31T12:00:00.123Z warning accept-paused pause_ms=100
 *	journal	<4>accept-paused pause_ms=100
 *	json	{"time":"2026-...","level":"warning","event":...,"pause_ms":100}
 *
 * Values are escaped, whoever wrote them: a line is printable ASCII and has one
 * newline, at its end. Knows no descriptor and no clock.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

enum wyn_log_level {
	WYN_LOG_ERROR,
	WYN_LOG_WARNING,
	WYN_LOG_INFO,
	WYN_LOG_DEBUG,
};

enum wyn_log_form {
	WYN_LOG_AUTO, /* journal if stderr is the journal's, else text */
	WYN_LOG_TEXT_LINES,
	WYN_LOG_JOURNAL,
	WYN_LOG_JSON,
};

/* Newline and a NUL included. Below PIPE_BUF, so that a pipe takes a line
 * whole or not at all. */
#define WYN_LOG_LINE_BYTES 1024u
#define WYN_LOG_FIELDS_MAX 32u /* of one line */

struct wyn_log_field {
	const char *key;  /* NULL = not there */
	const char *text; /* NULL = it is a number */
	uint64_t number;
};

/* One event. [I] while it is formatted. */
struct wyn_log_event {
	uint64_t realtime_ns; /* since the epoch */
	enum wyn_log_level level;
	const char *name;
	const struct wyn_log_field *fields;
	size_t fields_count;
};

/*
 * wyn_log_format - one line, its newline included.
 *
 * Where it would be longer than `out_bytes` allows, the longest texts are
 * shortened, then the last fields left out, and cut=true ends it: it is a whole
 * line of its form in any case. `form` is not AUTO. Thread: any. Returns: its
 * bytes; `out` is ended by NUL.
 */
size_t wyn_log_format(char *out, size_t out_bytes, enum wyn_log_form form,
	const struct wyn_log_event *event);

/*
 * wyn_log_level_parse - error, warning, info or debug.
 *
 * Thread: any. Returns: 0, -EINVAL.
 */
WYN_NODISCARD
int wyn_log_level_parse(const char *text, enum wyn_log_level *ret_level);

/* wyn_log_form_parse - auto, text, journal or json. Thread: any. Returns: 0,
 * -EINVAL. */
WYN_NODISCARD
int wyn_log_form_parse(const char *text, enum wyn_log_form *ret_form);

/* wyn_log_level_name, wyn_log_form_name - the word that is parsed. Thread:
 * any. */
const char *wyn_log_level_name(enum wyn_log_level level);
const char *wyn_log_form_name(enum wyn_log_form form);
