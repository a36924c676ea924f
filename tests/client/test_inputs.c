// SPDX-License-Identifier: MIT
/*
 * test_inputs.c - input of a command that goes on after its Submit: in Chunks,
 * within credit, a window and the output.
 *
 * No sockets: what is in the outbox is read back as the server would.
 */
#include "client/inputs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "client/command.h"
#include "client/submit.h"
#include "tests/support/session_rig.h"

static int put(uint64_t seq, size_t size, bool eof, size_t *ret_taken)
{
	static const uint8_t data[8u << 20];

	*ret_taken = 0;
	return wyn_session_input(&rig_session, seq,
		(struct wyn_bytes){data, size}, eof, ret_taken);
}

static void input_goes_in_chunks_when_it_is_put(void **state)
{
	const size_t sizes[] = {WYN_UPLOAD_PIECE_BYTES, 6, 0};
	struct wyn_message message;
	uint64_t seq = rig_submit_stream();
	uint64_t offset = 0;
	size_t taken;

	(void)state;
	assert_int_equal(
		0, put(seq, WYN_UPLOAD_PIECE_BYTES + 6, false, &taken));
	assert_int_equal(WYN_UPLOAD_PIECE_BYTES + 6, taken);
	assert_int_equal(0, put(seq, 0, false, &taken));
	assert_int_equal(0, put(seq, 0, true, &taken));
	assert_int_equal(-ENOENT, put(seq, 1, false, &taken));
	assert_int_equal(WYN_UPLOAD_PIECE_BYTES + 6, rig_session.bytes_used);
	rig_sent(false);
	for (size_t i = 0; i < WYN_COUNT_OF(sizes); i++) {
		assert_true(script_next(&rig_reader, &message));
		assert_int_equal(WYN_MESSAGE_CHUNK, message.kind);
		assert_int_equal(
			WYN__V1__STREAM__STREAM_INPUT, message.chunk.stream);
		assert_int_equal(seq, message.chunk.seq);
		assert_int_equal(offset, message.chunk.offset);
		assert_int_equal(sizes[i], message.chunk.data.len);
		assert_int_equal(i == 2, message.chunk.eof);
		offset += sizes[i];
	}
	assert_false(script_next(&rig_reader, &message));
}

static void input_ends_with_its_last_bytes_when_all_were_taken(void **state)
{
	struct wyn_message message;
	uint64_t seq = rig_submit_stream();
	size_t taken;

	(void)state;
	assert_int_equal(0, put(seq, 5, true, &taken));
	assert_int_equal(5, taken);
	rig_sent(false);
	assert_true(script_next(&rig_reader, &message));
	assert_true(message.chunk.eof);
	assert_false(script_next(&rig_reader, &message));
}

static void input_has_no_eof_when_not_all_was_taken(void **state)
{
	struct wyn_script_limits limits = rig_defaults;
	struct wyn_client_event event;
	struct wyn_message message;
	uint64_t seq;
	size_t taken;

	(void)state;
	wyn_session_fini(&rig_session);
	limits.argument_bytes = 10;
	rig_open_with(&limits, NULL);
	seq = rig_submit_stream();
	assert_int_equal(0, put(seq, 12, true, &taken));
	assert_int_equal(10, taken);
	rig_sent(false);
	assert_true(script_next(&rig_reader, &message));
	assert_false(message.chunk.eof);
	assert_int_equal(-EAGAIN, put(seq, 2, true, &taken));

	wyn_session_starve(&rig_session);
	script_credit(&rig_script, 0, 14);
	rig_feed(SIZE_MAX);
	assert_int_equal(-EAGAIN, rig_pull(&event));
	assert_true(wyn_session_take_room(&rig_session, &event));
	assert_int_equal(0, put(seq, 2, true, &taken));
	assert_int_equal(2, taken);
}

static void input_stops_at_its_window_when_there_is_more_credit(void **state)
{
	struct wyn_client_event event;
	uint64_t seq = rig_submit_stream();
	uint64_t total = 0;
	size_t taken;

	(void)state;
	while (put(seq, 1u << 20, false, &taken) == 0) {
		total += taken;
		rig_sent(false);
	}
	assert_int_equal(WYN_CLIENT_INPUT_BYTES_MAX, total);
	script_credit(
		&rig_script, 0, rig_defaults.argument_bytes + (64u << 10));
	rig_feed(SIZE_MAX);
	assert_int_equal(-EAGAIN, rig_pull(&event));
	assert_int_equal(0, put(seq, 1u << 20, false, &taken));
	assert_int_equal(64u << 10, taken);
}

static void input_stops_when_the_output_is_full(void **state)
{
	uint64_t seq = rig_submit_stream();
	size_t taken;

	(void)state;
	assert_int_equal(0, put(seq, 1u << 20, false, &taken));
	assert_true(taken >= WYN_OUTBOX_HIGH_BYTES - WYN_UPLOAD_PIECE_BYTES);
	assert_true(taken <= WYN_OUTBOX_HIGH_BYTES);
	assert_int_equal(-EAGAIN, put(seq, 1, false, &taken));
	assert_int_equal(-EAGAIN, put(seq, 0, true, &taken));
	rig_sent(false);
	assert_int_equal(0, put(seq, 0, true, &taken));
}

static void input_is_refused_when_its_command_has_ended(void **state)
{
	struct wyn_client_event event;
	uint64_t seq = rig_submit_stream();
	uint64_t other = rig_submit_some(1, RIG_NO_OPTIONS);
	size_t taken;

	(void)state;
	assert_int_equal(-ENOENT, put(other, 1, false, &taken));
	assert_int_equal(-ENOENT, put(77, 1, false, &taken));
	script_value(&rig_script, seq, "");
	rig_feed(SIZE_MAX);
	assert_int_equal(0, rig_pull(&event));
	assert_int_equal(-ENOENT, put(seq, 1, false, &taken));
	wyn_session_done(&rig_session, &event);
	assert_int_equal(-ENOENT, put(seq, 1, false, &taken));
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(input_goes_in_chunks_when_it_is_put),
		CASE(input_ends_with_its_last_bytes_when_all_were_taken),
		CASE(input_has_no_eof_when_not_all_was_taken),
		CASE(input_stops_at_its_window_when_there_is_more_credit),
		CASE(input_stops_when_the_output_is_full),
		CASE(input_is_refused_when_its_command_has_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
