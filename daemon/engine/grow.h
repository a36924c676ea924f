// SPDX-License-Identifier: MIT
/*
 * grow.h - Submits that came together and differ in their seqs alone share a
 * batch.
 *
 * A client that submits its tasks one by one sends many at once. What each
 * would cost, a batch and a span and its turns, is shared when they follow one
 * another: the later ones go into the batch of the first. Only while input is
 * used: a batch is never added to once others may have taken from it. Private
 * to the engine. The loop's thread only.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/run/batch.h"

struct wyn_engine;

#define WYN_GROW_BYTES_MAX 8192u /* of the room for others, in one batch */

/* wyn_grow_begin - the batch, which is queued, may be added to. */
void wyn_grow_begin(struct wyn_engine *engine, struct wyn_batch *batch);

/* wyn_grow_end - input is no more used: none may be added to. */
void wyn_grow_end(struct wyn_engine *engine);

/*
 * wyn_grow_find - the batch to which a Submit's tasks from first_seq on can be
 * added, if it has room.
 *
 * Returns: NULL when there is none.
 */
struct wyn_batch *wyn_grow_find(const struct wyn_engine *engine,
	const struct wyn_function_entry *function,
	const struct wyn_submit_options *options, uint64_t first_seq);

/* wyn_grow_spare - how much room for others a new batch should have that
 * follows the one `before`, if any, which was found and had none. */
size_t wyn_grow_spare(
	const struct wyn_batch *before, const struct wyn_args *args);

/* wyn_grow_ids - ids for a new batch, also for what may be added to it. */
void wyn_grow_ids(struct wyn_engine *engine, struct wyn_batch *batch);
