// SPDX-License-Identifier: MIT
/*
 * stress.h - what every stress program has: arguments, a seed, a back-stop.
 *
 *	stress_NAME [SECONDS [SEED]]
 *
 * A release build has no timed look at its queues; the back-stop is the test's
 * own. Once a second it looks at the pool under test, and aborts with what it
 * saw if a worker sleeps beside work, or if nothing moves any more.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <wyn/pool.h>

#include "base/prng.h"

#define STRESS_SECONDS 4u  /* without an argument */
#define STRESS_LONG_S  60u /* from here on it is the long form */

struct stress {
	unsigned seconds;
	uint64_t until_ns;
	struct wyn_prng prng;
};

/*
 * stress_begin - reads the arguments, prints the seed, arms the back-stop.
 *
 * One of two seeds does without membarrier(2); the perturb variant is seeded
 * too. Before the first pool of the process.
 *
 * Thread: boot.
 */
void stress_begin(struct stress *stress, int argc, char **argv);

/* stress_goes_on - whether there is time for another round. */
bool stress_goes_on(const struct stress *stress);

/*
 * stress_on_one_cpu - threads made from now on run on one CPU, or on all again.
 *
 * Thread: the one that began.
 */
void stress_on_one_cpu(bool one);

/*
 * stress_rounds - begins, and runs rounds until the time is over; how many.
 *
 * Each round has a number of workers from few to far more than processors, and
 * in about one of four all threads are on one CPU.
 */
uint64_t stress_rounds(int argc, char **argv,
	void (*round_run)(unsigned workers, struct wyn_prng *prng));

/* stress_pool - starts one whose bounds are any, small ones above all. */
struct wyn_pool *stress_pool(unsigned workers, struct wyn_prng *prng);

/*
 * stress_watch - this is the pool to look at; NULL before it is destroyed.
 *
 * Each call counts as something that moves. Thread: the one that began.
 */
void stress_watch(struct wyn_pool *pool);

/* stress_failed - prints what is stuck, and aborts. Thread: any. */
_Noreturn void stress_failed(const char *file, int line, const char *what);

#define require(condition)                                             \
	do {                                                           \
		if (!(condition)) {                                    \
			stress_failed(__FILE__, __LINE__, #condition); \
		}                                                      \
	} while (0)
