// SPDX-License-Identifier: MIT
/*
 * client.h - a client from inside: a session and the socket that serves it.
 *
 * For the files of the blocking layer: client.c, await.c, report.c. The
 * client's thread only.
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
	uint64_t late_ns; /* the last deadline that was seen to be over */
	struct wyn_session session;
};

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
