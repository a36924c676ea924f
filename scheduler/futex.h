// SPDX-License-Identifier: MIT
/*
 * futex.h - the three system calls that put a thread to sleep and wake it.
 *
 * Private futexes on 32-bit words. A wake is sent to an address only: the
 * word behind it may be gone by then, which costs at worst a spurious wake
 * elsewhere, and every sleeper here expects those. Any thread.
 */
#pragma once

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <wyn/pool.h>

#include "base/time.h"
#include "scheduler/perturb.h"

/*
 * wyn_futex_wait - sleeps while *word is `expected`.
 *
 * Thread: any. Returns: true after a wake, a signal or a changed word (look
 * again), false when deadline_ns of CLOCK_MONOTONIC has passed.
 * Blocks: yes.
 */
static inline bool wyn_futex_wait(
	_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns)
{
	struct timespec at = {
		.tv_sec = (time_t)(deadline_ns / WYN_NS_PER_S),
		.tv_nsec = (long)(deadline_ns % WYN_NS_PER_S),
	};
	WYN_STEP();
	/* FUTEX_WAIT_BITSET, because its timeout is an absolute time. */
	long got = syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected,
		deadline_ns == WYN_DEADLINE_NONE ? NULL : &at, NULL,
		FUTEX_BITSET_MATCH_ANY);

	return got == 0 || errno != ETIMEDOUT;
}

/*
 * wyn_futex_wake - wakes one sleeper.
 *
 * Thread: any. Blocks: never.
 */
static inline void wyn_futex_wake(_Atomic uint32_t *word)
{
	WYN_STEP();
	(void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/*
 * wyn_futex_wake_all - wakes every sleeper.
 *
 * Thread: any. Blocks: never.
 */
static inline void wyn_futex_wake_all(_Atomic uint32_t *word)
{
	WYN_STEP();
	(void)syscall(
		SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/*
 * wyn_cpu_relax - tells the core that this is a spin.
 *
 * Thread: any. Blocks: never.
 */
static inline void wyn_cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/*
 * wyn_cpu_relax_for - so many times: one takes about 40 ns.
 *
 * Thread: any. Blocks: never.
 */
static inline void wyn_cpu_relax_for(unsigned times)
{
	for (unsigned i = 0; i < times; i++) {
		wyn_cpu_relax();
	}
}
