// SPDX-License-Identifier: MIT
/*
 * bench_pace.c - the schedule of an open loop, as one multiplication.
 *
 * Nothing is added up, so that no rounding gathers over billions of batches: a
 * double is exact to the nanosecond for a hundred days.
 */
#include "client/wynctl/bench_pace.h"

#include "base/time.h"

void wyn_pace_init(struct wyn_pace *pace, uint64_t start_ns, uint64_t rate,
	uint64_t batch_tasks)
{
	*pace = (struct wyn_pace){
		.start_ns = start_ns,
		.gap_ns = (double)batch_tasks * (double)WYN_NS_PER_S /
			  (double)rate,
		.end = UINT64_MAX,
	};
}

static uint64_t pace_time(const struct wyn_pace *pace, uint64_t index)
{
	return pace->start_ns + (uint64_t)((double)index * pace->gap_ns);
}

uint64_t wyn_pace_at(const struct wyn_pace *pace, uint64_t index)
{
	return index < pace->end ? pace_time(pace, index) : UINT64_MAX;
}

uint64_t wyn_pace_due(const struct wyn_pace *pace, uint64_t now_ns)
{
	uint64_t due;

	if (now_ns < pace->start_ns) {
		return 0;
	}
	due = (uint64_t)((double)(now_ns - pace->start_ns) / pace->gap_ns) + 1;
	/* The division may be off by one where the product is not. */
	if (pace_time(pace, due - 1) > now_ns) {
		due--;
	} else if (pace_time(pace, due) <= now_ns) {
		due++;
	}
	return due < pace->end ? due : pace->end;
}

uint64_t wyn_pace_share(uint64_t due, uint64_t connection, uint64_t connections)
{
	return due > connection ? (due - connection - 1) / connections + 1 : 0;
}
