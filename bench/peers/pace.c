// SPDX-License-Identifier: MIT
/*
 * pace.c - the load for echo.c: frames at a given rate, whatever comes back.
 *
 *	pace call ADDRESS rate=NUMBER connections=NUMBER ms=NUMBER
 *
 * An open loop: frame i is due at i / rate and goes over connection i modulo
 * connections. Its latency counts from then to its last byte back, also where
 * this program was late. All frames of a connection that are due go out in one
 * write. The first tenth warms up and is not counted.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>

#include "bench/meter.h"
#include "bench/meter_latency.h"
#include "bench/meter_socket.h"
#include "bench/meter_words.h"

#define FRAME_BYTES 35u /* as pingpong.c has them */
#define WRITE_BYTES (FRAME_BYTES << 10)
#define READ_BYTES  (64u << 10)
#define EVENTS	    64

struct connection {
	int fd;
	uint64_t sent;	/* bytes */
	uint64_t taken; /* bytes */
};

static struct meter_latency latency;
static struct connection *connections;
static char frames[WRITE_BYTES];
static char bytes[READ_BYTES];
static uint64_t total, warm, done; /* frames */
static uint64_t start_ns;

static uint64_t due_ns(const struct meter *meter, uint64_t index)
{
	return start_ns + (uint64_t)((double)index * 1e9 / (double)meter->rate);
}

/* How many frames are due. */
static uint64_t due_count(const struct meter *meter, uint64_t now_ns)
{
	uint64_t count = 1 + (uint64_t)((double)(now_ns - start_ns) *
					(double)meter->rate / 1e9);

	return count < total ? count : total;
}

/* Of `count` frames those that go over connection c. */
static uint64_t share(const struct meter *meter, uint64_t count, uint64_t c)
{
	return (count + meter->connections - 1 - c) / meter->connections;
}

static void send_due(const struct meter *meter, uint64_t count)
{
	for (uint64_t c = 0; c < meter->connections; c++) {
		struct connection *to = &connections[c];
		uint64_t left = share(meter, count, c) * FRAME_BYTES - to->sent;
		ssize_t n;

		if (left == 0) {
			continue;
		}
		left = left < WRITE_BYTES ? left : WRITE_BYTES;
		n = send(to->fd, frames, left, MSG_DONTWAIT);
		meter_require(n > 0 || errno == EAGAIN);
		to->sent += n > 0 ? (uint64_t)n : 0;
	}
}

static void take(const struct meter *meter, uint64_t c)
{
	struct connection *from = &connections[c];
	ssize_t n = recv(from->fd, bytes, READ_BYTES, MSG_DONTWAIT);
	uint64_t now_ns = meter_now_ns();
	uint64_t frame = from->taken / FRAME_BYTES;

	meter_require(n > 0 || (n < 0 && errno == EAGAIN));
	from->taken += n > 0 ? (uint64_t)n : 0;
	for (; frame < from->taken / FRAME_BYTES; frame++) {
		uint64_t index = frame * meter->connections + c;

		if (index >= warm) {
			meter_latency_add(
				&latency, now_ns - due_ns(meter, index), 1);
		}
		done++;
	}
}

/* Waits for bytes or for the next frame's time. */
static void wait_and_take(const struct meter *meter, int epoll, uint64_t count)
{
	struct epoll_event events[EVENTS];
	uint64_t now_ns = meter_now_ns();
	uint64_t next_ns = due_ns(meter, count);
	struct timespec ts = {0};
	int n;

	if (count == total) {
		ts.tv_sec = 1;
	} else if (next_ns > now_ns) {
		ts.tv_sec = (time_t)((next_ns - now_ns) / METER_NS_PER_S);
		ts.tv_nsec = (long)((next_ns - now_ns) % METER_NS_PER_S);
	}
	n = epoll_pwait2(epoll, events, EVENTS, &ts, NULL);
	for (int i = 0; i < n; i++) {
		take(meter, events[i].data.u64);
	}
}

static int connect_all(const struct meter *meter)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	connections = calloc(meter->connections, sizeof(*connections));
	meter_require(epoll >= 0 && connections != NULL);
	for (uint64_t c = 0; c < meter->connections; c++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u64 = c};
		int fd = meter_connect(meter->address);

		connections[c].fd = fd;
		meter_require(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
	}
	return epoll;
}

int main(int argc, char **argv)
{
	struct meter meter;
	uint64_t count = 0;
	int epoll;

	meter_parse_address(&meter, argc, argv);
	meter_require(strcmp(meter.work, "call") == 0 && meter.rate > 0);
	total = meter.rate * meter.ms / 1000;
	warm = total / 10;
	/* Timers at their time, not up to 50 us later. */
	meter_require(prctl(PR_SET_TIMERSLACK, 1) == 0);
	epoll = connect_all(&meter);
	meter_latency_start(&latency);
	start_ns = latency.start_ns;
	while (done < total) {
		count = due_count(&meter, meter_now_ns());
		send_due(&meter, count);
		wait_and_take(&meter, epoll, count);
	}
	/* What is measured begins when its first frame was due. */
	latency.start_ns = due_ns(&meter, warm);
	latency.warm = warm;
	meter_latency_print(&latency, 0);
	return 0;
}
