// SPDX-License-Identifier: MIT
/*
 * grow.c - see grow.h. The batch is held while it grows, for a Cancel in
 * between may end all of its tasks.
 */
#include "daemon/engine/grow.h"

#include <stdatomic.h>

#include "daemon/engine/engine_state.h"

void wyn_grow_begin(struct wyn_engine *engine, struct wyn_batch *batch)
{
	wyn_grow_end(engine);
	wyn_batch_hold(batch);
	engine->growing = batch;
}

/* [held] The ids that it did not need, unless somebody took some behind. */
static void ids_give_back(
	struct wyn_shared *shared, const struct wyn_batch *batch)
{
	uint64_t first = batch->first_id - shared->id_base;
	uint64_t used = first + batch->ids_count;
	uint64_t end = first + batch->count;

	(void)atomic_compare_exchange_strong_explicit(&shared->ids_used, &used,
		end, memory_order_relaxed, memory_order_relaxed);
}

void wyn_grow_end(struct wyn_engine *engine)
{
	struct wyn_batch *batch = engine->growing;

	if (batch == NULL) {
		return;
	}
	engine->growing = NULL;
	ids_give_back(engine->shared, batch);
	wyn_engine_unhold(engine, 0, wyn_batch_release(batch));
}

/* A deadline is counted from the receipt of the Submit that has it, a label is
 * kept once for each batch, and what is to be kept has an entry from the start.
 */
static bool are_alike(
	const struct wyn_submit_options *a, const struct wyn_submit_options *b)
{
	return a->deadline_ms == 0 && b->deadline_ms == 0 &&
	       a->timeout_ms == b->timeout_ms && a->priority == b->priority &&
	       a->on_disconnect == b->on_disconnect &&
	       a->on_disconnect != WYN__V1__ON_DISCONNECT__ON_DISCONNECT_KEEP &&
	       a->stream == b->stream && a->accept == b->accept &&
	       a->quiet == b->quiet && a->label.len == 0 && b->label.len == 0;
}

struct wyn_batch *wyn_grow_find(const struct wyn_engine *engine,
	const struct wyn_function_entry *function,
	const struct wyn_submit_options *options, uint64_t first_seq)
{
	struct wyn_batch *batch = engine->growing;

	return batch != NULL && batch->function == function &&
			       first_seq == batch->first_seq + batch->count &&
			       are_alike(&batch->options, options)
		       ? batch
		       : NULL;
}

size_t wyn_grow_spare(
	const struct wyn_batch *before, const struct wyn_args *args)
{
	bool full =
		before != NULL && args->region.len > wyn_batch_spare(before);
	size_t bytes = full ? 2 * before->bytes : 0;

	/* The more came together, the more may come, unless a Cancel cut it
	 * off; and what is large itself costs little beside its bytes. */
	bytes = bytes < WYN_GROW_BYTES_MAX ? bytes : WYN_GROW_BYTES_MAX;
	return args->region.len <= bytes / 8 ? bytes : 0;
}

void wyn_grow_ids(struct wyn_engine *engine, struct wyn_batch *batch)
{
	struct wyn_shared *shared = engine->shared;

	/* [held] An empty argument has two bytes. */
	batch->ids_count = batch->count + wyn_batch_spare(batch) / 2;
	batch->first_id = shared->id_base +
			  atomic_fetch_add_explicit(&shared->ids_used,
				  batch->ids_count, memory_order_relaxed);
}
