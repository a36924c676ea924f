// SPDX-License-Identifier: MIT
/*
 * log_sink.h - where lines go, without ever waiting for room.
 *
 * The descriptor is inherited. Whoever else has it shares the description, so
 * O_NONBLOCK is never set on it. The README of this room says what is done
 * instead, and what was turned down. One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/log_format.h"

enum wyn_log_sink_kind {
	WYN_LOG_SINK_PLAIN,  /* a file: write(2) waits for the disk alone */
	WYN_LOG_SINK_SOCKET, /* each send says that it must not wait */
	WYN_LOG_SINK_OWN,    /* a pipe or terminal, opened again for us */
	WYN_LOG_SINK_ASKED,  /* one that cannot be: asked for room before */
};

struct wyn_log_sink {
	int fd;
	enum wyn_log_sink_kind kind;
	/* What is left of a line of which the beginning went out: it goes
	 * before anything else, so that no line is torn. */
	char rest[WYN_LOG_LINE_BYTES];
	size_t rest_bytes;
};

/*
 * wyn_log_sink_open - to an inherited descriptor; never fails.
 *
 * Owns: borrows fd.
 */
void wyn_log_sink_open(struct wyn_log_sink *sink, int fd);

/* wyn_log_sink_close - closes what was opened again. */
void wyn_log_sink_close(struct wyn_log_sink *sink);

/*
 * wyn_log_sink_put - one line, of at most WYN_LOG_LINE_BYTES.
 *
 * Returns: true when it went out, or its beginning did and the rest is kept;
 * false when it is lost. Blocks: for the disk under a file, never for a reader.
 */
bool wyn_log_sink_put(
	struct wyn_log_sink *sink, const char *line, size_t bytes);
