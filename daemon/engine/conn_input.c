// SPDX-License-Identifier: MIT
/*
 * conn_input.c - bytes that came in, to frames.
 *
 * Frames are used where they lie in what the transport read. Only what is left
 * over is copied: the beginning of a frame, or everything while the connection
 * is paused or rests. So an idle connection holds no buffer.
 */
#include <string.h>

#include "daemon/engine/conn.h"
#include "daemon/engine/conn_state.h"
#include "daemon/engine/engine_state.h"
#include "daemon/engine/grow.h"

static size_t preface_step(struct wyn_conn *conn, struct wyn_slice bytes)
{
	switch (wyn_preface_check(bytes)) {
	case WYN_PREFACE_READY:
		conn->phase = WYN_CONN_HELLO;
		return WYN_PREFACE_BYTES;
	case WYN_PREFACE_PARTIAL:
		return 0;
	default:
		wyn_conn_fail(conn, WYN_STATUS_INVALID_ARGUMENT, "BAD_PREFACE",
			"this port speaks WYND/1");
		return 0;
	}
}

/*
 * Uses one preface or frame at the start of `bytes`.
 *
 * Returns: the bytes used; 0 when more are needed, *ret_need in all, or when
 * the connection failed.
 */
static size_t step(
	struct wyn_conn *conn, struct wyn_slice bytes, size_t *ret_need)
{
	size_t body_max = conn->phase <= WYN_CONN_HELLO
				  ? WYN_HELLO_BYTES_MAX
				  : conn->engine->limits.frame_bytes_max;
	struct wyn_frame frame;
	size_t size;

	if (conn->phase == WYN_CONN_PREFACE) {
		*ret_need = WYN_PREFACE_BYTES;
		return preface_step(conn, bytes);
	}
	switch (wyn_frame_next(bytes, body_max, &frame, &size)) {
	case WYN_FRAME_READY:
		wyn_conn_frame(conn, &frame);
		return size;
	case WYN_FRAME_PARTIAL:
		*ret_need = size;
		return 0;
	case WYN_FRAME_TOO_LARGE:
		wyn_conn_fail(conn, WYN_STATUS_RESOURCE_EXHAUSTED,
			conn->phase == WYN_CONN_HELLO ? "HELLO_TOO_LARGE"
						      : "FRAME_TOO_LARGE",
			"the frame is larger than allowed");
		return 0;
	default:
		wyn_conn_fail(conn, WYN_STATUS_INVALID_ARGUMENT, "BAD_FLAGS",
			"the frame has flags that are not known");
		return 0;
	}
}

/* Uses frames until one is incomplete, too much is unsent, or it rests. */
static size_t use(
	struct wyn_conn *conn, struct wyn_slice bytes, size_t *ret_need)
{
	size_t used = 0;

	*ret_need = 0;
	while (used < bytes.len && conn->phase < WYN_CONN_CLOSING &&
		!conn->paused && !wyn_conn_rests(conn)) {
		struct wyn_slice rest = {bytes.data + used, bytes.len - used};
		size_t unsent = conn->output.bytes + conn->unsent_bytes;
		size_t n = step(conn, rest, ret_need);

		if (n == 0) {
			break;
		}
		used += n;
		/* Most frames change nothing about it. */
		if (conn->output.bytes + conn->unsent_bytes != unsent) {
			wyn_conn_pressure(conn);
		}
	}
	wyn_grow_end(conn->engine);
	return used;
}

void wyn_conn_carry_release(struct wyn_conn *conn)
{
	struct wyn_carry *carry = &conn->carry;
	struct wyn_engine *engine = conn->engine;

	if (carry->data != NULL) {
		engine->carry_bytes -= carry->room;
		wyn_memory_release(&engine->memory, carry->data, carry->room);
	}
	*carry = (struct wyn_carry){NULL, 0, 0};
}

/* What is kept lies in another piece of memory. */
static void carry_replace(struct wyn_conn *conn, uint8_t *data, size_t room)
{
	size_t len = conn->carry.len;

	wyn_conn_carry_release(conn);
	conn->carry = (struct wyn_carry){data, len, room};
	conn->engine->carry_bytes += room;
}

/* Makes room for `want` bytes in all. False: the connection ends. */
static bool carry_grow(struct wyn_conn *conn, size_t want, size_t whole)
{
	struct wyn_engine *engine = conn->engine;
	struct wyn_carry *carry = &conn->carry;
	size_t most = wyn_engine_buffer_max(engine);
	size_t room = want > 2 * carry->room ? want : 2 * carry->room;
	uint8_t *data;

	if (room > whole && want <= whole) {
		room = whole;
	}
	if (room > most && want <= most) {
		room = most;
	}
	if (room > most) {
		WYN_STATS_ADD(&engine->stats, buffers_over_max, 1);
		wyn_conn_fail(conn, WYN_STATUS_RESOURCE_EXHAUSTED,
			"BUFFERS_MAX",
			"the server keeps as many bytes of frames as it may");
		return false;
	}
	data = wyn_memory_acquire(&engine->memory, room);
	if (data == NULL) {
		wyn_conn_abort(conn);
		return false;
	}
	if (carry->len > 0) {
		memcpy(data, carry->data, carry->len);
	}
	carry_replace(conn, data, wyn_memory_rounded(room));
	return true;
}

/*
 * Appends to what is kept. Room grows with what came, never with what a header
 * claims, but not past the end of the frame that it is for: `whole` bytes in
 * all, 0 = not known.
 */
static void carry_append(
	struct wyn_conn *conn, struct wyn_slice bytes, size_t whole)
{
	struct wyn_carry *carry = &conn->carry;
	size_t want = carry->len + bytes.len;

	if (bytes.len == 0 || conn->phase >= WYN_CONN_CLOSING ||
		(want > carry->room && !carry_grow(conn, want, whole))) {
		return;
	}
	memcpy(carry->data + carry->len, bytes.data, bytes.len);
	carry->len = want;
}

size_t wyn_conn_carry_use(struct wyn_conn *conn)
{
	struct wyn_carry *carry = &conn->carry;
	struct wyn_slice kept = {carry->data, carry->len};
	size_t need;
	size_t used = use(conn, kept, &need);

	if (conn->phase >= WYN_CONN_CLOSING || used == carry->len) {
		wyn_conn_carry_release(conn);
		return 0;
	}
	carry->len -= used;
	memmove(carry->data, carry->data + used, carry->len);
	return need > carry->len ? need - carry->len : 0;
}

void wyn_conn_receive(
	struct wyn_conn *conn, struct wyn_slice bytes, uint64_t now_ns)
{
	size_t need;

	conn->engine->now_ns = now_ns;
	WYN_STATS_ADD(&conn->engine->stats, received_bytes, bytes.len);
	if (conn->phase < WYN_CONN_CLOSING) {
		conn->heard_ns = now_ns;
		conn->misses = 0;
	}
	while (conn->carry.len > 0 && bytes.len > 0 &&
		conn->phase < WYN_CONN_CLOSING) {
		size_t missing = wyn_conn_carry_use(conn);
		size_t n = missing == 0 || missing > bytes.len ? bytes.len
							       : missing;

		if (conn->carry.len == 0) {
			break;
		}
		carry_append(conn, (struct wyn_slice){bytes.data, n},
			missing == 0 ? 0 : conn->carry.len + missing);
		bytes.data += n;
		bytes.len -= n;
	}
	if (conn->carry.len > 0) {
		(void)wyn_conn_carry_use(conn);
	}
	if (bytes.len > 0 && conn->phase < WYN_CONN_CLOSING) {
		size_t used = use(conn, bytes, &need);

		carry_append(conn,
			(struct wyn_slice){bytes.data + used, bytes.len - used},
			need);
	}
}
