// SPDX-License-Identifier: MIT
/*
 * test_transport.c - sockets against a scripted connection.
 *
 * The connection here is this file's: it keeps what it is given, has as output
 * what a test says, and wishes what a test says. The peer is the other end of
 * a socket pair. The loop is only run for as long as something is due.
 */
#include "daemon/io/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/engine/conn.h"
#include "daemon/limits.h"

#define OUTPUT_BYTES (4u << 20)
#define PIECE_BYTES  30000u

struct wyn_conn {
	struct wyn_transport *transport;
	enum wyn_conn_wish wish;
	bool pause_on_receive;
	int refill; /* the peer, which has more whenever some was read; or -1 */
	bool close_when_written;
	unsigned receives;
	size_t received;
	uint8_t last; /* byte received */
	bool eof;
	unsigned gone;
	uint8_t *output;
	size_t output_bytes;
	size_t written;
};

static struct wyn_conn script; /* the only connection of a test */
static const uint8_t zeros[2 * WYN_RECEIVE_BYTES];
static int open_result;
static unsigned lingers_cut;

int wyn_engine_open(struct wyn_engine *engine, const struct wyn_peer *peer,
	void *transport, uint64_t now_ns, struct wyn_conn **ret_conn)
{
	(void)engine;
	(void)peer;
	(void)now_ns;
	script.transport = transport;
	if (!open_result) {
		*ret_conn = &script;
	}
	return open_result;
}

void wyn_engine_linger_cut(struct wyn_engine *engine)
{
	(void)engine;
	lingers_cut++;
}

void wyn_conn_receive(
	struct wyn_conn *conn, struct wyn_slice bytes, uint64_t now_ns)
{
	(void)now_ns;
	conn->receives++;
	conn->received += bytes.len;
	conn->last = bytes.data[bytes.len - 1];
	if (conn->pause_on_receive) {
		conn->wish = WYN_CONN_PAUSE;
	}
	if (conn->refill >= 0) {
		(void)!write(conn->refill, zeros, sizeof(zeros));
	}
}

void wyn_conn_eof(struct wyn_conn *conn, uint64_t now_ns)
{
	(void)now_ns;
	conn->eof = true;
}

size_t wyn_conn_output(const struct wyn_conn *conn, struct wyn_slice *pieces,
	size_t pieces_max)
{
	size_t at = conn->written;
	size_t n = 0;

	for (; n < pieces_max && at < conn->output_bytes; n++) {
		size_t left = conn->output_bytes - at;

		pieces[n].data = conn->output + at;
		pieces[n].len = left < PIECE_BYTES ? left : PIECE_BYTES;
		at += pieces[n].len;
	}
	return n;
}

void wyn_conn_written(struct wyn_conn *conn, size_t bytes, uint64_t now_ns)
{
	(void)now_ns;
	conn->written += bytes;
	if (conn->close_when_written && conn->written == conn->output_bytes) {
		conn->wish = WYN_CONN_CLOSE;
	}
}

enum wyn_conn_wish wyn_conn_wish(const struct wyn_conn *conn)
{
	return conn->wish;
}

void wyn_conn_report(
	const struct wyn_conn *conn, struct wyn_conn_report *ret_report)
{
	static const struct wyn_peer nobody;

	(void)conn;
	*ret_report = (struct wyn_conn_report){.client = "", .peer = &nobody};
}

void wyn_conn_gone(struct wyn_conn *conn, uint64_t now_ns)
{
	(void)now_ns;
	conn->gone++;
}

struct fixture {
	uv_loop_t uv;
	struct wyn_transports transports;
	int peer; /* not blocking */
	unsigned closed;
};

static void on_gone(void *context)
{
	struct fixture *fixture = context;

	fixture->closed++;
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	script = (struct wyn_conn){.wish = WYN_CONN_READ, .refill = -1};
	script.output = malloc(OUTPUT_BYTES);
	for (size_t i = 0; i < OUTPUT_BYTES; i++) {
		script.output[i] = (uint8_t)(i % 251);
	}
	open_result = 0;
	lingers_cut = 0;
	*state = fixture;
	return uv_loop_init(&fixture->uv) ||
	       wyn_transports_init(&fixture->transports, &fixture->uv, NULL,
		       on_gone, fixture);
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	wyn_transports_abort(&fixture->transports);
	uv_run(&fixture->uv, UV_RUN_DEFAULT);
	wyn_transports_fini(&fixture->transports);
	free(script.output);
	close(fixture->peer);
	return uv_loop_close(&fixture->uv) || (free(fixture), 0);
}

static int open_it(struct fixture *fixture)
{
	const struct wyn_peer peer = {0};
	int fds[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	fixture->peer = fds[1];
	return wyn_transport_open(
		&fixture->transports, fds[0], WYN_ENDPOINT_UNIX, &peer);
}

/* A connected pair over loopback. Returns: wynd's end. */
static int tcp_pair(struct fixture *fixture)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t bytes = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd;

	assert_int_equal(bind(listener, (void *)&at, bytes), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (void *)&at, &bytes), 0);
	fixture->peer = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fixture->peer, (void *)&at, bytes), 0);
	fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	assert_true(fd >= 0);
	close(listener);
	return fd;
}

static int option_of(int fd, int level, int name)
{
	socklen_t bytes = sizeof(int);
	int value = -1;

	assert_int_equal(getsockopt(fd, level, name, &value, &bytes), 0);
	return value;
}

/* One turn; never blocks. What a socket pair was given is there at once. */
static void turn(struct fixture *fixture)
{
	wyn_transports_turn(&fixture->transports);
	uv_run(&fixture->uv, UV_RUN_NOWAIT);
}

static void output(size_t bytes)
{
	script.output_bytes = bytes;
	wyn_transport_flush(script.transport);
}

/* What the peer can read now. Returns: bytes, all of the right value. */
static size_t peer_reads(struct fixture *fixture, size_t from)
{
	static uint8_t buffer[65536];
	ssize_t bytes = read(fixture->peer, buffer, sizeof(buffer));

	for (ssize_t i = 0; i < bytes; i++) {
		assert_int_equal(buffer[i], (from + (size_t)i) % 251);
	}
	return bytes > 0 ? (size_t)bytes : 0;
}

static bool peer_at_end(struct fixture *fixture)
{
	char byte;

	return read(fixture->peer, &byte, 1) == 0;
}

static void transport_hands_on_what_was_read(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(open_it(fixture), 0);
	assert_int_equal(write(fixture->peer, "hello", 5), 5);
	turn(fixture);
	assert_int_equal(script.received, 5);
	assert_int_equal(script.last, 'o');
}

static void transport_stops_reading_at_once_when_paused(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(open_it(fixture), 0);
	script.pause_on_receive = true;
	assert_int_equal(
		write(fixture->peer, zeros, sizeof(zeros)), sizeof(zeros));
	turn(fixture);
	turn(fixture);
	assert_int_equal(script.receives, 1);
	script.wish = WYN_CONN_READ;
	wyn_transport_flush(script.transport);
	turn(fixture);
	assert_int_equal(script.receives, 2);
}

/* One that writes as fast as it is read keeps nobody else waiting for long. */
static void transport_leaves_the_rest_for_later_when_much_comes(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(open_it(fixture), 0);
	script.refill = fixture->peer;
	assert_int_equal(
		write(fixture->peer, zeros, sizeof(zeros)), sizeof(zeros));
	turn(fixture);
	assert_int_equal(script.received, WYN_TURN_READ_BYTES);
	/* The same turn, as when libuv polls again before the loop goes on. */
	uv_run(&fixture->uv, UV_RUN_NOWAIT);
	assert_int_equal(script.received, WYN_TURN_READ_BYTES);
	turn(fixture);
	assert_int_equal(script.received, 2 * WYN_TURN_READ_BYTES);
}

static void transport_reads_less_of_each_when_many_have_much(void **state)
{
	enum {
		GREEDY = 2 * WYN_TURN_READ_ALL_BYTES / WYN_TURN_READ_BYTES
	};
	struct fixture *fixture = *state;
	int peers[GREEDY];

	for (size_t i = 0; i < GREEDY; i++) {
		assert_int_equal(open_it(fixture), 0);
		peers[i] = fixture->peer;
		assert_int_equal(write(peers[i], zeros, sizeof(zeros)),
			WYN_TURN_READ_BYTES);
	}
	turn(fixture);
	assert_int_equal(script.received, 2 * WYN_TURN_READ_ALL_BYTES);
	script.received = 0;
	for (size_t i = 0; i < GREEDY; i++) {
		assert_int_equal(write(peers[i], zeros, sizeof(zeros)),
			WYN_TURN_READ_BYTES);
	}
	turn(fixture);
	assert_int_equal(script.received, WYN_TURN_READ_ALL_BYTES);
	for (size_t i = 0; i + 1 < GREEDY; i++) {
		close(peers[i]);
	}
}

/* The end of the stream is behind the bytes, and comes after all of them. */
static void transport_reads_all_when_the_peer_closes_after_much(void **state)
{
	struct fixture *fixture = *state;
	size_t sent = 0;
	ssize_t more;

	assert_int_equal(open_it(fixture), 0);
	while ((more = write(fixture->peer, zeros, sizeof(zeros))) > 0) {
		sent += (size_t)more;
	}
	assert_true(sent > WYN_TURN_READ_BYTES);
	close(fixture->peer);
	fixture->peer = -1;
	turn(fixture);
	assert_false(script.eof);
	while (!script.eof) {
		turn(fixture);
	}
	assert_int_equal(script.received, sent);
}

static void transport_writes_at_once_when_there_is_room(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(open_it(fixture), 0);
	output(1000);
	assert_int_equal(script.written, 1000);
	assert_int_equal(peer_reads(fixture, 0), 1000);
}

static void transport_writes_everything_when_the_peer_is_slow(void **state)
{
	struct fixture *fixture = *state;
	size_t got = 0;

	assert_int_equal(open_it(fixture), 0);
	output(OUTPUT_BYTES);
	assert_true(script.written < OUTPUT_BYTES);
	while (got < OUTPUT_BYTES) {
		size_t more = peer_reads(fixture, got);

		got += more;
		turn(fixture);
	}
	turn(fixture);
	assert_int_equal(script.written, OUTPUT_BYTES);
}

static void transport_keeps_writing_when_the_peer_half_closed(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(open_it(fixture), 0);
	shutdown(fixture->peer, SHUT_WR);
	turn(fixture);
	assert_true(script.eof);
	output(1000);
	assert_int_equal(peer_reads(fixture, 0), 1000);
	assert_int_equal(script.gone, 0);
}

static void transport_lets_go_when_the_peer_is_gone_in_a_write(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(open_it(fixture), 0);
	output(OUTPUT_BYTES);
	close(fixture->peer);
	fixture->peer = -1;
	for (int i = 0; i < 5; i++) {
		turn(fixture);
	}
	assert_int_equal(script.gone, 1);
	assert_int_equal(fixture->closed, 1);
}

/* Nothing is read from it nor written to it. */
static void transport_lets_go_when_a_half_closed_peer_is_gone(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(open_it(fixture), 0);
	shutdown(fixture->peer, SHUT_WR);
	turn(fixture);
	wyn_transport_flush(script.transport);
	turn(fixture);
	assert_int_equal(script.gone, 0);
	close(fixture->peer);
	fixture->peer = -1;
	wyn_transport_flush(script.transport);
	turn(fixture);
	assert_int_equal(script.gone, 1);
	assert_int_equal(fixture->closed, 1);
}

static void transport_lets_the_answer_arrive_when_input_is_unread(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(open_it(fixture), 0);
	assert_int_equal(write(fixture->peer, "garbage", 7), 7);
	script.close_when_written = true;
	output(1000);
	assert_int_equal(script.gone, 1);
	assert_int_equal(fixture->closed, 0);
	assert_int_equal(peer_reads(fixture, 0), 1000);
	assert_true(peer_at_end(fixture));
	close(fixture->peer);
	fixture->peer = -1;
	turn(fixture);
	assert_int_equal(fixture->closed, 1);
	assert_int_equal(script.received, 0);
}

static void transport_probes_whoever_is_silent_when_it_is_tcp(void **state)
{
	const struct wyn_peer peer = {0};
	struct fixture *fixture = *state;
	int fd = tcp_pair(fixture);

	assert_int_equal(wyn_transport_open(&fixture->transports, fd,
				 WYN_ENDPOINT_TCP, &peer),
		0);
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(
		option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), WYN_TCP_IDLE_S);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL),
		WYN_TCP_PROBE_EVERY_S);
	assert_int_equal(
		option_of(fd, IPPROTO_TCP, TCP_KEEPCNT), WYN_TCP_PROBES);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
}

static void transport_stops_lingering_when_its_time_is_over(void **state)
{
	struct fixture *fixture = *state;
	uint64_t until_ns;

	assert_int_equal(open_it(fixture), 0);
	script.wish = WYN_CONN_CLOSE;
	wyn_transport_flush(script.transport);
	until_ns = wyn_transports_expire(&fixture->transports, 0);
	assert_true(until_ns < UINT64_MAX);
	turn(fixture);
	assert_int_equal(fixture->closed, 0);
	assert_true(wyn_transports_expire(&fixture->transports, until_ns) ==
		    UINT64_MAX);
	turn(fixture);
	assert_int_equal(fixture->closed, 1);
}

static void transport_stops_lingering_when_too_much_comes(void **state)
{
	static const uint8_t bytes[65536];
	struct fixture *fixture = *state;
	size_t sent = 0;

	assert_int_equal(open_it(fixture), 0);
	script.wish = WYN_CONN_CLOSE;
	wyn_transport_flush(script.transport);
	while (fixture->closed == 0) {
		ssize_t more =
			send(fixture->peer, bytes, sizeof(bytes), MSG_NOSIGNAL);

		sent += more > 0 ? (size_t)more : 0;
		assert_true(sent < 2 * WYN_LINGER_BYTES_MAX);
		turn(fixture);
	}
	assert_true(sent > WYN_LINGER_BYTES_MAX);
}

static void transport_stops_lingering_when_too_many_do(void **state)
{
	struct fixture *fixture = *state;
	int peers[WYN_LINGERING_MAX + 2];

	for (size_t i = 0; i < WYN_COUNT_OF(peers); i++) {
		script.wish = WYN_CONN_READ;
		assert_int_equal(open_it(fixture), 0);
		peers[i] = fixture->peer;
		script.wish = WYN_CONN_CLOSE;
		wyn_transport_flush(script.transport);
	}
	turn(fixture);
	assert_int_equal(fixture->closed, 2);
	assert_int_equal(lingers_cut, 2);
	assert_int_equal(fixture->transports.count, WYN_LINGERING_MAX);
	/* The oldest: a write finds nobody there. */
	assert_int_equal(send(peers[1], "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(send(peers[2], "x", 1, MSG_NOSIGNAL), 1);
	for (size_t i = 0; i + 1 < WYN_COUNT_OF(peers); i++) {
		close(peers[i]);
	}
}

static void transport_closes_at_once_when_aborted(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(open_it(fixture), 0);
	script.wish = WYN_CONN_ABORT;
	wyn_transport_flush(script.transport);
	turn(fixture);
	assert_int_equal(script.gone, 1);
	assert_true(peer_at_end(fixture));
}

static void transport_closes_the_socket_when_the_engine_refuses(void **state)
{
	struct fixture *fixture = *state;

	open_result = -ENOMEM;
	assert_int_equal(open_it(fixture), -ENOMEM);
	turn(fixture);
	assert_int_equal(fixture->closed, 1);
	assert_int_equal(script.gone, 0);
	assert_true(peer_at_end(fixture));
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(transport_hands_on_what_was_read),
		TEST(transport_stops_reading_at_once_when_paused),
		TEST(transport_leaves_the_rest_for_later_when_much_comes),
		TEST(transport_reads_less_of_each_when_many_have_much),
		TEST(transport_reads_all_when_the_peer_closes_after_much),
		TEST(transport_writes_at_once_when_there_is_room),
		TEST(transport_writes_everything_when_the_peer_is_slow),
		TEST(transport_keeps_writing_when_the_peer_half_closed),
		TEST(transport_lets_go_when_the_peer_is_gone_in_a_write),
		TEST(transport_lets_go_when_a_half_closed_peer_is_gone),
		TEST(transport_lets_the_answer_arrive_when_input_is_unread),
		TEST(transport_probes_whoever_is_silent_when_it_is_tcp),
		TEST(transport_stops_lingering_when_its_time_is_over),
		TEST(transport_stops_lingering_when_too_much_comes),
		TEST(transport_stops_lingering_when_too_many_do),
		TEST(transport_closes_at_once_when_aborted),
		TEST(transport_closes_the_socket_when_the_engine_refuses),
	};

	/* As main.c has it: a peer that is gone is an EPIPE. */
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
