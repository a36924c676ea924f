// SPDX-License-Identifier: MIT
/*
 * clock.h - the clock of the blocking layer, which deadlines are told by.
 *
 * The session may not look at it. Any thread.
 */
#pragma once

#include <stdint.h>
#include <time.h>

#include "base/time.h"

/* wyn_client_now_ns - CLOCK_MONOTONIC. Thread: any. */
static inline uint64_t wyn_client_now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * WYN_NS_PER_S + (uint64_t)now.tv_nsec;
}
