// SPDX-License-Identifier: MIT
/*
 * timeouts.c - waiting no longer than one likes: await_until, cancel, drop.
 *
 * One worker, so that a task which never ends by itself keeps it busy, and what
 * is spawned after it waits.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wyn/future.h>

/* Ends only when it is asked to. */
static int patient(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	(void)ret_value;
	while (!wyn_task_cancelled()) {
		(void)sched_yield();
	}
	return -ECANCELED;
}

/* Its value is memory. Whoever reads it frees it. */
static int letter(void *arg, struct wyn_value *ret_value)
{
	(void)arg;
	ret_value->ptr[0] = strdup("dear reader");
	return ret_value->ptr[0] != NULL ? 0 : -ENOMEM;
}

static unsigned unread;

/* Called once for a letter that nobody read. */
static void letter_destroy(struct wyn_value value)
{
	unread++;
	free(value.ptr[0]);
}

static uint64_t deadline_in_ms(uint64_t ms)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec +
	       ms * 1000000;
}

static void say(const char *what, int r)
{
	(void)printf("%s: %s\n", what, r < 0 ? strerror(-r) : "done");
}

static int wait_for(struct wyn_future *slow, struct wyn_future *never,
	struct wyn_future *late)
{
	struct wyn_value value;
	int r;

	/* It goes on, and can be awaited again. */
	say("slow", wyn_future_await_until(slow, deadline_in_ms(20), NULL));
	/* Nobody has begun with it, so it never runs. */
	(void)wyn_future_cancel(never);
	say("never", wyn_future_await(never, NULL));
	/* It runs, so this only asks; the await waits for its end. */
	(void)wyn_future_cancel(slow);
	say("slow", wyn_future_await(slow, NULL));
	r = wyn_future_await(late, &value);
	if (r == 0) {
		(void)printf("late: %s\n", (char *)value.ptr[0]);
		free(value.ptr[0]);
	}
	return r;
}

static int run(struct wyn_pool *pool)
{
	const struct wyn_spawn_options options = {letter_destroy, NULL};
	struct wyn_future *futures[4] = {NULL};
	int r = wyn_pool_start(pool);

	for (int i = 0; r == 0 && i < 4; i++) {
		r = wyn_pool_spawn(pool, i == 0 ? patient : letter, NULL,
			&options, &futures[i]);
	}
	/* A handle may go at any time; the task still runs. */
	wyn_future_drop(futures[3]);
	if (r == 0) {
		r = wait_for(futures[0], futures[1], futures[2]);
	} else if (futures[0] != NULL) {
		(void)wyn_future_cancel(futures[0]);
	}
	for (int i = 0; i < 3; i++) {
		wyn_future_drop(futures[i]);
	}
	return r < 0 ? r : wyn_pool_drain(pool, WYN_DEADLINE_NONE);
}

int main(void)
{
	struct wyn_pool_config config;
	struct wyn_pool *pool = NULL;
	int r;

	wyn_pool_config_init(&config);
	config.workers = 1;
	r = wyn_pool_create(&config, &pool);
	r = r == 0 ? run(pool) : r;
	wyn_pool_destroy(pool); /* also waits for letter_destroy */
	say("pool", r);
	(void)printf("unread: %u\n", unread);
	return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
