// SPDX-License-Identifier: MIT
/*
 * watchdog.h - is the daemon well enough to say so to its watchdog?
 *
 * A pure decision: what was seen and when comes in. Well means that every loop
 * took a turn since it was last woken for it, and that no task has waited for
 * WYN_WATCHDOG_WAIT_NS beside a worker that sleeps. How long a task runs does
 * not matter. notifier.c looks, and feeds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WYN_WATCHDOG_WAIT_NS UINT64_C(10000000000)
/* So many looks must have seen the same, so that a process that was stopped in
 * between and has just gone on is given the time to. */
#define WYN_WATCHDOG_LOOKS_MIN 3u

enum wyn_watchdog_verdict {
	WYN_WATCHDOG_WELL, /* feed it */
	WYN_WATCHDOG_LOOP_SILENT,
	WYN_WATCHDOG_TASK_STRANDED,
};

/* What one look saw. */
struct wyn_watchdog_look {
	uint64_t now_ns;
	bool loops_answered; /* each took a turn since the last good look */
	uint64_t begun;	     /* tasks that left the pool's queues, so far */
	uint64_t queued;     /* tasks in them */
	uint64_t asleep;     /* workers that wait for tasks */
};

struct wyn_watchdog {
	uint64_t interval_ns;
	unsigned looks;	   /* in a row that saw the same tasks wait; 0 = none */
	uint64_t since_ns; /* the first of these */
	uint64_t begun;	   /* as it saw it */
};

/* wyn_watchdog_init - it is to be fed once in `interval_ns`. Thread: any. */
void wyn_watchdog_init(struct wyn_watchdog *watchdog, uint64_t interval_ns);

/*
 * wyn_watchdog_decide - judges one look.
 *
 * Thread: any, one at a time. Returns: the verdict, and in *ret_next_ns after
 * how long to look again: half of the interval, or an eighth when something
 * looks wrong, so that what recovers is fed before it is too late.
 */
enum wyn_watchdog_verdict wyn_watchdog_decide(struct wyn_watchdog *watchdog,
	const struct wyn_watchdog_look *look, uint64_t *ret_next_ns);
