// SPDX-License-Identifier: MIT
/*
 * echo.c - the floor of a server of many connections: it echoes what it reads.
 *
 *	echo serve ADDRESS
 *
 * Fair because it is epoll, one read and one write, whatever has come, in one
 * process: no frame is looked at. It may block in a write, since pace.c reads
 * whatever comes at any time.
 */
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>

#include "bench/meter.h"
#include "bench/meter_socket.h"
#include "bench/meter_words.h"

#define READ_BYTES (64u << 10)
#define EVENTS	   64

static char bytes[READ_BYTES];

static void watch(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	meter_require(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

static void answer(int fd)
{
	ssize_t n = read(fd, bytes, READ_BYTES);

	if (n <= 0 || !meter_write(fd, bytes, (size_t)n)) {
		close(fd);
	}
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS];
	struct meter meter;
	int listener, epoll;

	meter_parse_address(&meter, argc, argv);
	meter_require(strcmp(meter.work, "serve") == 0);
	listener = meter_listen(meter.address);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(epoll, listener);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = events[i].data.fd;

			if (fd == listener) {
				watch(epoll, meter_accept(listener));
			} else {
				answer(fd);
			}
		}
	}
}
