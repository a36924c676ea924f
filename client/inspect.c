// SPDX-License-Identifier: MIT
/*
 * inspect.c - what a caller may look at without waiting.
 */
#include "client/client.h"

#include "base/time.h"
#include "client/clock.h"

const struct wyn_client_error *wyn_client_error(const struct wyn_client *client)
{
	return &client->session.error;
}

const struct wyn_client_server *wyn_client_server(
	const struct wyn_client *client)
{
	return &client->session.server;
}

uint64_t wyn_client_in_flight(const struct wyn_client *client)
{
	return wyn_table_pending(&client->session.table) +
	       client->session.quiet;
}

uint64_t wyn_client_uploads(const struct wyn_client *client)
{
	return client->session.uploads.count;
}

void wyn_client_hold(struct wyn_client *client, uint64_t bytes)
{
	client->session.stream_held = bytes;
}

uint64_t wyn_client_deadline_in_ms(uint64_t ms)
{
	uint64_t now = wyn_client_now_ns();

	if (ms >= (WYN_CLIENT_FOREVER - now) / WYN_NS_PER_MS) {
		return WYN_CLIENT_FOREVER;
	}
	return now + ms * WYN_NS_PER_MS;
}
