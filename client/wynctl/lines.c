// SPDX-License-Identifier: MIT
/*
 * lines.c - lines from a buffer.
 *
 * The end of each line is overwritten by NUL in the buffer, so that a name is a
 * C string without a copy.
 */
#include "client/wynctl/lines.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BYTES (64u << 10)

void wyn_lines_init_fd(struct wyn_lines *lines, int fd, char end)
{
	*lines = (struct wyn_lines){.fd = fd, .end = end};
}

void wyn_lines_init_operands(
	struct wyn_lines *lines, char **operands, size_t count)
{
	*lines = (struct wyn_lines){
		.fd = -1, .operands = operands, .operand_count = count};
}

void wyn_lines_fini(struct wyn_lines *lines)
{
	free(lines->buffer);
	*lines = (struct wyn_lines){.fd = -1};
}

int wyn_lines_next(struct wyn_lines *lines, struct wyn_slice *ret_line)
{
	char *start = lines->buffer + lines->head;
	size_t size = lines->tail - lines->head;
	char *end = NULL;

	if (lines->operand_count > 0) {
		*ret_line = wyn_slice_of(*lines->operands);
		lines->operands++;
		lines->operand_count--;
		return 0;
	}
	if (size > lines->scanned) {
		end = memchr(start + lines->scanned, lines->end,
			size - lines->scanned);
	}
	if (end == NULL && lines->skips) {
		lines->head = lines->tail;
		size = 0;
	} else if (lines->skips) {
		lines->head += (size_t)(end - start) + 1;
		lines->scanned = 0;
		lines->skips = false;
		return wyn_lines_next(lines, ret_line);
	}
	if (end == NULL && lines->fd >= 0) {
		lines->scanned = size;
		return -EAGAIN;
	}
	if (size == 0) {
		return -ENODATA;
	}
	if (end == NULL) {
		end = start + size; /* there is room for one byte more */
		lines->head = lines->tail;
	} else {
		lines->head += (size_t)(end - start) + 1;
	}
	*end = '\0';
	lines->scanned = 0;
	*ret_line = (struct wyn_slice){
		(const uint8_t *)start, (size_t)(end - start)};
	return 0;
}

static int lines_room(struct wyn_lines *lines)
{
	size_t used = lines->tail - lines->head;
	size_t capacity = lines->capacity;
	char *buffer;

	if (used > 0 && lines->head > 0) {
		memmove(lines->buffer, lines->buffer + lines->head, used);
	}
	lines->head = 0;
	lines->tail = used;
	if (used > WYN_LINE_BYTES_MAX) {
		lines->tail = 0;
		lines->scanned = 0;
		lines->skips = true;
		return -E2BIG;
	}
	if (capacity - used > READ_BYTES) {
		return 0;
	}
	capacity = capacity * 2 + READ_BYTES + 1;
	buffer = realloc(lines->buffer, capacity);
	if (buffer == NULL) {
		return -ENOMEM;
	}
	lines->buffer = buffer;
	lines->capacity = capacity;
	return 0;
}

int wyn_lines_count(const struct wyn_lines *lines, uint64_t *ret_count)
{
	char buffer[READ_BYTES];
	off_t at = lseek(lines->fd, 0, SEEK_CUR);
	uint64_t count = 0;
	bool begun = false;
	struct stat stat;
	const char *from;
	const char *end;
	ssize_t got;

	if (fstat(lines->fd, &stat) != 0 || !S_ISREG(stat.st_mode)) {
		return -ESPIPE;
	}
	while (at >= 0) {
		got = pread(lines->fd, buffer, sizeof(buffer), at);
		if (got == 0) {
			*ret_count = count + begun;
			return 0;
		}
		if (got < 0 && errno != EINTR) {
			break;
		}
		for (from = buffer; got > 0 && from < buffer + got;) {
			end = memchr(from, lines->end,
				(size_t)(buffer + got - from));
			count += end != NULL;
			begun = end == NULL;
			from = end != NULL ? end + 1 : buffer + got;
		}
		at += got > 0 ? got : 0;
	}
	return -errno;
}

int wyn_lines_fill(struct wyn_lines *lines)
{
	ssize_t got;
	int err = lines_room(lines);

	if (err != 0) {
		return err;
	}
	got = read(lines->fd, lines->buffer + lines->tail,
		lines->capacity - lines->tail - 1);
	if (got < 0) {
		return -errno;
	}
	if (got == 0) {
		lines->fd = -1;
	}
	lines->tail += (size_t)got;
	return 0;
}
