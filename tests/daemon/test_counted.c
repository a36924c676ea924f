// SPDX-License-Identifier: MIT
/*
 * test_counted.c - what a task costs the engine in allocations: none, once as
 * many have gone the same way.
 *
 * The calls that are counted are defined here, before the linker looks into
 * libc. Sanitizers need their own malloc(); there nothing is counted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/compiler.h"
#include "daemon/engine/conn.h"
#include "daemon/engine/engine_state.h"
#include "proto/codec.h"
#include "tests/support/bytes.h"
#include "tests/support/rig_fixture.h"
#include "tests/support/rig_messages.h"

#define TASKS	  100000u
#define IN_FLIGHT 2048u
#define BATCH_MAX 256u

static size_t allocations;
static uint64_t next_seq;
static uint8_t input[1u << 20];

#if WYN_SANITIZED
static const bool allocations_count = false;
#else
static const bool allocations_count = true;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *ptr, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t nmemb, size_t size)
{
	allocations++;
	return __libc_calloc(nmemb, size);
}

void *realloc(void *ptr, size_t size)
{
	allocations++;
	return __libc_realloc(ptr, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	allocations++;
	return __libc_memalign(alignment, size);
}
#endif

static int setup(void **state)
{
	(void)state;
	rig = rig_create(NULL, 2);
	client = rig_open(rig);
	next_seq = 1;
	return 0;
}

/* IN_FLIGHT tasks as they come in frames of `batch` each. */
static size_t input_make(const char *function, size_t batch)
{
	struct wyn_submit submit = {.function = wyn_slice_of(function)};
	struct wyn_slice arguments[BATCH_MAX];
	size_t bytes = 0;

	for (size_t i = 0; i < batch; i++) {
		arguments[i] = BYTES_OF("sixteen letters.");
	}
	for (size_t sent = 0; sent < IN_FLIGHT; sent += batch) {
		submit.first_seq = next_seq;
		bytes += wyn_submit_encode(
			&submit, arguments, batch, input + bytes);
		next_seq += batch;
	}
	return bytes;
}

/* All that is to be written is, and is forgotten. */
static void output_take(void)
{
	struct wyn_slice pieces[16];
	size_t n;

	while (wyn_engine_dirty(rig->engine) != NULL) {
		while ((n = wyn_conn_output(client->conn, pieces, 16)) > 0) {
			size_t bytes = 0;

			for (size_t i = 0; i < n; i++) {
				bytes += pieces[i].len;
			}
			wyn_conn_written(client->conn, bytes, rig->now_ns);
		}
	}
}

/* Reads of a slab each end where they end, mostly inside a frame. */
static void round_run(const char *function, size_t batch)
{
	size_t bytes = input_make(function, batch);

	for (size_t at = 0; at < bytes; at += WYN_RECEIVE_BYTES) {
		size_t left = bytes - at;

		wyn_conn_receive(client->conn,
			(struct wyn_slice){input + at,
				left < WYN_RECEIVE_BYTES ? left
							 : WYN_RECEIVE_BYTES},
			rig->now_ns);
	}
	do {
		wyn_engine_turn(rig->engine, rig->now_ns);
		rig_run(rig, rig->started_count);
		output_take();
	} while (client->conn->unanswered > 0);
}

static void tasks_run(const char *function, size_t batch)
{
	uint64_t before = rig->engine->stats.tasks_ok_approx;
	uint64_t rounds = TASKS / IN_FLIGHT + 1;

	for (uint64_t i = 0; i < rounds; i++) {
		round_run(function, batch);
	}
	assert_int_equal(rig->engine->stats.tasks_ok_approx - before,
		rounds * IN_FLIGHT);
}

static void none_expected(const char *function, size_t batch)
{
	tasks_run(function, batch);
	allocations = 0;
	tasks_run(function, batch);
	if (allocations_count) {
		assert_int_equal(allocations, 0);
	}
}

static void engine_allocates_nothing_when_tasks_come_in_batches(void **state)
{
	(void)state;
	none_expected("tiny", BATCH_MAX);
}

static void engine_allocates_nothing_when_tasks_come_one_by_one(void **state)
{
	(void)state;
	none_expected("tiny", 1);
}

static void engine_allocates_nothing_when_each_task_is_a_job(void **state)
{
	(void)state;
	none_expected("echo", 16);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(engine_allocates_nothing_when_tasks_come_in_batches),
		TEST(engine_allocates_nothing_when_tasks_come_one_by_one),
		TEST(engine_allocates_nothing_when_each_task_is_a_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
