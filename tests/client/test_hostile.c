// SPDX-License-Identifier: MIT
/*
 * test_hostile.c - a server that means ill: what it can make a client hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/client.h"
#include "client/session.h"
#include "client/submit.h"
#include "tests/support/script.h"

static struct wyn_session session;
static struct wyn_script script;

/* Hands the script to the session. Returns: what the last pull said. */
static int feed(struct wyn_client_event *event)
{
	uint8_t *room;
	size_t bytes;
	int result;

	assert_int_equal(0, wyn_session_room(&session, &room, &bytes));
	assert_true(bytes >= script.len);
	memcpy(room, script.data, script.len);
	wyn_session_received(&session, script.len);
	script.len = 0;
	do {
		result = wyn_session_pull(&session, event);
	} while (result == WYN_SESSION_NOTED);
	return result;
}

static int setup(void **state)
{
	struct wyn_script_limits limits = WYN_SCRIPT_LIMITS;
	struct wyn_client_event event;

	(void)state;
	script.len = 0;
	limits.max_value = UINT64_MAX;
	assert_int_equal(0, wyn_session_init(&session, NULL));
	script_welcome(&script, &limits);
	assert_int_equal(-EAGAIN, feed(&event));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	wyn_session_fini(&session);
	return 0;
}

static void session_bounds_values_when_the_server_does_not(void **state)
{
	(void)state;
	assert_true(session.server.value_bytes_max <= UINT64_C(1) << 30);
}

static void session_keeps_too_much_when_partials_are_empty(void **state)
{
	const struct wyn_client_event empty = {
		.kind = WYN_CLIENT_PARTIAL, .reason = "", .message = ""};
	uint64_t kept = 0;

	(void)state;
	while (!wyn_session_keeps_too_much(&session) &&
		kept < session.stream_window) {
		assert_int_equal(0, wyn_session_keep(&session, &empty));
		kept++;
	}
	assert_true(kept * sizeof(empty) <= session.stream_window);
	assert_true(wyn_session_keeps_too_much(&session));
}

/* What would be old when it is taken is no reason to take no results. */
static void session_keeps_no_progress_when_asked_to(void **state)
{
	const struct wyn_client_event report = {
		.kind = WYN_CLIENT_PROGRESS, .reason = "", .message = ""};
	struct wyn_client_event event;

	(void)state;
	assert_int_equal(0, wyn_session_keep(&session, &report));
	assert_int_equal(0, session.notices.memory_bytes);
	assert_false(wyn_session_take(&session, &event));
}

static void session_keeps_more_when_events_were_taken(void **state)
{
	const struct wyn_client_event empty = {
		.kind = WYN_CLIENT_PARTIAL, .reason = "", .message = ""};
	struct wyn_client_event event;

	(void)state;
	while (!wyn_session_keeps_too_much(&session)) {
		assert_int_equal(0, wyn_session_keep(&session, &empty));
	}
	while (wyn_session_take(&session, &event)) {
	}
	assert_false(wyn_session_keeps_too_much(&session));
	assert_int_equal(0, session.notices.memory_bytes);
}

/* It never reads the Pongs: nothing is taken out of the outbox. */
static void session_ends_when_pings_are_without_end(void **state)
{
	struct wyn_client_event event;
	uint64_t pings = 0;

	(void)state;
	while (session.state == WYN_SESSION_OPEN && pings < 1000000) {
		for (unsigned i = 0; i < 1000; i++) {
			script_ping(&script, UINT64_MAX);
		}
		pings += 1000;
		(void)feed(&event);
	}
	assert_int_equal(WYN_SESSION_ENDED, session.state);
	assert_string_equal("PROTOCOL_VIOLATION", session.end.reason);
	assert_true(session.outbox.capacity <= 8u << 20);
}

/* Says what nobody asked for as fast as it can, until the other end closes. */
static void *never_stop(void *fd)
{
	while (send(*(int *)fd, script.data, script.len, MSG_NOSIGNAL) > 0) {
	}
	return NULL;
}

static void client_times_out_when_the_server_never_stops(void **state)
{
	struct wyn_script_limits limits = WYN_SCRIPT_LIMITS;
	struct wyn_client *client;
	pthread_t server;
	uint64_t ns;
	int fds[2];

	(void)state;
	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	assert_int_equal(0, wyn_client_create(NULL, &client));
	script.len = 0;
	script_welcome(&script, &limits);
	assert_int_equal(script.len, write(fds[1], script.data, script.len));
	assert_int_equal(
		0, wyn_client_connect_fd(client, fds[0], WYN_CLIENT_FOREVER));
	script.len = 0;
	for (unsigned i = 0; i < 10000; i++) {
		script_pong(&script, UINT64_MAX);
	}
	assert_int_equal(0, pthread_create(&server, NULL, never_stop, &fds[1]));
	assert_int_equal(-ETIMEDOUT, wyn_client_ping(client, 1, &ns));
	wyn_client_destroy(client);
	assert_int_equal(0, pthread_join(server, NULL));
	close(fds[1]);
}

static void put_function(uint64_t call_id, char *name)
{
	Wyn__V1__Function function = WYN__V1__FUNCTION__INIT;
	Wyn__V1__Function *functions[] = {&function};
	Wyn__V1__FunctionsReply list = WYN__V1__FUNCTIONS_REPLY__INIT;
	Wyn__V1__Reply reply = WYN__V1__REPLY__INIT;
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	function.name = name;
	list.functions = functions;
	list.n_functions = 1;
	list.more = true;
	reply.call_id = call_id;
	reply.what_case = WYN__V1__REPLY__WHAT_FUNCTIONS;
	reply.functions = &list;
	frame.body_case = WYN__V1__FRAME__BODY_REPLY;
	frame.reply = &reply;
	script_frame(&script, &frame, 0);
}

static int count(void *context, const struct wyn_client_function *function)
{
	(void)function;
	++*(unsigned *)context;
	return 0;
}

/* The same page for ever would be a listing without an end. */
static void client_ends_when_functions_do_not_ascend(void **state)
{
	struct wyn_script_limits limits = WYN_SCRIPT_LIMITS;
	struct wyn_client *client;
	char name[] = "b";
	unsigned counted = 0;
	int fds[2];

	(void)state;
	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	assert_int_equal(0, wyn_client_create(NULL, &client));
	script.len = 0;
	script_welcome(&script, &limits);
	put_function(1, name);
	put_function(2, name);
	assert_int_equal(script.len, write(fds[1], script.data, script.len));
	assert_int_equal(
		0, wyn_client_connect_fd(client, fds[0], WYN_CLIENT_FOREVER));
	assert_int_equal(-EPROTO, wyn_client_functions(client,
					  WYN_CLIENT_FOREVER, count, &counted));
	assert_int_equal(1, counted);
	assert_string_equal(
		"PROTOCOL_VIOLATION", wyn_client_error(client)->reason);
	wyn_client_destroy(client);
	close(fds[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(session_bounds_values_when_the_server_does_not),
		TEST(session_keeps_too_much_when_partials_are_empty),
		TEST(session_keeps_no_progress_when_asked_to),
		TEST(session_keeps_more_when_events_were_taken),
		TEST(session_ends_when_pings_are_without_end),
		TEST(client_ends_when_functions_do_not_ascend),
		TEST(client_times_out_when_the_server_never_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
