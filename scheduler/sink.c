// SPDX-License-Identifier: MIT
/*
 * sink.c - lanes of completed jobs, and the owner's arming.
 *
 * A worker pushes each job at once, with one RMW on a line that only it and
 * now and then the owner write. The chain that the owner takes has grown in
 * the lane, not in the worker: nothing that is completed is ever hidden
 * behind the task that the worker runs next.
 */
#include "scheduler/sink.h"

#include <string.h>

#include "base/assert.h"
#include "scheduler/perturb.h"

static_assert(sizeof(struct wyn_sink_lane) == 64, "a line per lane");

void wyn_sink_init(struct wyn_sink *sink, void (*wake)(struct wyn_sink *sink))
{
	memset(sink, 0, sizeof(*sink));
	sink->wake = wake;
}

void wyn_sink_push(struct wyn_sink *sink, struct wyn_job *job, unsigned lane)
{
	struct wyn_job **head = &sink->lanes[lane % WYN_SINK_LANES].head;
	struct wyn_job *old = __atomic_load_n(head, __ATOMIC_RELAXED);

	do {
		job->next = old;
		WYN_STEP();
		/* [done] publishes what the body wrote. seq_cst for [wake]:
		 * the look at `armed` must not pass it. */
	} while (!__atomic_compare_exchange_n(
		head, &old, job, true, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED));
	WYN_STEP();
	/* [wake] one load while the owner is awake; of several workers that
	 * see it armed the exchange chooses one. */
	if (__atomic_load_n(&sink->armed, __ATOMIC_SEQ_CST) != 0 &&
		__atomic_exchange_n(&sink->armed, 0, __ATOMIC_SEQ_CST) != 0) {
		sink->wake(sink);
	}
}

/* Turns newest first into oldest first. */
static struct wyn_job *chain_reverse(struct wyn_job *newest)
{
	struct wyn_job *reversed = NULL;

	while (newest != NULL) {
		struct wyn_job *older = newest->next;

		newest->next = reversed;
		reversed = newest;
		newest = older;
	}
	return reversed;
}

struct wyn_job *wyn_sink_drain(struct wyn_sink *sink)
{
	struct wyn_job *first = NULL;
	struct wyn_job **link = &first;

	for (unsigned i = 0; i < WYN_SINK_LANES; i++) {
		struct wyn_job **head = &sink->lanes[i].head;
		struct wyn_job *newest;

		if (__atomic_load_n(head, __ATOMIC_RELAXED) == NULL) {
			continue;
		}
		WYN_STEP();
		/* [done] acquires what the bodies wrote. */
		newest = __atomic_exchange_n(head, NULL, __ATOMIC_ACQUIRE);
		*link = chain_reverse(newest);
		link = &newest->next;
	}
	return first;
}

bool wyn_sink_peek(const struct wyn_sink *sink)
{
	for (unsigned i = 0; i < WYN_SINK_LANES; i++) {
		if (__atomic_load_n(&sink->lanes[i].head, __ATOMIC_RELAXED) !=
			NULL) {
			return true;
		}
	}
	return false;
}

bool wyn_sink_arm(struct wyn_sink *sink)
{
	WYN_STEP();
	/* [wake] seq_cst: a push either sees this, or is seen below. */
	__atomic_store_n(&sink->armed, 1, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < WYN_SINK_LANES; i++) {
		WYN_STEP();
		if (__atomic_load_n(&sink->lanes[i].head, __ATOMIC_SEQ_CST) !=
			NULL) {
			wyn_sink_disarm(sink);
			return false;
		}
	}
	return true;
}

void wyn_sink_disarm(struct wyn_sink *sink)
{
	WYN_STEP();
	/* [wake] an exchange, so that a push that lost it sends no wake. */
	if (__atomic_load_n(&sink->armed, __ATOMIC_RELAXED) != 0) {
		__atomic_exchange_n(&sink->armed, 0, __ATOMIC_SEQ_CST);
	}
}
