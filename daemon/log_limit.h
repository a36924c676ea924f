// SPDX-License-Identifier: MIT
/*
 * log_limit.h - how much peers can have logged.
 *
 * Each cause has a few lines in a window, and all of them together have fewer
 * than their sum. What was held back is counted, and told by the next line of
 * that cause, or after its window by the next line of any, or at the end. No
 * timer: an idle daemon stays asleep. Knows no clock; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/log_format.h"

/* What a peer can bring about at will, so that it must not fill the disk.
 * X(NAME, lines in a window, "event") */
#define WYN_LOG_CAUSE_TABLE(X)                              \
	X(ACCEPT_PAUSED, 5, "accept-paused")                \
	X(ACCEPT_FAILED, 5, "accept-failed")                \
	X(OPEN_FAILED, 5, "connection-failed")              \
	X(CROWDED, 5, "connection-refused")                 \
	X(DRAIN_ASKED, 5, "drain-asked")                    \
	X(PEER_WRONG, 5, "peer-wrong")                      \
	X(PEER_SILENT, 5, "peer-silent")                    \
	X(REFUSED, 5, "tasks-refused")                      \
	X(MODULE, 5, "module-said")                         \
	X(SPAWNER, 5, "spawner-lost")                       \
	X(OPENED, WYN_LOG_DEBUG_BURST, "connection-opened") \
	X(CLOSED, WYN_LOG_DEBUG_BURST, "connection-closed")

enum wyn_log_cause {
	WYN_LOG_ALWAYS, /* no limit: peers cannot cause it */
#define WYN_LOG_CAUSE(name, ...) WYN_LOG_##name,
	WYN_LOG_CAUSE_TABLE(WYN_LOG_CAUSE)
#undef WYN_LOG_CAUSE
	WYN_LOG_CAUSES,
};

#define WYN_LOG_WINDOW_NS   UINT64_C(10000000000)
#define WYN_LOG_DEBUG_BURST 500u /* of what only the level debug shows */
#define WYN_LOG_ALL_BURST   20u	 /* of the other causes together */

/* So many windows begin in an hour at most, in each of which peers have their
 * lines, and one for each cause that tells what was held back. */
#define WYN_LOG_HOUR_WINDOWS (UINT64_C(3600000000000) / WYN_LOG_WINDOW_NS + 1)
#define WYN_LOG_HOUR_BYTES                                                 \
	(WYN_LOG_HOUR_WINDOWS * (WYN_LOG_ALL_BURST + WYN_LOG_CAUSES - 1) * \
		WYN_LOG_LINE_BYTES)
/* The same at the level debug. */
#define WYN_LOG_HOUR_DEBUG_BYTES                            \
	(WYN_LOG_HOUR_BYTES + WYN_LOG_HOUR_WINDOWS * 2u *   \
				      WYN_LOG_DEBUG_BURST * \
				      WYN_LOG_LINE_BYTES)

/* One share. Zeroed = nothing was logged yet. */
struct wyn_log_limit {
	uint64_t window_ns;  /* when the window began */
	unsigned lines;	     /* in it */
	uint64_t suppressed; /* since it was told */
};

struct wyn_log_limits {
	struct wyn_log_limit of[WYN_LOG_CAUSES];
	struct wyn_log_limit all;
};

/*
 * wyn_log_limits_pass - may a line of this cause be written now?
 *
 * Returns: true, and in *ret_suppressed how many were not written since the
 * last one; false, and this one is counted.
 */
bool wyn_log_limits_pass(struct wyn_log_limits *limits,
	enum wyn_log_cause cause, uint64_t now_ns, uint64_t *ret_suppressed);

/*
 * wyn_log_limits_due - a cause of which something was held back in a window
 * that is over; with `all`, in any.
 *
 * Returns: the name of its event, once, and in *ret_suppressed how many; NULL =
 * there is none.
 */
const char *wyn_log_limits_due(struct wyn_log_limits *limits, uint64_t now_ns,
	bool all, uint64_t *ret_suppressed);
