// SPDX-License-Identifier: MIT
/*
 * combination.c - the memory of combinations, and who keeps their inputs.
 *
 * A then and small ones lie in a slot of the slabs, others in the libc's
 * memory.
 */
#include "scheduler/combination.h"

#include <string.h>

#include "base/assert.h"
#include "scheduler/slab.h"
#include "scheduler/spawn.h"

static size_t combination_bytes(enum wyn_combine_kind kind, size_t n)
{
	size_t of_one =
		sizeof(struct wyn_future *) +
		(kind == WYN_COMBINE_ALL ? sizeof(struct wyn_value) : 0);

	return sizeof(struct wyn_combination) + n * of_one;
}

static_assert(WYN_COMBINE_INPUTS_MAX < 1 << 24, "n fits its bits");
static_assert(sizeof(struct wyn_combination) + sizeof(struct wyn_future *) <=
		      WYN_SLAB_SLOT_BYTES,
	"a then fits a slot");

struct wyn_combination *wyn_combination_make(
	struct wyn_pool *pool, enum wyn_combine_kind kind, size_t n)
{
	size_t bytes = combination_bytes(kind, n);
	struct wyn_combination *combination =
		bytes <= WYN_SLAB_SLOT_BYTES
			? wyn_slab_acquire(&pool->slabs,
				  wyn_pool_producer(pool)->magazine)
			: wyn_large_acquire(&pool->larges, bytes);

	if (combination == NULL) {
		return NULL;
	}
	memset(combination, 0, sizeof(*combination));
	combination->kind = (unsigned)kind & 0xff;
	combination->n = (uint32_t)n & 0xffffff;
	if (kind == WYN_COMBINE_ALL) {
		combination->values =
			(struct wyn_value *)(void *)&combination->inputs[n];
	}
	return combination;
}

void wyn_combination_free(
	struct wyn_pool *pool, struct wyn_combination *combination)
{
	if (combination_bytes((enum wyn_combine_kind)combination->kind,
		    combination->n) <= WYN_SLAB_SLOT_BYTES) {
		wyn_slab_release(
			combination, wyn_pool_producer(pool)->magazine);
	} else {
		wyn_large_release(&pool->larges, combination);
	}
}

void wyn_combination_drop(
	struct wyn_combination *combination, const struct wyn_future *but)
{
	for (uint32_t i = 0; i < combination->n; i++) {
		struct wyn_future *input = combination->inputs[i];

		if (input != but) {
			combination->inputs[i] = NULL;
			wyn_future_drop(input);
		}
	}
}

void wyn_combination_fini(struct wyn_pool *pool,
	struct wyn_combination *combination, bool read,
	struct wyn_future **garbage)
{
	bool keep = read && combination->kind != WYN_COMBINE_THEN;

	for (uint32_t i = 0; i < combination->n; i++) {
		struct wyn_future *input = combination->inputs[i];

		if (input == NULL) {
			continue;
		}
		if (keep) {
			wyn_future_keep(input);
		}
		if (wyn_future_let_go(input)) {
			input->next = *garbage;
			*garbage = input;
		}
	}
	wyn_combination_free(pool, combination);
}

bool wyn_combination_hold(struct wyn_combination *combination)
{
	uint32_t pending = atomic_load_explicit(
		&combination->pending, memory_order_relaxed);

	do {
		if (pending == 0) {
			return false;
		}
		/* [inputs] only from above 0, so nothing is to be seen yet. */
	} while (!atomic_compare_exchange_weak_explicit(&combination->pending,
		&pending, pending + 1, memory_order_relaxed,
		memory_order_relaxed));
	return true;
}
