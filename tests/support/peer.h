// SPDX-License-Identifier: MIT
/*
 * peer.h - one client of libwynclient, and the other end of its socket.
 *
 * Without a thread: what the server says is sent before the client is asked to
 * read it. For the test programs of client/, whose own thread it is.
 */
#pragma once

#include <stdbool.h>

#include <wyn/client.h>

#include "tests/support/script.h"

#define PEER_NO_CONFIG ((const struct wyn_client_config *)0)

extern struct wyn_client *peer_client;
extern int peer_fd; /* the server's end; -1 = closed */
extern struct wyn_script peer_script;
extern struct wyn_script_reader peer_reader;

/* Around each test: a connected client, and its end. */
int peer_setup(void **state);
int peer_teardown(void **state);

/* A new pair of sockets. Returns: the client's end. */
int peer_pair(void);

/* A client that is not connected. */
void peer_create(const struct wyn_client_config *config);

/* Connects it over a new pair, with a Welcome that is there already. */
void peer_connect(void);

/* Sends the script, and empties it. */
void peer_send(void);

/* What the client has sent, for script_next(). */
void peer_read(bool preface);

/* Closes the server's end. */
void peer_close(void);

/* Submits one echo task. Returns: its seq. */
uint64_t peer_submit(void);

/* The client's next event is the result OK of seq, with this value. */
void peer_assert_value(
	const struct wyn_client_event *event, uint64_t seq, const char *value);
