// SPDX-License-Identifier: MIT
/*
 * beanstalk.c - a client of beanstalkd: put, reserve and delete a job.
 *
 *	beanstalk call ADDRESS ms=NUMBER in_flight=NUMBER
 *
 * Fair because it writes the protocol itself, in one write for all that is in
 * flight, and reads through one buffer; because producer and consumer are one
 * connection, so that no third process has to be woken; because nothing of a
 * result goes back to the producer, which beanstalkd has no way for.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "bench/meter.h"
#include "bench/meter_latency.h"
#include "bench/meter_socket.h"
#include "bench/meter_words.h"

#define FLIGHT_MAX 4096u
#define LINE_BYTES 64u

static const char put[] = "put 0 0 60 16\r\n0123456789abcdef\r\n";
static const char reserve[] = "reserve\r\n";

static struct meter_latency latency;
static uint64_t ids[FLIGHT_MAX];
static char out[FLIGHT_MAX * LINE_BYTES];

/* So many times the same request. */
static void send_all(int fd, const char *request, uint64_t n)
{
	size_t size = strlen(request);

	for (uint64_t i = 0; i < n; i++) {
		memcpy(out + i * size, request, size);
	}
	meter_require(meter_write(fd, out, n * size));
}

static void send_deletes(int fd, uint64_t n)
{
	size_t size = 0;

	for (uint64_t i = 0; i < n; i++) {
		size += (size_t)snprintf(out + size, LINE_BYTES,
			"delete %" PRIu64 "\r\n", ids[i]);
	}
	meter_require(meter_write(fd, out, size));
}

/* The line that begins with `word`, and the number after it. */
static uint64_t expect(FILE *in, const char *word)
{
	char line[LINE_BYTES];

	meter_require(fgets(line, (int)sizeof(line), in) != NULL);
	meter_require(strncmp(line, word, strlen(word)) == 0);
	return strtoull(line + strlen(word), NULL, 10);
}

static void run(int fd, FILE *in, uint64_t n)
{
	char job[18];

	send_all(fd, put, n);
	for (uint64_t i = 0; i < n; i++) {
		expect(in, "INSERTED ");
	}
	send_all(fd, reserve, n);
	for (uint64_t i = 0; i < n; i++) {
		ids[i] = expect(in, "RESERVED ");
		meter_require(fread(job, sizeof(job), 1, in) == 1);
		meter_require(memcmp(job, "0123456789abcdef", 16) == 0);
	}
	send_deletes(fd, n);
	for (uint64_t i = 0; i < n; i++) {
		expect(in, "DELETED");
	}
}

int main(int argc, char **argv)
{
	struct meter meter;
	uint64_t now_ns, end_ns;
	int fd;
	FILE *in;

	meter_parse_address(&meter, argc, argv);
	meter_require(meter.in_flight <= FLIGHT_MAX);
	fd = meter_connect(meter.address);
	in = fdopen(dup(fd), "r");
	meter_require(in != NULL);
	meter_latency_start(&latency);
	now_ns = latency.start_ns;
	end_ns = now_ns + meter.ms * METER_NS_PER_MS;
	while (now_ns < end_ns) {
		uint64_t from_ns = now_ns;

		run(fd, in, meter.in_flight);
		now_ns = meter_now_ns();
		meter_latency_add(&latency, now_ns - from_ns, meter.in_flight);
	}
	meter_latency_print(&latency, 0);
	fclose(in);
	close(fd);
	return 0;
}
