// SPDX-License-Identifier: MIT
/*
 * commands.c - commands through wynd, so many in flight over one connection.
 *
 *	commands call ADDRESS n=NUMBER in_flight=NUMBER -- PROGRAM ARG...
 *
 * The same as peers/spawn.c has to do: both outputs of each command are wanted,
 * as they come, and its status. What is before the first ones have ended does
 * not count, for wynd starts its spawner with the first.
 */
#include <string.h>

#include <wyn/client.h>
#include <wyn/client_command.h>

#include "bench/meter.h"
#include "bench/meter_latency.h"
#include "bench/meter_words.h"

#define WARM		8u
#define ANSWER_NS	(30u * METER_NS_PER_S)
#define IN_FLIGHT_LARGE 4096u

struct run {
	struct wyn_client *client;
	struct wyn_client_command command;
	uint64_t from_ns[IN_FLIGHT_LARGE]; /* by tag */
};

static struct run run;
static struct meter_latency latency;

static void submit(uint64_t tag)
{
	const struct wyn_client_options options = {.stream = true, .tag = tag};
	const struct wyn_bytes nothing = {NULL, 0};
	uint64_t seq;

	run.from_ns[tag] = meter_now_ns();
	meter_require(wyn_client_submit_command(run.client, &run.command,
			      nothing, &options, &seq) == 0);
}

/* Returns the tag of a command that has ended well. */
static uint64_t next(void)
{
	struct wyn_client_event event;

	do {
		meter_require(wyn_client_next(run.client,
				      meter_now_ns() + ANSWER_NS, &event) == 0);
	} while (event.kind != WYN_CLIENT_RESULT);
	if (event.code != WYN_STATUS_OK) {
		fprintf(stderr, "%s: %s\n", event.reason, event.message);
	}
	meter_require(event.code == WYN_STATUS_OK);
	return event.tag;
}

static void call(uint64_t n, uint64_t in_flight)
{
	uint64_t sent = 0;

	while (sent < n && sent < in_flight) {
		submit(sent++);
	}
	while (latency.count < n) {
		uint64_t tag = next();

		meter_latency_add(
			&latency, meter_now_ns() - run.from_ns[tag], 1);
		if (sent < n) {
			submit(tag);
			sent++;
		}
	}
}

int main(int argc, char **argv)
{
	struct meter meter;
	int words = 1;

	while (words < argc && strcmp(argv[words], "--") != 0) {
		words++;
	}
	meter_require(words + 1 < argc);
	run.command.argv = argv + words + 1;
	meter_parse_address(&meter, words, argv);
	meter_require(strcmp(meter.work, "call") == 0);
	meter_require(meter.in_flight <= IN_FLIGHT_LARGE);
	meter_require(wyn_client_create(NULL, &run.client) == 0);
	meter_require(wyn_client_connect(run.client, meter.address,
			      meter_now_ns() + ANSWER_NS) == 0);
	call(WARM, meter.in_flight);
	meter_latency_start(&latency);
	call(meter.n, meter.in_flight);
	meter_latency_print(&latency, 0);
	wyn_client_destroy(run.client);
	return 0;
}
