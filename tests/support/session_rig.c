// SPDX-License-Identifier: MIT
/*
 * session_rig.c - see session_rig.h.
 */
#include "tests/support/session_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "client/submit.h"

struct wyn_session rig_session;
struct wyn_script rig_script;
struct wyn_script_reader rig_reader;
const struct wyn_script_limits rig_defaults = WYN_SCRIPT_LIMITS;

/* Hands bytes to the session the way a socket would, `piece` at a time. */
void rig_feed(size_t piece)
{
	size_t at = 0;
	uint8_t *room;
	size_t bytes;

	while (at < rig_script.len) {
		assert_int_equal(
			0, wyn_session_room(&rig_session, &room, &bytes));
		if (bytes > piece) {
			bytes = piece;
		}
		if (bytes > rig_script.len - at) {
			bytes = rig_script.len - at;
		}
		memcpy(room, rig_script.data + at, bytes);
		wyn_session_received(&rig_session, bytes);
		at += bytes;
	}
	rig_script.len = 0;
}

/* Pulls up to the next event, or to what else there is to say. */
int rig_pull(struct wyn_client_event *event)
{
	int result;

	do {
		result = wyn_session_pull(&rig_session, event);
	} while (result == WYN_SESSION_NOTED);
	return result;
}

/* Everything that the session wants to send, to be read by script_next(). */
void rig_sent(bool preface)
{
	static uint8_t copy[1u << 20];
	struct wyn_slice output = wyn_session_output(&rig_session);

	assert_true(output.len <= sizeof(copy));
	if (output.len > 0) {
		memcpy(copy, output.data, output.len);
	}
	wyn_session_sent(&rig_session, output.len);
	script_read(&rig_reader, (struct wyn_slice){copy, output.len}, preface);
}

void rig_open_with(const struct wyn_script_limits *limits,
	const struct wyn_client_config *config)
{
	struct wyn_client_event event;

	rig_script.len = 0;
	assert_int_equal(0, wyn_session_init(&rig_session, config));
	script_welcome(&rig_script, limits);
	rig_feed(SIZE_MAX);
	assert_int_equal(-EAGAIN, rig_pull(&event));
	assert_int_equal(WYN_SESSION_OPEN, rig_session.state);
	rig_sent(true);
}

int rig_setup(void **state)
{
	(void)state;
	rig_open_with(&rig_defaults, NULL);
	return 0;
}

int rig_teardown(void **state)
{
	(void)state;
	wyn_session_fini(&rig_session);
	return 0;
}

uint64_t rig_submit_some(size_t n, struct wyn_client_options options)
{
	struct wyn_bytes arguments[16];
	uint64_t first = 0;
	size_t count = 0;

	assert_true(n <= 16);
	for (size_t i = 0; i < n; i++) {
		arguments[i] = (struct wyn_bytes){"argument", 8};
	}
	assert_int_equal(0, wyn_session_submit(&rig_session, "echo", arguments,
				    n, &options, &first, &count));
	assert_int_equal(n, count);
	rig_sent(false);
	return first;
}

uint64_t rig_submit_stream(void)
{
	static char program[] = "cat";
	char *argv[] = {program, NULL};
	const struct wyn_client_command command = {
		.argv = argv, .input_stream = true};
	const struct wyn_client_options options = {.stream = false};
	uint64_t seq = 0;

	assert_int_equal(
		0, wyn_session_submit_command(&rig_session, &command,
			   (struct wyn_bytes){NULL, 0}, NULL, &options, &seq));
	rig_sent(false);
	return seq;
}

void rig_assert_value(
	const struct wyn_client_event *event, uint64_t seq, const char *value)
{
	assert_int_equal(WYN_CLIENT_RESULT, event->kind);
	assert_int_equal(WYN_STATUS_OK, event->code);
	assert_int_equal(seq, event->seq);
	assert_int_equal(strlen(value), event->value.size);
	assert_memory_equal(value, event->value.data, event->value.size);
}
