// SPDX-License-Identifier: MIT
/*
 * eta.c - the rest of the time, by the mean of what is done.
 */
#include "client/wynctl/eta.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"

#define BAR_CELLS 20u
#define LONGEST_S (1000 * 3600.0)

static void eta_time(const struct wyn_eta *eta, char *out, size_t room)
{
	uint64_t done = eta->done - eta->skipped;
	double seconds;
	uint64_t s;

	if (done == 0 || eta->total <= eta->done) {
		(void)snprintf(out, room, "%s", done == 0 ? "?" : "0:00");
		return;
	}
	seconds = (double)eta->elapsed_ns / (double)WYN_NS_PER_S *
		  (double)(eta->total - eta->done) / (double)done;
	if (seconds > LONGEST_S) {
		(void)snprintf(out, room, "?");
		return;
	}
	s = (uint64_t)(seconds + 0.5);
	if (s < 3600) {
		(void)snprintf(
			out, room, "%" PRIu64 ":%02" PRIu64, s / 60, s % 60);
	} else {
		(void)snprintf(out, room,
			"%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600,
			s / 60 % 60, s % 60);
	}
}

void wyn_eta_format(const struct wyn_eta *eta, char out[WYN_ETA_BYTES])
{
	char bar[BAR_CELLS + 1];
	char left[24];
	size_t filled;
	double share;

	if (eta->total == 0) {
		(void)snprintf(out, WYN_ETA_BYTES,
			"%" PRIu64 " done, %" PRIu64 " running, %" PRIu64
			" failed",
			eta->done, eta->running, eta->failed);
		return;
	}
	share = (double)eta->done / (double)eta->total;
	share = share < 1 ? share : 1;
	filled = (size_t)(share * BAR_CELLS);
	memset(bar, '#', filled);
	memset(bar + filled, '.', BAR_CELLS - filled);
	bar[BAR_CELLS] = '\0';
	eta_time(eta, left, sizeof(left));
	(void)snprintf(out, WYN_ETA_BYTES,
		"[%s] %3d%% %" PRIu64 "/%" PRIu64 ", %" PRIu64
		" running, %" PRIu64 " failed, ETA %s",
		bar, (int)(share * 100), eta->done, eta->total, eta->running,
		eta->failed, left);
}
