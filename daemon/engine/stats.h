// SPDX-License-Identifier: MIT
/*
 * stats.h - what one loop counts, and its sum over all loops.
 *
 * One writer per counter, relaxed, read by whoever answers a stats Call:
 * statistics only, nothing is decided by them. The names are the wire's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "daemon/run/refusal.h"

/* X(field): counters of a loop; refusal.h has those of tasks that were refused
 * or cut short. */
#define WYN_STATS_TABLE(X)      \
	X(connections_accepted) \
	X(connections_closed)   \
	X(connections_over_max) \
	X(connections_failed)   \
	X(lingering_over_max)   \
	X(received_bytes)       \
	X(sent_bytes)           \
	X(frames_received)      \
	X(submits)              \
	X(tasks_accepted)       \
	X(tasks_returned)       \
	X(tasks_ok)             \
	X(tasks_failed)         \
	X(tasks_cancelled)      \
	X(tasks_expired)        \
	X(tasks_refused)        \
	X(tasks_discarded)      \
	X(tasks_kept)           \
	X(kept_evicted)         \
	X(partial_values)       \
	X(calls_over_max)       \
	X(output_over_max)      \
	X(buffers_over_max)     \
	X(executor_full)        \
	X(commands_full)        \
	X(executor_stalled)     \
	X(streams_full)         \
	X(stream_over_max)      \
	X(tasks_recalled)       \
	X(dispatches)           \
	X(turns)

struct wyn_stats {
#define WYN_STATS_FIELD(field) uint64_t field##_approx;
	WYN_STATS_TABLE(WYN_STATS_FIELD)
#undef WYN_STATS_FIELD
	uint64_t refused_approx[WYN_REFUSALS];
	/* from the receipt of the Submit to the encoding of the row */
	struct wyn_histogram latency_ns;
};

/* Adds to a counter. Thread: the loop that owns it. */
#define WYN_STATS_ADD(stats, field, n)             \
	__atomic_store_n(&(stats)->field##_approx, \
		(stats)->field##_approx + (n), __ATOMIC_RELAXED)

/* wyn_stats_refused - so many tasks ended by that; NONE counts for nothing.
 * Thread: the loop that owns it. */
static inline void wyn_stats_refused(
	struct wyn_stats *stats, enum wyn_refusal refusal, uint64_t n)
{
	uint64_t *counter = &stats->refused_approx[refusal];

	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* wyn_stats_ended - so many rows with that code, or outcomes that are kept in
 * place of one; refused: before they started. Thread: the loop that owns it. */
void wyn_stats_ended(
	struct wyn_stats *stats, uint32_t code, bool refused, uint64_t n);

/* wyn_stats_init - all zero. Thread: boot. */
void wyn_stats_init(struct wyn_stats *stats);

/*
 * wyn_stats_sum - adds what `from` has counted so far to `into`.
 *
 * Thread: any; `into` is the caller's own.
 */
void wyn_stats_sum(struct wyn_stats *into, const struct wyn_stats *from);
