// SPDX-License-Identifier: MIT
/*
 * progress.h - a bar on stderr, if that is a terminal; else nothing at all.
 *
 * One at a time. Redrawn at most ten times a second, so it may be told of
 * every task; and when wynctl is about to sleep, so that it also shows when
 * tasks are few or slow.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define WYN_PROGRESS_BYTES 160u /* of one line, with a NUL */

/* What to draw in place of a bar of our own: at most `room` with a NUL. */
typedef void wyn_progress_text(void *context, char *out, size_t room);

/* wyn_progress_start - total 0 = unknown. Thread: main. */
void wyn_progress_start(uint64_t total);

/* wyn_progress_start_text - the same, and `text` says what is drawn. */
void wyn_progress_start_text(wyn_progress_text *text, void *context);

/* wyn_progress_update - so many are done. Cheap. Thread: main. */
void wyn_progress_update(uint64_t done);

/* wyn_progress_idle - about to sleep. Returns: for how many milliseconds at
 * most, -1 = for ever. Thread: main. */
int wyn_progress_idle(void);

/* wyn_progress_clear - the line is needed for something else. Thread: main. */
void wyn_progress_clear(void);

/* wyn_progress_end - removes the bar. Thread: main. */
void wyn_progress_end(void);
