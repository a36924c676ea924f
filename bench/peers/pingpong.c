// SPDX-License-Identifier: MIT
/*
 * pingpong.c - the floor of a call: a few bytes there, a few bytes back.
 *
 *	pingpong serve ADDRESS
 *	pingpong call|set ADDRESS ms=NUMBER
 *
 * Fair because it does what a call has to do at least, and nothing else: two
 * processes, one blocking write and one blocking read each. `call` is for
 * `serve`, with as many bytes as a Submit and its Results have for `echo` and
 * 16 bytes. `set` is the same caller for Redis, whose SET of 16 bytes has a
 * fixed answer: no client of Redis costs less.
 */
#include <stdint.h>
#include <string.h>

#include "bench/meter.h"
#include "bench/meter_latency.h"
#include "bench/meter_socket.h"
#include "bench/meter_words.h"

/* Header 5, Frame 2, seq 4, function 6, argument 18; header 5, Frame 2, seq 5,
 * value 18: with seqs of three bytes. */
#define THERE_BYTES 35u
#define BACK_BYTES  30u

static const char set[] = "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$16\r\n"
			  "0123456789abcdef\r\n";
static const char set_done[] = "+OK\r\n";

static struct meter_latency latency;

static void serve(const char *address)
{
	int listener = meter_listen(address);
	char bytes[THERE_BYTES];

	for (;;) {
		int fd = meter_accept(listener);

		while (meter_read(fd, bytes, THERE_BYTES) &&
			meter_write(fd, bytes, BACK_BYTES)) {
		}
		close(fd);
	}
}

static void call(const struct meter *meter, const char *request,
	size_t request_bytes, const char *reply, size_t reply_bytes)
{
	int fd = meter_connect(meter->address);
	char got[BACK_BYTES];
	uint64_t now_ns, end_ns;

	meter_latency_start(&latency);
	now_ns = latency.start_ns;
	end_ns = now_ns + meter->ms * METER_NS_PER_MS;
	while (now_ns < end_ns) {
		uint64_t from_ns = now_ns;

		meter_require(meter_write(fd, request, request_bytes));
		meter_require(meter_read(fd, got, reply_bytes));
		now_ns = meter_now_ns();
		meter_require(memcmp(got, reply, reply_bytes) == 0);
		meter_latency_add(&latency, now_ns - from_ns, 1);
	}
	meter_latency_print(&latency, 0);
	close(fd);
}

int main(int argc, char **argv)
{
	static const char bytes[THERE_BYTES] = "ping and pong";
	struct meter meter;

	meter_parse_address(&meter, argc, argv);
	if (strcmp(meter.work, "serve") == 0) {
		serve(meter.address);
	} else if (strcmp(meter.work, "set") == 0) {
		call(&meter, set, sizeof(set) - 1, set_done,
			sizeof(set_done) - 1);
	} else {
		meter_require(strcmp(meter.work, "call") == 0);
		call(&meter, bytes, THERE_BYTES, bytes, BACK_BYTES);
	}
	return 0;
}
