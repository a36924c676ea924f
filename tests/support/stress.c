// SPDX-License-Identifier: MIT
/*
 * stress.c - the back-stop of the stress programs.
 *
 * A thread of its own looks, and no signal meets any other thread: a sleep that
 * a signal ends looks at its word again, and would hide a lost wake-up. Two
 * looks that see the same mean that no task ended, nobody parked and nobody was
 * woken in between.
 */
#include "tests/support/stress.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "base/compiler.h"
#include "scheduler/fence.h"
#include "scheduler/park.h"
#include "scheduler/perturb.h"
#include "scheduler/pool.h"
#include "tests/support/latch.h"

/* Looks in a row that see the same, a second apart. Nobody is in the middle of
 * a wake for so long on the most crowded machine. */
#define ASLEEP_LOOKS 10u
#define STUCK_LOOKS  60u

struct look {
	uint64_t moves;	 /* calls of stress_watch */
	uint64_t events; /* tasks that ended, seats that parked or woke */
	uint64_t word;	 /* of the parking */
	uint64_t queued;
	uint64_t unfinished;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct wyn_pool *watched; /* [M lock] */
static uint64_t moves;		 /* [M lock] */

static struct look look_now(void)
{
	struct look look = {0};
	struct wyn_pool_counters counters;

	pthread_mutex_lock(&lock);
	look.moves = moves;
	if (watched != NULL) {
		wyn_pool_counters(watched, &counters);
		look.events = counters.run + counters.cancelled +
			      counters.parked + counters.woken + counters.lent +
			      counters.injected;
		look.queued = counters.queued;
		look.unfinished = counters.unfinished;
		look.word = atomic_load_explicit(
			&watched->park.word, memory_order_relaxed);
	}
	pthread_mutex_unlock(&lock);
	return look;
}

/* A seat is parked, nobody searches, and there is something to find. */
static bool sleeps_beside_work(const struct look *look)
{
	return look->queued > 0 && (look->word & WYN_PARK_TOP_MASK) != 0 &&
	       (look->word & WYN_PARK_FIELD_MASK) == 0;
}

static void look_print(const struct look *look)
{
	fprintf(stderr,
		"pool %llu: %llu queued, %llu unfinished; parking word %#llx: "
		"%llu searching, top of the parked %llu, flags %llu\n",
		(unsigned long long)look->moves,
		(unsigned long long)look->queued,
		(unsigned long long)look->unfinished,
		(unsigned long long)look->word,
		(unsigned long long)(look->word & WYN_PARK_FIELD_MASK),
		(unsigned long long)((look->word & WYN_PARK_TOP_MASK) >>
				     WYN_PARK_FIELD_BITS),
		(unsigned long long)(look->word >> 62));
}

void stress_failed(const char *file, int line, const char *what)
{
	struct look look = look_now();

	fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
	look_print(&look);
	abort();
}

static void *backstop_main(void *arg)
{
	const char *name = arg;
	struct look last = look_now();
	unsigned same = 0;
	sigset_t alarms;
	int signal;

	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	while (sigwait(&alarms, &signal) == 0) {
		struct look look = look_now();

		same = memcmp(&look, &last, sizeof(look)) == 0 ? same + 1 : 0;
		last = look;
		if (same == ASLEEP_LOOKS && sleeps_beside_work(&look)) {
			stress_failed(name, 0, "nobody sleeps beside work");
		}
		if (same == STUCK_LOOKS) {
			stress_failed(name, 0, "something moves");
		}
	}
	return NULL;
}

static void backstop_arm(char *name)
{
	const struct itimerval second = {{1, 0}, {1, 0}};
	sigset_t alarms;
	pthread_t thread;

	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarms, NULL);
	require(pthread_create(&thread, NULL, backstop_main, name) == 0);
	pthread_detach(thread);
	setitimer(ITIMER_REAL, &second, NULL);
}

void stress_begin(struct stress *stress, int argc, char **argv)
{
	uint64_t seed =
		argc > 2 ? strtoull(argv[2], NULL, 0) : deadline_in_ms(0);

	stress->seconds = argc > 1 ? (unsigned)atoi(argv[1]) : STRESS_SECONDS;
	stress->until_ns = deadline_in_ms(1000u * stress->seconds);
	wyn_prng_init(&stress->prng, seed);
	wyn_fence_init();
	if (wyn_prng_below(&stress->prng, 2) == 0) {
		wyn_fence_is_asymmetric = false;
	}
#ifdef WYN_PERTURB
	wyn_perturb_init(seed);
#endif
	printf("seed %#llx, %u s, with %s fences\n", (unsigned long long)seed,
		stress->seconds,
		wyn_fence_is_asymmetric ? "asymmetric" : "full");
	fflush(stdout);
	backstop_arm(argv[0]);
}

bool stress_goes_on(const struct stress *stress)
{
	bool goes_on = deadline_in_ms(0) < stress->until_ns;

#ifdef WYN_PERTURB
	if (!goes_on) {
		printf("threads were held up %llu times\n",
			(unsigned long long)wyn_perturb_count());
	}
#endif
	return goes_on;
}

void stress_on_one_cpu(bool one)
{
	static cpu_set_t before;
	cpu_set_t first = before;

	/* The first call finds what this process was given. */
	if (CPU_COUNT(&before) == 0) {
		require(sched_getaffinity(0, sizeof(before), &before) == 0);
		first = before;
	}
	for (size_t cpu = CPU_SETSIZE; one && CPU_COUNT(&first) > 1; cpu--) {
		CPU_CLR(cpu - 1, &first);
	}
	require(sched_setaffinity(0, sizeof(first), &first) == 0);
}

uint64_t stress_rounds(int argc, char **argv,
	void (*round_run)(unsigned workers, struct wyn_prng *prng))
{
	static const unsigned workers[] = {1, 2, 3, 8, 64};
	uint64_t rounds = 0, pinned = 0;
	struct stress stress;

	stress_begin(&stress, argc, argv);
	do {
		bool one = wyn_prng_below(&stress.prng, 4) == 0;

		stress_on_one_cpu(one);
		round_run(
			workers[rounds % WYN_COUNT_OF(workers)], &stress.prng);
		rounds++;
		pinned += one;
	} while (stress_goes_on(&stress));
	printf("%llu of the rounds on one CPU\n", (unsigned long long)pinned);
	return rounds;
}

struct wyn_pool *stress_pool(unsigned workers, struct wyn_prng *prng)
{
	struct wyn_pool_config config;
	struct wyn_pool *pool;

	wyn_pool_config_init(&config);
	config.workers = workers;
	config.spin_max = (unsigned)wyn_prng_below(prng, 3) * 100;
	config.spare_max = (unsigned)wyn_prng_below(prng, 5);
	config.help_depth_max = (unsigned)wyn_prng_below(prng, 10);
	config.in_flight_max = wyn_prng_below(prng, 4) == 0 ? 50 : 0;
	require(wyn_pool_create(&config, &pool) == 0);
	require(wyn_pool_start(pool) == 0);
	return pool;
}

void stress_watch(struct wyn_pool *pool)
{
	pthread_mutex_lock(&lock);
	moves++;
	watched = pool;
	pthread_mutex_unlock(&lock);
}
