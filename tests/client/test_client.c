// SPDX-License-Identifier: MIT
/*
 * test_client.c - the blocking calls, against a server in a thread.
 *
 * The server reads with proto/ and does what the function's name says: "echo"
 * answers at once, "hold" when the next "release" comes, "part" streams two
 * values, "close" closes the connection. It asserts nothing itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <wyn/client.h>

#include "tests/support/bytes.h"
#include "tests/support/script.h"

#define HELD_MAX 16u

struct server {
	int fd;
	pthread_t thread;
	uint64_t held[HELD_MAX];
	size_t held_count;
	uint64_t tasks_granted;
	bool closes;
	struct wyn_script out;
	struct wyn_script_reader reader;
	size_t in_len;
	uint8_t in[8u << 20];
};

static struct server server;
static struct wyn_client *client;

static void server_task(
	uint64_t seq, struct wyn_slice name, struct wyn_slice arg)
{
	const struct wyn_result row = {.seq = seq, .value = arg};

	if (wyn_slice_equal(name, wyn_slice_of("hold"))) {
		server.held[server.held_count++] = seq;
		return;
	}
	if (wyn_slice_equal(name, wyn_slice_of("close"))) {
		server.closes = true;
		return;
	}
	if (wyn_slice_equal(name, wyn_slice_of("part"))) {
		script_chunk(&server.out, seq, WYN__V1__STREAM__STREAM_PARTIAL,
			0, BYTES_OF("one"), false);
		script_chunk(&server.out, seq, WYN__V1__STREAM__STREAM_PARTIAL,
			3, BYTES_OF("two"), false);
	}
	if (wyn_slice_equal(name, wyn_slice_of("release"))) {
		while (server.held_count > 0) {
			script_value(&server.out,
				server.held[--server.held_count], "released");
		}
	}
	script_rows(&server.out, &row, 1, 0);
}

static void server_functions(const Wyn__V1__Call *call)
{
	Wyn__V1__Function function = WYN__V1__FUNCTION__INIT;
	Wyn__V1__Function *functions[] = {&function};
	Wyn__V1__FunctionsReply list = WYN__V1__FUNCTIONS_REPLY__INIT;
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	char name[] = "a";

	/* One to a page: a, b, c. */
	if (call->functions->after[0] != '\0') {
		name[0] = (char)(call->functions->after[0] + 1);
	}
	function.name = name;
	list.functions = functions;
	list.n_functions = 1;
	list.more = name[0] != 'c';
	reply.call_id = call->call_id;
	reply.what_case = WYN__V1__REPLY__WHAT_FUNCTIONS;
	reply.functions = &list;
	frame.body_case = WYN__V1__FRAME__BODY_REPLY;
	frame.reply = &reply;
	script_frame(&server.out, &frame, 0);
}

static void server_refuse(const Wyn__V1__Call *call)
{
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;
	char reason[] = "NOT_ADMINISTRATOR";
	char message[] = "not you";

	reply.call_id = call->call_id;
	reply.code = WYN_STATUS_PERMISSION_DENIED;
	reply.reason = reason;
	reply.message = message;
	frame.body_case = WYN__V1__FRAME__BODY_REPLY;
	frame.reply = &reply;
	script_frame(&server.out, &frame, 0);
}

static void server_submit(struct wyn_submit *submit)
{
	struct wyn_slice arg;
	uint64_t seq = submit->first_seq;

	while (wyn_args_next(&submit->args, &arg)) {
		server_task(seq++, submit->function, arg);
		server.tasks_granted++;
	}
	script_credit(&server.out, server.tasks_granted, 0);
}

static void server_message(struct wyn_message *message)
{
	struct wyn_script_limits limits = WYN_SCRIPT_LIMITS;

	switch (message->kind) {
	case WYN_MESSAGE_HELLO:
		limits.tasks = server.tasks_granted;
		script_welcome(&server.out, &limits);
		break;
	case WYN_MESSAGE_SUBMIT:
		server_submit(&message->submit);
		break;
	case WYN_MESSAGE_CHUNK:
		if (message->chunk.eof) {
			server_task(message->chunk.seq, wyn_slice_of("echo"),
				wyn_slice_of("whole"));
		}
		break;
	case WYN_MESSAGE_CANCEL:
		script_failure(&server.out,
			message->frame->cancel->seqs[0]->first,
			WYN_STATUS_CANCELLED, "CANCELLED_BY_CLIENT", "");
		break;
	case WYN_MESSAGE_PING:
		script_pong(&server.out, message->frame->ping->token);
		break;
	case WYN_MESSAGE_CALL:
		if (message->frame->call->what_case ==
			WYN__V1__CALL__WHAT_FUNCTIONS) {
			server_functions(message->frame->call);
		} else {
			server_refuse(message->frame->call);
		}
		break;
	default:
		break;
	}
}

static void server_write(void)
{
	size_t at = 0;
	ssize_t wrote;

	while (at < server.out.len) {
		wrote = send(server.fd, server.out.data + at,
			server.out.len - at, MSG_NOSIGNAL);
		if (wrote <= 0) {
			break;
		}
		at += (size_t)wrote;
	}
	server.out.len = 0;
}

static void *server_run(void *unused)
{
	struct wyn_message message;
	bool preface = true;
	ssize_t got;

	while (!server.closes) {
		got = read(server.fd, server.in + server.in_len,
			sizeof(server.in) - server.in_len);
		if (got <= 0) {
			break;
		}
		server.in_len += (size_t)got;
		if (preface && server.in_len < WYN_PREFACE_BYTES) {
			continue;
		}
		script_read(&server.reader,
			(struct wyn_slice){server.in, server.in_len}, preface);
		preface = false;
		while (script_next(&server.reader, &message)) {
			server_message(&message);
			server_write();
		}
		server.in_len = server.reader.left.len;
		memmove(server.in, server.reader.left.data, server.in_len);
	}
	close(server.fd);
	return unused;
}

static void start(uint64_t tasks, const struct wyn_client_config *config)
{
	int fds[2];

	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	server.fd = fds[0];
	server.closes = false;
	server.held_count = 0;
	server.in_len = 0;
	server.tasks_granted = tasks;
	assert_int_equal(
		0, pthread_create(&server.thread, NULL, server_run, NULL));
	assert_int_equal(0, wyn_client_create(config, &client));
	assert_int_equal(
		0, wyn_client_connect_fd(client, fds[1], WYN_CLIENT_FOREVER));
}

static int setup(void **state)
{
	(void)state;
	start(100, NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wyn_client_destroy(client);
	client = NULL;
	pthread_join(server.thread, NULL);
	return 0;
}

static uint64_t submit(const char *function, const char *argument)
{
	const struct wyn_client_options options = {.stream = true};
	uint64_t seq = 0;

	assert_int_equal(
		0, wyn_client_submit(client, function,
			   (struct wyn_bytes){argument, strlen(argument)},
			   &options, &seq));
	return seq;
}

static void assert_value(
	const struct wyn_client_event *event, const char *value)
{
	assert_int_equal(WYN_STATUS_OK, event->code);
	assert_int_equal(strlen(value), event->value.size);
	assert_memory_equal(value, event->value.data, event->value.size);
}

static void client_knows_the_server_when_connected(void **state)
{
	(void)state;
	assert_string_equal("script", wyn_client_server(client)->name);
	assert_int_equal(1u << 20, wyn_client_server(client)->frame_bytes_max);
}

static void client_awaits_one_when_others_come_first(void **state)
{
	struct wyn_client_event event;
	uint64_t held;
	uint64_t echo;

	(void)state;
	held = submit("hold", "");
	echo = submit("echo", "hello");
	(void)submit("release", "x");
	assert_int_equal(
		0, wyn_client_await(client, held, WYN_CLIENT_FOREVER, &event));
	assert_value(&event, "released");
	assert_int_equal(
		0, wyn_client_await(client, echo, WYN_CLIENT_FOREVER, &event));
	assert_value(&event, "hello");
	assert_int_equal(-ENOENT,
		wyn_client_await(client, echo, WYN_CLIENT_FOREVER, &event));
	assert_int_equal(
		0, wyn_client_next(client, WYN_CLIENT_FOREVER, &event));
	assert_value(&event, "x");
	assert_int_equal(
		-ENODATA, wyn_client_next(client, WYN_CLIENT_FOREVER, &event));
}

static void client_times_out_when_no_result_comes(void **state)
{
	struct wyn_client_event event;
	uint64_t seq;

	(void)state;
	seq = submit("hold", "");
	assert_int_equal(
		-ETIMEDOUT, wyn_client_await(client, seq,
				    wyn_client_deadline_in_ms(20), &event));
	assert_int_equal(
		WYN_STATUS_DEADLINE_EXCEEDED, wyn_client_error(client)->status);
	assert_int_equal(
		-EAGAIN, wyn_client_next(client, WYN_CLIENT_AT_ONCE, &event));
	assert_int_equal(1, wyn_client_in_flight(client));
}

static void client_gives_partials_before_the_result_when_streaming(void **state)
{
	struct wyn_client_event event;
	uint64_t seq;

	(void)state;
	seq = submit("part", "end");
	assert_int_equal(
		0, wyn_client_await(client, seq, WYN_CLIENT_FOREVER, &event));
	assert_value(&event, "end");
	assert_int_equal(
		0, wyn_client_next(client, WYN_CLIENT_AT_ONCE, &event));
	assert_int_equal(WYN_CLIENT_PARTIAL, event.kind);
	assert_value(&event, "one");
	assert_int_equal(
		0, wyn_client_next(client, WYN_CLIENT_AT_ONCE, &event));
	assert_value(&event, "two");
}

static void client_waits_for_credit_when_it_is_used_up(void **state)
{
	struct wyn_client_event event;
	size_t events = 0;

	(void)state;
	assert_int_equal(0, teardown(NULL));
	start(3, NULL);
	for (size_t i = 0; i < 50; i++) {
		(void)submit("echo", "x");
	}
	while (wyn_client_next(client, WYN_CLIENT_FOREVER, &event) == 0) {
		assert_value(&event, "x");
		events++;
	}
	assert_int_equal(50, events);
}

static void client_does_not_wait_when_told_so(void **state)
{
	const struct wyn_client_options nonblock = {.nonblock = true};
	uint64_t seq;
	int err = 0;

	(void)state;
	for (size_t i = 0; i < 100; i++) {
		err = wyn_client_submit(client, "hold",
			(struct wyn_bytes){NULL, 0}, &nonblock, &seq);
		if (err != 0 || i == 9) {
			break;
		}
	}
	assert_int_equal(0, err);
	assert_int_equal(0, teardown(NULL));
	start(1, NULL);
	assert_int_equal(
		0, wyn_client_submit(client, "hold",
			   (struct wyn_bytes){NULL, 0}, &nonblock, &seq));
	err = wyn_client_submit(
		client, "hold", (struct wyn_bytes){NULL, 0}, &nonblock, &seq);
	assert_int_equal(-EAGAIN, err);
}

static void client_says_when_there_is_room_again(void **state)
{
	const struct wyn_client_options nonblock = {.nonblock = true};
	const struct wyn_bytes nothing = {NULL, 0};
	struct wyn_client_event event;
	uint64_t seq;

	(void)state;
	assert_int_equal(0, teardown(NULL));
	start(1, NULL);
	assert_int_equal(
		0, wyn_client_submit(client, "hold", nothing, &nonblock, &seq));
	assert_int_equal(-EAGAIN,
		wyn_client_submit(client, "echo", nothing, &nonblock, &seq));
	assert_int_equal(
		0, wyn_client_next(client, WYN_CLIENT_FOREVER, &event));
	assert_int_equal(WYN_CLIENT_ROOM, event.kind);
	assert_int_equal(
		0, wyn_client_submit(client, "echo", nothing, &nonblock, &seq));
}

static void client_sends_chunks_when_argument_is_over_a_frame(void **state)
{
	static uint8_t large[3u << 20];
	struct wyn_client_event event;
	uint64_t seq;

	(void)state;
	assert_int_equal(0,
		wyn_client_submit(client, "echo",
			(struct wyn_bytes){large, sizeof(large)}, NULL, &seq));
	assert_int_equal(
		0, wyn_client_await(client, seq, WYN_CLIENT_FOREVER, &event));
	assert_value(&event, "whole");
}

static void client_leaves_the_count_when_a_large_one_waits(void **state)
{
	const struct wyn_client_options nonblock = {.nonblock = true};
	static uint8_t large[3u << 20];
	const struct wyn_bytes argument = {large, sizeof(large)};
	uint64_t seq = 0;
	size_t count = 77;

	(void)state;
	start(1, NULL);
	assert_int_equal(
		0, wyn_client_submit(client, "hold",
			   (struct wyn_bytes){NULL, 0}, &nonblock, &seq));
	assert_int_equal(
		-EAGAIN, wyn_client_submit_batch(client, "echo", &argument, 1,
				 &nonblock, &seq, &count));
	assert_int_equal(77, count);
}

static void client_reports_unavailable_when_server_closes(void **state)
{
	struct wyn_client_event event;
	uint64_t held;
	uint64_t closing;

	(void)state;
	held = submit("hold", "");
	closing = submit("close", "");
	assert_int_equal(
		0, wyn_client_await(client, held, WYN_CLIENT_FOREVER, &event));
	assert_int_equal(WYN_STATUS_UNAVAILABLE, event.code);
	assert_int_equal(WYN_CLIENT_RAN_MAYBE, event.ran);
	assert_int_equal(
		0, wyn_client_next(client, WYN_CLIENT_FOREVER, &event));
	assert_int_equal(closing, event.seq);
	assert_int_equal(WYN_STATUS_UNAVAILABLE, event.code);
	assert_int_equal(
		-EPIPE, wyn_client_next(client, WYN_CLIENT_FOREVER, &event));
	assert_int_equal(
		WYN_STATUS_UNAVAILABLE, wyn_client_error(client)->status);
	/* And nothing but an error comes of going on, no signal. */
	assert_true(wyn_client_submit(client, "echo", (struct wyn_bytes){"", 0},
			    NULL, &held) < 0);
}

static void client_gets_cancelled_when_it_cancels(void **state)
{
	struct wyn_client_event event;
	uint64_t seq;

	(void)state;
	seq = submit("hold", "");
	assert_int_equal(0, wyn_client_cancel(client, seq, 1));
	assert_int_equal(
		0, wyn_client_await(client, seq, WYN_CLIENT_FOREVER, &event));
	assert_int_equal(WYN_STATUS_CANCELLED, event.code);
}

static void client_measures_when_it_pings(void **state)
{
	uint64_t ns = 0;

	(void)state;
	(void)submit("hold", "");
	assert_int_equal(0, wyn_client_ping(client, WYN_CLIENT_FOREVER, &ns));
	assert_true(ns > 0);
}

#define NAMES_BYTES 16u

static int collect(void *context, const struct wyn_client_function *function)
{
	char *names = context;
	size_t used = strlen(names);

	(void)snprintf(names + used, NAMES_BYTES - used, "%s", function->name);
	return 0;
}

static void client_lists_all_when_functions_come_in_pages(void **state)
{
	char names[NAMES_BYTES] = "";

	(void)state;
	assert_int_equal(0, wyn_client_functions(client, WYN_CLIENT_FOREVER,
				    collect, names));
	assert_string_equal("abc", names);
}

static void client_says_who_refused_when_a_call_is_refused(void **state)
{
	uint64_t unfinished;

	(void)state;
	assert_int_equal(-EREMOTEIO,
		wyn_client_drain(client, WYN_CLIENT_FOREVER, &unfinished));
	assert_int_equal(
		WYN_STATUS_PERMISSION_DENIED, wyn_client_error(client)->status);
	assert_string_equal("not you", wyn_client_error(client)->message);
}

static void client_names_the_address_when_nobody_is_there(void **state)
{
	struct wyn_client *other;

	(void)state;
	assert_int_equal(0, wyn_client_create(NULL, &other));
	assert_int_equal(
		-ENOENT, wyn_client_connect(other, "unix:/nowhere/wynd.sock",
				 WYN_CLIENT_FOREVER));
	assert_string_equal("cannot connect to unix:/nowhere/wynd.sock: No "
			    "such file or directory; is wynd running?",
		wyn_client_error(other)->message);
	assert_int_equal(-EINVAL,
		wyn_client_connect(other, "nowhere", WYN_CLIENT_FOREVER));
	wyn_client_destroy(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(client_knows_the_server_when_connected),
		TEST(client_awaits_one_when_others_come_first),
		TEST(client_times_out_when_no_result_comes),
		TEST(client_gives_partials_before_the_result_when_streaming),
		TEST(client_waits_for_credit_when_it_is_used_up),
		TEST(client_does_not_wait_when_told_so),
		TEST(client_says_when_there_is_room_again),
		TEST(client_sends_chunks_when_argument_is_over_a_frame),
		cmocka_unit_test_teardown(
			client_leaves_the_count_when_a_large_one_waits,
			teardown),
		TEST(client_reports_unavailable_when_server_closes),
		TEST(client_gets_cancelled_when_it_cancels),
		TEST(client_measures_when_it_pings),
		TEST(client_lists_all_when_functions_come_in_pages),
		TEST(client_says_who_refused_when_a_call_is_refused),
		cmocka_unit_test(client_names_the_address_when_nobody_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
