// SPDX-License-Identifier: MIT
/*
 * nats.c - request and reply over nats-server, through a queue group.
 *
 *	nats serve PORT
 *	nats call|pipe PORT ms=NUMBER in_flight=NUMBER
 *
 * Fair because one inbox takes all replies, as libnats itself does it for
 * requests; because `pipe`, and the worker for it, buffer what they publish,
 * while `call` and the worker for that send it at once: libnats would wait for
 * more otherwise. One at a time, the reply is read by the caller's own thread.
 */
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <nats/nats.h>

#include "bench/meter.h"
#include "bench/meter_latency.h"
#include "bench/meter_words.h"

#define ARGUMENT    "0123456789abcdef"
#define BYTES	    16
#define CHUNK	    64u /* requests that wait and are told of together */
#define CHUNKS_MAX  1024u
#define INBOX	    "inbox"
#define SUBJECT(as) ((as) ? "echo.call" : "echo.pipe")

#define require_ok(call) meter_require((call) == NATS_OK)

static struct meter_latency latency;
static uint64_t sent_ns[CHUNKS_MAX];
static uint64_t chunks; /* that may be in flight */
static sem_t free_chunks;
static uint64_t done; /* of the thread that delivers */

static natsConnection *connect_to(const char *port, bool at_once)
{
	natsOptions *options = NULL;
	natsConnection *connection = NULL;
	char url[64];

	snprintf(url, sizeof(url), "nats://127.0.0.1:%s", port);
	require_ok(natsOptions_Create(&options));
	require_ok(natsOptions_SetURL(options, url));
	require_ok(natsOptions_SetSendAsap(options, at_once));
	require_ok(natsConnection_Connect(&connection, options));
	natsOptions_Destroy(options);
	return connection;
}

static void on_request(natsConnection *connection, natsSubscription *sub,
	natsMsg *msg, void *closure)
{
	(void)sub;
	(void)closure;
	require_ok(natsConnection_Publish(connection, natsMsg_GetReply(msg),
		natsMsg_GetData(msg), natsMsg_GetDataLength(msg)));
	natsMsg_Destroy(msg);
}

static void serve(const char *port)
{
	for (int at_once = 0; at_once < 2; at_once++) {
		natsConnection *connection = connect_to(port, at_once == 1);
		natsSubscription *sub;

		require_ok(natsConnection_QueueSubscribe(&sub, connection,
			SUBJECT(at_once), "workers", on_request, NULL));
		require_ok(natsSubscription_SetPendingLimits(sub, -1, -1));
		require_ok(natsConnection_Flush(connection));
	}
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		pause();
	}
}

static void on_reply(natsConnection *connection, natsSubscription *sub,
	natsMsg *msg, void *closure)
{
	(void)connection;
	(void)sub;
	(void)closure;
	meter_require(natsMsg_GetDataLength(msg) == BYTES);
	natsMsg_Destroy(msg);
	if (++done % CHUNK == 0) {
		uint64_t chunk = (done / CHUNK - 1) % chunks;

		meter_latency_add(
			&latency, meter_now_ns() - sent_ns[chunk], CHUNK);
		meter_require(sem_post(&free_chunks) == 0);
	}
}

static void pipe_all(const struct meter *meter)
{
	natsConnection *connection = connect_to(meter->address, false);
	natsSubscription *sub;
	uint64_t now_ns, end_ns;

	chunks = meter->in_flight / CHUNK;
	meter_require(chunks > 0 && chunks <= CHUNKS_MAX);
	meter_require(sem_init(&free_chunks, 0, (unsigned)chunks) == 0);
	require_ok(natsConnection_Subscribe(
		&sub, connection, INBOX, on_reply, NULL));
	require_ok(natsSubscription_SetPendingLimits(sub, -1, -1));
	meter_latency_start(&latency);
	now_ns = latency.start_ns;
	end_ns = now_ns + meter->ms * METER_NS_PER_MS;
	for (uint64_t chunk = 0; now_ns < end_ns; chunk++) {
		meter_require(sem_wait(&free_chunks) == 0);
		now_ns = meter_now_ns();
		sent_ns[chunk % chunks] = now_ns;
		for (unsigned i = 0; i < CHUNK; i++) {
			require_ok(natsConnection_PublishRequest(connection,
				SUBJECT(false), INBOX, ARGUMENT, BYTES));
		}
	}
	for (uint64_t chunk = 0; chunk < chunks; chunk++) {
		meter_require(sem_wait(&free_chunks) == 0);
	}
	meter_latency_print(&latency, 0);
	natsConnection_Close(connection);
}

static void call_each(const struct meter *meter)
{
	natsConnection *connection = connect_to(meter->address, true);
	natsSubscription *sub;
	uint64_t now_ns, end_ns;

	require_ok(natsConnection_SubscribeSync(&sub, connection, INBOX));
	require_ok(natsConnection_Flush(connection));
	meter_latency_start(&latency);
	now_ns = latency.start_ns;
	end_ns = now_ns + meter->ms * METER_NS_PER_MS;
	while (now_ns < end_ns) {
		uint64_t from_ns = now_ns;
		natsMsg *msg;

		require_ok(natsConnection_PublishRequest(
			connection, SUBJECT(true), INBOX, ARGUMENT, BYTES));
		require_ok(natsSubscription_NextMsg(&msg, sub, 10000));
		meter_require(natsMsg_GetDataLength(msg) == BYTES);
		natsMsg_Destroy(msg);
		now_ns = meter_now_ns();
		meter_latency_add(&latency, now_ns - from_ns, 1);
	}
	meter_latency_print(&latency, 0);
	natsConnection_Close(connection);
}

int main(int argc, char **argv)
{
	struct meter meter;

	meter_parse_address(&meter, argc, argv);
	if (strcmp(meter.work, "serve") == 0) {
		serve(meter.address);
	} else if (strcmp(meter.work, "pipe") == 0) {
		pipe_all(&meter);
	} else {
		meter_require(strcmp(meter.work, "call") == 0);
		call_each(&meter);
	}
	return 0;
}
