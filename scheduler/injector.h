// SPDX-License-Identifier: MIT
/*
 * injector.h - the pool's global, unbounded queue, in lanes.
 *
 * A lane is a list of blocks of items by value, with one producer and one
 * consumer at a time and one published count between them. A thread that
 * produces holds a lane for itself as long as it lives, so that a push is a
 * few plain stores; who finds none left shares the first one, push by push.
 * Consumers exclude each other by a lock that is only tried, so whoever meets
 * a held one goes elsewhere. Items of one producer stay in order. Any thread.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "scheduler/chunk.h"
#include "scheduler/fence.h"
#include "scheduler/item.h"
#include "scheduler/perturb.h"

/* Lanes that threads can hold, beside the shared one. */
#define WYN_INJECTOR_LANES 63
/* Items of a block, which is a chunk with a line for its header. */
#define WYN_INJECTOR_BLOCK_ITEMS \
	((WYN_CHUNK_BYTES - WYN_CACHE_LINE) / sizeof(struct wyn_item))
/* Most items that one take moves. */
#define WYN_INJECTOR_GRAB_MAX 128

struct wyn_injector_block {
	struct wyn_chunk chunk;
	struct wyn_injector_block *next; /* [M held], read under head */
	uint64_t begin;			 /* [I] index of its first item */
	_Alignas(
		WYN_CACHE_LINE) struct wyn_item items[WYN_INJECTOR_BLOCK_ITEMS];
};

struct wyn_lane {
	/* The producer's line. */
	_Alignas(WYN_CACHE_LINE) _Atomic uint32_t held; /* [A lane] a lock */
	_Atomic uint32_t pushing;	  /* [A close] from outside */
	struct wyn_injector_block *tail;  /* [M held] */
	uint64_t tail_begin;		  /* [M held] tail->begin */
	struct wyn_injector_block *first; /* [M held], read under head */
	_Atomic uint64_t moved;	 /* [A drain] of pushed, no new tasks */
	_Atomic uint64_t pushed; /* [A inject] items ever */
	/* The consumers' line. */
	_Alignas(WYN_CACHE_LINE) _Atomic uint32_t head_lock; /* [A inject] */
	struct wyn_injector_block *head;		     /* [M head] */
	_Atomic uint64_t taken; /* [A inject] items ever */
	_Atomic uint64_t seen;	/* [A inject] at least so many were pushed */
};

struct wyn_injector {
	struct wyn_chunks *chunks; /* [I] */
	_Atomic bool closed;	   /* [A close] */
	_Atomic unsigned opened;   /* [A lane] lanes that were ever held */
	struct wyn_lane
		lanes[1 + WYN_INJECTOR_LANES]; /* the shared one first */
};

/* A batch to push: items, or one function for an array of pointers. */
struct wyn_injector_batch {
	const struct wyn_item *items; /* or NULL: */
	void (*fn)(void *arg);
	const void *args; /* an array of object pointers of any type */
	size_t n;
};

enum wyn_injector_kind {
	WYN_INJECTOR_OUTSIDE, /* new tasks; refused once closed */
	WYN_INJECTOR_INSIDE,  /* new tasks of a task; never refused */
	WYN_INJECTOR_MOVE,    /* tasks that were counted before */
};

/*
 * wyn_injector_init - makes an empty injector; its blocks are chunks of these.
 *
 * Thread: boot. Blocks: never.
 */
void wyn_injector_init(
	struct wyn_injector *injector, struct wyn_chunks *chunks);

/*
 * wyn_lane_hold - gives the calling thread a lane of its own.
 *
 * Thread: any. Returns: NULL when all are held. Blocks: never.
 */
struct wyn_lane *wyn_lane_hold(struct wyn_injector *injector);

/*
 * wyn_lane_release - gives the lane to whoever holds it next.
 *
 * Thread: any, when its holder does not push. Blocks: never.
 */
void wyn_lane_release(struct wyn_lane *lane);

/*
 * wyn_injector_push - appends a batch to a lane, all of it or nothing.
 *
 * lane is one that the caller holds, or NULL for the shared one.
 *
 * Thread: any. Returns: 0; -ENOMEM; -ESHUTDOWN when closed.
 * Blocks: yields while another thread pushes to the shared lane.
 */
WYN_NODISCARD
int wyn_injector_push(struct wyn_injector *injector, struct wyn_lane *lane,
	const struct wyn_injector_batch *batch, enum wyn_injector_kind kind);

/*
 * wyn_lane_push - the same for one item from outside, if it is easy.
 *
 * Only with asymmetric fences. Thread: any, the holder of the lane. Returns:
 * false if it takes more than a few stores: call wyn_injector_push.
 * Blocks: never.
 */
static inline bool wyn_lane_push(const struct wyn_injector *injector,
	struct wyn_lane *lane, struct wyn_item item)
{
	uint64_t pushed =
		atomic_load_explicit(&lane->pushed, memory_order_relaxed);
	uint64_t at = pushed - lane->tail_begin;
	bool open;

	if (WYN_UNLIKELY(at == WYN_INJECTOR_BLOCK_ITEMS)) {
		return false;
	}
	WYN_STEP();
	/* [close] whoever closes sees that we are inside, or we see it. */
	atomic_store_explicit(&lane->pushing, 1, memory_order_relaxed);
	wyn_fence_lightest();
	open = !atomic_load_explicit(&injector->closed, memory_order_relaxed);
	if (WYN_LIKELY(open)) {
		lane->tail->items[at] = item;
		WYN_STEP();
		/* [inject] publishes the item. */
		atomic_store_explicit(
			&lane->pushed, pushed + 1, memory_order_release);
	}
	/* [close] with the count of what was accepted. */
	atomic_store_explicit(&lane->pushing, 0, memory_order_release);
	return open;
}

/*
 * wyn_injector_take - takes up to `max` of the oldest items of one lane.
 *
 * Of a lane's n items it takes n / sharers + 1, so that others find some
 * too. Skips lanes that another consumer holds. *cursor, the caller's own,
 * says where it looks first and moves on.
 *
 * Thread: any. Returns: how many, 0 if nothing was found. Blocks: never.
 */
size_t wyn_injector_take(struct wyn_injector *injector, unsigned *cursor,
	unsigned sharers, struct wyn_item *ret_items, size_t max);

/*
 * wyn_injector_close - refuses new tasks from outside from now on.
 *
 * Every push that was accepted is counted by wyn_injector_accepted when this
 * returns.
 *
 * Thread: any. Blocks: yields while a producer is inside.
 */
void wyn_injector_close(struct wyn_injector *injector);

/*
 * wyn_injector_accepted - new tasks ever pushed.
 *
 * Thread: any. Blocks: never.
 */
uint64_t wyn_injector_accepted(struct wyn_injector *injector);

/*
 * wyn_injector_pushed - items ever pushed, moves included: statistics only.
 *
 * Thread: any. Blocks: never.
 */
uint64_t wyn_injector_pushed(struct wyn_injector *injector);

/*
 * wyn_injector_length - items that wait.
 *
 * May say more than there is, never less than what was pushed before the
 * caller's parking (label [park]).
 *
 * Thread: any. Blocks: never.
 */
uint64_t wyn_injector_length(struct wyn_injector *injector);
