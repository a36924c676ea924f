// SPDX-License-Identifier: MIT
/*
 * held.c - see held.h. The loop's thread only.
 */
#include "daemon/engine/held.h"

#include <stdatomic.h>

#include "base/assert.h"
#include "daemon/engine/engine_state.h"

struct wyn_held wyn_engine_claim(
	struct wyn_engine *engine, const struct wyn_held *claimed)
{
	struct wyn_shared *shared = engine->shared;

	/* [held] what it returns decides; pairs with what is taken off. */
	return (struct wyn_held){
		.tasks = atomic_fetch_add_explicit(&shared->tasks_held,
			claimed->tasks, memory_order_relaxed),
		.bytes =
			claimed->bytes > 0
				? atomic_fetch_add_explicit(&shared->bytes_held,
					  claimed->bytes, memory_order_relaxed)
				: atomic_load_explicit(&shared->bytes_held,
					  memory_order_relaxed),
	};
}

void wyn_engine_hold(struct wyn_engine *engine, const struct wyn_held *claimed,
	const struct wyn_held *held)
{
	struct wyn_shared *shared = engine->shared;

	engine->unfinished += held->tasks;
	/* Less, or for what its batches have of their own more. */
	if (held->tasks != claimed->tasks) {
		atomic_fetch_add_explicit(&shared->tasks_held,
			held->tasks - claimed->tasks, memory_order_relaxed);
	}
	if (held->bytes != claimed->bytes) {
		atomic_fetch_add_explicit(&shared->bytes_held,
			held->bytes - claimed->bytes, memory_order_relaxed);
	}
}

void wyn_engine_unhold(
	struct wyn_engine *engine, uint64_t tasks, uint64_t bytes)
{
	engine->released_tasks += tasks;
	engine->released_bytes += bytes;
	wyn_assert(engine->unfinished >= tasks);
	engine->unfinished -= tasks;
}

static uint64_t buffered(const struct wyn_engine *engine)
{
	return engine->carry_bytes + engine->segments.used_bytes;
}

uint64_t wyn_engine_buffer_max(const struct wyn_engine *engine)
{
	const struct wyn_shared *shared = engine->shared;
	uint64_t all =
		atomic_load_explicit(&shared->buffered, memory_order_relaxed) +
		buffered(engine) - engine->buffered_told;
	uint64_t sharers;
	uint64_t share;

	if (all < engine->limits.buffer_bytes_max) {
		return UINT64_MAX;
	}
	sharers = atomic_load_explicit(
		&shared->connections, memory_order_relaxed);
	share = engine->limits.buffer_bytes_max / (sharers ? sharers : 1);
	return share > WYN_BUFFER_SHARE_MIN ? share : WYN_BUFFER_SHARE_MIN;
}

/* [held] some atomics per turn instead of some per task. */
void wyn_engine_held_tell(struct wyn_engine *engine)
{
	struct wyn_shared *shared = engine->shared;
	uint64_t now = buffered(engine);

	if (now != engine->buffered_told) {
		/* Modulo 2^64, so that less is added as well. */
		atomic_fetch_add_explicit(&shared->buffered,
			now - engine->buffered_told, memory_order_relaxed);
		engine->buffered_told = now;
	}
	if (engine->released_tasks > 0) {
		atomic_fetch_sub_explicit(&shared->tasks_held,
			engine->released_tasks, memory_order_relaxed);
		engine->released_tasks = 0;
	}
	if (engine->released_bytes > 0) {
		atomic_fetch_sub_explicit(&shared->bytes_held,
			engine->released_bytes, memory_order_relaxed);
		engine->released_bytes = 0;
	}
}
