// SPDX-License-Identifier: MIT
/*
 * log_limit.c - see log_limit.h.
 *
 * Fixed windows that begin with a line, so that a burst may lie on both sides
 * of a window's end; what counts is the sum over an hour.
 */
#include "daemon/log_limit.h"

#include <stddef.h>

static const struct {
	unsigned burst;
	const char *event;
} causes[WYN_LOG_CAUSES] = {
#define CAUSE_ROW(name, burst, event) [WYN_LOG_##name] = {burst, event},
	WYN_LOG_CAUSE_TABLE(CAUSE_ROW)
#undef CAUSE_ROW
};

static bool is_over(const struct wyn_log_limit *limit, uint64_t now_ns)
{
	return now_ns - limit->window_ns >= WYN_LOG_WINDOW_NS;
}

static bool has_room(
	struct wyn_log_limit *limit, unsigned burst, uint64_t now_ns)
{
	bool fresh = limit->lines == 0 && limit->suppressed == 0;

	if (fresh || is_over(limit, now_ns)) {
		limit->window_ns = now_ns;
		limit->lines = 0;
	}
	return limit->lines < burst;
}

bool wyn_log_limits_pass(struct wyn_log_limits *limits,
	enum wyn_log_cause cause, uint64_t now_ns, uint64_t *ret_suppressed)
{
	struct wyn_log_limit *limit = &limits->of[cause];
	bool shares = causes[cause].burst < WYN_LOG_DEBUG_BURST;

	*ret_suppressed = 0;
	if (cause == WYN_LOG_ALWAYS) {
		return true;
	}
	if (!has_room(limit, causes[cause].burst, now_ns) ||
		(shares &&
			!has_room(&limits->all, WYN_LOG_ALL_BURST, now_ns))) {
		limit->suppressed++;
		return false;
	}
	limit->lines++;
	limits->all.lines += shares;
	*ret_suppressed = limit->suppressed;
	limit->suppressed = 0;
	return true;
}

const char *wyn_log_limits_due(struct wyn_log_limits *limits, uint64_t now_ns,
	bool all, uint64_t *ret_suppressed)
{
	for (size_t i = 0; i < WYN_LOG_CAUSES; i++) {
		struct wyn_log_limit *limit = &limits->of[i];

		if (limit->suppressed > 0 && (all || is_over(limit, now_ns))) {
			*ret_suppressed = limit->suppressed;
			limit->suppressed = 0;
			return causes[i].event;
		}
	}
	return NULL;
}
