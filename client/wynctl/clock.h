// SPDX-License-Identifier: MIT
/*
 * clock.h - what wynctl measures by. Any thread.
 */
#pragma once

#include <stdint.h>
#include <time.h>

#include "base/time.h"

/* wyn_ctl_now_ns - CLOCK_MONOTONIC. Thread: any. */
static inline uint64_t wyn_ctl_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * WYN_NS_PER_S + (uint64_t)now.tv_nsec;
}
