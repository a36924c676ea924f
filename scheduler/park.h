// SPDX-License-Identifier: MIT
/*
 * park.h - who sleeps, who searches, and who is woken.
 *
 * One word holds the number of searchers, the stack of parked seats and two
 * flags. A spawn wakes somebody only if nobody searches and somebody is parked;
 * the last searcher to find work wakes the next: a chain of wakes, not one per
 * spawn. Knows seats by number only, and no queue: the caller does the looking.
 * See label [park] in the README.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "scheduler/fence.h"

/* Fields of the word: searching, top of the stack (seat + 1), epoch, flags. */
#define WYN_PARK_FIELD_BITS 10
#define WYN_PARK_FIELD_MASK ((UINT64_C(1) << WYN_PARK_FIELD_BITS) - 1)
#define WYN_PARK_TOP_MASK   (WYN_PARK_FIELD_MASK << WYN_PARK_FIELD_BITS)

/* Flags of the word, as wyn_park_enter returns them. */
#define WYN_PARK_DRAIN (UINT64_C(1) << 62)
#define WYN_PARK_STOP  (UINT64_C(1) << 63)

struct wyn_park_seat {
	_Alignas(WYN_CACHE_LINE) _Atomic uint32_t token; /* [A wake] futex */
	_Atomic uint32_t next;		/* [A park] seat below, plus one */
	_Atomic uint64_t parked_approx; /* [W] */
	_Atomic uint64_t woken_approx;	/* [W] */
};

struct wyn_park {
	_Alignas(WYN_CACHE_LINE) _Atomic uint64_t word; /* [A park] */
	_Alignas(WYN_CACHE_LINE) unsigned seat_count;	/* [I] */
	unsigned searching_max;				/* [I] */
	struct wyn_park_seat *seats;			/* [I] */
};

/*
 * wyn_park_init - nobody searches and nobody is parked.
 *
 * Thread: boot. Takes `seats`, an array of `seat_count` on cache lines, for
 * its life. Blocks: never.
 */
void wyn_park_init(struct wyn_park *park, struct wyn_park_seat *seats,
	unsigned seat_count);

/*
 * wyn_park_search_begin - asks to become a searcher.
 *
 * Thread: worker. Returns: false when half of the seats search already.
 * Blocks: never.
 */
bool wyn_park_search_begin(struct wyn_park *park);

/*
 * wyn_park_search_end - a searcher has found work.
 *
 * Thread: worker. Returns: true if it was the last one and somebody is parked:
 * then it has to look at every queue, and wyn_park_pass_on if there is more.
 * Blocks: never.
 */
bool wyn_park_search_end(struct wyn_park *park);

/*
 * wyn_park_enter - makes the seat known as parked; not asleep yet.
 *
 * The caller then looks at every queue once more, calls wyn_park_notify if
 * there is work, and wyn_park_sleep in any case. `searching`: the caller is a
 * searcher and stops being one by this.
 *
 * Thread: worker. Returns: the flags of the word. Blocks: never.
 */
uint64_t wyn_park_enter(struct wyn_park *park, unsigned seat, bool searching);

/*
 * wyn_park_sleep - sleeps until notified or stopped.
 *
 * Notified, the caller is a searcher; stopped, it is whatever it is.
 *
 * Thread: worker. Returns: whether it was by wyn_park_pass_on.
 * Blocks: until then.
 */
bool wyn_park_sleep(struct wyn_park *park, unsigned seat);

/*
 * wyn_park_is_calm - there is new work, and nothing needs to be done about it.
 *
 * After a light fence. Thread: any. Returns: false if somebody may have to be
 * woken, or the pool stops. Blocks: never.
 */
static inline bool wyn_park_is_calm(struct wyn_park *park)
{
	/* [park] the caller's publication and its fence come before this. */
	uint64_t word = atomic_load_explicit(&park->word, memory_order_relaxed);

	return (word & WYN_PARK_STOP) == 0 &&
	       ((word & WYN_PARK_FIELD_MASK) != 0 ||
		       (word & WYN_PARK_TOP_MASK) == 0);
}

/*
 * wyn_park_notify - there is new work: wakes one if need be.
 *
 * Thread: any. Returns: whether it woke one. Blocks: never.
 */
bool wyn_park_notify(struct wyn_park *park);

/*
 * wyn_park_pass_on - the same by one who goes on with other work of the pool.
 *
 * A worker that has tasks of its own to run, or a thread that spawns from
 * outside: the one that is woken should not run in their stead.
 *
 * Thread: any. Returns: whether it woke one. Blocks: never.
 */
bool wyn_park_pass_on(struct wyn_park *park);

/*
 * wyn_park_raise - sets flags; WYN_PARK_STOP wakes everyone for good.
 *
 * Thread: any. Blocks: never.
 */
void wyn_park_raise(struct wyn_park *park, uint64_t flags);

/*
 * wyn_park_lower - takes flags away.
 *
 * Thread: any. Blocks: never.
 */
void wyn_park_lower(struct wyn_park *park, uint64_t flags);

/*
 * wyn_park_flags - the flags, ordered after what the caller did before.
 *
 * Thread: any. Blocks: never.
 */
uint64_t wyn_park_flags(struct wyn_park *park);

/*
 * wyn_park_awaited - whether WYN_PARK_DRAIN was up a moment ago: a hint.
 *
 * Thread: any. Blocks: never.
 */
static inline bool wyn_park_awaited(struct wyn_park *park)
{
	return (atomic_load_explicit(&park->word, memory_order_relaxed) &
		       WYN_PARK_DRAIN) != 0;
}

/*
 * wyn_park_stopped - whether WYN_PARK_STOP is up.
 *
 * Thread: any. Blocks: never.
 */
static inline bool wyn_park_stopped(struct wyn_park *park)
{
	return (atomic_load_explicit(&park->word, memory_order_relaxed) &
		       WYN_PARK_STOP) != 0;
}
