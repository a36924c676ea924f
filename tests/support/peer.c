// SPDX-License-Identifier: MIT
/*
 * peer.c - see peer.h.
 */
#include "tests/support/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct wyn_client *peer_client;
int peer_fd = -1;
struct wyn_script peer_script;
struct wyn_script_reader peer_reader;

int peer_pair(void)
{
	int fds[2];

	peer_close();
	assert_int_equal(
		0, socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
	peer_fd = fds[0];
	return fds[1];
}

void peer_create(const struct wyn_client_config *config)
{
	assert_int_equal(0, wyn_client_create(config, &peer_client));
}

void peer_connect(void)
{
	const struct wyn_script_limits limits = WYN_SCRIPT_LIMITS;
	int fd = peer_pair();

	script_welcome(&peer_script, &limits);
	peer_send();
	assert_int_equal(
		0, wyn_client_connect_fd(peer_client, fd, WYN_CLIENT_FOREVER));
}

int peer_setup(void **state)
{
	(void)state;
	peer_create(PEER_NO_CONFIG);
	peer_connect();
	return 0;
}

int peer_teardown(void **state)
{
	(void)state;
	wyn_client_destroy(peer_client);
	peer_client = NULL;
	peer_close();
	peer_script.len = 0;
	return 0;
}

void peer_send(void)
{
	size_t len = peer_script.len;

	assert_int_equal(len, send(peer_fd, peer_script.data, len,
				      MSG_NOSIGNAL | MSG_DONTWAIT));
	peer_script.len = 0;
}

void peer_read(bool preface)
{
	static uint8_t copy[1u << 20];
	ssize_t got = recv(peer_fd, copy, sizeof(copy), MSG_DONTWAIT);

	script_read(&peer_reader,
		(struct wyn_slice){copy, got > 0 ? (size_t)got : 0}, preface);
}

void peer_close(void)
{
	if (peer_fd >= 0) {
		(void)close(peer_fd);
	}
	peer_fd = -1;
}

uint64_t peer_submit(void)
{
	uint64_t seq = 0;

	assert_int_equal(
		0, wyn_client_submit(peer_client, "echo",
			   (struct wyn_bytes){"argument", 8}, NULL, &seq));
	return seq;
}

void peer_assert_value(
	const struct wyn_client_event *event, uint64_t seq, const char *value)
{
	assert_int_equal(WYN_CLIENT_RESULT, event->kind);
	assert_int_equal(WYN_STATUS_OK, event->code);
	assert_int_equal(seq, event->seq);
	assert_int_equal(strlen(value), event->value.size);
	assert_memory_equal(value, event->value.data, event->value.size);
}
