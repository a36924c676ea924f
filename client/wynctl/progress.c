// SPDX-License-Identifier: MIT
/*
 * progress.c - the progress bar.
 */
#include "client/wynctl/progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "client/wynctl/clock.h"

#define BAR_CELLS 30u
#define REDRAW_NS UINT64_C(100000000)
/* Looking at the clock for every task would cost more than the task. */
#define LOOK_EVERY 256u

static struct {
	bool active;
	bool drawn;
	wyn_progress_text *text; /* NULL = the bar */
	void *context;
	uint64_t total;
	uint64_t start_ns;
	uint64_t drawn_ns;
	uint64_t done;
	uint64_t looked; /* done at the last look at the clock */
} bar;

void wyn_progress_start(uint64_t total)
{
	if (isatty(STDERR_FILENO) != 1) {
		return;
	}
	bar.active = true;
	bar.text = NULL;
	bar.total = total;
	bar.start_ns = wyn_ctl_now_ns();
	bar.drawn_ns = bar.start_ns;
	bar.done = 0;
	bar.looked = 0;
}

void wyn_progress_start_text(wyn_progress_text *text, void *context)
{
	wyn_progress_start(0);
	bar.text = text;
	bar.context = context;
}

static void progress_draw_text(void)
{
	char line[WYN_PROGRESS_BYTES];

	bar.text(bar.context, line, sizeof(line));
	(void)fprintf(stderr, "\r\033[K%s", line);
}

static void progress_draw(uint64_t done, uint64_t now_ns)
{
	double seconds = (double)(now_ns - bar.start_ns) / (double)WYN_NS_PER_S;
	double rate = seconds > 0 ? (double)done / seconds : 0;
	char cells[BAR_CELLS + 1];
	size_t filled;

	if (bar.total == 0) {
		(void)fprintf(stderr, "\r\033[K%llu done, %.0f/s",
			(unsigned long long)done, rate);
		return;
	}
	filled = (size_t)((double)done / (double)bar.total * BAR_CELLS);
	if (filled > BAR_CELLS) {
		filled = BAR_CELLS;
	}
	memset(cells, '#', filled);
	memset(cells + filled, '.', BAR_CELLS - filled);
	cells[BAR_CELLS] = '\0';
	(void)fprintf(stderr, "\r\033[K[%s] %3.0f%% %llu/%llu, %.0f/s", cells,
		100.0 * (double)done / (double)bar.total,
		(unsigned long long)done, (unsigned long long)bar.total, rate);
}

/* Returns: for how many nanoseconds there is nothing to draw. */
static uint64_t progress_look(void)
{
	uint64_t now_ns = wyn_ctl_now_ns();

	bar.looked = bar.done;
	if (now_ns - bar.drawn_ns >= REDRAW_NS) {
		bar.drawn_ns = now_ns;
		bar.drawn = true;
		if (bar.text != NULL) {
			progress_draw_text();
		} else {
			progress_draw(bar.done, now_ns);
		}
		(void)fflush(stderr);
	}
	return bar.drawn_ns + REDRAW_NS - now_ns;
}

void wyn_progress_update(uint64_t done)
{
	bar.done = done;
	if (bar.active && done - bar.looked >= LOOK_EVERY) {
		(void)progress_look();
	}
}

int wyn_progress_idle(void)
{
	return bar.active ? (int)(progress_look() / WYN_NS_PER_MS) + 1 : -1;
}

void wyn_progress_clear(void)
{
	if (bar.drawn) {
		(void)fputs("\r\033[K", stderr);
		bar.drawn = false;
	}
}

void wyn_progress_end(void)
{
	wyn_progress_clear();
	bar.active = false;
}
