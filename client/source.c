// SPDX-License-Identifier: MIT
/*
 * source.c - the two sources that the library brings.
 */
#include "client/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wyn/client.h>

struct copy {
	size_t left;
	const uint8_t *at;
	uint8_t data[];
};

static ssize_t copy_read(void *context, void *buffer, size_t size)
{
	struct copy *copy = context;

	if (size > copy->left) {
		size = copy->left;
	}
	memcpy(buffer, copy->at, size);
	copy->at += size;
	copy->left -= size;
	return (ssize_t)size;
}

int wyn_source_copy(
	struct wyn_bytes argument, struct wyn_client_source *ret_source)
{
	struct copy *copy = malloc(sizeof(*copy) + argument.size);

	if (copy == NULL) {
		return -ENOMEM;
	}
	if (argument.size > 0) {
		memcpy(copy->data, argument.data, argument.size);
	}
	copy->left = argument.size;
	copy->at = copy->data;
	*ret_source = (struct wyn_client_source){
		.size = argument.size,
		.read = copy_read,
		.release = free,
		.context = copy,
	};
	return 0;
}

static ssize_t fd_read(void *context, void *buffer, size_t size)
{
	ssize_t got;

	do {
		got = read((int)(intptr_t)context, buffer, size);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

static void fd_release(void *context)
{
	(void)close((int)(intptr_t)context);
}

struct wyn_client_source wyn_client_source_fd(int fd, uint64_t size)
{
	return (struct wyn_client_source){
		.size = size,
		.read = fd_read,
		.release = fd_release,
		.context = (void *)(intptr_t)fd,
	};
}
