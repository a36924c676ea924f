// SPDX-License-Identifier: MIT
/*
 * latch.h - a door for tests: some thread waits, another opens it.
 *
 * Counts openings, so that a test can wait for the n-th. A wait that takes
 * longer than any machine needs aborts with the place, instead of hanging.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define LATCH_TIMEOUT_S 60

struct latch {
	pthread_mutex_t lock;
	pthread_cond_t opened;
	unsigned count;
};

/* The absolute time of CLOCK_MONOTONIC, `ms` from now. */
static inline uint64_t deadline_in_ms(uint64_t ms)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec +
	       ms * 1000000u;
}

static inline void latch_init(struct latch *latch)
{
	pthread_condattr_t attributes;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&latch->lock, NULL);
	pthread_cond_init(&latch->opened, &attributes);
	pthread_condattr_destroy(&attributes);
	latch->count = 0;
}

static inline void latch_fini(struct latch *latch)
{
	pthread_cond_destroy(&latch->opened);
	pthread_mutex_destroy(&latch->lock);
}

static inline void latch_open(struct latch *latch)
{
	pthread_mutex_lock(&latch->lock);
	latch->count++;
	pthread_cond_broadcast(&latch->opened);
	pthread_mutex_unlock(&latch->lock);
}

static inline void latch_wait_for(struct latch *latch, unsigned count)
{
	struct timespec limit;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &limit);
	limit.tv_sec += LATCH_TIMEOUT_S;
	pthread_mutex_lock(&latch->lock);
	while (latch->count < count && r == 0) {
		r = pthread_cond_timedwait(
			&latch->opened, &latch->lock, &limit);
	}
	if (latch->count < count) {
		fprintf(stderr, "latch: %u of %u after %d s\n", latch->count,
			count, LATCH_TIMEOUT_S);
		abort();
	}
	pthread_mutex_unlock(&latch->lock);
}

static inline void latch_wait(struct latch *latch)
{
	latch_wait_for(latch, 1);
}
