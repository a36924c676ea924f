// SPDX-License-Identifier: MIT
/*
 * spill.c - a file of blocks in chains.
 *
 * The chains are kept in memory, four bytes for each block. A descriptor for
 * each output would be simpler, and there would not be enough of them.
 */
#include "client/wynctl/spill.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NO_BLOCK UINT32_MAX

void wyn_spill_init(struct wyn_spill *spill)
{
	*spill = (struct wyn_spill){.fd = -1, .free = NO_BLOCK};
}

void wyn_spill_fini(struct wyn_spill *spill)
{
	if (spill->fd >= 0) {
		(void)close(spill->fd);
	}
	free(spill->next);
	wyn_spill_init(spill);
}

/* Not every file system has files without a name. */
static int spill_open(struct wyn_spill *spill)
{
	const char *directory = getenv("TMPDIR");
	char name[PATH_MAX];
	int fd;

	if (directory == NULL || directory[0] == '\0') {
		directory = "/tmp";
	}
	fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0) {
		if (snprintf(name, sizeof(name), "%s/wynctl-XXXXXX",
			    directory) >= (int)sizeof(name)) {
			return -ENAMETOOLONG;
		}
		fd = mkostemp(name, O_CLOEXEC);
		if (fd < 0) {
			return -errno;
		}
		(void)unlink(name);
	}
	spill->fd = fd;
	return 0;
}

/* A block that nobody uses: a free one, or one at the end of the file. */
static int spill_claim(struct wyn_spill *spill, uint32_t *ret_block)
{
	size_t room = spill->room > 0 ? 2 * spill->room : 64;
	uint32_t *larger;
	int err = spill->fd < 0 ? spill_open(spill) : 0;

	if (err != 0) {
		return err;
	}
	if (spill->free != NO_BLOCK) {
		*ret_block = spill->free;
		spill->free = spill->next[spill->free];
	} else {
		if (spill->blocks >= NO_BLOCK) {
			return -EFBIG;
		}
		if (spill->blocks == spill->room) {
			larger = realloc(spill->next, room * sizeof(*larger));
			if (larger == NULL) {
				return -ENOMEM;
			}
			spill->next = larger;
			spill->room = room;
		}
		*ret_block = (uint32_t)spill->blocks++;
	}
	spill->next[*ret_block] = NO_BLOCK;
	return 0;
}

static void spill_release(struct wyn_spill *spill, uint32_t block)
{
	spill->next[block] = spill->free;
	spill->free = block;
}

static off_t spill_offset(uint32_t block, size_t used)
{
	return (off_t)block * WYN_SPILL_BLOCK_BYTES + (off_t)used;
}

void wyn_held_init(struct wyn_held *held)
{
	*held = (struct wyn_held){.first = NO_BLOCK, .last = NO_BLOCK};
}

/* Returns: whether there is room in memory for so many bytes more. */
static bool held_reserve(
	struct wyn_spill *spill, struct wyn_held *held, size_t size)
{
	size_t capacity = held->capacity > 0 ? held->capacity : 256;
	char *larger;

	if (held->first != NO_BLOCK ||
		size > WYN_SPILL_HELD_BYTES_MAX - held->size) {
		return false;
	}
	while (capacity - held->size < size) {
		capacity *= 2;
	}
	if (capacity == held->capacity) {
		return true;
	}
	if (capacity - held->capacity >
		WYN_SPILL_TOTAL_BYTES_MAX - spill->in_memory) {
		return false;
	}
	larger = realloc(held->data, capacity);
	if (larger == NULL) {
		return false;
	}
	spill->in_memory += capacity - held->capacity;
	held->data = larger;
	held->capacity = capacity;
	return true;
}

static int held_write(struct wyn_spill *spill, struct wyn_held *held,
	const uint8_t *data, size_t size)
{
	off_t at = spill_offset(held->last, held->last_used);
	ssize_t written;

	do {
		written = pwrite(spill->fd, data, size, at);
	} while (written < 0 && errno == EINTR);
	if (written <= 0) {
		return written < 0 ? -errno : -ENOSPC;
	}
	held->last_used += (size_t)written;
	held->spilled += (size_t)written;
	return (int)written;
}

int wyn_held_put(
	struct wyn_spill *spill, struct wyn_held *held, struct wyn_slice bytes)
{
	uint32_t block;
	size_t size;
	int result;

	if (bytes.len > 0 && held_reserve(spill, held, bytes.len)) {
		memcpy(held->data + held->size, bytes.data, bytes.len);
		held->size += bytes.len;
		return 0;
	}
	while (bytes.len > 0) {
		if (held->last == NO_BLOCK ||
			held->last_used == WYN_SPILL_BLOCK_BYTES) {
			result = spill_claim(spill, &block);
			if (result != 0) {
				return result;
			}
			if (held->last == NO_BLOCK) {
				held->first = block;
				held->first_used = 0;
			} else {
				spill->next[held->last] = block;
			}
			held->last = block;
			held->last_used = 0;
		}
		size = WYN_SPILL_BLOCK_BYTES - held->last_used;
		size = size < bytes.len ? size : bytes.len;
		result = held_write(spill, held, bytes.data, size);
		if (result < 0) {
			return result;
		}
		bytes.data += result;
		bytes.len -= (size_t)result;
	}
	return 0;
}

static int held_read(struct wyn_spill *spill, struct wyn_held *held, char *room,
	size_t *ret_size)
{
	size_t size = held->first == held->last ? held->last_used
						: WYN_SPILL_BLOCK_BYTES;
	ssize_t got;

	do {
		got = pread(spill->fd, room, size - held->first_used,
			spill_offset(held->first, held->first_used));
	} while (got < 0 && errno == EINTR);
	if (got <= 0) {
		return got < 0 ? -errno : -EIO;
	}
	held->first_used += (size_t)got;
	held->spilled -= (size_t)got;
	*ret_size = (size_t)got;
	return 0;
}

int wyn_held_take(struct wyn_spill *spill, struct wyn_held *held,
	char room[WYN_SPILL_BLOCK_BYTES], struct wyn_slice *ret_piece)
{
	size_t size = 0;
	uint32_t block = held->first;
	int err;

	if (held->taken < held->size) {
		*ret_piece =
			(struct wyn_slice){(uint8_t *)held->data + held->taken,
				held->size - held->taken};
		held->taken = held->size;
		return 0;
	}
	if (held->spilled > 0) {
		err = held_read(spill, held, room, &size);
		if (err != 0) {
			return err;
		}
		if (held->first != held->last &&
			held->first_used == WYN_SPILL_BLOCK_BYTES) {
			held->first = spill->next[block];
			held->first_used = 0;
			spill_release(spill, block);
		}
	}
	*ret_piece = (struct wyn_slice){(uint8_t *)room, size};
	return 0;
}

uint64_t wyn_held_bytes(const struct wyn_held *held)
{
	return held->size - held->taken + held->spilled;
}

void wyn_held_drop(struct wyn_spill *spill, struct wyn_held *held)
{
	uint32_t block = held->first;
	uint32_t next;

	while (block != NO_BLOCK) {
		next = spill->next[block];
		spill_release(spill, block);
		block = next;
	}
	spill->in_memory -= held->capacity;
	free(held->data);
	wyn_held_init(held);
}
