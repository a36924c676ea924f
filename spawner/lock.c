// SPDX-License-Identifier: MIT
/*
 * lock.c - flock(2) asked for again and again: it has no timeout of its own,
 * and a timer's signal would be somebody else's.
 */
#include "spawner/lock.h"

#include <errno.h>
#include <sys/file.h>
#include <time.h>

#include "base/time.h"

#define STEP_MS 5u

int wyn_lock_wait(int fd, unsigned wait_ms)
{
	const struct timespec step = {
		.tv_nsec = (long)(STEP_MS * WYN_NS_PER_MS),
	};

	for (unsigned waited_ms = 0;; waited_ms += STEP_MS) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			return 0;
		}
		int error = errno;
		if (error != EINTR && error != EWOULDBLOCK) {
			return -error;
		}
		if (waited_ms >= wait_ms) {
			return -EWOULDBLOCK;
		}
		nanosleep(&step, NULL);
	}
}
