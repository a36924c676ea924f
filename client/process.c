// SPDX-License-Identifier: MIT
/*
 * process.c - a client in somebody else's event loop.
 *
 * What to poll for, how long, and steps that do not wait. All that is done is
 * done by the same steps as in the calls that wait, with a deadline of now.
 */
#include "client/client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>

#include "base/time.h"
#include "client/clock.h"

/* Steps without an event in one call: neither a server that always has
 * something to say, but nothing for the caller, nor one that takes a long
 * argument as fast as it is read may hold up the loop. */
#define PROCESS_STEPS_MAX 32

int wyn_client_fd(const struct wyn_client *client)
{
	return client->fd;
}

bool wyn_client_wants_write(const struct wyn_client *client)
{
	return !client->send_failed &&
	       (wyn_outbox_pending(&client->session.outbox).len > 0 ||
		       client->session.uploads.count > 0 ||
		       wyn_session_owes(&client->session));
}

int wyn_client_events(const struct wyn_client *client)
{
	if (client->fd < 0 || client->session.state == WYN_SESSION_ENDED) {
		return 0;
	}
	return wyn_client_wants_write(client) ? POLLIN | POLLOUT : POLLIN;
}

/* There is something to tell that no fd announces. */
static bool process_has_news(const struct wyn_client *client)
{
	const struct wyn_session *session = &client->session;

	return client->unread || session->table.done > 0 ||
	       !wyn_list_empty(&session->notices.list) ||
	       (session->starved && session->relieved) ||
	       (session->state == WYN_SESSION_ENDED && !client->told);
}

int wyn_client_timeout_ms(const struct wyn_client *client)
{
	uint64_t due_ns;
	uint64_t now_ns;
	uint64_t ms;

	if (process_has_news(client)) {
		return 0;
	}
	due_ns = wyn_client_silence_ns(client);
	if (due_ns == WYN_CLIENT_FOREVER) {
		return -1;
	}
	now_ns = wyn_client_now_ns();
	if (due_ns <= now_ns) {
		return 0;
	}
	/* Rounded up: a poll(2) that ends too early would be in vain. */
	ms = (due_ns - now_ns + WYN_NS_PER_MS - 1) / WYN_NS_PER_MS;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

int wyn_client_process(
	struct wyn_client *client, struct wyn_client_event *ret_event)
{
	int result;

	for (int i = 0; i < PROCESS_STEPS_MAX; i++) {
		result = wyn_client_turn(client, ret_event);
		if (result == 0) {
			return 1;
		}
		if (result == -EAGAIN) {
			return 0;
		}
		if (result != WYN_SESSION_NOTED) {
			client->told = true;
			return result;
		}
	}
	client->unread = true;
	return 0;
}
