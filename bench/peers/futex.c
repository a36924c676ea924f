// SPDX-License-Identifier: MIT
/*
 * futex.c - the floor of a wake-up: one thread woken by a bare futex.
 *
 *	futex idle|trickle NAME=NUMBER...
 *
 * Fair because it does what a pool has to do at least, and nothing else: the
 * spawner changes a word and calls FUTEX_WAKE, the thread reads the clock and
 * calls FUTEX_WAIT. No queue, no spinning.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/meter.h"
#include "bench/meter_cost.h"
#include "bench/meter_words.h"

static _Atomic uint32_t sent;
static _Atomic uint32_t seen;
static struct meter_stamp *_Atomic next;

static void *wait_for_pings(void *arg)
{
	uint32_t before = 0;

	for (;;) {
		struct meter_stamp *stamp;

		while (atomic_load_explicit(&sent, memory_order_acquire) ==
			before) {
			syscall(SYS_futex, &sent, FUTEX_WAIT_PRIVATE, before,
				NULL, NULL, 0);
		}
		stamp = atomic_load_explicit(&next, memory_order_relaxed);
		if (stamp == NULL) {
			return arg;
		}
		stamp->started_ns = meter_now_ns();
		before++;
		atomic_store_explicit(&seen, before, memory_order_release);
	}
}

/* A ping waits for the one before, which was a millisecond ago: the word is
 * all there is of a queue. */
static void ping(struct meter_stamp *stamp)
{
	uint32_t before = atomic_load_explicit(&sent, memory_order_relaxed);

	while (atomic_load_explicit(&seen, memory_order_acquire) != before) {
	}
	if (stamp != NULL) {
		stamp->sent_ns = meter_now_ns();
	}
	atomic_store_explicit(&next, stamp, memory_order_relaxed);
	atomic_store_explicit(&sent, before + 1, memory_order_release);
	syscall(SYS_futex, &sent, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void wait_for_last(void)
{
	while (atomic_load_explicit(&seen, memory_order_acquire) !=
		atomic_load_explicit(&sent, memory_order_relaxed)) {
		meter_sleep_ms(1);
	}
}

int main(int argc, char **argv)
{
	struct meter meter;
	pthread_t thread;

	meter_parse(&meter, argc, argv);
	meter_require(pthread_create(&thread, NULL, wait_for_pings, NULL) == 0);
	if (strcmp(meter.work, "idle") == 0) {
		meter_idle();
	} else {
		meter_require(strcmp(meter.work, "trickle") == 0);
		meter_trickle(&meter, ping, wait_for_last);
	}
	ping(NULL);
	pthread_join(thread, NULL);
	return 0;
}
