// SPDX-License-Identifier: MIT
/*
 * fence.c - membarrier(2), private and expedited.
 *
 * The registration is the process's, not the thread's. A forked child makes its
 * own while it has one thread only.
 */
#include "scheduler/fence.h"

#include <linux/membarrier.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/assert.h"
#include "scheduler/perturb.h"

bool wyn_fence_is_asymmetric;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static long membarrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

static bool membarrier_register(void)
{
	return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

static void init(void)
{
	wyn_fence_is_asymmetric = membarrier_register();
}

void wyn_fence_init(void)
{
	pthread_once(&once, init);
}

void wyn_fence_forked(void)
{
	if (wyn_fence_is_asymmetric) {
		wyn_fence_is_asymmetric = membarrier_register();
	}
}

/* TSan does not know fences. It need not: they order flags and counts, and what
 * these stand for is published by releases. */
#ifdef __SANITIZE_THREAD__
#pragma GCC diagnostic ignored "-Wtsan"
#endif

void wyn_fence_full(void)
{
	atomic_thread_fence(memory_order_seq_cst);
}

void wyn_fence_heavy(void)
{
	WYN_STEP();
	if (wyn_fence_is_asymmetric) {
		long r = membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED);

		/* Registered, it cannot fail. */
		wyn_assert(r == 0);
	} else {
		wyn_fence_full();
	}
}
