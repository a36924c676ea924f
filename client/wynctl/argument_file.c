// SPDX-License-Identifier: MIT
/*
 * argument_file.c - files as arguments.
 */
#include "client/wynctl/argument_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/wynctl/interrupt.h"

struct wyn_file_source {
	int fd; /* -1 = data holds all */
	uint8_t *data;
	uint64_t size;
	uint64_t at;
	bool held;     /* a refused submit is not to release it */
	bool released; /* while it was held */
};

static ssize_t file_read_some(int fd, void *buffer, size_t size)
{
	ssize_t got;

	do {
		got = read(fd, buffer, size);
	} while (got < 0 && errno == EINTR && !wyn_interrupted());
	return got < 0 ? -errno : got;
}

/* Fills the buffer as far as there is content. */
static ssize_t file_read(int fd, uint8_t *buffer, size_t size)
{
	size_t filled = 0;
	ssize_t got;

	while (filled < size) {
		got = file_read_some(fd, buffer + filled, size - filled);
		if (got < 0) {
			return got;
		}
		if (got == 0) {
			break;
		}
		filled += (size_t)got;
	}
	return (ssize_t)filled;
}

static ssize_t file_source_read(void *context, void *buffer, size_t size)
{
	struct wyn_file_source *source = context;

	if (source->fd >= 0) {
		return file_read_some(source->fd, buffer, size);
	}
	if (size > source->size - source->at) {
		size = (size_t)(source->size - source->at);
	}
	memcpy(buffer, source->data + source->at, size);
	source->at += size;
	return (ssize_t)size;
}

void wyn_file_close(struct wyn_file_source *source)
{
	if (source == NULL) {
		return;
	}
	if (source->fd >= 0) {
		(void)close(source->fd);
	}
	free(source->data);
	free(source);
}

static void file_source_release(void *context)
{
	struct wyn_file_source *source = context;

	if (source->held) {
		source->released = true;
	} else {
		wyn_file_close(source);
	}
}

/* Without a size: all of it goes into memory, behind what was read already. */
static int file_slurp(struct wyn_file_source *source, int fd,
	const uint8_t *small, uint64_t bytes_max)
{
	size_t capacity = 4 * WYN_FILE_SMALL_BYTES;
	size_t size = WYN_FILE_SMALL_BYTES;
	uint8_t *larger = malloc(capacity);
	ssize_t got;

	if (larger == NULL) {
		return -ENOMEM;
	}
	source->data = larger;
	memcpy(source->data, small, size);
	for (;;) {
		got = file_read(fd, source->data + size, capacity - size);
		if (got < 0) {
			return (int)got;
		}
		size += (size_t)got;
		if (size > bytes_max) {
			return -E2BIG;
		}
		if (size < capacity) {
			source->size = size;
			return 0;
		}
		capacity *= 2;
		larger = realloc(source->data, capacity);
		if (larger == NULL) {
			return -ENOMEM;
		}
		source->data = larger;
	}
}

static int file_large(int fd, const uint8_t *small, uint64_t bytes_max,
	struct wyn_file_source **ret_source)
{
	struct wyn_file_source *source = calloc(1, sizeof(*source));
	struct stat stat;
	int err = 0;

	if (source == NULL) {
		return -ENOMEM;
	}
	source->fd = -1;
	if (fstat(fd, &stat) != 0) {
		err = -errno;
	} else if (S_ISREG(stat.st_mode) &&
		   stat.st_size > (off_t)WYN_FILE_SMALL_BYTES) {
		source->size = (uint64_t)stat.st_size;
		source->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (source->fd < 0 || lseek(source->fd, 0, SEEK_SET) != 0) {
			err = -errno;
		}
	} else {
		err = file_slurp(source, fd, small, bytes_max);
	}
	if (err != 0) {
		wyn_file_close(source);
		return err;
	}
	*ret_source = source;
	return 0;
}

int wyn_file_open(const char *name, uint8_t *small, uint64_t bytes_max,
	size_t *ret_bytes, struct wyn_file_source **ret_source)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t got;
	int err = 0;

	if (fd < 0) {
		return -errno;
	}
	*ret_source = NULL;
	got = file_read(fd, small, WYN_FILE_SMALL_BYTES);
	if (got < 0) {
		err = (int)got;
	} else if (got == WYN_FILE_SMALL_BYTES) {
		err = file_large(fd, small, bytes_max, ret_source);
	} else {
		*ret_bytes = (size_t)got;
	}
	(void)close(fd);
	return err;
}

int wyn_file_submit(struct wyn_file_source *source, struct wyn_client *client,
	const char *function, const struct wyn_client_options *options,
	uint64_t *ret_seq)
{
	const struct wyn_client_source view = {
		.size = source->size,
		.read = file_source_read,
		.release = file_source_release,
		.context = source,
	};
	struct wyn_client_options nonblock = *options;
	int err;

	nonblock.nonblock = true;
	source->held = true;
	source->released = false;
	err = wyn_client_submit_source(
		client, function, &view, &nonblock, ret_seq);
	source->held = false;
	/* A short one may be wholly sent by now. */
	if (err == 0 ? source->released : err != -EAGAIN) {
		wyn_file_close(source);
	}
	return err;
}
