// SPDX-License-Identifier: MIT
/*
 * client.h - a client from inside: a session and the socket that serves it.
 *
 * For the files above the session: client.c is the way to the socket, and
 * await.c, report.c, process.c and attach.c are written on it. The client's
 * thread only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <wyn/client.h>

#include "client/session.h"

struct wyn_client {
	int fd;		 /* -1 = not connected */
	bool recv_waits; /* recv(2) may block, and a signal ends it */
	/* Sending failed: what the server had still to say is read first. */
	bool send_failed;
	bool connecting;  /* the fd is not connected yet: poll for output */
	bool unread;	  /* the inbox may hold a frame */
	bool told;	  /* the error of the connection, by process */
	bool probed;	  /* a keepalive's Ping is out */
	uint64_t late_ns; /* the last deadline that was seen to be over */
	uint64_t keepalive_ns; /* 0 = none */
	uint64_t heard_ns; /* keepalive: of the last sign of life, or Ping */
	bool addressed;	   /* address is where to reconnect to */
	char *address;	   /* ours to free; NULL = the default */
	struct wyn_session session;
};

/*
 * wyn_client_attach - the session speaks over `fd` from now on.
 *
 * Owns: takes the fd, also on error. Returns: 0; -EISCONN; -ENOMEM. Blocks: no.
 */
WYN_NODISCARD
int wyn_client_attach(struct wyn_client *client, int fd);

/*
 * wyn_client_turn - an event that is kept or due, else a step that does not
 * wait.
 *
 * Returns: 0 with an event that is the caller's; else as wyn_client_step().
 * Blocks: no.
 */
WYN_NODISCARD
int wyn_client_turn(
	struct wyn_client *client, struct wyn_client_event *ret_event);

/*
 * wyn_client_silence_ns - when keepalive has to act next.
 *
 * Returns: of CLOCK_MONOTONIC; WYN_CLIENT_FOREVER = never.
 */
uint64_t wyn_client_silence_ns(const struct wyn_client *client);

/* wyn_client_send - sends what the socket takes. Returns: WYN_SESSION_NOTED;
 * -EAGAIN if it was nothing. Blocks: no. */
int wyn_client_send(struct wyn_client *client);

/*
 * wyn_client_step - the smallest step ahead: one event, or one exchange with
 * the socket.
 *
 * Returns: as wyn_session_pull(), never -EAGAIN unless the deadline is AT_ONCE;
 * WYN_SESSION_NOTED for progress of any kind; -ETIMEDOUT, -EINTR. Blocks:
 * until the deadline.
 */
WYN_NODISCARD
int wyn_client_step(struct wyn_client *client, uint64_t deadline_ns,
	struct wyn_client_event *ret_event);

/*
 * wyn_client_may_keep - whether what comes next may be kept.
 *
 * Returns: 0; -ENOBUFS (too many partial values are kept already).
 */
WYN_NODISCARD
int wyn_client_may_keep(struct wyn_client *client);

/*
 * wyn_client_step_keeping - a step for who waits for something else: an event
 * is kept for wyn_client_next().
 *
 * Returns: 0 for progress; -ENOBUFS (too much is kept already); else as
 * wyn_client_step(). Blocks: until the deadline.
 */
WYN_NODISCARD
int wyn_client_step_keeping(struct wyn_client *client, uint64_t deadline_ns);

/*
 * wyn_client_reply - waits for the Reply to the Call that is in the outbox,
 * with that answer.
 *
 * Owns: the reply is valid until the next step. Returns: 0; -EREMOTEIO (it was
 * refused, or the answer is another); else as wyn_client_step_keeping().
 * Blocks: until the deadline.
 */
WYN_NODISCARD
int wyn_client_reply(struct wyn_client *client, uint64_t deadline_ns,
	Wyn__V1__Reply__WhatCase what, const Wyn__V1__Reply **ret_reply);
