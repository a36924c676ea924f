// SPDX-License-Identifier: MIT
/*
 * park.c - the parking word and the seats' sleep.
 *
 * Word: searching 10 bits, parked 10, top of the stack (seat + 1) 10, epoch
 * 32, flags 2. The epoch grows with every push and makes a compare-exchange
 * fail that read the stack before it. A seat that wakes for a reason of its
 * own (an awaited future) cannot leave the middle of the stack:
 * it stays in it as AWAY, and whoever pops it goes on to the next.
 */
#include "scheduler/park.h"

#include <stddef.h>

#include "base/assert.h"
#include "scheduler/futex.h"

#define FIELD_BITS  10
#define FIELD_MASK  ((UINT64_C(1) << FIELD_BITS) - 1)
#define SEARCHING   UINT64_C(1)
#define PARKED	    (UINT64_C(1) << FIELD_BITS)
#define TOP_SHIFT   (2 * FIELD_BITS)
#define EPOCH_SHIFT (3 * FIELD_BITS)
#define EPOCH_MASK  ((UINT64_C(1) << 32) - 1)
#define FLAGS	    (WYN_PARK_DRAIN | WYN_PARK_STOP)

static_assert(WYN_POOL_WORKERS_MAX < FIELD_MASK, "seats fit their fields");
static_assert(EPOCH_SHIFT + 32 == 62, "the flags are above the epoch");

/* A seat's place in the stack. */
enum seat_state {
	SEAT_AWAKE,  /* not in the stack */
	SEAT_ASLEEP, /* in it, may be woken */
	SEAT_AWAY,   /* in it, but not asleep */
};

static uint64_t word_searching(uint64_t word)
{
	return word & FIELD_MASK;
}

static uint64_t word_parked(uint64_t word)
{
	return (word >> FIELD_BITS) & FIELD_MASK;
}

static uint32_t word_top(uint64_t word)
{
	return (uint32_t)((word >> TOP_SHIFT) & FIELD_MASK);
}

static uint64_t word_with_top(uint64_t word, uint32_t top)
{
	return (word & ~(FIELD_MASK << TOP_SHIFT)) |
	       ((uint64_t)top << TOP_SHIFT);
}

static uint64_t word_with_next_epoch(uint64_t word)
{
	uint64_t epoch = ((word >> EPOCH_SHIFT) + 1) & EPOCH_MASK;

	return (word & ~(EPOCH_MASK << EPOCH_SHIFT)) | (epoch << EPOCH_SHIFT);
}

static void seat_count(_Atomic uint64_t *counter)
{
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void seat_wake(struct wyn_park_seat *seat)
{
	/* [wake] the sleeper takes the token, or finds the word changed. */
	atomic_store_explicit(&seat->token, 1, memory_order_release);
	wyn_futex_wake(&seat->token);
}

void wyn_park_init(struct wyn_park *park, struct wyn_park_seat *seats,
	unsigned seat_count_)
{
	atomic_init(&park->word, 0);
	park->seats = seats;
	park->seat_count = seat_count_;
	park->searching_max = (seat_count_ + 1) / 2;
	for (unsigned i = 0; i < seat_count_; i++) {
		atomic_init(&seats[i].token, 0);
		atomic_init(&seats[i].state, SEAT_AWAKE);
		atomic_init(&seats[i].next, 0);
		atomic_init(&seats[i].awaited, NULL);
		atomic_init(&seats[i].parked, 0);
		atomic_init(&seats[i].woken, 0);
	}
}

bool wyn_park_search_begin(struct wyn_park *park)
{
	uint64_t word = atomic_load_explicit(&park->word, memory_order_relaxed);

	do {
		if (word_searching(word) >= park->searching_max) {
			return false;
		}
	} while (!atomic_compare_exchange_weak_explicit(&park->word, &word,
		word + SEARCHING, memory_order_seq_cst, memory_order_relaxed));
	return true;
}

bool wyn_park_search_end(struct wyn_park *park)
{
	/* [park] seq_cst: a spawn that saw us searching did not wake anyone;
	 * the last of us must see its item in the look that follows. */
	uint64_t word = atomic_fetch_sub_explicit(
		&park->word, SEARCHING, memory_order_seq_cst);

	wyn_assert(word_searching(word) > 0);
	return word_searching(word) == 1;
}

uint64_t wyn_park_enter(struct wyn_park *park, unsigned seat, bool searching)
{
	struct wyn_park_seat *me = &park->seats[seat];
	uint64_t less = searching ? SEARCHING : 0;
	uint32_t away = SEAT_AWAY;
	uint64_t word, next;

	seat_count(&me->parked);
	/* [park] still in the stack from an earlier sleep: lie down again,
	 * unless somebody pops us at this moment. */
	if (atomic_compare_exchange_strong_explicit(&me->state, &away,
		    SEAT_ASLEEP, memory_order_seq_cst, memory_order_seq_cst)) {
		return atomic_fetch_sub_explicit(
			       &park->word, less, memory_order_seq_cst) &
		       FLAGS;
	}
	atomic_store_explicit(&me->state, SEAT_ASLEEP, memory_order_relaxed);
	word = atomic_load_explicit(&park->word, memory_order_relaxed);
	do {
		atomic_store_explicit(
			&me->next, word_top(word), memory_order_relaxed);
		next = word_with_top(word - less + PARKED, seat + 1);
		next = word_with_next_epoch(next);
		/* [park] seq_cst: a spawn either sees us parked here, or we
		 * see its item in the look that follows. */
	} while (!atomic_compare_exchange_weak_explicit(&park->word, &word,
		next, memory_order_seq_cst, memory_order_relaxed));
	return word & FLAGS;
}

void wyn_park_sleep(struct wyn_park *park, unsigned seat)
{
	struct wyn_park_seat *me = &park->seats[seat];

	for (;;) {
		/* [wake] the notifier's or the poker's release. */
		if (atomic_exchange_explicit(
			    &me->token, 0, memory_order_acquire) != 0 ||
			atomic_load_explicit(&me->state,
				memory_order_acquire) != SEAT_ASLEEP ||
			wyn_park_stopped(park)) {
			return;
		}
		wyn_futex_wait(&me->token, 0, WYN_DEADLINE_NONE);
	}
}

bool wyn_park_leave(struct wyn_park *park, unsigned seat)
{
	struct wyn_park_seat *me = &park->seats[seat];
	uint32_t asleep = SEAT_ASLEEP;

	/* [park] if this fails, a notifier has made us a searcher. */
	if (atomic_compare_exchange_strong_explicit(&me->state, &asleep,
		    SEAT_AWAY, memory_order_seq_cst, memory_order_seq_cst)) {
		return false;
	}
	seat_count(&me->woken);
	return true;
}

/* Pops seats until one was asleep; the caller holds a searcher for it, which
 * goes to that seat, or back when none is left. */
static bool notify_pop(struct wyn_park *park, uint64_t word, uint64_t more)
{
	for (;;) {
		uint32_t top = word_top(word);
		struct wyn_park_seat *seat;
		uint64_t next;

		if (top == 0) {
			if (more > 0 ||
				atomic_compare_exchange_weak_explicit(
					&park->word, &word, word - SEARCHING,
					memory_order_seq_cst,
					memory_order_seq_cst)) {
				return false;
			}
			continue;
		}
		seat = &park->seats[top - 1];
		next = word_with_top(
			word - PARKED + more, atomic_load_explicit(&seat->next,
						      memory_order_relaxed));
		if (!atomic_compare_exchange_weak_explicit(&park->word, &word,
			    next, memory_order_seq_cst, memory_order_seq_cst)) {
			if (more > 0 && word_searching(word) > 0) {
				return false;
			}
			continue;
		}
		more = 0;
		/* [park] to whoever leaves or lies down again. */
		if (atomic_exchange_explicit(&seat->state, SEAT_AWAKE,
			    memory_order_seq_cst) == SEAT_ASLEEP) {
			seat_wake(seat);
			return true;
		}
		word = atomic_load_explicit(&park->word, memory_order_seq_cst);
	}
}

bool wyn_park_notify(struct wyn_park *park)
{
	/* [park] seq_cst: ordered after the caller's publication. */
	uint64_t word = atomic_load_explicit(&park->word, memory_order_seq_cst);

	if (word_searching(word) > 0 || word_parked(word) == 0) {
		return false;
	}
	return notify_pop(park, word, SEARCHING);
}

void wyn_park_await(struct wyn_park *park, unsigned seat, const void *word)
{
	/* [done] published by the caller's RMW that marks the word. */
	atomic_store_explicit(
		&park->seats[seat].awaited, word, memory_order_release);
}

void wyn_park_poke(struct wyn_park *park, const void *word)
{
	for (unsigned i = 0; i < park->seat_count; i++) {
		struct wyn_park_seat *seat = &park->seats[i];

		/* [done] the helper's store came before its mark. */
		if (atomic_load_explicit(
			    &seat->awaited, memory_order_acquire) == word) {
			seat_wake(seat);
		}
	}
}

void wyn_park_raise(struct wyn_park *park, uint64_t flags)
{
	/* [drain] seq_cst: a worker that parks before this has counted its
	 * tasks in our sight, one that parks after it sees the flag. */
	atomic_fetch_or_explicit(&park->word, flags, memory_order_seq_cst);
	if ((flags & WYN_PARK_STOP) == 0) {
		return;
	}
	for (unsigned i = 0; i < park->seat_count; i++) {
		seat_wake(&park->seats[i]);
	}
}

uint64_t wyn_park_flags(struct wyn_park *park)
{
	/* [drain] an RMW, so that it is either before or after the raise. */
	return atomic_fetch_or_explicit(&park->word, 0, memory_order_seq_cst) &
	       FLAGS;
}

bool wyn_park_stopped(struct wyn_park *park)
{
	return (atomic_load_explicit(&park->word, memory_order_relaxed) &
		       WYN_PARK_STOP) != 0;
}
