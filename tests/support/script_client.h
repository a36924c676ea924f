// SPDX-License-Identifier: MIT
/*
 * script_client.h - a client of libwynclient, and a server whose answers are
 * written beforehand.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <wyn/client.h>

#include "tests/support/script.h"

static struct wyn_script script;
static struct wyn_client *client;
static int fds[2];
static uint64_t call_id;
static char seen[256]; /* what each() was given */

static inline int setup(void **state)
{
	struct wyn_script_limits limits = WYN_SCRIPT_LIMITS;

	(void)state;
	call_id = 0;
	seen[0] = '\0';
	script.len = 0;
	script_welcome(&script, &limits);
	assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
	assert_int_equal(0, wyn_client_create(NULL, &client));
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	wyn_client_destroy(client);
	close(fds[1]);
	return 0;
}

/* Everything that the server will say is there before it is asked. */
static inline void connect_now(void)
{
	assert_int_equal(script.len, write(fds[1], script.data, script.len));
	assert_int_equal(
		0, wyn_client_connect_fd(client, fds[0], WYN_CLIENT_FOREVER));
}

static inline void reply_put(Wyn__V1__Reply *reply)
{
	Wyn__V1__Frame frame = WYN__V1__FRAME__INIT;

	reply->call_id = ++call_id;
	frame.body_case = WYN__V1__FRAME__BODY_REPLY;
	frame.reply = reply;
	script_frame(&script, &frame, 0);
}
