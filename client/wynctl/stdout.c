// SPDX-License-Identifier: MIT
/*
 * stdout.c - writes that do not wait, with their errors collected. main() has
 * SIGPIPE ignored, so a closed pipe is EPIPE here.
 *
 * O_NONBLOCK belongs to the open file, which a shell and other programs share;
 * so a pipe or a terminal is opened once more, by its name in /proc, and only
 * ours has the flag. Where that is refused poll(2) is asked first and then no
 * more than PIPE_BUF written, which a pipe or socket with room takes whole.
 */
#include "client/wynctl/stdout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "client/wynctl/interrupt.h"

/* Worth a system call. */
#define FLUSH_BYTES (64u << 10)

static void stdout_failed(struct wyn_stdout *output, int error)
{
	if (output->error == 0) {
		output->error = error;
	}
	output->head = 0;
	output->tail = 0;
}

/* What never waits need not be asked. */
static bool stdout_is_null(const struct stat *stat)
{
	return S_ISCHR(stat->st_mode) && stat->st_rdev == makedev(1, 3);
}

void wyn_stdout_init(struct wyn_stdout *output, int fd)
{
	char name[32];
	struct stat stat = {0};
	int again = -1;

	*output = (struct wyn_stdout){.fd = fd, .polled = true};
	if (fstat(fd, &stat) == 0 &&
		(S_ISREG(stat.st_mode) || stdout_is_null(&stat))) {
		output->polled = false;
		return;
	}
	if (S_ISFIFO(stat.st_mode) || isatty(fd) == 1) {
		(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		again = open(
			name, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	}
	if (again >= 0) {
		output->fd = again;
		output->ours = true;
		output->polled = false;
	}
}

static bool stdout_is_ready(const struct wyn_stdout *output)
{
	struct pollfd pollfd = {.fd = output->fd, .events = POLLOUT};

	return !output->polled || poll(&pollfd, 1, 0) > 0;
}

/* Returns: how many bytes went out without waiting. */
static size_t stdout_put(
	struct wyn_stdout *output, const char *data, size_t size)
{
	size_t out = 0;
	ssize_t written;

	while (out < size && stdout_is_ready(output)) {
		size_t piece = size - out;

		if (output->polled && piece > PIPE_BUF) {
			piece = PIPE_BUF;
		}
		written = write(output->fd, data + out, piece);
		if (written >= 0) {
			out += (size_t)written;
		} else if (errno == EAGAIN) {
			break;
		} else if (errno != EINTR) {
			stdout_failed(output, errno);
			break;
		}
	}
	return out;
}

/* Room at the end. The rest moves to the front before the buffer grows. */
static char *stdout_reserve(struct wyn_stdout *output, size_t size)
{
	size_t kept = wyn_stdout_kept_bytes(output);
	size_t capacity = output->capacity;
	char *data;

	if (capacity - output->tail >= size) {
		return output->data + output->tail;
	}
	if (kept > 0 && output->head > 0) {
		memmove(output->data, output->data + output->head, kept);
	}
	output->head = 0;
	output->tail = kept;
	if (capacity == 0) {
		capacity = 2 * FLUSH_BYTES;
	}
	while (capacity - kept < size) {
		capacity *= 2;
	}
	if (capacity > output->capacity) {
		data = realloc(output->data, capacity);
		if (data == NULL) {
			stdout_failed(output, ENOMEM);
			return NULL;
		}
		output->data = data;
		output->capacity = capacity;
	}
	return output->data + output->tail;
}

static void stdout_appended(struct wyn_stdout *output, size_t size)
{
	output->tail += size;
	if (wyn_stdout_kept_bytes(output) >= FLUSH_BYTES) {
		wyn_stdout_flush(output);
	}
}

void wyn_stdout_write(struct wyn_stdout *output, const void *data, size_t size)
{
	const char *at = data;
	char *room;
	size_t out;

	if (size >= FLUSH_BYTES) {
		wyn_stdout_flush(output);
		if (wyn_stdout_kept_bytes(output) == 0 && output->error == 0) {
			out = stdout_put(output, at, size);
			at += out;
			size -= out;
		}
	}
	if (output->error != 0 || size == 0) {
		return;
	}
	room = stdout_reserve(output, size);
	if (room != NULL) {
		memcpy(room, at, size);
		stdout_appended(output, size);
	}
}

void wyn_stdout_print(struct wyn_stdout *output, const char *format, ...)
{
	va_list arguments;
	char *room;
	int size;

	if (output->error != 0) {
		return;
	}
	va_start(arguments, format);
	size = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (size < 0) {
		stdout_failed(output, ENOMEM);
		return;
	}
	room = stdout_reserve(output, (size_t)size + 1);
	if (room != NULL) {
		va_start(arguments, format);
		(void)vsnprintf(room, (size_t)size + 1, format, arguments);
		va_end(arguments);
		stdout_appended(output, (size_t)size);
	}
}

void wyn_stdout_flush(struct wyn_stdout *output)
{
	size_t kept = wyn_stdout_kept_bytes(output);

	if (kept > 0) {
		kept = stdout_put(output, output->data + output->head, kept);
		output->head += kept;
	}
	if (output->error != 0 || output->head == output->tail) {
		output->head = 0;
		output->tail = 0;
	}
}

size_t wyn_stdout_kept_bytes(const struct wyn_stdout *output)
{
	return output->tail - output->head;
}

bool wyn_stdout_full(const struct wyn_stdout *output)
{
	return wyn_stdout_kept_bytes(output) >= WYN_STDOUT_BYTES_MAX;
}

int wyn_stdout_waits_fd(const struct wyn_stdout *output)
{
	return wyn_stdout_kept_bytes(output) > 0 ? output->fd : -1;
}

void wyn_stdout_wait(struct wyn_stdout *output)
{
	struct pollfd pollfd = {.fd = output->fd, .events = POLLOUT};

	wyn_stdout_flush(output);
	while (wyn_stdout_kept_bytes(output) > 0) {
		int ready = wyn_interrupt_poll(&pollfd, 1, -1);

		if (ready < 0 && ready != -EINTR) {
			stdout_failed(output, -ready);
		}
		wyn_stdout_flush(output);
	}
}

int wyn_stdout_end(struct wyn_stdout *output)
{
	wyn_stdout_wait(output);
	free(output->data);
	output->data = NULL;
	if (output->ours) {
		(void)close(output->fd);
	}
	return -output->error;
}
