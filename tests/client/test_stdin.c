// SPDX-License-Identifier: MIT
/*
 * test_stdin.c - standard input on its way to a command of a scripted server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client/wynctl/stdin.h"
#include "tests/support/peer.h"

static struct wyn_stdin input;
static int write_end;

/* A pipe as standard input. */
static void open_pipe(void)
{
	int ends[2];

	assert_int_equal(0, pipe2(ends, O_CLOEXEC));
	write_end = ends[1];
	assert_true(wyn_stdin_init(&input, ends[0]));
}

static void put(const char *text)
{
	assert_int_equal(strlen(text), write(write_end, text, strlen(text)));
}

static uint64_t submit_cat(void)
{
	char *argv[] = {(char[]){"cat"}, NULL};
	const struct wyn_client_command command = {
		.argv = argv, .input_stream = true};
	struct wyn_message message;
	uint64_t seq = 0;

	assert_int_equal(0, wyn_client_submit_command(peer_client, &command,
				    (struct wyn_bytes){NULL, 0}, NULL, &seq));
	assert_int_equal(0, wyn_client_flush(peer_client, WYN_CLIENT_FOREVER));
	peer_read(true);
	assert_true(script_next(&peer_reader, &message));
	assert_true(script_next(&peer_reader, &message));
	assert_int_equal(WYN_MESSAGE_SUBMIT, message.kind);
	return seq;
}

static void assert_sent(const char *text, bool eof)
{
	struct wyn_message message;

	assert_int_equal(0, wyn_client_flush(peer_client, WYN_CLIENT_FOREVER));
	peer_read(false);
	assert_true(script_next(&peer_reader, &message));
	assert_int_equal(WYN_MESSAGE_CHUNK, message.kind);
	assert_int_equal(strlen(text), message.chunk.data.len);
	if (text[0] != '\0') {
		assert_memory_equal(
			text, message.chunk.data.data, strlen(text));
	}
	assert_int_equal(eof, message.chunk.eof);
	assert_false(script_next(&peer_reader, &message));
}

static int poll_fd(void)
{
	int timeout_ms = -1;
	int fd = wyn_stdin_poll_fd(&input, &timeout_ms);

	assert_int_equal(-1, timeout_ms);
	return fd;
}

static void stdin_is_passed_on_when_it_comes_and_ends(void **state)
{
	uint64_t seq = submit_cat();

	(void)state;
	open_pipe();
	assert_int_equal(input.fd, poll_fd());
	assert_int_equal(0, wyn_stdin_pass(&input, peer_client, seq));
	put("hello");
	assert_int_equal(0, wyn_stdin_read(&input));
	assert_int_equal(-1, poll_fd());
	assert_int_equal(0, wyn_stdin_pass(&input, peer_client, seq));
	assert_sent("hello", false);
	assert_int_equal(input.fd, poll_fd());
	(void)close(write_end);
	assert_int_equal(0, wyn_stdin_read(&input));
	assert_int_equal(-1, poll_fd());
	assert_int_equal(0, wyn_stdin_pass(&input, peer_client, seq));
	assert_sent("", true);
	assert_int_equal(0, wyn_stdin_pass(&input, peer_client, seq));
	assert_true(input.done);
	(void)close(input.fd);
}

static void stdin_is_read_no_more_when_its_command_has_ended(void **state)
{
	struct wyn_client_event event;
	uint64_t seq = submit_cat();

	(void)state;
	open_pipe();
	put("hello");
	assert_int_equal(0, wyn_stdin_read(&input));
	script_value(&peer_script, seq, "");
	peer_send();
	assert_int_equal(
		0, wyn_client_next(peer_client, WYN_CLIENT_FOREVER, &event));
	assert_int_equal(0, wyn_stdin_pass(&input, peer_client, seq));
	assert_int_equal(-1, poll_fd());
	(void)close(write_end);
	(void)close(input.fd);
}

static void stdin_is_none_when_it_is_dev_null(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_false(wyn_stdin_init(&input, fd));
	assert_int_equal(-1, poll_fd());
	(void)close(fd);
	fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	assert_true(wyn_stdin_init(&input, fd));
	(void)close(fd);
}

static void stdin_ends_when_it_cannot_be_read(void **state)
{
	uint64_t seq = submit_cat();
	int fd = open("/", O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(wyn_stdin_init(&input, fd));
	assert_int_equal(-EISDIR, wyn_stdin_read(&input));
	assert_int_equal(0, wyn_stdin_pass(&input, peer_client, seq));
	assert_sent("", true);
	(void)close(fd);
}

#define CASE(name) \
	cmocka_unit_test_setup_teardown(name, peer_setup, peer_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(stdin_is_passed_on_when_it_comes_and_ends),
		CASE(stdin_is_read_no_more_when_its_command_has_ended),
		CASE(stdin_is_none_when_it_is_dev_null),
		CASE(stdin_ends_when_it_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
