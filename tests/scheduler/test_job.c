// SPDX-License-Identifier: MIT
/*
 * test_job.c - jobs through the pool and back into their sink.
 */
#include <wyn/job.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/compiler.h"
#include "tests/support/latch.h"
#include "tests/support/pool.h"

#define MANY	20000u
#define WORKERS 2u

struct owned {
	uint64_t before; /* the job need not come first */
	struct wyn_job job;
	unsigned runs;
	unsigned drains;
};

static struct latch woken, seen;
static struct wyn_sink sink;

static void wake(struct wyn_sink *which)
{
	(void)which;
	latch_open(&woken);
}

static int job_setup(void **state)
{
	(void)state;
	latch_init(&woken);
	latch_init(&seen);
	wyn_sink_init(&sink, wake);
	return 0;
}

static int job_teardown(void **state)
{
	(void)state;
	latch_fini(&woken);
	latch_fini(&seen);
	return 0;
}

static void run_counted(struct wyn_job *job)
{
	WYN_CONTAINER_OF(job, struct owned, job)->runs++;
}

static void run_until_seen(struct wyn_job *job)
{
	(void)job;
	latch_wait(&seen);
}

static unsigned drain_counted(void)
{
	struct wyn_job *job = wyn_sink_drain(&sink);
	unsigned n = 0;

	while (job != NULL) {
		struct owned *owned = WYN_CONTAINER_OF(job, struct owned, job);

		/* The owner may do anything with a drained job. */
		job = job->next;
		owned->job.next = NULL;
		owned->drains++;
		n++;
	}
	return n;
}

/* As an event loop does: drain, arm, sleep. */
static void drain_all(unsigned expected)
{
	unsigned got = 0, wakes = 0;

	while ((got += drain_counted()) < expected) {
		if (wyn_sink_arm(&sink)) {
			latch_wait_for(&woken, ++wakes);
		}
	}
	assert_int_equal(got, expected);
}

static void job_comes_back_once_when_many(void **state)
{
	struct wyn_pool *pool = pool_started(WORKERS);
	struct owned *owned = calloc(MANY, sizeof(*owned));
	struct wyn_job *jobs[100];
	unsigned submitted = 0;

	(void)state;
	assert_non_null(owned);
	while (submitted < MANY) {
		for (unsigned i = 0; i < WYN_COUNT_OF(jobs); i++) {
			jobs[i] = &owned[submitted++].job;
			jobs[i]->run = run_counted;
			jobs[i]->sink = &sink;
		}
		assert_int_equal(
			wyn_pool_submit_batch(pool, jobs, WYN_COUNT_OF(jobs)),
			0);
	}
	drain_all(MANY);

	for (unsigned i = 0; i < MANY; i++) {
		assert_int_equal(owned[i].runs, 1);
		assert_int_equal(owned[i].drains, 1);
	}
	pool_ended(pool);
	free(owned);
}

static void job_is_seen_when_next_one_runs_for_ever(void **state)
{
	struct wyn_pool *pool;
	struct wyn_pool_config config;
	struct wyn_job first = {.run = run_counted, .sink = &sink};
	struct owned owned = {.job = first};
	struct wyn_job second = {.run = run_until_seen, .sink = &sink};
	struct wyn_job *jobs[] = {&owned.job, &second};

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 1;
	assert_int_equal(wyn_pool_create(&config, &pool), 0);
	assert_int_equal(wyn_pool_submit_batch(pool, jobs, 2), 0);
	assert_int_equal(wyn_pool_start(pool), 0);

	/* Whether it completes before or after the arming, it is not held
	 * back by the second, which ends only when the first was seen. */
	while (wyn_sink_drain(&sink) != &owned.job) {
		if (wyn_sink_arm(&sink)) {
			latch_wait(&woken);
		}
	}
	latch_open(&seen);
	pool_ended(pool);
	assert_ptr_equal(wyn_sink_drain(&sink), &second);
}

static void job_is_in_sink_when_drain_has_returned(void **state)
{
	struct wyn_pool *pool = pool_started(WORKERS);
	struct owned owned[10];
	struct wyn_job *jobs[10];

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		owned[i] = (struct owned){
			.job = {.run = run_counted, .sink = &sink}};
		jobs[i] = &owned[i].job;
	}
	assert_int_equal(wyn_pool_submit_batch(pool, jobs, 10), 0);
	pool_ended(pool);

	assert_int_equal(drain_counted(), 10);
}

static void job_is_refused_when_in_flight_max(void **state)
{
	struct wyn_job second = {.run = run_until_seen, .sink = &sink};
	struct wyn_job third = {.run = run_until_seen, .sink = &sink};
	struct wyn_job *jobs[] = {&second, &third};
	struct wyn_pool_config config;
	struct wyn_pool *pool;

	(void)state;
	wyn_pool_config_init(&config);
	config.workers = 1;
	config.in_flight_max = 1;
	pool = pool_started_as(&config);

	assert_int_equal(wyn_pool_submit_batch(pool, jobs, 2), -EAGAIN);
	assert_int_equal(wyn_pool_submit_batch(pool, jobs, 1), 0);
	assert_int_equal(wyn_pool_submit_batch(pool, jobs + 1, 1), -EAGAIN);
	assert_true(wyn_sink_arm(&sink));
	latch_open(&seen);
	latch_wait(&woken);
	/* Whoever saw the completion has its place in flight back. */
	assert_int_equal(wyn_pool_submit_batch(pool, jobs + 1, 1), 0);
	pool_ended(pool);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, job_setup, job_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(job_comes_back_once_when_many),
		TEST(job_is_seen_when_next_one_runs_for_ever),
		TEST(job_is_in_sink_when_drain_has_returned),
		TEST(job_is_refused_when_in_flight_max),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
