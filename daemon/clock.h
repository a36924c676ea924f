// SPDX-License-Identifier: MIT
/*
 * clock.h - what time it is, for the parts of the daemon that may ask.
 *
 * The engine may not: it is told. Any thread.
 */
#pragma once

#include <stdint.h>
#include <time.h>

/* wyn_clock_ns - nanoseconds of a clock that every Linux has. Thread: any. */
static inline uint64_t wyn_clock_ns(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) +
	       (uint64_t)now.tv_nsec;
}
