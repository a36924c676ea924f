// SPDX-License-Identifier: MIT
/*
 * held.h - what all loops hold: tasks, their arguments, and buffers.
 *
 * Private to the engine, whose own share it keeps. Admission decides by the
 * sums of all, which are in wyn_shared.
 */
#pragma once

#include <stdint.h>

struct wyn_engine;

/* Tasks and bytes of their arguments. */
struct wyn_held {
	uint64_t tasks;
	uint64_t bytes;
};

/*
 * Counts what a Submit may come to hold, before it is decided: all loops decide
 * by the same numbers, and none may pass a bound between another's look and its
 * sum. Returns: what was held before.
 */
struct wyn_held wyn_engine_claim(
	struct wyn_engine *engine, const struct wyn_held *claimed);

/* This is held instead of what was claimed. */
void wyn_engine_hold(struct wyn_engine *engine, const struct wyn_held *claimed,
	const struct wyn_held *held);

/* So much is held no more. */
void wyn_engine_unhold(
	struct wyn_engine *engine, uint64_t tasks, uint64_t bytes);

/*
 * What one connection may keep of its input, and again of its output: no bound
 * as long as all of them together are within max-buffer, else its share of it.
 */
uint64_t wyn_engine_buffer_max(const struct wyn_engine *engine);

/* What changed is told to the others. At the end of a turn. */
void wyn_engine_held_tell(struct wyn_engine *engine);
