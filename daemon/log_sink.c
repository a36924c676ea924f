// SPDX-License-Identifier: MIT
/*
 * log_sink.c - see log_sink.h.
 */
#include "daemon/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"

static_assert(WYN_LOG_LINE_BYTES <= PIPE_BUF,
	"a pipe with room takes a line whole, without waiting");

/* Of a pipe or a terminal: a description of our own, which no other process
 * has. Returns: -1 when it cannot be had: no /proc, somebody else's terminal,
 * a pipe that nobody reads any more. */
static int open_again(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void wyn_log_sink_open(struct wyn_log_sink *sink, int fd)
{
	struct stat status;
	int again;

	*sink = (struct wyn_log_sink){.fd = fd, .kind = WYN_LOG_SINK_PLAIN};
	if (fstat(fd, &status) < 0) {
		return;
	}
	if (S_ISSOCK(status.st_mode)) {
		sink->kind = WYN_LOG_SINK_SOCKET;
		return;
	}
	if (!S_ISFIFO(status.st_mode) && !isatty(fd)) {
		return;
	}
	sink->kind = WYN_LOG_SINK_ASKED;
	again = open_again(fd);
	if (again >= 0) {
		sink->kind = WYN_LOG_SINK_OWN;
		sink->fd = again;
	}
}

void wyn_log_sink_close(struct wyn_log_sink *sink)
{
	if (sink->kind == WYN_LOG_SINK_OWN) {
		close(sink->fd);
	}
	sink->kind = WYN_LOG_SINK_PLAIN;
	sink->fd = -1;
}

static bool has_room(int fd)
{
	struct pollfd look = {.fd = fd, .events = POLLOUT};

	return poll(&look, 1, 0) == 1 && (look.revents & POLLOUT);
}

static ssize_t put_once(
	const struct wyn_log_sink *sink, const char *data, size_t bytes)
{
	if (sink->kind == WYN_LOG_SINK_SOCKET) {
		return send(sink->fd, data, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	if (sink->kind == WYN_LOG_SINK_ASKED && !has_room(sink->fd)) {
		return 0;
	}
	return write(sink->fd, data, bytes);
}

/* Returns: how much of it went out, until all has or nothing more does. */
static size_t put_some(
	const struct wyn_log_sink *sink, const char *data, size_t bytes)
{
	size_t done = 0;

	while (done < bytes) {
		ssize_t put = put_once(sink, data + done, bytes - done);

		if (put < 0 && errno == EINTR) {
			continue;
		}
		if (put <= 0) {
			break;
		}
		done += (size_t)put;
	}
	return done;
}

static void keep_rest(struct wyn_log_sink *sink, const char *data, size_t bytes)
{
	wyn_assert(bytes <= sizeof(sink->rest));
	memmove(sink->rest, data, bytes);
	sink->rest_bytes = bytes;
}

bool wyn_log_sink_put(struct wyn_log_sink *sink, const char *line, size_t bytes)
{
	size_t done = put_some(sink, sink->rest, sink->rest_bytes);

	keep_rest(sink, sink->rest + done, sink->rest_bytes - done);
	if (sink->rest_bytes > 0) {
		return false;
	}
	done = put_some(sink, line, bytes);
	if (done == 0) {
		return false;
	}
	keep_rest(sink, line + done, bytes - done);
	return true;
}
