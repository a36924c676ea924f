// SPDX-License-Identifier: MIT
/*
 * timers.c - deadlines in order: a binary heap of pointers to timers.
 *
 * Each timer knows its place, so that disarming needs no search. Place 0 means
 * not armed, which is why the heap begins at 1. It grows by doubling and keeps
 * its peak: a pointer for each timer that was ever armed at the same time.
 */
#include "daemon/run/timers.h"

#include <errno.h>
#include <stdlib.h>

#include "base/assert.h"

#define CAPACITY_FIRST 64u

static void place_set(
	struct wyn_timers *timers, size_t place, struct wyn_timer *timer)
{
	timers->heap[place] = timer;
	timer->place = place;
}

/* `timer` belongs at `place` or nearer to the root. */
static void sift_up(
	struct wyn_timers *timers, size_t place, struct wyn_timer *timer)
{
	while (place > 1 && timers->heap[place / 2]->when_ns > timer->when_ns) {
		place_set(timers, place, timers->heap[place / 2]);
		place /= 2;
	}
	place_set(timers, place, timer);
}

/* `timer` belongs at `place` or further from the root. */
static void sift_down(
	struct wyn_timers *timers, size_t place, struct wyn_timer *timer)
{
	while (place * 2 <= timers->count) {
		size_t child = place * 2;

		if (child < timers->count &&
			timers->heap[child + 1]->when_ns <
				timers->heap[child]->when_ns) {
			child++;
		}
		if (timers->heap[child]->when_ns >= timer->when_ns) {
			break;
		}
		place_set(timers, place, timers->heap[child]);
		place = child;
	}
	place_set(timers, place, timer);
}

/* Puts `timer`, whose time is set, where it belongs, beginning at `place`. */
static void settle(
	struct wyn_timers *timers, size_t place, struct wyn_timer *timer)
{
	if (place > 1 && timers->heap[place / 2]->when_ns > timer->when_ns) {
		sift_up(timers, place, timer);
	} else {
		sift_down(timers, place, timer);
	}
}

static int grow(struct wyn_timers *timers)
{
	size_t capacity =
		timers->capacity ? timers->capacity * 2 : CAPACITY_FIRST;
	struct wyn_timer **heap = reallocarray(
		timers->heap, capacity + 1, sizeof(struct wyn_timer *));

	if (heap == NULL) {
		return -ENOMEM;
	}
	timers->heap = heap;
	timers->capacity = capacity;
	return 0;
}

void wyn_timers_init(struct wyn_timers *timers)
{
	*timers = (struct wyn_timers){0};
}

void wyn_timers_fini(struct wyn_timers *timers)
{
	free(timers->heap);
	*timers = (struct wyn_timers){0};
}

int wyn_timers_arm(
	struct wyn_timers *timers, struct wyn_timer *timer, uint64_t when_ns)
{
	wyn_assert(timer->fire != NULL);
	if (timer->place == 0) {
		if (timers->count == timers->capacity) {
			int rc = grow(timers);

			if (rc < 0) {
				return rc;
			}
		}
		timers->count++;
		timer->place = timers->count;
	}
	timer->when_ns = when_ns;
	settle(timers, timer->place, timer);
	return 0;
}

void wyn_timers_disarm(struct wyn_timers *timers, struct wyn_timer *timer)
{
	size_t place = timer->place;
	struct wyn_timer *last;

	if (place == 0) {
		return;
	}
	wyn_assert(place <= timers->count);
	wyn_assert(timers->heap[place] == timer);
	timer->place = 0;
	last = timers->heap[timers->count];
	timers->count--;
	if (last != timer) {
		settle(timers, place, last);
	}
}

/*
 * At most as many fire as were armed when it began: timers that are armed for
 * the past meanwhile have to wait for the next call, so that this one ends.
 */
void wyn_timers_run(struct wyn_timers *timers, uint64_t now_ns, size_t most)
{
	size_t left = timers->count < most ? timers->count : most;

	for (; left > 0 && timers->count > 0; left--) {
		struct wyn_timer *timer = timers->heap[1];

		if (timer->when_ns > now_ns) {
			break;
		}
		wyn_timers_disarm(timers, timer);
		timer->fire(timer, now_ns);
	}
}

uint64_t wyn_timers_next_ns(const struct wyn_timers *timers)
{
	return timers->count > 0 ? timers->heap[1]->when_ns : WYN_TIMERS_NONE;
}
