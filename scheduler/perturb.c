// SPDX-License-Identifier: MIT
/*
 * perturb.c - which thread is held up, for how long; nothing in most builds.
 *
 * A race is lost by a thread that stands still at one place while others get
 * far, more than by threads that are all equally slow. So each has moods: for
 * some thousand steps it is held up at every second step, then at one of a
 * hundred, then hardly ever. The seed repeats the choices, not the schedule.
 */
#include "scheduler/perturb.h"

#ifdef WYN_PERTURB

#include <sched.h>
#include <stdatomic.h>

#include "base/prng.h"
#include "scheduler/futex.h"

#define MOOD_STEPS_MAX 4096u
#define PAUSES_MAX     512u
#define YIELDS_MAX     16u

struct perturber {
	uint64_t random;
	unsigned steps_left; /* of this mood */
	uint64_t mask;	     /* held up when these bits of a number are 0 */
};

static _Thread_local struct perturber self_;
static _Atomic uint64_t seeds = 1; /* relaxed: any order of threads will do */
static _Atomic uint64_t count_approx;

void wyn_perturb_init(uint64_t seed)
{
	atomic_store_explicit(
		&seeds, wyn_prng_splitmix(&seed), memory_order_relaxed);
}

static void mood_change(struct perturber *self)
{
	static const uint64_t masks[] = {1, 15, 127, 1023, 8191};
	uint64_t random;

	if (self->random == 0) {
		self->random = atomic_fetch_add_explicit(
			&seeds, 1, memory_order_relaxed);
	}
	random = wyn_prng_splitmix(&self->random);
	self->mask = masks[(random >> 32) % (sizeof(masks) / sizeof(*masks))];
	self->steps_left = 1 + (unsigned)random % MOOD_STEPS_MAX;
}

static void hold_up(uint64_t random)
{
	uint64_t how = random % 8;
	uint64_t times = random >> 8;

	if (how < 4) {
		for (uint64_t i = times % PAUSES_MAX; i > 0; i--) {
			wyn_cpu_relax();
		}
		return;
	}
	for (uint64_t i = how < 7 ? 1 : times % YIELDS_MAX; i > 0; i--) {
		sched_yield();
	}
}

void wyn_perturb_step(void)
{
	struct perturber *self = &self_;
	uint64_t random;

	if (self->steps_left == 0) {
		mood_change(self);
	}
	self->steps_left--;
	random = wyn_prng_splitmix(&self->random);
	if ((random & self->mask) == 0) {
		atomic_fetch_add_explicit(
			&count_approx, 1, memory_order_relaxed);
		hold_up(random >> 16);
	}
}

uint64_t wyn_perturb_count(void)
{
	return atomic_load_explicit(&count_approx, memory_order_relaxed);
}

#endif
