// SPDX-License-Identifier: MIT
/*
 * bench_pace.h - the schedule of an open loop: when which batch is due.
 *
 * Pure: times come in as numbers, nothing is read and nothing waits. Batch i is
 * due at the start and i gaps, whatever became of those before it, and belongs
 * to connection i modulo their number. Any thread.
 */
#pragma once

#include <stdint.h>

struct wyn_pace {
	uint64_t start_ns;
	double gap_ns; /* between two batches; 0 < gap */
	uint64_t end;  /* so many batches are ever due */
};

/* wyn_pace_init - `rate` tasks a second in batches; without an end. */
void wyn_pace_init(struct wyn_pace *pace, uint64_t start_ns, uint64_t rate,
	uint64_t batch_tasks);

/* wyn_pace_at - when that batch is due; UINT64_MAX from the end on. */
uint64_t wyn_pace_at(const struct wyn_pace *pace, uint64_t index);

/* wyn_pace_due - how many batches are due by that time, from the first on. */
uint64_t wyn_pace_due(const struct wyn_pace *pace, uint64_t now_ns);

/* wyn_pace_share - how many of the first `due` belong to that connection. */
uint64_t wyn_pace_share(
	uint64_t due, uint64_t connection, uint64_t connections);
