// SPDX-License-Identifier: MIT
/*
 * faults.h - calls of the libc and the kernel that fail when a test says so.
 *
 * For a program that the linker was told to lead through faults.c: by --wrap,
 * in the Makefile. What the libc calls by itself is not led there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum fault {
	FAULT_NONE,
	FAULT_MEMORY, /* malloc and its like, CPU_ALLOC, mmap */
	FAULT_THREAD, /* pthread_create: EAGAIN */
	/* A futex's wait ends at once, interrupted, too late or for nothing; a
	 * wake does its work and then says that the word is gone. */
	FAULT_SLEEP,
	FAULT_MEMBARRIER, /* unknown to this kernel */
};

/*
 * fault_arm - from now on the at-th call of this kind fails, once or for good.
 *
 * Thread: any, while no other thread makes such calls.
 */
void fault_arm(enum fault kind, unsigned at, bool for_good);

/* fault_disarm - nothing fails. Returns: whether anything did. Thread: any. */
bool fault_disarm(void);

/* fault_pause, fault_resume - in between nothing fails, and nothing counts.
 * Thread: as fault_arm(). */
void fault_pause(void);
void fault_resume(enum fault kind);

/* fault_armed - what fails now. Thread: any. */
enum fault fault_armed(void);

/* fault_allocated - pieces and pages that were not freed. Thread: any. */
size_t fault_allocated(void);
