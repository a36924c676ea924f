// SPDX-License-Identifier: MIT
/*
 * mark.c - a mark drawn, written, and looked for in an environment.
 */
#include "spawner/mark.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/assert.h"
#include "spawner/sys.h"

#define PATH_BYTES  64 /* "4194304/task/4194304/environ" */
#define PIECE_BYTES 8192
#define DIGITS	    (sizeof(((struct wyn_mark *)NULL)->digits) - 1)

int wyn_mark_draw(struct wyn_mark *ret_mark)
{
	uint64_t bits[2];

	for (;;) {
		ssize_t bytes = getrandom(bits, sizeof(bits), 0);
		if (bytes == (ssize_t)sizeof(bits)) {
			break;
		}
		if (bytes < 0 && errno != EINTR) {
			return -errno;
		}
	}
	snprintf(ret_mark->digits, sizeof(ret_mark->digits),
		"%016" PRIx64 "%016" PRIx64, bits[0], bits[1]);
	return 0;
}

void wyn_mark_text(const struct wyn_mark *mark, uint64_t serial,
	char text[static WYN_MARK_TEXT_BYTES])
{
	snprintf(text, WYN_MARK_TEXT_BYTES, WYN_MARK_VARIABLE "=%s.%" PRIu64,
		mark->digits, serial);
}

/* A variable that is being read, as far as it can be ours. */
struct search {
	char expected[WYN_MARK_TEXT_BYTES]; /* all but the serial */
	size_t expected_bytes;
	size_t at; /* in the variable */
	bool other;
	uint64_t serial;
};

/* Returns: 1: this NUL ends our variable. */
static int search_byte(struct search *search, char byte)
{
	if (byte == '\0') {
		if (!search->other && search->at > search->expected_bytes) {
			return 1;
		}
		search->at = 0;
		search->other = false;
		search->serial = 0;
		return 0;
	}
	if (search->other) {
		return 0;
	}
	if (search->at < search->expected_bytes) {
		search->other = byte != search->expected[search->at];
	} else {
		search->other =
			byte < '0' || byte > '9' ||
			__builtin_mul_overflow(
				search->serial, 10u, &search->serial) ||
			__builtin_add_overflow(search->serial,
				(unsigned)(byte - '0'), &search->serial);
	}
	search->at++;
	return 0;
}

/* Returns: 1: our variable ends in it. */
static int search_piece(struct search *search, const char *piece, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		/* Another one is of no interest before its end. */
		const char *end = search->other
					  ? memchr(piece + i, '\0', bytes - i)
					  : piece + i;
		if (end == NULL) {
			return 0;
		}
		i = (size_t)(end - piece);
		if (search_byte(search, piece[i]) == 1) {
			return 1;
		}
	}
	return 0;
}

/* Returns: 0: found; -ENOENT; -ENODATA: there is nothing in it; -errno. */
static int search_fd(int fd, struct search *search)
{
	char piece[PIECE_BYTES];
	size_t total = 0;

	while (total < WYN_MARK_ENVIRON_BYTES_MAX) {
		ssize_t bytes = read(fd, piece, sizeof(piece));
		if (bytes < 0) {
			return -errno;
		}
		if (search_piece(search, piece, (size_t)bytes) == 1) {
			return 0;
		}
		if (bytes == 0) {
			break;
		}
		total += (size_t)bytes;
	}
	/* A process may have overwritten the last NUL. */
	if (search_byte(search, '\0') == 1) {
		return 0;
	}
	return total > 0 ? -ENOENT : -ENODATA;
}

static int search_path(int at, const char *path, struct search *search)
{
	int fd = wyn_sys.openat(at, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		/* Without memory: ESRCH, or of old kernels an empty file. */
		return errno == ENOENT	? -ESRCH
		       : errno == ESRCH ? -ENODATA
					: -errno;
	}
	int error = search_fd(fd, search);
	close(fd);
	return error;
}

/* A first thread that is dead has no memory to read, but the others may. */
static int search_threads(int proc, pid_t pid, struct search *search)
{
	char path[PATH_BYTES];

	snprintf(path, sizeof(path), "%d/task", pid);
	int fd = wyn_sys.openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *threads = fd >= 0 ? fdopendir(fd) : NULL;
	if (threads == NULL) {
		int error = errno == ENOENT ? -ESRCH : -errno;
		if (fd >= 0) {
			close(fd);
		}
		return error;
	}
	int error = -ENODATA;
	const struct dirent *entry;
	while ((error == -ENODATA || error == -ESRCH) &&
		(entry = readdir(threads)) != NULL) {
		if (entry->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%d/task/%d/environ", pid,
				atoi(entry->d_name));
			error = search_path(proc, path, search);
		}
	}
	closedir(threads);
	return error == -ENODATA ? -ENOENT : error;
}

int wyn_mark_find(
	int proc, pid_t pid, const struct wyn_mark *mark, uint64_t *ret_serial)
{
	struct search search = {0};
	char path[PATH_BYTES];

	wyn_assert(strlen(mark->digits) == DIGITS);
	search.expected_bytes =
		(size_t)snprintf(search.expected, sizeof(search.expected),
			WYN_MARK_VARIABLE "=%s.", mark->digits);
	snprintf(path, sizeof(path), "%d/environ", pid);
	int error = search_path(proc, path, &search);
	if (error == -ENODATA) {
		error = search_threads(proc, pid, &search);
	}
	if (error == 0) {
		*ret_serial = search.serial;
	}
	return error;
}
