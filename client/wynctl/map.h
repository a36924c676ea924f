// SPDX-License-Identifier: MIT
/*
 * map.h - `wynctl map` from inside: its state, shared by its three files.
 *
 * map.c turns the wheel, map_submit.c takes items and hands them to the
 * client, map_result.c prints what comes back. Main's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wyn/client.h>

#include "base/compiler.h"
#include "client/wynctl/argument_file.h"
#include "client/wynctl/ctl.h"
#include "client/wynctl/lines.h"
#include "client/wynctl/window.h"

#define WYN_MAP_BATCH_MAX    256u
#define WYN_MAP_BUFFER_BYTES (1u << 20)
/* Large files that are open at a time. */
#define WYN_MAP_UPLOADS_MAX 16u
/* Values that wait for their turn; above it no new items are taken. */
#define WYN_MAP_HELD_BYTES_MAX (UINT64_C(256) << 20)
/* How far, in multiples of --jobs, the work may run ahead of its output. */
#define WYN_MAP_WINDOW_JOBS 4u

struct wyn_map {
	struct wyn_ctl *ctl;
	const char *function;
	const char *item; /* what one is called: "line" or "operand" */
	struct wyn_client_options options;
	struct wyn_lines lines;
	struct wyn_window window;
	uint64_t jobs;
	uint64_t flight; /* items taken and not done */
	uint64_t done;
	uint64_t failed;
	bool unavailable; /* a task may have been lost with the connection */
	/* Of those that failed, after the stop: only counted. */
	uint64_t undone;
	uint64_t undone_first; /* its number */
	uint64_t first_seq;    /* 0 = nothing submitted */
	uint64_t last_seq;
	bool input_ended;
	bool fill; /* the lines that were read are used up */
	int stop;  /* exit code of what ends it early; OK = nothing */
	bool cancelled;

	/* Items that are taken and not submitted: views and their tags. */
	struct wyn_bytes arguments[WYN_MAP_BATCH_MAX];
	uint64_t tags[WYN_MAP_BATCH_MAX];
	size_t count;
	size_t sent;
	uint8_t *buffer; /* --files: contents of small files */
	size_t buffer_used;
	struct wyn_file_source *large; /* one file more, after those */
	uint64_t large_tag;
};

/*
 * wyn_map_take - takes items as long as there are some and room for them.
 *
 * Returns: whether it took any; there may then be room for more once these are
 * submitted.
 */
bool wyn_map_take(struct wyn_map *map);

/* wyn_map_pass_over - the next item is none, for that reason. */
void wyn_map_pass_over(struct wyn_map *map, const char *why);

/*
 * wyn_map_submit - hands over what was taken, as far as there is credit.
 *
 * Returns: 0, -EAGAIN (wait first), or the connection's error.
 */
WYN_NODISCARD
int wyn_map_submit(struct wyn_map *map);

/* wyn_map_event - a result came. */
void wyn_map_event(struct wyn_map *map, const struct wyn_client_event *event);

/*
 * wyn_map_fail - an item failed: nothing on stdout, one line on stderr; but
 * after the stop they are only counted.
 */
void wyn_map_fail(struct wyn_map *map, uint64_t tag, const char *why);
