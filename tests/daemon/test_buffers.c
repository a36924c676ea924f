// SPDX-License-Identifier: MIT
/*
 * test_buffers.c - what connections keep of frames that are half come or half
 * sent, one alone and all together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "daemon/engine/conn.h"
#include "daemon/engine/engine_state.h"
#include "tests/support/rig_functions.h"
#include "tests/support/rig_messages.h"

#define FRAME_BYTES (500 * WYN_KIB) /* with its header */

static struct rig *rig;
static struct rig_client *client;
static uint8_t frame[FRAME_BYTES]; /* skipped when it is whole */

static int setup(void **state)
{
	struct wyn_limits limits = WYN_LIMITS_INIT;
	uint32_t body = FRAME_BYTES - 5;

	(void)state;
	limits.buffer_bytes_max = WYN_MIB;
	limits.executor_tasks_max = 16;
	rig = rig_create(&limits, 2);
	client = rig_open(rig);
	/* A field that nobody knows, in a frame that may be skipped. */
	memset(frame, 0, sizeof(frame));
	frame[0] = 2;
	for (unsigned i = 0; i < 4; i++) {
		frame[1 + i] = (uint8_t)(body >> (24 - 8 * i));
	}
	frame[5] = 0xa2;
	frame[6] = 0x06;
	body -= 5;
	frame[7] = (uint8_t)(0x80 | (body & 0x7f));
	frame[8] = (uint8_t)(0x80 | (body >> 7 & 0x7f));
	frame[9] = (uint8_t)(body >> 14);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_destroy(rig);
	return 0;
}

/* The first bytes of the frame. */
static void send_part(struct rig_client *who, size_t bytes)
{
	rig_send(who, frame, bytes);
	rig_settle(rig);
}

static void buffers_hold_one_frame_when_it_comes_in_pieces(void **state)
{
	(void)state;
	for (size_t at = 0; at < sizeof(frame); at += 1000) {
		size_t left = sizeof(frame) - at;
		size_t n = left < 1000 ? left : 1000;

		rig_send(client, frame + at, n);
		rig_settle(rig);
		assert_true(client->conn->carry.room <=
			    wyn_memory_rounded(2 * (at + n)));
		assert_true(client->conn->carry.room <=
			    wyn_memory_rounded(sizeof(frame)));
		assert_int_equal(
			rig->shared.buffered, client->conn->carry.room);
	}
	assert_non_null(client->conn);
	assert_int_equal(client->conn->carry.room, 0);
}

static void buffers_end_whoever_keeps_more_than_its_share(void **state)
{
	struct rig_client *second = rig_open(rig);
	struct rig_client *third = rig_open(rig);
	struct rig_client *little = rig_open(rig);

	(void)state;
	send_part(client, FRAME_BYTES - 1);
	send_part(second, FRAME_BYTES - 1);
	/* 1,000 KiB are kept now. At 1,024 the share is a quarter of it. */
	send_part(third, 250 * WYN_KIB);
	assert_non_null(third->conn);
	rig_send(third, frame, 100 * WYN_KIB);
	rig_settle(rig);
	assert_string_equal(third->error, "BUFFERS_MAX");
	assert_int_equal(third->error_code, WYN_STATUS_RESOURCE_EXHAUSTED);
	assert_null(third->conn);
	assert_int_equal(rig->engine->stats.buffers_over_max_approx, 1);
	rig_task_send(little, 1, "echo", "hello");
	rig_finish_all(rig);
	assert_int_equal(little->rows_ok, 1);
	/* Who keeps most already goes on when the rest of it comes. */
	rig_send(client, frame + FRAME_BYTES - 1, 1);
	rig_settle(rig);
	assert_non_null(client->conn);
	assert_true(rig->shared.buffered < WYN_MIB);
}

static void buffers_stop_the_work_of_whoever_reads_nothing(void **state)
{
	struct rig_client *second = rig_open(rig);
	struct rig_client *third = rig_open(rig);

	(void)state;
	send_part(second, FRAME_BYTES - 1);
	send_part(third, FRAME_BYTES - 1);
	client->read_max = 0;
	rig_batch_send(client, 1, 10000, "big", "1000");
	rig_finish_all(rig);
	/* A third of it, and what was in the executor. */
	assert_true(client->conn->output.bytes + client->conn->unsent_bytes <
		    2 * WYN_MIB);
	assert_true(client->conn->ready.held);
	assert_true(rig->engine->stats.buffers_over_max_approx > 0);
	client->read_max = SIZE_MAX;
	rig_client_flush(client);
	rig_finish_all(rig);
	assert_int_equal(client->rows_ok, 10000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(buffers_hold_one_frame_when_it_comes_in_pieces),
		TEST(buffers_end_whoever_keeps_more_than_its_share),
		TEST(buffers_stop_the_work_of_whoever_reads_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
