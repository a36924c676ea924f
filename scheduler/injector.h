// SPDX-License-Identifier: MIT
/*
 * injector.h - the pool's global, unbounded queue, sharded.
 *
 * Each shard is a list of blocks of items by value, with a lock for producers
 * and a lock for consumers; between the two sides there is one published
 * count. A producer keeps to its shard, so that one producer's items stay in
 * order, and moves on when it finds the shard held. Locks are only ever
 * tried, so whoever meets a held one goes elsewhere. Any thread.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "scheduler/item.h"

#define WYN_INJECTOR_SHARDS 8
/* Items of a block; a power of two. */
#define WYN_INJECTOR_BLOCK_ITEMS 256
/* Blocks that a shard keeps for its producers; a power of two. */
#define WYN_INJECTOR_RESERVE_MAX 64
/* Most items that one take moves. */
#define WYN_INJECTOR_GRAB_MAX 128

struct wyn_injector_block {
	struct wyn_injector_block *next; /* [M tail], read under head */
	struct wyn_item items[WYN_INJECTOR_BLOCK_ITEMS];
};

struct wyn_injector_shard {
	/* The producers' line. */
	_Alignas(WYN_CACHE_LINE) _Atomic uint32_t tail_lock; /* [A inject] */
	bool closed;					     /* [M tail] */
	struct wyn_injector_block *tail;		     /* [M tail] */
	struct wyn_injector_block *first; /* [M tail], read under head */
	_Atomic uint64_t accepted;	  /* [A drain] tasks, not moves */
	_Atomic uint64_t pushed;	  /* [A inject] items ever */
	_Atomic uint64_t reserve_taken;	  /* [A reserve] blocks */
	/* The consumers' line. */
	_Alignas(WYN_CACHE_LINE) _Atomic uint32_t head_lock; /* [A inject] */
	struct wyn_injector_block *head;		     /* [M head] */
	_Atomic uint64_t taken;		/* [A inject] items ever */
	_Atomic uint64_t reserve_given; /* [A reserve] blocks */
	/* Emptied blocks on their way back, by count & (size - 1). */
	struct wyn_injector_block *reserve[WYN_INJECTOR_RESERVE_MAX];
};

struct wyn_injector {
	struct wyn_injector_shard shards[WYN_INJECTOR_SHARDS];
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
 * wyn_injector_init - makes an empty injector.
 *
 * Thread: boot. Blocks: never.
 */
void wyn_injector_init(struct wyn_injector *injector);

/*
 * wyn_injector_fini - frees all blocks; items left are forgotten.
 *
 * Thread: boot, when nobody else uses it. Blocks: never.
 */
void wyn_injector_fini(struct wyn_injector *injector);

/*
 * wyn_injector_push - appends a batch, all of it or nothing.
 *
 * Thread: any. Returns: 0; -ENOMEM; -ESHUTDOWN when closed.
 * Blocks: yields while every shard is held by another producer.
 */
WYN_NODISCARD
int wyn_injector_push(struct wyn_injector *injector,
	const struct wyn_injector_batch *batch, enum wyn_injector_kind kind);

/*
 * wyn_injector_take - takes up to `max` of the oldest items of one shard.
 *
 * Of a shard's n items it takes n / sharers + 1, so that others find some
 * too. Skips shards that another consumer holds. *cursor, the caller's own,
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
