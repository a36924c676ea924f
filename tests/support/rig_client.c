// SPDX-License-Identifier: MIT
/*
 * rig_client.c - the socket's side of a client: bytes both ways, and wishes.
 *
 * rig_reader.c decodes what comes.
 */
#include "tests/support/rig_client.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/engine/conn.h"
#include "daemon/engine/engine_state.h"

#define RIG_PIECES 4u

static struct rig_client *client_open(
	struct rig *rig, const struct wyn_peer *peer)
{
	struct rig_client *client = calloc(1, sizeof(*client));

	rig_check(client != NULL);
	client->rig = rig;
	client->read_max = SIZE_MAX;
	client->feed_max = WYN_RECEIVE_BYTES;
	wyn_list_init(&client->link);
	wyn_list_push_back(&rig->clients, &client->link);
	rig_check(wyn_engine_open(rig->engine, peer, client, rig->now_ns,
			  &client->conn) == 0);
	rig_client_flush(client);
	return client;
}

struct rig_client *rig_connect(struct rig *rig)
{
	static const struct wyn_peer peer;

	return client_open(rig, &peer);
}

struct rig_client *rig_connect_admin(struct rig *rig)
{
	static const struct wyn_peer peer = {.administrator = true};

	return client_open(rig, &peer);
}

struct rig_client *rig_connect_local(struct rig *rig, uint32_t uid)
{
	const struct wyn_peer peer = {.local = true, .uid = uid};

	return client_open(rig, &peer);
}

static void conn_close(struct rig_client *client)
{
	struct wyn_conn *conn = client->conn;

	if (conn != NULL) {
		client->conn = NULL;
		wyn_conn_gone(conn, client->rig->now_ns);
	}
}

void rig_client_break(struct rig_client *client)
{
	conn_close(client);
}

void rig_client_free(struct rig_client *client)
{
	for (size_t i = 0; i < client->tasks_room; i++) {
		if (client->tasks[i] != NULL) {
			free(client->tasks[i]->value);
			free(client->tasks[i]->partials);
			free(client->tasks[i]->output.data);
			free(client->tasks[i]->error.data);
			free(client->tasks[i]);
		}
	}
	free(client->tasks);
	free(client->unfed);
	free(client->unread);
	free(client);
}

/*
 * Each piece in memory of its own, so that a sanitizer sees whoever keeps a
 * view of the slab after the read.
 */
static void piece_feed(struct rig_client *client, size_t n)
{
	uint8_t *slab = malloc(n);

	rig_check(slab != NULL);
	memcpy(slab, client->unfed, n);
	client->rig->fed = true;
	client->unfed_bytes -= n;
	memmove(client->unfed, client->unfed + n, client->unfed_bytes);
	wyn_conn_receive(
		client->conn, (struct wyn_slice){slab, n}, client->rig->now_ns);
	free(slab);
}

void rig_client_feed(struct rig_client *client)
{
	if (client->corked) {
		return;
	}
	while (client->conn != NULL && client->unfed_bytes > 0 &&
		wyn_conn_wish(client->conn) == WYN_CONN_READ) {
		size_t n = client->unfed_bytes < client->feed_max
				   ? client->unfed_bytes
				   : client->feed_max;

		piece_feed(client, n);
	}
	if (client->conn != NULL && client->ended && !client->eof_told &&
		client->unfed_bytes == 0 &&
		wyn_conn_wish(client->conn) == WYN_CONN_READ) {
		client->eof_told = true;
		wyn_conn_eof(client->conn, client->rig->now_ns);
	}
}

void rig_send(struct rig_client *client, const void *data, size_t bytes)
{
	client->unfed = realloc(client->unfed, client->unfed_bytes + bytes + 1);
	rig_check(client->unfed != NULL);
	if (bytes > 0) {
		memcpy(client->unfed + client->unfed_bytes, data, bytes);
	}
	client->unfed_bytes += bytes;
	rig_client_feed(client);
}

void rig_end(struct rig_client *client)
{
	client->ended = true;
	rig_client_feed(client);
}

/* Writes to the client's buffer what it takes in one go. */
static void output_write(struct rig_client *client)
{
	size_t left = client->read_max;
	struct wyn_slice pieces[RIG_PIECES];
	size_t n;

	while (left > 0 &&
		(n = wyn_conn_output(client->conn, pieces, RIG_PIECES)) > 0) {
		size_t written = 0;

		for (size_t i = 0; i < n && left > 0; i++) {
			size_t bytes =
				pieces[i].len < left ? pieces[i].len : left;

			rig_client_take(client,
				(struct wyn_slice){pieces[i].data, bytes});
			written += bytes;
			left -= bytes;
		}
		wyn_conn_written(client->conn, written, client->rig->now_ns);
	}
}

/*
 * Closed in good order, it has answered everything: rows and quiet ones are as
 * many as the tasks that came.
 */
static void close_check(const struct rig_client *client)
{
	rig_check(client->unread_bytes == 0);
	if (client->errors == 0) {
		rig_check(client->rows + client->quiet_done ==
			  client->conn->tasks.received);
	}
}

void rig_client_flush(struct rig_client *client)
{
	const struct wyn_conn *conn = client->conn;

	rig_check(conn != NULL);
	output_write(client);
	rig_check(conn->stream_used <= conn->stream_granted);
	rig_check(conn->tasks.returned <= conn->tasks.received);
	rig_check(conn->bytes.returned <= conn->bytes.received);
	switch (wyn_conn_wish(conn)) {
	case WYN_CONN_READ:
		rig_client_feed(client);
		break;
	case WYN_CONN_PAUSE:
		break;
	case WYN_CONN_CLOSE:
		close_check(client);
		conn_close(client);
		break;
	case WYN_CONN_ABORT:
		client->aborted = true;
		conn_close(client);
		break;
	}
}
