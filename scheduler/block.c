// SPDX-License-Identifier: MIT
/*
 * block.c - blocking sections.
 *
 * The first of nested sections lends the seat, if the thread has one; after
 * the end the task goes on without a seat, and its thread becomes a spare
 * when the task returns.
 */
#include <wyn/pool.h>

#include "base/assert.h"
#include "scheduler/thread.h"

int wyn_block_begin(void)
{
	struct wyn_thread *thread = wyn_thread_self();
	int r = 0;

	if (thread == NULL) {
		return 0;
	}
	if (thread->seat != NULL) {
		r = wyn_thread_lend(thread);
	}
	if (r == 0) {
		thread->block_depth++;
	}
	return r;
}

void wyn_block_end(void)
{
	struct wyn_thread *thread = wyn_thread_self();

	if (thread == NULL) {
		return;
	}
	wyn_assert(thread->block_depth > 0);
	thread->block_depth--;
}
