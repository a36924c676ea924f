// SPDX-License-Identifier: MIT
/*
 * timers.h - deadlines in order: a heap of times, without a clock.
 *
 * The loop says what time it is and asks when to come again; it owns the one
 * timer handle behind all of these. Timers are embedded in what they time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define WYN_TIMERS_NONE UINT64_MAX

/* [L] all of it. Zeroed = not armed. */
struct wyn_timer {
	uint64_t when_ns;
	void (*fire)(struct wyn_timer *timer, uint64_t now_ns);
	size_t place; /* in the heap, from 1; 0 = not armed */
};

struct wyn_timers {
	struct wyn_timer **heap; /* from 1 */
	size_t count;
	size_t capacity;
};

/* wyn_timers_init, wyn_timers_fini - an empty set. Thread: loop. */
void wyn_timers_init(struct wyn_timers *timers);
void wyn_timers_fini(struct wyn_timers *timers);

/*
 * wyn_timers_arm - sets or moves a timer.
 *
 * Thread: loop. Owns: borrows the timer until it fires or is disarmed.
 * Returns: 0; -ENOMEM, and the timer is as it was.
 */
WYN_NODISCARD
int wyn_timers_arm(
	struct wyn_timers *timers, struct wyn_timer *timer, uint64_t when_ns);

/* wyn_timers_disarm - no-op when it is not armed. Thread: loop. */
void wyn_timers_disarm(struct wyn_timers *timers, struct wyn_timer *timer);

/*
 * wyn_timers_run - disarms and fires up to `most` that are due, earliest first.
 *
 * Thread: loop. A timer may arm itself again, later than now_ns. What is due
 * and was not fired shows in wyn_timers_next_ns().
 */
void wyn_timers_run(struct wyn_timers *timers, uint64_t now_ns, size_t most);

/* wyn_timers_next_ns - when to come again; WYN_TIMERS_NONE = not at all. */
uint64_t wyn_timers_next_ns(const struct wyn_timers *timers);
