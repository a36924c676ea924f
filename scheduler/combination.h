// SPDX-License-Identifier: MIT
/*
 * combination.h - what a combined future waits for: its inputs, and a count.
 *
 * Made before the first input can end, freed with the combined future.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <wyn/combine.h>

#include "scheduler/future.h"

enum wyn_combine_kind {
	WYN_COMBINE_ALL,
	WYN_COMBINE_ANY,
	WYN_COMBINE_RACE,
	WYN_COMBINE_THEN,
};

struct wyn_combination {
	_Atomic uint32_t pending; /* [A inputs] not ended, and who looks */
	_Atomic int32_t error;	  /* [A inputs] the first */
	uint32_t kind : 8;	  /* [I] enum wyn_combine_kind */
	uint32_t n : 24;	  /* [I] */
	struct wyn_group *group;  /* [I] of the combined future, or NULL */
	union {
		struct {
			wyn_map_fn *fn;
			void *arg;
		} map; /* [I] of a then that may run */
		struct {
			union {
				/* [A inputs] of an any or race */
				struct wyn_future *winner;
				/* [I] of an all, by its inputs */
				struct wyn_value *values;
			};
			/* of who ended it early */
			struct wyn_future *cancel_next;
		};
	};
	/* NULL once dropped; by who took the count to 0, or a then's task. */
	struct wyn_future *inputs[];
};

/*
 * wyn_future_group - the group that a future belongs to, or NULL.
 *
 * Thread: any. Blocks: never.
 */
static inline struct wyn_group *wyn_future_group(struct wyn_future *future)
{
	const struct wyn_combination *combination =
		wyn_future_combination(future);

	return combination != NULL ? combination->group : future->group;
}

/*
 * wyn_combination_make - one with room for n inputs, all else 0.
 *
 * Thread: any. Returns: NULL if memory is out. Blocks: never.
 */
struct wyn_combination *wyn_combination_make(
	struct wyn_pool *pool, enum wyn_combine_kind kind, size_t n);

/*
 * wyn_combination_free - gives back the memory, and no input.
 *
 * Thread: any. Blocks: never.
 */
void wyn_combination_free(
	struct wyn_pool *pool, struct wyn_combination *combination);

/*
 * wyn_combination_fini - gives it back with the inputs that it still has.
 *
 * read: the value was read, and with it those of the inputs. Inputs that are
 * to be freed now are put on the list *garbage, linked by `next`.
 *
 * Thread: any, nobody else having it. Blocks: never.
 */
void wyn_combination_fini(struct wyn_pool *pool,
	struct wyn_combination *combination, bool read,
	struct wyn_future **garbage);

/*
 * wyn_combination_drop - drops the inputs, all but one.
 *
 * Thread: any, nobody else looking at the inputs. Blocks: never.
 */
void wyn_combination_drop(
	struct wyn_combination *combination, const struct wyn_future *but);

/*
 * wyn_combination_hold - keeps the inputs for the caller, by one more to wait
 * for, unless all have ended.
 *
 * Thread: any. Blocks: never.
 */
WYN_NODISCARD
bool wyn_combination_hold(struct wyn_combination *combination);
