// SPDX-License-Identifier: MIT
/*
 * test_submit.c - what a session lets out: credit, limits, uploads.
 *
 * No sockets: what is in the outbox is read back as the server would.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/control.h"
#include "client/session.h"
#include "client/submit.h"
#include "tests/support/script.h"

#define TASKS_MAX 64u

static struct wyn_session session;
static struct wyn_script script;
static struct wyn_script_reader reader;
static struct wyn_bytes arguments[TASKS_MAX];
static const struct wyn_client_options no_options;

static void feed(void)
{
	struct wyn_client_event event;
	uint8_t *room;
	size_t bytes;
	int result;

	assert_int_equal(0, wyn_session_room(&session, &room, &bytes));
	assert_true(script.len <= bytes);
	memcpy(room, script.data, script.len);
	wyn_session_received(&session, script.len);
	script.len = 0;
	do {
		result = wyn_session_pull(&session, &event);
		if (result == 0) {
			assert_int_equal(0, wyn_session_keep(&session, &event));
		}
	} while (result >= 0);
	assert_int_equal(-EAGAIN, result);
}

/* Everything that the session wants to send, to be read by script_next(). */
static void sent(void)
{
	static uint8_t copy[4u << 20];
	struct wyn_slice output;
	size_t size = 0;

	while ((output = wyn_session_output(&session)).len > 0) {
		assert_true(output.len <= sizeof(copy) - size);
		memcpy(copy + size, output.data, output.len);
		wyn_session_sent(&session, output.len);
		size += output.len;
	}
	script_read(&reader, (struct wyn_slice){copy, size}, false);
}

static void open_with(
	struct wyn_script_limits limits, const struct wyn_client_config *config)
{
	script.len = 0;
	assert_int_equal(0, wyn_session_init(&session, config));
	script_welcome(&script, &limits);
	feed();
	sent();
	for (size_t i = 0; i < TASKS_MAX; i++) {
		arguments[i] = (struct wyn_bytes){"argument", 8};
	}
}

static int teardown(void **state)
{
	(void)state;
	wyn_session_fini(&session);
	return 0;
}

static int submit(size_t n, uint64_t *ret_first, size_t *ret_count)
{
	*ret_first = 0;
	*ret_count = 0;
	return wyn_session_submit(&session, "echo", arguments, n, &no_options,
		ret_first, ret_count);
}

static const struct wyn_script_limits defaults = WYN_SCRIPT_LIMITS;

static void submit_takes_what_credit_holds_when_there_are_more(void **state)
{
	struct wyn_script_limits limits = defaults;
	uint64_t first;
	size_t count;

	(void)state;
	limits.tasks = 10;
	open_with(limits, NULL);
	assert_int_equal(0, submit(7, &first, &count));
	assert_int_equal(7, count);
	assert_int_equal(0, submit(7, &first, &count));
	assert_int_equal(3, count);
	assert_int_equal(-EAGAIN, submit(7, &first, &count));

	script_credit(&script, 12, 0);
	feed();
	assert_int_equal(0, submit(7, &first, &count));
	assert_int_equal(2, count);
	assert_int_equal(12, session.tasks_used);
}

static void submit_tells_of_room_once_when_it_was_refused(void **state)
{
	struct wyn_script_limits limits = defaults;
	struct wyn_client_event event;
	uint64_t first;
	size_t count;

	(void)state;
	limits.tasks = 7;
	open_with(limits, NULL);
	assert_int_equal(0, submit(7, &first, &count));
	script_credit(&script, 8, 0);
	feed();
	assert_false(wyn_session_take_room(&session, &event));
	wyn_session_starve(&session);
	assert_false(wyn_session_take_room(&session, &event));
	script_credit(&script, 9, 0);
	feed();
	assert_true(wyn_session_take_room(&session, &event));
	assert_int_equal(WYN_CLIENT_ROOM, event.kind);
	assert_false(wyn_session_take_room(&session, &event));
}

static void submit_takes_what_byte_credit_holds_when_there_are_more(
	void **state)
{
	struct wyn_script_limits limits = defaults;
	uint64_t first;
	size_t count;

	(void)state;
	limits.argument_bytes = 20;
	open_with(limits, NULL);
	assert_int_equal(0, submit(7, &first, &count));
	assert_int_equal(2, count);
	assert_int_equal(-EAGAIN, submit(7, &first, &count));
	script_credit(&script, 1000, 24);
	feed();
	assert_int_equal(0, submit(7, &first, &count));
	assert_int_equal(1, count);
}

static void submit_cuts_batch_when_it_is_over_the_servers(void **state)
{
	struct wyn_script_limits limits = defaults;
	uint64_t first;
	size_t count;

	(void)state;
	limits.max_batch = 5;
	open_with(limits, NULL);
	assert_int_equal(0, submit(7, &first, &count));
	assert_int_equal(5, count);
}

static void submit_cuts_batch_when_frame_is_full(void **state)
{
	static const uint8_t data[1500];
	struct wyn_script_limits limits = defaults;
	struct wyn_message message;
	uint64_t first;
	size_t count;

	(void)state;
	limits.max_frame = 4096;
	open_with(limits, NULL);
	for (size_t i = 0; i < 5; i++) {
		arguments[i] = (struct wyn_bytes){data, sizeof(data)};
	}
	assert_int_equal(0, submit(5, &first, &count));
	assert_int_equal(2, count);
	assert_true(wyn_outbox_pending(&session.outbox).len <=
		    4096 + WYN_FRAME_HEADER_BYTES);
	sent();
	assert_true(script_next(&reader, &message));
	assert_int_equal(2, message.submit.args.count);
}

static void submit_refuses_when_argument_is_over_the_limit(void **state)
{
	struct wyn_script_limits limits = defaults;
	uint64_t first;
	size_t count;

	(void)state;
	limits.max_argument = 7;
	open_with(limits, NULL);
	assert_int_equal(-E2BIG, submit(1, &first, &count));
	assert_non_null(strstr(session.error.message, "at most 7"));
}

static void submit_names_each_function_when_names_begin_alike(void **state)
{
	static const char *const names[] = {
		"echo", "echo", "ech", "echoes", "echo", "", "echo"};
	struct wyn_message message;
	uint64_t first;
	size_t count;
	int err;

	(void)state;
	open_with(defaults, NULL);
	for (size_t i = 0; i < WYN_COUNT_OF(names); i++) {
		err = wyn_session_submit(&session, names[i], arguments, 1,
			&no_options, &first, &count);
		if (names[i][0] == '\0') {
			assert_int_equal(-EINVAL, err);
			continue;
		}
		assert_int_equal(0, err);
		sent();
		assert_true(script_next(&reader, &message));
		assert_true(wyn_slice_equal(
			wyn_slice_of(names[i]), message.submit.function));
	}
}

static void submit_refuses_when_name_is_none_of_a_function(void **state)
{
	static const char *const names[] = {"", "caf\xe9", "\xed\xa0\x80"};
	const struct wyn_bytes argument = {"", 0};
	const struct wyn_client_options options = {0};
	uint64_t first;
	size_t count;
	size_t i;

	(void)state;
	open_with(defaults, NULL);
	for (i = 0; i < WYN_COUNT_OF(names); i++) {
		assert_int_equal(-EINVAL,
			wyn_session_submit(&session, names[i], &argument, 1,
				&options, &first, &count));
		assert_string_equal("FUNCTION_NAME", session.error.reason);
	}
}

static void submit_refuses_when_it_can_never_have_the_credit(void **state)
{
	struct wyn_script_limits limits = defaults;
	uint64_t first;
	size_t count;

	(void)state;
	limits.argument_bytes = 7;
	open_with(limits, NULL);
	assert_int_equal(-E2BIG, submit(1, &first, &count));
}

static void submit_refuses_when_argument_is_over_a_frame(void **state)
{
	static const uint8_t data[4096];
	struct wyn_script_limits limits = defaults;
	uint64_t first;
	size_t count;

	(void)state;
	limits.max_frame = 4096;
	open_with(limits, NULL);
	arguments[0] = (struct wyn_bytes){data, sizeof(data)};
	assert_int_equal(-EMSGSIZE, submit(1, &first, &count));
}

static void submit_refuses_when_table_is_full(void **state)
{
	const struct wyn_client_config config = {.in_flight_max = 3};
	struct wyn_client_event event;
	uint64_t first;
	size_t count;

	(void)state;
	open_with(defaults, &config);
	assert_int_equal(0, submit(7, &first, &count));
	assert_int_equal(3, count);
	script_value(&script, first, "kept");
	feed();
	assert_int_equal(-ENOBUFS, submit(7, &first, &count));
	assert_true(wyn_session_take(&session, &event));
	assert_int_equal(0, submit(7, &first, &count));
	assert_int_equal(1, count);
}

/* One task that never ends, and seqs that go round the table many times. */
static void submit_leaves_seq_out_when_its_place_is_taken(void **state)
{
	const struct wyn_client_config config = {.in_flight_max = 4};
	struct wyn_script_limits limits = defaults;
	struct wyn_client_event event;
	uint64_t stuck;
	uint64_t first;
	uint64_t last = 0;
	size_t count;

	(void)state;
	limits.tasks = 1000000;
	open_with(limits, &config);
	assert_int_equal(0, submit(1, &stuck, &count));
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(0, submit(3, &first, &count));
		assert_true(first > last);
		last = first + count - 1;
		while (count > 0) {
			count--;
			script_value(&script, first + count, "x");
		}
		feed();
		while (wyn_session_take(&session, &event)) {
		}
		sent();
	}
	assert_int_equal(1, session.table.in_use);
	script_value(&script, stuck, "at last");
	feed();
	assert_true(wyn_session_take(&session, &event));
	assert_int_equal(stuck, event.seq);
}

static void submit_sends_nothing_more_when_finished(void **state)
{
	uint64_t first;
	size_t count;

	(void)state;
	open_with(defaults, NULL);
	assert_int_equal(0, wyn_session_finish(&session));
	assert_int_equal(-ESHUTDOWN, submit(1, &first, &count));
	assert_int_equal(-ESHUTDOWN, wyn_session_stats(&session));
}

/* A source of `left` bytes that counts, and knows when it is released. */
struct counting {
	uint64_t left;
	uint64_t at;
	int fails_with;
	unsigned released;
};

static ssize_t counting_read(void *context, void *buffer, size_t size)
{
	struct counting *counting = context;
	uint8_t *out = buffer;

	if (counting->fails_with != 0) {
		return counting->fails_with;
	}
	if (size > counting->left) {
		size = (size_t)counting->left;
	}
	if (size > 10000) {
		size = 10000; /* a source may give less than it is asked for */
	}
	for (size_t i = 0; i < size; i++) {
		out[i] = (uint8_t)counting->at++;
	}
	counting->left -= size;
	return (ssize_t)size;
}

static void counting_release(void *context)
{
	struct counting *counting = context;

	counting->released++;
}

static uint64_t submit_counting(struct counting *counting, uint64_t size)
{
	const struct wyn_client_source source = {
		.size = size,
		.read = counting_read,
		.release = counting_release,
		.context = counting,
	};
	uint64_t seq = 0;

	assert_int_equal(0, wyn_session_submit_source(&session, "echo", &source,
				    &no_options, &seq));
	return seq;
}

static void submit_takes_turns_when_two_arguments_are_large(void **state)
{
	struct counting large = {.left = 1000000};
	struct counting small = {.left = 100000};
	struct wyn_message message;
	uint64_t seqs[2];
	uint64_t offsets[2] = {0};
	bool ended[2] = {false};
	size_t i;

	(void)state;
	open_with(defaults, NULL);
	seqs[0] = submit_counting(&large, 1000000);
	seqs[1] = submit_counting(&small, 100000);
	assert_int_equal(1100000, session.bytes_used);
	sent();
	assert_true(script_next(&reader, &message));
	assert_int_equal(1000000, message.submit.arg_sizes[0]);
	assert_true(script_next(&reader, &message));
	assert_int_equal(100000, message.submit.arg_sizes[0]);
	while (script_next(&reader, &message)) {
		assert_int_equal(WYN_MESSAGE_CHUNK, message.kind);
		i = message.chunk.seq == seqs[1];
		assert_int_equal(offsets[i], message.chunk.offset);
		assert_int_equal(
			(uint8_t)offsets[i], message.chunk.data.data[0]);
		assert_false(ended[i]);
		offsets[i] += message.chunk.data.len;
		ended[i] = message.chunk.eof;
		/* The small one is through long before the large one. */
		assert_false(ended[0] && !ended[1]);
	}
	assert_true(ended[0] && ended[1]);
	assert_int_equal(1000000, offsets[0]);
	assert_int_equal(100000, offsets[1]);
	assert_int_equal(1, large.released);
	assert_int_equal(1, small.released);
}

static void submit_needs_no_chunk_when_source_is_empty(void **state)
{
	struct counting empty = {0};
	struct wyn_message message;

	(void)state;
	open_with(defaults, NULL);
	(void)submit_counting(&empty, 0);
	assert_int_equal(1, empty.released);
	sent();
	assert_true(script_next(&reader, &message));
	assert_int_equal(1, message.submit.args.count);
	assert_false(script_next(&reader, &message));
}

static void assert_aborted(uint64_t seq, const char *why)
{
	struct wyn_message message;
	struct wyn_message last = {0};
	struct wyn_client_event event;

	sent();
	while (script_next(&reader, &message)) {
		last = message;
	}
	assert_int_equal(WYN_MESSAGE_CANCEL, last.kind);
	assert_int_equal(seq, last.frame->cancel->seqs[0]->first);
	script_failure(&script, seq, WYN_STATUS_CANCELLED,
		"CANCELLED_BY_CLIENT", "cancelled");
	feed();
	assert_true(wyn_session_take(&session, &event));
	assert_int_equal(WYN_STATUS_ABORTED, event.code);
	assert_string_equal("ARGUMENT_INCOMPLETE", event.reason);
	assert_non_null(strstr(event.message, why));
}

static void submit_aborts_task_when_source_ends_early(void **state)
{
	struct counting counting = {.left = 70000};
	uint64_t seq;

	(void)state;
	open_with(defaults, NULL);
	seq = submit_counting(&counting, 200000);
	assert_aborted(seq, "after 70000 of 200000 bytes");
	assert_int_equal(1, counting.released);
}

static void submit_aborts_task_when_source_fails(void **state)
{
	struct counting counting = {.fails_with = -EIO};
	uint64_t seq;

	(void)state;
	open_with(defaults, NULL);
	seq = submit_counting(&counting, 200000);
	assert_aborted(seq, strerror(EIO));
	assert_int_equal(1, counting.released);
}

static void submit_drops_source_when_task_is_refused(void **state)
{
	struct counting counting = {.left = 10000000};
	struct wyn_client_event event;
	uint64_t seq;

	(void)state;
	open_with(defaults, NULL);
	seq = submit_counting(&counting, 10000000);
	script_failure(&script, seq, WYN_STATUS_NOT_FOUND, "FUNCTION_UNKNOWN",
		"no such function");
	feed();
	assert_int_equal(1, counting.released);
	assert_int_equal(0, session.uploads.count);
	assert_true(wyn_session_take(&session, &event));
	assert_int_equal(WYN_STATUS_NOT_FOUND, event.code);
}

static void submit_releases_sources_when_session_ends(void **state)
{
	struct counting counting = {.left = 10000000};

	(void)state;
	open_with(defaults, NULL);
	(void)submit_counting(&counting, 10000000);
	wyn_session_eof(&session);
	assert_int_equal(1, counting.released);
}

#define TEST(name) cmocka_unit_test_teardown(name, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(submit_takes_what_credit_holds_when_there_are_more),
		TEST(submit_tells_of_room_once_when_it_was_refused),
		TEST(submit_takes_what_byte_credit_holds_when_there_are_more),
		TEST(submit_cuts_batch_when_it_is_over_the_servers),
		TEST(submit_cuts_batch_when_frame_is_full),
		TEST(submit_refuses_when_argument_is_over_the_limit),
		TEST(submit_names_each_function_when_names_begin_alike),
		TEST(submit_refuses_when_name_is_none_of_a_function),
		TEST(submit_refuses_when_it_can_never_have_the_credit),
		TEST(submit_refuses_when_argument_is_over_a_frame),
		TEST(submit_refuses_when_table_is_full),
		TEST(submit_leaves_seq_out_when_its_place_is_taken),
		TEST(submit_sends_nothing_more_when_finished),
		TEST(submit_takes_turns_when_two_arguments_are_large),
		TEST(submit_needs_no_chunk_when_source_is_empty),
		TEST(submit_aborts_task_when_source_ends_early),
		TEST(submit_aborts_task_when_source_fails),
		TEST(submit_drops_source_when_task_is_refused),
		TEST(submit_releases_sources_when_session_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
