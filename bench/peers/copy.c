// SPDX-License-Identifier: MIT
/*
 * copy.c - the floor of large payloads: blocks there and back over a socket.
 *
 *	copy serve ADDRESS
 *	copy call ADDRESS ms=NUMBER bytes=NUMBER
 *
 * Fair because the server takes a whole block before it sends it back, as who
 * has to do something with it must, in one write if the kernel takes it;
 * because the client writes and reads in two threads, so that the next block is
 * on its way meanwhile. The first 8 bytes say how large a block is.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench/meter.h"
#include "bench/meter_latency.h"
#include "bench/meter_socket.h"
#include "bench/meter_words.h"

#define BLOCK_BYTES_MAX (UINT64_C(64) << 20)

struct writer {
	int fd;
	uint64_t bytes;
	uint64_t end_ns;
	uint64_t sent; /* blocks; read after the join */
};

static struct meter_latency latency;

static char *make_block(uint64_t bytes)
{
	char *block;

	meter_require(bytes > 0 && bytes <= BLOCK_BYTES_MAX);
	block = malloc(bytes);
	meter_require(block != NULL);
	memset(block, 'x', bytes);
	return block;
}

static void answer(int fd)
{
	uint64_t bytes;
	char *block;

	if (!meter_read(fd, &bytes, sizeof(bytes))) {
		return; /* who only looked whether somebody listens */
	}
	block = make_block(bytes);
	while (meter_read(fd, block, bytes) && meter_write(fd, block, bytes)) {
	}
	free(block);
}

static void serve(const char *address)
{
	int listener = meter_listen(address);

	for (;;) {
		int fd = meter_accept(listener);

		answer(fd);
		close(fd);
	}
}

static void *write_blocks(void *arg)
{
	struct writer *writer = arg;
	char *block = make_block(writer->bytes);

	while (meter_now_ns() < writer->end_ns) {
		meter_require(meter_write(writer->fd, block, writer->bytes));
		writer->sent++;
	}
	meter_require(shutdown(writer->fd, SHUT_WR) == 0);
	free(block);
	return NULL;
}

static void call(const struct meter *meter)
{
	struct writer writer = {
		.fd = meter_connect(meter->address), .bytes = meter->bytes};
	char *block = make_block(meter->bytes);
	pthread_t thread;
	uint64_t now_ns;

	meter_require(meter_write(writer.fd, &meter->bytes, 8));
	meter_latency_start(&latency);
	now_ns = latency.start_ns;
	writer.end_ns = now_ns + meter->ms * METER_NS_PER_MS;
	meter_require(
		pthread_create(&thread, NULL, write_blocks, &writer) == 0);
	while (meter_read(writer.fd, block, meter->bytes)) {
		uint64_t from_ns = now_ns;

		now_ns = meter_now_ns();
		meter_latency_add(&latency, now_ns - from_ns, 1);
	}
	pthread_join(thread, NULL);
	meter_require(latency.count == writer.sent);
	meter_latency_print(&latency, 2 * meter->bytes);
	free(block);
	close(writer.fd);
}

int main(int argc, char **argv)
{
	struct meter meter;

	meter_parse_address(&meter, argc, argv);
	if (strcmp(meter.work, "serve") == 0) {
		serve(meter.address);
	} else {
		meter_require(strcmp(meter.work, "call") == 0);
		call(&meter);
	}
	return 0;
}
