// SPDX-License-Identifier: MIT
/*
 * eta.h - how far a run of many commands is, in one line. Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define WYN_ETA_BYTES 160u /* room for any line, its NUL included */

struct wyn_eta {
	uint64_t done;	  /* those included that were done in an earlier run */
	uint64_t skipped; /* so many of them */
	uint64_t running;
	uint64_t failed;
	uint64_t total; /* 0 = not known */
	uint64_t elapsed_ns;
};

/*
 * wyn_eta_format - a bar, what is done, and when it will be all, if that is
 * known; else numbers alone.
 */
void wyn_eta_format(const struct wyn_eta *eta, char out[WYN_ETA_BYTES]);
