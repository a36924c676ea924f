// SPDX-License-Identifier: MIT
/*
 * transport.c - bytes between a libuv stream and its connection.
 *
 *	serving    reads by wish; writes at once, the rest by one uv_write
 *	lingering  the connection is gone, nothing is written, input is dropped
 *	closing    uv_close() is under way; nothing else happens any more
 *
 * A connection is let go in the close callback, or when the lingering begins:
 * never while libuv may still read from its output.
 */
#include "daemon/io/transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/compiler.h"
#include "daemon/engine/conn.h"
#include "daemon/limits.h"
#include "daemon/log.h"

/* Fields of a line: who is at the other end, as far as is known. */
#define LOG_PEER(peer)                                                     \
	WYN_LOG_NUMBER((peer)->local ? "uid" : NULL, (peer)->uid),         \
		WYN_LOG_NUMBER((peer)->local ? "pid" : NULL, (peer)->pid), \
		WYN_LOG_TEXT(                                              \
			(peer)->local ? NULL : "address", (peer)->address)

enum state {
	SERVING,
	LINGERING,
	CLOSING,
};

/* [L] all of it */
struct wyn_transport {
	union {
		uv_handle_t any;
		uv_stream_t stream;
		uv_pipe_t pipe;
		uv_tcp_t tcp;
	} handle;
	uv_write_t write;
	struct wyn_transports *all;
	struct wyn_conn *conn;	 /* NULL once it is let go */
	struct wyn_list link;	 /* all->open */
	struct wyn_list lingers; /* all->lingering, or on no list */
	uint64_t number;	 /* of this loop's, from 1: for the log */
	enum state state;
	const char *why; /* NULL, or what ended it here: for the log */
	bool reading;
	bool ended;	      /* the peer sends nothing more */
	size_t writing_bytes; /* by the uv_write under way; 0 = none is */
	uint64_t linger_until_ns;
	size_t dropped_bytes; /* while lingering */
	uint64_t turn;	      /* the last one in which it was read */
	size_t turn_bytes;    /* read in that turn */
};

/* An Error that it was sent is the peer's fault, or its silence. Of those that
 * were too many, connection-refused tells. */
static void log_failure(const struct wyn_conn_report *report)
{
	const struct wyn_peer *peer = report->peer;

	if (!strcmp(report->failure, "CONNECTIONS_MAX")) {
		return;
	}
	if (!strcmp(report->failure, "HELLO_TIMEOUT") ||
		!strcmp(report->failure, "KEEPALIVE_TIMEOUT")) {
		wyn_log_limited(WYN_LOG_INFO, WYN_LOG_PEER_SILENT,
			"peer-silent", LOG_PEER(peer),
			WYN_LOG_TEXT("client", report->client),
			WYN_LOG_TEXT("reason", report->failure),
			WYN_LOG_NUMBER("tasks", report->tasks));
		return;
	}
	wyn_log_limited(WYN_LOG_WARNING, WYN_LOG_PEER_WRONG, "peer-wrong",
		LOG_PEER(peer), WYN_LOG_TEXT("client", report->client),
		WYN_LOG_TEXT("reason", report->failure),
		WYN_LOG_NUMBER("tasks", report->tasks));
}

static const char *why_closed(const struct wyn_transport *transport,
	const struct wyn_conn_report *report)
{
	if (report->failure) {
		return report->failure;
	}
	if (transport->why) {
		return transport->why;
	}
	return report->ending ? report->ending : "aborted";
}

static void log_closed(const struct wyn_transport *transport)
{
	struct wyn_conn_report report;

	wyn_conn_report(transport->conn, &report);
	if (report.failure) {
		log_failure(&report);
	}
	wyn_log_limited(WYN_LOG_DEBUG, WYN_LOG_CLOSED, "connection-closed",
		WYN_LOG_NUMBER("connection", transport->number),
		LOG_PEER(report.peer), WYN_LOG_TEXT("client", report.client),
		WYN_LOG_TEXT("reason", why_closed(transport, &report)),
		WYN_LOG_NUMBER("tasks", report.tasks));
}

static void let_go(struct wyn_transport *transport)
{
	log_closed(transport);
	wyn_conn_gone(transport->conn, uv_hrtime());
	transport->conn = NULL;
}

static void on_closed(uv_handle_t *handle)
{
	struct wyn_transport *transport = handle->data;
	struct wyn_transports *all = transport->all;

	if (transport->conn) {
		let_go(transport);
	}
	wyn_list_remove(&transport->link);
	all->count--;
	free(transport);
	if (all->gone) {
		all->gone(all->context);
	}
}

static void start_close(struct wyn_transport *transport)
{
	if (transport->state == CLOSING) {
		return;
	}
	if (transport->state == LINGERING) {
		wyn_list_remove(&transport->lingers);
		transport->all->lingering_count--;
	}
	transport->state = CLOSING;
	uv_close(&transport->handle.any, on_closed);
}

/* The socket failed, or its peer is gone. The first reason is the one. */
static void fail(struct wyn_transport *transport, const char *why)
{
	if (!transport->why) {
		transport->why = why;
	}
	start_close(transport);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct wyn_transport *transport = handle->data;
	struct wyn_transports *all = transport->all;
	size_t left;

	(void)suggested;
	if (transport->turn != all->turn) {
		transport->turn = all->turn;
		transport->turn_bytes = 0;
	}
	left = all->share_bytes - transport->turn_bytes;
	left = left < WYN_RECEIVE_BYTES ? left : WYN_RECEIVE_BYTES;
	/* With no room libuv leaves the socket alone until it polls again. To
	 * stop reading and to start again would cost two epoll_ctl. */
	*ret = uv_buf_init((char *)all->slab, (unsigned)left);
}

static void count_read(struct wyn_transport *transport, size_t bytes)
{
	struct wyn_transports *all = transport->all;

	transport->turn_bytes += bytes;
	if (transport->turn_bytes == all->share_bytes) {
		all->greedy++;
	}
}

static void on_read(uv_stream_t *stream, ssize_t bytes, const uv_buf_t *buf);

static void set_reading(struct wyn_transport *transport, bool wanted)
{
	wanted = wanted && !transport->ended;
	if (wanted == transport->reading) {
		return;
	}
	transport->reading = wanted;
	if (!wanted) {
		uv_read_stop(&transport->handle.stream);
	} else if (uv_read_start(
			   &transport->handle.stream, on_alloc, on_read)) {
		start_close(transport);
	}
}

static void on_end(struct wyn_transport *transport)
{
	/* libuv has stopped reading by itself. */
	transport->ended = true;
	transport->reading = false;
	if (transport->state == LINGERING) {
		start_close(transport);
	} else {
		wyn_conn_eof(transport->conn, uv_hrtime());
	}
}

static void drop(struct wyn_transport *transport, size_t bytes)
{
	transport->dropped_bytes += bytes;
	if (transport->dropped_bytes > WYN_LINGER_BYTES_MAX) {
		start_close(transport);
	}
}

static void on_read(uv_stream_t *stream, ssize_t bytes, const uv_buf_t *buf)
{
	struct wyn_transport *transport = stream->data;

	if (transport->state == CLOSING || bytes == 0 || bytes == UV_ENOBUFS) {
		return;
	}
	if (bytes > 0) {
		count_read(transport, (size_t)bytes);
	}
	if (bytes == UV_EOF) {
		on_end(transport);
	} else if (bytes < 0) {
		fail(transport, "read-failed");
	} else if (transport->state == LINGERING) {
		drop(transport, (size_t)bytes);
	} else {
		wyn_conn_receive(transport->conn,
			(struct wyn_slice){
				(const uint8_t *)buf->base, (size_t)bytes},
			uv_hrtime());
		/* At once: libuv would go on. */
		if (wyn_conn_wish(transport->conn) != WYN_CONN_READ) {
			set_reading(transport, false);
		}
	}
}

static size_t gather(const struct wyn_transport *transport, uv_buf_t *bufs,
	size_t bufs_max, size_t *ret_bytes)
{
	struct wyn_slice pieces[WYN_WRITE_PIECES_MAX];
	size_t count = wyn_conn_output(transport->conn, pieces, bufs_max);

	*ret_bytes = 0;
	for (size_t i = 0; i < count; i++) {
		bufs[i].base = (char *)pieces[i].data;
		bufs[i].len = pieces[i].len;
		*ret_bytes += pieces[i].len;
	}
	return count;
}

static void on_written(uv_write_t *write, int status)
{
	struct wyn_transport *transport = write->data;
	size_t bytes = transport->writing_bytes;

	transport->writing_bytes = 0;
	if (transport->state != SERVING) {
		return;
	}
	if (status) {
		fail(transport, "write-failed");
		return;
	}
	wyn_conn_written(transport->conn, bytes, uv_hrtime());
	wyn_transport_flush(transport);
}

/* The socket takes no more now: libuv writes the next pieces when it does. */
static void write_later(struct wyn_transport *transport)
{
	uv_buf_t bufs[WYN_PENDING_PIECES_MAX];
	size_t bytes;
	size_t count = gather(transport, bufs, WYN_PENDING_PIECES_MAX, &bytes);

	if (!count) {
		return;
	}
	transport->writing_bytes = bytes;
	transport->write.data = transport;
	if (uv_write(&transport->write, &transport->handle.stream, bufs,
		    (unsigned)count, on_written)) {
		transport->writing_bytes = 0;
		fail(transport, "write-failed");
	}
}

/* Returns: false when there was nothing to write. */
static bool write_output(struct wyn_transport *transport)
{
	uv_buf_t bufs[WYN_WRITE_PIECES_MAX];

	for (unsigned i = 0; i < WYN_WRITE_ROUNDS_MAX; i++) {
		size_t bytes;
		size_t count =
			gather(transport, bufs, WYN_WRITE_PIECES_MAX, &bytes);
		int sent;

		if (!count) {
			return i > 0;
		}
		sent = uv_try_write(
			&transport->handle.stream, bufs, (unsigned)count);
		if (sent < 0 && sent != UV_EAGAIN) {
			fail(transport, "write-failed");
			return true;
		}
		if (sent > 0) {
			wyn_conn_written(
				transport->conn, (size_t)sent, uv_hrtime());
		}
		if (sent < 0 || (size_t)sent < bytes) {
			break;
		}
	}
	write_later(transport);
	return true;
}

/*
 * A peer that half-closed is not read any more, so that it has gone shows only
 * in a write. While there is none, the connection has us look now and then.
 */
static bool is_dead(const struct wyn_transport *transport)
{
	struct pollfd look = {.events = 0};

	return transport->ended &&
	       !uv_fileno(&transport->handle.any, &look.fd) &&
	       poll(&look, 1, 0) == 1 &&
	       (look.revents & (POLLHUP | POLLERR)) != 0;
}

static struct wyn_transport *oldest_lingering(
	const struct wyn_transports *transports)
{
	struct wyn_list *link = wyn_list_first(&transports->lingering);

	return link ? wyn_list_entry(link, struct wyn_transport, lingers)
		    : NULL;
}

/* Everything is written: see the head of transport.h. */
static void start_linger(struct wyn_transport *transport)
{
	struct wyn_transports *all = transport->all;
	uint64_t now_ns = uv_hrtime();
	uv_os_fd_t fd;

	if (transport->ended || uv_fileno(&transport->handle.any, &fd) ||
		shutdown(fd, SHUT_WR)) {
		start_close(transport);
		return;
	}
	let_go(transport);
	if (all->lingering_count == WYN_LINGERING_MAX) {
		wyn_engine_linger_cut(all->engine);
		start_close(oldest_lingering(all));
	}
	transport->state = LINGERING;
	transport->linger_until_ns = now_ns + WYN_LINGER_MS * UINT64_C(1000000);
	wyn_list_push_back(&all->lingering, &transport->lingers);
	all->lingering_count++;
	set_reading(transport, true);
}

void wyn_transports_turn(struct wyn_transports *transports)
{
	size_t share = WYN_TURN_READ_ALL_BYTES /
		       (transports->greedy > 0 ? transports->greedy : 1);

	share = share < WYN_TURN_READ_BYTES ? share : WYN_TURN_READ_BYTES;
	transports->share_bytes = share > WYN_TURN_READ_LEAST_BYTES
					  ? share
					  : WYN_TURN_READ_LEAST_BYTES;
	transports->greedy = 0;
	transports->turn++;
}

void wyn_transport_flush(struct wyn_transport *transport)
{
	if (transport->state != SERVING) {
		return;
	}
	if (!transport->writing_bytes && !write_output(transport) &&
		is_dead(transport)) {
		fail(transport, "gone");
	}
	if (transport->state != SERVING) {
		return;
	}
	switch (wyn_conn_wish(transport->conn)) {
	case WYN_CONN_READ:
		set_reading(transport, true);
		break;
	case WYN_CONN_PAUSE:
		set_reading(transport, false);
		break;
	case WYN_CONN_CLOSE:
		set_reading(transport, false);
		/* Otherwise the end of the write comes here again. */
		if (!transport->writing_bytes) {
			start_linger(transport);
		}
		break;
	case WYN_CONN_ABORT:
		start_close(transport);
		break;
	}
}

/* Without these it works as well, only a peer that vanished stays longer and
 * a short answer waits for a round trip (Nagle's algorithm). */
static void set_tcp_options(int fd)
{
	const struct {
		int level;
		int name;
		int value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, WYN_TCP_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, WYN_TCP_PROBE_EVERY_S},
		{IPPROTO_TCP, TCP_KEEPCNT, WYN_TCP_PROBES},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
	};

	for (size_t i = 0; i < WYN_COUNT_OF(options); i++) {
		(void)setsockopt(fd, options[i].level, options[i].name,
			&options[i].value, sizeof(options[i].value));
	}
}

static int init_handle(
	struct wyn_transport *transport, int fd, enum wyn_endpoint_kind kind)
{
	uv_loop_t *uv = transport->all->uv;
	int error;

	/* The inits cannot fail: no socket is made, nothing is allocated. */
	if (kind == WYN_ENDPOINT_UNIX) {
		(void)uv_pipe_init(uv, &transport->handle.pipe, 0);
		error = uv_pipe_open(&transport->handle.pipe, fd);
	} else {
		(void)uv_tcp_init(uv, &transport->handle.tcp);
		error = uv_tcp_open(&transport->handle.tcp, fd);
	}
	transport->handle.any.data = transport;
	if (error) {
		close(fd);
		return error;
	}
	if (kind == WYN_ENDPOINT_TCP) {
		set_tcp_options(fd);
	}
	return 0;
}

int wyn_transport_open(struct wyn_transports *transports, int fd,
	enum wyn_endpoint_kind kind, const struct wyn_peer *peer)
{
	struct wyn_transport *transport = calloc(1, sizeof(*transport));
	int error;

	if (!transport) {
		close(fd);
		if (transports->gone) {
			transports->gone(transports->context);
		}
		return -ENOMEM;
	}
	transport->all = transports;
	wyn_list_init(&transport->lingers);
	wyn_list_init(&transport->link);
	wyn_list_push_back(&transports->open, &transport->link);
	transports->count++;
	transport->number = ++transports->opened;
	error = init_handle(transport, fd, kind);
	if (!error) {
		error = wyn_engine_open(transports->engine, peer, transport,
			uv_hrtime(), &transport->conn);
	}
	if (error) {
		start_close(transport);
		return error;
	}
	wyn_log_limited(WYN_LOG_DEBUG, WYN_LOG_OPENED, "connection-opened",
		WYN_LOG_NUMBER("connection", transport->number), LOG_PEER(peer),
		WYN_LOG_TEXT(
			"kind", kind == WYN_ENDPOINT_UNIX ? "unix" : "tcp"));
	wyn_transport_flush(transport);
	return 0;
}

uint64_t wyn_transports_expire(
	struct wyn_transports *transports, uint64_t now_ns)
{
	struct wyn_transport *oldest;

	while ((oldest = oldest_lingering(transports))) {
		if (oldest->linger_until_ns > now_ns) {
			return oldest->linger_until_ns;
		}
		start_close(oldest);
	}
	return UINT64_MAX;
}

void wyn_transports_abort(struct wyn_transports *transports)
{
	struct wyn_list *link;

	/* Closing takes none off the list before the loop's next turn. */
	wyn_list_for_each (link, &transports->open) {
		fail(wyn_list_entry(link, struct wyn_transport, link),
			"aborted");
	}
}

int wyn_transports_init(struct wyn_transports *transports, uv_loop_t *uv,
	struct wyn_engine *engine, void (*gone)(void *context), void *context)
{
	*transports = (struct wyn_transports){
		.uv = uv,
		.engine = engine,
		.gone = gone,
		.context = context,
		.slab = malloc(WYN_RECEIVE_BYTES),
	};
	wyn_list_init(&transports->open);
	wyn_list_init(&transports->lingering);
	wyn_transports_turn(transports);
	return transports->slab ? 0 : -ENOMEM;
}

void wyn_transports_fini(struct wyn_transports *transports)
{
	wyn_assert(transports->count == 0);
	free(transports->slab);
	transports->slab = NULL;
}
