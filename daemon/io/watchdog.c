// SPDX-License-Identifier: MIT
/*
 * watchdog.c - is the daemon well enough to say so to its watchdog?
 *
 * Which task has waited for how long is not known outside the pool. But while
 * none is begun, those that wait are the same ones; so it is enough to see
 * some wait, a worker sleep, and the number of begun ones stand still.
 */
#include "daemon/io/watchdog.h"

void wyn_watchdog_init(struct wyn_watchdog *watchdog, uint64_t interval_ns)
{
	*watchdog = (struct wyn_watchdog){.interval_ns = interval_ns};
}

/* Counts looks that see the same tasks wait beside a worker that sleeps. */
static void watch_tasks(
	struct wyn_watchdog *watchdog, const struct wyn_watchdog_look *look)
{
	if (look->queued == 0 || look->asleep == 0) {
		watchdog->looks = 0;
		return;
	}
	if (watchdog->looks == 0 || watchdog->begun != look->begun) {
		watchdog->looks = 0;
		watchdog->since_ns = look->now_ns;
		watchdog->begun = look->begun;
	}
	watchdog->looks++;
}

enum wyn_watchdog_verdict wyn_watchdog_decide(struct wyn_watchdog *watchdog,
	const struct wyn_watchdog_look *look, uint64_t *ret_next_ns)
{
	bool well;

	watch_tasks(watchdog, look);
	well = look->loops_answered && watchdog->looks == 0;
	*ret_next_ns = watchdog->interval_ns / (well ? 2 : 8);
	if (!look->loops_answered) {
		return WYN_WATCHDOG_LOOP_SILENT;
	}
	return watchdog->looks >= WYN_WATCHDOG_LOOKS_MIN &&
			       look->now_ns - watchdog->since_ns >=
				       WYN_WATCHDOG_WAIT_NS
		       ? WYN_WATCHDOG_TASK_STRANDED
		       : WYN_WATCHDOG_WELL;
}
