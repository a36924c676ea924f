// SPDX-License-Identifier: MIT
/*
 * park.c - the parking word and the seats' sleep.
 *
 * Word: searching 10 bits, top of the stack (seat + 1) 10, epoch 42, flags 2.
 * The epoch grows with every push and makes a compare-exchange fail that read
 * the stack before it. A seat leaves the stack only by being popped, and who
 * pops it makes it a searcher in the same step.
 */
#include "scheduler/park.h"

#include <stddef.h>

#include "base/assert.h"
#include "scheduler/fence.h"
#include "scheduler/futex.h"
#include "scheduler/perturb.h"

#define FIELD_BITS  WYN_PARK_FIELD_BITS
#define FIELD_MASK  WYN_PARK_FIELD_MASK
#define SEARCHING   UINT64_C(1)
#define TOP_SHIFT   FIELD_BITS
#define EPOCH_SHIFT (2 * FIELD_BITS)
#define EPOCH_BITS  42
#define EPOCH_MASK  ((UINT64_C(1) << EPOCH_BITS) - 1)
#define FLAGS	    (WYN_PARK_DRAIN | WYN_PARK_STOP)

static_assert(WYN_POOL_WORKERS_MAX < FIELD_MASK, "seats fit their fields");
static_assert(EPOCH_SHIFT + EPOCH_BITS == 62, "the flags are above the epoch");

enum token {
	TOKEN_NONE,
	TOKEN_NOTIFIED,
	TOKEN_PASSED_ON
};

static uint64_t word_searching(uint64_t word)
{
	return word & FIELD_MASK;
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

static void seat_wake(struct wyn_park_seat *seat, enum token token)
{
	WYN_STEP();
	/* [wake] the sleeper takes the token, or finds the word changed. */
	atomic_store_explicit(&seat->token, token, memory_order_release);
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
		atomic_init(&seats[i].token, TOKEN_NONE);
		atomic_init(&seats[i].next, 0);
		atomic_init(&seats[i].parked_approx, 0);
		atomic_init(&seats[i].woken_approx, 0);
	}
}

bool wyn_park_search_begin(struct wyn_park *park)
{
	uint64_t word = atomic_load_explicit(&park->word, memory_order_relaxed);

	do {
		if (word_searching(word) >= park->searching_max) {
			return false;
		}
		WYN_STEP();
	} while (!atomic_compare_exchange_weak_explicit(&park->word, &word,
		word + SEARCHING, memory_order_acq_rel, memory_order_relaxed));
	return true;
}

bool wyn_park_search_end(struct wyn_park *park)
{
	uint64_t word;

	WYN_STEP();
	word = atomic_fetch_sub_explicit(
		&park->word, SEARCHING, memory_order_acq_rel);
	wyn_assert(word_searching(word) > 0);
	/* With nobody parked nobody can be left asleep: who parks from now on
	 * looks at every queue afterwards. */
	if (word_searching(word) != 1 || word_top(word) == 0) {
		return false;
	}
	/* [park] a spawn that saw us searching did not wake anyone; its item
	 * must be seen in the look that follows. */
	wyn_fence_heavy();
	return true;
}

uint64_t wyn_park_enter(struct wyn_park *park, unsigned seat, bool searching)
{
	struct wyn_park_seat *me = &park->seats[seat];
	uint64_t less = searching ? SEARCHING : 0;
	uint64_t word = atomic_load_explicit(&park->word, memory_order_relaxed);
	uint64_t next;

	seat_count(&me->parked_approx);
	do {
		atomic_store_explicit(
			&me->next, word_top(word), memory_order_relaxed);
		next = word_with_top(word - less, seat + 1);
		next = word_with_next_epoch(next);
		WYN_STEP();
	} while (!atomic_compare_exchange_weak_explicit(&park->word, &word,
		next, memory_order_acq_rel, memory_order_relaxed));
	/* [park] a spawn either sees us parked, or we see its item in the look
	 * that follows. */
	wyn_fence_heavy();
	return word & FLAGS;
}

bool wyn_park_sleep(struct wyn_park *park, unsigned seat)
{
	struct wyn_park_seat *me = &park->seats[seat];
	uint32_t token;

	WYN_STEP();
	/* [wake] acquires the notifier's release. */
	while ((token = atomic_exchange_explicit(&me->token, TOKEN_NONE,
			memory_order_acquire)) == TOKEN_NONE) {
		if (wyn_park_stopped(park)) {
			return false;
		}
		wyn_futex_wait(&me->token, TOKEN_NONE, WYN_DEADLINE_NONE);
	}
	seat_count(&me->woken_approx);
	return token == TOKEN_PASSED_ON;
}

/* Wakes one unless somebody searches. */
static bool wake_one(struct wyn_park *park, enum token token)
{
	struct wyn_park_seat *seat;
	uint64_t word, next;

	/* [park] the caller's publication comes before this look. */
	wyn_fence_light();
	word = atomic_load_explicit(&park->word, memory_order_relaxed);
	do {
		uint32_t top = word_top(word);

		if (word_searching(word) > 0 || top == 0) {
			return false;
		}
		seat = &park->seats[top - 1];
		next = word_with_top(
			word + SEARCHING, atomic_load_explicit(&seat->next,
						  memory_order_relaxed));
		WYN_STEP();
		/* [park] the one that is popped searches from here on. */
	} while (!atomic_compare_exchange_weak_explicit(&park->word, &word,
		next, memory_order_acq_rel, memory_order_acquire));
	seat_wake(seat, token);
	return true;
}

bool wyn_park_notify(struct wyn_park *park)
{
	return wake_one(park, TOKEN_NOTIFIED);
}

bool wyn_park_pass_on(struct wyn_park *park)
{
	return wake_one(park, TOKEN_PASSED_ON);
}

void wyn_park_raise(struct wyn_park *park, uint64_t flags)
{
	WYN_STEP();
	/* [drain] seq_cst: a worker that parks before this has counted its
	 * tasks in our sight, one that parks after it sees the flag. */
	atomic_fetch_or_explicit(&park->word, flags, memory_order_seq_cst);
	if ((flags & WYN_PARK_STOP) == 0) {
		return;
	}
	for (unsigned i = 0; i < park->seat_count; i++) {
		seat_wake(&park->seats[i], TOKEN_NOTIFIED);
	}
}

void wyn_park_lower(struct wyn_park *park, uint64_t flags)
{
	/* [drain] nobody waits any more: no order is needed. */
	atomic_fetch_and_explicit(&park->word, ~flags, memory_order_relaxed);
}

uint64_t wyn_park_flags(struct wyn_park *park)
{
	WYN_STEP();
	/* [drain] an RMW, so that it is either before or after the raise. */
	return atomic_fetch_or_explicit(&park->word, 0, memory_order_seq_cst) &
	       FLAGS;
}
